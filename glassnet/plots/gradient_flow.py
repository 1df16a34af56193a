"""Gradient flow: how large each layer's gradient is, through the depth and through training; dead units counted.

X. Glorot, Y. Bengio (2010), "Understanding the difficulty of training deep feedforward neural networks", AISTATS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.errors import InvalidInputError
from glassnet.plots.display import Display
from glassnet.plots.replay import at_steps, chosen_steps
from glassnet.plots.style import HAIR, LINE, Theme, panels, use_axes, use_colorbar, use_legend, use_title
from glassnet.plots.traced import as_array, call_name, is_activation, output_name, output_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike
    from torch import Tensor

    from glassnet.inspect.history import History
    from glassnet.inspect.traced import Trace
    from glassnet.plots.film import Frames

VANISHING, EXPLODING = 1e-3, 1e3  # times the gradient of the layer that is nearest to the loss
MOST_NAMES = 24  # that fit below the depth
MOST_CURVES = 10  # of the layers with the most dead units


@dataclass
class GradientFlowDisplay(Display):
    """Norms of the layers' gradients, and the units that no gradient reaches.

    Parameters
    ----------
    names : list of str
        Layers with weights, from the input to the output.
    steps : ndarray of int, shape (n_steps,)
    norms : ndarray of shape (n_steps, n_layers)
        Euclidean norm of the gradient of the loss with respect to each layer's weight.
    unit_names : list of str
        Activation functions.
    dead : ndarray of int, shape (n_steps, n_unit_layers)
        Units, or channels, that give the same value for every sample and place.
    n_units : ndarray of int, shape (n_unit_layers,)

    Examples
    --------
    >>> import torch
    >>> from glassnet import trace
    >>> model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU(), torch.nn.Linear(3, 1))
    >>> display = GradientFlowDisplay.from_traces({0: trace(model, torch.randn(8, 2), gradients=True)})
    >>> display.names, display.norms.shape, display.n_units
    (['0', '2'], (1, 2), array([3]))
    """

    names: list[str]
    steps: np.ndarray
    norms: np.ndarray
    unit_names: list[str]
    dead: np.ndarray
    n_units: np.ndarray

    @classmethod
    def from_traces(cls, traces: Mapping[int, Trace]) -> GradientFlowDisplay:
        """Compare traces of one network at several steps of its training.

        Parameters
        ----------
        traces : mapping of int to Trace
            Step -> trace of a batch, made with ``gradients=``.

        Raises
        ------
        InvalidInputError
            If there are none, or one was made without gradients.
        """
        rows = [_norms(trace) for trace in traces.values()]
        if not rows or not all(rows) or any(set(row) != set(rows[0]) for row in rows):
            raise InvalidInputError("Gradient flow takes traces of one network that hold gradients: gradients=loss.")
        counts = [_dead(trace) for trace in traces.values()]
        dead = np.array([[n for n, _ in row.values()] for row in counts], int).reshape(len(counts), -1)
        return cls(
            list(rows[0]),
            np.array(list(traces)),
            np.array([[row[name] for name in rows[0]] for row in rows]),
            list(counts[0]),
            dead,
            np.array([n for _, n in counts[0].values()], int),
        )

    @classmethod
    def from_history(
        cls, estimator: Any, history: History, X: ArrayLike, y: ArrayLike, *, max_steps: int = 8
    ) -> GradientFlowDisplay:
        """Go back to several steps of a recorded fit of a classifier and differentiate the loss of one batch.

        Parameters
        ----------
        estimator : fitted classifier
            Holds a torch module, or is a dense network. It is left as it was.
        history : History
            Of its fit.
        X, y : array_like
            A batch of its data.
        max_steps : int
            How many snapshots to take; of more, so many spread over the fit.
        """
        from glassnet.inspect.trace import trace

        X, y = np.asarray(X), np.asarray(y)
        loss = _loss(estimator, y)
        traces: dict[int, Trace] = {}
        with at_steps(estimator, history, chosen_steps(history, max_steps)) as each:
            for step in each:
                traces[step] = trace(*_opened(estimator, X), gradients=loss)
        return cls.from_traces(traces)

    @property
    def vanishing(self) -> np.ndarray:
        """Where the gradient is zero, or a thousandth of that nearest to the loss; bool (n_steps, n_layers)."""
        return (self.norms == 0) | (self.norms < VANISHING * self.norms[:, -1:])

    @property
    def exploding(self) -> np.ndarray:
        """Where the gradient is not finite, or a thousand times that nearest to the loss; bool (n_steps, n_layers)."""
        return ~np.isfinite(self.norms) | (self.norms > EXPLODING * self.norms[:, -1:])

    def _frames(self) -> Frames:
        """Up to each step."""
        parts = ("steps", "norms", "dead")
        grown = [{name: getattr(self, name)[: i + 1] for name in parts} for i in range(len(self.steps))]
        return [(f"step {part['steps'][-1]}", replace(self, **part)) for part in grown]

    def _size(self) -> tuple[float, float]:
        return 10.4 if len(self.unit_names) else 7.2, 3.9

    def _draw(self, ax: Axes, theme: Theme) -> None:
        places = panels(ax, 1, 3 if len(self.unit_names) else 2)[0]
        self._draw_depth(places[0], theme)
        self._draw_training(places[1], theme)
        if len(self.unit_names):
            self._draw_dead(places[2], theme)

    def _draw_depth(self, ax: Axes, theme: Theme) -> None:
        use_axes(ax, theme, "through the depth", "layer", "norm of the gradient of the weight", grid=True)
        depth = np.arange(len(self.names))
        for i, (step, norms) in enumerate(zip(self.steps, self.norms, strict=True)):
            first_or_last = i in (0, len(self.steps) - 1)
            color = theme.blend(theme.negative, theme.positive)(i / max(1, len(self.steps) - 1))
            drawn = np.where(np.isfinite(norms) & (norms > 0), norms, np.nan)
            ax.plot(depth, drawn, "-o", color=color, markersize=2.5, linewidth=LINE if first_or_last else HAIR,
                    label=f"step {step}" if first_or_last else None)  # fmt: skip
        ax.set_yscale("log")
        self._mark(ax, theme, lambda i, j: (j, self.norms[i, j]))
        _use_names(ax, theme, self.names)
        use_legend(ax, theme)

    def _draw_training(self, ax: Axes, theme: Theme) -> None:
        use_axes(ax, theme, "through training", "layer", "step")
        with np.errstate(divide="ignore", invalid="ignore"):
            logs = np.ma.masked_invalid(np.log10(self.norms))
        colors = theme.blend(theme.paper, theme.positive, theme.ink).with_extremes(bad=theme.panel)
        image = ax.imshow(logs, cmap=colors, aspect="auto", origin="lower")
        ax.set_yticks(range(len(self.steps)), [str(step) for step in self.steps])
        self._mark(ax, theme, lambda i, j: (j, i))
        _use_names(ax, theme, self.names)
        use_colorbar(ax, image, theme, "log10 of the norm")

    def _mark(self, ax: Axes, theme: Theme, place: Callable[[int, int], tuple[float, float]]) -> None:
        """Mark what vanishes with a triangle down, what explodes with one up; what cannot be drawn at the edge."""
        for marked, sign, said in ((self.vanishing, "v", "vanishing"), (self.exploding, "^", "exploding")):
            points = [place(int(i), int(j)) for i, j in np.argwhere(marked)]
            if not points:
                continue
            low, high = ax.get_ylim()
            x, y = np.array(points, float).T
            y = np.where(np.isnan(y) | (y == np.inf), high, np.where((y == 0) & (ax.get_yscale() == "log"), low, y))
            ax.plot(x, y, sign, color=theme.color(4 if sign == "v" else 0), markeredgecolor=theme.paper, markersize=6,
                    markeredgewidth=0.5, label=f"{said} ({len(points)})", clip_on=False)  # fmt: skip

    def _draw_dead(self, ax: Axes, theme: Theme) -> None:
        use_axes(ax, theme, "dead units", "step", "part of the layer's units", grid=True)
        most = np.argsort(-self.dead.max(axis=0) / self.n_units, kind="stable")[:MOST_CURVES]
        for n, i in enumerate(sorted(most)):
            said = f"{self.unit_names[i]}: {self.dead[-1, i]} of {self.n_units[i]}"
            ax.plot(self.steps, self.dead[:, i] / self.n_units[i], "-o", color=theme.color(n), markersize=3, label=said)
        if len(self.unit_names) > MOST_CURVES:
            use_title(ax, theme, f"dead units ({MOST_CURVES} of {len(self.unit_names)} layers)")
        ax.set_ylim(-0.03, 1.03)
        use_legend(ax, theme, title="at the end")


def _use_names(ax: Axes, theme: Theme, names: list[str]) -> None:
    if len(names) <= MOST_NAMES:
        ax.set_xticks(range(len(names)), names, rotation=90 if max(map(len, names)) > 2 else 0)


def _norms(trace: Trace) -> dict[str, float]:
    found = {}
    for call in trace.calls:
        for quantity, tensor in call.values.items():
            if quantity.startswith("weight") and quantity.endswith(".gradient") and call.number == 0:
                part = quantity.removesuffix(".gradient").removeprefix("weight")
                if tensor.ndim > 1:
                    found[call_name(call) + part] = float(np.linalg.norm(as_array(tensor)))
    return found


def _dead(trace: Trace) -> dict[str, tuple[int, int]]:
    """Return the number of dead units and of all units of each activation function; one value tells nothing."""
    bent = [c for c in trace.calls if (is_activation(c) or c.kind == "Dense") and "softmax" not in c.kind.lower()]
    rows = {call_name(call): _per_unit(output_of(call)) for call in bent if output_name(call)}
    return {n: (int(np.sum(np.all(r == r[:1], axis=0))), r.shape[1]) for n, r in rows.items() if len(r) > 1}


def _per_unit(values: np.ndarray) -> np.ndarray:
    """Return a column for each unit or channel, over all samples and places."""
    units = np.moveaxis(values, 1, -1) if values.ndim == 4 else values
    return units.reshape(-1, units.shape[-1])


def _opened(estimator: Any, X: np.ndarray) -> tuple[Any, Any]:
    """Return what `trace` takes: a torch module as it trains and its input, or a dense network and X."""
    module = getattr(estimator, "module_", None)
    if module is None:
        return estimator, X
    from glassnet.learning.supervised import as_input, as_tensor

    return module, as_input(as_tensor(X.reshape(len(X), -1)), estimator.image_shape_)


def _loss(estimator: Any, y: np.ndarray) -> Callable[[Any], Tensor]:
    """Return the mean cross-entropy as a function of what `trace` sees come out."""
    import torch
    from torch.nn import functional as F

    if not hasattr(estimator, "classes_"):
        raise InvalidInputError(f"{type(estimator).__name__} is no classifier; trace it and use from_traces.")
    columns = torch.from_numpy(np.searchsorted(estimator.classes_, y))
    if getattr(estimator, "module_", None) is not None:
        return lambda z: F.cross_entropy(z, columns)

    def of_probabilities(p: Tensor) -> Tensor:
        p = torch.cat([1 - p, p], 1) if p.shape[1] == 1 else p
        return F.nll_loss(p.clamp_min(torch.finfo(p.dtype).tiny).log(), columns)

    return of_probabilities
