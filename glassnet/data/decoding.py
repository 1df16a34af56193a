"""Picture files decoded once into an array on disk, by several threads, in bounded memory.

The array is written front to back as the pictures come, and memory-mapped from then on; so a
set of pictures may be larger than memory, when it is decoded and when it is learnt from.
"""

from __future__ import annotations

import json
import os
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import numpy as np

from glassnet.data.home import cache_home, write_header, written_beside
from glassnet.data.images import open_picture
from glassnet.data.picture_files import PictureFile, PictureStore, digest
from glassnet.errors import CorruptFileError, GlassnetWarning, InvalidInputError
from glassnet.files import write_whole

# pictures that are decoded before they are written
AT_ONCE = 256


@dataclass(frozen=True)
class Form:
    """What all pictures of a set are to be.

    Parameters
    ----------
    channels : {1, 3}
    height, width : int
    resize : bool
        Whether pictures of another size are scaled, and what then hangs over is cut off on both
        sides alike; otherwise they are an error.
    recolour : bool
        Whether colour pictures become grey where ``channels`` is 1; otherwise they are an error.
    """

    channels: int
    height: int
    width: int
    resize: bool = False
    recolour: bool = False


def decode_pictures(
    store: PictureStore,
    files: Sequence[PictureFile],
    form: Form,
    *,
    corrupt: str = "error",
    workers: int | None = None,
) -> tuple[np.ndarray, list[int]]:
    """Return the pictures of some files, decoded or as they were decoded before.

    Parameters
    ----------
    store : PictureStore
    files : sequence of PictureFile
    form : Form
    corrupt : {"error", "skip"}
        What to do with a file that does not decode.
    workers : int, optional
        Number of threads; by default the number of cores.

    Returns
    -------
    images : ndarray of uint8, shape (n_decoded, channels, height, width)
        Memory-mapped, read-only.
    skipped : list of int
        Rows of ``files`` that do not decode, ascending.

    Raises
    ------
    CorruptFileError
        If a file does not decode and ``corrupt="error"``, or none of them does.
    InvalidInputError
        If a picture has another size or more channels.

    Warns
    -----
    GlassnetWarning
        If files are skipped: how many, and the first of them.
    """
    path = _place(files, form)
    if not path.with_suffix(".json").exists():
        _decode_all(store, files, form, path, corrupt, workers or os.cpu_count() or 1)
    skipped = json.loads(path.with_suffix(".json").read_text())["skipped"]
    if skipped and corrupt == "error":  # they were skipped when somebody else asked
        raise CorruptFileError(f"{files[skipped[0]].name} in {store.path} does not decode as a picture.")
    if skipped:
        what = f"{len(skipped)} of {len(files)} pictures in {store.path} do not decode and are left out"
        warnings.warn(f"{what}; the first is {files[skipped[0]].name}.", GlassnetWarning, stacklevel=2)
    return np.load(path, mmap_mode="r", allow_pickle=False), skipped


def form_of(
    store: PictureStore, files: Sequence[PictureFile], resize: tuple[int, int] | None, channels: int | None
) -> Form:
    """Return the form of a set: the first picture's that decodes, unless another is asked for.

    Raises
    ------
    CorruptFileError
        If no file decodes.
    """
    for file in files:
        try:
            image = _open(store, file)
        except CorruptFileError:
            continue
        height, width = resize or (image.height, image.width)
        return Form(channels or len(image.getbands()), height, width, resize is not None, channels is not None)
    raise CorruptFileError(f"None of the {len(files)} pictures in {store.path} decodes.")


def decoded_picture(store: PictureStore, file: PictureFile, form: Form) -> np.ndarray:
    """Return one picture, uint8 of shape (channels, height, width).

    Raises
    ------
    CorruptFileError, InvalidInputError
        If it does not decode, or is of another form; it is named.
    """
    return _fitted(_open(store, file), file, form)


def _place(files: Sequence[PictureFile], form: Form) -> Path:
    how = f"{form.channels}x{form.height}x{form.width}{'-resized' if form.resize else ''}"
    key = f"{how}-{digest(files)[:16]}"
    return cache_home() / "decoded" / f"pictures-{key}.npy"


def _decode_all(
    store: PictureStore, files: Sequence[PictureFile], form: Form, path: Path, corrupt: str, workers: int
) -> None:
    """Write the array, then which rows were skipped: without the second file the first does not count."""
    skipped: list[int] = []
    with written_beside(path) as out:
        _write_header(out, len(files), form)
        for row, picture in enumerate(_decoded(store, files, form, workers)):
            if isinstance(picture, np.ndarray):
                out.write(picture.data)
            elif corrupt == "error":
                raise picture
            else:
                skipped.append(row)
        if len(skipped) == len(files):
            raise CorruptFileError(f"None of the {len(files)} pictures in {store.path} decodes.")
        _write_header(out, len(files) - len(skipped), form)
    write_whole(path.with_suffix(".json"), json.dumps({"skipped": skipped}).encode())


def _write_header(out: IO[bytes], n: int, form: Form) -> None:
    write_header(out, np.dtype(np.uint8), (n, form.channels, form.height, form.width))


def _decoded(
    store: PictureStore, files: Sequence[PictureFile], form: Form, workers: int
) -> Iterator[np.ndarray | CorruptFileError]:
    """Yield every picture, or the error that it gives, in the order of the files, with a progress bar."""

    def decode(file: PictureFile) -> np.ndarray | CorruptFileError:
        try:
            return decoded_picture(store, file, form)
        except CorruptFileError as error:
            return error

    with ThreadPoolExecutor(workers) as pool, _progress(len(files)) as done:
        for start in range(0, len(files), AT_ONCE):
            yield from pool.map(decode, files[start : start + AT_ONCE])
            done(min(AT_ONCE, len(files) - start))


@contextmanager
def _progress(n: int) -> Iterator[Callable[[int], None]]:
    """Show on standard error, if it is a terminal, how many pictures are decoded; give what counts them."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = TextColumn("decoding"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=n)
        yield lambda more: progress.advance(task, more)


def _open(store: PictureStore, file: PictureFile) -> Any:
    """Return a picture as a Pillow image, grey ("L") or colour ("RGB")."""
    name = f"{file.name} in {store.path}"
    try:
        return open_picture(BytesIO(store.read(file.name)), name)
    except (OSError, zipfile.BadZipFile, zlib.error) as error:
        raise CorruptFileError(f"{name} does not read: {error}") from error


def _fitted(image: Any, file: PictureFile, form: Form) -> np.ndarray:
    """Return a picture as uint8 of shape (channels, height, width)."""
    from PIL import ImageOps

    if image.size != (form.width, form.height):
        if not form.resize:
            raise InvalidInputError(
                f"{file.name} is {image.height} x {image.width} pixels (height x width), but the first picture is "
                f"{form.height} x {form.width}; resize=(height, width) scales them all"
            )
        image = ImageOps.fit(image, (form.width, form.height))
    if image.mode == "RGB" and form.channels == 1 and not form.recolour:
        raise InvalidInputError(f"{file.name} has 3 channels, but the first picture has 1; channels=3 takes both")
    values = np.asarray(image.convert("L" if form.channels == 1 else "RGB"))
    return np.ascontiguousarray(values.reshape(form.height, form.width, form.channels).transpose(2, 0, 1))
