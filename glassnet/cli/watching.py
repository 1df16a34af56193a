"""What ``glassnet train`` puts beside a fit: checkpoints, logs, and a word when it is interrupted."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from glassnet.errors import RunFolderError

# networks that are learned in several stages: the run folder itself holds how far they have come
STAGED = ("dbn", "dbn-generative")


def watching(
    estimator: Any, kept: Path | None, resume: bool, log: Path | None, tensorboard: Path | None
) -> dict[str, Any]:
    """Return what `fit` needs to keep every epoch, to go on from the last, and to log them.

    Of several processes one keeps and logs; where they share out the parameters, each keeps its part.
    torchrun's restarts go on without being asked.

    Raises
    ------
    RunFolderError
        If there are checkpoints in ``kept`` and the run is not to go on from them.
    """
    from glassnet.training.checkpoint import Checkpoint, checkpoints
    from glassnet.training.distributed import current, restarts
    from glassnet.training.kept_run import KeptRun

    group, shared_out = current(), current().size > 1 and getattr(estimator, "sharded", False)
    if kept is not None and shared_out:
        kept = kept / f"part-{group.rank}-of-{group.size}"
    validation = (lambda: estimator.validation_loss_curve_[-1]) if getattr(estimator, "early_stopping", False) else None
    held = kept is not None and bool(checkpoints(kept))
    if held and not resume and not restarts():
        raise RunFolderError(f"{kept} holds a run: add --resume to go on with it, or take another --out.")
    staged = hasattr(estimator, "pretrain")
    observers: list[Any] = []
    if kept is not None:
        observers.append(KeptRun(kept, estimator) if staged else Checkpoint(kept, measure=validation))
    observers = observers if group.leads or shared_out else []
    observers += _logs(log, tensorboard, validation) if group.leads else []
    options: dict[str, Any] = {"observers": observers} if observers else {}
    if staged:
        return options
    return options | ({"resume": kept} if resume or (held and restarts() > 0) else {})


def spent_before(options: dict[str, Any]) -> float:
    """Return the seconds that the run took before this process goes on with it."""
    from glassnet.training.checkpoint import seconds_before

    return seconds_before(options["resume"]) if "resume" in options else 0.0


def taken_up(estimator: Any, folder: Path, resume: bool) -> Any:
    """Return an estimator of several stages as a run folder holds it, if it is to go on; otherwise as it is.

    Raises
    ------
    RunFolderError
        If the folder holds a run that it is not to go on from, or none although it should.
    """
    from glassnet.training.run_folder import CONFIG, load_run

    if not resume:
        if (folder / CONFIG).exists():
            raise RunFolderError(f"{folder} holds a run: add --resume to go on with it, or take another --out.")
        return estimator
    held = load_run(folder)
    if type(held) is not type(estimator):
        raise RunFolderError(f"{folder} holds a {type(held).__name__}, not a {type(estimator).__name__}.")
    return held.set_params(**estimator.get_params(deep=False) | {"warm_start": True})


def say_interrupted(estimator: Any, kept: Path | None) -> None:
    """Say how far a fit came, and how it goes on."""
    how = f"what was learnt is in {kept}: the same command with --resume goes on" if kept else "nothing was kept"
    print(f"glassnet: interrupted after {getattr(estimator, 'n_iter_', 0)} epochs; {how}.", file=sys.stderr)


def _logs(log: Path | None, tensorboard: Path | None, validation: Callable[[], float] | None) -> list[Any]:
    from glassnet.training.logs import JsonLog, TensorBoardLog

    logs: list[Any] = [JsonLog(log, validation)] if log is not None else []
    return logs + ([TensorBoardLog(tensorboard, validation)] if tensorboard is not None else [])
