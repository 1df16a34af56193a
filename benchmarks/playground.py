"""The playground's networks, trained as the lab trains them: 250 points, batches of 10, 100 epochs.

The peer is the network code of TensorFlow Playground in node: ``--peer PATH`` names its
``nn.ts`` (compiled by ``tsc``) or a module compiled from it. Without it the peer is skipped.
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
import subprocess
import tempfile
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness.dense import Weights, flatten, shapes, squared_error, start_weights
from benchmarks.harness.workload import OURS, Check, PeerMissing, Run, Workload

N_SAMPLES, BATCH, EPOCHS, RATE = 250, 10, 100, 0.03
DRIVER = Path(__file__).with_name("playground.mjs")
_rng = np.random.default_rng(0)
X = _rng.uniform(-1, 1, (N_SAMPLES, 2)).astype(np.float32)
T = np.where(X[:, :1] * X[:, 1:] > 0, np.float32(1), np.float32(-1))  # the Playground's XOR


def done(weights: Weights) -> dict[str, Any]:
    """Return what must be equal among all peers."""
    return {"shapes": shapes(weights), "loss": squared_error(weights, X, T, np.tanh)}


def ours(sizes: tuple[int, ...]) -> tuple[Run, Check]:
    from glassnet import MLPRegressor, advance
    from glassnet.learning import kernel_engine

    kernel_engine.compile_kernels()
    options: dict[str, Any] = {"solver": "sgd", "momentum": 0, "alpha": 0, "shuffle": False}
    net = MLPRegressor(sizes[1:-1], "tanh", batch_size=BATCH, learning_rate_init=RATE, **options)
    state = net.initialize(X, T)
    state.arrays["parameters"][:] = flatten(start_weights(sizes))
    start = state.state_dict()

    def run() -> None:
        state.load_state_dict(start)
        advance(state, EPOCHS * state.steps_per_epoch)

    return run, lambda _: done([*zip(net.coefs_, net.intercepts_, strict=True)])


def tensorflow_playground(sizes: tuple[int, ...]) -> tuple[Run, Check]:
    code, node = os.environ.get("BENCHMARK_PLAYGROUND"), shutil.which("node")
    if not code or not node:
        raise PeerMissing("give --peer PATH/nn.ts" if not code else "no node on the PATH")
    process = subprocess.Popen(
        [node, str(DRIVER), _compiled(Path(code))], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )
    weights = [[w.tolist(), b.tolist()] for w, b in start_weights(sizes)]
    task = {"sizes": sizes, "weights": weights, "X": X.tolist(), "T": T[:, 0].tolist()}
    _write(process, {**task, "epochs": EPOCHS, "batch": BATCH, "rate": RATE})

    def run() -> Weights:
        _write(process, "run")
        assert process.stdout is not None
        return json.loads(process.stdout.readline())

    return run, lambda trained: done([(np.array(w), np.array(b)) for w, b in trained])


def _write(process: subprocess.Popen, message: Any) -> None:
    assert process.stdin is not None
    process.stdin.write(json.dumps(message) + "\n")


def _compiled(code: Path) -> str:
    """Return the module that node can load."""
    if code.suffix != ".ts":
        return str(code)
    if not (tsc := shutil.which("tsc")):
        raise PeerMissing("no tsc on the PATH, which compiles nn.ts")
    folder = tempfile.TemporaryDirectory()
    atexit.register(folder.cleanup)
    # the types of 2016 do not satisfy today's compiler, which writes the module all the same
    options = ["--target", "es2015", "--module", "es2015", "--outDir", folder.name]
    subprocess.run([tsc, *options, str(code)], check=False, stdout=subprocess.DEVNULL)
    return str(Path(folder.name, "nn.js").rename(Path(folder.name, "nn.mjs")))


def workload(sizes: tuple[int, ...], at_least: float, aim: float) -> Workload:
    """Return the workload for one network."""
    name = "-".join(map(str, sizes))
    n_weights = sum(n * m for n, m in pairwise(sizes))
    return Workload(
        name=f"playground {name}",
        title=f"Playground {name}, tanh, batches of {BATCH}: {EPOCHS * N_SAMPLES:,} samples",
        peers={OURS: partial(ours, sizes), "TensorFlow Playground": partial(tensorflow_playground, sizes)},
        tolerance={"loss": 1e-3},
        at_least=at_least,
        aim=aim,
        steps=EPOCHS * N_SAMPLES // BATCH,
        flops=6 * n_weights * EPOCHS * N_SAMPLES,
    )


WORKLOADS = [workload((2, 4, 2, 1), 4, 8), workload((2, 8, 8, 8, 1), 4, 8)]
