"""A sweep: 1,000 XOR networks, each with its own initial weights, 2,000 full-batch steps each.

The peers train all networks at once, as one stacked computation, and no more than that is timed.
glassnet's `sweep` makes 1,000 whole fits in a thread pool, each bit-equal to the fit alone. The
initial weights are drawn from one distribution, but by each library itself: losses are equal
on the average.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from benchmarks.harness.dense import Weights, shapes, squared_error, start_weights
from benchmarks.harness.workload import OURS, Check, Run, Workload
from benchmarks.xor import RATE, SIZES, STEPS, T, X

N_NETWORKS = 1000


def start() -> list[Weights]:
    """Return the initial weights of every network."""
    return [start_weights(SIZES, seed) for seed in range(N_NETWORKS)]


def stacked() -> Weights:
    """Return the initial weights with the networks as first axis."""
    return [(np.stack([w for w, _ in layer]), np.stack([b for _, b in layer])) for layer in zip(*start(), strict=True)]


def done(networks: list[Weights]) -> dict[str, Any]:
    """Return what must be equal among all peers."""
    losses = [squared_error(weights, X, T, np.tanh) for weights in networks]
    return {"shapes": shapes(networks[0]), "networks": len(networks), "loss": float(np.mean(losses))}


def unstacked(weights: Any) -> list[Weights]:
    """Return the networks of a stack."""
    arrays = [(np.asarray(w), np.asarray(b)) for w, b in weights]
    return [[(w[i], b[i]) for w, b in arrays] for i in range(N_NETWORKS)]


def ours() -> tuple[Run, Check]:
    from glassnet import MLPRegressor, sweep
    from glassnet.learning import kernel_engine

    kernel_engine.compile_kernels()
    options: dict[str, Any] = {"solver": "sgd", "momentum": 0, "alpha": 0, "learning_rate_init": RATE}
    net = MLPRegressor((4,), "tanh", max_iter=STEPS, tol=None, **options)
    threads = int(os.environ["OMP_NUM_THREADS"])

    def check(done_sweep: Any) -> dict[str, Any]:
        networks = [run.estimator for run in done_sweep.runs]
        return done([[*zip(net.coefs_, net.intercepts_, strict=True)] for net in networks])

    return lambda: sweep(net, X, T, {"random_state": range(N_NETWORKS)}, n_jobs=threads), check


def jax() -> tuple[Run, Check]:
    import jax
    import jax.numpy as jnp

    def loss(weights: Any) -> Any:
        (w1, b1), (w2, b2) = weights
        z = jnp.tanh(X @ w1 + b1) @ w2 + b2
        return 0.5 * ((z - T) ** 2).sum(1).mean()

    def step(_: Any, weights: Any) -> Any:
        return jax.tree.map(lambda w, g: w - RATE * g, weights, jax.grad(loss)(weights))

    train = jax.jit(jax.vmap(lambda weights: jax.lax.fori_loop(0, STEPS, step, weights)))
    begin = jax.device_put(stacked())
    return lambda: jax.block_until_ready(train(begin)), lambda weights: done(unstacked(weights))


def pytorch() -> tuple[Run, Check]:
    import torch
    from torch.func import grad, vmap

    inputs, targets = torch.from_numpy(X), torch.from_numpy(T)
    begin = [torch.from_numpy(part) for layer in stacked() for part in layer]

    def loss(w1: Any, b1: Any, w2: Any, b2: Any) -> Any:
        z = torch.tanh(inputs @ w1 + b1) @ w2 + b2
        return 0.5 * ((z - targets) ** 2).sum(1).mean()

    gradient = vmap(grad(loss, argnums=(0, 1, 2, 3)))

    def run() -> Any:
        parts = [part.clone() for part in begin]
        for _ in range(STEPS):
            for part, g in zip(parts, gradient(*parts), strict=True):
                part.sub_(g, alpha=RATE)
        return parts

    return run, lambda parts: done(unstacked(zip(parts[::2], parts[1::2], strict=True)))


WORKLOADS = [
    Workload(
        name="sweep",
        title="1,000 XOR networks 2-4-2: 2,000 full-batch steps each",
        peers={OURS: ours, "JAX vmap": jax, "torch.func.vmap": pytorch},
        tolerance={"loss": 0.01},
        at_least=2,
        aim=6,
        steps=STEPS,
        flops=N_NETWORKS * STEPS * 6 * len(X) * 16,
    )
]
