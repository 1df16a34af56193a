"""Recorded time of a training in stages, each of which begins where the one before it has ended."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence

import numpy as np

from glassnet.lab.recording import Recording
from glassnet.training.state import TrainingState

# of a stage: states that its record may hold, and what it may take for all else
N_SNAPSHOTS, BYTES_BESIDE = 1, 30_000


class Stages:
    """Training states that learn one after the other, as one recorded time with an end.

    Parameters
    ----------
    states : iterator of TrainingState
        Each at step 0; the next is asked for when the one before it has come to its end.
    lengths : sequence of int
        Steps of each.

    Attributes
    ----------
    stage : int
        The one that the moment shown belongs to; the last moment of one is not yet the next one's.

    Examples
    --------
    >>> from glassnet import DeepBeliefClassifier
    >>> X, y = [[1, 0, 1], [0, 1, 0]] * 5, [0, 1] * 5
    >>> time = Stages(DeepBeliefClassifier((3, 2), random_state=0).stages(X, y), lengths=(4, 4, 2))
    >>> time.advance(7)
    >>> time.stage, time.here.step
    (1, 3)
    >>> time.seek(4)
    >>> time.stage, time.here.step, time.last
    (0, 4, 7)
    """

    def __init__(self, states: Iterator[TrainingState], lengths: Sequence[int]):
        self._states, self._lengths = states, list(lengths)
        self._starts = np.concatenate([[0], np.cumsum(self._lengths)]).tolist()
        self.parts: list[Recording] = []
        self.stage, self.last = 0, 0
        self._begin(0)

    @property
    def here(self) -> Recording:
        """The record of the stage that is shown."""
        return self.parts[self.stage]

    @property
    def step(self) -> int:
        """Steps made in all stages at the moment that is shown."""
        return self._starts[self.stage] + self.here.step

    @property
    def epoch(self) -> int:
        """Epochs completed in all stages."""
        return sum(part.epoch for part in self.parts[: self.stage + 1])

    def advance(self, n: int) -> None:
        """Go on by ``n`` steps, at most to the end of the last stage."""
        while n > 0:
            left = self._lengths[self.stage] - self.here.step
            if left == 0 and self.stage + 1 == len(self._lengths):
                return
            if left == 0:
                self._begin(self.stage + 1)
                continue
            self.here.advance(min(n, left))
            n -= min(n, left)
            self.last = max(self.last, self.step)

    def seek(self, step: int) -> None:
        """Show the moment after ``step`` steps in all."""
        stage = max(0, bisect_left(self._starts, step) - 1)
        for part, length in zip(self.parts[:stage], self._lengths, strict=False):
            part.seek(length)
        self.stage = stage
        self.here.seek(step - self._starts[stage])

    def _begin(self, stage: int) -> None:
        if stage == len(self.parts):
            state = next(self._states)
            n_bytes = sum(array.nbytes for array in state.arrays.values())
            self.parts.append(Recording(state, N_SNAPSHOTS * n_bytes + BYTES_BESIDE))
        self.stage = stage
        self.here.seek(0)
