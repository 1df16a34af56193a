"""A step of a 784-256-128-10 network on batches of 128: matrix products of middle size.

ReLU, cross-entropy, plain gradient descent. All peers start from the same weights and see the same
batches in the same order. The data are random, labelled by a random linear map.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.harness.dense import (
    Weights,
    cross_entropy,
    flatten,
    relu,
    shapes,
    start_weights,
    torch_net,
    torch_weights,
)
from benchmarks.harness.workload import OURS, Check, Run, Workload

SIZES, BATCH, STEPS, RATE = (784, 256, 128, 10), 128, 100, 0.1
_rng = np.random.default_rng(0)
X = _rng.random((BATCH * STEPS, SIZES[0]), dtype=np.float32)
Y = ((X - 0.5) @ _rng.standard_normal((SIZES[0], 10))).argmax(1)


def done(weights: Weights, steps: int) -> dict[str, Any]:
    """Return what must be equal among all peers."""
    return {"shapes": shapes(weights), "steps": steps, "loss": cross_entropy(weights, X, Y, relu)}


def ours() -> tuple[Run, Check]:
    from glassnet import MLPClassifier, advance

    net = MLPClassifier(
        SIZES[1:-1], solver="sgd", momentum=0, alpha=0, batch_size=BATCH, learning_rate_init=RATE, shuffle=False
    )
    state = net.initialize(X, Y)
    state.arrays["parameters"][:] = flatten(start_weights(SIZES))
    start = state.state_dict()

    def run() -> None:
        state.load_state_dict(start)
        advance(state, STEPS)

    return run, lambda _: done([*zip(net.coefs_, net.intercepts_, strict=True)], state.step)


def jax() -> tuple[Run, Check]:
    import jax
    import jax.numpy as jnp

    def loss(weights: Any, x: Any, y: Any) -> Any:
        *hidden, (w, b) = weights
        for weight, bias in hidden:
            x = jax.nn.relu(x @ weight + bias)
        log_probability = jax.nn.log_softmax(x @ w + b)
        return -jnp.take_along_axis(log_probability, y[:, None], 1).mean()

    @jax.jit
    def step(weights: Any, x: Any, y: Any) -> Any:
        value, gradient = jax.value_and_grad(loss)(weights, x, y)
        return jax.tree.map(lambda w, g: w - RATE * g, weights, gradient), value

    start = jax.device_put(start_weights(SIZES))
    batches = [jax.device_put((X[i : i + BATCH], Y[i : i + BATCH])) for i in range(0, len(X), BATCH)]

    def run() -> Any:
        weights = start
        for x, y in batches:
            weights, _ = step(weights, x, y)
        return jax.block_until_ready(weights)

    return run, lambda weights: done(weights, STEPS)


def pytorch() -> tuple[Run, Check]:
    import torch

    batches = [*zip(torch.from_numpy(X).split(BATCH), torch.from_numpy(Y).split(BATCH), strict=True)]

    def run() -> Weights:
        net = torch_net(start_weights(SIZES), "ReLU")
        optimizer, loss_function = torch.optim.SGD(net.parameters(), RATE), torch.nn.CrossEntropyLoss()
        for x, y in batches:
            optimizer.zero_grad()
            loss_function(net(x), y).backward()
            optimizer.step()
        return torch_weights(net)

    return run, lambda weights: done(weights, STEPS)


WORKLOADS = [
    Workload(
        name="mlp_step",
        title="MLP 784-256-128-10, ReLU, batches of 128: 100 steps",
        peers={OURS: ours, "JAX jit": jax, "PyTorch": pytorch},
        tolerance={"loss": 5e-3},  # a unit that one library has just above 0 is just below it in another
        at_least=1,
        aim=1.2,
        steps=STEPS,
        flops=STEPS * BATCH * (4 * 784 * 256 + 6 * (256 * 128 + 128 * 10)),  # no delta is carried to the input
    )
]
