"""The gallery's pictures of layers: what traces and histories of networks trained on real data show."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from glassnet.data import load
from glassnet.inspect.history import History
from glassnet.plots.display import Display
from glassnet.plots.gallery_nets import picture
from glassnet.registry import MODULE_ESTIMATORS, NETWORKS, resolve

MNIST = (1, 28, 28)
GROUPS = {c: "with a loop" if c in (0, 6, 8, 9) else "without" for c in range(10)}  # of the digits


@cache
def lenet() -> tuple[Any, History]:
    """Return LeNet-5, trained on 4,000 digits, and its history."""
    return _trained("lenet5", n=4000, max_iter=3, batch_size=50, learning_rate_init=2e-3)


@cache
def resnet() -> tuple[Any, History]:
    """Return ResNet-20, trained on 1,500 digits, and its history."""
    return _trained("resnet20", n=1500, max_iter=2, batch_size=50, learning_rate_init=2e-3)


def _trained(module: str, n: int, **options: Any) -> tuple[Any, History]:
    d, history = load("mnist5k"), History(every=8, quiet=True)
    classifier = resolve(MODULE_ESTIMATORS, "network", "module")
    net = classifier(module, image_shape=MNIST, tol=None, random_state=0, **options)
    return net.fit(d.X_train[:n], d.y_train[:n], observers=[history]), history


@cache
def deep(activation: str) -> tuple[Any, History]:
    """Return a network of twelve narrow layers, trained on digits by plain gradient descent, and its history."""
    d, history = load("digits"), History(every=20, quiet=True)
    options: dict[str, Any] = {"solver": "sgd", "batch_size": 50, "learning_rate_init": 0.02, "max_iter": 12}
    mlp = resolve(NETWORKS, "network", "mlp")
    net = mlp((32,) * 12, activation=activation, tol=None, random_state=0, **options)
    return net.fit(d.X_train, d.y_train, observers=[history]), history


def traced(net: Any, n: int) -> tuple[Any, np.ndarray]:
    """Return the trace of the first test digits, and their labels."""
    from glassnet.inspect.trace import trace

    d = load("mnist5k")
    return trace(net, d.X_test[:n].reshape(-1, *MNIST)), d.y_test[:n]


def signal() -> Display:
    """Draw one digit on its way through LeNet-5."""
    return picture("signal").from_trace(traced(lenet()[0], 1)[0])


def embedding(method: str, groups: Any = None) -> Display:
    """Draw where LeNet-5's layers put 500 digits."""
    seen, labels = traced(lenet()[0], 500)
    return picture("embedding").from_trace(seen, labels, ["s2", "s4", "f6", "output"], method=method, groups=groups)


def loss_surface(directions: str) -> Display:
    """Draw the loss of LeNet-5 on 500 of the digits it has learned, around the path of its training."""
    d, (net, history) = load("mnist5k"), lenet()
    X, y = d.X_train[:500], d.y_train[:500]
    return picture("loss-surface").from_history(net, history, X, y, directions=directions, resolution=15)


def gradient_flow(activation: str) -> Display:
    """Draw the gradients in a deep network over its training."""
    d, (net, history) = load("digits"), deep(activation)
    return picture("gradient-flow").from_history(net, history, d.X_train[:200], d.y_train[:200])


def gradient_flow_resnet() -> Display:
    """Draw the gradients in ResNet-20 over its training."""
    d, (net, history) = load("mnist5k"), resnet()
    return picture("gradient-flow").from_history(net, history, d.X_train[:50], d.y_train[:50], max_steps=5)


PICTURES: dict[str, Callable[[], Display]] = {
    "signal-lenet": signal,
    "layer-tensors-lenet": lambda: picture("layer-tensors").from_trace(traced(lenet()[0], 3)[0]),
    "activation-histogram-normalization": lambda: picture("activation-histogram").from_trace(
        traced(resnet()[0], 100)[0], max_layers=4
    ),
    "filters-lenet": lambda: picture("filters").from_trace(traced(lenet()[0], 1)[0]),
    "filters-lenet-c3": lambda: picture("filters").from_trace(traced(lenet()[0], 1)[0], "c3", max_filters=48),
    "feature-maps-lenet": lambda: picture("feature-maps").from_trace(traced(lenet()[0], 1)[0]),
    "feature-maps-resnet": lambda: picture("feature-maps").from_trace(traced(resnet()[0], 1)[0]),
    "embedding-pca": lambda: embedding("pca"),
    "embedding-tsne": lambda: embedding("tsne"),
    "embedding-tsne-coarse": lambda: embedding("tsne", GROUPS),
    "loss-surface-path": lambda: loss_surface("path"),
    "loss-surface-random": lambda: loss_surface("random"),
    "gradient-flow-sigmoid": lambda: gradient_flow("sigmoid"),
    "gradient-flow-relu": lambda: gradient_flow("relu"),
    "gradient-flow-resnet": gradient_flow_resnet,
}
