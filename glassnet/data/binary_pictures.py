"""Pictures stored as plain pixels: IDX files named as MNIST's are, and CIFAR's own binary version.

IDX: a file of images and one of labels for each part, with ``images-idx`` and ``labels-idx`` in
their names; the part is to learn from if ``train`` is in it too.

CIFAR's binary version, with no pickle and no JPEG: each record is a byte for the class (two in
CIFAR-100, the second of which is meant) and 3,072 bytes of pixels, a plane each for red, green
and blue, row by row. A. Krizhevsky (2009), "Learning multiple layers of features from tiny images".
"""

from __future__ import annotations

import hashlib
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from glassnet.data.home import DataFile, cached_array
from glassnet.data.images import read_idx
from glassnet.errors import CorruptFileError, InvalidInputError

CIFAR10 = DataFile(
    "cifar-10-binary.tar.gz",
    "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
    ("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",),
)
CIFAR_FOLDER = "cifar-10-batches-bin"
# the file of the classes' names -> the files of each part
_CIFAR_PARTS: dict[str, dict[str, tuple[str, ...]]] = {
    "batches.meta.txt": {
        "train": tuple(f"data_batch_{i}.bin" for i in range(1, 6)),
        "test": ("test_batch.bin",),
    },
    "fine_label_names.txt": {"train": ("train.bin",), "test": ("test.bin",)},
}

# images of shape (n, channels, height, width), labels, names of the classes
Part = tuple[np.ndarray, np.ndarray, tuple[str, ...]]


class RawFiles(NamedTuple):
    """What reads each file by its name, and a stamp that changes when one of them does."""

    read: dict[str, Callable[[], bytes]]
    stamp: str


def read_binary(path: Path) -> dict[str, Part] | None:
    """Return the parts "train" and "test" of a folder of IDX files or of CIFAR's binary version; None if it is neither.

    Raises
    ------
    CorruptFileError, InvalidInputError
        If a file is missing or damaged, or labels do not match.
    """
    if path.is_dir() and list(path.glob("*images-idx*")):
        return {part: _idx_part(path, part) for part in ("train", "test")}
    files = _raw_files(path)
    meta = next((meta for meta in _CIFAR_PARTS if meta in files.read), None)
    return meta and {part: _cifar_part(files, meta, part) for part in ("train", "test")}  # type: ignore[return-value]


def _idx_part(folder: Path, part: str) -> Part:
    found = {}
    for kind in ("images", "labels"):
        names = [file for file in folder.glob(f"*{kind}-idx*") if ("train" in file.name) == (part == "train")]
        if len(names) != 1:
            raise InvalidInputError(
                f"{folder} holds {len(names)} IDX files of {kind} for the {part} part; it takes one, "
                f"such as {'train' if part == 'train' else 't10k'}-{kind}-idx{'3' if kind == 'images' else '1'}-ubyte."
            )
        found[kind] = cached_array(f"idx-{_stamp(names)}", partial(read_idx, names[0]))
    images, labels = found["images"], found["labels"]
    if images.dtype != np.uint8 or images.ndim != 3 or labels.shape != images.shape[:1]:
        raise InvalidInputError(
            f"{folder} holds images of {images.dtype.name}, shape {images.shape}, and labels of shape {labels.shape}; "
            "it takes uint8 images of shape (n, height, width) and n labels."
        )
    return images[:, None], labels.astype(np.int64), tuple(map(str, range(int(labels.max(initial=0)) + 1)))


def _cifar_part(files: RawFiles, meta: str, part: str) -> Part:
    names, n_label_bytes = _CIFAR_PARTS[meta][part], 1 + (meta != "batches.meta.txt")
    if missing := [name for name in names if name not in files.read]:
        raise CorruptFileError(f"CIFAR's binary version is not whole: {', '.join(missing)} missing.")
    classes = tuple(files.read[meta]().decode().split())

    def records() -> np.ndarray:
        return np.concatenate([_records(files, name, n_label_bytes) for name in names])

    key = f"cifar-{part}-{files.stamp}"
    labels = cached_array(f"{key}-labels", lambda: records()[:, n_label_bytes - 1].astype(np.int64))
    images = cached_array(f"{key}-images", lambda: np.ascontiguousarray(records()[:, n_label_bytes:]))
    if labels.max(initial=0) >= len(classes):
        raise CorruptFileError(f"{meta} names {len(classes)} classes, but a picture has the label {labels.max()}.")
    return images.reshape(-1, 3, 32, 32), labels, classes


def _records(files: RawFiles, name: str, n_label_bytes: int) -> np.ndarray:
    content, size = files.read[name](), n_label_bytes + 3 * 32 * 32
    if not content or len(content) % size:
        raise CorruptFileError(f"{name} holds {len(content)} bytes, which is no whole number of {size}-byte records.")
    return np.frombuffer(content, np.uint8).reshape(-1, size)


def _raw_files(path: Path) -> RawFiles:
    """Return the files that CIFAR's binary version may be, in a folder or a tar file."""
    if path.is_dir():
        folder = path / CIFAR_FOLDER if (path / CIFAR_FOLDER).is_dir() else path
        files = sorted(file for file in folder.iterdir() if file.suffix in (".bin", ".txt"))
        return RawFiles({file.name: file.read_bytes for file in files}, _stamp(files))
    if path.is_file() and path.name.endswith((".tar.gz", ".tgz", ".tar")):
        with _opened(path) as tar:
            names = [member.name for member in tar if member.isfile()]
        return RawFiles({Path(name).name: partial(_member, path, name) for name in names}, _stamp([path]))
    return RawFiles({}, "")


def _member(path: Path, name: str) -> bytes:
    with _opened(path) as tar:
        file = tar.extractfile(name)
        assert file is not None
        return file.read()


@contextmanager
def _opened(path: Path) -> Iterator[tarfile.TarFile]:
    """Open a tar file for reading; where it turns out to be damaged, its name is said."""
    try:
        with tarfile.open(path) as tar:
            yield tar
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise CorruptFileError(f"{path} is not a whole tar file: {error}") from error


def _stamp(files: list[Path]) -> str:
    about = "".join(f"{file.resolve()} {file.stat().st_size} {file.stat().st_mtime_ns}\n" for file in files)
    return hashlib.sha256(about.encode()).hexdigest()[:16]
