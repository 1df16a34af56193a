"""The equations of a fitted dense network: h = f(W h + b) layer by layer, with what its layers do besides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.learning import forward
from glassnet.learning.activations import get_activation, softmax
from glassnet.plots.dense import dense_layers, weight_matrices
from glassnet.plots.equation import Equation, indexed

if TYPE_CHECKING:
    from glassnet.learning.spec import Layer, NetworkSpec

FEW = 24  # weights that are written as numbers without being asked
MAX_TERMS = 8  # of a sum of numbers
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
# parameters of a layer that does more, as `NetworkSpec.named` calls them
SYMBOLS = {"weight": "W", "bias": "b", "scale": r"\gamma", "shift": r"\beta", "slope": "a", "shortcut": "W^S"}


def dense_equations(estimator: Any, numbers: bool | None = None) -> list[Equation]:
    """Return the equation of each layer; see `EquationDisplay.from_estimator`."""
    spec = getattr(estimator, "spec_", None)
    if spec is not None and not (spec.plain and "prelu" not in spec.activations):
        return _of_spec(estimator, spec)
    layers, names = dense_layers(estimator), _activation_names(estimator)
    if numbers is None:
        numbers = sum(weight.size for weight, _ in layers) <= FEW
    equations, before = [], "x"
    for i, ((weight, bias), name, symbol) in enumerate(zip(layers, names, _symbols(len(layers)), strict=True)):
        write = _unit_lines if numbers else _layer_line
        lines = write(i + 1, symbol, before, name, weight, bias)
        parameters = {f"W_{{{i + 1}}}": weight.T, f"b_{{{i + 1}}}": bias}
        function = _dense(weight, bias, name)
        equations.append(Equation(symbol, lines, (i - 1,), weight.shape[1:], parameters, function))
        before = symbol
    return equations


def _of_spec(estimator: Any, spec: NetworkSpec) -> list[Equation]:
    """Return the equations of a network whose layers hold more than a weight and a bias, or a part of the weight."""
    arrays, matrices = estimator.state_.arrays, weight_matrices(estimator)
    statistics, equations, before = spec.statistics(arrays), [], "x"
    symbols = _symbols(len(spec.layers))
    for i, (layer, p, symbol) in enumerate(zip(spec.layers, spec.named(arrays["parameters"]), symbols, strict=True)):
        output = OUTPUTS[spec.loss] if layer is spec.layers[-1] else "identity"
        held = p if layer.share_weights else p | {"weight": matrices[i]}
        parameters = {f"{SYMBOLS[name]}_{{{i + 1}}}": array for name, array in held.items()}
        if (running := statistics[i]) is not None:
            parameters |= {rf"\mu_{{{i + 1}}}": running[0], rf"\sigma_{{{i + 1}}}^2": running[1]}
        function = partial(_value, layer, p, statistics[i], output)
        lines = _spec_lines(i + 1, symbol, before, layer, output, "shortcut" in p)
        equations.append(Equation(symbol, lines, (i - 1,), (layer.units,), parameters, function))
        before = symbol
    return equations


def _spec_lines(k: int, symbol: str, before: str, layer: Layer, output: str, projected: bool) -> tuple[str, ...]:
    """Return z = W h + b, if it is normalized, and what follows from it."""
    times = r" \ast " if layer.share_weights else r"\,"
    inside, lines = rf"W_{{{k}}}{times}{before} + b_{{{k}}}", ()
    if layer.norm:
        lines = (f"z_{{{k}}} = {inside}",)
        mean, variance = (rf"\mu_{{{k}}}", rf"\sigma_{{{k}}}^2") if layer.norm == "batch" else (r"\mu", r"\sigma^2")
        inside = rf"\gamma_{{{k}}}\,(z_{{{k}}} - {mean}) / \sqrt{{{variance} + \epsilon}} + \beta_{{{k}}}"
    name = str(layer.activation) if output == "identity" else output
    past = (rf" + W^S_{{{k}}}\,{before}" if projected else f" + {before}") if layer.residual else ""
    return (*lines, f"{symbol} = {_applied(name, inside, k)}{past}")


def _value(layer: Layer, p: dict[str, np.ndarray], running: Any, output: str, h: np.ndarray) -> np.ndarray:
    z = forward.activation(layer, p, h, running)
    return softmax(z) if output == "softmax" else get_activation(output).value(z)


def _symbols(n_layers: int) -> list[str]:
    return [*(f"h_{{{i + 1}}}" for i in range(n_layers - 1)), "y"]


def _activation_names(estimator: Any) -> list[str]:
    """Return the activation function of each layer, of the output what `predict_proba` or `predict` applies."""
    n_layers = len(dense_layers(estimator))
    spec = getattr(estimator, "spec_", None)
    if spec is not None:
        return [*(layer.activation for layer in spec.layers[:-1]), OUTPUTS[spec.loss]]
    if hasattr(estimator, "out_activation_"):
        return [*[estimator.activation] * (n_layers - 1), estimator.out_activation_]
    return ["identity"] * n_layers


def _dense(weight: np.ndarray, bias: np.ndarray, name: str) -> Callable[[np.ndarray], np.ndarray]:
    activation = softmax if name == "softmax" else get_activation(name).value
    return lambda h: activation(h @ weight + bias)


def _applied(name: str, inside: str, k: int = 0) -> str:
    if name == "prelu":
        return rf"\max(0, {inside}) + a_{{{k}}}\,\min(0, {inside})"
    canonical = name if name == "softmax" else get_activation(name).name
    return FUNCTIONS[canonical].format(*[inside] * 2)


def _layer_line(k: int, symbol: str, before: str, name: str, weight: np.ndarray, bias: np.ndarray) -> tuple[str, ...]:
    return (f"{symbol} = " + _applied(name, rf"W_{{{k}}}\,{before} + b_{{{k}}}"),)


def _unit_lines(k: int, symbol: str, before: str, name: str, weight: np.ndarray, bias: np.ndarray) -> tuple[str, ...]:
    """Return one equation per unit; softmax, which needs all of them, in a line of its own."""
    n_in, n_out = weight.shape
    inputs = [indexed(before, i, n_in if before != "x" else 2) for i in range(n_in)]
    target = "z" if name == "softmax" else symbol
    inner = "identity" if name == "softmax" else name
    lines = [
        f"{indexed(target, j, n_out)} = " + _applied(inner, _sum(weight[:, j], inputs, bias[j])) for j in range(n_out)
    ]
    return (*lines, rf"{symbol} = \mathrm{{softmax}}(z)") if name == "softmax" else tuple(lines)


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
