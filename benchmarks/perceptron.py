"""Rosenblatt's rule on 100,000 samples of 100 features, 5 epochs in shuffled order.

The data are not separable, so that every epoch is made. Stated in float32, where memory is
half, and in float64; both libraries get their data in the precision they compute in.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from benchmarks.harness.workload import OURS, Check, Run, Workload

N_SAMPLES, N_FEATURES, EPOCHS = 100_000, 100, 5


def data(dtype: str) -> tuple[np.ndarray, np.ndarray]:
    """Return inputs and labels; a tenth of the labels are wrong."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((N_SAMPLES, N_FEATURES), dtype=np.float32)
    y = (X @ rng.standard_normal(N_FEATURES) > 0) ^ (rng.random(N_SAMPLES) < 0.1)
    return X.astype(dtype), y.astype(int)


def done(net: Any, epochs: int, dtype: str) -> dict[str, Any]:
    """Return what must be equal; the orders differ, and the last weights of a perceptron jump about."""
    X, y = data(dtype)
    right = (X @ net.coef_[0].astype(dtype) + net.intercept_[0] >= 0) == y
    return {"shape": list(net.coef_.shape), "epochs": epochs, "dtype": dtype, "accuracy": float(right.mean())}


def ours(dtype: str) -> tuple[Run, Check]:
    from glassnet import Perceptron
    from glassnet.learning import kernel_engine

    kernel_engine.compile_kernels()
    net, (X, y) = Perceptron(max_iter=EPOCHS, random_state=0, precision=dtype), data(dtype)
    return lambda: net.fit(X, y), lambda _: done(net, net.n_iter_, dtype)


def scikit_learn(dtype: str) -> tuple[Run, Check]:
    from sklearn.linear_model import Perceptron

    options: dict[str, Any] = {"tol": None}
    net, (X, y) = Perceptron(max_iter=EPOCHS, random_state=0, **options), data(dtype)
    return lambda: net.fit(X, y), lambda _: done(net, int(net.n_iter_), dtype)


def workload(dtype: str) -> Workload:
    """Return the workload in one precision."""
    return Workload(
        name=f"perceptron {dtype}",
        title=f"Perceptron, {N_SAMPLES:,} x {N_FEATURES} in {dtype}: fit, {EPOCHS} epochs",
        peers={OURS: partial(ours, dtype), "scikit-learn": partial(scikit_learn, dtype)},
        tolerance={"accuracy": 0.1},
        at_least=1.5,
        aim=3,
        steps=EPOCHS * N_SAMPLES,
        flops=2 * EPOCHS * N_SAMPLES * N_FEATURES,
        bytes=EPOCHS * N_SAMPLES * N_FEATURES * np.dtype(dtype).itemsize,
    )


WORKLOADS = [workload("float32"), workload("float64")]
