"""A network as its equations: LaTeX, MathML and plain text, with shapes or with the fitted numbers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.errors import InvalidInputError
from glassnet.learning.activations import get_activation, softmax
from glassnet.plots.dense import dense_layers
from glassnet.plots.display import Display
from glassnet.plots.style import SMALL, TEXT, Theme, put_text, sizes, use_blank

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from glassnet.inspect.dataflow import Node

FEW = 24  # weights that are written as numbers without being asked
MAX_TERMS = 8  # of a sum of numbers
MAX_LINES = 40
FUNCTIONS = {
    "identity": "{}",
    "step": r"\mathrm{{step}}({})",
    "sigmoid": r"\mathrm{{sigmoid}}({})",
    "tanh": r"\tanh({})",
    "relu": r"\max(0, {})",
    "leaky_relu": r"\max(0.02\,({}), {})",
    "softmax": r"\mathrm{{softmax}}({})",
}
OUTPUTS = {"cross_entropy": "softmax", "binary_cross_entropy": "sigmoid", "squared_error": "identity"}


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

    @classmethod
    def from_estimator(cls, estimator: Any, *, numbers: bool | None = None) -> EquationDisplay:
        """Write down a fitted dense network, or the decision function of a linear model.

        Parameters
        ----------
        estimator : object
            glassnet's or scikit-learn's multilayer perceptron, or a linear model.
        numbers : bool, optional
            Whether weights are written as numbers, one equation per unit, and not as
            symbols; None does it for at most 24 weights.

        Raises
        ------
        InvalidInputError
            If it is no dense network, or its layers do more than activation(W h + b).
        """
        layers, names = dense_layers(estimator), _activation_names(estimator)
        if numbers is None:
            numbers = sum(weight.size for weight, _ in layers) <= FEW
        symbols = [*(f"h_{{{i + 1}}}" for i in range(len(layers) - 1)), "y"]
        equations, before = [], "x"
        for i, ((weight, bias), name, symbol) in enumerate(zip(layers, names, symbols, strict=True)):
            write = _unit_lines if numbers else _layer_line
            lines = write(i + 1, symbol, before, name, weight, bias)
            parameters = {f"W_{{{i + 1}}}": weight.T, f"b_{{{i + 1}}}": bias}
            function = _dense(weight, bias, name)
            equations.append(Equation(symbol, lines, (i - 1,), weight.shape[1:], parameters, function))
            before = symbol
        return cls(equations)

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
        from glassnet.inspect.dataflow import dataflow
        from glassnet.inspect.trace import trace

        nodes = dataflow(trace(model, *inputs, kwargs=kwargs))
        n_inputs = sum(node.kind == "input" for node in nodes)
        inputs = ("x",) if n_inputs == 1 else tuple(f"x_{{{i + 1}}}" for i in range(n_inputs))
        modules, equations = dict(model.named_modules()), []
        for node in nodes[n_inputs:]:
            symbols = [*inputs, *(equation.symbol for equation in equations)]
            made = _of_node(node, len(equations) + 1, symbols, n_inputs, modules)
            equations.append(made)
        return cls(equations)

    def compose(self, *inputs: Any) -> np.ndarray:
        """Apply the equations one after the other to the network's inputs; return what the last one gives.

        Parameters
        ----------
        *inputs : array_like of shape (n_samples, ...)

        Raises
        ------
        InvalidInputError
            If what a layer does cannot be told from its inputs and parameters.
        """
        values = [np.asarray(value) for value in inputs]
        n_inputs = len(values)
        for equation in self.equations:
            values.append(equation.function(*(values[i + n_inputs] for i in equation.inputs)))
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

    def _size(self) -> tuple[float, float]:
        rows = self._rows()
        longest = max(len(_plain(line)) for line, _ in rows)
        return 0.085 * longest + 4.4, 0.33 * len(rows) + 0.5

    def _draw(self, ax: Axes, theme: Theme) -> None:
        rows = self._rows()
        left_out = sum(len(equation.lines) for equation in self.equations) - len(rows)
        use_blank(
            ax, theme, f"the first {len(rows)} of {len(rows) + left_out} equations" if left_out else "", equal=False
        )
        for i, (line, equation) in enumerate(rows):
            put_text(ax, 0.0, -i, f"${line}$", theme, ha="left", fontsize=1.15 * TEXT)
            if equation is not None:
                shape = f"${equation.symbol}$: {sizes(equation.shape)}"
                put_text(ax, 0.72, -i, shape, theme, ha="left", color=theme.positive, fontsize=SMALL)
                said = ",  ".join(f"${s}$: {sizes(p.shape)}" for s, p in equation.parameters.items())
                put_text(ax, 1.0, -i, said, theme, ha="right", color=theme.negative, fontsize=SMALL)
        ax.set(xlim=(-0.02, 1.02), ylim=(-len(rows) + 0.4, 0.6))


def _activation_names(estimator: Any) -> list[str]:
    """Return the activation function of each layer, of the output what `predict_proba` or `predict` applies."""
    n_layers = len(dense_layers(estimator))
    spec = getattr(estimator, "spec_", None)
    if spec is not None:
        if not all(layer.plain for layer in spec.layers):
            raise InvalidInputError("Layers with normalization, local connections or shortcuts have no such equation.")
        return [*(layer.activation for layer in spec.layers[:-1]), OUTPUTS[spec.loss]]
    if hasattr(estimator, "out_activation_"):
        return [*[estimator.activation] * (n_layers - 1), estimator.out_activation_]
    return ["identity"] * n_layers


def _dense(weight: np.ndarray, bias: np.ndarray, name: str) -> Callable[[np.ndarray], np.ndarray]:
    activation = softmax if name == "softmax" else get_activation(name).value
    return lambda h: activation(h @ weight + bias)


def _applied(name: str, inside: str) -> str:
    canonical = name if name == "softmax" else get_activation(name).name
    return FUNCTIONS[canonical].format(*[inside] * 2)


def _layer_line(k: int, symbol: str, before: str, name: str, weight: np.ndarray, bias: np.ndarray) -> tuple[str, ...]:
    return (f"{symbol} = " + _applied(name, rf"W_{{{k}}}\,{before} + b_{{{k}}}"),)


def _unit_lines(k: int, symbol: str, before: str, name: str, weight: np.ndarray, bias: np.ndarray) -> tuple[str, ...]:
    """Return one equation per unit; softmax, which needs all of them, in a line of its own."""
    n_in, n_out = weight.shape
    inputs = [_indexed(before, i, n_in if before != "x" else 2) for i in range(n_in)]
    target = "z" if name == "softmax" else symbol
    inner = "identity" if name == "softmax" else name
    lines = [
        f"{_indexed(target, j, n_out)} = " + _applied(inner, _sum(weight[:, j], inputs, bias[j])) for j in range(n_out)
    ]
    return (*lines, rf"{symbol} = \mathrm{{softmax}}(z)") if name == "softmax" else tuple(lines)


def _indexed(symbol: str, i: int, n: int) -> str:
    """Return the symbol of unit i of n."""
    if n == 1:
        return symbol
    head, _, index = symbol.partition("_")
    return f"{head}_{{{index.strip('{}')},{i + 1}}}" if index else f"{head}_{{{i + 1}}}"


def _sum(weights: np.ndarray, inputs: Sequence[str], bias: float) -> str:
    """Return 2 x_1 - 0.5 x_2 + 1, of long sums the beginning."""
    terms = [(float(w), rf"\,{symbol}") for w, symbol in zip(weights, inputs, strict=True)][:MAX_TERMS]
    written = "".join(_term(value, rest, first=i == 0) for i, (value, rest) in enumerate([*terms, (float(bias), "")]))
    if len(inputs) > MAX_TERMS:
        last = _term(float(bias), "", first=False)
        written = written.removesuffix(last) + r" + \ldots" + last
    return written


def _term(value: float, rest: str, first: bool) -> str:
    sign = ("-" if value < 0 else "") if first else (" - " if value < 0 else " + ")
    digits, _, power = f"{abs(value):.3g}".partition("e")
    return f"{sign}{digits}" + (rf" \times 10^{{{int(power)}}}" if power else "") + rest


def _of_node(node: Node, k: int, symbols: Sequence[str], n_inputs: int, modules: Mapping[str, Any]) -> Equation:
    """Return what one recorded layer or operation computes."""
    import torch

    from glassnet.plots.layer_formulas import evaluate, formula_of

    call, symbol = node.calls[0], f"h_{{{k}}}"
    layer, formula = modules.get(call.address), formula_of(call)
    if len(node.calls) > 1:
        layer, call = modules[node.name], type(call)(node.name, 0, node.kind, shapes={"output": node.output_shape})
        formula = formula_of(call)
    held = {n: call.values[n] for n in formula.symbols if n in call.values and not call.is_operation}
    parameters = {f"{formula.symbols[n]}_{{{k}}}": np.asarray(t) for n, t in held.items()}
    line = f"{symbol} = " + formula.latex(k, [symbols[s] for s in node.sources] or ["?"], "bias" in held)

    def function(*inputs: np.ndarray) -> np.ndarray:
        return evaluate(call, [torch.as_tensor(value) for value in inputs], held, layer).detach().numpy()

    inputs = tuple(s - n_inputs for s in node.sources)
    return Equation(symbol, (line,), inputs, node.output_shape[1:], parameters, function)


def _plain(latex: str) -> str:
    """Return a line of LaTeX as plain text."""
    text = re.sub(r"\\sqrt\{((?:[^{}]|\{[^{}]*\})*)\}", r"sqrt(\1)", latex)
    text = re.sub(r"\\mathrm\{([^}]*)\}", r"\1", text.replace(r"\,", " ").replace(r"\ast", "*").replace(r"\times", "*"))
    text = re.sub(r"_\{(\d+),(\d+)\}", r"_\1_\2", text.replace(r"\ldots", "..."))
    return text.replace(r"\_", "_").replace("\\", "").replace("{", "").replace("}", "")
