"""A network as its equations: LaTeX, MathML and plain text, with shapes or with the fitted numbers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.errors import InvalidInputError
from glassnet.plots.display import Display
from glassnet.plots.style import SMALL, TEXT, Theme, put_text, sizes, use_blank

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_LINES = 40


@dataclass
class Equation:
    """What one layer computes.

    Parameters
    ----------
    symbol : str
        Of its output, in LaTeX: "h_{1}".
    lines : tuple of str
        The equation in LaTeX, or one equation per unit.
    inputs : tuple of int
        Numbers of the equations whose outputs it takes; -1, -2, ... are the network's inputs.
    shape : tuple of int
        Of its output for one sample.
    parameters : dict of str to ndarray
        By symbol.
    function : callable
        ndarrays, one per input -> ndarray.
    """

    symbol: str
    lines: tuple[str, ...]
    inputs: tuple[int, ...]
    shape: tuple[int, ...]
    parameters: dict[str, np.ndarray]
    function: Callable[..., np.ndarray]


@dataclass
class EquationDisplay(Display):
    """The equations of a network, layer by layer, with the shapes of activations and parameters.

    Parameters
    ----------
    equations : list of Equation
        Each after those that it takes from.
    n_inputs : int
        Of the network.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> net = LogisticRegression().fit([[0.0], [1.0]], [0, 1])
    >>> net.coef_, net.intercept_ = np.array([[2.0]]), np.array([-1.0])
    >>> display = EquationDisplay.from_estimator(net)
    >>> display.text(), display.compose([[3.0]]).tolist()
    ('y = 2 x_1 - 1', [[5.0]])
    """

    equations: list[Equation]
    n_inputs: int = 1

    @classmethod
    def from_estimator(cls, estimator: Any, *, numbers: bool | None = None) -> EquationDisplay:
        """Write down a fitted dense network, or the decision function of a linear model.

        Parameters
        ----------
        estimator : object
            glassnet's or scikit-learn's multilayer perceptron, or a linear model.
        numbers : bool, optional
            Whether weights are written as numbers, one equation per unit, and not as
            symbols; None does it for at most 24 weights. Layers with normalization, local
            connections or a shortcut are always written in symbols.

        Raises
        ------
        InvalidInputError
            If it is no dense network.
        """
        from glassnet.plots.dense_equations import dense_equations

        return cls(dense_equations(estimator, numbers))

    @classmethod
    def from_module(cls, model: Any, *inputs: Any, kwargs: Mapping[str, Any] | None = None) -> EquationDisplay:
        """Run a torch module once and write down what it did.

        Parameters
        ----------
        model : Module
            In evaluation mode, if it is to be composed by hand.
        *inputs : Tensor or ndarray
            What it is called with.
        kwargs : mapping, optional
            Keyword arguments of the model.
        """
        from glassnet.plots.module_equations import module_equations

        return cls(*module_equations(model, *inputs, kwargs=kwargs))

    def compose(self, *inputs: Any) -> np.ndarray:
        """Apply the equations one after the other to the network's inputs; return what the last one gives.

        Parameters
        ----------
        *inputs : array_like of shape (n_samples, ...)
            Those that have been given by keyword come last.

        Raises
        ------
        InvalidInputError
            If what a layer does cannot be told from its inputs and parameters, or the number of
            inputs is another.
        """
        if len(inputs) != self.n_inputs:
            raise InvalidInputError(f"The network takes {self.n_inputs} inputs, got {len(inputs)}.")
        values = [np.asarray(value) for value in inputs]
        for equation in self.equations:
            values.append(equation.function(*(values[i + self.n_inputs] for i in equation.inputs)))
        return values[-1]

    def latex(self) -> str:
        """Return the equations in LaTeX, one per line."""
        return "\n".join(line for equation in self.equations for line in equation.lines)

    def text(self) -> str:
        """Return the equations in plain text, one per line."""
        return "\n".join(_plain(line) for line in self.latex().split("\n"))

    def mathml(self) -> str:
        """Return the equations as MathML elements, one per line."""
        from latex2mathml.converter import convert

        return "\n".join(convert(line, display="block") for line in self.latex().split("\n"))

    def _rows(self) -> list[tuple[str, Equation | None]]:
        """The drawn lines, each layer's first with the layer."""
        rows = [(line, e if i == 0 else None) for e in self.equations for i, line in enumerate(e.lines)]
        return rows[:MAX_LINES]

    def _columns(self) -> tuple[float, float, float]:
        """Return the widths, in inches, of the equations, of their shapes, and of their parameters' shapes."""
        shown = [equation for _, equation in self._rows() if equation is not None]
        shapes, parameters = (max(map(len, map(_plain, texts))) for texts in zip(*map(_said, shown), strict=True))
        longest = max(len(_plain(line)) for line, _ in self._rows())
        return 0.075 * longest + 0.4, 0.06 * shapes + 0.3, 0.06 * parameters + 0.3

    def _size(self) -> tuple[float, float]:
        return sum(self._columns()), 0.33 * len(self._rows()) + 0.5

    def _draw(self, ax: Axes, theme: Theme) -> None:
        rows, (first, *_, last) = self._rows(), self._columns()
        left_out = sum(len(equation.lines) for equation in self.equations) - len(rows)
        use_blank(
            ax, theme, f"the first {len(rows)} of {len(rows) + left_out} equations" if left_out else "", equal=False
        )
        whole = sum(self._columns())
        for i, (line, equation) in enumerate(rows):
            put_text(ax, 0.0, -i, f"${line}$", theme, ha="left", fontsize=1.15 * TEXT)
            if equation is not None:
                shape, parameters = _said(equation)
                look = {"ha": "left", "fontsize": SMALL}
                put_text(ax, first / whole, -i, shape, theme, color=theme.positive, **look)
                put_text(ax, 1 - last / whole, -i, parameters, theme, color=theme.negative, **look)
        ax.set(xlim=(-0.02, 1.0), ylim=(-len(rows) + 0.4, 0.6))


def _said(equation: Equation) -> tuple[str, str]:
    """Return the shapes of a layer's output and of its parameters, as they are drawn."""
    parameters = ",  ".join(f"${symbol}$: {sizes(p.shape)}" for symbol, p in equation.parameters.items())
    return f"${equation.symbol}$: {sizes(equation.shape)}", parameters


def indexed(symbol: str, i: int, n: int) -> str:
    """Return the symbol of unit i of n."""
    if n == 1:
        return symbol
    head, _, index = symbol.partition("_")
    return f"{head}_{{{index.strip('{}')},{i + 1}}}" if index else f"{head}_{{{i + 1}}}"


def _plain(latex: str) -> str:
    """Return a line of LaTeX as plain text."""
    text = re.sub(r"\\sqrt\{((?:[^{}]|\{[^{}]*\})*)\}", r"sqrt(\1)", latex)
    text = re.sub(r"\\mathrm\{([^}]*)\}", r"\1", text.replace(r"\,", " ").replace(r"\ast", "*").replace(r"\times", "*"))
    text = re.sub(r"_\{(\d+),(\d+)\}", r"_\1_\2", text.replace(r"\ldots", "..."))
    return text.replace(r"\_", "_").replace("\\", "").replace("{", "").replace("}", "")
