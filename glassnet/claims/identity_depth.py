"""Layers without a nonlinearity are one layer (Minsky and Papert 1969; Rumelhart, Hinton and Williams 1986)."""

from __future__ import annotations

from functools import reduce

import numpy as np

from glassnet import MLPClassifier, sweep
from glassnet.claims.claim import Claim, Scale, at_least, at_most, spread
from glassnet.claims.picture import curve, finish, panels, svg
from glassnet.data import load
from glassnet.data.dataset import Dataset

DEPTHS = (0, 1, 2, 4)


def identity_depth(scale: Scale) -> Claim:
    """With identity activations depth gains nothing: any number of layers is one."""
    data, seeds = load("circle", n_samples=400), range(scale.pick(5, 30))
    linear, soft = (_scores(data, name, seeds) for name in ("identity", "tanh"))
    return Claim(
        source="the lecture; D. E. Rumelhart, G. E. Hinton and R. J. Williams (1986)",
        measured=(
            at_most("largest difference of four layers from the product of their weights", _difference(data), 1e-12),
            at_most("accuracy on the circle, identity, best depth", linear.mean(1).max(), 0.7, spread(linear)),
            at_most("accuracy gained by four hidden layers, identity", (linear[-1] - linear[0]).mean(), 0.05),
            at_least("accuracy with one hidden layer of tanh", soft[1].mean(), 0.95, spread(soft[1])),
        ),
        figure=_figure(linear, soft),
        seeds=seeds,
        data={data.name: data.sha256},
    )


def _scores(data: Dataset, activation: str, seeds: range) -> np.ndarray:
    """Return the test accuracies (depths, seeds)."""
    net = MLPClassifier(activation=activation, learning_rate_init=0.01, batch_size=50, max_iter=100, tol=None)
    grid = {"hidden_layer_sizes": [(8,) * depth for depth in DEPTHS], "random_state": seeds}
    runs = sweep(net, data.X_train, data.y_train, grid, test=(data.X_test, data.y_test)).runs
    return np.array([run.score for run in runs], float).reshape(len(DEPTHS), len(seeds))


def _difference(data: Dataset) -> float:
    """Compare a trained network of four identity layers with the one layer that it is."""
    net = MLPClassifier((8, 8, 8), "identity", precision="float64", random_state=0, max_iter=20, tol=None)
    net.fit(data.X_train, data.y_train)
    weight = reduce(np.matmul, net.coefs_)
    bias = reduce(
        lambda b, layer: b @ layer[0] + layer[1],
        zip(net.coefs_[1:], net.intercepts_[1:], strict=True),
        net.intercepts_[0],
    )
    z = data.X_test.astype(float) @ weight + bias
    return float(np.abs(1 / (1 + np.exp(-z[:, 0])) - net.predict_proba(data.X_test)[:, 1]).max())


def _figure(linear: np.ndarray, soft: np.ndarray) -> str:
    figure, (ax,) = panels()
    for i, (name, scores) in enumerate({"identity": linear, "tanh": soft}.items()):
        curve(ax, i, DEPTHS, scores.mean(1), name, scores.std(1, ddof=1))
    finish(ax, "A disc inside a ring", "hidden layers", "test accuracy")
    return svg(figure)
