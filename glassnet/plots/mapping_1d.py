"""A layer or net as a mapping of one number: as curves, or as arrows from one axis to another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from glassnet.errors import InvalidInputError, UnknownNameError
from glassnet.plots.dense import layer_activations, layer_names
from glassnet.plots.display import Display
from glassnet.plots.style import HAIR, LINE, Theme, panels, use_axes, use_legend

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FORMS = ("curves", "arrows")
N_ARROWS = 21
MAX_LABELS = 6  # units named in a legend, or drawn in panels of their own
MAX_COLUMNS = 4


@dataclass
class Mapping1DDisplay(Display):
    """What becomes of one input, in one panel per function or layer.

    Parameters
    ----------
    names : list of str
        Names of the functions or layers.
    x : ndarray of shape (n_points,)
        The input, ascending.
    outputs : list of ndarray of shape (n_points, units)
        What each of them makes of x.
    form : {"curves", "arrows"}
        Output over input; or arrows from the input's axis below to the output's above, then in one
        panel per unit.

    Examples
    --------
    >>> display = Mapping1DDisplay.from_functions({"square": np.square}, reach=2.0, n_points=5)
    >>> display.outputs[0].ravel().tolist()
    [4.0, 1.0, 0.0, 1.0, 4.0]
    """

    names: list[str]
    x: np.ndarray
    outputs: list[np.ndarray]
    form: Literal["curves", "arrows"] = "curves"

    def __post_init__(self) -> None:
        if self.form not in FORMS:
            raise UnknownNameError("form", self.form, FORMS)

    @classmethod
    def from_functions(
        cls,
        functions: Mapping[str, Callable[[np.ndarray], np.ndarray]],
        *,
        reach: float = 3.0,
        n_points: int = 301,
        form: Literal["curves", "arrows"] = "curves",
    ) -> Mapping1DDisplay:
        """Apply each function to the numbers from -reach to reach.

        Parameters
        ----------
        functions : mapping of str to callable
            ndarray (n_points,) -> ndarray of shape (n_points,) or (n_points, units).
        reach : float
            Largest input.
        n_points : int
            How many inputs.
        form : {"curves", "arrows"}
            How they are drawn.
        """
        x = np.linspace(-reach, reach, n_points)
        return cls(list(functions), x, [np.asarray(f(x)).reshape(n_points, -1) for f in functions.values()], form)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        low: float,
        high: float,
        *,
        n_points: int = 301,
        form: Literal["curves", "arrows"] = "curves",
    ) -> Mapping1DDisplay:
        """Follow one input through all layers of a fitted network.

        Parameters
        ----------
        estimator : object
            A network of one feature whose layers can be asked for.
        low, high : float
            Range of the input.
        n_points : int
            How many inputs.
        form : {"curves", "arrows"}
            How they are drawn.

        Raises
        ------
        InvalidInputError
            If the network has more than one feature, or hides its layers.
        """
        if getattr(estimator, "n_features_in_", 1) != 1:
            raise InvalidInputError(f"A 1-D mapping needs a network of one feature, got {estimator.n_features_in_}.")
        x = np.linspace(low, high, n_points)
        outputs = layer_activations(estimator, x[:, None])
        return cls(layer_names(len(outputs)), x, outputs, form)

    def _parts(self) -> list[tuple[str, np.ndarray]]:
        """What stands in each panel: its title, and outputs (n_points, units)."""
        whole = list(zip(self.names, self.outputs, strict=True))
        if self.form == "curves":
            return whole
        return [part for name, output in whole for part in _units(name, output)]

    def _columns(self) -> int:
        n = len(self._parts())
        return -(-n // -(-n // MAX_COLUMNS))  # rows as even as can be

    def _size(self) -> tuple[float, float]:
        columns = self._columns()
        return 2.9 * columns, 2.7 * -(-len(self._parts()) // columns)

    def _draw(self, ax: Axes, theme: Theme) -> None:
        draw, parts, columns = self._draw_curves, self._parts(), self._columns()
        if self.form == "arrows":
            draw = self._draw_arrows
        axes = panels(ax, -(-len(parts) // columns), columns).ravel()
        for panel, (name, output) in zip(axes, parts, strict=False):
            draw(panel, theme, name, output)
        for panel in axes[len(parts) :]:
            panel.set_axis_off()

    def _draw_curves(self, ax: Axes, theme: Theme, name: str, output: np.ndarray) -> None:
        use_axes(ax, theme, name, "input", "output", grid=True)
        for unit, values in enumerate(output.T):
            ax.plot(self.x, values, color=_color(theme, unit), linewidth=LINE, label=f"unit {unit + 1}")
        if 1 < output.shape[1] <= MAX_LABELS:
            under = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.24), "ncols": 3, "columnspacing": 1.0}
            use_legend(ax, theme, handlelength=1.2, **under)

    def _draw_arrows(self, ax: Axes, theme: Theme, name: str, output: np.ndarray) -> None:
        use_axes(ax, theme, name)
        ends = (min(self.x[0], output.min()), max(self.x[-1], output.max()))
        chosen = np.linspace(0, len(self.x) - 1, min(N_ARROWS, len(self.x))).round().astype(int)
        look = {
            "arrowstyle": "-|>",
            "shrinkA": 0,
            "shrinkB": 0,
            "mutation_scale": 6,
            "linewidth": HAIR,
            "clip_on": False,
        }
        for i in chosen:
            ax.annotate("", (output[i, 0], 1.0), (self.x[i], 0.0), arrowprops=look | {"color": theme.positive})
        margin = 0.04 * (ends[1] - ends[0])
        ax.set(yticks=[0, 1], yticklabels=["input", "output"], ylim=(0, 1), xlim=(ends[0] - margin, ends[1] + margin))
        ax.tick_params("x", top=True, labeltop=True)
        ax.tick_params("y", length=0)
        ax.spines["top"].set_visible(True)
        ax.spines["left"].set_visible(False)


def _units(name: str, output: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """Return the units of a layer one by one, the first few of many."""
    units = output.shape[1]
    if units == 1:
        return [(name, output)]
    shown = min(units, MAX_LABELS)
    said = f" of {units}" if shown < units else ""
    return [(f"{name}, unit {unit + 1}{said}", output[:, unit : unit + 1]) for unit in range(shown)]


def _color(theme: Theme, unit: int) -> str:
    """The first is blue, so that a single function looks as everywhere else."""
    return theme.color((1, 0)[unit] if unit < 2 else unit)
