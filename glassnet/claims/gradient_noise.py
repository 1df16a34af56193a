"""The noise of stochastic gradients (Robbins and Monro 1951; Bottou 2010)."""

from __future__ import annotations

import time

import numpy as np

from glassnet import MLPClassifier, advance
from glassnet.claims.claim import Claim, Scale, about, at_least, fresh_seeds, observed, spread
from glassnet.claims.picture import curve, finish, panels, svg
from glassnet.data import load
from glassnet.data.dataset import Dataset
from glassnet.seeds import generator

SIZES = (1, 4, 16, 64, 256, 1024)
TARGET = 0.3


def gradient_noise(scale: Scale) -> Claim:
    """The variance of a stochastic gradient falls as 1 / batch size, while a step's cost grows."""
    data, seeds = load("digits"), fresh_seeds(scale.pick(4, 20))
    draws = scale.pick(200, 2000)
    variances = np.array([_variance(data, size, draws, seeds[0]) for size in SIZES])
    seconds = np.array([_seconds_a_step(data, size) for size in SIZES])
    times, accuracies = np.array([_train(data, size, seeds) for size in SIZES]).transpose(1, 0, 2)
    return Claim(
        source="H. Robbins and S. Monro (1951); L. Bottou (2010)",
        measured=(
            about(
                "slope of log variance over log batch size",
                np.polyfit(np.log(SIZES), np.log(variances), 1)[0],
                -1,
                0.05,
            ),
            at_least("cost of a step with 1024 samples over that with 1", seconds[-1] / seconds[0], 2),
            at_least("epochs to the loss with 1024 samples over those with 16", _ratio(times), 5),
            observed("test accuracy at that loss, 16 samples", accuracies[2].mean(), spread(accuracies[2])),
            observed("test accuracy at that loss, 1024 samples", accuracies[-1].mean(), spread(accuracies[-1])),
        ),
        figure=_figure(variances, seconds, times),
        seeds=seeds,
        data={data.name: data.sha256},
        note=f"Digits, 64-32-10, batches drawn with replacement. Training stops at a loss of {TARGET}; whether the "
        "noise of small batches regularizes is read from the two accuracies, and is no part of the verdict.",
    )


def _net(size: int, **how) -> MLPClassifier:
    return MLPClassifier((32,), "tanh", solver="sgd", momentum=0, alpha=0, batch_size=size, engine="formula", **how)


def _variance(data: Dataset, size: int, draws: int, seed: int) -> float:
    """Return the summed variance of a batch's gradient over random batches."""
    state = _net(32, precision="float64", random_state=seed).initialize(data.X_train, data.y_train)
    rng = generator(seed, "batches", size)
    rows = rng.integers(len(data.X_train), size=(draws, size))
    gradients = np.array([state.engine.gradient(state.arrays, r)[1] for r in rows])  # type: ignore[attr-defined]
    return float(gradients.var(axis=0, ddof=1).sum())


def _seconds_a_step(data: Dataset, size: int) -> float:
    """Return the fastest of several measurements of 50 steps."""
    state = _net(size, random_state=0).initialize(data.X_train, data.y_train)
    times = []
    for _ in range(5):
        start = time.perf_counter()
        advance(state, 50)
        times.append((time.perf_counter() - start) / 50)
    return min(times)


def _train(data: Dataset, size: int, seeds: range) -> tuple[list[float], list[float]]:
    """Return epochs to the target loss, and test accuracy there, for each seed."""
    net = _net(size).set_params(learning_rate_init=min(0.5, 0.02 * size), max_iter=400, tol=None)
    epochs, accuracies = [], []
    for seed in seeds:
        fit = net.set_params(random_state=seed)
        state, n, loss = fit.initialize(data.X_train, data.y_train), 0, np.inf
        while loss > TARGET and n < fit.max_iter:
            loss, n = float(advance(state, state.steps_per_epoch).mean()), n + 1
        epochs.append(float(n))
        accuracies.append(float(fit.score(data.X_test, data.y_test)))
    return epochs, accuracies


def _ratio(times: np.ndarray) -> float:
    return float(times[-1].mean() / times[2].mean())


def _figure(variances: np.ndarray, seconds: np.ndarray, times: np.ndarray) -> str:
    figure, axes = panels(3, width=3.4)
    curve(axes[0], 1, SIZES, variances, "measured")
    curve(axes[0], 0, SIZES, variances[0] / np.array(SIZES), "1 / batch size", linestyle=":")
    finish(axes[0], "Variance of the gradient", "batch size", "summed variance", log="xy")
    curve(axes[1], 1, SIZES, 1e6 * seconds)
    finish(axes[1], "Cost of a step", "batch size", "µs", log="xy")
    curve(axes[2], 1, SIZES, times.mean(1))
    finish(axes[2], f"Epochs to a loss of {TARGET}", "batch size", "epochs", log="xy")
    return svg(figure)
