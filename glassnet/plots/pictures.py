"""Rows of pictures: samples and their reconstructions, dreams, probes and what was recalled from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from glassnet.errors import InvalidInputError
from glassnet.plots.display import Display
from glassnet.plots.style import FONT, SMALL, Theme, panels, use_frame

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike


@dataclass
class PicturesDisplay(Display):
    """Grey pictures in named rows, all on one scale.

    Parameters
    ----------
    pictures : ndarray of shape (n_rows, n_columns, height, width)
    names : tuple of str
        One per row.
    low, high : float
        The values drawn as paper and as ink.

    Examples
    --------
    >>> PicturesDisplay.from_rows({"one": np.zeros((3, 4)), "two": np.ones((3, 4))}, (2, 2)).pictures.shape
    (2, 3, 2, 2)
    """

    pictures: np.ndarray
    names: tuple[str, ...]
    low: float = 0.0
    high: float = 1.0

    @classmethod
    def from_rows(
        cls, rows: Mapping[str, ArrayLike], image_shape: Sequence[int], *, low: float = 0.0, high: float = 1.0
    ) -> PicturesDisplay:
        """Take rows of flat pictures.

        Parameters
        ----------
        rows : dict of str to array_like of shape (n_columns, height * width)
            As many pictures in each row.
        image_shape : (height, width) or (1, height, width)
        low, high : float
            Values beyond them are drawn as they are.

        Raises
        ------
        InvalidInputError
            If the values do not fill such pictures, or the rows differ in length.
        """
        shape = tuple(image_shape)[-2:]
        arrays = [(a := np.asarray(row, float)).reshape(len(a), -1) for row in rows.values()]
        if np.prod(image_shape) != np.prod(shape) or {array.shape[1] for array in arrays} != {int(np.prod(shape))}:
            sizes = sorted({array.shape[1] for array in arrays})
            raise InvalidInputError(f"Rows of {sizes} values do not fill grey pictures of shape {tuple(image_shape)}.")
        if len({len(array) for array in arrays}) != 1:
            raise InvalidInputError(
                f"The rows hold {[len(array) for array in arrays]} pictures; all must hold as many."
            )
        return cls(np.stack(arrays).reshape(len(arrays), -1, *shape), tuple(rows), low, high)

    def _size(self) -> tuple[float, float]:
        n_rows, n_columns = self.pictures.shape[:2]
        return 0.62 * n_columns + 1.1, 0.64 * n_rows + 0.2

    def _draw(self, ax: Axes, theme: Theme) -> None:
        grid = panels(ax, *self.pictures.shape[:2], wspace=0.06, hspace=0.06)
        look = {"cmap": theme.amount_map(), "vmin": self.low, "vmax": self.high}
        text = {"color": theme.ink, "fontsize": SMALL, "family": FONT}
        for axes, name, row in zip(grid, self.names, self.pictures, strict=True):
            for panel, picture in zip(axes, row, strict=True):
                use_frame(panel, theme)
                panel.imshow(picture, **look)
            axes[0].set_ylabel(name, rotation=0, ha="right", va="center", labelpad=6, **text)
