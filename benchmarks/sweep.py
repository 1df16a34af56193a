"""A sweep: 1,000 XOR networks, each with its own initial weights, 2,000 full-batch steps each.

The peers train all networks at once, as one stacked computation; glassnet maps `advance` over
a thread pool, so that each network comes out as it would alone, to the bit.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from benchmarks.harness.dense import Weights, flatten, shapes, squared_error, start_weights
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
    from glassnet import MLPRegressor, advance
    from glassnet.learning import kernel_engine

    kernel_engine.compile_kernels()
    options: dict[str, Any] = {"solver": "sgd", "momentum": 0, "alpha": 0, "learning_rate_init": RATE}
    networks = [MLPRegressor((4,), "tanh", random_state=0, **options) for _ in range(N_NETWORKS)]
    states = [net.initialize(X, T) for net in networks]
    for state, weights in zip(states, start(), strict=True):
        state.arrays["parameters"][:] = flatten(weights)
    starts = [state.state_dict() for state in states]
    pool = ThreadPoolExecutor(int(os.environ["OMP_NUM_THREADS"]))

    def train(i: int) -> None:
        states[i].load_state_dict(starts[i])
        advance(states[i], STEPS)

    def check(_: Any) -> dict[str, Any]:
        return done([[*zip(net.coefs_, net.intercepts_, strict=True)] for net in networks])

    return lambda: [*pool.map(train, range(N_NETWORKS))], check


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
        tolerance={"loss": 1e-4},
        at_least=2,
        aim=6,
        steps=STEPS,
        flops=N_NETWORKS * STEPS * 6 * len(X) * 16,
    )
]
