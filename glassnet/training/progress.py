"""A progress bar for a fit: epochs, loss, accuracy, speed, time left. Silent when not on a terminal."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from glassnet.training.logs import Counted
from glassnet.training.observers import Observer
from glassnet.training.state import TrainingState

if TYPE_CHECKING:
    from typing import Self

# seconds over which loss, accuracy and speed are averaged
WINDOW = 1.0


class ProgressBar(Observer):
    """Shows on standard error how far a fit is, as long as its `with` block lasts.

    It takes the losses as they come and asks for no step of its own, so the engine runs
    as uninterrupted as without it.

    Parameters
    ----------
    state : TrainingState
        The run to be watched.
    n_epochs : int
        At most this many will be made.
    stage : str
        What the epochs are of, where a fit has several stages.
    """

    def __init__(self, state: TrainingState, n_epochs: int, stage: str = ""):
        self._first_step, self._steps_per_epoch = state.step - state.position, state.steps_per_epoch
        self._batch_size, self._counted = state.batch_size, Counted(state)
        epochs, about = TextColumn("{task.fields[epochs]}"), TextColumn("{task.fields[about]}")
        console = Console(stderr=True)
        self._progress = Progress(
            *("{task.description}", BarColumn(), epochs, about, TimeRemainingColumn()),
            console=console, redirect_stdout=False, disable=not console.is_terminal,
        )  # fmt: skip
        total = n_epochs * self._steps_per_epoch
        self._n_epochs = n_epochs
        self._task = self._progress.add_task(f"{stage} epoch".lstrip(), total=total, epochs=f"0/{n_epochs}", about="")
        self._losses: list[np.ndarray] = []
        self._since = time.perf_counter()

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._losses:
            self._show()
        self._progress.stop()

    def record(self, first_step: int, losses: np.ndarray) -> None:
        """Show how many steps are made, and about once a second what the newest came to."""
        self._losses.append(losses)
        n_steps = first_step + len(losses) - self._first_step
        epochs = f"{n_steps // self._steps_per_epoch}/{self._n_epochs}"
        self._progress.update(self._task, completed=n_steps, epochs=epochs)
        if time.perf_counter() - self._since > WINDOW:
            self._show()

    def _show(self) -> None:
        losses, seconds = np.concatenate(self._losses), time.perf_counter() - self._since
        about = f"loss {losses.mean():.4g}"
        if (accuracy := self._counted.accuracy()) is not None:
            about += f"  accuracy {accuracy:.1%}"
        about += f"  {len(losses) * self._batch_size / seconds:,.0f} samples/s"
        self._progress.update(self._task, about=about)
        self._losses, self._since = [], time.perf_counter()
        self._counted.begin()
