"""What a recorded functional operation computes: its formula in LaTeX, and its value from other tensors.

Arithmetic and attention are computed as written. What only moves numbers about (``pad``, ``permute``, an index), and
any other function, is computed by the torch function that was called, with the arguments that it had.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from glassnet.errors import InvalidInputError
from glassnet.plots.layer_formulas import FORMULAS, attention_latex

if TYPE_CHECKING:
    from torch import Tensor

    from glassnet.inspect.traced import Call

# name of an operation -> its formula, and how Python writes it
ARITHMETIC: dict[str, tuple[str, Callable[..., Any]]] = {
    "add": ("{} + {}", operator.add),
    "sub": ("{} - {}", operator.sub),
    "mul": (r"{}\,{}", operator.mul),
    "div": ("{} / {}", operator.truediv),
    "truediv": ("{} / {}", operator.truediv),
    "matmul": (r"{}\,{}", operator.matmul),
    "pow": ("{}^{{{}}}", operator.pow),
    "neg": ("-{}", operator.neg),
    "square": ("{}^2", lambda x: x * x),
    "T": ("{}^T", lambda x: x.T),
    "mT": ("{}^T", lambda x: x.mT),
}
RANDOM = ("rand", "bernoulli", "normal", "multinomial", "exponential")


def operation_latex(call: Call, k: int, symbols: Sequence[str]) -> str:
    """Return the right-hand side of an operation's equation.

    Parameters
    ----------
    call : Call
    k : int
        Number of the equation.
    symbols : sequence of str
        Of its tensors, in their order.
    """
    function, args, kwargs = _done(call)
    if call.kind == "scaled_dot_product_attention":
        return attention_latex(symbols, masked=len(symbols) > 3 or bool(kwargs.get("is_causal")) or True in args)
    operands = _operands(args, symbols)
    if call.kind in ARITHMETIC and not kwargs and operands is not None:
        return ARITHMETIC[call.kind][0].format(*(operands[::-1] if _reflected(function) else operands))
    known = FORMULAS.get(call.kind.replace("_", ""))
    if known is not None and (len(symbols) == 1 or symbols[1] == f"{known.symbols.get('weight')}_{{{k}}}"):
        return known.latex(k, symbols[:1], len(symbols) > 2)
    return rf"\mathrm{{{call.kind.replace('_', ' ')}}}({', '.join(symbols)})"


def operation_value(call: Call, tensors: Sequence[Tensor]) -> Any:
    """Compute what an operation computes, from these tensors in the place of the recorded ones.

    Raises
    ------
    InvalidInputError
        If it draws at random.
    """
    function, args, kwargs = _done(call)
    args, kwargs = _filled((args, kwargs), tensors)
    if call.kind == "scaled_dot_product_attention":
        return _attention(function, args, kwargs)
    if call.kind in ARITHMETIC and not kwargs:
        return ARITHMETIC[call.kind][1](*(args[::-1] if _reflected(function) else args))
    if _draws(function, args, kwargs):
        raise InvalidInputError(f"{call.address!r} draws at random: put the model into evaluation mode.")
    result = function(*args, **kwargs)
    return args[0] if result is None else result


def _done(call: Call) -> tuple[Any, tuple[Any, ...], dict[str, Any]]:
    if call.done is None:
        raise InvalidInputError(f"What {call.address!r} ({call.kind}) was called with has not been recorded.")
    return call.done


def _filled(arguments: Any, tensors: Sequence[Tensor]) -> Any:
    """Return arguments with copies of these tensors, which may be written into, in their places."""
    from glassnet.inspect.nested import map_tensors
    from glassnet.inspect.traced import TENSOR

    given = iter(tensors)
    return map_tensors(lambda argument: next(given).clone() if argument is TENSOR else argument, arguments)


def _operands(args: Sequence[Any], symbols: Sequence[str]) -> list[str] | None:
    """Return the symbols and numbers of an operation; None if an argument is neither."""
    from glassnet.inspect.traced import TENSOR

    given, written = iter(symbols), []
    for argument in args:
        if argument is TENSOR:
            written.append(next(given))
        elif isinstance(argument, (int, float)):
            written.append(f"{argument:.4g}" if argument >= 0 else f"({argument:.4g})")
        else:
            return None
    return written


def _reflected(function: Any) -> bool:
    """Whether a function is that of Python's reflected operator, as of ``1 - x``."""
    name = getattr(function, "__name__", "")
    return name.startswith("__r") and name.removeprefix("__r").strip("_") in ARITHMETIC


def _attention(function: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Tensor:
    from glassnet.inspect.attention import attention_weights

    given = dict(zip(("query", "key", "value", "attn_mask", "dropout_p"), args, strict=False)) | kwargs
    if given.get("dropout_p"):
        raise InvalidInputError("Attention with dropout draws at random: put the model into evaluation mode.")
    weights, value = attention_weights(function, tuple(args), kwargs), given["value"]
    if given.get("enable_gqa"):
        value = value.repeat_interleave(weights.shape[-3] // value.shape[-3], dim=-3)
    return weights @ value


def _draws(function: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> bool:
    name = getattr(function, "__name__", "")
    if "dropout" not in name:
        return any(word in name for word in RANDOM)
    given = dict(zip(("input", "p", "training"), args, strict=False)) | kwargs
    return bool(given.get("training", name != "native_dropout")) and given.get("p", 0.5) > 0
