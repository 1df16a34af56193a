"""A progress bar for a fit: epochs, loss, time left. Silent when not on a terminal."""

from __future__ import annotations

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from glassnet.training.observers import EpochLosses, Observer
from glassnet.training.state import TrainingState


class ProgressBar(Observer):
    """Shows how far a fit is; changes nothing.

    Parameters
    ----------
    state : TrainingState
        The run to be watched, at the start of an epoch.
    n_epochs : int
        At most this many will be made.
    losses : EpochLosses
        Watches the same fit, before this observer.
    """

    def __init__(self, state: TrainingState, n_epochs: int, losses: EpochLosses):
        self._losses, self._steps_per_epoch = losses, state.steps_per_epoch
        self._first_step, self._last_step = state.step, state.step + n_epochs * state.steps_per_epoch
        columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TextColumn("loss {task.fields[loss]}"))
        self._progress = Progress(*columns, TimeRemainingColumn())
        self._progress.disable = not self._progress.console.is_terminal
        self._task = self._progress.add_task("epoch", total=n_epochs, loss="-")

    def next_event(self, step: int) -> int | None:
        return step + self._steps_per_epoch - (step - self._first_step) % self._steps_per_epoch

    def observe(self, state: TrainingState) -> None:
        epochs = self._losses.values()
        self._progress.update(self._task, completed=len(epochs), loss=f"{epochs[-1]:.4g}", refresh=True)

    def finish(self) -> None:
        self._progress.stop()
