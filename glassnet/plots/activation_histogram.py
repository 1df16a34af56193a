"""How the pre-activations and activations of each layer are distributed over the data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.errors import InvalidInputError
from glassnet.plots.dense import layer_activations, layer_names, pre_activations
from glassnet.plots.display import Display
from glassnet.plots.style import Theme, number, panels, use_axes
from glassnet.plots.traced import (
    as_array,
    call_name,
    input_name,
    is_normalization,
    output_of,
    shown_calls,
    spread_over,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from glassnet.inspect.traced import Trace


@dataclass
class Histogram:
    """Values of one layer, all units and samples together.

    Parameters
    ----------
    name : str
        The layer and what is counted.
    edges : ndarray of shape (n_bins + 1,)
        Borders of the bins.
    counts : ndarray of int, shape (n_bins,)
        Values in each bin; the last bin holds its upper border.
    mean, std : float
        Mean and standard deviation of the values.
    n_units, n_silent : int
        Units of the layer, and those that have the same value for every sample.
    n_not_finite : int
        Values that are NaN or infinite; not in the counts.
    """

    name: str
    edges: np.ndarray
    counts: np.ndarray
    mean: float
    std: float
    n_units: int
    n_silent: int
    n_not_finite: int


@dataclass
class ActivationHistogramDisplay(Display):
    """Histograms in two rows: pre-activations above, activations below; layers from left to right.

    Parameters
    ----------
    rows : list of list of Histogram
        One histogram per layer in each row.

    Examples
    --------
    >>> display = ActivationHistogramDisplay.from_arrays({"h": np.array([[0.0, 1.0], [0.0, 3.0]])}, n_bins=3)
    >>> display.rows[0][0].counts.tolist(), display.rows[0][0].n_silent
    ([2, 1, 1], 1)
    """

    rows: list[list[Histogram]]

    @classmethod
    def from_estimator(cls, estimator: Any, X: ArrayLike, *, n_bins: int = 50) -> ActivationHistogramDisplay:
        """Count what a fitted network's layers make of X.

        Parameters
        ----------
        estimator : object
            A dense network whose layers can be asked for.
        X : array_like of shape (n_samples, n_features)
            Samples.
        n_bins : int
            Bins of each histogram.
        """
        X = np.asarray(X)
        before, after = pre_activations(estimator, X), layer_activations(estimator, X)
        names = layer_names(len(after))
        rows = [[_histogram(f"{n}: {what}", a, n_bins) for n, a in zip(names, arrays, strict=True)]
                for what, arrays in (("pre-activation z", before), ("activation h", after))]  # fmt: skip
        return cls(rows)

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray], *, n_bins: int = 50) -> ActivationHistogramDisplay:
        """Count recorded values, one histogram per array.

        Parameters
        ----------
        arrays : dict of str to ndarray of shape (n_samples, ...)
            For example before and after a normalisation.
        n_bins : int
            Bins of each histogram.
        """
        return cls([[_histogram(name, np.asarray(array), n_bins) for name, array in arrays.items()]])

    @classmethod
    def from_trace(
        cls, trace: Trace, layers: str | Iterable[str] | None = None, *, n_bins: int = 50, max_layers: int = 6
    ) -> ActivationHistogramDisplay:
        """Count what goes into a traced network's normalizations, above, and what comes out, below.

        Parameters
        ----------
        trace : Trace
            Of many samples.
        layers : str or iterable of str, optional
            Addresses; the layers that normalize unless given.
        n_bins : int
            Bins of each histogram.
        max_layers : int
            How many layers to draw; of more, so many spread over the depth.

        Raises
        ------
        InvalidInputError
            If no layer normalizes.
        """
        calls = [call for call in shown_calls(trace, layers) if layers is not None or is_normalization(call)]
        if not calls:
            raise InvalidInputError("No layer of this trace normalizes; name the layers to count (layers=...).")
        chosen = [calls[i] for i in spread_over(len(calls), max_layers)]
        before = [("before", call, as_array(call.values[input_name(call) or "input"])) for call in chosen]
        after = [("after", call, output_of(call)) for call in chosen]
        said = f" ({len(chosen)} of {len(calls)} layers)" if len(chosen) < len(calls) else ""
        rows = [
            [_histogram(f"{what} {call_name(call)}", a, n_bins) for what, call, a in row] for row in (before, after)
        ]
        rows[0][0].name += said
        return cls(rows)

    def _size(self) -> tuple[float, float]:
        return 2.8 * len(self.rows[0]), 2.4 * len(self.rows)

    def _draw(self, ax: Axes, theme: Theme) -> None:
        axes = panels(ax, len(self.rows), len(self.rows[0]))
        for panel, histogram in zip(axes.ravel(), [h for row in self.rows for h in row], strict=True):
            _draw_histogram(panel, theme, histogram)


def _draw_histogram(ax: Axes, theme: Theme, histogram: Histogram) -> None:
    silent = f"\n{histogram.n_silent} of {histogram.n_units} units silent" if histogram.n_silent else ""
    broken = f", {histogram.n_not_finite} not finite" if histogram.n_not_finite else ""
    use_axes(
        ax,
        theme,
        histogram.name,
        f"mean {number(histogram.mean)}, std {number(histogram.std)}{silent}{broken}",
        "count",
    )
    middles, widths = (histogram.edges[1:] + histogram.edges[:-1]) / 2, np.diff(histogram.edges)
    colors = [theme.signed(middle) for middle in middles]
    ax.bar(middles, histogram.counts, widths, color=colors, linewidth=0)
    ax.ticklabel_format(axis="y", style="plain")


def _histogram(name: str, values: np.ndarray, n_bins: int) -> Histogram:
    if values.ndim < 2 or not len(values):
        raise InvalidInputError(f"{name!r} holds one row of values per sample, got shape {values.shape}.")
    rows = values.reshape(len(values), -1)
    finite = rows[np.isfinite(rows)].astype(float)
    if not finite.size:
        raise InvalidInputError(f"{name!r} holds no finite value.")
    counts, edges = np.histogram(finite, n_bins)
    n_silent = int(np.sum(np.all(rows == rows[:1], axis=0))) if len(rows) > 1 else 0  # one sample tells nothing
    return Histogram(name, edges, counts, finite.mean(), finite.std(), rows.shape[1], n_silent, rows.size - finite.size)
