"""Loss surfaces over two numbers: the grid they are computed on, and their colours."""

from __future__ import annotations

import numpy as np

N_BANDS = 16  # steps of the colours, which make the contours


def grid(x: tuple[float, float], y: tuple[float, float], size: int = 144) -> tuple[np.ndarray, np.ndarray]:
    """Return the centres of size x size pixels, two arrays of shape (size, size); the largest y is on top.

    Examples
    --------
    >>> grid((0, 2), (0, 4), size=2)[1]
    array([[3., 3.],
           [1., 1.]])
    """
    share = (np.arange(size) + 0.5) / size
    return tuple(np.meshgrid(x[0] + share * (x[1] - x[0]), y[1] - share * (y[1] - y[0])))  # type: ignore[return-value]


def bands(losses: np.ndarray, lowest: float) -> np.ndarray:
    """Return losses as bands of equal height in the root above ``lowest``: uint8 from 128 (low) to 255.

    Examples
    --------
    >>> bands(np.array([0.0, 1.0, 100.0]), 0.0)
    array([128, 136, 255], dtype=uint8)
    """
    root = np.sqrt(np.maximum(losses - lowest, 0))
    band = np.minimum(N_BANDS * root / root.max(), N_BANDS - 1).astype(int)
    return (128 + 127 * band / (N_BANDS - 1)).astype(np.uint8)
