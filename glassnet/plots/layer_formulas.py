"""What each kind of layer computes: its formula in LaTeX, and the same formula in plain torch.

The formulas take what a trace has recorded, inputs and parameters, and call no layer.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from glassnet.errors import InvalidInputError

if TYPE_CHECKING:
    from torch import Tensor

    from glassnet.inspect.traced import Call

_PLACE = re.compile(r"input(\.\d+)?")  # of an argument without a name
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
    value: Callable[[Sequence[Tensor], dict[str, Tensor], Any, tuple[int, ...]], Any] | None
    symbols: dict[str, str]


def formula_of(call: Call) -> Formula:
    """Return what a recorded call computes; an unknown kind is written as a function of that name."""
    kind = call.kind.lower().replace("_", "")
    if kind in FORMULAS:
        return FORMULAS[kind]
    name = call.kind.replace("_", r"\_")
    return Formula(lambda k, inputs, bias: rf"\mathrm{{{name}}}({', '.join(inputs)})", None, SYMBOLS)


def evaluate(call: Call, taken: dict[str, Tensor], parameters: dict[str, Tensor], layers: Mapping[str, Any]) -> Any:
    """Compute what a call computes, by its formula.

    Parameters
    ----------
    call : Call
    taken : dict of str to Tensor
        What its inputs are, by quantity.
    parameters : dict of str to Tensor
        The layer's own.
    layers : mapping of str to Module
        By address, for their settings.

    Raises
    ------
    InvalidInputError
        If the formula is not known.
    """
    from glassnet.plots.operation_formulas import operation_value

    if call.is_operation:
        return operation_value(call, list(taken.values()))
    value = formula_of(call).value
    if value is None:
        raise InvalidInputError(f"What {call.address!r} ({call.kind}) does cannot be told from its inputs alone.")
    placed = [tensor for quantity, tensor in taken.items() if _PLACE.fullmatch(quantity)]
    named = {q.removeprefix("input."): tensor for q, tensor in taken.items() if not _PLACE.fullmatch(q)}
    shape = next(shape for quantity, shape in call.shapes.items() if quantity.startswith("output"))
    return value(placed, parameters | named, layers.get(call.address), shape)


def attention_latex(symbols: Sequence[str], masked: bool) -> str:
    """Return softmax(Q K^T / sqrt(d) + M) V, with a mask of 0 and minus infinity if there is one."""
    query, key, value = symbols[:3]
    mask = " + M" if masked else ""
    return rf"\mathrm{{softmax}}({query}\,{key}^T / \sqrt{{d}}{mask})\,{value}"


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


def _embedding(inputs: Sequence[Tensor], p: dict[str, Tensor], layer: Any, shape: tuple[int, ...]) -> Tensor:
    return p["weight"][inputs[0]]


def _group_norm(inputs: Sequence[Tensor], p: dict[str, Tensor], layer: Any, shape: tuple[int, ...]) -> Tensor:
    x = inputs[0].reshape(len(inputs[0]), layer.num_groups, -1)
    z = (x - x.mean(-1, keepdim=True)) / (x.var(-1, correction=0, keepdim=True) + layer.eps) ** 0.5
    z, along = z.reshape(shape), (-1, *(1,) * (len(shape) - 2))
    return p["weight"].reshape(along) * z + p["bias"].reshape(along) if "weight" in p else z


def _gelu(inputs: Sequence[Tensor], p: dict[str, Tensor], layer: Any, shape: tuple[int, ...]) -> Tensor:
    x = inputs[0]
    if layer.approximate == "tanh":
        return x / 2 * (1 + (math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)).tanh())
    return x / 2 * (1 + (x / math.sqrt(2)).erf())


def _multi_head(inputs: Sequence[Tensor], p: dict[str, Tensor], layer: Any, shape: tuple[int, ...]) -> tuple[Any, ...]:
    """Return Concat(head_1, ...) W^O + b^O, head_i = softmax(Q_i K_i^T / sqrt(d) + M) V_i, and the mean softmax."""
    import torch

    if len(shape) != 3 or layer.bias_k is not None or layer.add_zero_attn or (layer.training and layer.dropout):
        raise InvalidInputError("Attention of one sentence, with added keys, or with dropout is not this formula.")
    placed = [*inputs, *(p[name] for name in ("query", "key", "value") if name in p)]
    given = [x if layer.batch_first else x.transpose(0, 1) for x in placed]  # (batch, positions, features)
    joint, bias = p.get("in_proj_weight"), p.get("in_proj_bias")
    weights = joint.chunk(3) if joint is not None else [p[f"{name}_proj_weight"] for name in "qkv"]
    biases = bias.chunk(3) if bias is not None else (0, 0, 0)
    q, k, v = (
        (x @ w.T + b).unflatten(-1, (layer.num_heads, -1)).transpose(1, 2)  # (batch, heads, positions, d)
        for x, w, b in zip(given, weights, biases, strict=True)
    )
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    if "attn_mask" in p:
        mask = p["attn_mask"]
        scores = _masked(scores, mask.unflatten(0, (-1, layer.num_heads)) if mask.ndim == 3 else mask)
    if "key_padding_mask" in p:
        scores = _masked(scores, p["key_padding_mask"][:, None, None])
    e = (scores - scores.amax(-1, keepdim=True)).exp()
    a = e / e.sum(-1, keepdim=True)
    out = (a @ v).transpose(1, 2).flatten(2) @ p["out_proj.weight"].T + p.get("out_proj.bias", torch.zeros(()))
    return out if layer.batch_first else out.transpose(0, 1), a.mean(1)


def _masked(scores: Tensor, mask: Tensor) -> Tensor:
    """Add a mask, or hide where a mask of truth values is true."""
    return scores + mask if mask.is_floating_point() else scores.masked_fill(mask, -math.inf)


def _multi_head_latex(k: int, inputs: Sequence[str], bias: bool) -> str:
    """Return the equations of projections, of a head, and of all heads together."""
    given = [*inputs, *[inputs[-1]] * 2][:3]
    lines = [
        rf"{name}_{{{k}}} = W^{name}_{{{k}}}\,{x} + b^{name}_{{{k}}}" for name, x in zip("QKV", given, strict=True)
    ]
    of_head = [f"{name}_{{{k},i}}" for name in "QKV"]
    lines.append(rf"\mathrm{{head}}_{{{k},i}} = {attention_latex(of_head, masked=len(inputs) > 3)}")
    heads = rf"\mathrm{{concat}}(\mathrm{{head}}_{{{k},1}}, \ldots, \mathrm{{head}}_{{{k},n}})"
    return "\n".join([*lines, rf"W^O_{{{k}}}\,{heads} + b^O_{{{k}}}"])


def _reshape(inputs: Sequence[Tensor], p: dict[str, Tensor], layer: Any, shape: tuple[int, ...]) -> Tensor:
    return inputs[0].reshape(len(inputs[0]), *shape[1:])


def _dropout(inputs: Sequence[Tensor], p: dict[str, Tensor], layer: Any, shape: tuple[int, ...]) -> Tensor:
    if layer.training and layer.p:
        raise InvalidInputError("Dropout in training draws at random: put the model into evaluation mode.")
    return inputs[0]


def _leaky(x: Tensor, layer: Any) -> Tensor:
    return x.clamp_min(0) + layer.negative_slope * x.clamp_max(0)


def _plain(latex: Callable, value: Callable[..., Tensor] | None) -> Formula:
    return Formula(latex, value, SYMBOLS)


_ATTENTION_SYMBOLS = {
    **{"in_proj_weight": "W^{QKV}", "in_proj_bias": "b^{QKV}", "out_proj.weight": "W^O", "out_proj.bias": "b^O"},
    **{f"{name}_proj_weight": f"W^{name.upper()}" for name in "qkv"},
}
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
    "groupnorm": Formula(_norm(r"\mu", r"\sigma^2"), _group_norm, NORM_SYMBOLS),
    "gelu": _plain(_named(r"\mathrm{gelu}("), _gelu),
    "leakyrelu": _plain(_named(r"\mathrm{leakyrelu}("), lambda inputs, p, layer, shape: _leaky(inputs[0], layer)),
    "embedding": Formula(lambda k, inputs, bias: rf"E_{{{k}}}[{inputs[0]}]", _embedding, {"weight": "E"}),
    "multiheadattention": Formula(_multi_head_latex, _multi_head, _ATTENTION_SYMBOLS),
}
