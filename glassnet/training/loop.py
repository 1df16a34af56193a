"""How a fit runs: `advance` makes steps, `run` goes from event to event."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from glassnet.errors import DivergedError, InvalidInputError
from glassnet.memory import keep_freed_memory
from glassnet.training.batches import plan
from glassnet.training.observers import Observer, StopTraining
from glassnet.training.state import TrainingState

# the engine runs uninterrupted for about this long, in seconds
PIECE = 0.05
# the best state is looked for after so many seconds, or later where copying would take more than this share of the time
LOOK, SHARE = 1.0, 0.02


def advance(state: TrainingState, n: int) -> np.ndarray:
    """Make ``n`` steps.

    Parameters
    ----------
    state : TrainingState
        Changed in place.
    n : int
        Number of steps, at least 0. ``advance(s, 3)`` equals ``advance(s, 1)`` three
        times, to the bit.

    Returns
    -------
    ndarray of shape (n,)
        The mean loss of each step's batch, before the step.

    Raises
    ------
    InvalidInputError
        If ``n`` is negative.
    """
    if n < 0:
        raise InvalidInputError(f"advance makes n >= 0 steps, got n={n}.")
    losses = np.empty(n)
    done = 0
    while done < n:
        batches = plan(state, n - done)
        losses[done : done + len(batches)] = state.engine.run(state, batches)
        state.move(len(batches))
        done += len(batches)
    return losses


def run(state: TrainingState, stop: int, observers: Sequence[Observer] = ()) -> None:
    """Advance ``state`` to step ``stop``, calling each observer at its events.

    Parameters
    ----------
    state : TrainingState
        Changed in place; whole at every moment at which this function can end.
    stop : int
        The step at which to end, unless an observer raises `StopTraining` before.
    observers : sequence of Observer
        Called in their order.

    Raises
    ------
    DivergedError
        If the loss turns NaN or infinite; ``state`` is then put back to the best weights
        seen (looked for about once a second, of large networks more rarely).
    KeyboardInterrupt, SystemExit
        On Ctrl-C or SIGTERM, between two steps; the observers are told before.
    """
    keep_freed_memory()
    events = [(observer, observer.next_event(state.step)) for observer in observers]
    pace, best = _Pace(), _Best(state)

    def go() -> None:
        while state.step < stop:
            check_interrupt()
            target = min([stop, *(event for _, event in events if event is not None)])
            while state.step < target:
                check_interrupt()
                first_step = state.step
                losses = pace.timed(state, min(target - state.step, pace.n_steps))
                best.check(state, losses)
                for observer in observers:
                    observer.record(first_step, losses)
            if not _observe(state, events):
                return

    with _interrupts_between_pieces() as check_interrupt:
        try:
            go()
            check_interrupt()
        except (KeyboardInterrupt, SystemExit):
            for observer in observers:
                observer.interrupted(state)
            raise


def _observe(state: TrainingState, events: list[tuple[Observer, int | None]]) -> bool:
    """Call the observers whose event is due; return whether the fit goes on."""
    goes_on = True
    for i, (observer, event) in enumerate(events):
        if event is not None and event <= state.step:
            try:
                observer.observe(state)
            except StopTraining:
                goes_on = False
            events[i] = (observer, observer.next_event(state.step))
    return goes_on


class _Best:
    """The state with the lowest loss so far, to go back to when the loss diverges.

    The loss of a state is the first that the steps from it on find. There are never more than two copies.
    """

    def __init__(self, state: TrainingState):
        self._saved = state.state_dict()
        self._candidate: dict[str, Any] | None = self._saved
        self._spare: dict[str, Any] | None = None
        self._loss, self._due = np.inf, time.monotonic() + LOOK

    def check(self, state: TrainingState, losses: np.ndarray) -> None:
        """Judge the last state that was looked at, look again after a second; raise if the loss diverged."""
        if self._candidate is not None:
            self._judge(self._candidate, losses[0])
        finite = np.isfinite(losses)
        if not finite.all():
            step, loss = state.step - len(losses) + int(np.argmin(finite)), losses[np.argmin(finite)]
            state.load_state_dict(self._saved)
            raise DivergedError(
                f"The loss became {loss} at step {step}. The weights were put back to those of step {state.step}, "
                "the best seen. Try a smaller learning_rate_init, or scale the input."
            )
        if (now := time.monotonic()) > self._due:
            start = time.perf_counter()
            self._candidate, self._spare = state.state_dict(self._spare), None
            self._due = now + max(LOOK, (time.perf_counter() - start) / SHARE)

    def _judge(self, candidate: dict[str, Any], loss: float) -> None:
        worse = candidate
        if loss < self._loss:
            worse, self._saved, self._loss = self._saved, candidate, loss
        self._spare = worse if worse is not self._saved else None
        self._candidate = None


class _Pace:
    """How many steps make a piece of about `PIECE` seconds."""

    def __init__(self) -> None:
        self.n_steps = 1

    def timed(self, state: TrainingState, n: int) -> np.ndarray:
        start = time.perf_counter()
        losses = advance(state, n)
        per_step = (time.perf_counter() - start) / n
        if n == self.n_steps:  # a piece cut short by an event says little
            self.n_steps = max(1, min(64 * n, int(PIECE / max(per_step, 1e-9))))
        return losses


@contextmanager
def _interrupts_between_pieces() -> Iterator:
    """Hold Ctrl-C and SIGTERM back until the check between two pieces, so that no step is half-made."""
    pending: list[int] = []

    def check() -> None:
        if pending:
            raise KeyboardInterrupt if pending[0] == signal.SIGINT else SystemExit(128 + pending[0])

    if threading.current_thread() is not threading.main_thread():
        yield check
        return
    signals = [signal.SIGINT]
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:  # whoever handles it otherwise goes on to do so
        signals.append(signal.SIGTERM)
    previous = [(number, signal.signal(number, lambda number, frame: pending.append(number))) for number in signals]
    try:
        yield check
    finally:
        for number, handler in previous:
            signal.signal(number, handler)
