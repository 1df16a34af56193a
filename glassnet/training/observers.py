"""Watching a fit: observers say which step they want to see next.

Between the steps that some observer asked for, the engine runs uninterrupted. An
observer never changes the state, so a watched fit equals an unwatched one to the bit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from glassnet.errors import InvalidInputError
from glassnet.training.state import TrainingState


class StopTraining(Exception):
    """Raised by an observer to end the fit after the current step."""


class Observer:
    """What every observer can do; the base class does nothing.

    Examples
    --------
    >>> class Printer(Observer):
    ...     def next_event(self, step):
    ...         return step - step % 2 + 2
    ...     def observe(self, state):
    ...         print("after step", state.step)
    >>> from glassnet import MLPRegressor
    >>> net = MLPRegressor((2,), max_iter=4, random_state=0, tol=None)
    >>> _ = net.fit([[0.0], [1.0]], [0.0, 1.0], observers=[Printer()])
    after step 2
    after step 4
    """

    def next_event(self, step: int) -> int | None:
        """Return the next step to be called at, above ``step`` once it has been called at that; None: never."""
        return None

    def record(self, first_step: int, losses: np.ndarray) -> None:
        """Take the losses of the steps from ``first_step`` on; called for every step."""

    def observe(self, state: TrainingState) -> None:
        """Look at the state at an event. May raise `StopTraining`."""

    def interrupted(self, state: TrainingState) -> None:
        """Look at the state, which is whole, before Ctrl-C or SIGTERM ends the fit."""


class EpochLosses(Observer):
    """The mean loss over the samples of every completed epoch.

    Parameters
    ----------
    state : TrainingState
        The run to be watched.
    begun : sequence of float
        Losses of the steps made in the current epoch already. None: that is not looked at.

    Attributes
    ----------
    values : list of float
        One loss per completed epoch.
    """

    def __init__(self, state: TrainingState, begun: Sequence[float] | None = None):
        if begun is not None and len(begun) != state.position:
            raise InvalidInputError(f"This run is {state.position} steps into an epoch, got {len(begun)} losses of it.")
        self._sizes = np.full(state.steps_per_epoch, state.batch_size, dtype=float)
        self._sizes[-1] = state.n_samples - state.batch_size * (state.steps_per_epoch - 1)
        self._pending = [np.asarray(begun or [], float)]  # losses of steps whose epoch is not complete
        self._n_pending = len(begun or [])
        self.values: list[float] = []

    @property
    def begun(self) -> list[float]:
        """Losses of the steps made in the current epoch."""
        return np.concatenate(self._pending).tolist()

    def record(self, first_step: int, losses: np.ndarray) -> None:
        self._pending.append(losses)
        self._n_pending += len(losses)
        n_steps = len(self._sizes)
        if self._n_pending >= n_steps:
            pending = np.concatenate(self._pending)
            whole = len(pending) // n_steps * n_steps
            totals = (pending[:whole].reshape(-1, n_steps) * self._sizes).sum(axis=1)
            self.values += (totals / self._sizes.sum()).tolist()
            self._pending, self._n_pending = [pending[whole:]], len(pending) - whole


class Plateau(Observer):
    """Stop when the epochs' loss has not improved by ``tol`` for ``patience`` epochs.

    It asks for the first epoch at which stopping is possible, not for every epoch, so
    that the engine runs on through the epochs in between.

    Parameters
    ----------
    state : TrainingState
        The run to be watched.
    losses : EpochLosses
        Gives the losses; must be watching the same fit.
    tol : float
        Improvements smaller than this do not count.
    patience : int
        Number of epochs in a row without improvement before the fit stops.
    """

    def __init__(self, state: TrainingState, losses: EpochLosses, tol: float, patience: int):
        self._losses, self._tol, self._patience = losses, tol, patience
        self._first_step, self._steps_per_epoch = state.step - state.position, state.steps_per_epoch
        self._seen, self._best, self._waited = 0, np.inf, 0
        self.stopped = False

    def next_event(self, step: int) -> int | None:
        epochs = self._seen + max(1, self._patience - self._waited)
        return self._first_step + epochs * self._steps_per_epoch

    def observe(self, state: TrainingState) -> None:
        new = self._losses.values[self._seen :]
        for loss in new:
            self._waited = 0 if loss < self._best - self._tol else self._waited + 1
            self._best = min(self._best, loss)
        self._seen += len(new)
        if self._waited >= self._patience:
            self.stopped = True
            raise StopTraining


class Validation(Observer):
    """The loss on held-out data after every epoch, and the state in which it was lowest.

    Parameters
    ----------
    state : TrainingState
        The run to be watched.
    loss : callable
        () -> float, the loss of the current weights on held-out data.
    tol : float
        Improvements smaller than this do not count.
    patience : int
        Number of epochs in a row without improvement before the fit stops.
    curve : list of float, optional
        Empty; takes the loss after each epoch.
    """

    def __init__(
        self,
        state: TrainingState,
        loss: Callable[[], float],
        tol: float,
        patience: int,
        curve: list[float] | None = None,
    ):
        self._loss, self._tol, self._patience = loss, tol, patience
        self._first_step, self._steps_per_epoch, self._waited = state.step - state.position, state.steps_per_epoch, 0
        self.curve: list[float] = [] if curve is None else curve
        self.best = state.state_dict()
        self.stopped = False

    def next_event(self, step: int) -> int | None:
        return self._first_step + (len(self.curve) + 1) * self._steps_per_epoch

    def observe(self, state: TrainingState) -> None:
        loss = self._loss()
        lowest = min(self.curve, default=np.inf)
        self.curve.append(loss)
        if loss < lowest:
            self.best = state.state_dict()
        self._waited = 0 if loss < lowest - self._tol else self._waited + 1
        if self._waited >= self._patience:
            self.stopped = True
            raise StopTraining


class EpochMeasure(Observer):
    """A measure after every epoch, such as the loss on other data; nothing follows from it.

    Parameters
    ----------
    measure : callable
        () -> float, of the current weights.

    Attributes
    ----------
    values : list of float
        One for every epoch that has ended since the run began.
    """

    def __init__(self, measure: Callable[[], float]):
        self._measure = measure
        self._next: int | None = None
        self.values: list[float] = []

    def next_event(self, step: int) -> int:
        """Ask for ``step`` itself where the run begins, then for the end of every epoch."""
        return step if self._next is None else self._next

    def observe(self, state: TrainingState) -> None:
        if self._next is not None:
            self.values.append(self._measure())
        self._next = state.step + state.steps_per_epoch - state.position
