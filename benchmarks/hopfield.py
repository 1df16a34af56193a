"""Recall of a Hopfield network: against bare matrix products, and against a package of that name.

Random patterns at a load of 0.10, probes with a tenth of their bits flipped. All recall from
Hebb's weights in their own precision: float32 here, float64 in ``hopfieldnetwork``.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from benchmarks.harness.workload import OURS, Check, Run, Workload

N_UNITS, N_PATTERNS, N_PROBES = 2000, 200, 1000


def data(n_units: int, n_patterns: int, n_probes: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return patterns, probes, and the pattern that each probe came from; -1 and +1 in float32."""
    rng = np.random.default_rng(0)
    patterns = rng.choice(np.array([-1, 1], np.float32), (n_patterns, n_units))
    targets = patterns[np.arange(n_probes) % n_patterns]
    return patterns, np.where(rng.random(targets.shape) < 0.1, -targets, targets), targets


def done(states: np.ndarray, targets: np.ndarray) -> dict[str, Any]:
    """Return what must be equal: the probes, and the share of the bits that came back."""
    return {"probes": len(states), "bits_right": float((states == targets).mean())}


def ours(update: str, n_probes: int) -> tuple[Run, Check]:
    from glassnet import HopfieldNetwork

    patterns, probes, targets = data(N_UNITS, N_PATTERNS, n_probes)
    network = HopfieldNetwork(update=update, random_state=0).fit(patterns)
    return lambda: network.recall(probes), lambda recall: done(recall.states, targets)


def products() -> tuple[Run, Check]:
    """Nothing but sign(S @ W), made for those probes only that have not settled yet.

    Who settles when is looked up beforehand: no program could know it without looking.
    """
    from glassnet import HopfieldNetwork

    patterns, probes, targets = data(N_UNITS, N_PATTERNS, N_PROBES)
    network = HopfieldNetwork(update="synchronous").fit(patterns)
    n_iter = network.recall(probes).n_iter
    order = np.argsort(-n_iter)
    moving = [int((n_iter > step).sum()) for step in range(n_iter.max())]

    def run() -> np.ndarray:
        states = probes[order]
        for n in moving:
            states[:n] = np.sign(states[:n] @ network.weight_)
        return states

    return run, lambda states: done(states, targets[order])


def hopfieldnetwork(n_probes: int) -> tuple[Run, Check]:
    from hopfieldnetwork import HopfieldNetwork

    patterns, probes, targets = data(N_UNITS, N_PATTERNS, n_probes)
    network = HopfieldNetwork(N=N_UNITS)
    network.train_pattern(patterns.T.astype(np.int8))

    def recall(probe: np.ndarray) -> np.ndarray:
        network.set_initial_neurons_state(probe.astype(np.int8))
        network.update_neurons(1, "async", run_max=True)
        return network.S

    return lambda: np.array([recall(probe) for probe in probes]), lambda states: done(states, targets)


def store_and_recall() -> tuple[Run, Check]:
    """Ten thousand units, the most that is promised."""
    from glassnet import HopfieldNetwork

    patterns, probes, targets = data(10_000, 1000, 100)
    network = HopfieldNetwork(random_state=0)
    return lambda: network.fit(patterns).recall(probes), lambda recall: done(recall.states, targets)


def asynchronous(n_probes: int, runs: int) -> Workload:
    """Return the workload for so many probes, recalled together."""
    return Workload(
        name=f"hopfield asynchronous {n_probes}",
        title=f"Hopfield, {N_UNITS:,} units: asynchronous recall, probes: {n_probes}",
        peers={OURS: partial(ours, "asynchronous", n_probes), "hopfieldnetwork": partial(hopfieldnetwork, n_probes)},
        tolerance={"bits_right": 0.02},
        at_least=10,
        runs=runs,
    )


WORKLOADS = [
    Workload(
        name="hopfield synchronous",
        title=f"Hopfield, {N_UNITS:,} units: synchronous recall of {N_PROBES:,} probes with energies and overlaps",
        peers={OURS: partial(ours, "synchronous", N_PROBES), "NumPy products alone": products},
        tolerance={"bits_right": 1e-4},
        at_least=0.5,
        aim=0.8,
    ),
    asynchronous(1, runs=5),
    asynchronous(20, runs=1),
    Workload(
        name="hopfield 10,000 units",
        title="Hopfield, 10,000 units: store 1,000 patterns by Hebb's rule, recall 100 probes",
        peers={OURS: store_and_recall},
        at_most={OURS: 20},
    ),
]
