"""The progress bar of ``glassnet train``: epochs, loss, time left. Silent where there is no terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from glassnet.training.observers import Observer
from glassnet.training.state import TrainingState

if TYPE_CHECKING:
    from typing import Self


class EpochBar(Observer):
    """Shows on standard error how far a fit is, as long as its `with` block lasts.

    It looks at the state once, after the first step, and from then on at the losses as
    they come, so the engine runs as uninterrupted as without it.

    Parameters
    ----------
    n_epochs : int
        At most this many will be made.
    """

    def __init__(self, n_epochs: int):
        self._steps_per_epoch: int | None = None
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

    def next_event(self, step: int) -> int | None:
        """Ask for the first step only."""
        return step + 1 if self._steps_per_epoch is None else None

    def observe(self, state: TrainingState) -> None:
        """Take note of how many steps make an epoch."""
        self._steps_per_epoch = state.steps_per_epoch

    def record(self, first_step: int, losses: np.ndarray) -> None:
        """Show the epochs completed and the mean of the newest losses."""
        epochs = (first_step + len(losses)) // (self._steps_per_epoch or first_step + len(losses) + 1)
        self._progress.update(self._task, completed=epochs, loss=f"{losses.mean():.4g}")
