"""What a trace holds: calls of layers and operations, and their tensors with named axes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch import Tensor

from glassnet.errors import UnknownNameError
from glassnet.inspect.dims import name_axes

Key = tuple[str, int, str]
TENSOR = object()  # stands for a tensor among the arguments of an operation


@dataclass(eq=False, slots=True)
class Call:
    """One call of a layer, or one functional operation.

    Attributes
    ----------
    address : str
        The layer's name in ``named_modules()``; for an operation the name of the layer in which it happens, a
        colon, and its own name: ``"layer1.0:add"``.
    number : int
        How many calls of the same address came before.
    kind : str
        Class of the layer, or name of the operation.
    shapes : dict of str to tuple of int
        Shape of every input and output, recorded or not.
    values : dict of str to Tensor
        What was recorded: ``"input"``, ``"output"``, ``"weight"``, ``"attention"``, ``"output.gradient"``, ...;
        of several inputs or outputs ``"input.0"``, ``"output.logits"``, ...
    done : tuple or None
        Of a recorded operation the torch function and its arguments, `TENSOR` in the place of each tensor.
    """

    address: str
    number: int
    kind: str
    layout: str = "other"
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    values: dict[str, Tensor] = field(default_factory=dict)
    done: tuple[Any, tuple[Any, ...], dict[str, Any]] | None = None

    @property
    def is_operation(self) -> bool:
        """Whether this is a functional operation, which no layer stands for."""
        return ":" in self.address


@dataclass(frozen=True, eq=False)
class NamedTensor:
    """A tensor and a name for each of its axes.

    Attributes
    ----------
    tensor : Tensor
    dims : tuple of str
        Such as ``("batch", "channel", "height", "width")``.
    """

    tensor: Tensor
    dims: tuple[str, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""
        return tuple(self.tensor.shape)

    def numpy(self) -> np.ndarray:
        """Return the values as an array."""
        return self.tensor.cpu().numpy()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.numpy(), dtype=dtype, copy=copy)

    def __repr__(self) -> str:
        axes = ", ".join(f"{name}: {n}" for name, n in zip(self.dims, self.shape, strict=True))
        return f"NamedTensor({axes})"


class Trace:
    """What one forward pass has shown: (layer address, call number, quantity) -> tensor with named axes.

    ``trace["c1", 0, "output"]`` may be shortened to ``trace["c1", 0]`` and ``trace["c1"]``. Iteration gives all keys,
    in the order of the calls.

    Attributes
    ----------
    calls : list of Call
        Layers and functional operations, in the order in which they began.
    result : object
        What the model returned.
    aliases : dict of str to str
        Further names of shared layers -> the name under which they are recorded.
    """

    def __init__(
        self,
        calls: list[Call],
        result: Any,
        aliases: Mapping[str, str],
        dims: dict[tuple[Call, str], tuple[str, ...]],
        unnamed: Sequence[tuple[Call, str]] = (),
    ):
        self.calls, self.result, self.aliases = calls, result, dict(aliases)
        self._dims, self._unnamed = dims, unnamed
        self._by_place = {(call.address, call.number): call for call in calls}

    def call(self, address: str, number: int = 0) -> Call:
        """Return one call of a layer or operation.

        Raises
        ------
        UnknownNameError
            If there is none; the nearest name is offered.
        """
        address = self.aliases.get(address, address)
        if (address, number) not in self._by_place:
            known = {call.address for call in self.calls}
            if address not in known:
                raise UnknownNameError("layer in this trace", address, known)
            numbers = [str(call.number) for call in self.calls if call.address == address]
            raise UnknownNameError(f"call of {address!r}", number, numbers)
        return self._by_place[address, number]

    def __getitem__(self, key: str | tuple[Any, ...]) -> NamedTensor:
        given: tuple[Any, ...] = (key,) if isinstance(key, str) else key
        address, number, quantity = given + (0, "output")[len(given) - 1 :]
        call = self.call(address, number)
        if quantity not in call.values:
            raise UnknownNameError(f"quantity of {address!r}", quantity, call.values)
        if self._unnamed:  # not before somebody looks
            self._dims |= name_axes(self._unnamed)
            self._unnamed = ()
        return NamedTensor(call.values[quantity], self._dims[call, quantity.removesuffix(".gradient")])

    def __contains__(self, key: object) -> bool:
        try:
            self[key]  # type: ignore[index]
        except UnknownNameError:
            return False
        return True

    def __iter__(self) -> Iterator[Key]:
        return ((call.address, call.number, quantity) for call in self.calls for quantity in call.values)

    def __len__(self) -> int:
        return sum(len(call.values) for call in self.calls)

    def non_finite(self) -> list[Key]:
        """Return the keys of tensors that hold NaN or infinite values."""
        return [key for key in self if not self[key].tensor.isfinite().all()]

    def __repr__(self) -> str:
        return f"Trace({len(self.calls)} calls, {len(self)} tensors)"
