"""A batch is its samples, side by side."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from glassnet import MLPClassifier
from glassnet.claims.claim import Claim, Scale, at_least, at_most
from glassnet.claims.picture import curve, finish, panels, svg
from glassnet.data import load

SIZES = (1, 4, 16, 64, 256, 1024)


def batch_of_n(scale: Scale) -> Claim:
    """A batch of n equals n single passes, forwards and backwards, and is faster."""
    data = load("digits")
    X = data.X_train[: SIZES[-1]].astype(np.float64)
    net = MLPClassifier((100, 50), "tanh", engine="formula", precision="float64", random_state=0)
    state = net.initialize(data.X_train, data.y_train)
    together, alone = net.predict_proba(X), np.vstack([net.predict_proba(x[None]) for x in X])
    gradient = state.engine.gradient  # type: ignore[attr-defined]
    _, of_all = gradient(state.arrays, np.arange(len(X)))
    mean = np.mean([gradient(state.arrays, np.array([row]))[1] for row in range(len(X))], axis=0)
    seconds = np.array([_fastest(lambda n=n: gradient(state.arrays, np.arange(n))) / n for n in SIZES])
    return Claim(
        source="the lecture",
        measured=(
            at_most("largest difference of a probability", np.abs(together - alone).max(), 1e-12),
            at_most(
                "largest difference of the gradient from the mean of single gradients",
                np.abs(of_all - mean).max(),
                1e-12,
            ),
            at_least(f"speed of a gradient in a batch of {SIZES[-1]}, as a multiple", seconds[0] / seconds[-1], 5),
        ),
        figure=_figure(seconds),
        data={data.name: data.sha256},
        note="Digits, 64-100-50-10, float64, one forward and one backward pass; the fastest of many measurements.",
    )


def _fastest(work: Callable[[], object]) -> float:
    """Return the seconds of the fastest of 50 runs."""
    times = []
    for _ in range(50):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def _figure(seconds: np.ndarray) -> str:
    figure, (ax,) = panels()
    curve(ax, 1, SIZES, 1e6 * seconds)
    finish(ax, "Forward and backward pass", "batch size", "µs a sample", log="xy")
    return svg(figure)
