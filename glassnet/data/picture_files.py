"""Picture files by class, in a folder or in a zip: which there are, and their bytes.

Each class has a folder. The classes' folders may lie in ``train`` and ``test`` (or ``val``, as
ImageNet has it), and all of this in one folder more::

    train/cat/0001.jpg    train/dog/0001.jpg    test/cat/0001.jpg    test/dog/0001.jpg
    cat/0001.jpg          dog/0001.jpg
"""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from glassnet.errors import CorruptFileError, DataNotFoundError, InvalidInputError

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm"})
# what the folder of a part may be called, the first that is there
PARTS = {"train": ("train", "training"), "test": ("test", "testing", "val", "valid", "validation")}


class PictureFile(NamedTuple):
    """One file: its path in the folder or zip, its class, and what changes when its content does."""

    name: str
    label: str
    stamp: str


class PictureStore(Protocol):
    """Where picture files lie."""

    path: Path

    def stamps(self) -> Iterator[tuple[str, str]]:
        """Yield (path within, stamp) of every file."""
        ...

    def read(self, name: str) -> bytes:
        """Return the bytes of a file; may be called from several threads."""
        ...


class PictureFolder:
    """The files below a folder."""

    def __init__(self, path: Path):
        self.path = path

    def stamps(self) -> Iterator[tuple[str, str]]:
        """Yield (path within, size and time of change) of every file."""
        for folder, _, names in os.walk(self.path, followlinks=True):
            for name in names:
                file = Path(folder, name)
                about = file.stat()
                yield file.relative_to(self.path).as_posix(), f"{about.st_size} {about.st_mtime_ns}"

    def read(self, name: str) -> bytes:
        """Return the bytes of a file."""
        return (self.path / name).read_bytes()


class PictureZip:
    """The files in a zip."""

    def __init__(self, path: Path):
        self.path = path
        try:
            self._zip = zipfile.ZipFile(path)
        except zipfile.BadZipFile as error:
            raise CorruptFileError(f"{path} is not a whole zip file: {error}") from error

    def stamps(self) -> Iterator[tuple[str, str]]:
        """Yield (path within, size and checksum) of every file."""
        for file in self._zip.infolist():
            if not file.is_dir():
                yield file.filename, f"{file.file_size} {file.CRC}"

    def read(self, name: str) -> bytes:
        """Return the bytes of a file."""
        return self._zip.read(name)


def open_store(path: Path) -> PictureStore:
    """Return the files of a folder, a zip, a tar file or a folder of tar files.

    Raises
    ------
    DataNotFoundError, CorruptFileError, InvalidInputError
        If there is nothing at ``path``, or nothing of that kind.
    """
    from glassnet.data.tar_shards import PictureShards, shards_of

    if shards_of(path):
        return PictureShards(path)
    if path.is_dir():
        return PictureFolder(path)
    if not path.exists():
        raise DataNotFoundError(f"There is no folder or file {path}")
    if path.suffix.lower() != ".zip":
        raise InvalidInputError(f"{path} is neither a folder nor a zip or .tar of pictures by class.")
    return PictureZip(path)


def picture_files(store: PictureStore) -> dict[str, list[PictureFile]]:
    """Return the picture files of a store by part, in the order of their names.

    Returns
    -------
    dict of str to list of PictureFile
        Keys "train" and "test"; or "all" where the classes' folders lie in no part.

    Raises
    ------
    InvalidInputError
        If there are no pictures, or some lie in no class's folder.
    """
    files = sorted((parts, stamp) for name, stamp in store.stamps() if _is_picture(parts := _parts(name)))
    if not files:
        raise InvalidInputError(f"{store.path} holds no pictures ({', '.join(sorted(SUFFIXES))}).")
    depth = _n_wrappers([parts for parts, _ in files])
    tops = {parts[depth] for parts, _ in files}
    names = {part: next((name for name in known if name in tops), None) for part, known in PARTS.items()}
    if names["train"] is None or names["test"] is None:
        return {"all": [_file(store, parts, stamp, depth) for parts, stamp in files]}
    return {
        part: [_file(store, parts, stamp, depth + 1) for parts, stamp in files if parts[depth] == name]
        for part, name in names.items()
    }


def digest(files: Sequence[PictureFile]) -> str:
    """Return a hash that changes when a file comes, goes or changes."""
    found = hashlib.sha256()
    for file in files:
        found.update(f"{file.name}\0{file.stamp}\n".encode())
    return found.hexdigest()


def _parts(name: str) -> tuple[str, ...]:
    """Return folders and name; a path object for each of a hundred thousand files would take seconds."""
    return tuple(part for part in name.split("/") if part not in ("", "."))


def _is_picture(parts: tuple[str, ...]) -> bool:
    hidden = any(part.startswith((".", "__MACOSX")) for part in parts)
    return bool(parts) and os.path.splitext(parts[-1])[1].lower() in SUFFIXES and not hidden


def _n_wrappers(paths: list[tuple[str, ...]]) -> int:
    """Return how many folders all paths begin with, above those of the classes."""
    depth = 0
    while len({parts[depth] for parts in paths}) == 1 and all(len(parts) > depth + 2 for parts in paths):
        depth += 1
    return depth


def _file(store: PictureStore, parts: tuple[str, ...], stamp: str, depth: int) -> PictureFile:
    if len(parts) < depth + 2:
        raise InvalidInputError(
            f"{'/'.join(parts)} in {store.path} lies in no class's folder: it takes CLASS/PICTURE, "
            "or train/CLASS/PICTURE and test/CLASS/PICTURE."
        )
    return PictureFile("/".join(parts), parts[depth], stamp)
