"""The LMS rule of Widrow and Hoff on 100,000 samples of 100 features, 5 epochs in shuffled order.

The peer's `SGDRegressor` with a constant rate and no penalty makes the same steps, in another order.
Stated in float32, where memory is half, and in float64.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from benchmarks.harness.workload import OURS, Check, Run, Workload

N_SAMPLES, N_FEATURES, EPOCHS, RATE = 100_000, 100, 5, 1e-4


def data(dtype: str) -> tuple[np.ndarray, np.ndarray]:
    """Return inputs and targets: a linear map and noise."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((N_SAMPLES, N_FEATURES), dtype=np.float32)
    y = X @ rng.standard_normal(N_FEATURES) + rng.standard_normal(N_SAMPLES)
    return X.astype(dtype), y.astype(dtype)


def done(coef: np.ndarray, intercept: Any, epochs: int, dtype: str) -> dict[str, Any]:
    """Return what must be equal; the orders differ, so the losses are equal only nearly."""
    X, y = data(dtype)
    loss = 0.5 * np.mean((X @ np.ravel(coef).astype(float) + float(intercept[0]) - y) ** 2)
    return {"features": np.size(coef), "epochs": epochs, "dtype": dtype, "loss": float(loss)}


def ours(dtype: str) -> tuple[Run, Check]:
    from glassnet import AdalineRegressor
    from glassnet.learning import kernel_engine

    kernel_engine.compile_kernels()
    (X, y), options = data(dtype), {"max_iter": EPOCHS, "tol": None, "random_state": 0}
    net = AdalineRegressor(learning_rate_init=RATE, precision=dtype, **options)
    return lambda: net.fit(X, y), lambda _: done(net.coef_, net.intercept_, net.n_iter_, dtype)


def scikit_learn(dtype: str) -> tuple[Run, Check]:
    from sklearn.linear_model import SGDRegressor

    (X, y), options = data(dtype), {"max_iter": EPOCHS, "tol": None, "random_state": 0}
    net: Any = SGDRegressor(penalty=None, learning_rate="constant", eta0=RATE, **options)
    return lambda: net.fit(X, y), lambda _: done(net.coef_, net.intercept_, int(net.n_iter_), dtype)


def workload(dtype: str) -> Workload:
    """Return the workload in one precision."""
    return Workload(
        name=f"adaline {dtype}",
        title=f"Adaline, {N_SAMPLES:,} x {N_FEATURES} in {dtype}: fit, {EPOCHS} epochs",
        peers={OURS: partial(ours, dtype), "scikit-learn": partial(scikit_learn, dtype)},
        tolerance={"loss": 0.01},
        at_least=1.5,
        aim=3,
        steps=EPOCHS * N_SAMPLES,
        flops=4 * EPOCHS * N_SAMPLES * N_FEATURES,
        bytes=EPOCHS * N_SAMPLES * N_FEATURES * np.dtype(dtype).itemsize,
    )


WORKLOADS = [workload("float32"), workload("float64")]
