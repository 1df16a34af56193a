"""What a `History` is made of; every part counts its bytes and can halve itself."""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_left
from dataclasses import dataclass
from typing import Any

import numpy as np

from glassnet.errors import InvalidInputError
from glassnet.training.state import TrainingState

# what a snapshot takes besides its bytes: two list slots and an int object
_SLOTS = 16 + sys.getsizeof(2**31)


def _every_second(items: Any) -> Any:
    """Return items 0, 2, 4, ...; nothing is left of one item."""
    return items[: len(items) - (len(items) == 1) : 2]


class Series:
    """Numbers at increasing steps: int64 steps, float32 values.

    Examples
    --------
    >>> series = Series()
    >>> series.add(0, 0.5)
    >>> series.add(10, 0.25)
    >>> series.steps.tolist(), series.values.tolist()
    ([0, 10], [0.5, 0.25])
    """

    def __init__(self) -> None:
        self._steps, self._values = array("q"), array("f")

    def add(self, step: int, value: float) -> None:
        """Append one value; values at this step and after it are forgotten first."""
        self.truncate(step)
        self._steps.append(step)
        self._values.append(value)

    def truncate(self, step: int) -> None:
        """Forget the values at ``step`` and after."""
        n = bisect_left(self._steps, step)
        del self._steps[n:], self._values[n:]

    def halve(self) -> None:
        """Keep every second value, beginning with the first."""
        self._steps, self._values = _every_second(self._steps), _every_second(self._values)

    def __len__(self) -> int:
        return len(self._steps)

    @property
    def steps(self) -> np.ndarray:
        """Steps, int64 of shape (n,)."""
        return np.array(self._steps, np.int64)

    @property
    def values(self) -> np.ndarray:
        """Values, float32 of shape (n,)."""
        return np.array(self._values, np.float32)

    @property
    def nbytes(self) -> int:
        """Bytes of memory in use, spare capacity included."""
        return sys.getsizeof(self._steps) + sys.getsizeof(self._values)


class Losses:
    """The loss of every ``stride``-th step in [``first``, ``end``), 4 bytes each."""

    def __init__(self) -> None:
        self.first, self.end, self.stride, self._values = 0, 0, 1, array("f")

    def record(self, first_step: int, losses: np.ndarray) -> None:
        """Append the losses of consecutive steps."""
        if not self._values:
            self.first = first_step
        offset = -(first_step - self.first) % self.stride
        self._values.frombytes(np.asarray(losses[offset :: self.stride], np.float32).tobytes())
        self.end = first_step + len(losses)

    def truncate(self, step: int) -> None:
        """Forget the losses of ``step`` and after."""
        del self._values[max(0, -(-(step - self.first) // self.stride)) :]
        self.end = min(self.end, step)

    def halve(self) -> None:
        """Keep every second loss, beginning with the first."""
        self._values, self.stride = _every_second(self._values), 2 * self.stride

    def __len__(self) -> int:
        return len(self._values)

    @property
    def steps(self) -> np.ndarray:
        """Steps whose loss is held, int64 of shape (n,)."""
        return self.first + self.stride * np.arange(len(self), dtype=np.int64)

    @property
    def values(self) -> np.ndarray:
        """Losses of those steps, float32 of shape (n,)."""
        return np.array(self._values, np.float32)

    @property
    def nbytes(self) -> int:
        """Bytes of memory in use, spare capacity included."""
        return sys.getsizeof(self._values)


@dataclass(frozen=True)
class Layout:
    """Names, types and shapes of a state's arrays, and the names of its counters."""

    arrays: tuple[tuple[str, np.dtype, tuple[int, ...]], ...]
    counters: tuple[str, ...]

    @classmethod
    def of(cls, saved: dict[str, Any]) -> Layout:
        """Return the layout of what `TrainingState.state_dict` gave."""
        arrays = tuple((name, array.dtype, array.shape) for name, array in sorted(saved["arrays"].items()))
        return cls(arrays, tuple(name for name in saved if name != "arrays"))

    def pack(self, saved: dict[str, Any]) -> bytes:
        """Return a state as one piece of memory."""
        counters = np.array([saved[name] for name in self.counters], np.int64)
        return b"".join([counters.tobytes(), *(saved["arrays"][name].tobytes() for name, _, _ in self.arrays)])

    def unpack(self, packed: bytes) -> dict[str, Any]:
        """Return the state that was packed; its arrays are read-only views."""
        counters = np.frombuffer(packed, np.int64, len(self.counters))
        saved: dict[str, Any] = dict(zip(self.counters, counters.tolist(), strict=True))
        saved["arrays"], offset = {}, counters.nbytes
        for name, dtype, shape in self.arrays:
            array = np.frombuffer(packed, dtype, int(np.prod(shape)), offset).reshape(shape)
            saved["arrays"][name] = array
            offset += array.nbytes
        return saved


class Snapshots:
    """Packed states, one in ``every`` steps."""

    def __init__(self, every: int) -> None:
        self.every = every
        self.steps: list[int] = []
        self._packed: list[bytes] = []
        self._layout = Layout((), ())

    def add(self, state: TrainingState) -> None:
        """Append the state; snapshots at its step and after are forgotten first."""
        saved = state.state_dict()
        layout = Layout.of(saved)
        self.truncate(state.step)
        if self._packed and layout != self._layout:
            raise InvalidInputError(f"This history holds states of {self._layout.arrays}, but got {layout.arrays}.")
        self._layout = layout
        self._packed.append(layout.pack(saved))
        self.steps.append(state.step)

    def truncate(self, step: int) -> None:
        """Forget the snapshots at ``step`` and after."""
        n = bisect_left(self.steps, step)
        del self.steps[n:], self._packed[n:]

    def halve(self) -> None:
        """Keep every second snapshot, beginning with the first."""
        self.steps, self._packed = _every_second(self.steps), _every_second(self._packed)
        self.every *= 2

    def state_dict(self, i: int) -> dict[str, Any]:
        """Return the state of snapshot ``i``."""
        return self._layout.unpack(self._packed[i])

    def __len__(self) -> int:
        return len(self.steps)

    @property
    def nbytes(self) -> int:
        """Bytes of memory in use."""
        return len(self) * (sys.getsizeof(self._packed[0]) + _SLOTS) if len(self) else 0

    def to_tensors(self) -> dict[str, np.ndarray]:
        """Return arrays of shape (n_snapshots, ...) that hold all snapshots."""
        saved = [self.state_dict(i) for i in range(len(self))]
        counters = [[state[name] for name in self._layout.counters] for state in saved]
        arrays = {f"state/{n}": np.stack([s["arrays"][n] for s in saved]) for n, _, _ in self._layout.arrays if saved}
        return {"counters": np.array(counters, np.int64).reshape(len(self), len(self.counters)), **arrays}

    def from_tensors(self, tensors: dict[str, np.ndarray], counters: list[str]) -> None:
        """Take the snapshots that `to_tensors` gave, with the names of the counters."""
        arrays = {name.removeprefix("state/"): a for name, a in tensors.items() if name.startswith("state/")}
        for i, row in enumerate(tensors["counters"]):
            saved = dict(zip(counters, row.tolist(), strict=True))
            saved["arrays"] = {name: array[i] for name, array in arrays.items()}
            self._layout = Layout.of(saved)
            self._packed.append(self._layout.pack(saved))
            self.steps.append(saved["step"])

    @property
    def counters(self) -> list[str]:
        """Names of the counters in a state."""
        return list(self._layout.counters)
