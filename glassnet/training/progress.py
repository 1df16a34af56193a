"""A progress bar for a fit: epochs, loss, time left. Silent when not on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from glassnet.training.observers import Observer
from glassnet.training.state import TrainingState

if TYPE_CHECKING:
    from typing import Self


class ProgressBar(Observer):
    """Shows on standard error how far a fit is, as long as its `with` block lasts.

    It takes the losses as they come and asks for no step of its own, so the engine runs
    as uninterrupted as without it.

    Parameters
    ----------
    state : TrainingState
        The run to be watched, at the start of an epoch.
    n_epochs : int
        At most this many will be made.
    """

    def __init__(self, state: TrainingState, n_epochs: int):
        self._first_step, self._steps_per_epoch = state.step, state.steps_per_epoch
        columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TextColumn("loss {task.fields[loss]}"))
        console = Console(stderr=True)
        self._progress = Progress(
            *columns, TimeRemainingColumn(), console=console, redirect_stdout=False, disable=not console.is_terminal
        )
        self._task = self._progress.add_task("epoch", total=n_epochs, loss="-")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._progress.stop()

    def record(self, first_step: int, losses: np.ndarray) -> None:
        """Show the epochs completed and the mean of the newest losses."""
        n_steps = first_step + len(losses) - self._first_step
        self._progress.update(self._task, completed=n_steps // self._steps_per_epoch, loss=f"{losses.mean():.4g}")
