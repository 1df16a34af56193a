"""Pictures decoded as they are needed: for sets that no disk would hold as pixels.

A batch is decoded by several threads, the next one while the network learns from this one; no
more than the two are in memory. In tar shards an epoch goes from shard to shard: their order is
drawn by the seed, and a few of them are mixed at a time, so that reading stays in a few places of
the disk. The order is a pure function of seed and epoch, so that a fit goes on in mid-epoch at the
sample where it stopped, and each of several processes decodes its own share of every batch.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from glassnet.data.decoding import Form, decoded_picture
from glassnet.data.picture_files import PictureFile, PictureStore, digest
from glassnet.seeds import generator

# shards whose pictures are mixed at a time
MIXED = 4


class PictureStream:
    """Pictures of a folder, zip or tar shards as rows that are decoded when they are asked for.

    Parameters
    ----------
    store : PictureStore
    files : sequence of PictureFile
    form : Form
    workers : int, optional
        Number of threads; by default the number of cores.

    Attributes
    ----------
    shape : tuple of int
        (n_pictures, values of a picture); what is read is uint8, v stands for v / 255.
    image_shape : tuple of int
        (channels, height, width).
    parts : tuple of ndarray
        By which processes find out that their data differ.
    """

    ndim, dtype = 2, np.dtype(np.uint8)

    def __init__(self, store: PictureStore, files: Sequence[PictureFile], form: Form, workers: int | None = None):
        self.store, self.files, self.form = store, files, form
        self.image_shape = (form.channels, form.height, form.width)
        self.shape = (len(files), math.prod(self.image_shape))
        self.parts = (np.frombuffer(f"{digest(files)} {form}".encode(), np.uint8),)
        self._pool = ThreadPoolExecutor(workers or os.cpu_count() or 1)
        self._coming: tuple[bytes, list[Future]] = (b"", [])
        shard_of = getattr(store, "shard_of", None)
        shards = [shard_of(file.name) for file in files] if shard_of else []
        self._shards = np.unique(shards, return_inverse=True)[1] if shards else np.zeros(len(files), np.int64)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> Tensor:
        return self.index_select(0, torch.arange(len(self))[index].reshape(-1))

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return self[:].numpy().astype(dtype or self.dtype, copy=False)

    def index_select(self, dim: int, index: Tensor) -> Tensor:
        """Return a batch, as a tensor's own method does.

        Raises
        ------
        CorruptFileError, InvalidInputError
            If a picture does not decode, or is of another form; it is named.
        """
        key, coming = self._coming
        if key != _key(index):
            coming = self._begin(index)
        self._coming = (b"", [])
        out = np.empty((len(index), self.shape[1]), np.uint8)
        for row, picture in zip(out, coming, strict=True):
            row[:] = picture.result().reshape(-1)
        return torch.from_numpy(out)

    def expect(self, index: Tensor) -> None:
        """Begin to decode a batch that is asked for next."""
        if self._coming[0] != _key(index):
            self._coming = (_key(index), self._begin(index))

    def order(self, seed: int, epoch: int) -> np.ndarray:
        """Return the order in which an epoch visits the pictures, int64 of shape (n,)."""
        return _shard_order(self._shards.tobytes(), seed, epoch)

    def _begin(self, index: Tensor) -> list[Future]:
        return [self._pool.submit(decoded_picture, self.store, self.files[i], self.form) for i in index.tolist()]


def shard_order(shards: np.ndarray, seed: int, epoch: int, mixed: int = MIXED) -> np.ndarray:
    """Return an order that goes from shard to shard, ``mixed`` of them shuffled together at a time.

    Parameters
    ----------
    shards : int64 ndarray of shape (n,)
        The shard of each sample, from 0.
    seed, epoch : int
    mixed : int

    Returns
    -------
    int64 ndarray of shape (n,)
        A permutation; one shard alone is shuffled as any other data are.

    Examples
    --------
    >>> order = shard_order(np.repeat(np.arange(3), 4), seed=0, epoch=0, mixed=1)
    >>> (order // 4).tolist()
    [1, 1, 1, 1, 0, 0, 0, 0, 2, 2, 2, 2]
    """
    n_shards = int(shards.max(initial=-1)) + 1
    rank = generator(seed, "shards", epoch).permutation(n_shards)
    shuffled = generator(seed, "shuffle", epoch).permutation(len(shards))
    group = rank[shards[shuffled]] // mixed
    return shuffled[np.argsort(group, kind="stable")]


@lru_cache(maxsize=4)
def _shard_order(shards: bytes, seed: int, epoch: int) -> np.ndarray:
    return shard_order(np.frombuffer(shards, np.int64), seed, epoch)


def _key(index: Tensor) -> bytes:
    return index.numpy().tobytes()
