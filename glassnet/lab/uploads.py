"""Reading the files that visitors bring. They are only ever read, in memory, within `glassnet.lab.limits`."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

import numpy as np

from glassnet.data.points import read_points as read_csv
from glassnet.errors import CorruptFileError, GlassnetWarning, InvalidInputError
from glassnet.lab.limits import MAX_PIXELS, MAX_ROWS

SIDE = 28  # pixels of a digit's side
_INK_SIDE = 20  # MNIST's digits fill 20 x 20 pixels in the middle


def read_points(data: bytes) -> np.ndarray:
    """Read points in the plane from a CSV file of at most 50,000 rows; see `glassnet.data.points.read_points`."""
    return read_csv(data, MAX_ROWS)


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
    from glassnet.data import read_image

    with picture_file(data) as (file, (width, height)):
        turned = read_image(file, (height, width), resize=True)
    return np.clip(turned - np.median(turned), 0, 1)


@contextmanager
def picture_file(data: bytes) -> Iterator[tuple[BytesIO, tuple[int, int]]]:
    """Yield the file of a picture with its width and height, if it is not too large.

    Raises
    ------
    InvalidInputError
        If it is no picture, or has too many pixels; also if it cannot be read inside the block.
    """
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(BytesIO(data)) as picture:
                width, height = picture.size
        if width * height > MAX_PIXELS:
            raise InvalidInputError(f"A picture may have {MAX_PIXELS:,} pixels, got {width} x {height}.")
        yield BytesIO(data), (width, height)
    except (OSError, CorruptFileError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise InvalidInputError(f"The file is not a picture that can be read: {error}") from None


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
