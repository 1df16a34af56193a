"""Training and test error of a network epoch by epoch: what claims about learning draw and measure."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from glassnet.data.dataset import Dataset
from glassnet.training.checkpoint import PATTERN, Checkpoint
from glassnet.training.logs import EpochLog, JsonLog
from glassnet.training.observers import StopTraining

Curves = dict[str, list[float]]


def error_curves(net: Any, data: Dataset, folder: Path | None = None) -> Curves:
    """Fit a network, and return its errors after every epoch.

    Parameters
    ----------
    net : ModuleClassifier
        Fitted in place.
    data : Dataset
    folder : Path, optional
        Where checkpoints are kept: a fit that was interrupted goes on from there.

    Returns
    -------
    dict of str to list of float
        "epoch"; "training error", counted while the epoch is learned; "test error" after it.
    """
    with nullcontext(folder) if folder else TemporaryDirectory() as place:
        log = JsonLog(Path(place, "epochs.jsonl"), lambda: 1 - float(net.score(data.X_test, data.y_test)))
        begun = any(Path(place).glob(PATTERN))
        watching = [log, Checkpoint(place, keep=1)]
        net.fit(data.X_train, data.y_train, observers=watching, resume=place if begun else None)
        rows = {row["epoch"]: row for row in map(json.loads, log.path.read_text().splitlines())}
    return {
        "epoch": list(rows),
        "training error": [round(1 - row["accuracy"], 4) for row in rows.values()],
        "test error": [round(row["validation_loss"], 4) for row in rows.values()],
    }


class UntilError(EpochLog):
    """Count the training error of every epoch, and end the fit when it has fallen to ``target``.

    Attributes
    ----------
    errors : list of float
    """

    def __init__(self, target: float):
        super().__init__()
        self.target = target
        self.errors: list[float] = []

    def write(self, row: dict[str, Any]) -> None:
        """Note the epoch's error."""
        self.errors.append(round(1 - row["accuracy"], 4))
        if self.errors[-1] <= self.target:
            raise StopTraining
