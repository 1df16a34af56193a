"""Handwritten digits (8 x 8 pixels): a 64-100-10 network of ReLU units, Adam, 200 epochs.

What scikit-learn's users run every day, through the estimators' own `fit`, with the
estimators' own defaults: batches of 200, shuffled, L2 penalty 1e-4, float32 data for all.
The orders of the samples differ, so loss and held-out accuracy are equal only nearly.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from benchmarks.harness.dense import (
    Weights,
    cross_entropy,
    logits,
    relu,
    shapes,
    start_weights,
    torch_net,
    torch_weights,
)
from benchmarks.harness.workload import OURS, Check, Run, Workload

SIZES, EPOCHS, BATCH, ALPHA = (64, 100, 10), 200, 200, 1e-4
_digits: Any = load_digits()
_parts: Any = train_test_split(np.float32(_digits.data / 16), _digits.target, test_size=360, random_state=0)
X, X_TEST, Y, Y_TEST = _parts
STEPS = EPOCHS * -(-len(X) // BATCH)


def done(weights: Weights, steps: int) -> dict[str, Any]:
    """Return what must be equal among all peers."""
    right = logits(weights, X_TEST, relu).argmax(1) == Y_TEST
    loss = cross_entropy(weights, X, Y, relu)
    return {"shapes": shapes(weights), "steps": steps, "loss": loss, "test_accuracy": float(right.mean())}


def ours() -> tuple[Run, Check]:
    from glassnet import MLPClassifier
    from glassnet.learning import kernel_engine

    kernel_engine.compile_kernels()
    net = MLPClassifier(SIZES[1:-1], max_iter=EPOCHS, tol=None, random_state=0)

    def check(_: Any) -> dict[str, Any]:
        return done([*zip(net.coefs_, net.intercepts_, strict=True)], net.state_.step)

    return lambda: net.fit(X, Y), check


def scikit_learn() -> tuple[Run, Check]:
    from sklearn.neural_network import MLPClassifier

    net = MLPClassifier(SIZES[1:-1], max_iter=EPOCHS, tol=0, n_iter_no_change=EPOCHS, random_state=0)

    def check(_: Any) -> dict[str, Any]:
        return done([*zip(net.coefs_, net.intercepts_, strict=True)], net.n_iter_ * STEPS // EPOCHS)

    return lambda: net.fit(X, Y), check


def pytorch() -> tuple[Run, Check]:
    import torch

    inputs, labels = torch.from_numpy(X), torch.from_numpy(Y)

    def run() -> Weights:
        net = torch_net(start_weights(SIZES), "ReLU")
        decays = [{"params": [p], "weight_decay": ALPHA / BATCH * (p.ndim > 1)} for p in net.parameters()]
        optimizer, loss_function = torch.optim.Adam(decays, 1e-3), torch.nn.CrossEntropyLoss()
        for _ in range(EPOCHS):
            for rows in torch.randperm(len(inputs)).split(BATCH):
                optimizer.zero_grad()
                loss_function(net(inputs[rows]), labels[rows]).backward()
                optimizer.step()
        return torch_weights(net)

    return run, lambda weights: done(weights, STEPS)


def keras() -> tuple[Run, Check]:
    from benchmarks.harness import keras_peer

    net = keras_peer.dense_net(start_weights(SIZES), "relu", ALPHA / BATCH / 2)
    adam = keras_peer.library().optimizers.Adam(1e-3, epsilon=1e-8)
    run = keras_peer.fit(net, adam, lambda: (X, Y), batch_size=BATCH, epochs=EPOCHS)
    return run, lambda net: done(keras_peer.dense_weights(net), int(adam.iterations))


WORKLOADS = [
    Workload(
        name="digits",
        title="Digits 64-100-10, ReLU, Adam, batches of 200: fit, 200 epochs",
        peers={OURS: ours, "scikit-learn": scikit_learn, "PyTorch": pytorch, "Keras on JAX": keras},
        tolerance={"loss": 0.003, "test_accuracy": 0.02},
        at_least=2.5,
        aim=4,
        against=("scikit-learn",),
        steps=STEPS,
        flops=EPOCHS * len(X) * (4 * 64 * 100 + 6 * 100 * 10),  # no delta is carried to the input
    )
]
