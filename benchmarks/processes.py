"""Two processes with one thread each, beside one process with two: steps of ResNet-20, batches of 128.

The processes meet as torchrun would have them meet, over gloo on this machine. What the exchange
costs by itself, the all-reduce of as many numbers as the network has, is the second workload: with
the seconds of a step it tells when a network between machines would bind (docs/processes.md).
What a checkpoint after every epoch takes of the fit is the third.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.harness.workload import OURS, Check, Run, Workload

BATCH, STEPS, EPOCH, SIZE = 128, 10, 40, 269_722
SHARE = "% of the fit in checkpoints"
OPTIONS: dict[str, Any] = {
    "solver": "sgd", "learning_rate_init": 0.01, "batch_size": BATCH, "max_iter": 1, "tol": None, "random_state": 0,
}  # fmt: skip


def fit(steps: int = STEPS, **options: Any) -> Any:
    """Make the steps; return the fitted estimator."""
    from glassnet import ModuleClassifier

    random = np.random.default_rng(0)
    X = random.integers(256, size=(steps * BATCH, 3, 32, 32)).astype(np.uint8)
    return ModuleClassifier("resnet20", **OPTIONS).fit(X, random.integers(10, size=len(X)), **options)


def done(net: Any) -> dict[str, Any]:
    return {"steps": net.state_.step, "parameters": len(net.state_.arrays["parameters"]), "loss": net.loss_curve_[-1]}


def alone() -> tuple[Run, Check]:
    return fit, done


def together() -> tuple[Run, Check]:
    """Be the first of two processes; the second is told to work whenever this one does."""
    group = _meet(0)

    def run() -> Any:
        group.gather("fit")
        return fit()

    return run, done


def exchange() -> tuple[Run, Check]:
    import torch

    group, numbers = _meet(0), torch.ones(SIZE + 1)

    def run() -> float:
        group.gather("exchange")
        numbers.fill_(1)
        for _ in range(STEPS):
            group.add_up(numbers)
        return numbers[0].item()

    return run, lambda total: {"total": total}


def with_checkpoints() -> tuple[Run, Check]:
    """Fit with a checkpoint; time what it takes inside the fit, since two fits differ by more than that."""
    from glassnet.training.checkpoint import Checkpoint

    class Timed(Checkpoint):
        seconds = 0.0

        def record(self, first_step: int, losses: np.ndarray) -> None:
            self._timed(super().record, first_step, losses)

        def observe(self, state: Any) -> None:
            self._timed(super().observe, state)

        def _timed(self, method: Callable[..., None], *arguments: Any) -> None:
            start = perf_counter()
            method(*arguments)
            self.seconds += perf_counter() - start

    def run() -> float:
        with tempfile.TemporaryDirectory() as folder:
            start, timed = perf_counter(), Timed(folder)
            net = fit(EPOCH, observers=[timed])
            assert net.state_.step == EPOCH
            return 100 * timed.seconds / (perf_counter() - start)

    return run, lambda percent: {SHARE: round(percent, 3)}


def _meet(rank: int) -> Any:
    """Return the group of two processes, of which the first starts the second; it lasts as long as this process."""
    import torch

    from glassnet.training.distributed import joined

    if rank == 0:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = str(free.getsockname()[1])
        os.environ |= {
            "WORLD_SIZE": "2",
            "RANK": "0",
            "LOCAL_RANK": "0",
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": port,
        }
        subprocess.Popen(
            [sys.executable, "-m", "benchmarks.processes"], env={**os.environ, "RANK": "1", "LOCAL_RANK": "1"}
        )
    torch.set_num_threads(1)
    return _LASTING.enter_context(joined())


_LASTING = ExitStack()

WORKLOADS = [
    Workload(
        name="processes",
        quick=False,
        title=f"ResNet-20, {STEPS} steps of {BATCH}: two processes with one thread; peer: one with two threads",
        peers={OURS: together, "glassnet, one process": alone},
        tolerance={"loss": 0.05},  # batch normalization sees half a batch in each process
        at_least=0.9,
        steps=STEPS,
    ),
    Workload(
        name="exchange",
        title=f"All-reduce of {SIZE:,} numbers between two processes over gloo, {STEPS} times",
        peers={OURS: exchange},
        at_most={OURS: 1.0},
        steps=STEPS,
    ),
    Workload(
        name="checkpoints",
        quick=False,
        title=f"ResNet-20, {EPOCH} steps of {BATCH} and a checkpoint after them",
        peers={OURS: with_checkpoints},
        at_most={OURS: 60.0},
        limits={OURS: {SHARE: 2.0}},
        rounds=5,
        steps=EPOCH,
    ),
]


def _follow() -> None:
    """Be the second process: do what the first does, until it ends."""
    import torch

    from glassnet.errors import DistributedError

    group, numbers = _meet(1), torch.ones(SIZE + 1)
    while True:
        try:
            word = group.gather(None)[0]
        except DistributedError:
            return
        if word == "fit":
            fit()
        else:
            for _ in range(STEPS):
                group.add_up(numbers.fill_(1))


if __name__ == "__main__":
    _follow()
