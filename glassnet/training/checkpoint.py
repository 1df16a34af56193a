"""Checkpoints: a run written to a folder after every epoch and when it is interrupted, and taken up again.

Each file is one whole state: the arrays of the `TrainingState`, and as JSON its counters
and the losses so far. It is written beside its place and renamed, so a killed process
loses at most the epoch that it was in; one that Ctrl-C or SIGTERM ends loses nothing.
"""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from glassnet.errors import GlassnetWarning, InvalidInputError, RunFolderError
from glassnet.files import write_whole
from glassnet.training.distributed import fingerprint
from glassnet.training.observers import EpochLosses, Observer
from glassnet.training.state import COUNTERS, TrainingState

FORMAT = 2
BEST = "best.safetensors"
PATTERN = "epoch-*.safetensors"


class Checkpoint(Observer):
    """Write the state after every epoch, and in the middle of one when Ctrl-C or SIGTERM ends the fit.

    Parameters
    ----------
    folder : str or Path
        Made where it is missing. It must be empty of checkpoints, or hold those of the run
        that goes on.
    keep : int
        The last so many are kept.
    measure : callable, optional
        () -> float, such as the loss on held-out data. The state in which it was lowest is kept
        as ``best.safetensors``.

    Raises
    ------
    InvalidInputError
        If ``keep`` is below 1.
    RunFolderError
        When the run begins: if the folder holds checkpoints of another run.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from glassnet import MLPClassifier
    >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    >>> net = MLPClassifier((4,), max_iter=3, tol=None, random_state=0)
    >>> with TemporaryDirectory() as folder:
    ...     _ = net.fit(X, y, observers=[Checkpoint(folder, keep=2)])
    ...     again = net.initialize(X, y)
    ...     losses = resume(folder, again)
    ...     print(len(losses), again.epoch, [path.name for path in checkpoints(folder)])
    3 3 ['epoch-00002.safetensors', 'epoch-00003.safetensors']
    """

    def __init__(self, folder: str | Path, keep: int = 2, measure: Callable[[], float] | None = None):
        if keep < 1:
            raise InvalidInputError(f"Checkpoint keeps at least 1, got keep={keep}.")
        self.folder, self.keep, self.measure = Path(folder), keep, measure
        self._losses: EpochLosses | None = None
        self._earlier: list[float] = []
        self._best: float | None = None
        self._began, self._seconds = time.perf_counter(), 0.0  # of this process; of those before

    def next_event(self, step: int) -> int:
        """Ask for ``step`` itself where the run begins, then for the end of every epoch."""
        return step if self._losses is None else self._next

    def record(self, first_step: int, losses: np.ndarray) -> None:
        """Take the losses of the steps from ``first_step`` on."""
        assert self._losses is not None
        self._losses.record(first_step, losses)

    def observe(self, state: TrainingState) -> None:
        """Look at what the folder holds where the run begins; write the state where an epoch has ended."""
        if self._losses is None:
            self._begin(state)
        else:
            self._end_epoch(state)
        self._next = state.step - state.position + state.steps_per_epoch

    def interrupted(self, state: TrainingState) -> None:
        """Write the state where it is."""
        if self._losses is not None and state.position:
            self._write(state, f"epoch-{state.epoch:05d}.step-{state.position:07d}.safetensors")

    def _begin(self, state: TrainingState) -> None:
        begun: list[float] = []
        self._began = time.perf_counter()
        if checkpoints(self.folder):
            about = _newest(self.folder)[1]
            step = about["counters"]["step"]
            if step != state.step:
                raise RunFolderError(
                    f"{self.folder} holds a run at step {step}, this one is at step {state.step}: "
                    "resume from it, or take another folder."
                )
            self._earlier, self._best, begun = about["losses"], about["best"], about["begun"]
            self._seconds = about["seconds"]
        self._losses = EpochLosses(state, begun)

    def _end_epoch(self, state: TrainingState) -> None:
        measured = None if self.measure is None else float(self.measure())
        improved = measured is not None and (self._best is None or measured < self._best)
        self._best = measured if improved else self._best
        data = self._write(state, f"epoch-{state.epoch:05d}.safetensors", measured)
        if improved:
            write_whole(self.folder / BEST, data)

    def _write(self, state: TrainingState, name: str, measured: float | None = None) -> bytes:
        assert self._losses is not None
        losses, begun = [*self._earlier, *self._losses.values], self._losses.begun
        seconds = self._seconds + time.perf_counter() - self._began
        about = {"losses": losses, "begun": begun, "measured": measured, "best": self._best, "seconds": seconds}
        data = serialize(state, about)
        write_whole(self.folder / name, data)
        for path in checkpoints(self.folder)[: -self.keep]:
            path.unlink()
        return data


def checkpoints(folder: str | Path) -> list[Path]:
    """Return the checkpoints in a folder, the oldest first; none where there is no folder."""
    return sorted(Path(folder).glob(PATTERN))


def serialize(state: TrainingState, about: dict[str, Any]) -> bytes:
    """Return a state and JSON data about it as the content of a safetensors file."""
    saved = state.state_dict()
    counters = {name: saved[name] for name in COUNTERS}
    about = {"format": FORMAT, "counters": counters, "checksum": _checksum(saved["arrays"]), **about}
    return save(saved["arrays"], {"glassnet": json.dumps(about)})


def _checksum(arrays: dict[str, np.ndarray]) -> str:
    return fingerprint(*(arrays[name] for name in sorted(arrays)))


def read(path: str | Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the state dict in a checkpoint, and what else it says.

    Raises
    ------
    RunFolderError
        If the file is damaged, no checkpoint, or of another version.
    """
    try:
        with safe_open(path, "numpy") as file:
            about = json.loads(file.metadata()["glassnet"])
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise RunFolderError(f"{path} is not a whole checkpoint: {error!r}") from error
    if about["format"] != FORMAT:
        raise RunFolderError(f"{path} has format {about['format']!r}; this glassnet reads format {FORMAT}.")
    if about.get("checksum") != _checksum(arrays):
        raise RunFolderError(f"{path} is damaged: its checksum is not that of its content.")
    return {"arrays": arrays, **about["counters"]}, about


def resume(folder: str | Path, state: TrainingState) -> list[float]:
    """Put ``state`` to where the newest checkpoint in a folder is.

    Parameters
    ----------
    folder : str or Path
        Where `Checkpoint` has written; or the path of one checkpoint.
    state : TrainingState
        Of the same network and data; changed in place.

    Returns
    -------
    list of float
        The mean loss of every epoch so far.

    Raises
    ------
    RunFolderError
        If there is no checkpoint, or it is damaged.
    InvalidInputError
        If it is of another network, or of data divided otherwise.
    """
    saved, about = _newest(folder)
    state.load_state_dict(saved)
    return about["losses"]


def seconds_before(folder: str | Path) -> float:
    """Return how long the run in a folder had taken at its newest checkpoint, over all its processes.

    Raises
    ------
    RunFolderError
        As `resume`.
    """
    return _newest(folder)[1]["seconds"]


def losses_begun(folder: str | Path) -> list[float]:
    """Return the losses of the steps that the newest checkpoint had made in an epoch that was not complete.

    Raises
    ------
    RunFolderError
        As `resume`.
    """
    return _newest(folder)[1]["begun"]


def _newest(folder: str | Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the newest checkpoint that is whole; say so where a newer one is not."""
    folder = Path(folder)
    held = [folder] if folder.is_file() else checkpoints(folder)
    if not held:
        raise RunFolderError(f"There is no checkpoint in {folder}.")
    for path in reversed(held[1:]):
        try:
            return read(path)
        except RunFolderError as error:
            warnings.warn(f"{error} Going on from the one before it.", GlassnetWarning, stacklevel=4)
    return read(held[0])
