"""The small networks of the gallery, each fitted once to real data."""

from __future__ import annotations

from functools import cache
from itertools import product
from typing import Any

import numpy as np

from glassnet.data import load
from glassnet.inspect.history import History
from glassnet.registry import NETWORKS, PLOTS, resolve

SHAPE = (8, 8)  # of scikit-learn's digits


def picture(name: str) -> Any:
    """Return the Display of this name."""
    return resolve(PLOTS, "plot", name)


@cache
def fitted(data: str, network: str = "mlp", hidden: tuple[Any, ...] = (32,), **options: Any) -> Any:
    """Return a small network fitted to a data set."""
    d = load(data)
    shape = {"hidden_layer_sizes": hidden, "tol": None} if network.startswith("mlp") else {}
    return resolve(NETWORKS, "network", network)(**shape, random_state=0, **options).fit(d.X_train, d.y_train)


def digits() -> Any:
    """Return a network of one hidden layer that reads digits."""
    return fitted("digits", max_iter=60, learning_rate_init=0.005)


def sine() -> Any:
    """Return a network that has learned one period of the sine."""
    x = np.linspace(-np.pi, np.pi, 200)
    options: dict[str, Any] = {"activation": "tanh", "learning_rate_init": 0.02, "max_iter": 500, "tol": None}
    return resolve(NETWORKS, "network", "mlp-regressor")((3,), random_state=0, **options).fit(x[:, None], np.sin(x))


@cache
def histories() -> dict[str, list[History]]:
    """Train three seeds at each of two learning rates."""
    d, found = load("digits"), {}
    for rate, seed in product((0.001, 0.01), range(3)):
        options = {"learning_rate_init": rate, "random_state": seed, "max_iter": 30, "batch_size": 50, "tol": None}
        net = resolve(NETWORKS, "network", "mlp")((32,), **options)
        history = History(measures={"test_loss": lambda state, net=net: held_out_loss(net, d)}, measure_every=29)
        net.fit(d.X_train, d.y_train, observers=[history])
        found.setdefault(f"learning rate {rate}", []).append(history)
    return found


def held_out_loss(net: Any, d: Any) -> float:
    """Return the mean cross-entropy on the test set."""
    return float(-np.log(net.predict_proba(d.X_test)[np.arange(len(d.y_test)), d.y_test]).mean())


@cache
def depths() -> dict[str, list[History]]:
    """Train plain networks of few and of many layers; the deep ones end with more training error."""
    d, found = load("digits"), {}
    for depth, seed in product((4, 16), range(3)):
        options: dict[str, Any] = {"solver": "sgd", "learning_rate_init": 0.01, "batch_size": 50, "max_iter": 30}
        net = resolve(NETWORKS, "network", "mlp")((32,) * depth, random_state=seed, tol=None, **options)
        parts = {"training_error": (d.X_train, d.y_train), "test_error": (d.X_test, d.y_test)}
        measures = {name: lambda state, net=net, part=part: error(net, *part) for name, part in parts.items()}
        history = History(measures=measures, measure_every=29, quiet=True)
        net.fit(d.X_train, d.y_train, observers=[history])
        found.setdefault(f"{depth} hidden layers", []).append(history)
    return found


def error(net: Any, X: np.ndarray, y: np.ndarray) -> float:
    """Return the percentage of samples that a classifier gets wrong."""
    return 100 * float(np.mean(net.predict(X) != y))
