"""Penalties on polynomials: L2 (Hoerl and Kennard 1970) and L1 (Tibshirani 1996)."""

from __future__ import annotations

import numpy as np
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from glassnet import MLPRegressor, PolynomialRegression
from glassnet.claims.claim import Claim, Scale, at_least, at_most, exactly, fresh_seeds, observed, spread
from glassnet.claims.picture import THEME, curve, finish, panels, svg
from glassnet.seeds import generator

DEGREE = 12
ALPHAS = np.geomspace(1e-6, 1e2, 17)


def ridge(scale: Scale) -> Claim:
    """On polynomials an L2 penalty shrinks the weights, an L1 penalty makes exact zeros."""
    seeds = fresh_seeds(scale.pick(3, 50))
    samples = [_noisy_sine(seed) for seed in seeds]
    lengths, errors = np.array([_by_penalty(*sample) for sample in samples]).transpose(1, 0, 2)  # (seeds, penalties)
    shrunk, gained = lengths[:, 0] / lengths[:, -1], errors.min(1) / errors[:, 0]
    l1 = np.array([_linear(X, y, l1=2.0, alpha=0.0) for X, y, _, _ in samples])
    l2 = np.array([_linear(X, y, l1=0.0, alpha=2.0) for X, y, _, _ in samples])
    zeros = {"L1": (l1 == 0).sum(1), "L2": (l2 == 0).sum(1)}
    return Claim(
        source="A. E. Hoerl and R. W. Kennard (1970); R. Tibshirani (1996)",
        measured=(
            exactly("penalties at which a larger one does not shorten the weight", (np.diff(lengths) >= 0).sum(), 0),
            at_least("length of the weight, smallest over largest penalty, least of the seeds", shrunk.min(), 100),
            at_most("test error at the best penalty over that at the smallest", gained.mean(), 0.9, spread(gained)),
            at_most("largest difference of gradient descent from the closed form", _apart(*samples[0][:2]), 1e-6),
            exactly(f"weights that are exactly zero with L2, of {DEGREE}", zeros["L2"].mean(), 0),
            at_least(
                f"weights that are exactly zero with L1, of {DEGREE}",
                zeros["L1"].mean(),
                DEGREE // 2,
                spread(zeros["L1"]),
            ),
            observed("largest weight with L1", np.abs(l1).max()),
        ),
        figure=_figure(lengths, errors, l1[0], l2[0]),
        seeds=seeds,
        note=f"Degree {DEGREE}, 20 noisy points of a sine for each seed; L1 on standardized monomials. The "
        "weights drawn are those of the first seed.",
    )


def _by_penalty(X: np.ndarray, y: np.ndarray, test_X: np.ndarray, test_y: np.ndarray) -> np.ndarray:
    """Return for each penalty the length of the weight, and the error on new points: (2, penalties)."""
    fits = [PolynomialRegression(DEGREE, alpha).fit(X, y) for alpha in ALPHAS]
    errors = [np.mean((fit.predict(test_X) - test_y) ** 2) for fit in fits]
    return np.array([[np.linalg.norm(fit.coef_) for fit in fits], errors])


def _apart(X: np.ndarray, y: np.ndarray) -> float:
    """Return how far gradient descent ends from the closed form."""
    descent = PolynomialRegression(3, 0.1, solver="gradient-descent").fit(X, y)
    return float(np.abs(descent.coef_ - PolynomialRegression(3, 0.1).fit(X, y).coef_).max())


def _noisy_sine(seed: int) -> tuple[np.ndarray, ...]:
    """Return 20 noisy points of a sine to learn from, and 200 points of it to be tested on."""
    rng = generator(seed, "sine")
    X, test_X = rng.uniform(-1, 1, (20, 1)), np.linspace(-1, 1, 200)[:, None]
    return X, np.sin(3 * X[:, 0]) + 0.3 * rng.standard_normal(20), test_X, np.sin(3 * test_X[:, 0])


def _linear(X: np.ndarray, y: np.ndarray, **penalty: float) -> np.ndarray:
    """Return the weights of one linear unit that reads standardized monomials."""
    phi = StandardScaler().fit_transform(PolynomialFeatures(DEGREE, include_bias=False).fit_transform(X))
    unit = MLPRegressor(
        (), solver="sgd", momentum=0.9, learning_rate_init=0.02, batch_size=20, max_iter=3000, tol=None,
        precision="float64", random_state=0, **penalty,  # type: ignore[arg-type]
    )  # fmt: skip
    return unit.fit(phi, y).coefs_[0][:, 0].copy()


def _figure(lengths: np.ndarray, errors: np.ndarray, l1: np.ndarray, l2: np.ndarray) -> str:
    figure, axes = panels(3, width=3.4)
    curve(axes[0], 1, ALPHAS, np.median(lengths, axis=0))
    finish(axes[0], "Length of the weight, median", "L2 penalty", "‖w‖", log="xy")
    curve(axes[1], 0, ALPHAS, np.median(errors, axis=0))
    finish(axes[1], "Error on new points, median", "L2 penalty", "mean squared error", log="xy")
    powers = np.arange(1, DEGREE + 1)
    axes[2].bar(powers - 0.2, l2, 0.4, color=THEME.color(0), label="L2")
    axes[2].bar(powers + 0.2, l1, 0.4, color=THEME.color(1), label="L1")
    finish(axes[2], "Weight of each power", "power of x", "weight")
    return svg(figure)
