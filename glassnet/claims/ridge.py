"""Penalties on polynomials: L2 (Hoerl and Kennard 1970) and L1 (Tibshirani 1996)."""

from __future__ import annotations

import numpy as np
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from glassnet import MLPRegressor, PolynomialRegression
from glassnet.claims.claim import Claim, Scale, at_least, at_most, exactly, observed
from glassnet.claims.picture import THEME, curve, finish, panels, svg
from glassnet.seeds import generator

DEGREE = 12
ALPHAS = np.geomspace(1e-6, 1e2, 17)


def ridge(scale: Scale) -> Claim:
    """On polynomials an L2 penalty shrinks the weights, an L1 penalty makes exact zeros."""
    X, y, test_X, test_y = _noisy_sine()
    fits = [PolynomialRegression(DEGREE, alpha).fit(X, y) for alpha in ALPHAS]
    lengths = np.array([np.linalg.norm(fit.coef_) for fit in fits])
    errors = np.array([np.mean((fit.predict(test_X) - test_y) ** 2) for fit in fits])
    descent = PolynomialRegression(3, 0.1, solver="gradient-descent").fit(X, y)
    apart = np.abs(descent.coef_ - PolynomialRegression(3, 0.1).fit(X, y).coef_).max()
    l1, l2 = _linear(X, y, l1=2.0, alpha=0.0), _linear(X, y, l1=0.0, alpha=2.0)
    return Claim(
        source="A. E. Hoerl and R. W. Kennard (1970); R. Tibshirani (1996)",
        measured=(
            exactly("penalties at which a larger one does not shorten the weight", (np.diff(lengths) >= 0).sum(), 0),
            at_least("length of the weight, smallest over largest penalty", lengths[0] / lengths[-1], 100),
            at_most("test error at the best penalty over that at the smallest", errors.min() / errors[0], 0.9),
            at_most("largest difference of gradient descent from the closed form", apart, 1e-6),
            exactly(f"weights that are exactly zero with L2, of {DEGREE}", (l2 == 0).sum(), 0),
            at_least(f"weights that are exactly zero with L1, of {DEGREE}", (l1 == 0).sum(), DEGREE // 2),
            observed("largest weight with L1", np.abs(l1).max()),
        ),
        figure=_figure(lengths, errors, l1, l2),
        seeds=(0,),
        note=f"Degree {DEGREE}, 20 noisy points of a sine; L1 on standardized monomials.",
    )


def _noisy_sine() -> tuple[np.ndarray, ...]:
    """Return 20 noisy points of a sine to learn from, and 200 points of it to be tested on."""
    rng = generator(0, "sine")
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
    curve(axes[0], 1, ALPHAS, lengths)
    finish(axes[0], "Length of the weight", "L2 penalty", "‖w‖", log="xy")
    curve(axes[1], 0, ALPHAS, errors)
    finish(axes[1], "Error on new points", "L2 penalty", "mean squared error", log="xy")
    powers = np.arange(1, DEGREE + 1)
    axes[2].bar(powers - 0.2, l2, 0.4, color=THEME.color(0), label="L2")
    axes[2].bar(powers + 0.2, l1, 0.4, color=THEME.color(1), label="L1")
    finish(axes[2], "Weight of each power", "power of x", "weight")
    return svg(figure)
