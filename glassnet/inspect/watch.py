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
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import cache, partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.modules.module import _has_any_global_hook
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from glassnet.inspect.attention import attention_weights
from glassnet.inspect.dims import layout
from glassnet.inspect.nested import inputs_in, map_tensors, tensors_in
from glassnet.inspect.recorder import Recorder
from glassnet.inspect.traced import TENSOR, Call

Parts = dict[str, nn.Module]  # address -> layer; the model itself is ""

# torch.nn.functional functions with an `inplace` argument, and its place
_INPLACE_ARGUMENT = {
    function: list(inspect.signature(function).parameters).index("inplace")
    for function in vars(F).values()
    if inspect.isfunction(function) and "inplace" in inspect.signature(function).parameters
}
# Python's names of operators: "__add__", "__radd__" (reflected), "__iadd__" (augmented)
_OPERATOR = re.compile(r"__([ri]?)(add|sub|mul|matmul|div|truediv|floordiv|mod|pow|and|or|xor|lshift|rshift)__")
_ORDINARY = {nn.Parameter, type(None)}
# what asks a tensor about itself makes no new one
_VIEWS = {"T", "mT", "H", "mH"}  # attributes that are operations
_SILENT = {"__get__", "__len__", "__bool__", "size", "dim", "numel", "stride", "item", "is_contiguous"}


class Watch:
    """Shows a recorder what a model does.

    Parameters
    ----------
    parts : dict of str to Module
        The model, ``""``, and all its layers by address.
    recorder : Recorder

    Attributes
    ----------
    result : object
        What the model returned.
    failure : (Exception, Call) or None
        The last error that a layer or operation raised, and the innermost call in which it did.
    """

    def __init__(self, parts: Parts, recorder: Recorder):
        self.parts, self.recorder = parts, recorder
        self.result: Any = None
        self.failure: tuple[BaseException, Call] | None = None
        self._thread = threading.get_ident()
        self._open: list[tuple[Call, bool]] = []

    def run(self, args: Any, kwargs: Any, every_write: bool = False) -> Exception | None:
        """Call the model and keep its `result`; return the error that it raised."""
        try:
            with self._on_layers(), _EveryWrite(self.recorder) if every_write else nullcontext(), _EveryOperation(self):
                self.result = self.parts[""](*args, **kwargs)
        except Exception as error:
            return error
        return None

    @contextmanager
    def _on_layers(self) -> Iterator[None]:
        """Be told of every call of a layer; leave no trace on the layers afterwards."""
        handles, stood_for = [], []
        alone = not _has_any_global_hook()
        alone &= not any(isinstance(layer, nn.DataParallel) for layer in self.parts.values())  # it copies layers
        try:
            for address, layer in self.parts.items():
                if alone and _is_plain(layer):
                    vars(layer)["forward"] = partial(self._stand_in, address, layout(layer), layer, layer.forward)
                    stood_for.append(layer)
                else:
                    enter = partial(self._enter, address, layout(layer), is_closed(layer))
                    handles.append(layer.register_forward_pre_hook(enter, with_kwargs=True))
                    handles.append(layer.register_forward_hook(self._leave, with_kwargs=True, always_call=True))
            yield
        finally:
            for layer in stood_for:
                del vars(layer)["forward"]
            for handle in handles:
                handle.remove()

    def _stand_in(self, address: str, layout: str, layer: nn.Module, forward: Any, *args: Any, **kwargs: Any) -> Any:
        """Call the forward method of one of torch's own layers: what two hooks would do, at a tenth of their cost."""
        if threading.get_ident() != self._thread:
            return forward(*args, **kwargs)
        if kwargs or len(args) != 1 or type(args[0]) is not Tensor:
            return self._stand_in_openly(address, layout, layer, forward, args, kwargs)
        with torch._C.DisableTorchFunction():
            call = self.recorder.begin(address, type(layer).__name__, layout)
            self.recorder.keep(call, "input", args[0])
            if vars(layer).get("inplace"):
                self.recorder.preserve(args)
            try:
                output = forward(*args)
            except Exception as error:
                self._fail(error, call)
                raise
            self.recorder.keep_outputs(call, output)
        return output

    def _stand_in_openly(
        self, address: str, layout: str, layer: nn.Module, forward: Any, args: Any, kwargs: Any
    ) -> Any:
        """Do the same for arguments that may have torch functions of their own."""
        self._enter(address, layout, True, layer, args, kwargs)
        try:
            output = forward(*args, **kwargs)
        except Exception:
            self._leave(layer, args, kwargs, None)
            raise
        self._leave(layer, args, kwargs, output)
        return output

    def _enter(self, address: str, layout: str, closed: bool, layer: nn.Module, args: Any, kwargs: Any) -> None:
        """Begin a call of a layer: the hook before its forward pass."""
        if threading.get_ident() == self._thread:
            with torch._C.DisableTorchFunction():
                call = self.recorder.begin(address, type(layer).__name__, layout)
                self._open.append((call, closed))
                self.recorder.keep_inputs(call, args, kwargs)

    def _leave(self, layer: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        """End the innermost call: the hook after a layer's forward pass, also when it raised."""
        if threading.get_ident() == self._thread:
            call, _ = self._open.pop()
            raised = sys.exc_info()[1] if output is None else None
            if raised is not None:
                self._fail(raised, call)
            with torch._C.DisableTorchFunction():
                self.recorder.keep_outputs(call, output)

    def _fail(self, error: BaseException, call: Call) -> None:
        if self.failure is None or self.failure[0] is not error:  # the innermost speaks
            self.failure = (error, call)

    def operate(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a torch function; record it unless it is the work of one of torch's own layers."""
        name = getattr(function, "__name__", type(function).__name__)
        if name in _SILENT:
            name = getattr(getattr(function, "__self__", None), "__name__", "")
            if name not in _VIEWS:
                return function(*args, **kwargs)
        does, writes = _read(name)
        writes = writes or _writes_by_argument(function, args, kwargs)
        layer, closed = self._open[-1] if self._open else (None, False)
        if not closed:
            call = self.recorder.begin(f"{layer.address if layer else ''}:{does}", does)
            return self._operate(call, writes, function, args, kwargs)
        if writes:
            self.recorder.preserve(tensor for _, tensor in inputs_in(args, kwargs))
        if function is F.multi_head_attention_forward:
            self._keep_attention(function, args, kwargs, layer)
        return function(*args, **kwargs)

    def _operate(self, call: Call, writes: bool, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        self.recorder.keep_inputs(call, args, kwargs)
        if self.recorder.wants(call.address):
            call.done = (function, *map_tensors(_without_tensor, (args, kwargs)))
        if writes:
            self.recorder.preserve(tensor for _, tensor in inputs_in(args, kwargs))
        try:
            result = function(*args, **kwargs)
        except Exception as error:
            self._fail(error, call)
            raise
        output = args[0] if writes and result is None else result
        if not any(True for _ in tensors_in("output", output)):
            self.recorder.discard(call)
            return result
        self.recorder.keep_outputs(call, output)
        if function is F.scaled_dot_product_attention:
            layers = [layer for layer, _ in self._open[-1:] if "attention" not in layer.shapes]
            self._keep_attention(function, args, kwargs, call, *layers)
        return result

    def _keep_attention(
        self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any], *calls: Call | None
    ) -> None:
        wanted = [call for call in calls if call is not None and self.recorder.wants(call.address)]
        if wanted:
            weights = attention_weights(function, args, kwargs)
            for call in wanted:
                self.recorder.keep(call, "attention", weights)


class _EveryOperation(TorchFunctionMode):
    """Show every torch function that Python code calls."""

    def __init__(self, watch: Watch):
        super().__init__()
        self.watch = watch

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return self.watch.operate(func, args, kwargs or {})


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
    """Whether a layer is one of torch's, or of ours, without parts, so that it stands for the functions it calls."""
    known = _is_known(type(layer)) and "forward" not in vars(layer)
    return known and (not layer._modules or isinstance(layer, nn.MultiheadAttention))


@cache
def _is_known(kind: type) -> bool:
    return kind.__module__.startswith(("torch.nn", "glassnet.learning"))


def _is_plain(layer: nn.Module) -> bool:
    """Whether a closed layer has neither hooks nor parameters with functions of their own, and shows all it does."""
    if layer._modules or layer._forward_hooks or layer._forward_pre_hooks or layer._backward_hooks:
        return False
    if layer._backward_pre_hooks or not is_closed(layer):
        return False
    return {type(p) for p in layer._parameters.values()} <= _ORDINARY


def _without_tensor(argument: Any) -> Any:
    return TENSOR if isinstance(argument, Tensor) else argument


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
