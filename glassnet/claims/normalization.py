"""Batch normalization (Ioffe and Szegedy 2015)."""

from __future__ import annotations

import numpy as np

from glassnet import Layer, MLPClassifier, advance, sweep
from glassnet.claims.claim import Claim, Scale, at_least, at_most, exactly, fresh_seeds, observed, spread
from glassnet.claims.picture import curve, finish, limit, panels, svg
from glassnet.data import load
from glassnet.data.dataset import Dataset

RATES = np.array([0.03, 0.1, 0.3, 1.0, 3.0, 10.0])
LEARNED, TARGET = 1.0, 0.3


def normalization(scale: Scale) -> Claim:
    """Normalization makes a layer blind to its input's mean and variance, and allows fewer steps and higher rates."""
    data, seeds = load("digits"), fresh_seeds(scale.pick(2, 20))
    losses = {
        (activation, norm): _losses(data, activation, norm, seeds, scale.pick(15, 60))
        for activation in ("sigmoid", "relu")
        for norm in (None, "batch")
    }
    epochs = {key: np.array([_epochs(curve) for curve in _at_best_rate(found)]) for key, found in losses.items()}
    usable = {key: RATES[(found[..., -1] < LEARNED).all(1)].max(initial=0) for key, found in losses.items()}
    fewer = epochs["sigmoid", None] / epochs["sigmoid", "batch"]
    with_relu = epochs["relu", None] / epochs["relu", "batch"]
    large = {norm: _after_large_inputs(data, norm, seeds) for norm in (None, "batch")}
    return Claim(
        source="S. Ioffe and C. Szegedy (2015), Batch normalization",
        measured=(
            at_most("relative change of the loss when inputs become 10 x + 5", _change(data, "batch", seeds[0]), 1e-4),
            at_least("the same without normalization", _change(data, None, seeds[0]), 0.01),
            at_least(f"epochs to a loss of {TARGET}, without over with, sigmoid", fewer.mean(), 2, spread(fewer)),
            observed("the same for ReLU", with_relu.mean(), spread(with_relu)),
            at_least(
                "highest rate that learns, with over without, ReLU", usable["relu", "batch"] / usable["relu", None], 5
            ),
            exactly("fits on inputs 1000 times as large that learned, without", large[None], 0),
            exactly("the same with normalization", large["batch"], 1),
        ),
        figure=_figure(losses),
        seeds=seeds,
        data={data.name: data.sha256},
        note="Digits, three hidden layers of 50 units, plain SGD with batches of 60; rates "
        + ", ".join(f"{rate:g}" for rate in RATES)
        + f". A rate is usable where the last epoch's loss is below {LEARNED:g} from every seed. "
        "Where a network does not reach the loss, all its epochs are counted, so that the factor is larger than said.",
    )


def _net(activation: str, norm: str | None, **how) -> MLPClassifier:
    layers = (Layer(50, activation, norm=norm),) * 3
    return MLPClassifier(layers, solver="sgd", momentum=0, alpha=0, batch_size=60, tol=None, **how)


def _losses(data: Dataset, activation: str, norm: str | None, seeds: range, n_epochs: int) -> np.ndarray:
    """Return the loss curves, shape (rates, seeds, epochs); of a fit that overflowed, infinities at the end."""
    grid = {"learning_rate_init": RATES.tolist(), "random_state": seeds}
    runs = sweep(_net(activation, norm, max_iter=n_epochs), data.X_train, data.y_train, grid).runs
    curves = [run.estimator.loss_curve_ for run in runs]
    padded = [np.append(c, np.full(n_epochs - len(c), np.inf)) for c in curves]
    return np.array(padded).reshape(len(RATES), len(seeds), n_epochs)


def _epochs(losses: np.ndarray) -> float:
    """Return the first epoch whose loss is below the target; all of them if none is."""
    below = np.flatnonzero(losses < TARGET)
    return float(below[0] + 1 if below.size else len(losses))


def _at_best_rate(losses: np.ndarray) -> np.ndarray:
    """Return the curves (seeds, epochs) at the rate that is first at the target on average."""
    return losses[np.argmin([np.mean([_epochs(c) for c in at_rate]) for at_rate in losses])]


def _change(data: Dataset, norm: str | None, seed: int) -> float:
    """Return by how much the first step's loss changes when the inputs become 10 x + 5."""
    first = []
    for X in (data.X_train, 10 * data.X_train + 5):
        state = _net("tanh", norm, precision="float64", random_state=seed).initialize(X, data.y_train)
        first.append(float(advance(state, 1)[0]))
    return abs(first[1] / first[0] - 1)


def _after_large_inputs(data: Dataset, norm: str | None, seeds: range) -> float:
    """Return the share of fits that learn from inputs a thousand times as large."""
    net = _net("relu", norm, max_iter=5, learning_rate_init=0.1)
    runs = sweep(net, 1000 * data.X_train, data.y_train, {"random_state": seeds}).runs
    return float(np.mean([not run.error and run.loss < LEARNED for run in runs]))


def _figure(losses: dict[tuple[str, str | None], np.ndarray]) -> str:
    figure, (left, right) = panels(2)
    for i, ((activation, norm), found) in enumerate(losses.items()):
        name = activation + (", normalized" if norm else "")
        best = _at_best_rate(found)
        curve(left, i, np.arange(1, best.shape[1] + 1), best.mean(0), name)
        curve(right, i, RATES, np.minimum(found[..., -1], 10).mean(1), name)
    limit(right, LEARNED, "learned")
    finish(left, "Training at the best rate of each", "epoch", "loss", log="y")
    finish(right, "Loss at the end, cut off at 10", "learning rate", "loss", log="xy")
    return svg(figure)
