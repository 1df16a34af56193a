"""Names for the axes of what a layer holds, told from the layer's kind and the number of axes."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

from torch import nn
from torch.nn.modules import batchnorm, conv, dropout, instancenorm, pooling

from glassnet.learning.response_normalization import LocalResponseNorm

if TYPE_CHECKING:
    from glassnet.inspect.traced import Call

SPATIAL = {1: ("position",), 2: ("height", "width"), 3: ("depth", "height", "width")}
_IMAGE_LAYERS = (
    *(conv._ConvNd, batchnorm._BatchNorm, instancenorm._InstanceNorm, nn.GroupNorm, LocalResponseNorm),
    *(pooling._MaxPoolNd, pooling._AvgPoolNd, pooling._AdaptiveMaxPoolNd, pooling._AdaptiveAvgPoolNd),
    *(nn.LocalResponseNorm, dropout.Dropout1d, dropout.Dropout2d, dropout.Dropout3d),
)
_UNIT_LAYERS = (nn.Linear, nn.Bilinear, nn.LayerNorm, nn.Embedding)


def layout(layer: nn.Module) -> str:
    """Return how a layer lays out its axes.

    Returns
    -------
    {"channels", "units", "recurrent", "attention", "other"}
        Channels before the spatial axes; units last; a recurrent or attention layer, with "/batch" or
        "/position" for its first axis; anything else.
    """
    kind = _layout_of_type(type(layer))
    if kind in ("recurrent", "attention"):
        return f"{kind}/{'batch' if layer.batch_first else 'position'}"
    return kind


@cache
def _layout_of_type(kind: type) -> str:
    known = {
        "channels": _IMAGE_LAYERS,
        "units": _UNIT_LAYERS,
        "recurrent": nn.RNNBase,
        "attention": nn.MultiheadAttention,
    }
    return next((name for name, kinds in known.items() if issubclass(kind, kinds)), "other")


@cache
def activation_dims(layout: str, quantity: str, ndim: int) -> tuple[str, ...]:
    """Return a name for each axis of an input or output.

    Parameters
    ----------
    layout : str
        What `layout` gives.
    quantity : str
        ``"input"``, ``"output.1"``, ...
    ndim : int
        Number of axes.

    Examples
    --------
    >>> activation_dims("channels", "output", 4)
    ('batch', 'channel', 'height', 'width')
    >>> activation_dims("recurrent/position", "output.0", 3)
    ('position', 'batch', 'unit')
    """
    if quantity == "attention":
        return ("batch", "head", "query", "key")[-ndim:]
    kind, _, first = layout.partition("/")
    if kind in ("recurrent", "attention") and ndim == 3:
        return _sequence_dims(kind, quantity, first)
    if kind == "channels" and 3 <= ndim <= 5:
        return ("batch", "channel", *SPATIAL[ndim - 2])
    if ndim < 2:
        return (("unit",) if kind == "units" else ("batch",))[:ndim]
    named = kind == "units" or ndim == 3
    between = SPATIAL.get(ndim - 2) if named else None
    if between is None:
        between = tuple(f"axis{i}" for i in range(1, ndim - 1))
    return ("batch", *between, "unit" if named or ndim == 2 else f"axis{ndim - 1}")


def _sequence_dims(kind: str, quantity: str, first: str) -> tuple[str, str, str]:
    if kind == "attention" and quantity == "output.1":
        return ("batch", "query", "key")
    if kind == "recurrent" and quantity not in ("input", "input.0", "output.0"):
        return ("layer", "batch", "unit")
    return ("batch", "position", "unit") if first == "batch" else ("position", "batch", "unit")


def parameter_dims(layer: nn.Module, ndim: int) -> tuple[str, ...]:
    """Return a name for each axis of a weight or bias; weights are (output, input, ...) as in torch.

    Examples
    --------
    >>> parameter_dims(nn.Conv2d(1, 6, 5), 4), parameter_dims(nn.Linear(2, 1), 1)
    (('output', 'input', 'height', 'width'), ('output',))
    """
    return _parameter_dims_of_type(type(layer), ndim)


@cache
def _parameter_dims_of_type(kind: type, ndim: int) -> tuple[str, ...]:
    if issubclass(kind, nn.Embedding):
        return ("token", "unit")
    first = ("input", "output") if ndim > 1 and issubclass(kind, conv._ConvTransposeNd) else ("output", "input")
    return (*first, *SPATIAL.get(ndim - 2, tuple(f"axis{i}" for i in range(2, ndim))))[:ndim]


def name_axes(events: Iterable[tuple[Call, str]]) -> dict[tuple[Call, str], tuple[str, ...]]:
    """Return the names of the axes of recorded inputs and outputs.

    A layer of a known kind names its own; anything else (an addition, a ReLU, a container) inherits the names
    from a layer that made or takes the same tensor, or from an input of the same shape.

    Parameters
    ----------
    events : iterable of (Call, quantity)
        In the order of recording.
    """
    kept = [(call, quantity, call.values[quantity]) for call, quantity in events if quantity in call.values]
    dims: dict[tuple[Call, str], tuple[str, ...]] = {}
    known: dict[int, tuple[str, ...]] = {}
    for call, quantity, tensor in kept:
        if call.layout != "other" or quantity == "attention":
            known[id(tensor)] = dims[call, quantity] = activation_dims(call.layout, quantity, tensor.ndim)
    for call, quantity, tensor in kept:
        if (call, quantity) not in dims:
            alike = (dims.get((call, q)) for q, t in call.values.items() if q != quantity and t.shape == tensor.shape)
            names = known.get(id(tensor)) or next(filter(None, alike), None)
            known[id(tensor)] = names = names or activation_dims("other", quantity, tensor.ndim)
            dims[call, quantity] = names
    return dims
