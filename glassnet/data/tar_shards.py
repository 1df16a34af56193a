"""Picture files in tar shards, read in place: a folder of tar files as large as one likes.

A shard is a plain, uncompressed tar. Its members' headers are read once, one after the other;
after that every picture is a place in a file, and is read from there. Two ways to lay them out
are known, and may lie in one shard::

    cat/0001.jpg    train/dog/0002.jpg                    by class, as in a folder or zip
    0001.jpg 0001.cls    0002.jpg 0002.cls                WebDataset's: the class beside its picture

What is to be tested on lies in shards of its own, ``test-0000.tar`` or ``test/0000.tar`` (or
``val``), or in folders within them; where nothing tells, a share of each class is held out.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from glassnet.data.picture_files import PARTS, SUFFIXES
from glassnet.errors import CorruptFileError, InvalidInputError

# a tar file ends with blocks of zeros
BLOCK = 512


class Place(NamedTuple):
    """Where the bytes of a picture lie."""

    shard: Path
    start: int
    size: int


class PictureShards:
    """The picture files in tar shards.

    Parameters
    ----------
    path : Path
        A tar file, or a folder of them.

    Raises
    ------
    CorruptFileError
        If a shard breaks off, is compressed or is no tar file; it is named.
    InvalidInputError
        If a picture has no class, or two have one name.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from io import BytesIO
    >>> def add(tar, name, content):
    ...     about = tarfile.TarInfo(name)
    ...     about.size = len(content)
    ...     tar.addfile(about, BytesIO(content))
    >>> with TemporaryDirectory() as folder:
    ...     with tarfile.open(Path(folder, "train-0.tar"), "w") as tar:
    ...         for name, content in (("7.jpg", b"pixels"), ("7.cls", b"cat"), ("dog/8.jpg", b"more")):
    ...             add(tar, name, content)
    ...     shards = PictureShards(Path(folder))
    ...     [(name, shards.read(name)) for name, _ in shards.stamps()]
    [('train/cat/train-0/7.jpg', b'pixels'), ('train/dog/train-0/8.jpg', b'more')]
    """

    def __init__(self, path: Path):
        self.path = path
        self._places: dict[str, Place] = {}
        for shard in shards_of(path):
            for name, place in _pictures(shard, path):
                if name in self._places:
                    raise InvalidInputError(f"{shard} holds two pictures {name!r}.")
                self._places[name] = place

    def stamps(self) -> Iterator[tuple[str, str]]:
        """Yield (part/class/shard/name, place and shard's time of change) of every picture."""
        changed = {shard: shard.stat().st_mtime_ns for shard in {place.shard for place in self._places.values()}}
        for name, (shard, start, size) in self._places.items():
            yield name, f"{start} {size} {changed[shard]}"

    def shard_of(self, name: str) -> str:
        """Return the shard that a picture lies in."""
        return str(self._places[name].shard)

    def read(self, name: str) -> bytes:
        """Return the bytes of a picture; may be called from several threads."""
        shard, start, size = self._places[name]
        with open(shard, "rb", buffering=0) as file:
            file.seek(start)
            content = file.read(size)
        if len(content) < size:
            raise CorruptFileError(f"{shard} breaks off in {name}: it has become shorter.")
        return content


def shards_of(path: Path) -> list[Path]:
    """Return the tar files at a path: the one, or those in a folder and in the folders of its parts, in order."""
    if path.is_dir():
        folders = [path, *(path / name for known in PARTS.values() for name in known)]
        return sorted(shard for folder in folders for shard in folder.glob("*.tar"))
    return [path] if path.suffix.lower() == ".tar" and path.is_file() else []


def _pictures(shard: Path, root: Path) -> Iterator[tuple[str, Place]]:
    """Yield the name and place of every picture in a shard."""
    part, classes, waiting = _part_of(shard, root), {}, []
    for member, content in _members(shard):
        name = PurePosixPath(member.name)
        if name.suffix == ".cls":
            classes[name.with_suffix("").as_posix()] = content.decode().strip()
        elif name.suffix.lower() in SUFFIXES:
            waiting.append((name, Place(shard, member.offset_data, member.size)))
    for name, place in waiting:
        label = classes.get(name.with_suffix("").as_posix())
        folders = [*name.parent.parts] if label is None else [label, *name.parent.parts]
        if not folders:
            missing = f"it lies in no folder, and there is no {name.stem}.cls"
            raise InvalidInputError(f"{name} in {shard} has no class: {missing}.")
        yield "/".join([*part, *folders, shard.stem, name.name]), place


def _part_of(shard: Path, root: Path) -> list[str]:
    """Return the part that a shard's name or folder tells, as a list of none or one."""
    words = {shard.stem.lower().replace("_", "-").partition("-")[0]}
    words |= {shard.parent.name.lower()} if shard.parent != root else set()
    return next(([part] for part, known in PARTS.items() if words & set(known)), [])


def _members(shard: Path) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
    """Yield the files in a shard, and what is in those that name a class; raise where it is not whole."""
    size = shard.stat().st_size
    try:
        with tarfile.open(shard, "r:") as tar:
            while (member := tar.next()) is not None:
                if member.offset_data + member.size > size:
                    raise CorruptFileError(f"{shard} breaks off in {member.name}.")
                if member.isfile():
                    labelled = member.name.endswith(".cls")
                    yield member, tar.extractfile(member).read() if labelled else b""  # type: ignore[union-attr]
                tar.members = []  # type: ignore[attr-defined]  # what has been read is not needed again
            if not _ends_at(shard, tar.offset):
                raise CorruptFileError(f"{shard} breaks off after {tar.offset} bytes: a tar file ends with zeros.")
    except (tarfile.TarError, EOFError, UnicodeDecodeError) as error:
        raise CorruptFileError(f"{shard} is not a whole, uncompressed tar file: {error}") from error


def _ends_at(shard: Path, offset: int) -> bool:
    """Return whether the zeros that end a tar file begin at a place."""
    with open(shard, "rb") as file:
        file.seek(offset)
        return file.read(BLOCK) == bytes(BLOCK)
