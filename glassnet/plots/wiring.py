"""The wiring graph of a dense network, unit by unit, its weights as signed lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.errors import InvalidInputError
from glassnet.plots.dense import dense_layers, layer_activations, layer_names
from glassnet.plots.display import Display
from glassnet.plots.style import SMALL, Theme, number, put_text, symmetric_limit, use_blank

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

RADIUS = 0.28  # of a unit, in the distance between two units
WIDEST = 3.0  # points
FEW = 24  # weights that are written down
SHARES = np.array([0.3, 0.4, 0.5, 0.22, 0.6, 0.7])  # of the way along a line, where its number may stand
INCHES = 0.42  # from unit to unit in a figure of its own


@dataclass
class WiringDisplay(Display):
    """Units as circles in columns, weights as lines: blue positive, orange negative.

    Parameters
    ----------
    weights : list of ndarray of shape (n_in, n_out)
        One per layer.
    biases : list of ndarray of shape (n_out,)
        One per layer.
    input_names, output_names : tuple of str
        Beside the first and the last column.
    values : list of ndarray of shape (n_units,), or None
        The activation of every unit, input first, for one sample; colours the circles.
    max_units : int
        A longer column shows its first units and says how many are left out.
    show_numbers : bool, optional
        Whether weights and biases are written down; None does it for small networks.

    Examples
    --------
    >>> display = WiringDisplay([np.ones((2, 3)), np.ones((3, 1))], [np.zeros(3), np.zeros(1)], ("a", "b"), ("y",))
    >>> display.sizes, display.n_weights
    ((2, 3, 1), 9)
    """

    weights: list[np.ndarray]
    biases: list[np.ndarray]
    input_names: tuple[str, ...]
    output_names: tuple[str, ...]
    values: list[np.ndarray] | None = None
    max_units: int = 16
    show_numbers: bool | None = None

    def __post_init__(self) -> None:
        if self.max_units < 1:
            raise InvalidInputError(f"max_units is at least 1, got {self.max_units}.")
        if (len(self.input_names), len(self.output_names)) != (self.sizes[0], self.sizes[-1]):
            raise InvalidInputError(
                f"The network has {self.sizes[0]} inputs and {self.sizes[-1]} outputs, "
                f"but there are {len(self.input_names)} and {len(self.output_names)} names."
            )

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        feature_names: Sequence[str] | None = None,
        target_names: Sequence[str] | None = None,
        sample: ArrayLike | None = None,
        max_units: int = 16,
        show_numbers: bool | None = None,
    ) -> WiringDisplay:
        """Take weights and biases of a fitted dense network.

        Parameters
        ----------
        estimator : object
            A network or linear model.
        feature_names, target_names : sequence of str, optional
            Names of inputs and outputs. A network with one output for two classes shows
            the second class's name.
        sample : array_like of shape (n_features,), optional
            Shows the activation of every unit for this input.
        max_units : int
            Units drawn in a column.
        show_numbers : bool, optional
            Whether weights and biases are written down; None does it for small networks.

        Raises
        ------
        InvalidInputError
            If it is no dense network, or names and sample do not fit it.
        """
        layers = dense_layers(estimator)
        weights, biases = [w for w, _ in layers], [b for _, b in layers]
        n_outputs = weights[-1].shape[1]
        inputs = feature_names if feature_names is not None else [f"$x_{{{i + 1}}}$" for i in range(len(weights[0]))]
        outputs = target_names if target_names is not None else getattr(estimator, "classes_", ("output",))
        outputs = outputs[1:] if n_outputs == 1 and len(outputs) == 2 else outputs
        values = None
        if sample is not None:
            X = np.asarray(sample).reshape(1, -1)
            values = [X[0], *(h[0] for h in layer_activations(estimator, X))]
        inputs, outputs = tuple(map(str, inputs)), tuple(map(str, outputs))
        return cls(weights, biases, inputs, outputs, values, max_units, show_numbers)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of inputs, then of units in each layer."""
        return (len(self.weights[0]), *(w.shape[1] for w in self.weights))

    @property
    def n_weights(self) -> int:
        """Number of weights, those not drawn included."""
        return sum(w.size for w in self.weights)

    def positions(self, layer: int) -> np.ndarray:
        """Return the places of the drawn units of a column, shape (n_drawn, 2); 0 is the input."""
        n_drawn = min(self.sizes[layer], self.max_units)
        return np.column_stack([np.full(n_drawn, layer * self._gap()), (n_drawn - 1) / 2 - np.arange(n_drawn)])

    def _rows(self) -> int:
        return min(max(self.sizes), self.max_units)

    def _has_numbers(self) -> bool:
        return self.n_weights <= FEW if self.show_numbers is None else self.show_numbers

    def _gap(self) -> float:
        return max(2.6, 0.45 * self._rows())

    def _extent(self) -> tuple[float, float]:
        """Width and height of the drawing, in distances between two units."""
        names = self.input_names[: self.max_units] + self.output_names[: self.max_units]
        margin = 1.2 + 0.17 * max(len(name.strip("$")) for name in names)
        return self._gap() * len(self.weights) + 2 * margin, self._rows() + 2.0

    def _size(self) -> tuple[float, float]:
        width, height = self._extent()
        inches = INCHES * (1.9 if self._has_numbers() else 1.0)
        return inches * width, inches * height

    def _draw(self, ax: Axes, theme: Theme) -> None:
        use_blank(ax, theme)
        for layer, weight in enumerate(self.weights):
            self._draw_weights(ax, theme, layer, weight)
        for layer in range(len(self.sizes)):
            self._draw_units(ax, theme, layer)
        self._draw_names(ax, theme)
        width, height = self._extent()
        margin = (width - self._gap() * len(self.weights)) / 2
        ax.set(xlim=(-margin, width - margin), ylim=(-height / 2, height / 2))

    def _draw_weights(self, ax: Axes, theme: Theme, layer: int, weight: np.ndarray) -> None:
        from matplotlib.collections import LineCollection

        start, end = self.positions(layer), self.positions(layer + 1)
        drawn = weight[: len(start), : len(end)]
        order = np.argsort(np.abs(drawn), axis=None)  # the strongest on top
        i, j = np.unravel_index(order, drawn.shape)
        strength = np.abs(drawn[i, j]) / symmetric_limit(weight)
        lines = np.stack([start[i], end[j]], axis=1)
        colors = [theme.signed(w) for w in drawn[i, j]]
        alpha = 0.15 + 0.8 * strength
        ax.add_collection(
            LineCollection(list(lines), colors=colors, linewidths=WIDEST * strength, alpha=alpha, zorder=1)
        )
        if self._has_numbers():
            for place, w, color in zip(_apart(lines), drawn[i, j], colors, strict=True):
                look = {"facecolor": theme.paper, "edgecolor": "none", "pad": 0.6}
                put_text(ax, place[0], place[1], number(w), theme, color=color, fontsize=SMALL, bbox=look)

    def _draw_units(self, ax: Axes, theme: Theme, layer: int) -> None:
        from matplotlib.patches import Circle

        faces = self._faces(theme, layer)
        places = self.positions(layer)
        for place, face in zip(places, faces, strict=False):
            ax.add_patch(Circle(tuple(place), RADIUS, facecolor=face, edgecolor=theme.ink, linewidth=1.0, zorder=2))
        if layer and self._has_numbers():
            for (x, y), bias in zip(places, self.biases[layer - 1], strict=False):
                put_text(ax, x, y - 0.43, number(bias), theme, color=theme.muted, fontsize=SMALL)
        x, top = places[0]
        name = "input" if layer == 0 else layer_names(len(self.weights))[layer - 1]
        put_text(ax, x, top + 0.75, name, theme, color=theme.muted, fontsize=SMALL)
        left_out = self.sizes[layer] - len(places)
        if left_out:
            put_text(ax, x, places[-1][1] - 0.75, f"and {left_out} more", theme, color=theme.muted, fontsize=SMALL)

    def _faces(self, theme: Theme, layer: int) -> list:
        if self.values is None:
            return [theme.panel] * self.sizes[layer]
        values = self.values[layer]
        return list(theme.signed_map()(0.5 + 0.5 * values / symmetric_limit(values)))

    def _draw_names(self, ax: Axes, theme: Theme) -> None:
        for layer, names, side, align in ((0, self.input_names, -0.45, "right"), (-1, self.output_names, 0.45, "left")):
            layer = layer % len(self.sizes)
            for (x, y), name in zip(self.positions(layer), names, strict=False):
                put_text(ax, x + side, y, name, theme, ha=align, fontsize=SMALL)


def _apart(lines: np.ndarray) -> np.ndarray:
    """Return a point on each line (n, 2, 2), chosen one after the other far from those before."""
    candidates = [start + SHARES[:, None] * (end - start) for start, end in lines]
    chosen: list[np.ndarray] = []
    for points in candidates:
        gaps = [np.linalg.norm((points[:, None] - np.array(chosen)) * (0.6, 1.0), axis=2).min(axis=1)] if chosen else []
        chosen.append(points[np.argmax(gaps[0])] if gaps else points[0])
    return np.array(chosen)
