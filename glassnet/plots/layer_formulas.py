"""What each kind of layer computes: its formula in LaTeX, and the same formula in plain torch.

The formulas take what a trace has recorded, inputs and parameters, and call no layer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from glassnet.errors import InvalidInputError

if TYPE_CHECKING:
    from torch import Tensor, nn

    from glassnet.inspect.traced import Call

OPERATIONS = ("relu", "tanh", "sigmoid", "add", "flatten", "reshape", "view")  # without settings that no trace holds
SYMBOLS = {"weight": "W", "bias": "b"}  # of parameters; of a normalization:
NORM_SYMBOLS = {"weight": r"\gamma", "bias": r"\beta"}


@dataclass(frozen=True)
class Formula:
    """One kind of layer.

    Parameters
    ----------
    latex : callable
        (number of the layer, symbols of its inputs, has it a bias) -> right-hand side.
    value : callable or None
        (inputs, parameters by name, layer or None, output shape) -> output; None if it cannot be
        told from what was recorded.
    symbols : dict of str to str
        Symbols of its parameters.
    """

    latex: Callable[[int, Sequence[str], bool], str]
    value: Callable[[Sequence[Tensor], dict[str, Tensor], Any, tuple[int, ...]], Tensor] | None
    symbols: dict[str, str]


def formula_of(call: Call) -> Formula:
    """Return what a recorded call computes; an unknown kind is written as a function of that name."""
    kind = call.kind.lower().replace("_", "")
    if kind in FORMULAS:
        return FORMULAS[kind]
    name = call.kind.replace("_", r"\_")
    return Formula(lambda k, inputs, bias: rf"\mathrm{{{name}}}({', '.join(inputs)})", None, SYMBOLS)


def evaluate(call: Call, inputs: Sequence[Tensor], parameters: dict[str, Tensor], layer: nn.Module | None) -> Tensor:
    """Compute what a call computes, by its formula.

    Raises
    ------
    InvalidInputError
        If the formula is not known.
    """
    value = formula_of(call).value
    if value is None or (call.is_operation and call.kind not in OPERATIONS):
        raise InvalidInputError(f"What {call.address!r} ({call.kind}) does cannot be told from its inputs alone.")
    return value(inputs, parameters, layer, call.shapes["output"])


def _affine(times: str) -> Callable[[int, Sequence[str], bool], str]:
    return lambda k, inputs, bias: rf"W_{{{k}}}{times}{inputs[0]}" + (rf" + b_{{{k}}}" if bias else "")


def _norm(mean: str, variance: str) -> Callable[[int, Sequence[str], bool], str]:
    def latex(k: int, inputs: Sequence[str], bias: bool) -> str:
        centred = rf"({inputs[0]} - {mean.format(k=k)}) / \sqrt{{{variance.format(k=k)} + \epsilon}}"
        return rf"\gamma_{{{k}}}\,{centred} + \beta_{{{k}}}" if bias else centred

    return latex


def _named(before: str, after: str = ")") -> Callable[[int, Sequence[str], bool], str]:
    return lambda k, inputs, bias: before + inputs[0] + after


def _linear(inputs: Sequence[Tensor], p: dict[str, Tensor], layer: Any, shape: tuple[int, ...]) -> Tensor:
    z = inputs[0] @ p["weight"].T
    return z + p["bias"] if "bias" in p else z


def _conv2d(inputs: Sequence[Tensor], p: dict[str, Tensor], layer: Any, shape: tuple[int, ...]) -> Tensor:
    """Every field of the padded image as a column, times the kernels as rows, group by group."""
    import torch
    from torch.nn import functional as F

    fields = F.unfold(inputs[0], layer.kernel_size, layer.dilation, layer.padding, layer.stride)  # (n, in * k * k, L)
    groups = zip(fields.chunk(layer.groups, 1), p["weight"].flatten(1).chunk(layer.groups), strict=True)
    z = torch.cat([kernels @ field for field, kernels in groups], 1).reshape(shape)
    return z + p["bias"][:, None, None] if "bias" in p else z


def _batch_norm(inputs: Sequence[Tensor], p: dict[str, Tensor], layer: Any, shape: tuple[int, ...]) -> Tensor:
    x, along = inputs[0], (-1, *(1,) * (inputs[0].ndim - 2))
    others = tuple(i for i in range(x.ndim) if i != 1)
    if layer.training or layer.running_mean is None:
        mean, variance = x.mean(others), x.var(others, correction=0)
    else:
        mean, variance = layer.running_mean, layer.running_var
    z = (x - mean.reshape(along)) / (variance.reshape(along) + layer.eps) ** 0.5
    return p["weight"].reshape(along) * z + p["bias"].reshape(along) if "weight" in p else z


def _layer_norm(inputs: Sequence[Tensor], p: dict[str, Tensor], layer: Any, shape: tuple[int, ...]) -> Tensor:
    x, over = inputs[0], tuple(range(-len(layer.normalized_shape), 0))
    z = (x - x.mean(over, keepdim=True)) / (x.var(over, correction=0, keepdim=True) + layer.eps) ** 0.5
    return p["weight"] * z + p["bias"] if "weight" in p else z


def _softmax(inputs: Sequence[Tensor], p: dict[str, Tensor], layer: Any, shape: tuple[int, ...]) -> Tensor:
    e = inputs[0].exp()
    return e / e.sum(layer.dim, keepdim=True)


def _pool(largest: bool) -> Callable[..., Tensor]:
    def value(inputs: Sequence[Tensor], p: dict[str, Tensor], layer: Any, shape: tuple[int, ...]) -> Tensor:
        from torch.nn import functional as F

        x, low = inputs[0], float("-inf") if largest else 0.0
        sides, steps, around = (v if isinstance(v, tuple) else (v, v) for v in _window(layer))
        padded = F.pad(x, (around[1], around[1], around[0], around[0]), value=low)
        windows = padded.unfold(2, sides[0], steps[0]).unfold(3, sides[1], steps[1])
        return windows.amax((-2, -1)) if largest else windows.mean((-2, -1))

    return value


def _window(layer: Any) -> tuple[Any, Any, Any]:
    return layer.kernel_size, layer.stride, layer.padding


def _global_mean(inputs: Sequence[Tensor], p: dict[str, Tensor], layer: Any, shape: tuple[int, ...]) -> Tensor:
    if shape[-2:] != (1, 1):
        raise InvalidInputError(f"An adaptive mean to {shape[-2:]} is not one formula; to 1 x 1 it is.")
    return inputs[0].mean((-2, -1), keepdim=True)


def _bend(function: Callable[[Tensor], Tensor]) -> Callable[..., Tensor]:
    return lambda inputs, p, layer, shape: function(inputs[0])


def _add(inputs: Sequence[Tensor], p: dict[str, Tensor], layer: Any, shape: tuple[int, ...]) -> Tensor:
    if len(inputs) != 2:
        raise InvalidInputError("A sum with a constant cannot be told from what was recorded.")
    return inputs[0] + inputs[1]


def _reshape(inputs: Sequence[Tensor], p: dict[str, Tensor], layer: Any, shape: tuple[int, ...]) -> Tensor:
    return inputs[0].reshape(len(inputs[0]), *shape[1:])


def _dropout(inputs: Sequence[Tensor], p: dict[str, Tensor], layer: Any, shape: tuple[int, ...]) -> Tensor:
    if layer.training and layer.p:
        raise InvalidInputError("Dropout in training draws at random: put the model into evaluation mode.")
    return inputs[0]


def _plain(latex: Callable, value: Callable[..., Tensor] | None) -> Formula:
    return Formula(latex, value, SYMBOLS)


_BATCH = Formula(_norm(r"\mu_{{{k}}}", r"\sigma_{{{k}}}^2"), _batch_norm, NORM_SYMBOLS)
_SAME = _named("", "")
FORMULAS: dict[str, Formula] = {
    "linear": _plain(_affine(r"\,"), _linear),
    "conv2d": _plain(_affine(r" \ast "), _conv2d),
    "batchnorm1d": _BATCH,
    "batchnorm2d": _BATCH,
    "layernorm": Formula(_norm(r"\mu", r"\sigma^2"), _layer_norm, NORM_SYMBOLS),
    "relu": _plain(_named(r"\max(0, "), _bend(lambda x: x.clamp_min(0))),
    "tanh": _plain(_named(r"\tanh("), _bend(lambda x: 1 - 2 / ((2 * x).exp() + 1))),
    "sigmoid": _plain(_named(r"\mathrm{sigmoid}("), _bend(lambda x: 1 / (1 + (-x).exp()))),
    "softmax": _plain(_named(r"\mathrm{softmax}("), _softmax),
    "maxpool2d": _plain(_named(r"\mathrm{maxpool}("), _pool(largest=True)),
    "avgpool2d": _plain(_named(r"\mathrm{meanpool}("), _pool(largest=False)),
    "adaptiveavgpool2d": _plain(_named(r"\mathrm{mean}("), _global_mean),
    "flatten": _plain(_named(r"\mathrm{flatten}("), _reshape),
    "reshape": _plain(_named(r"\mathrm{reshape}("), _reshape),
    "view": _plain(_named(r"\mathrm{reshape}("), _reshape),
    "identity": _plain(_SAME, _bend(lambda x: x)),
    "dropout": _plain(_SAME, _dropout),
    "add": _plain(lambda k, inputs, bias: " + ".join(inputs), _add),
}
