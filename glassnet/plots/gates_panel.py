"""Logic gates side by side: which a single neuron can compute, and that XOR is none of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.errors import UnknownNameError
from glassnet.plots.display import Display
from glassnet.plots.style import LINE, Theme, panels, use_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TRUTH: dict[str, Callable[[np.ndarray], Any]] = {
    "AND": lambda x: x.all(axis=1),
    "OR": lambda x: x.any(axis=1),
    "NOT": lambda x: ~x[:, 0],
    "XOR": lambda x: x.sum(axis=1) % 2 == 1,
    "NAND": lambda x: ~x.all(axis=1),
    "NOR": lambda x: ~x.any(axis=1),
}
REACH = (-0.45, 1.45)
N_TICKS = 191


@dataclass
class Gate:
    """One gate: what it should answer, and what the estimator answers.

    Parameters
    ----------
    name : str
        A key of `TRUTH`.
    inputs : ndarray of shape (2**n_inputs, n_inputs)
        All rows of the truth table; one or two inputs.
    truth, answers : ndarray of bool, shape (2**n_inputs,)
        Wanted and given.
    score : ndarray of shape (n_ticks, n_ticks)
        Between and around the corners, above 0 where the answer is 1: the decision
        function or pre-activation where there is one, else answer - 1/2.
    """

    name: str
    inputs: np.ndarray
    truth: np.ndarray
    answers: np.ndarray
    score: np.ndarray

    @property
    def n_wrong(self) -> int:
        """Rows of the truth table that the estimator gets wrong."""
        return int(np.sum(self.truth != self.answers))


@dataclass
class GatesDisplay(Display):
    """Gates as corners of a square, with the region where the estimator answers 1.

    Parameters
    ----------
    gates : list of Gate
        From left to right, top to bottom.

    Examples
    --------
    >>> from sklearn.linear_model import Perceptron
    >>> X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    >>> display = GatesDisplay.from_estimators({"AND": Perceptron(random_state=0).fit(X, [0, 0, 0, 1])})
    >>> display.gates[0].n_wrong
    0
    """

    gates: list[Gate]

    @classmethod
    def from_estimators(cls, estimators: Mapping[str, Any]) -> GatesDisplay:
        """Ask an estimator or neuron per gate for its answers.

        Parameters
        ----------
        estimators : mapping of str to object with ``predict``
            Names are those of gates (AND, OR, NOT, XOR, NAND, NOR); answers are 0 and 1.

        Raises
        ------
        UnknownNameError
            If there is no such gate.
        """
        return cls([_gate(name, estimator) for name, estimator in estimators.items()])

    def _size(self) -> tuple[float, float]:
        columns = min(2, len(self.gates))
        return 2.7 * columns, 2.8 * -(-len(self.gates) // columns)

    def _draw(self, ax: Axes, theme: Theme) -> None:
        columns = min(2, len(self.gates))
        axes = panels(ax, -(-len(self.gates) // columns), columns).ravel()
        for panel, gate in zip(axes, self.gates, strict=False):
            _draw_gate(panel, theme, gate)
        for panel in axes[len(self.gates) :]:
            panel.set_axis_off()


def _gate(name: str, estimator: Any) -> Gate:
    if name not in TRUTH:
        raise UnknownNameError("gate", name, TRUTH)
    n_inputs = _n_inputs(estimator)
    inputs = np.stack(np.meshgrid(*[[0, 1]] * n_inputs, indexing="ij"), axis=-1).reshape(-1, n_inputs)
    ticks = np.linspace(*REACH, N_TICKS)
    places = np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(-1, 2)[:, :n_inputs]
    answers = np.asarray(estimator.predict(inputs)).astype(bool)
    score = _score(estimator, places).reshape(N_TICKS, N_TICKS)
    return Gate(name, inputs, TRUTH[name](inputs.astype(bool)), answers, score)


def _score(estimator: Any, X: np.ndarray) -> np.ndarray:
    for method in ("decision_function", "pre_activation"):
        if hasattr(estimator, method):
            return np.asarray(getattr(estimator, method)(X), float)
    return np.asarray(estimator.predict(X), float) - 0.5


def _n_inputs(estimator: Any) -> int:
    if hasattr(estimator, "n_features_in_"):
        return int(estimator.n_features_in_)
    return len(estimator.weights)


def _draw_gate(ax: Axes, theme: Theme, gate: Gate) -> None:
    said = "" if not gate.n_wrong else f": {gate.n_wrong} of {len(gate.truth)} wrong"
    two = gate.inputs.shape[1] == 2
    use_axes(ax, theme, gate.name + said, "$x_1$", "$x_2$" if two else "")
    ticks = np.linspace(*REACH, N_TICKS)
    colors = theme.blend(theme.negative, theme.positive)
    ax.imshow(gate.score > 0, cmap=colors, vmin=0, vmax=1, alpha=0.25, extent=(*REACH, *REACH), origin="lower")
    if gate.score.min() < 0 < gate.score.max():
        ax.contour(ticks, ticks, gate.score, [0.0], colors=theme.ink, linewidths=LINE)
    for row, truth, answer in zip(gate.inputs, gate.truth, gate.answers, strict=True):
        x, y = row if two else (row[0], 0.5)
        face = theme.positive if truth else theme.paper
        ax.scatter(x, y, 80, c=face, edgecolors=theme.ink, linewidths=1.4, zorder=3)
        if truth != answer:
            ax.scatter(x, y, 260, c="none", edgecolors=theme.ink, linewidths=1.2, linestyles="--", zorder=3)
    ax.set(xticks=[0, 1], yticks=[0, 1] if two else [], xlim=REACH, ylim=REACH, aspect="equal")
