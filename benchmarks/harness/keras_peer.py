"""Keras 3 as a peer: on JAX, each step compiled, the data handed over as arrays, callbacks once an epoch."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.harness.dense import Weights
from benchmarks.harness.workload import Run

if TYPE_CHECKING:
    from collections.abc import Callable


def library() -> Any:
    """Return Keras on JAX, which compiles a whole step; on torch it would go operation by operation."""
    os.environ["KERAS_BACKEND"] = "jax"
    import keras

    return keras


def dense_net(weights: Weights, activation: str, penalty: float = 0.0) -> Any:
    """Return the network as Keras' users write it; ``penalty`` is that of the squared weights."""
    keras = library()
    layers = [
        keras.layers.Dense(
            weight.shape[1],
            activation if i < len(weights) - 1 else None,
            kernel_regularizer=keras.regularizers.L2(penalty) if penalty else None,
        )
        for i, (weight, _) in enumerate(weights)
    ]
    net = keras.Sequential([keras.Input((len(weights[0][0]),)), *layers])
    net.set_weights([part for layer in weights for part in layer])
    return net


def dense_weights(net: Any) -> Weights:
    """Return the weights of a network that `dense_net` made."""
    parts = net.get_weights()
    return [*zip(parts[::2], parts[1::2], strict=True)]


def fit(net: Any, optimizer: Any, data: Callable[[], tuple[np.ndarray, np.ndarray]], **options: Any) -> Run:
    """Return a run that fits classes, each time from the weights that the network has now.

    Parameters
    ----------
    net : keras.Model
    optimizer : keras.Optimizer
    data : callable
        Gives inputs and class numbers; called in every run.
    **options
        Of `fit`.
    """
    n_steps = -(-len(data()[0]) // options["batch_size"])
    loss = library().losses.SparseCategoricalCrossentropy(from_logits=True)
    net.compile(optimizer, loss, steps_per_execution=n_steps, jit_compile=True)
    optimizer.build(net.trainable_variables)
    variables = [*net.variables, *optimizer.variables]
    start = [variable.numpy() for variable in variables]

    def run() -> Any:
        for variable, value in zip(variables, start, strict=True):
            variable.assign(value)
        net.fit(*data(), verbose=0, **options)
        return net

    return run
