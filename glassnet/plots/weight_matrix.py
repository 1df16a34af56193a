"""Connectivity: a layer as its weight matrix, full, local or shared, with its zeros shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.errors import InvalidInputError
from glassnet.plots.dense import layer_names, weight_matrices
from glassnet.plots.display import Display
from glassnet.plots.style import Theme, panels, symmetric_limit, use_axes, use_colorbar, use_whole_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike


def convolution_matrix(kernel: ArrayLike, image_shape: tuple[int, int]) -> np.ndarray:
    """Return the matrix that does to a flat picture what sliding ``kernel`` over it does.

    Parameters
    ----------
    kernel : array_like of shape (height, width)
        Not flipped: a cross-correlation, as in convolutional networks.
    image_shape : (height, width)
        Of the picture, at least as large as the kernel.

    Returns
    -------
    ndarray of shape (n_outputs, n_pixels)
        One row per place of the kernel in the picture.

    Raises
    ------
    InvalidInputError
        If the kernel does not fit into the picture.

    Examples
    --------
    >>> convolution_matrix([[1.0, -1.0]], (1, 3))
    array([[ 1., -1.,  0.],
           [ 0.,  1., -1.]])
    """
    kernel = np.asarray(kernel, float)
    if kernel.ndim != 2 or kernel.shape[0] > image_shape[0] or kernel.shape[1] > image_shape[1]:
        raise InvalidInputError(f"A kernel of shape {kernel.shape} does not fit into a picture of {image_shape}.")
    height, width = kernel.shape
    places = [(r, c) for r in range(image_shape[0] - height + 1) for c in range(image_shape[1] - width + 1)]
    matrix = np.zeros((len(places), *image_shape))
    for row, (r, c) in zip(matrix, places, strict=True):
        row[r : r + height, c : c + width] = kernel
    return matrix.reshape(len(places), -1)


@dataclass
class WeightMatrixDisplay(Display):
    """Weight matrices side by side, each on its own scale; grey marks a weight that is exactly zero.

    Parameters
    ----------
    matrices : dict of str to ndarray of shape (units, inputs)
        By name.

    Examples
    --------
    >>> display = WeightMatrixDisplay.from_matrices({"shared": convolution_matrix([[1.0, 2.0]], (1, 4))})
    >>> display.n_zeros("shared"), display.n_distinct("shared")
    (6, 2)
    """

    matrices: dict[str, np.ndarray]

    @classmethod
    def from_matrices(cls, matrices: Mapping[str, ArrayLike]) -> WeightMatrixDisplay:
        """Take matrices as they are.

        Parameters
        ----------
        matrices : mapping of str to array_like of shape (units, inputs)
            By name.

        Raises
        ------
        InvalidInputError
            If one is not a matrix of finite numbers.
        """
        arrays = {name: np.asarray(matrix, float) for name, matrix in matrices.items()}
        for name, matrix in arrays.items():
            if matrix.ndim != 2 or not matrix.size or not np.isfinite(matrix).all():
                raise InvalidInputError(f"{name!r} is not a matrix of finite numbers: shape {matrix.shape}.")
        return cls(arrays)

    @classmethod
    def from_estimator(cls, estimator: Any) -> WeightMatrixDisplay:
        """Take the weights of every layer of a fitted network or linear model.

        Parameters
        ----------
        estimator : object
            A dense network; its layers may be locally connected and share their weights.
        """
        matrices = weight_matrices(estimator)
        return cls.from_matrices(dict(zip(layer_names(len(matrices)), matrices, strict=True)))

    def n_zeros(self, name: str) -> int:
        """Return how many weights of a matrix are exactly zero."""
        return int(np.sum(self.matrices[name] == 0))

    def n_distinct(self, name: str) -> int:
        """Return how many different values its other weights have: shared weights count once."""
        matrix = self.matrices[name]
        return len(np.unique(matrix[matrix != 0]))

    def _size(self) -> tuple[float, float]:
        return 3.3 * len(self.matrices), 3.1

    def _draw(self, ax: Axes, theme: Theme) -> None:
        for panel, (name, matrix) in zip(panels(ax, 1, len(self.matrices))[0], self.matrices.items(), strict=True):
            n_used = matrix.size - self.n_zeros(name)
            said = f"{n_used} of {matrix.size} connections,\n{self.n_distinct(name)} different weights"
            use_axes(panel, theme, f"{name}\n{said}", "input", "unit")
            colors = theme.signed_map().with_extremes(bad=theme.grid)
            limit = symmetric_limit(matrix)
            masked = np.ma.masked_equal(matrix, 0)
            shown = panel.imshow(masked, cmap=colors, vmin=-limit, vmax=limit, aspect="auto", interpolation="nearest")
            use_whole_ticks(panel, both=True)
            use_colorbar(panel, shown, theme)
