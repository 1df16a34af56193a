"""XOR: a 2-4-2 network of tanh units, squared error, full-batch gradient descent.

The smallest work that is training at all: it measures what a step costs besides arithmetic.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.harness.dense import Weights, flatten, shapes, squared_error, start_weights, torch_net, torch_weights
from benchmarks.harness.workload import OURS, Check, Run, Workload

SIZES, STEPS, RATE = (2, 4, 2), 2000, 0.02
X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
T = np.eye(2, dtype=np.float32)[[0, 1, 1, 0]]  # (4, 2): one output for "not XOR", one for "XOR"


def done(weights: Weights, steps: int) -> dict[str, Any]:
    """Return what must be equal among all peers."""
    return {"shapes": shapes(weights), "steps": steps, "loss": squared_error(weights, X, T, np.tanh)}


def ours() -> tuple[Run, Check]:
    from glassnet import MLPRegressor, advance
    from glassnet.learning import kernel_engine

    kernel_engine.compile_kernels()
    net = MLPRegressor((4,), "tanh", solver="sgd", momentum=0, alpha=0, learning_rate_init=RATE, random_state=0)
    state = net.initialize(X, T)
    state.arrays["parameters"][:] = flatten(start_weights(SIZES))
    start = state.state_dict()

    def run() -> None:
        state.load_state_dict(start)
        advance(state, STEPS)

    return run, lambda _: done([*zip(net.coefs_, net.intercepts_, strict=True)], state.step)


def jax() -> tuple[Run, Check]:
    import jax
    import jax.numpy as jnp

    def loss(weights: Any) -> Any:
        (w1, b1), (w2, b2) = weights
        z = jnp.tanh(X @ w1 + b1) @ w2 + b2
        return 0.5 * ((z - T) ** 2).sum(1).mean()

    def step(_: Any, weights: Any) -> Any:
        return jax.tree.map(lambda w, g: w - RATE * g, weights, jax.grad(loss)(weights))

    train = jax.jit(lambda weights: jax.lax.fori_loop(0, STEPS, step, weights))
    start = jax.device_put(start_weights(SIZES))
    return lambda: jax.block_until_ready(train(start)), lambda weights: done(weights, STEPS)


def pytorch() -> tuple[Run, Check]:
    import torch

    inputs, targets = torch.from_numpy(X), torch.from_numpy(T)

    def run() -> Weights:
        net = torch_net(start_weights(SIZES), "Tanh")
        optimizer = torch.optim.SGD(net.parameters(), RATE)
        for _ in range(STEPS):
            optimizer.zero_grad()
            loss = 0.5 * ((net(inputs) - targets) ** 2).sum(1).mean()
            loss.backward()
            optimizer.step()
        return torch_weights(net)

    return run, lambda weights: done(weights, STEPS)


def scikit_learn() -> tuple[Run, Check]:
    from sklearn.neural_network import MLPRegressor

    options: dict[str, Any] = {"solver": "sgd", "momentum": 0, "alpha": 0, "learning_rate_init": RATE}
    epochs: dict[str, Any] = {"batch_size": len(X), "max_iter": STEPS, "tol": 0, "n_iter_no_change": STEPS}
    net = MLPRegressor(hidden_layer_sizes=(4,), activation="tanh", warm_start=True, shuffle=False, **options, **epochs)
    net.partial_fit(X, T)
    start = start_weights(SIZES)

    def run() -> Weights:
        net.coefs_, net.intercepts_ = [w.copy() for w, _ in start], [b.copy() for _, b in start]
        net.n_iter_ = net.t_ = 0
        net.fit(X, T)
        return [*zip(net.coefs_, net.intercepts_, strict=True)]

    return run, lambda weights: done(weights, net.n_iter_)


WORKLOADS = [
    Workload(
        name="xor",
        title="XOR 2-4-2, tanh, squared error: 2,000 full-batch steps",
        peers={OURS: ours, "JAX jit": jax, "PyTorch": pytorch, "scikit-learn": scikit_learn},
        tolerance={"loss": 1e-4},
        at_least=3,
        aim=10,
        steps=STEPS,
        flops=STEPS * 6 * len(X) * 16,  # 2 for each of 16 weights, forward and twice backward
    )
]
