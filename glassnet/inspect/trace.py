"""Look inside a network at one moment: every layer's inputs, outputs and parameters for one input."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from glassnet.errors import ForwardError, InvalidInputError, UnknownNameError
from glassnet.inspect.as_found import left_as_found
from glassnet.inspect.dims import parameter_dims
from glassnet.inspect.estimator_trace import trace_dense
from glassnet.inspect.nested import map_tensors, once_each, tensors_in
from glassnet.inspect.recorder import Recorder
from glassnet.inspect.traced import Call, Trace
from glassnet.inspect.watch import Parts, Watch, is_closed
from glassnet.memory import keep_freed_memory

__all__ = ["Trace", "trace"]

Copies = dict[int, tuple[Tensor, Tensor]]  # id of a parameter -> the parameter, and a copy of its values


def trace(
    model: Any,
    *inputs: Any,
    layers: str | Iterable[str] | None = None,
    gradients: bool | Callable[[Any], Tensor] = False,
    max_bytes: int | None = None,
    kwargs: Mapping[str, Any] | None = None,
) -> Trace:
    """Run a model once and return what every layer got, gave and holds.

    Parameters
    ----------
    model : Module or fitted estimator
        Any torch module, in training or evaluation mode as it is found; a glassnet estimator; scikit-learn's
        multilayer perceptrons.
    *inputs : Tensor, ndarray, or tuples and dicts of them
        What the model is called with. Floating arrays take the model's precision. The model gets copies.
    layers : str or iterable of str, optional
        Addresses to record: names in ``model.named_modules()``, or those of functional operations
        (``"layer1.0:add"``). All unless given; none, ``()``, keeps the calls and their shapes only.
    gradients : bool or callable
        Also record the gradient of a scalar with respect to every recorded floating tensor, under
        ``"output.gradient"``, ``"weight.gradient"`` and so on. True takes the sum of the outputs; a callable maps
        what the model returns to the scalar.
    max_bytes : int, optional
        Refuse to record more than this.
    kwargs : mapping, optional
        Keyword arguments of the model.

    Returns
    -------
    Trace
        (layer address, call number, quantity) -> tensor with named axes.

    Raises
    ------
    ForwardError
        If the forward pass raises; the message names the layer and the shapes, and the error's `trace` holds what
        was recorded until then.
    UnknownNameError
        If a layer address does not exist; the nearest name is offered.
    InvalidInputError
        If the model cannot be traced (compiled, scripted, lazy), or if the trace would exceed `max_bytes`; the
        message says how much it would take.

    Notes
    -----
    The model is left as it was found: mode, hooks, buffers, gradients, and the state of all random generators.
    Recorded values do not change when something writes into them later. Functional operations that no layer
    stands for (``F.relu``, ``+``, attention) are recorded too, and attention weights also where the call does not
    return them. torch's fused inference path of `nn.MultiheadAttention` and `nn.TransformerEncoderLayer`, which shows
    nothing, is not taken: their outputs may differ from an untraced call in the last bits.

    Examples
    --------
    >>> model = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
    >>> seen = trace(model, torch.ones(4, 2))
    >>> seen["0"], seen["0", 0, "weight"]
    (NamedTensor(batch: 4, unit: 3), NamedTensor(output: 3, input: 2))
    >>> bool((seen["1"].tensor == seen["0"].tensor.relu()).all())
    True
    """
    module = getattr(model, "module_", model)
    if not isinstance(module, nn.Module):
        return trace_dense(model, *inputs, layers=layers, gradients=gradients, max_bytes=max_bytes)
    parts, aliases = _parts(module)
    _check_traceable(parts)
    wanted = _wanted(layers, parts, aliases)
    given = map_tensors(lambda value: _as_tensor(value, module), (inputs, dict(kwargs or {})))
    watch, error = _watch(parts, given, wanted, gradients, max_bytes)
    finished = Trace(watch.recorder.calls, watch.result, aliases, watch.recorder.dims, watch.recorder.events)
    if error is not None:
        raise _forward_error(error, watch, finished) from error
    _check_seen(wanted, finished)
    return finished


def _watch(
    parts: Parts, given: Any, wanted: set[str] | None, gradients: Any, max_bytes: int | None, sure: bool = False
) -> tuple[Watch, Exception | None]:
    """Run the model; return what was seen of it, and the error that it raised."""
    keep_freed_memory()
    recorder = Recorder(wanted, bool(gradients), max_bytes)
    watch = Watch(parts, recorder)
    copies = _copied_parameters(watch)
    recorder.nbytes = sum(copy.nbytes for _, copy in copies.values())
    args, options = map_tensors(_fresh(bool(gradients)), given)
    with left_as_found(parts.values(), copies.values()), torch.set_grad_enabled(bool(gradients)):
        error = watch.run(args, options, every_write=sure)
        missed = not sure and recorder.overwritten()
        if not missed and error is None and recorder.too_large:
            raise InvalidInputError(
                f"This trace would take {recorder.nbytes:,} bytes, more than max_bytes={max_bytes:,}; "
                "choose fewer layers (layers=...) or a smaller input."
            )
        if not missed:
            _complete(watch, copies, gradients if error is None else None)
    return _watch(parts, given, wanted, gradients, max_bytes, sure=True) if missed else (watch, error)


def _complete(watch: Watch, copies: Copies, gradients: Any) -> None:
    """Add parameters and gradients to the recorded calls, and cut them off the graph and the outside world."""
    recorder, layers = watch.recorder, watch.parts.values()
    outside = [t for layer in layers for t in (*layer._parameters.values(), *layer._buffers.values())]
    if recorder.events:
        recorder.preserve([t for t in outside if t is not None] + [t for _, t in tensors_in("", watch.result)])
    places = {**recorder.edges, **_add_parameters(watch, copies)}
    if gradients:
        _add_gradients(places, _scalar(gradients, watch.result))
    detach = once_each(Tensor.detach)
    for call in recorder.calls if recorder.gradients else ():
        call.values.update({quantity: detach(tensor) for quantity, tensor in call.values.items()})
    watch.result = map_tensors(detach, watch.result)


def _add_parameters(watch: Watch, copies: Copies) -> dict[tuple[Call, str], Tensor]:
    """Put each layer's own parameters into its calls; return where the trainable ones went."""
    recorder, trainable = watch.recorder, {}
    for call in [] if recorder.too_large else recorder.calls:
        if call.is_operation or not recorder.wants(call.address):
            continue
        for name, parameter in _own_parameters(watch.parts[call.address]):
            quantity = f"parameter.{name}" if name in call.shapes else name
            call.values[quantity] = copies[id(parameter)][1]
            recorder.dims[call, quantity] = parameter_dims(watch.parts[call.address], parameter.ndim)
            if parameter.requires_grad:
                trainable[call, quantity] = parameter
    return trainable


def _scalar(gradients: Any, result: Any) -> Tensor:
    """Return the scalar that is differentiated."""
    if not isinstance(gradients, bool):
        return gradients(result)
    parts = [t.sum() for _, t in tensors_in("", result) if t.requires_grad]
    if not parts:
        raise InvalidInputError("No output depends on a parameter or input by way of gradients.")
    return torch.stack(parts).sum()


def _add_gradients(places: dict[tuple[Call, str], Any], scalar: Tensor) -> None:
    """Differentiate a scalar with respect to every place in the graph, leaving all ``.grad`` alone."""
    keys = {at: id(place) if isinstance(place, Tensor) else place[:2] for at, place in places.items()}
    unique = {keys[at]: place for at, place in places.items()}
    found = dict(zip(unique, torch.autograd.grad(scalar, list(unique.values()), allow_unused=True), strict=True))
    for (call, quantity), key in keys.items():
        if found[key] is not None:
            call.values[f"{quantity}.gradient"] = found[key]


def _parts(model: nn.Module) -> tuple[Parts, dict[str, str]]:
    """Return a model's layers by address, and the further names of shared ones with their first name."""
    parts: Parts = {}
    aliases: dict[str, str] = {}
    first: dict[int, str] = {}

    def visit(address: str, layer: nn.Module) -> None:  # named_modules(), four times as fast
        if first.setdefault(id(layer), address) == address:
            parts[address] = layer
        else:
            aliases[address] = first[id(layer)]
        for name, part in layer._modules.items():
            if part is not None:
                visit(f"{address}.{name}" if address else name, part)

    visit("", model)
    return parts, aliases


def _check_traceable(parts: Parts) -> None:
    for address, layer in parts.items():
        where = f"layer {address!r}" if address else "the model"
        if isinstance(layer, torch.jit.ScriptModule):
            raise InvalidInputError(
                f"Cannot look inside a scripted model ({where}); trace the module it was made from."
            )
        if "_orig_mod" in layer._modules or layer._compiled_call_impl is not None:
            raise InvalidInputError(f"Cannot look inside a compiled model ({where}); trace it before torch.compile.")
        if nn.UninitializedParameter in map(type, layer._parameters.values()):
            raise InvalidInputError(f"The shapes of {where} are not known yet; call the model once before tracing.")


def _wanted(layers: str | Iterable[str] | None, parts: Parts, aliases: dict[str, str]) -> set[str] | None:
    """Return the addresses to record, each known by its first name."""
    if layers is None:
        return None
    wanted = {layers} if isinstance(layers, str) else set(layers)
    for address in wanted:
        if address.partition(":")[0] not in {*parts, *aliases}:
            raise UnknownNameError("layer", address, [*parts, *aliases])
    return {aliases.get(address, address) for address in wanted}


def _check_seen(wanted: set[str] | None, finished: Trace) -> None:
    """Refuse the address of an operation that did not happen."""
    operations = {call.address for call in finished.calls if call.is_operation}
    for address in wanted or ():
        if ":" in address and address not in operations:
            raise UnknownNameError("operation", address, operations)


def _own_parameters(layer: nn.Module) -> Iterable[tuple[str, Tensor]]:
    """Return the parameters that are not those of a layer's parts."""
    if layer._modules and is_closed(layer):
        return layer.named_parameters()
    return [(name, p) for name, p in layer._parameters.items() if p is not None]


def _copied_parameters(watch: Watch) -> Copies:
    wanted = [layer for address, layer in watch.parts.items() if watch.recorder.wants(address)]
    parameters = {id(p): p for layer in wanted for _, p in _own_parameters(layer)}
    return {key: (p, p.detach().clone()) for key, p in parameters.items()}


def _forward_error(error: Exception, watch: Watch, finished: Trace) -> ForwardError:
    """Return an error that names the layer in which the model raised, with the shapes that it saw."""
    known = watch.failure is not None and watch.failure[0] is error
    call = watch.failure[1] if known and watch.failure else Call("", 0, type(watch.parts[""]).__name__)
    shapes = dict(call.shapes)
    if not call.is_operation:
        own = _own_parameters(watch.parts[call.address])
        shapes.update({name: tuple(p.shape) for name, p in own})
    what = "operation" if call.is_operation else "layer" if call.address else "the model itself"
    where = f"{what} {call.address!r} ({call.kind}, call {call.number})" if call.address else f"{what} ({call.kind})"
    seen = ", ".join(f"{name} {shape}" for name, shape in shapes.items()) or "no tensors"
    message = f"The forward pass broke in {where} with {seen}: {type(error).__name__}: {error}"
    return ForwardError(message, call.address, finished)


def _as_tensor(value: Any, model: nn.Module) -> Any:
    """Return an array as a tensor where the model is, floating ones in its precision."""
    if not isinstance(value, np.ndarray):
        return value
    like = next((p for p in model.parameters() if p.is_floating_point()), torch.empty(0))
    return torch.as_tensor(value, dtype=like.dtype if value.dtype.kind == "f" else None, device=like.device)


def _fresh(gradients: bool) -> Callable[[Any], Any]:
    """Return a function that copies tensors, floating ones as leaves of the graph if there are gradients."""

    def copy(tensor: Tensor) -> Tensor:
        leaf = tensor.detach().clone()
        return leaf.requires_grad_().clone() if gradients and leaf.is_floating_point() else leaf

    return once_each(copy)
