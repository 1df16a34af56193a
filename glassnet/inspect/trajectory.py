"""The path of the weights: what a fit's arrays were at every step."""

from __future__ import annotations

import numpy as np

from glassnet.errors import UnknownNameError
from glassnet.training.observers import Observer
from glassnet.training.state import TrainingState


class Trajectory(Observer):
    """Records arrays of the state from the first step on; for small networks and short fits.

    Parameters
    ----------
    *names : str
        Arrays of the state, such as "weight" and "bias" of a perceptron or "parameters" of
        a multilayer perceptron.
    every : int, default=1
        Record each step that is a multiple of this.

    Attributes
    ----------
    steps : list of int
    losses : ndarray of shape (n_steps,)
        Loss of every step; for a perceptron its mistakes.

    Examples
    --------
    >>> from glassnet import Perceptron
    >>> path = Trajectory("weight", "bias")
    >>> _ = Perceptron(random_state=0).fit([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 0, 0, 1], observers=[path])
    >>> path["weight"].shape == (len(path.steps), 1, 2)
    True
    """

    def __init__(self, *names: str, every: int = 1):
        self._arrays: dict[str, list[np.ndarray]] = {name: [] for name in names}
        self._every, self._losses = every, []
        self.steps: list[int] = []

    def __getitem__(self, name: str) -> np.ndarray:
        """Return an array's values, shape (len(steps), ...)."""
        if name not in self._arrays:
            raise UnknownNameError("recorded array", name, self._arrays)
        return np.stack(self._arrays[name])

    @property
    def losses(self) -> np.ndarray:
        return np.concatenate(self._losses) if self._losses else np.empty(0)

    def next_event(self, step: int) -> int | None:
        return step if not self.steps else step - step % self._every + self._every

    def record(self, first_step: int, losses: np.ndarray) -> None:
        self._losses.append(losses)

    def observe(self, state: TrainingState) -> None:
        for name, values in self._arrays.items():
            if name not in state.arrays:
                raise UnknownNameError("array of the state", name, state.arrays)
            values.append(state.arrays[name].copy())
        self.steps.append(state.step)
