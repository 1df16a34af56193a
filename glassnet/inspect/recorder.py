"""Keep the tensors of one forward pass, by reference as long as nothing writes into them."""

from __future__ import annotations

import weakref
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from glassnet.inspect.nested import inputs_in, tensors_in
from glassnet.inspect.traced import Call


class Recorder:
    """What is kept of one forward pass.

    Parameters
    ----------
    wanted : set of str or None
        Addresses whose values are kept; None for all.
    gradients : bool
        Keep the place of each tensor in the autograd graph, in `edges`.
    max_bytes : int or None
        Keep nothing once this is exceeded, but go on counting.
    """

    def __init__(self, wanted: set[str] | None, gradients: bool, max_bytes: int | None):
        self.wanted, self.gradients, self.max_bytes = wanted, gradients, max_bytes
        self.calls: list[Call] = []
        self.events: list[tuple[Call, str]] = []
        self.dims: dict[tuple[Call, str], tuple[str, ...]] = {}
        self.edges: dict[tuple[Call, str], Any] = {}
        self.nbytes = 0
        self._numbers: defaultdict[str, int] = defaultdict(int)
        self._holders: dict[int, list[tuple[Call, str, int]]] = {}  # memory -> who keeps it, at which version
        self._counted: dict[int, weakref.ref[Tensor]] = {}

    def wants(self, address: str) -> bool:
        """Whether the values of this address are kept."""
        return self.wanted is None or address in self.wanted

    @property
    def too_large(self) -> bool:
        """Whether more was to be kept than allowed."""
        return self.max_bytes is not None and self.nbytes > self.max_bytes

    def begin(self, address: str, kind: str, layout: str = "other") -> Call:
        """Return a new call."""
        call = Call(address, self._numbers[address], kind, layout)
        self._numbers[address] += 1
        self.calls.append(call)
        return call

    def discard(self, call: Call) -> None:
        """Take back the newest call."""
        self.calls.remove(call)
        self._numbers[call.address] -= 1
        while self.events and self.events[-1][0] is call:
            self.edges.pop(self.events.pop(), None)

    def keep(self, call: Call, quantity: str, tensor: Tensor) -> None:
        """Record a tensor, by reference, under a call."""
        call.shapes[quantity] = tuple(tensor.shape)
        if self.wanted is not None and call.address not in self.wanted:
            return
        memory, nbytes = _memory(tensor)
        differentiable = self.gradients and tensor.requires_grad
        holders = self._holders.setdefault(memory, [])
        if not holders and not self._is_counted(memory):
            self.nbytes += 2 * nbytes if differentiable else nbytes
        if self.max_bytes is not None and self.too_large:
            self._forget()
            self._counted[memory] = weakref.ref(tensor)
            return
        call.values[quantity] = tensor
        self.events.append((call, quantity))
        holders.append((call, quantity, _version(tensor)))
        if differentiable:
            self.edges[call, quantity] = tensor if tensor.is_leaf else torch.autograd.graph.get_gradient_edge(tensor)

    def keep_inputs(self, call: Call, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        """Record the tensors among the arguments of a call."""
        if len(args) == 1 and not kwargs and type(args[0]) is Tensor:  # by far the most frequent
            self.keep(call, "input", args[0])
        else:
            for quantity, tensor in inputs_in(args, kwargs):
                self.keep(call, quantity, tensor)

    def keep_outputs(self, call: Call, output: Any) -> None:
        """Record the tensors in what a call returned."""
        if type(output) is Tensor:
            self.keep(call, "output", output)
        else:
            for quantity, tensor in tensors_in("output", output):
                self.keep(call, quantity, tensor)

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

    def overwritten(self) -> bool:
        """Whether a kept tensor has changed without having been copied first."""
        held = ((call.values[quantity], version) for h in self._holders.values() for call, quantity, version in h)
        return any(_version(tensor) != version for tensor, version in held)

    def _is_counted(self, memory: int) -> bool:
        """Whether tensors that are not kept, but still alive, have been counted."""
        known = self._counted.get(memory)
        return known is not None and known() is not None  # a dead tensor's memory may be another's by now

    def _forget(self) -> None:
        """Let go of everything kept."""
        for memory, holders in self._holders.items():
            for call, quantity, _ in holders[:1]:
                self._counted[memory] = weakref.ref(call.values[quantity])
        self.events.clear()
        self.edges.clear()
        self._holders.clear()
        for call in self.calls:
            call.values.clear()


def _memory(tensor: Tensor) -> tuple[int, int]:
    """Return where a tensor's values lie and how many bytes they take there; 0 where it has no such memory."""
    try:
        storage = tensor.untyped_storage()
        return storage.data_ptr(), storage.nbytes()
    except (NotImplementedError, RuntimeError):  # sparse and other layouts
        return 0, 0


def _version(tensor: Tensor) -> int:
    return -1 if tensor.is_inference() else tensor._version
