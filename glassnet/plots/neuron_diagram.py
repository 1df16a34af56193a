"""One threshold neuron as a drawing: McCulloch and Pitts' form, and the perceptron's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from glassnet.errors import InvalidInputError, UnknownNameError
from glassnet.plots.dense import dense_layers
from glassnet.plots.display import Display
from glassnet.plots.style import LINE, TEXT, TITLE, Theme, number, put_text, symmetric_limit, use_blank

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Form = Literal["mcculloch-pitts", "perceptron"]
FORMS = ("mcculloch-pitts", "perceptron")
UNIT, RADIUS, INPUT_RADIUS = 3.0, 0.55, 0.3  # place and sizes in the drawing's own unit


@dataclass
class NeuronDisplay(Display):
    """A neuron that fires when the weighted sum of its inputs reaches a threshold.

    Parameters
    ----------
    weights : ndarray of shape (n_inputs,)
        One weight per input; negative ones inhibit.
    threshold : float
        The sum at which the neuron fires.
    input_names : tuple of str
        LaTeX without dollar signs.
    form : {"mcculloch-pitts", "perceptron"}
        The first has the threshold in the unit and inhibition as an open circle; the
        second shows sum, threshold and step one after the other.

    Examples
    --------
    >>> display = NeuronDisplay.from_weights([1.0, 1.0], threshold=2.0)
    >>> display.fires([[0, 1], [1, 1]]).tolist()
    [False, True]
    """

    weights: np.ndarray
    threshold: float
    input_names: tuple[str, ...]
    form: Form = "perceptron"

    @classmethod
    def from_weights(
        cls, weights: ArrayLike, threshold: float, input_names: Sequence[str] | None = None, form: Form = "perceptron"
    ) -> NeuronDisplay:
        """Take weights and threshold as they are.

        Raises
        ------
        InvalidInputError
            If weights and names do not fit each other or are not finite.
        UnknownNameError
            If there is no such form.
        """
        weights = np.asarray(weights, float)
        if weights.ndim != 1 or not len(weights) or not np.isfinite([*weights, threshold]).all():
            raise InvalidInputError(f"A neuron has finite weights and threshold, got {weights!r} and {threshold!r}.")
        names = tuple(input_names or (f"x_{{{i + 1}}}" for i in range(len(weights))))
        if len(names) != len(weights):
            raise InvalidInputError(f"There are {len(weights)} weights, but {len(names)} input names.")
        if form not in FORMS:
            raise UnknownNameError("form", form, FORMS)
        return cls(weights, float(threshold), names, form)

    @classmethod
    def from_estimator(cls, estimator: Any, **how: Any) -> NeuronDisplay:
        """Take a threshold neuron, or a fitted linear classifier of two classes.

        Parameters
        ----------
        estimator : object
            Has ``weights`` and ``threshold``, or ``coef_`` and ``intercept_``; the threshold
            is then the intercept's negative.
        **how
            ``input_names``, ``form``.

        Raises
        ------
        InvalidInputError
            If it has more than one output.
        """
        if hasattr(estimator, "threshold"):
            return cls.from_weights(estimator.weights, estimator.threshold, **how)
        [(weight, bias), *more] = dense_layers(estimator)
        if more or weight.shape[1] != 1:
            raise InvalidInputError(f"{type(estimator).__name__} is not a single neuron; draw it with WiringDisplay.")
        return cls.from_weights(weight[:, 0], -bias[0], **how)

    def fires(self, X: ArrayLike) -> np.ndarray:
        """Return whether the neuron fires on each row of X, shape (n_samples,)."""
        return np.asarray(X, float) @ self.weights >= self.threshold

    def _heights(self) -> np.ndarray:
        return np.linspace(0.55, -0.55, len(self.weights)) * max(len(self.weights) - 1, 0)

    def _size(self) -> tuple[float, float]:
        return 5.4, max(2.4, 0.75 * len(self.weights) + 0.9)

    def _draw(self, ax: Axes, theme: Theme) -> None:
        use_blank(ax, theme)
        limit = symmetric_limit(self.weights)
        for name, weight, height in zip(self.input_names, self.weights, self._heights(), strict=True):
            self._draw_input(ax, theme, name, weight, height, LINE * (0.4 + 1.6 * abs(weight) / limit))
        _circle(ax, theme, (UNIT, 0.0), RADIUS)
        if self.form == "perceptron":
            self._draw_perceptron(ax, theme)
        else:
            put_text(ax, UNIT, 0.0, rf"$\theta$ = {number(self.threshold)}", theme, fontsize=TEXT)
            _arrow(ax, theme.ink, (UNIT + RADIUS, 0.0), (5.0, 0.0), LINE)
            put_text(ax, 5.25, 0.0, "$y$", theme, fontsize=TITLE)
        reach = max(abs(self._heights()[0]) + 0.5, 1.25)
        ax.set(xlim=(-0.5, 6.3 if self.form == "perceptron" else 5.6), ylim=(-reach, reach))

    def _draw_input(self, ax: Axes, theme: Theme, name: str, weight: float, height: float, width: float) -> None:
        _circle(ax, theme, (0.0, height), INPUT_RADIUS)
        put_text(ax, 0.0, height, f"${name}$", theme)
        start, centre = np.array([0.0, height]), np.array([UNIT, 0.0])
        along = (centre - start) / np.linalg.norm(centre - start)
        inhibits = self.form == "mcculloch-pitts" and weight < 0
        end = centre - along * (RADIUS + (0.2 if inhibits else 0.0))
        color = theme.signed(weight)
        _arrow(ax, color, start + along * INPUT_RADIUS, end, width, head=not inhibits)
        if inhibits:
            _circle(ax, theme, centre - along * (RADIUS + 0.1), 0.1, edge=color)
        x, y = start + 0.45 * (end - start)
        put_text(ax, x, y + 0.05, number(weight), theme, color=color, backgroundcolor=theme.paper)

    def _draw_perceptron(self, ax: Axes, theme: Theme) -> None:
        put_text(ax, UNIT, 0.0, r"$\Sigma$", theme, fontsize=1.6 * TITLE)
        _arrow(ax, theme.ink, (UNIT + RADIUS, 0.0), (4.25, 0.0), LINE)
        left, low, side = 4.25, -0.45, 0.9
        ax.add_patch(_patches().Rectangle((left, low), side, side, facecolor=theme.panel, edgecolor=theme.ink))
        step = np.array([[0.12, 0.2], [0.5, 0.2], [0.5, 0.8], [0.88, 0.8]]) * side + (left, low)
        ax.plot(*step.T, color=theme.ink, linewidth=LINE)
        put_text(ax, left + side / 2, low - 0.28, rf"$\theta$ = {number(self.threshold)}", theme)
        _arrow(ax, theme.ink, (left + side, 0.0), (5.8, 0.0), LINE)
        put_text(ax, 6.05, 0.0, "$y$", theme, fontsize=TITLE)


def _patches() -> Any:
    from matplotlib import patches

    return patches


def _circle(ax: Axes, theme: Theme, center: ArrayLike, radius: float, edge: str | None = None) -> None:
    look = {"facecolor": theme.panel if edge is None else theme.paper, "edgecolor": edge or theme.ink, "zorder": 3}
    ax.add_patch(_patches().Circle(tuple(np.asarray(center)), radius, linewidth=1.2, **look))


def _arrow(ax: Axes, color: str, start: ArrayLike, end: ArrayLike, width: float, head: bool = True) -> None:
    look = {"arrowstyle": "-|>" if head else "-", "color": color, "linewidth": width, "shrinkA": 0, "shrinkB": 0}
    look |= {"mutation_scale": 9 + 2 * width, "zorder": 2}
    ax.add_patch(_patches().FancyArrowPatch(tuple(np.asarray(start)), tuple(np.asarray(end)), **look))
