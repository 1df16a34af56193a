"""What the pictures need to know of a trace: which calls to show, under what name, with what numbers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from glassnet.errors import InvalidInputError

if TYPE_CHECKING:
    from torch import Tensor

    from glassnet.inspect.traced import Call, Trace

# kinds of layers and names of functions that bend each value by itself, or a row of them as softmax does
ACTIVATIONS = frozenset(
    {
        "relu",
        "relu6",
        "leakyrelu",
        "leaky_relu",
        "prelu",
        "elu",
        "selu",
        "celu",
        "gelu",
        "silu",
        "mish",
        "tanh",
        "sigmoid",
        "logsigmoid",
        "hardtanh",
        "hardsigmoid",
        "hardswish",
        "softplus",
        "softsign",
        "softmax",
        "log_softmax",
        "logsoftmax",
        "tanhshrink",
        "hardshrink",
        "softshrink",
    }
)


def output_name(call: Call) -> str | None:
    """Return the quantity under which a call's first output stands; None if none is kept."""
    return next((q for q in call.values if q.startswith("output") and not q.endswith(".gradient")), None)


def input_name(call: Call) -> str | None:
    """Return the quantity under which a call's first input stands; None if none is kept."""
    return next((q for q in call.values if q.startswith("input") and not q.endswith(".gradient")), None)


def call_name(call: Call) -> str:
    """Return how pictures name a call: ``"relu"``, the second time ``"relu, call 2"``."""
    address = call.address.removeprefix(":") or "(model)"
    return f"{address}, call {call.number + 1}" if call.number else address


def is_activation(call: Call) -> bool:
    """Whether a call is an activation function."""
    return call.kind.lower() in ACTIVATIONS


def is_normalization(call: Call) -> bool:
    """Whether a call is a layer that normalizes."""
    return "norm" in call.kind.lower() and "weight_norm" not in call.kind.lower()


def shown_calls(trace: Trace, layers: str | Iterable[str] | None = None) -> list[Call]:
    """Return the calls to show: the named ones, or all that make something new.

    Parameters
    ----------
    trace : Trace
    layers : str or iterable of str, optional
        Addresses; the calls of each in their order. None: layers without parts, and operations, whose output
        is not their input seen in another shape.

    Raises
    ------
    UnknownNameError
        If there is no such layer; the nearest name is offered.
    InvalidInputError
        If nothing was recorded of one.
    """
    if layers is None:
        inner = {call.address for call in trace.calls if not call.is_operation}
        whole = {a.rpartition(".")[0] for a in inner if a} | {
            c.address.partition(":")[0] for c in trace.calls if c.is_operation
        }
        return [call for call in trace.calls if call.address not in whole and output_name(call) and not _is_view(call)]
    found = []
    for address in [layers] if isinstance(layers, str) else layers:
        first = trace.call(address)
        calls = [call for call in trace.calls if call.address == first.address]
        if not all(output_name(call) for call in calls):
            raise InvalidInputError(f"No output of {address!r} was recorded.")
        found += calls
    return found


def output_of(call: Call) -> np.ndarray:
    """Return the first output of a call, float64 where it holds numbers with fractions."""
    return as_array(call.values[output_name(call) or "output"])


def as_array(tensor: Tensor) -> np.ndarray:
    """Return a tensor as an array, floating ones in float64."""
    tensor = tensor.detach().cpu()
    return (tensor.double() if tensor.is_floating_point() else tensor).numpy()


def spread_over(n: int, most: int) -> list[int]:
    """Return at most so many of the numbers below n, from the first to the last.

    Examples
    --------
    >>> spread_over(9, 3), spread_over(2, 3)
    ([0, 4, 8], [0, 1])
    """
    return sorted({round(float(i)) for i in np.linspace(0, n - 1, min(n, most))})


def said_not_finite(values: np.ndarray) -> str:
    """Return ``", 3 not finite"``, or nothing if all are.

    Examples
    --------
    >>> said_not_finite(np.array([1.0, np.nan])), said_not_finite(np.ones(2))
    (', 1 not finite', '')
    """
    n = int(np.sum(~np.isfinite(values)))
    return f", {n:,} not finite" if n else ""


def said_shape(shape: Iterable[int]) -> str:
    """Return a shape in words: ``"3 x 6 x 28 x 28"`` with true signs.

    Examples
    --------
    >>> said_shape((3, 10))
    '3 × 10'
    """
    return " \N{MULTIPLICATION SIGN} ".join(map(str, shape)) or "one number"


def _is_view(call: Call) -> bool:
    """Whether a call's output is its input's memory."""
    before, after = input_name(call), output_name(call)
    if before is None or after is None:
        return False
    old, new = call.values[before], call.values[after]
    return old.numel() == new.numel() and old.data_ptr() == new.data_ptr()
