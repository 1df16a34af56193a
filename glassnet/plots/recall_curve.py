"""How much an associative memory still recalls as it is filled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.errors import InvalidInputError
from glassnet.plots.display import Display
from glassnet.plots.style import LINE, Theme, number, use_axes, use_legend

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes


@dataclass
class Recalled:
    """What one memory recalls, over its load.

    Parameters
    ----------
    name : str
        Of the memory or its rule.
    load : ndarray of shape (n_loads,)
        Stored patterns per unit.
    mean, spread : ndarray of shape (n_loads,)
        Share of the bits that came back, in [0, 1]: mean and standard deviation over trials.
    breakdown : float
        Load at which the mean falls below 95%; NaN if it does not.
    """

    name: str
    load: np.ndarray
    mean: np.ndarray
    spread: np.ndarray
    breakdown: float


@dataclass
class RecallCurveDisplay(Display):
    """Recalled bits over the load, with the load at which the memory breaks down.

    Parameters
    ----------
    curves : list of Recalled
        One per memory.

    Examples
    --------
    >>> from glassnet.networks.recall_curve import recall_curve
    >>> display = RecallCurveDisplay.from_curves({"Hebb": recall_curve([0.05], n_units=60, n_trials=2)})
    >>> display.curves[0].load.tolist()
    [0.05]
    """

    curves: list[Recalled]

    @classmethod
    def from_curves(cls, curves: Mapping[str, Any]) -> RecallCurveDisplay:
        """Take measured recall curves by name.

        Parameters
        ----------
        curves : mapping of str to object
            Each with ``load``, ``mean``, ``spread`` and ``breakdown``, as
            `glassnet.networks.recall_curve.recall_curve` gives them.

        Raises
        ------
        InvalidInputError
            If there is no curve.
        """
        if not curves:
            raise InvalidInputError("Give at least one recall curve.")
        return cls([Recalled(name, c.load, c.mean, c.spread, c.breakdown) for name, c in curves.items()])

    def _size(self) -> tuple[float, float]:
        return 5.4, 3.5

    def _draw(self, ax: Axes, theme: Theme) -> None:
        use_axes(ax, theme, "", "load (patterns per unit)", "share of bits recalled", grid=True)
        for i, curve in enumerate(self.curves):
            color = theme.color((1, 0)[i] if i < 2 else i)
            said = "" if np.isnan(curve.breakdown) else f", below 95% at {number(curve.breakdown)}"
            ax.plot(curve.load, curve.mean, "-o", color=color, linewidth=LINE, markersize=3.5, label=curve.name + said)
            low, high = curve.mean - curve.spread, curve.mean + curve.spread
            ax.fill_between(curve.load, low, high, color=color, alpha=0.18, linewidth=0)
            if not np.isnan(curve.breakdown):
                ax.axvline(curve.breakdown, color=color, linestyle=":", linewidth=1.0)
        use_legend(ax, theme)
