"""Reading the files that visitors bring. They are only ever read, in memory, within `glassnet.lab.limits`."""

from __future__ import annotations

import csv
import warnings
from io import BytesIO, StringIO

import numpy as np

from glassnet.errors import CorruptFileError, GlassnetWarning, InvalidInputError
from glassnet.lab.limits import MAX_PIXELS, MAX_ROWS

SIDE = 28  # pixels of a digit's side
_INK_SIDE = 20  # MNIST's digits fill 20 x 20 pixels in the middle


def read_points(data: bytes) -> np.ndarray:
    """Read points in the plane from a CSV file.

    Parameters
    ----------
    data : bytes
        Rows ``x1,x2,value``, with commas, semicolons or tabs, with a line of names or without.

    Returns
    -------
    ndarray of float64, shape (n, 3)

    Raises
    ------
    InvalidInputError
        If a row has another number of columns or holds anything but finite numbers (the
        message names the first), or there are none, or more than 50,000.

    Examples
    --------
    >>> read_points(b"x1,x2,class\\n0.5,-1,0\\n2,3,1\\n").tolist()
    [[0.5, -1.0, 0.0], [2.0, 3.0, 1.0]]
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInputError("The file is not a CSV file: it is not text in UTF-8.") from None
    separator = max(",;\t", key=text[:10_000].count)
    rows = [(i, row) for i, row in enumerate(csv.reader(StringIO(text), delimiter=separator), 1) if any(row)]
    if len(rows) > MAX_ROWS + 1:
        raise InvalidInputError(f"A file may have {MAX_ROWS:,} rows, got {len(rows):,}.")
    if rows and not _is_number(rows[0][1][0]):
        rows = rows[1:]
    if not rows:
        raise InvalidInputError("The file holds no rows; each is x1,x2,value.")
    return np.array([_numbers(i, row) for i, row in rows])


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _numbers(line: int, row: list[str]) -> list[float]:
    got = _shown(row)
    if len(row) != 3:
        raise InvalidInputError(f"Line {line}: a row is x1,x2,value; got {got}.")
    if not all(map(_is_number, row)) or not np.isfinite(list(map(float, row))).all():
        raise InvalidInputError(f"Line {line}: three finite numbers are needed; got {got}.")
    return list(map(float, row))


def _shown(row: list[str]) -> str:
    text = repr(",".join(row))
    return text if len(text) <= 60 else text[:57] + "..."


def read_digit(data: bytes) -> np.ndarray:
    """Read a picture of one digit, and bring it to the form of MNIST's.

    It is made grey, turned over if it is dark on light, cut to its ink, fitted into 20 x 20
    pixels, and moved so that the centre of its ink lies in the middle.

    Parameters
    ----------
    data : bytes
        PNG, JPEG or whatever Pillow decodes.

    Returns
    -------
    ndarray of uint8, shape (28, 28)
        0 is paper, 255 is ink.

    Raises
    ------
    InvalidInputError
        If it is no picture, has too many pixels, or shows nothing.
    """
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        warnings.simplefilter("ignore", GlassnetWarning)
        grey = _grey(data)
    ink = grey > 0.25 * grey.max() + 0.05
    if not ink.any():
        raise InvalidInputError("The picture is empty: nothing in it differs from its border.")
    (top, bottom), (left, right) = (np.flatnonzero(ink.any(axis))[[0, -1]] for axis in (1, 0))
    cut = Image.fromarray((grey[top : bottom + 1, left : right + 1] * 255).astype(np.uint8))
    scale = _INK_SIDE / max(cut.size)
    small = np.asarray(cut.resize([max(1, round(side * scale)) for side in cut.size], Image.Resampling.BOX))
    return _centred(small)


def _grey(data: bytes) -> np.ndarray:
    """Return a picture as light ink on dark paper, float32 in [0, 1]."""
    from PIL import Image

    from glassnet.data import read_image

    try:
        with Image.open(BytesIO(data)) as picture:
            width, height = picture.size
        if width * height > MAX_PIXELS:
            raise InvalidInputError(f"A picture may have {MAX_PIXELS:,} pixels, got {width} x {height}.")
        turned = read_image(BytesIO(data), (height, width), resize=True)
    except (OSError, CorruptFileError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise InvalidInputError(f"The file is not a picture that can be read: {error}") from None
    return np.clip(turned - np.median(turned), 0, 1)


def _centred(small: np.ndarray) -> np.ndarray:
    """Put a small picture into 28 x 28 pixels with the centre of its ink in the middle."""
    digit = np.zeros((SIDE, SIDE), np.uint8)
    height, width = small.shape
    weights = small.astype(float) / small.sum()
    row = round(SIDE / 2 - (weights.sum(1) @ (np.arange(height) + 0.5)))
    column = round(SIDE / 2 - (weights.sum(0) @ (np.arange(width) + 0.5)))
    row, column = (int(np.clip(start, 0, SIDE - size)) for start, size in ((row, height), (column, width)))
    digit[row : row + height, column : column + width] = small
    return digit
