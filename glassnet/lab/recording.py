"""Recorded time: a training run that can be taken forward and back.

The settings of a run never change while it lives, so going back and forward again makes
the same steps again, to the bit; nothing that was recorded is lost by going back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from glassnet.errors import DivergedError, InvalidInputError
from glassnet.inspect.history import History
from glassnet.learning import compiled
from glassnet.training.loop import advance, run
from glassnet.training.observers import Observer
from glassnet.training.state import TrainingState

# what one visitor's record may take: small, because a class has many visitors
VISITOR_BYTES = 300_000


def steady_engine() -> str:
    """Return the engine to ask of a dense network, so that its ``engine_`` asked for again makes the same steps.

    While the kernels are being compiled, "auto" may take a formula that rounds unlike "formula".
    """
    return "auto" if compiled.ready() else "formula"


class Recording:
    """A training state and the record of how it got there.

    Parameters
    ----------
    state : TrainingState
        At step 0; moved in place.
    max_bytes : int
        Bytes of memory that the record may take; it thins to stay below.
    observers : sequence of Observer
        See every step when it is made for the first time.

    Examples
    --------
    >>> from glassnet import MLPClassifier
    >>> net = MLPClassifier((2,), random_state=0)
    >>> recording = Recording(net.initialize([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]))
    >>> recording.advance(30)
    >>> recording.seek(12)
    >>> recording.step, recording.last
    (12, 30)
    """

    def __init__(self, state: TrainingState, max_bytes: int = VISITOR_BYTES, observers: Sequence[Observer] = ()):
        self._state, self._observers = state, observers
        self._history = History(max_bytes, every=64, quiet=True)

    @property
    def state(self) -> TrainingState:
        """The state at the moment that is shown."""
        return self._state

    @property
    def step(self) -> int:
        """Steps made at the moment that is shown."""
        return self._state.step

    @property
    def epoch(self) -> int:
        """Epochs completed at the moment that is shown."""
        return self._state.epoch

    @property
    def last(self) -> int:
        """The furthest step that was reached."""
        return self._history.end

    @property
    def history(self) -> History:
        """The record itself."""
        return self._history

    def advance(self, n: int) -> None:
        """Make ``n`` steps from the moment that is shown.

        Raises
        ------
        DivergedError
            If the loss became NaN or infinite; the moment shown is then the one before.
        """
        again = min(n, self.last - self.step)
        advance(self._state, again)
        if n > again:
            with np.errstate(over="ignore"):  # a loss on its way to infinity; the run ends with words
                run(self._state, self.step + n - again, [self._history, *self._observers])

    def seek(self, step: int) -> None:
        """Show the moment after ``step`` steps.

        Raises
        ------
        InvalidInputError
            If ``step`` is not between 0 and `last`.
        """
        if not 0 <= step <= self.last:
            raise InvalidInputError(f"Step {step} is not recorded; the record holds steps 0 to {self.last}.")
        if step != self.step:
            self._history.restore(self._state, step)


class Together:
    """Several training states that go on together, as one recorded time.

    Parameters
    ----------
    states : sequence of TrainingState
        At step 0; moved in place.
    max_bytes : int
        Bytes of memory that all records may take.

    Attributes
    ----------
    parts : list of Recording
        One for each state.
    """

    def __init__(self, states: Sequence[TrainingState], max_bytes: int = VISITOR_BYTES):
        self.parts = [Recording(state, max_bytes // len(states)) for state in states]

    @property
    def step(self) -> int:
        """Steps made by each at the moment that is shown."""
        return self.parts[0].step

    @property
    def epoch(self) -> int:
        """Epochs completed by the first."""
        return self.parts[0].epoch

    @property
    def last(self) -> int:
        """The furthest step that all have reached."""
        return min(part.last for part in self.parts)

    def advance(self, n: int) -> None:
        """Make ``n`` steps of each.

        Raises
        ------
        DivergedError
            If the loss of one became NaN or infinite; all then show the last moment that all have.
        """
        try:
            for part in self.parts:
                part.advance(n)
        except DivergedError:
            self.seek(min(part.step for part in self.parts))
            raise

    def seek(self, step: int) -> None:
        """Show the moment after ``step`` steps of each."""
        for part in self.parts:
            part.seek(step)


class Course:
    """A recorded time that has an end: the steps of a way that is known from the start.

    Parameters
    ----------
    n_steps : int
    steps_per_epoch : int, optional
        None: there are no rounds.

    Examples
    --------
    >>> course = Course(n_steps=10, steps_per_epoch=4)
    >>> course.advance(25)
    >>> course.step, course.epoch, course.last
    (10, 2, 10)
    """

    def __init__(self, n_steps: int, steps_per_epoch: int | None = None):
        self._n_steps, self._steps_per_epoch = n_steps, steps_per_epoch
        self.step = self.last = 0

    @property
    def epoch(self) -> int | None:
        """Rounds completed."""
        return self.step // self._steps_per_epoch if self._steps_per_epoch else None

    @property
    def is_over(self) -> bool:
        """Whether nothing changes any more."""
        return self.step == self._n_steps

    def advance(self, n: int) -> None:
        """Go on by ``n`` steps, at most to the end."""
        self.step = min(self.step + n, self._n_steps)
        self.last = max(self.last, self.step)

    def seek(self, step: int) -> None:
        """Go to a recorded step."""
        self.step = step


class Curve:
    """Some numbers over time, thinned to a few hundred points; the newest is always kept.

    Parameters
    ----------
    width : int
        Numbers a point has besides its step.
    max_points : int
        Most points kept.

    Examples
    --------
    >>> curve = Curve(width=1, max_points=4)
    >>> for step in range(9):
    ...     curve.add(step, 0.5)
    >>> curve.points[:, 0].tolist()
    [0.0, 4.0, 8.0]
    """

    def __init__(self, width: int, max_points: int = 400):
        self._width, self._max_points, self._gap = width, max_points, 1
        self._points: list[tuple[float, ...]] = []

    @property
    def gap(self) -> int:
        """Steps between two points."""
        return self._gap

    def add(self, step: int, *values: float) -> None:
        """Add the point at ``step``; a step at or before the newest one is known already."""
        points = self._points
        if points and step <= points[-1][0]:
            return
        if len(points) > 1 and points[-1][0] - points[-2][0] < self._gap:
            points.pop()
        points.append((step, *values))
        while len(self._points) > self._max_points:
            self._gap *= 2
            self._thin()

    def _thin(self) -> None:
        kept: list[tuple[float, ...]] = []
        for point in self._points:
            if not kept or point[0] - kept[-1][0] >= self._gap:
                kept.append(point)
        if kept[-1] != self._points[-1]:
            kept.append(self._points[-1])
        self._points = kept

    @property
    def points(self) -> np.ndarray:
        """The points, float32 of shape (n_points, 1 + width): step, then the numbers; too large ones are inf."""
        with np.errstate(over="ignore"):
            return np.array(self._points, np.float32).reshape(-1, 1 + self._width)


class Path(Observer):
    """The way of some numbers, from step to step, as a `Curve`.

    Parameters
    ----------
    state : TrainingState
    measure : callable
        () -> sequence of float, such as two weights; called where the curve wants a point.
    width : int
        How many numbers that is.
    max_points : int

    Attributes
    ----------
    curve : Curve
    """

    def __init__(self, state: TrainingState, measure: Callable[[], Sequence[float]], width: int, max_points: int = 800):
        self.curve = Curve(width, max_points)
        self._measure = measure
        self.observe(state)

    def next_event(self, step: int) -> int:
        """Return the next step at which the curve wants a point."""
        return step - step % self.curve.gap + self.curve.gap

    def observe(self, state: TrainingState) -> None:
        """Add a point."""
        self.curve.add(state.step, *self._measure())
