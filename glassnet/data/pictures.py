"""Any set of pictures by class through one reader: folders, zips and tar shards, IDX and CIFAR's binary files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from glassnet.data.binary_pictures import CIFAR10, CIFAR_FOLDER, read_binary
from glassnet.data.dataset import Dataset, pixel_names
from glassnet.data.decoding import Form, decode_pictures, form_of
from glassnet.data.home import data_home, fetch, is_here
from glassnet.data.picture_files import PictureFile, PictureStore, open_store, picture_files
from glassnet.errors import InvalidInputError
from glassnet.seeds import generator, resolve_seed

LOSSY = "pixels decoded from JPEG files, which are lossy"


@dataclass(frozen=True, eq=False)
class Pictures:
    """Pictures with their classes, as every reader gives them.

    Parameters
    ----------
    images : ndarray of uint8, shape (n, channels, height, width), or PictureStream
        Memory-mapped and read-only, or decoded as they are needed: they may be more than memory holds.
    labels : ndarray of int64, shape (n,)
        Indices into ``classes``.
    classes : tuple of str
    """

    images: Any
    labels: np.ndarray
    classes: tuple[str, ...]


def load_pictures(
    path: str | os.PathLike,
    *,
    resize: int | tuple[int, int] | None = None,
    channels: int | None = None,
    corrupt: str = "error",
    per_class: int | None = None,
    test_size: float = 0.2,
    workers: int | None = None,
    random_state: int | None = 0,
    stream: bool = False,
) -> Dataset:
    """Return a folder, zip or set of binary files as a data set.

    What is read: folders of picture files by class, or a zip of these, with or without a
    ``train`` and a ``test`` (or ``val``) folder above them; a folder of IDX files named as MNIST's
    are; a folder or .tar.gz of CIFAR's binary version; a .tar or a folder of them, as
    `glassnet.data.tar_shards` has it. Picture files are decoded once, and
    memory-mapped from then on.

    Parameters
    ----------
    path : path-like
    resize : int or (int, int), optional
        Side, or height and width, to which pictures are scaled; what then hangs over is cut off
        on both sides alike. By default, pictures of unequal size are an error.
    channels : {1, 3}, optional
        By default those of the first picture.
    corrupt : {"error", "skip"}
        What to do with a file that does not decode: name it, or leave it out and warn how many.
    per_class : int, optional
        Of the picture files, take at most so many of each class in each part, drawn by the seed.
    test_size : float in (0, 1)
        Share of each class that is held out where there is no test part.
    workers : int, optional
        Threads that decode; by default as many as there are cores.
    random_state : int or None
        Seed of that split and of what ``per_class`` takes.
    stream : bool
        Whether picture files are decoded as they are needed, at every use, and not once to the
        disk: see `glassnet.data.picture_stream`.

    Returns
    -------
    Dataset
        X of uint8 (v stands for v / 255), shape (n, channels * height * width), memory-mapped or
        streamed.

    Raises
    ------
    DataNotFoundError
        If there is nothing at ``path``.
    CorruptFileError
        If a file does not decode.
    InvalidInputError
        If pictures differ in size or channels, a class is only in the test part, or there are no pictures.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from PIL import Image
    >>> with TemporaryDirectory() as folder:
    ...     for label in ("cat", "dog"):
    ...         Path(folder, label).mkdir()
    ...         for i in range(5):
    ...             Image.new("RGB", (3, 2), (50 * i, 0, 0)).save(Path(folder, label, f"{i}.png"))
    ...     pets = load_pictures(folder)
    >>> pets.X_train.shape, pets.X_train.dtype, pets.image_shape, pets.target_names
    ((8, 18), dtype('uint8'), (3, 2, 3), ('cat', 'dog'))
    """
    path = Path(path).expanduser()
    shape = _size(resize)
    if channels not in (None, 1, 3):
        raise InvalidInputError(f"channels is 1 or 3, got {channels!r}.")
    if corrupt not in ("error", "skip"):
        raise InvalidInputError(f"corrupt is 'error' or 'skip', got {corrupt!r}.")
    if binary := read_binary(path):
        if shape or channels or per_class or stream:
            raise InvalidInputError(f"{path} holds pixels, not picture files: they are taken as they are.")
        return _dataset(path, Pictures(*binary["train"]), Pictures(*binary["test"]))
    store = open_store(path)
    seed = resolve_seed(random_state)
    parts = _split(picture_files(store), test_size, seed)
    if per_class is not None:
        parts = {part: _some(files, per_class, seed) for part, files in parts.items()}
    form = form_of(store, parts["train"], shape, channels)
    if stream and corrupt == "skip":
        raise InvalidInputError("which pictures do not decode is not known beforehand: corrupt='skip' takes no stream.")
    classes = tuple(sorted({file.label for files in parts.values() for file in files}))
    train, test = (_decode(store, parts[part], classes, form, corrupt, workers, stream) for part in ("train", "test"))
    lossy = any(PurePosixPath(file.name).suffix.lower() in (".jpg", ".jpeg") for file in parts["test"])
    return _dataset(path, train, test, LOSSY if lossy else "")


def load_cifar10(resize: int | None = None, per_class: int | None = None, random_state: int | None = 0) -> Dataset:
    """Return CIFAR-10: 60,000 photographs of 32 x 32 in ten classes, 10,000 of them to test on.

    Taken from the data home: CIFAR's binary version (``cifar-10-batches-bin`` or
    ``cifar-10-binary.tar.gz``), else ``cifar10-images.zip``, whose JPEGs are lossy, as the data set's
    ``note`` then says. If neither is there, the binary version is downloaded.

    Parameters
    ----------
    resize : int, optional
        Side to which picture files are scaled.
    per_class : int, optional
        Of the picture files, take at most so many of each class in each part.
    random_state : int or None
        Seed of what ``per_class`` takes; the split is given.

    Returns
    -------
    Dataset
        X of uint8, shape (50000, 3072) and (10000, 3072).

    Raises
    ------
    DataNotFoundError, CorruptFileError
        If it is not there and cannot be downloaded, or is damaged.

    References
    ----------
    A. Krizhevsky (2009). Learning multiple layers of features from tiny images.
    """
    path = _cifar10_place() or fetch(CIFAR10)
    return replace(load_pictures(path, resize=resize, per_class=per_class, random_state=random_state), name="cifar10")


def has_cifar10() -> bool:
    """Return whether CIFAR-10 is there in one of its forms, so that nothing would be downloaded."""
    return _cifar10_place() is not None or is_here(CIFAR10)


def _cifar10_place() -> Path | None:
    places = [data_home() / name for name in (CIFAR_FOLDER, CIFAR10.path, "cifar10-images.zip")]
    return next((place for place in places if place.exists()), None)


def _size(resize: int | tuple[int, int] | None) -> tuple[int, int] | None:
    sides = (resize, resize) if isinstance(resize, int) else resize
    if sides is not None and (len(sides) != 2 or not all(isinstance(n, int) and n > 0 for n in sides)):
        raise InvalidInputError(f"resize is a side or (height, width) in pixels, got {resize!r}.")
    return sides


def _split(parts: dict[str, list[PictureFile]], test_size: float, seed: int) -> dict[str, list[PictureFile]]:
    """Return the files to learn from and to test on; where nothing tells, a share of each class is held out."""
    if "train" in parts:
        return parts
    if not isinstance(test_size, float) or not 0 < test_size < 1:
        raise InvalidInputError(f"test_size must be a float in (0, 1), got {test_size!r}")
    files = parts["all"]
    held_out: set[int] = set()
    for label, rows in _rows_by_label(files).items():
        if len(rows) < 2:
            raise InvalidInputError(f"Class {label!r} has one picture: it takes one to learn from and one to test on.")
        n = min(max(1, round(test_size * len(rows))), len(rows) - 1)
        held_out |= set(generator(seed, f"split {label}").permutation(rows)[:n].tolist())
    return {
        "train": [file for row, file in enumerate(files) if row not in held_out],
        "test": [file for row, file in enumerate(files) if row in held_out],
    }


def _some(files: list[PictureFile], per_class: int, seed: int) -> list[PictureFile]:
    """Return at most so many files of each class, drawn by the seed, in their order."""
    if per_class < 1:
        raise InvalidInputError(f"per_class takes at least 1 picture of each class, got {per_class}.")
    taken: set[int] = set()
    for label, rows in _rows_by_label(files).items():
        taken |= set(generator(seed, f"some {label}").permutation(rows)[:per_class].tolist())
    return [file for row, file in enumerate(files) if row in taken]


def _rows_by_label(files: Sequence[PictureFile]) -> dict[str, list[int]]:
    rows: dict[str, list[int]] = {}
    for row, file in enumerate(files):
        rows.setdefault(file.label, []).append(row)
    return rows


def _decode(
    store: PictureStore,
    files: Sequence[PictureFile],
    classes: tuple[str, ...],
    form: Form,
    corrupt: str,
    workers: int | None,
    stream: bool,
) -> Pictures:
    if stream:
        from glassnet.data.picture_stream import PictureStream

        images, skipped = PictureStream(store, files, form, workers), []
    else:
        images, skipped = decode_pictures(store, files, form, corrupt=corrupt, workers=workers)
    index = {label: k for k, label in enumerate(classes)}
    labels = np.array([index[file.label] for file in files], np.int64)
    return Pictures(images, np.delete(labels, skipped), classes)


def _dataset(path: Path, train: Pictures, test: Pictures, note: str = "") -> Dataset:
    (X_train, shape), (X_test, test_shape) = _rows(train.images), _rows(test.images)
    if test_shape != shape:
        raise InvalidInputError(f"The test part has pictures of shape {test_shape}, the train part {shape}.")
    if alone := sorted({test.classes[k] for k in set(test.labels.tolist()) - set(train.labels.tolist())}):
        raise InvalidInputError(f"The test part has pictures of {', '.join(alone)}, which the train part has none of.")
    return Dataset(
        path.stem, X_train, train.labels, X_test, test.labels,
        pixel_names(*shape[1:], channels=shape[0]), train.classes, "classification", shape, note,
    )  # fmt: skip


def _rows(images: Any) -> tuple[Any, tuple[int, ...]]:
    """Return pictures as rows, and the shape of one."""
    if hasattr(images, "image_shape"):
        return images, images.image_shape
    return images.reshape(len(images), -1), images.shape[1:]
