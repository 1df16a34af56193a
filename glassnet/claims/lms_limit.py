"""The LMS rule and its limit of stability (Widrow and Hoff 1960)."""

from __future__ import annotations

import numpy as np

from glassnet import AdalineRegressor
from glassnet.claims.claim import Claim, Scale, at_least, at_most
from glassnet.claims.picture import curve, finish, limit, panels, svg
from glassnet.seeds import generator

FACTORS = (0.1, 0.5, 0.9, 0.98, 1.02, 1.1)
N_STEPS = 400


def lms_limit(scale: Scale) -> Claim:
    """LMS goes to the least-squares solution below its stability limit, and diverges above."""
    seeds = range(scale.pick(10, 200))
    distance = np.empty((len(seeds), len(FACTORS)))
    growth, curves = np.empty_like(distance), {}
    for seed in seeds:
        X, y, solution = _problem(seed)
        for k, factor in enumerate(FACTORS):
            unit = _fit(X, y, factor)
            found = np.append(unit.coef_, unit.intercept_)
            distance[seed, k] = np.abs(found - solution).max() / np.abs(solution).max()
            growth[seed, k] = unit.loss_curve_[-1] / unit.loss_curve_[0]
            curves[factor] = unit.loss_curve_
    below, above = np.array(FACTORS) < 1, np.array(FACTORS) > 1
    return Claim(
        source="B. Widrow and M. E. Hoff (1960), Adaptive switching circuits",
        measured=(
            at_most(
                "largest distance from least squares, rates from half the limit on",
                distance[:, below][:, 1:].max(),
                1e-6,
            ),
            at_most("largest loss at the end as a share of the first, below", growth[:, below].max(), 1),
            at_least("smallest loss at the end as a multiple of the first, above", growth[:, above].min(), 1e6),
        ),
        figure=_figure(curves, distance),
        seeds=seeds,
        note=f"Descent on all of 200 samples with 5 features, {N_STEPS} steps; the limit is 2 / λmax.",
    )


def _problem(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return samples, targets and the least-squares weights with the bias last."""
    rng = generator(seed, "least squares")
    X = rng.standard_normal((200, 5)) * rng.uniform(0.7, 1.4, 5)
    y = X @ rng.standard_normal(5) + 0.5 + 0.3 * rng.standard_normal(200)
    return X, y, np.linalg.lstsq(np.column_stack([X, np.ones(200)]), y, rcond=None)[0]


def _fit(X: np.ndarray, y: np.ndarray, factor: float) -> AdalineRegressor:
    """Descend at a rate that is ``factor`` times the limit."""
    unit = AdalineRegressor(batch_size="all", precision="float64")
    unit.initialize(X, y)
    unit.set_params(learning_rate_init=factor * unit.stability_limit_, max_iter=N_STEPS, tol=None)
    return unit.fit(X, y)


def _figure(curves: dict[float, list[float]], distance: np.ndarray) -> str:
    figure, (left, right) = panels(2)
    for i, (factor, losses) in enumerate(curves.items()):
        curve(left, i, range(len(losses)), losses, f"{factor:g}")
    left.set_ylim(1e-2, 1e8)
    finish(left, "Loss, by rate as a share of the limit", "step", "loss", log="y")
    curve(right, 1, FACTORS, np.median(distance, axis=0))
    limit(right, 1, "limit", vertical=True)
    finish(right, f"After {N_STEPS} steps", "learning rate / limit", "distance from least squares", log="y")
    return svg(figure)
