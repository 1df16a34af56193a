"""Logs of a fit: after every epoch a row of numbers, as a line of JSON or as TensorBoard events."""

from __future__ import annotations

import json
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from glassnet.errors import MissingDependencyError
from glassnet.training.observers import Observer
from glassnet.training.state import TrainingState


class Counted:
    """The share of training samples that were classified rightly since a moment, where the engine counts them."""

    def __init__(self, state: TrainingState):
        self._counts = lambda: getattr(state.engine, "counts", None)
        self.begin()

    def begin(self) -> None:
        """Count from now on."""
        self._start = self._counts()

    def accuracy(self) -> float | None:
        """Return the share in [0, 1]; None where nothing is counted."""
        now = self._counts()
        if now is None or self._start is None or now[1] == self._start[1]:
            return None
        return (now[0] - self._start[0]) / (now[1] - self._start[1])


class EpochLog(Observer, ABC):
    """What every log does: measure each epoch, and hand over its numbers.

    Parameters
    ----------
    validation_loss : callable, optional
        () -> float, the last loss on held-out data.
    """

    def __init__(self, validation_loss: Callable[[], float] | None = None):
        self.validation_loss = validation_loss
        self._next: int | None = None

    @abstractmethod
    def write(self, row: dict[str, Any]) -> None:
        """Write one epoch's numbers: "epoch", "step", and numbers by name."""

    def start(self, state: TrainingState) -> None:
        """Prepare where the run begins."""

    def next_event(self, step: int) -> int:
        """Ask for ``step`` itself where the run begins, then for the end of every epoch."""
        return step if self._next is None else self._next

    def record(self, first_step: int, losses: np.ndarray) -> None:
        """Add the losses of the steps from ``first_step`` on."""
        self._total += float(losses.sum())
        self._n_steps += len(losses)

    def observe(self, state: TrainingState) -> None:
        """Start, or write the row of the epoch that has ended."""
        if self._next is None:
            self.start(state)
            self._counted = Counted(state)
        else:
            self.write(self._row(state))
        self._next = state.step - state.position + state.steps_per_epoch
        self._total, self._n_steps, self._since = 0.0, 0, time.perf_counter()
        self._counted.begin()

    def _row(self, state: TrainingState) -> dict[str, Any]:
        seconds = time.perf_counter() - self._since
        row: dict[str, Any] = {"epoch": state.epoch, "step": state.step, "loss": self._total / max(self._n_steps, 1)}
        if (accuracy := self._counted.accuracy()) is not None:
            row["accuracy"] = accuracy
        if self.validation_loss is not None:
            row["validation_loss"] = float(self.validation_loss())
        if (solver := getattr(state.engine, "solver", None)) is not None:
            row["learning_rate"] = float(solver.rates(state.step - 1, 1)[0])
        samples = min(self._n_steps * state.batch_size, state.n_samples)
        return row | {"seconds": round(seconds, 4), "samples_per_second": round(samples / seconds, 1)}


class JsonLog(EpochLog):
    """Write each epoch as a line of JSON; a run that is resumed goes on in the same file.

    Parameters
    ----------
    path : str or Path
    validation_loss : callable, optional
        () -> float, the last loss on held-out data.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from glassnet import MLPClassifier
    >>> with TemporaryDirectory() as folder:
    ...     log = JsonLog(Path(folder, "log.jsonl"))
    ...     net = MLPClassifier((2,), max_iter=2, tol=None, random_state=0)
    ...     _ = net.fit([[0.0], [1.0]], [0, 1], observers=[log])
    ...     [json.loads(line)["epoch"] for line in log.path.read_text().splitlines()]
    [1, 2]
    """

    def __init__(self, path: str | Path, validation_loss: Callable[[], float] | None = None):
        super().__init__(validation_loss)
        self.path = Path(path)

    def start(self, state: TrainingState) -> None:
        """Empty the file, unless the run goes on."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if not state.step:
            self.path.write_text("")

    def write(self, row: dict[str, Any]) -> None:
        """Add a line."""
        with self.path.open("a") as file:
            file.write(json.dumps(row) + "\n")


class TensorBoardLog(EpochLog):
    """Write each epoch's numbers as events that TensorBoard draws.

    Parameters
    ----------
    folder : str or Path
    validation_loss : callable, optional
        () -> float, the last loss on held-out data.

    Raises
    ------
    MissingDependencyError
        If tensorboard is not installed.
    """

    def __init__(self, folder: str | Path, validation_loss: Callable[[], float] | None = None):
        super().__init__(validation_loss)
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise MissingDependencyError(
                "TensorBoard's events are written by tensorboard, which is not installed: "
                "pip install 'glassnet[tensorboard]'"
            ) from error
        self._writer = SummaryWriter(str(folder))

    def write(self, row: dict[str, Any]) -> None:
        """Write the numbers as scalars, at their epoch."""
        for name, value in row.items():
            if name != "epoch":
                self._writer.add_scalar(name, value, row["epoch"])
        self._writer.flush()
