"""Tensors as flat sheets of cells: blue for positive, orange for negative, ink for what is not finite."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from glassnet.plots.style import SMALL, Theme, put_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

MOST_CELLS = 512  # in one direction; more are thinned
MOST_ROWS = 4  # that have room for numbers


def as_sheet(values: np.ndarray, max_planes: int = 8) -> tuple[np.ndarray, str]:
    """Lay a tensor out in two dimensions.

    Parameters
    ----------
    values : ndarray of shape (n,), (n, m), (n, p, m) or (n, m, ..., height, width)
        With three axes, the p rows of each n stand below each other; with more, each n is a row of
        m pictures.
    max_planes : int
        Pictures in a row.

    Returns
    -------
    sheet : ndarray of shape (rows, columns)
    note : str
        What was left out, if anything.

    Examples
    --------
    >>> as_sheet(np.zeros((2, 9, 5, 5)))[0].shape, as_sheet(np.zeros((2, 9, 5, 5)))[1]
    ((10, 40), '8 of 9 planes')
    """
    note = ""
    values = values.reshape([n for i, n in enumerate(values.shape) if n > 1 or i == 0])
    if values.ndim > 3:
        planes = values.reshape(len(values), -1, *values.shape[-2:])
        if planes.shape[1] > max_planes:
            note, planes = f"{max_planes} of {planes.shape[1]} planes", planes[:, :max_planes]
        n, m, height, width = planes.shape
        sheet = planes.transpose(0, 2, 1, 3).reshape(n * height, m * width)
    else:
        sheet = values.reshape(1, -1) if values.ndim < 2 else values.reshape(-1, values.shape[-1])
    steps = [-(-n // MOST_CELLS) for n in sheet.shape]
    if max(steps) > 1:
        note = ", ".join(filter(None, [note, f"one cell in {steps[0] * steps[1]}"]))
    return sheet[:: steps[0], :: steps[1]], note


def draw_cells(
    ax: Axes, theme: Theme, sheet: np.ndarray, limit: float, aspect: str = "auto", numbers: int = 0, **how: object
) -> AxesImage:
    """Draw a sheet, each cell with its number if there are no more than `numbers` columns and few rows."""
    colors = theme.signed_map().with_extremes(bad=theme.ink)
    shown = np.ma.masked_invalid(sheet)
    image = ax.imshow(shown, cmap=colors, vmin=-limit, vmax=limit, aspect=aspect, **how)  # type: ignore[arg-type]
    if sheet.shape[1] <= numbers and len(sheet) <= MOST_ROWS:
        decimals = max(1 - int(np.floor(np.log10(limit))), int(limit < 100), 0)
        for (row, column), value in np.ndenumerate(sheet):
            color = theme.ink_on(colors((value / limit + 1) / 2)) if np.isfinite(value) else theme.paper
            text = f"{round(float(value), decimals) + 0.0:.{decimals}f}".replace("-", "\N{MINUS SIGN}")
            put_text(ax, column, row, text, theme, fontsize=SMALL - 1.5, color=color)
    return image


def finite_limit(values: np.ndarray) -> float:
    """Return the largest finite magnitude; 1 if there is none.

    Examples
    --------
    >>> finite_limit(np.array([-2.0, np.inf]))
    2.0
    """
    limit = float(np.max(np.abs(values), initial=0.0, where=np.isfinite(values)))
    return limit if limit > 0 else 1.0
