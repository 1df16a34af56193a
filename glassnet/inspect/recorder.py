"""Watch one forward pass: hooks for layers, a torch-function mode for what layers do not show.

Recorded tensors are kept by reference, which costs nothing. Before an operation writes into the memory of one
of them, that one is copied. Operations that write are known by their names; should one have escaped, which the
tensors' version counters tell, the pass is repeated under a dispatch mode, which is slower and sees every write.
"""

from __future__ import annotations

import inspect
import re
import sys
import threading
import weakref
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import fields, is_dataclass
from functools import cache, partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from glassnet.inspect.attention import attention_weights
from glassnet.inspect.dims import layout
from glassnet.inspect.traced import Call

# torch.nn.functional functions with an `inplace` argument, and its place
_INPLACE_ARGUMENT = {
    function: list(inspect.signature(function).parameters).index("inplace")
    for function in vars(F).values()
    if inspect.isfunction(function) and "inplace" in inspect.signature(function).parameters
}
# Python's names of operators: "__add__", "__radd__" (reflected), "__iadd__" (augmented)
_OPERATOR = re.compile(r"__([ri]?)(add|sub|mul|matmul|div|truediv|floordiv|mod|pow|and|or|xor|lshift|rshift)__")
# what asks a tensor about itself makes no new one
_SILENT = {"__get__", "__len__", "__bool__", "size", "dim", "numel", "stride", "item", "is_contiguous"}


def tensors_in(name: str, value: Any) -> Iterator[tuple[str, Tensor]]:
    """Yield the tensors of a nested value, each with its path: ``"output"``, ``"output.0"``, ``"output.logits"``."""
    if type(value) is Tensor or isinstance(value, Tensor):  # the second is slow
        yield name, value
    elif isinstance(value, Mapping):
        for key in value:
            yield from tensors_in(f"{name}.{key}", value[key])
    elif isinstance(value, (tuple, list)):
        for i, item in enumerate(value):
            yield from tensors_in(f"{name}.{i}", item)
    elif is_dataclass(value) and not isinstance(value, type):
        for part in fields(value):
            yield from tensors_in(f"{name}.{part.name}", getattr(value, part.name))


def inputs_in(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Iterator[tuple[str, Tensor]]:
    """Yield the tensors of a call's arguments: ``"input"`` if there is one argument, else numbered and named."""
    if len(args) == 1 and not kwargs:
        yield from tensors_in("input", args[0])
    else:
        yield from tensors_in("input", args)
        yield from tensors_in("input", kwargs)


class Recorder:
    """What one forward pass has shown so far.

    Parameters
    ----------
    layers : dict of str to Module
        The model, ``""``, and all its parts by address.
    wanted : set of str or None
        Addresses whose values are kept; None for all.
    gradients : bool
        Keep the place of each tensor in the autograd graph.
    max_bytes : int or None
        Keep nothing once this is exceeded, but go on counting.
    """

    def __init__(self, layers: dict[str, nn.Module], wanted: set[str] | None, gradients: bool, max_bytes: int | None):
        self.layers, self.wanted, self.gradients, self.max_bytes = layers, wanted, gradients, max_bytes
        self.calls: list[Call] = []
        self.events: list[tuple[Call, str]] = []
        self.edges: dict[tuple[Call, str], Any] = {}
        self.nbytes = 0
        self.result: Any = None
        self.failure: tuple[BaseException, Call] | None = None
        self._thread = threading.get_ident()
        self._numbers: Counter[str] = Counter()
        self._open: list[tuple[Call, bool]] = []
        self._guard: Any = None
        self._holders: dict[int, list[tuple[Call, str, int]]] = {}  # memory -> who holds it, at which version
        self._counted: dict[int, weakref.ref[Tensor]] = {}

    def wants(self, address: str) -> bool:
        """Whether the values of this address are kept."""
        return self.wanted is None or address in self.wanted

    @property
    def too_large(self) -> bool:
        """Whether more was to be kept than allowed."""
        return self.max_bytes is not None and self.nbytes > self.max_bytes

    def run(self, args: Any, kwargs: Any, every_write: bool = False) -> Exception | None:
        """Call the model and keep its `result`; return the error that it raised."""
        try:
            with self._watch(every_write):
                self.result = self.layers[""](*args, **kwargs)
        except Exception as error:
            return error
        return None

    @contextmanager
    def _watch(self, every_write: bool) -> Iterator[None]:
        """Record what the model does inside the block; the model's hooks are gone afterwards."""
        handles = []
        try:
            for address, layer in self.layers.items():
                enter = partial(self._enter, address, layout(layer), is_closed(layer), _is_plain(layer))
                handles.append(layer.register_forward_pre_hook(enter, with_kwargs=True))
                handles.append(layer.register_forward_hook(self._leave, with_kwargs=True, always_call=True))
            with _EveryWrite(self) if every_write else nullcontext(), _EveryOperation(self):
                yield
        finally:
            self._show()
            for handle in handles:
                handle.remove()

    def overwritten(self) -> bool:
        """Whether a kept tensor has changed without having been copied first."""
        held = ((call.values[quantity], version) for h in self._holders.values() for call, quantity, version in h)
        return any(_version(tensor) != version for tensor, version in held)

    def preserve(self, tensors: Iterable[Tensor]) -> None:
        """Copy what is kept in the memory of these tensors, which is about to change."""
        copies: dict[int, Tensor] = {}
        for tensor in tensors if self._holders or self._counted else ():
            memory, _ = _memory(tensor)
            self._counted.pop(memory, None)
            for call, quantity, _ in self._holders.pop(memory, ()):
                kept = call.values[quantity]
                if id(kept) not in copies:
                    copies[id(kept)] = kept.detach().clone()
                call.values[quantity] = copies[id(kept)]

    def keep(self, call: Call, quantity: str, tensor: Tensor) -> None:
        """Record a tensor, by reference, under a call."""
        call.shapes[quantity] = tuple(tensor.shape)
        if not self.wants(call.address):
            return
        memory, nbytes = _memory(tensor)
        differentiable = self.gradients and tensor.requires_grad
        if memory not in self._holders and not self._is_counted(memory):
            self.nbytes += 2 * nbytes if differentiable else nbytes
        if self.too_large:
            self._forget()
            self._counted[memory] = weakref.ref(tensor)
            return
        call.values[quantity] = tensor
        self.events.append((call, quantity))
        self._holders.setdefault(memory, []).append((call, quantity, _version(tensor)))
        if differentiable:
            self.edges[call, quantity] = tensor if tensor.is_leaf else torch.autograd.graph.get_gradient_edge(tensor)

    def _is_counted(self, memory: int) -> bool:
        """Whether tensors that are not kept, but still alive, have been counted."""
        known = self._counted.get(memory)
        return known is not None and known() is not None  # a dead tensor's memory may be another's by now

    def _forget(self) -> None:
        """Let go of everything kept."""
        for memory, holders in self._holders.items():
            call, quantity, _ = holders[0]
            self._counted[memory] = weakref.ref(call.values[quantity])
        self.events.clear()
        self.edges.clear()
        self._holders.clear()
        for call in self.calls:
            call.values.clear()

    def _new_call(self, address: str, kind: str, layout: str = "other") -> Call:
        call = Call(address, self._numbers[address], kind, layout)
        self._numbers[address] += 1
        self.calls.append(call)
        return call

    def _enter(
        self, address: str, layout: str, closed: bool, plain: bool, layer: nn.Module, args: Any, kwargs: Any
    ) -> None:
        """Begin a call of a layer: the hook before its forward pass."""
        if threading.get_ident() != self._thread:
            return
        self._hide()
        call = self._new_call(address, type(layer).__name__, layout)
        self._open.append((call, closed))
        if len(args) == 1 and not kwargs and type(args[0]) is Tensor:  # by far the most frequent
            self.keep(call, "input", args[0])
            if plain:
                return  # nothing inside concerns us: stay hidden
        else:
            for quantity, tensor in inputs_in(args, kwargs):
                self.keep(call, quantity, tensor)
        self._show()

    def _leave(self, layer: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        """End the innermost call: the hook after a layer's forward pass, also when it raised."""
        if threading.get_ident() != self._thread:
            return
        call, _ = self._open.pop()
        raised = sys.exc_info()[1] if output is None else None
        if raised is not None:
            self._fail(raised, call)
        self._hide()
        for quantity, tensor in tensors_in("output", output):
            self.keep(call, quantity, tensor)
        self._show()

    def _hide(self) -> None:
        """Let torch functions pass unseen."""
        if self._guard is None:
            self._guard = torch._C.DisableTorchFunction()
            self._guard.__enter__()

    def _show(self) -> None:
        """See torch functions again."""
        if self._guard is not None:
            self._guard.__exit__(None, None, None)
            self._guard = None

    def _fail(self, error: BaseException, call: Call) -> None:
        if self.failure is None or self.failure[0] is not error:  # the innermost speaks
            self.failure = (error, call)

    def operate(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a torch function; record it unless it is the work of one of torch's own layers."""
        name = getattr(function, "__name__", type(function).__name__)
        if name in _SILENT:
            return function(*args, **kwargs)
        does, writes = _read(name)
        writes = writes or _writes_by_argument(function, args, kwargs)
        layer, closed = self._open[-1] if self._open else (None, False)
        if not closed:
            address = f"{layer.address if layer else ''}:{does}"
            return self._operate(self._new_call(address, does), writes, function, args, kwargs)
        if writes:
            self.preserve(tensor for _, tensor in inputs_in(args, kwargs))
        if function is F.multi_head_attention_forward:
            self._keep_attention(function, args, kwargs, layer)
        return function(*args, **kwargs)

    def _operate(self, call: Call, writes: bool, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        for quantity, tensor in inputs_in(args, kwargs):
            self.keep(call, quantity, tensor)
        if writes:
            self.preserve(tensor for _, tensor in inputs_in(args, kwargs))
        try:
            result = function(*args, **kwargs)
        except Exception as error:
            self._fail(error, call)
            raise
        outputs = list(tensors_in("output", args[0] if writes and result is None else result))
        if not outputs:
            self._discard(call)
        for quantity, tensor in outputs:
            self.keep(call, quantity, tensor)
        if function is F.scaled_dot_product_attention:
            layers = [layer for layer, _ in self._open[-1:] if "attention" not in layer.shapes]
            self._keep_attention(function, args, kwargs, call, *layers)
        return result

    def _discard(self, call: Call) -> None:
        """Take back a call that made no tensor, such as ``x.size()``."""
        self.calls.remove(call)
        self._numbers[call.address] -= 1
        self.events = [event for event in self.events if event[0] is not call]
        self.edges = {at: edge for at, edge in self.edges.items() if at[0] is not call}

    def _keep_attention(
        self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any], *calls: Call | None
    ) -> None:
        wanted = [call for call in calls if call is not None and self.wants(call.address)]
        if wanted:
            weights = attention_weights(function, args, kwargs)
            for call in wanted:
                self.keep(call, "attention", weights)


class _EveryOperation(TorchFunctionMode):
    """Show the recorder every torch function that Python code calls."""

    def __init__(self, recorder: Recorder):
        super().__init__()
        self.recorder = recorder

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return self.recorder.operate(func, args, kwargs or {})


class _EveryWrite(TorchDispatchMode):
    """Copy what is kept before any kernel writes into it."""

    def __init__(self, recorder: Recorder):
        super().__init__()
        self.recorder = recorder

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func._schema.is_mutable:
            self.recorder.preserve(tensor for _, tensor in inputs_in(args, kwargs or {}))
        return func(*args, **(kwargs or {}))


def is_closed(layer: nn.Module) -> bool:
    """Whether a layer is one of torch's own without parts, so that it stands for the functions it calls."""
    own = type(layer).__module__.startswith("torch.nn")
    return own and (not layer._modules or isinstance(layer, nn.MultiheadAttention))


def _is_plain(layer: nn.Module) -> bool:
    """Whether a closed layer writes into nothing, returns all, and has no parameters with functions of their own."""
    if layer._modules or not is_closed(layer) or vars(layer).get("inplace"):
        return False
    return all(p is None or type(p) is nn.Parameter for p in layer._parameters.values())


def _memory(tensor: Tensor) -> tuple[int, int]:
    """Return where a tensor's values lie and how many bytes they take there; 0 where it has no such memory."""
    try:
        storage = tensor.untyped_storage()
        return storage.data_ptr(), storage.nbytes()
    except (NotImplementedError, RuntimeError):  # sparse and other layouts
        return 0, 0


def _version(tensor: Tensor) -> int:
    return -1 if tensor.is_inference() else tensor._version


@cache
def _read(name: str) -> tuple[str, bool]:
    """Return what a torch function does, ``"add"`` for ``"__radd__"`` and ``"add_"``, and whether it says it writes."""
    operator = _OPERATOR.fullmatch(name)
    if operator:
        return operator[2], operator[1] == "i"
    return name.strip("_"), name == "__setitem__" or (name.endswith("_") and not name.endswith("__"))


def _writes_by_argument(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether a torch function is told to change one of its arguments."""
    if kwargs.get("inplace") or kwargs.get("out") is not None:
        return True
    place = _INPLACE_ARGUMENT.get(function)
    return place is not None and len(args) > place and bool(args[place])
