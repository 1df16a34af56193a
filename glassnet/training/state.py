"""The central object: everything that a training run is at one moment.

Whatever stops, continues or watches a fit is made of a `TrainingState`: `fit` advances
it from event to event, the lab's step and slider move it, a checkpoint is its
`state_dict`, resuming is `load_state_dict`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from glassnet.errors import InvalidInputError
from glassnet.training.batches import Batches

# what state_dict holds besides the arrays, in this order
COUNTERS = ("step", "epoch", "position", "seed", "n_samples", "batch_size", "shuffle")


# matrix products are rounded alike from run to run only where memory is aligned alike
ALIGNMENT = 64


def aligned(array: np.ndarray) -> np.ndarray:
    """Return a copy of an array that begins at an address divisible by `ALIGNMENT`.

    Examples
    --------
    >>> aligned(np.arange(3.0)).ctypes.data % ALIGNMENT
    0
    """
    raw = np.empty(array.nbytes + ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % ALIGNMENT
    copy = raw[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


class Engine(Protocol):
    """A learning rule bound to its data: what makes the steps."""

    name: str

    def run(self, state: TrainingState, batches: Batches) -> np.ndarray:
        """Make one step per batch, updating ``state.arrays`` in place.

        Returns the mean loss of each batch before its step, float64 of shape (len(batches),).
        """
        ...


class _NoEngine:
    """Stands in after unpickling: data and learning rule are not saved with a state."""

    name = "none"

    def run(self, state: TrainingState, batches: Batches) -> np.ndarray:
        raise InvalidInputError("This state was loaded without its data: call fit or partial_fit with data to go on.")


@dataclass(eq=False)
class TrainingState:
    """Parameters, optimizer state and place in the data of one training run.

    Parameters
    ----------
    arrays : dict of str to ndarray
        Everything that learning changes: parameters, optimizer slots, running
        statistics. Engines update these arrays in place.
    engine : Engine
        The learning rule and the data; not part of `state_dict`.
    seed : int
        Names all random streams of the run.
    n_samples, batch_size : int
        An epoch visits each of ``n_samples`` once, ``batch_size`` at a time; its last
        batch may be smaller.
    shuffle : bool
        Whether each epoch visits the samples in a new order. A batch that holds all
        samples is never shuffled.
    step, epoch, position : int
        Steps made in all, epochs completed, steps made in the current epoch.

    Examples
    --------
    >>> from glassnet import MLPClassifier, advance
    >>> net = MLPClassifier((4,), random_state=0)
    >>> state = net.initialize([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0])
    >>> _ = advance(state, 3)
    >>> state.step
    3
    """

    arrays: dict[str, np.ndarray]
    engine: Engine = field(repr=False)
    seed: int
    n_samples: int
    batch_size: int
    shuffle: bool = True
    step: int = 0
    epoch: int = 0
    position: int = 0

    @property
    def steps_per_epoch(self) -> int:
        """Number of batches in one epoch."""
        return -(-self.n_samples // self.batch_size)

    def move(self, n_steps: int) -> None:
        """Count ``n_steps`` steps as made."""
        self.step += n_steps
        epochs, self.position = divmod(self.position + n_steps, self.steps_per_epoch)
        self.epoch += epochs

    def state_dict(self, into: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return a copy of the whole state; later steps do not change it.

        Parameters
        ----------
        into : dict, optional
            An earlier copy of this run, which is given up: the new one takes its memory.
        """
        if into is None:
            copies = {name: array.copy() for name, array in self.arrays.items()}
        else:
            copies = into["arrays"]
            for name, array in self.arrays.items():
                copies[name][...] = array
        return {"arrays": copies, **{name: getattr(self, name) for name in COUNTERS}}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Put a saved state back, in place; nothing changes if it does not fit.

        Raises
        ------
        InvalidInputError
            If names or shapes of the arrays, or the division of the data into batches,
            are not those of this run.
        """
        self._check(state)
        for name, array in self.arrays.items():
            array[...] = state["arrays"][name]
        for name in ("step", "epoch", "position", "seed"):
            setattr(self, name, int(state[name]))

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "engine": _NoEngine()}

    def _check(self, state: dict[str, Any]) -> None:
        shapes = {name: array.shape for name, array in self.arrays.items()}
        got = {name: np.shape(array) for name, array in state["arrays"].items()}
        if got != shapes:
            raise InvalidInputError(f"This state has arrays {got}, but the run has {shapes}.")
        for name in ("n_samples", "batch_size", "shuffle"):
            if state[name] != getattr(self, name):
                raise InvalidInputError(f"This state has {name}={state[name]}, but the run has {getattr(self, name)}.")
