"""Depth beats width on the sawtooth (Telgarsky 2015, 2016)."""

from __future__ import annotations

import numpy as np

from glassnet import MLPRegressor, sweep
from glassnet.claims.claim import Claim, Scale, at_least, exactly, observed, spread
from glassnet.claims.picture import THEME, curve, finish, panels, svg


def sawtooth(scale: Scale) -> Claim:
    """On Telgarsky's sawtooth a deep network beats a wide one with as many parameters."""
    depth, seeds = scale.pick(6, 8), range(scale.pick(5, 20))
    X, y = np.linspace(0, 1, 2**depth + 1)[:, None], np.arange(2**depth + 1) % 2
    deep = tents(depth)
    n_units = (deep.spec_.n_parameters - 1) // 3  # a wide network has 3 parameters a unit, and a bias
    wide = MLPRegressor((n_units,), "relu", solver="adam", learning_rate_init=0.01, alpha=0, max_iter=3000, tol=None)
    nets = [run.estimator for run in sweep(wide, X, y.astype(float), {"random_state": seeds}).runs]
    errors = np.array([_error(net, X, y) for net in nets])
    built = _error(zigzag(n_units, X, y), X, y)
    bound = (len(X) - 4 * (n_units + 1)) / (3 * len(X))
    return Claim(
        source="M. Telgarsky (2015), Representation benefits of deep feedforward networks",
        measured=(
            exactly(f"error of {depth} layers of 2 units on {len(X)} alternating points", _error(deep, X, y), 0),
            at_least(f"error of the best of {len(seeds)} trained wide networks", errors.min(), 0.2),
            at_least("error of a wide network built to follow the first teeth", built, 0.2),
            observed("error of the wide networks, mean", errors.mean(), spread(errors)),
            observed(f"Telgarsky's lower bound for any network of one layer of {n_units} units", bound),
            observed("parameters of the deep network", deep.spec_.n_parameters),
            observed("parameters of the wide network", nets[0].spec_.n_parameters),
        ),
        figure=_figure(deep, nets[int(errors.argmin())], X, y),
        seeds=seeds,
        note="The deep network and one wide one are built, the others are trained with Adam. That the deep one "
        "exists does not say that descent finds it.",
    )


def tents(depth: int) -> MLPRegressor:
    """Return ``depth`` tent maps, one after another: x -> 2x up to 1/2, then 2 - 2x, by two ReLUs each."""
    net = MLPRegressor((2,) * depth, "relu", precision="float64", random_state=0)
    net.initialize([[0.0], [1.0]], [0.0, 1.0])
    for layer, (weight, bias) in enumerate(zip(net.coefs_, net.intercepts_, strict=True)):
        tent = np.array([[2.0], [-4.0]]) if layer else np.ones((1, 1))  # 2 relu(x) - 4 relu(x - 1/2)
        last = layer == depth
        weight[...] = tent if last else tent.repeat(2, axis=1)
        bias[...] = 0 if last else (0.0, -0.5)
    return net


def zigzag(n_units: int, X: np.ndarray, y: np.ndarray) -> MLPRegressor:
    """Return a network of one ReLU layer that goes through the first ``n_units`` points and then stays level."""
    net = MLPRegressor((n_units,), "relu", precision="float64", random_state=0)
    net.initialize([[0.0], [1.0]], [0.0, 1.0])
    slopes = np.append(np.diff(y[:n_units]) / np.diff(X[:n_units, 0]), 0)
    net.coefs_[0][...] = 1
    net.intercepts_[0][...] = -X[:n_units, 0]
    net.coefs_[1][:, 0] = np.diff(slopes, prepend=0)
    net.intercepts_[1][...] = y[0]
    return net


def _error(net: MLPRegressor, X: np.ndarray, y: np.ndarray) -> float:
    return float(((net.predict(X) > 0.5) != y).mean())


def _figure(deep: MLPRegressor, wide: MLPRegressor, X: np.ndarray, y: np.ndarray) -> str:
    figure, axes = panels(2, width=5)
    x = np.linspace(0, 1, 2001)[:, None]
    for i, (ax, net, name) in enumerate(
        zip(axes, (deep, wide), ("deep, built", "wide, the best trained"), strict=True)
    ):
        ax.plot(X, y, ".", color=THEME.muted, markersize=3)
        curve(ax, i, x[:, 0], net.predict(x), linewidth=1.0)
        finish(ax, f"{name}: {net.spec_.n_parameters} parameters", "x", "output")
    return svg(figure)
