"""One picture moved, turned, stretched, thickened or blurred by given amounts.

`glassnet.data.augment` changes pictures at random while a network learns; here the amounts
are chosen, to see what a trained network makes of them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from glassnet.errors import InvalidInputError


def warp(
    picture: ArrayLike,
    *,
    right: float = 0.0,
    down: float = 0.0,
    scale: float = 1.0,
    rotation: float = 0.0,
    squeeze: float = 1.0,
    thicken: float = 0.0,
    blur: float = 0.0,
) -> NDArray[np.float32]:
    """Return a changed copy of a grey picture; what comes in from outside is 0.

    Parameters
    ----------
    picture : array-like of shape (height, width)
        Light ink (1) on dark paper (0).
    right, down : float
        Pixels by which the picture moves.
    scale : float
        Size, 1 being as it is; above 0.
    rotation : float
        Degrees, against the clock.
    squeeze : float
        Width relative to height; above 0.
    thicken : float
        Pixels by which each stroke grows on either side; below 0 it shrinks.
    blur : float
        Standard deviation of the blur in pixels; at least 0.

    Returns
    -------
    ndarray of float32, shape (height, width)
        In [0, 1] if the picture is.

    Raises
    ------
    InvalidInputError
        If the picture is not two-dimensional, or an amount is out of its range.

    Examples
    --------
    >>> warp(np.eye(3), right=1).tolist()
    [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]
    """
    pixels = np.asarray(picture, np.float32)
    if pixels.ndim != 2:
        raise InvalidInputError(f"a grey picture has shape (height, width), got {pixels.shape}")
    if not (scale > 0 and squeeze > 0 and blur >= 0):
        raise InvalidInputError(f"scale and squeeze must be above 0 and blur at least 0: {scale}, {squeeze}, {blur}")
    angle = np.deg2rad(rotation)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])  # of (row, column)
    back = np.linalg.inv(turn @ np.diag([scale, scale * squeeze]))
    middle = (np.array(pixels.shape) - 1) / 2
    offset = middle - back @ (middle + np.array([down, right]))
    moved = ndimage.affine_transform(pixels, back, offset, order=1)  # type: ignore[arg-type]
    thick = _thickened(np.asarray(moved, np.float32), thicken)
    return np.asarray(ndimage.gaussian_filter(thick, blur), np.float32) if blur else thick


def _thickened(pixels: NDArray[np.float32], amount: float) -> NDArray[np.float32]:
    """Let strokes grow by whole pixels, and by the rest as a mixture of two."""
    change = ndimage.grey_dilation if amount > 0 else ndimage.grey_erosion
    whole, rest = int(abs(amount)), abs(amount) % 1
    cross = ndimage.generate_binary_structure(2, 1)
    for _ in range(whole):
        pixels = np.asarray(change(pixels, footprint=cross), np.float32)
    return pixels if rest == 0 else np.float32(1 - rest) * pixels + np.float32(rest) * change(pixels, footprint=cross)
