"""How the signal evolves: the pre-activations and activations of one input, layer by layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.errors import InvalidInputError
from glassnet.plots.dense import layer_activations, layer_names, pre_activations
from glassnet.plots.display import Display
from glassnet.plots.style import HAIR, Theme, panels, use_axes, use_whole_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike


@dataclass
class SignalDisplay(Display):
    """One input on its way: pre-activation above, activation below, one bar per unit.

    Parameters
    ----------
    names : list of str
        The input, then the layers.
    pre_activations : list of ndarray of shape (units,)
        z of each layer; the input has none.
    activations : list of ndarray of shape (units,)
        The input, then h of each layer.

    Examples
    --------
    >>> from glassnet import MLPClassifier
    >>> net = MLPClassifier((4,), max_iter=3, tol=None, random_state=0).fit([[0.0], [1.0]], [0, 1])
    >>> display = SignalDisplay.from_estimator(net, [0.5])
    >>> display.names, [len(h) for h in display.activations]
    (['input', 'layer 1', 'output'], [1, 4, 1])
    """

    names: list[str]
    pre_activations: list[np.ndarray]
    activations: list[np.ndarray]

    @classmethod
    def from_estimator(cls, estimator: Any, sample: ArrayLike) -> SignalDisplay:
        """Send one sample through a fitted dense network.

        Parameters
        ----------
        estimator : object
            A dense network whose layers can be asked for.
        sample : array_like of shape (n_features,)
            The input.

        Raises
        ------
        InvalidInputError
            If ``sample`` is more than one, or the network hides its layers.
        """
        sample = np.asarray(sample)
        if sample.ndim != 1:
            raise InvalidInputError(f"sample is one input, shape (n_features,), got {sample.shape}.")
        z = [values[0] for values in pre_activations(estimator, sample[None])]
        h = [values[0] for values in layer_activations(estimator, sample[None])]
        return cls(["input", *layer_names(len(h))], z, [sample, *h])

    def _size(self) -> tuple[float, float]:
        return 2.3 * len(self.names), 3.9

    def _draw(self, ax: Axes, theme: Theme) -> None:
        above, below = panels(ax, 2, len(self.names))
        above[0].set_axis_off()
        for i, (panel, name, h) in enumerate(zip(below, self.names, self.activations, strict=True)):
            labels = ("unit", "activation h" if i == 1 else "") if i else ("feature", "value")
            _draw_bars(panel, theme, "" if i else name, h, *labels)
        for i, (panel, name, z) in enumerate(zip(above[1:], self.names[1:], self.pre_activations, strict=True)):
            _draw_bars(panel, theme, name, z, "", "pre-activation z" if i == 0 else "")


def _draw_bars(ax: Axes, theme: Theme, title: str, values: np.ndarray, xlabel: str, ylabel: str) -> None:
    use_axes(ax, theme, title, xlabel, ylabel)
    shown = np.where(np.isfinite(values), values, 0)
    ax.bar(np.arange(1, len(values) + 1), shown, 0.8, color=[theme.signed(v) for v in shown])
    ax.axhline(0, color=theme.muted, linewidth=HAIR)
    use_whole_ticks(ax)
    for place in 1.0 + np.flatnonzero(~np.isfinite(values)):
        ax.axvline(place, color=theme.ink, linestyle=":", linewidth=1.0)
    if not np.isfinite(values).all():
        ax.set_xlabel(f"{np.sum(~np.isfinite(values))} not finite (dotted)")
