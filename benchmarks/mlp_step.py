"""A step of a 784-256-128-10 network on batches of 128: matrix products of middle size.

ReLU, cross-entropy, plain gradient descent. All peers start from the same weights and see the same
batches in the same order. The data are random, labelled by a random linear map. ``benchmarks.growth`` varies the sizes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from itertools import pairwise
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

RATE = 0.1


@dataclass(frozen=True)
class Steps:
    """So many steps of gradient descent of a network of these sizes.

    Parameters
    ----------
    sizes : tuple of int
        Number of inputs, then of units in each layer.
    batch, steps : int
    """

    sizes: tuple[int, ...]
    batch: int
    steps: int

    @cached_property
    def data(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the inputs of all steps, and their classes."""
        rng = np.random.default_rng(0)
        X = rng.random((self.batch * self.steps, self.sizes[0]), dtype=np.float32)
        return X, ((X - 0.5) @ rng.standard_normal((self.sizes[0], self.sizes[-1]))).argmax(1)

    def done(self, weights: Weights, steps: int) -> dict[str, Any]:
        """Return what must be equal among all peers."""
        return {"shapes": shapes(weights), "steps": steps, "loss": cross_entropy(weights, *self.data, relu)}

    @property
    def flops(self) -> float:
        """Operations of all steps; no delta is carried to the input."""
        products = [n * m for n, m in pairwise(self.sizes)]
        return self.steps * self.batch * (4 * products[0] + 6 * sum(products[1:]))


def ours(work: Steps) -> tuple[Run, Check]:
    from glassnet import MLPClassifier, advance
    from glassnet.learning import kernel_engine

    kernel_engine.compile_kernels()
    options: dict[str, Any] = {"solver": "sgd", "momentum": 0, "alpha": 0, "learning_rate_init": RATE}
    net = MLPClassifier(work.sizes[1:-1], batch_size=work.batch, shuffle=False, **options)
    state = net.initialize(*work.data)
    state.arrays["parameters"][:] = flatten(start_weights(work.sizes))
    start = state.state_dict()

    def run() -> None:
        state.load_state_dict(start)
        advance(state, work.steps)

    return run, lambda _: work.done([*zip(net.coefs_, net.intercepts_, strict=True)], state.step)


def jax(work: Steps) -> tuple[Run, Check]:
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

    start = jax.device_put(start_weights(work.sizes))
    batches = [jax.device_put(batch) for batch in zip(*(np.split(part, work.steps) for part in work.data), strict=True)]

    def run() -> Any:
        weights = start
        for x, y in batches:
            weights, _ = step(weights, x, y)
        return jax.block_until_ready(weights)

    return run, lambda weights: work.done(weights, work.steps)


def equinox(work: Steps) -> tuple[Run, Check]:
    """All steps in one compiled call, the batches scanned."""
    import equinox as eqx
    import jax
    import jax.numpy as jnp

    def linear(weight: np.ndarray, bias: np.ndarray) -> Any:
        layer = eqx.nn.Linear(*weight.shape, key=jax.random.key(0))
        return eqx.tree_at(lambda part: (part.weight, part.bias), layer, (jnp.array(weight.T), jnp.array(bias)))

    def loss(net: Any, x: Any, y: Any) -> Any:
        log_probability = jax.nn.log_softmax(jax.vmap(net)(x))
        return -jnp.take_along_axis(log_probability, y[:, None], 1).mean()

    @eqx.filter_jit
    def train(net: Any, batches: Any) -> Any:
        arrays, rest = eqx.partition(net, eqx.is_array)

        def step(arrays: Any, batch: Any) -> Any:
            gradient = eqx.filter_grad(loss)(eqx.combine(arrays, rest), *batch)
            return eqx.apply_updates(arrays, jax.tree.map(lambda g: -RATE * g, gradient)), None

        return jax.lax.scan(step, arrays, batches)[0]

    relu_layer = eqx.nn.Lambda(jax.nn.relu)
    layers = [part for weights in start_weights(work.sizes) for part in (linear(*weights), relu_layer)]
    start = eqx.nn.Sequential(layers[:-1])
    batches = jax.device_put([part.reshape(work.steps, work.batch, *part.shape[1:]) for part in work.data])

    def check(arrays: Any) -> dict[str, Any]:
        parts = [np.asarray(part) for part in jax.tree.leaves(arrays)]
        return work.done([(w.T, b) for w, b in zip(parts[::2], parts[1::2], strict=True)], work.steps)

    return lambda: jax.block_until_ready(train(start, batches)), check


def keras(work: Steps) -> tuple[Run, Check]:
    from benchmarks.harness import keras_peer

    net = keras_peer.dense_net(start_weights(work.sizes), "relu")
    sgd = keras_peer.library().optimizers.SGD(RATE)
    run = keras_peer.fit(net, sgd, lambda: work.data, batch_size=work.batch, shuffle=False)
    return run, lambda net: work.done(keras_peer.dense_weights(net), int(sgd.iterations))


def pytorch(work: Steps) -> tuple[Run, Check]:
    import torch

    batches = [*zip(*(torch.from_numpy(part).split(work.batch) for part in work.data), strict=True)]

    def run() -> Weights:
        net = torch_net(start_weights(work.sizes), "ReLU")
        optimizer, loss_function = torch.optim.SGD(net.parameters(), RATE), torch.nn.CrossEntropyLoss()
        for x, y in batches:
            optimizer.zero_grad()
            loss_function(net(x), y).backward()
            optimizer.step()
        return torch_weights(net)

    return run, lambda weights: work.done(weights, work.steps)


def products(work: Steps) -> tuple[Run, Check]:
    """Make the matrix products of all steps by torch, forwards and backwards, and nothing else."""
    import torch

    layers = [(torch.rand(work.batch, n), torch.rand(m, n), torch.rand(work.batch, m)) for n, m in pairwise(work.sizes)]
    room = [[torch.empty_like(part) for part in layer] for layer in layers]

    @torch.inference_mode()
    def run() -> None:
        for _ in range(work.steps):
            for k, ((x, weight, delta), (down, gradient, z)) in enumerate(zip(layers, room, strict=True)):
                torch.mm(x, weight.T, out=z)
                torch.mm(delta.T, x, out=gradient)
                if k > 0:
                    torch.mm(delta, weight, out=down)

    return run, lambda _: {"steps": work.steps}


PEERS = {OURS: ours, "JAX jit": jax, "Equinox": equinox, "Keras on JAX": keras, "PyTorch": pytorch}
WORK = Steps((784, 256, 128, 10), batch=128, steps=100)
WORKLOADS = [
    Workload(
        name="mlp_step",
        title="MLP 784-256-128-10, ReLU, batches of 128: 100 steps",
        peers={name: partial(peer, WORK) for name, peer in PEERS.items()},
        tolerance={"loss": 5e-3},  # a unit that one library has just above 0 is just below it in another
        at_least=1,
        aim=1.2,
        bounds={"its products alone, by torch": partial(products, WORK)},
        steps=WORK.steps,
        flops=WORK.flops,
    )
]
