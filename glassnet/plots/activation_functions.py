"""Activation functions with their derivatives, and where they saturate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from glassnet.errors import InvalidInputError
from glassnet.learning.activations import ACTIVATIONS, LEAKY_SLOPE, get_activation
from glassnet.plots.display import Display
from glassnet.plots.style import HAIR, LINE, Theme, panels, use_axes, use_legend

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = 3


@dataclass
class ActivationDisplay(Display):
    """Activation functions as curves over the pre-activation.

    Parameters
    ----------
    names : tuple of str
        Names of the functions.
    z : ndarray of shape (n_points,)
        Pre-activations.
    values, derivatives : ndarray of shape (n_functions, n_points)
        h(z) and h'(z).
    saturated : ndarray of bool, shape (n_functions, n_points)
        Where the derivative is below 0.05, so that little is learned.
    show_derivatives : bool
        Whether derivatives and saturation are drawn.

    Examples
    --------
    >>> display = ActivationDisplay.from_names(["relu"], reach=2.0, n_points=5)
    >>> display.values.tolist()
    [[0.0, 0.0, 0.0, 1.0, 2.0]]
    """

    names: tuple[str, ...]
    z: np.ndarray
    values: np.ndarray
    derivatives: np.ndarray
    saturated: np.ndarray
    show_derivatives: bool = True

    @classmethod
    def from_names(
        cls,
        names: Sequence[str] = tuple(ACTIVATIONS),
        *,
        reach: float = 5.0,
        n_points: int = 401,
        show_derivatives: bool = True,
    ) -> ActivationDisplay:
        """Compute the named functions between -reach and reach.

        Parameters
        ----------
        names : sequence of str
            From `glassnet.learning.activations.ACTIVATIONS`.
        reach : float
            Largest pre-activation, above 0.
        n_points : int
            Odd, so that zero is among the points.
        show_derivatives : bool
            Whether derivatives and saturation are drawn.

        Raises
        ------
        InvalidInputError
            If there is no name, or no positive reach.
        UnknownNameError
            If there is no such function.
        """
        if not names or not reach > 0:
            raise InvalidInputError(f"Give at least one name and a reach above 0, got {names!r} and {reach!r}.")
        functions = [get_activation(name) for name in names]
        z = np.linspace(-reach, reach, n_points)
        saturated = [(z < f.saturates[0]) | (z > f.saturates[1]) for f in functions]
        values, derivatives = [f.value(z) for f in functions], [f.derivative(z) for f in functions]
        names = tuple(f.name for f in functions)
        return cls(names, z, np.array(values), np.array(derivatives), np.array(saturated), show_derivatives)

    def _size(self) -> tuple[float, float]:
        columns = min(COLUMNS, len(self.names))
        return 2.9 * columns, 2.6 * -(-len(self.names) // columns)

    def _draw(self, ax: Axes, theme: Theme) -> None:
        columns = min(COLUMNS, len(self.names))
        axes = panels(ax, -(-len(self.names) // columns), columns).ravel()
        for i, panel in enumerate(axes[: len(self.names)]):
            self._draw_one(panel, theme, i)
        for panel in axes[len(self.names) :]:
            panel.set_axis_off()

    def _draw_one(self, ax: Axes, theme: Theme, i: int) -> None:
        slope = f",\\ a = {LEAKY_SLOPE}" if self.names[i] == "leaky_relu" else ""
        title = f"{self.names[i].replace('_', ' ')}\n$h = {get_activation(self.names[i]).formula}{slope}$"
        use_axes(ax, theme, title, "pre-activation z", "" if self.show_derivatives else "activation h")
        ax.axhline(0, color=theme.grid, linewidth=HAIR)
        ax.axvline(0, color=theme.grid, linewidth=HAIR)
        z, h = _with_gaps(self.z, self.values[i])
        ax.plot(z, h, color=theme.positive, linewidth=LINE, label="h")
        if self.show_derivatives:
            z, slope = _with_gaps(self.z, self.derivatives[i])
            ax.plot(z, slope, "--", color=theme.negative, linewidth=LINE, label="h'")
            self._shade_saturation(ax, theme, i)
        low, high = self.values[i].min(), self.values[i].max()
        ax.set(xlim=(self.z[0], self.z[-1]), ylim=(min(low, -0.1) - 0.1, max(high, 1.0) + 0.15))
        if i == 0 and self.show_derivatives:
            use_legend(ax, theme, loc="upper left", handlelength=1.6)

    def _shade_saturation(self, ax: Axes, theme: Theme, i: int) -> None:
        shown = ax.get_xaxis_transform()
        where = self.saturated[i] | np.isclose(self.z, 0) & np.all(np.delete(self.saturated[i], len(self.z) // 2))
        ax.fill_between(self.z, 0, 1, where=where, transform=shown, color=theme.panel, zorder=0, label="saturated")


def _with_gaps(z: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Break the curve where it jumps, so that no vertical line is drawn."""
    jumps = np.flatnonzero(np.abs(np.diff(values)) > 0.5 * np.ptp(values)) + 1 if np.ptp(values) else []
    return np.insert(z, jumps, np.nan), np.insert(values, jumps, np.nan)
