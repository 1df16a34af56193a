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
        self.nbytes = 0  # counted only if there is a limit
        self._numbers: defaultdict[str, int] = defaultdict(int)
        self._versions: list[int | None] = []  # of each event's tensor; None once it has been copied
        self._holders: dict[int, list[int]] = {}  # memory -> the events whose tensors lie there
        self._n_indexed = 0
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
        for quantity in call.values:
            self.edges.pop((call, quantity), None)
        call.values.clear()

    def keep(self, call: Call, quantity: str, tensor: Tensor) -> None:
        """Record a tensor, by reference, under a call."""
        call.shapes[quantity] = tuple(tensor.shape)
        if self.wanted is not None and call.address not in self.wanted:
            return
        if self.max_bytes is not None and not self._fits(tensor):
            return
        call.values[quantity] = tensor
        self.events.append((call, quantity))
        self._versions.append(version_of(tensor))
        if self.gradients and tensor.requires_grad:
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
        self._index()
        copies: dict[int, Tensor] = {}
        for memory in {_memory(tensor) for tensor in tensors}:
            self._counted.pop(memory, None)
            for i in self._holders.pop(memory, ()):
                call, quantity = self.events[i]
                kept = call.values.get(quantity)
                if kept is not None:
                    if id(kept) not in copies:
                        copies[id(kept)] = kept.detach().clone()
                    call.values[quantity] = copies[id(kept)]
                    self._versions[i] = None

    def overwritten(self) -> bool:
        """Whether a kept tensor has changed without having been copied first."""
        for (call, quantity), version in zip(self.events, self._versions, strict=True):
            tensor = call.values.get(quantity) if version is not None else None
            if tensor is not None and version_of(tensor) != version:
                return True
        return False

    def _index(self) -> None:
        """Find out where the tensors kept since the last time lie."""
        memory: dict[int, int] = {}  # of a tensor; most are in several calls
        for i in range(self._n_indexed, len(self.events)):
            call, quantity = self.events[i]
            tensor = call.values.get(quantity)
            if tensor is not None:
                if id(tensor) not in memory:
                    memory[id(tensor)] = _memory(tensor)
                self._holders.setdefault(memory[id(tensor)], []).append(i)
        self._n_indexed = len(self.events)

    def _fits(self, tensor: Tensor) -> bool:
        """Count a tensor unless its memory has been counted; let go of everything when there is too much."""
        memory = _memory(tensor)
        known = self._counted.get(memory)
        if known is None or known() is None:  # a dead tensor's memory may be another's by now
            nbytes = tensor.untyped_storage().nbytes() if memory else 0
            self.nbytes += 2 * nbytes if self.gradients and tensor.requires_grad else nbytes
            self._counted[memory] = weakref.ref(tensor)
        if self.too_large:
            for call in self.calls:
                call.values.clear()
            self.edges.clear()
        return not self.too_large


def _memory(tensor: Tensor) -> int:
    """Return where a tensor's values lie; 0 where it has no memory of the usual kind."""
    try:
        return tensor.untyped_storage().data_ptr()
    except (NotImplementedError, RuntimeError):  # sparse and other layouts
        return 0


def version_of(tensor: Tensor) -> int:
    """Return how often a tensor has been written into; -1 where torch does not count."""
    try:
        return tensor._version
    except RuntimeError:  # an inference tensor
        return -1
