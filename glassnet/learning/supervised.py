"""Learning from samples and their targets: what `AutogradEngine` minimizes for classes and numbers."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Supervised:
    """The cross-entropy of class indices, or half the squared error of numbers.

    Parameters
    ----------
    X : ndarray, RowsOf or PictureStream of shape (n_samples, ...), float32 or uint8
        Only read, batch by batch: it may be a memory map. uint8 stands for v / 255.
    target : ndarray of shape (n_samples,), int64, or (n_samples, n_outputs), float32
        Class indices, or numbers.
    sample_weight : ndarray of shape (n_samples,) or None
    image_shape : tuple of int or None
        (channels, height, width) that each sample has before the module; None: as it is.
    augment : callable or None
        (images, generator) -> images of the same shape; see `glassnet.data.augment`.
    label_smoothing : float
        Share of the target in [0, 1) that is spread evenly over all classes.
    device : str
    channels_last : bool
        Lay images of more than one channel out with the channels last, in which convolutions are faster.
    dtype : torch.dtype
        Of what goes into the module, and of the losses.
    """

    def __init__(
        self,
        X: np.ndarray | RowsOf,
        target: np.ndarray,
        sample_weight: np.ndarray | None = None,
        image_shape: tuple[int, ...] | None = None,
        augment: Callable[[Tensor, torch.Generator], Tensor] | None = None,
        label_smoothing: float = 0.0,
        device: str = "cpu",
        channels_last: bool = False,
        dtype: torch.dtype = torch.float32,
    ):
        self.X, self.target = as_tensor(X), as_tensor(target)
        self.sample_weight = None if sample_weight is None else as_tensor(sample_weight)
        self.mean_weight = 1.0 if sample_weight is None else float(sample_weight.mean(dtype=np.float64))
        self.image_shape, self.augment, self.label_smoothing = image_shape, augment, label_smoothing
        self.device, self.channels_last, self.dtype = device, channels_last, dtype
        self.fetches, self.announced = hasattr(self.X, "expect"), list[Tensor]()
        self._hits, self._seen = torch.zeros((), dtype=torch.int64), 0

    @property
    def epoch_order(self) -> Callable[[int, int], np.ndarray] | None:
        """(seed, epoch) -> the order in which the samples are best read; None: any."""
        return getattr(self.X, "order", None)

    @property
    def counts(self) -> tuple[int, int] | None:
        """How many samples were classified rightly in training so far, of how many; None for numbers."""
        return (int(self._hits), self._seen) if self.target.dtype == torch.int64 else None

    def total(self, module: nn.Module, rows: Tensor, generator: torch.Generator) -> Tensor:
        """Return the sum of the samples' losses; see `Objective`."""
        x = as_input(self.X.index_select(0, rows), self.image_shape, self.dtype)
        if self.announced:
            self.X.expect(self.announced.pop(0))
        if self.augment is not None:
            x = self.augment(x, generator)
        if self.channels_last and x.ndim == 4 and x.shape[1] > 1:
            x = x.contiguous(memory_format=torch.channels_last)
        z = module(x.to(self.device)).to(self.dtype)
        target = self.target.index_select(0, rows).to(self.device)
        self._count(z, target)
        losses = self.losses(z, target)
        if self.sample_weight is None:
            return losses.sum()
        return torch.dot(losses, self.sample_weight.index_select(0, rows).to(losses))

    @torch.no_grad()
    def _count(self, z: Tensor, target: Tensor) -> None:
        if target.dtype == torch.int64:
            self._hits = self._hits.to(z.device) + (z.argmax(1) == target).sum()
            self._seen += len(target)

    def weight(self, rows: Tensor) -> float:
        """Return the expected sum of the weights of so many samples; see `Objective`."""
        return len(rows) * self.mean_weight

    def losses(self, z: Tensor, target: Tensor) -> Tensor:
        """Return the loss of each sample from its outputs, shape (n,)."""
        if target.dtype == torch.int64:
            return F.cross_entropy(z, target, label_smoothing=self.label_smoothing, reduction="none")
        return 0.5 * (z - target).square().sum(1)


class RowsOf:
    """Some rows of an array that is left where it is, such as a memory map: a batch at a time is taken.

    Examples
    --------
    >>> some = RowsOf(np.arange(8.0).reshape(4, 2), np.array([3, 0, 1]))
    >>> some.shape, some[:2].tolist(), some.index_select(0, torch.tensor([2])).tolist()
    ((3, 2), [[6.0, 7.0], [0.0, 1.0]], [[2.0, 3.0]])
    """

    def __init__(self, array: np.ndarray, rows: np.ndarray):
        self._tensor, self._rows = as_tensor(array), torch.from_numpy(rows)
        self.parts = (*getattr(array, "parts", (array,)), rows)  # by which processes find out that their data differ
        self.shape = (len(rows), *array.shape[1:])

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: slice) -> Tensor:
        return self._tensor.index_select(0, self._rows[index])

    def index_select(self, dim: int, index: Tensor) -> Tensor:
        """Return a batch, as a tensor's own method does."""
        return self._tensor.index_select(dim, self._rows[index])


def as_tensor(array: Any) -> Any:
    """Return a tensor on the array's memory, which is only read: it may be a read-only memory map."""
    if isinstance(array, RowsOf) or hasattr(array, "expect"):
        return array
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")
        return torch.from_numpy(array)


def as_input(batch: Tensor, image_shape: tuple[int, ...] | None, dtype: torch.dtype = torch.float32) -> Tensor:
    """Return a batch as the module takes it: floating-point, uint8 scaled to [0, 1], each sample in its shape.

    Examples
    --------
    >>> as_input(torch.tensor([[0, 51, 255, 0]], dtype=torch.uint8), (1, 2, 2)).squeeze().round(decimals=3).tolist()
    [[0.0, 0.20000000298023224], [1.0, 0.0]]
    """
    batch = batch.to(dtype).div_(255) if batch.dtype == torch.uint8 else batch.to(dtype)
    return batch if image_shape is None else batch.reshape(len(batch), *image_shape)
