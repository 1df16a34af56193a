"""A fit in several processes, started from one: what ``processes=N`` does, in a notebook too.

`torchrun` starts N processes of this file; each reads the estimator and the data from a
temporary folder and fits (see `glassnet.training.distributed`). The first prints a line an
epoch, which is passed on, and leaves the fitted estimator in the folder. The folder is this
process's own and is removed afterwards; nothing in it is kept or read from elsewhere.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from glassnet.errors import DistributedError, InvalidInputError
from glassnet.training.distributed import current, is_launched, joined
from glassnet.training.observers import EpochLosses, Observer
from glassnet.training.state import TrainingState

JOB, RESULT = "job.pickle", "fitted.pickle"
# lines of the processes' errors that are shown when they fail
LINES_SHOWN = 12


def starts_processes(estimator: Any) -> bool:
    """Return whether a fit of this estimator is for processes that have yet to be started.

    Raises
    ------
    InvalidInputError
        If ``processes`` is no whole number from 1.
    """
    n = estimator.processes
    if not isinstance(n, int) or isinstance(n, bool) or n < 1:
        raise InvalidInputError(f"processes must be a whole number from 1, got {n!r}.")
    return n > 1 and not is_launched()


def fit_in_processes(estimator: Any, *arguments: Any, observers: Sequence[Observer] = (), **options: Any) -> None:
    """Fit an estimator in ``estimator.processes`` processes; it is then as if it had been fitted here.

    Parameters
    ----------
    estimator : estimator
        Changed in place. What it holds must be such that another process can be given it.
    *arguments, **options
        Of its `fit`.
    observers : sequence of Observer
        None: they would watch here, where nothing is fitted.

    Raises
    ------
    InvalidInputError
        If there are observers.
    DistributedError
        If the processes fail; the last that they said is in the message.
    """
    if observers:
        raise InvalidInputError(
            f"observers cannot watch {estimator.processes} other processes: leave them out, or start "
            "this program with torchrun and leave processes at 1."
        )
    import cloudpickle  # functions of a notebook, too, can be given to another process

    with TemporaryDirectory(prefix="glassnet-") as folder:
        (Path(folder) / JOB).write_bytes(cloudpickle.dumps((estimator, arguments, options)))
        _run(estimator.processes, folder, verbose=bool(estimator.verbose))
        estimator.__dict__.update(pickle.loads((Path(folder) / RESULT).read_bytes()))


def _run(n: int, folder: str, verbose: bool) -> None:
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={n}"]
    said: deque[str] = deque(maxlen=LINES_SHOWN)
    command = [*launch, "-m", __name__, folder]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            for line in process.stdout or ():
                if line.startswith("epoch ") and verbose:
                    print(line, end="", flush=True)
                elif "Error" in line:
                    said.append(line)
        finally:
            process.terminate()  # Ctrl-C ends them too; those that have ended take no notice
    if not (Path(folder) / RESULT).exists():
        raise DistributedError(f"The {n} processes failed:\n{''.join(said)}")


class _Lines(Observer):
    """Prints a line an epoch."""

    def __init__(self, n_epochs: int):
        self._n_epochs = n_epochs
        self._losses: EpochLosses | None = None

    def next_event(self, step: int) -> int:
        return step if self._losses is None else self._next

    def record(self, first_step: int, losses: Any) -> None:
        assert self._losses is not None
        self._losses.record(first_step, losses)

    def observe(self, state: TrainingState) -> None:
        if self._losses is None:
            self._losses = EpochLosses(state)
        else:
            print(f"epoch {state.epoch}/{self._n_epochs} loss {self._losses.values[-1]:.4g}", flush=True)
        self._next = state.step - state.position + state.steps_per_epoch


def _work(folder: Path) -> None:
    """Be one of the processes."""
    estimator, arguments, options = pickle.loads((folder / JOB).read_bytes())
    lines = [_Lines(estimator.max_iter)] if current().leads else []
    estimator.set_params(verbose=False).fit(*arguments, observers=lines, **options)
    if current().leads:
        parameters = estimator.get_params(deep=False)
        fitted = {name: value for name, value in estimator.__getstate__().items() if name not in parameters}
        (folder / RESULT).write_bytes(pickle.dumps(fitted))


if __name__ == "__main__":
    with joined():
        _work(Path(sys.argv[1]))
