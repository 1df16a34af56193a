"""How the signal evolves: the pre-activations and activations of one input, layer by layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.errors import InvalidInputError
from glassnet.plots.dense import layer_activations, layer_names, pre_activations
from glassnet.plots.display import Display
from glassnet.plots.style import HAIR, Theme, panels, use_axes, use_whole_ticks
from glassnet.plots.traced import (
    as_array,
    call_name,
    input_name,
    is_activation,
    output_name,
    output_of,
    spread_over,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from glassnet.inspect.traced import Trace

MOST_BARS = 400  # of more units, so many spread over them are drawn


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

    @classmethod
    def from_trace(cls, trace: Trace, *, sample: int = 0, max_layers: int = 6) -> SignalDisplay:
        """Follow one sample through the activation functions of a traced network.

        Pre-activation is what an activation function gets, activation what it gives. Of a feature map its mean
        over height and width is shown, of a sequence the mean over its positions.

        Parameters
        ----------
        trace : Trace
            Of a torch module, or of a dense network.
        sample : int
            Row of the batch.
        max_layers : int
            How many to draw; of more, so many spread over the depth.

        Raises
        ------
        InvalidInputError
            If the trace shows no activation function, or there is no such sample.
        """
        bent = [call for call in trace.calls if "pre_activation" in call.values or is_activation(call)]
        bent = [call for call in bent if input_name(call) and output_name(call)]
        if not bent:
            raise InvalidInputError("No activation function was recorded: there is no signal to follow.")
        chosen = [bent[i] for i in spread_over(len(bent), max_layers)]
        before = ["pre_activation" if "pre_activation" in call.values else input_name(call) or "" for call in chosen]
        z = [_per_unit(as_array(c.values[quantity]), sample) for c, quantity in zip(chosen, before, strict=True)]
        h = [_per_unit(output_of(call), sample) for call in chosen]
        first = _per_unit(as_array(trace.calls[0].values[input_name(trace.calls[0]) or "input"]), sample, mean=False)
        names = [call_name(call) for call in chosen]
        if len(chosen) < len(bent):
            names[-1] += f"\n({len(chosen)} of {len(bent)})"
        return cls(["input", *names], z, [first, *h])

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


def _per_unit(values: np.ndarray, sample: int, mean: bool = True) -> np.ndarray:
    """Return one number per unit or channel for one row of the batch."""
    if not -len(values) <= sample < len(values):
        raise InvalidInputError(f"sample takes a row of the batch of {len(values)}, got {sample}.")
    one = np.squeeze(values[sample])
    if not mean or one.ndim < 2:
        return one.ravel()
    return one.mean(axis=(1, 2)) if one.ndim == 3 else one.reshape(-1, one.shape[-1]).mean(axis=0)


def _draw_bars(ax: Axes, theme: Theme, title: str, values: np.ndarray, xlabel: str, ylabel: str) -> None:
    use_axes(ax, theme, title, xlabel, ylabel)
    chosen = np.array(spread_over(len(values), MOST_BARS))
    shown = np.where(np.isfinite(values[chosen]), values[chosen], 0)
    width = 0.8 * len(values) / len(chosen)
    ax.bar(1 + chosen, shown, width, color=[theme.signed(v) for v in shown])
    ax.axhline(0, color=theme.muted, linewidth=HAIR)
    use_whole_ticks(ax)
    broken = np.flatnonzero(~np.isfinite(values))
    for place in broken[spread_over(len(broken), MOST_BARS)] if len(broken) else ():
        ax.axvline(1.0 + place, color=theme.ink, linestyle=":", linewidth=1.0)
    said = f"{len(broken)} not finite (dotted)" if len(broken) else xlabel
    ax.set_xlabel(said + (f", {len(chosen)} of {len(values):,}" if len(chosen) < len(values) else ""))
