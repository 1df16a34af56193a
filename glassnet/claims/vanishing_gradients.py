"""Saturation, vanishing gradients and dead units (Hochreiter 1991; Glorot and Bengio 2010)."""

from __future__ import annotations

import numpy as np

from glassnet import MLPClassifier, sweep
from glassnet.claims.claim import Claim, Scale, at_least, at_most, exactly, fresh_seeds, observed, spread
from glassnet.claims.picture import bars, curve, finish, panels, svg
from glassnet.data import load
from glassnet.data.dataset import Dataset
from glassnet.learning.activations import get_activation

DEPTH, WIDTH = 20, 64
NAMES = ("sigmoid", "tanh", "relu")


def vanishing_gradients(scale: Scale) -> Claim:
    """Sigmoid and tanh saturate, and gradients vanish with depth; ReLU's do not, but its units can die."""
    data, seeds = load("digits"), fresh_seeds(scale.pick(5, 30))
    norms = {name: np.array([_gradient_norms(data, name, seed) for seed in seeds]) for name in NAMES}
    norms["tanh, old weights"] = np.array([_gradient_norms(data, "tanh", seed, old=True) for seed in seeds])
    ratios = {name: norm[:, 0] / norm[:, -1] for name, norm in norms.items()}
    far = np.array([-6.0, 6.0])
    slopes = {name: get_activation(name).derivative(far) for name in NAMES}
    dead = {name: _dead_shares(data, name, seeds) for name in ("relu", "leaky_relu")}
    return Claim(
        source="S. Hochreiter (1991); X. Glorot and Y. Bengio (2010); V. Nair and G. E. Hinton (2010)",
        measured=(
            at_most("sigmoid's slope at z = ±6", slopes["sigmoid"].max(), 0.0025),
            at_most("tanh's slope at z = ±6", slopes["tanh"].max(), 0.0001),
            exactly("ReLU's slope at z = 6", slopes["relu"][1], 1),
            at_most(
                f"sigmoid: first layer's gradient / last hidden one's, {DEPTH} layers", *_mean(ratios["sigmoid"], 1e-6)
            ),
            at_most("tanh, from weights within ±1/√n: the same", *_mean(ratios["tanh, old weights"], 1e-3)),
            observed("tanh, from Glorot's weights: the same", *_mean(ratios["tanh"])),
            at_least("ReLU, from He's weights: the same", *_mean(ratios["relu"], 0.1)),
            at_least("share of ReLUs dead after training at a high rate", *_mean(dead["relu"], 0.05)),
            observed("share of leaky ReLUs never above zero, whose slope is still 0.02", *_mean(dead["leaky_relu"])),
        ),
        figure=_figure(norms, dead),
        seeds=seeds,
        data={data.name: data.sha256},
        note="Digits, gradients before the first step. Tanh's vanish from the weights that were usual before 2010; "
        "Glorot's weights were made to prevent it, and do. Sigmoid's vanish from Glorot's weights too. "
        "Dead: not above zero for any training sample.",
    )


def _mean(values: np.ndarray, bound: float | None = None) -> tuple[float, ...]:
    """Return mean, bound where there is one, and spread."""
    middle = () if bound is None else (bound,)
    return (float(values.mean()), *middle, spread(values))


def _gradient_norms(data: Dataset, activation: str, seed: int, old: bool = False) -> np.ndarray:
    """Return the length of dL/dz, summed over 200 samples, in each hidden layer before training: (DEPTH,)."""
    net = MLPClassifier((WIDTH,) * DEPTH, activation, engine="formula", precision="float64", random_state=seed)
    state = net.initialize(data.X_train, data.y_train)
    for weight in net.coefs_ if old else ():
        weight *= 1 / np.sqrt(len(weight)) / np.sqrt(6 / sum(weight.shape))  # from Glorot's limit to 1 / sqrt(n_in)
    _, gradient = state.engine.gradient(state.arrays, np.arange(200))  # type: ignore[attr-defined]
    return np.array([np.linalg.norm(bias) for _, bias in net.spec_.views(gradient)[:-1]])


def _dead_shares(data: Dataset, activation: str, seeds: range) -> np.ndarray:
    """Return for each seed the share of hidden units that no training sample brings above zero."""
    net = MLPClassifier((100,), activation, solver="sgd", learning_rate_init=0.5, max_iter=10, tol=None)
    runs = sweep(net, data.X_train, data.y_train, {"random_state": seeds}).runs
    return np.array([(run.estimator.activations(data.X_train)[0].max(0) <= 0).mean() for run in runs])


def _figure(norms: dict[str, np.ndarray], dead: dict[str, np.ndarray]) -> str:
    figure, (left, right) = panels(2)
    for i, (name, norm) in enumerate(norms.items()):
        curve(left, i, np.arange(1, DEPTH + 1), norm.mean(0), name)
    finish(left, "Length of the gradient before training", "depth", "‖Σ dL/dz‖", log="y")
    bars(right, ["ReLU", "leaky ReLU"], [d.mean() for d in dead.values()], [spread(d) for d in dead.values()])
    finish(right, "Silent for every sample, after training", "", "share of units")
    return svg(figure)
