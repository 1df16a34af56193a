"""Where data files live: found in the data home, else downloaded, always checked.

The data home is the folder in GLASSNET_DATA, or ~/.cache/glassnet. A file is known by the
SHA-256 of what it holds *after* decompression, so that any copy of the same data is
accepted, however it was packed. Files are written beside and renamed: an interrupted
download leaves no half file under a name that a loader would trust.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import secrets
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path
from typing import IO

import numpy as np

from glassnet.errors import CorruptFileError, DataNotFoundError, GlassnetWarning


@dataclass(frozen=True)
class DataFile:
    """A file that glassnet knows: where it lies, what it holds, where it can be had.

    Parameters
    ----------
    path : str
        Place below the data home, with forward slashes: "mnist/train-images-idx3-ubyte.gz".
    sha256 : str
        Hash of the content, after decompression if the file is gzipped; or of the file as it is.
    urls : tuple of str
        Public homes, tried in this order; none if the file can only be placed by hand.
    """

    path: str
    sha256: str
    urls: tuple[str, ...] = ()


def data_home() -> Path:
    """Return the folder of the data files: GLASSNET_DATA, or ~/.cache/glassnet.

    It need not exist, and may be read-only.

    Examples
    --------
    >>> data_home().is_absolute()
    True
    """
    named = os.environ.get("GLASSNET_DATA")
    return Path(named).expanduser().absolute() if named else _default_home()


def cache_home() -> Path:
    """Return the folder for what glassnet itself writes: the data home, or ~/.cache/glassnet if that is read-only."""
    home = data_home()
    return home if _writable(home) else _default_home()


def fetch(file: DataFile) -> Path:
    """Find a data file, or download it; its content is checked in either case.

    It is looked for in the data home and, if that is read-only, in ~/.cache/glassnet,
    where a download then goes. Progress is drawn on stderr if that is a terminal.

    Parameters
    ----------
    file : DataFile

    Returns
    -------
    pathlib.Path

    Raises
    ------
    CorruptFileError
        If the file is there but does not hold what it should.
    DataNotFoundError
        If it is not there and no public home gave the right content; the message says
        where to put it by hand.
    """
    for folder in dict.fromkeys((data_home(), cache_home())):
        if (folder / file.path).is_file():
            _check(folder / file.path, file)
            return folder / file.path
    reasons = []
    for url in file.urls:
        try:
            return _download(url, file)
        except (OSError, CorruptFileError) as error:
            reasons.append(f"\n  {url}: {error}")
    raise DataNotFoundError(_by_hand(file, reasons))


def is_here(file: DataFile) -> bool:
    """Return whether `fetch` would find a data file without a download."""
    return any((folder / file.path).is_file() for folder in (data_home(), cache_home()))


def content_sha256(path: str | os.PathLike) -> str:
    """Return the SHA-256 of a file's content, decompressed if it is gzipped.

    Raises
    ------
    CorruptFileError
        If the file breaks off or cannot be decompressed.
    """
    with open_content(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def open_content(path: str | os.PathLike) -> Iterator[BufferedIOBase]:
    """Open a file for reading bytes, decompressing if its first two bytes are gzip's (the name plays no part).

    Raises
    ------
    CorruptFileError
        If, while reading, the compressed data break off or do not decompress.
    """
    with open(path, "rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        if not packed:
            yield raw
            return
        try:
            with gzip.GzipFile(fileobj=raw) as unpacked:
                yield unpacked
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise CorruptFileError(f"{path} does not decompress: {error}") from error


@contextmanager
def written_beside(path: Path) -> Iterator[IO[bytes]]:
    """Open a new file beside `path` for writing; rename it to `path` at the end, remove it on any error.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     with written_beside(Path(folder, "a.txt")) as file:
    ...         _ = file.write(b"whole")
    ...     [(found.name, found.read_bytes()) for found in Path(folder).iterdir()]
    [('a.txt', b'whole')]
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with open(beside, "xb") as file:
            yield file
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def write_header(out: IO[bytes], dtype: np.dtype, shape: tuple[int, ...]) -> None:
    """Write the header of an .npy file at its beginning; numpy leaves room in it for another number of rows."""
    out.seek(0)
    np.lib.format.write_array_header_1_0(out, {"descr": dtype.str, "fortran_order": False, "shape": shape})


def cached_array(name: str, make: Callable[[], np.ndarray]) -> np.ndarray:
    """Return `make()`, kept on disk after the first time and memory-mapped (read-only) from then on.

    Parameters
    ----------
    name : str
        Name of the array; holds a hash of its source, so that it never goes stale.
    make : callable returning an ndarray

    Returns
    -------
    ndarray

    Warns
    -----
    GlassnetWarning
        If the cache does not read or cannot be written; the array is right all the same.
    """
    path = cache_home() / "decoded" / f"{name}.npy"
    if path.exists():
        try:
            return np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            warnings.warn(f"{path} does not read ({error}); it is made anew", GlassnetWarning, stacklevel=2)
    array = make()
    try:
        with written_beside(path) as file:
            np.save(file, array, allow_pickle=False)
    except OSError as error:
        warnings.warn(f"cannot keep {path} ({error}); it is decoded each time", GlassnetWarning, stacklevel=2)
        return array
    return np.load(path, mmap_mode="r", allow_pickle=False)


def _default_home() -> Path:
    return Path.home() / ".cache" / "glassnet"


def _writable(folder: Path) -> bool:
    """Tell whether files may be written below `folder`; write-protected mode bits count even for root."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return os.access(folder, os.W_OK) and bool(folder.stat().st_mode & 0o222)


def _check(path: Path, file: DataFile) -> None:
    found = _sha256(path, file.sha256)
    if found != file.sha256:
        raise CorruptFileError(
            f"{path} does not hold what {file.path} should: its content has SHA-256 {found}, not {file.sha256}. "
            "Delete or replace it."
        )


def _sha256(path: str | os.PathLike, wanted: str) -> str:
    """Return the hash of a file as it is if that is the one wanted, else of its content."""
    with open(path, "rb") as file:
        as_it_is = hashlib.file_digest(file, "sha256").hexdigest()
    return as_it_is if as_it_is == wanted else content_sha256(path)


def _download(url: str, file: DataFile) -> Path:
    """Download one file from one place; it gets its name only after its content was checked."""
    import pooch

    target = cache_home() / file.path
    with written_beside(target) as out, _progress(target.name) as bar:
        as_stored = {"Accept-Encoding": "identity"}
        # pooch takes any object with these methods; its annotation says bool
        download = pooch.HTTPDownloader(progressbar=bar, chunk_size=2**16, headers=as_stored)  # pyright: ignore
        download(url, out, None)
        out.flush()
        if (found := _sha256(out.name, file.sha256)) != file.sha256:
            raise CorruptFileError(f"what came has SHA-256 {found}, not {file.sha256}")
    return target


class _Bar:
    """What pooch asks of a progress bar, drawn by rich."""

    def __init__(self, progress, name: str):
        self.progress = progress
        self.task = progress.add_task(name, total=None)
        self.total = 0

    def update(self, n_bytes: int) -> None:
        self.progress.update(self.task, advance=n_bytes, total=self.total or None)

    def reset(self) -> None:
        self.progress.reset(self.task)

    def close(self) -> None:
        self.progress.refresh()


@contextmanager
def _progress(name: str) -> Iterator[_Bar]:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    console = Console(stderr=True)
    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn()
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        yield _Bar(progress, name)


def _by_hand(file: DataFile, reasons: list[str]) -> str:
    tried = "could not be downloaded:" + "".join(reasons) if reasons else "has no public home to download it from."
    return (
        f"{file.path} is not in the data home {data_home()} and {tried}\n"
        f"Put it by hand at {data_home() / file.path}, or set GLASSNET_DATA to a folder that holds {file.path}."
    )
