"""The perceptron convergence theorem (Rosenblatt 1962, Novikoff 1962)."""

from __future__ import annotations

import numpy as np

from glassnet import Perceptron, mistake_bound, sweep
from glassnet.claims.claim import Claim, Scale, at_most, exactly, observed, spread
from glassnet.claims.picture import THEME, finish, panels, svg
from glassnet.seeds import generator

N_SAMPLES = 100
ORDERS = range(5)
MARGINS = (0.02, 0.1, 0.3)


def perceptron_bound(scale: Scale) -> Claim:
    """On separable data the perceptron converges within (R / gamma)^2 mistakes."""
    problems = range(scale.pick(20, 300))
    bounds, mistakes, converged = [], [], []
    for seed in problems:
        X, y = _separable(seed)
        fits = sweep(Perceptron(max_iter=100_000), X, y, {"random_state": ORDERS}).runs
        bounds.append(mistake_bound(X, y))
        mistakes.append([fit.estimator.n_mistakes_ for fit in fits])
        converged += [fit.estimator.converged_ for fit in fits]
    ratio = np.array(mistakes) / np.array(bounds)[:, None]
    return Claim(
        source="A. B. J. Novikoff (1962), On convergence proofs on perceptrons",
        measured=(
            exactly("share of fits that converged", np.mean(converged), 1),
            at_most("mistakes as a share of the bound, largest", ratio.max(), 1),
            observed("mistakes as a share of the bound, mean", ratio.mean(), spread(ratio)),
        ),
        figure=_figure(np.array(bounds), np.array(mistakes)),
        seeds=problems,
        note=f"Each seed draws {N_SAMPLES} points in 2 to 20 dimensions, learned in {len(ORDERS)} orders.",
    )


def _separable(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw points and a hyperplane, and push the points away from it."""
    rng = generator(seed, "separable")
    X = rng.standard_normal((N_SAMPLES, int(rng.integers(2, 21))))
    normal = rng.standard_normal(X.shape[1])
    normal /= np.linalg.norm(normal)
    side = np.sign(X @ normal)
    X += (rng.choice(MARGINS) * side)[:, None] * normal
    return X.astype(np.float32), (side > 0).astype(int)


def _figure(bounds: np.ndarray, mistakes: np.ndarray) -> str:
    figure, (ax,) = panels()
    ax.scatter(bounds.repeat(mistakes.shape[1]), mistakes.ravel(), s=12, color=THEME.color(1), label="a fit")
    ends = np.array([bounds.min(), bounds.max()])
    ax.plot(ends, ends, color=THEME.muted, linestyle=":", label="the bound")
    finish(ax, "Mistakes until convergence", "(R / gamma)²", "mistakes", log="xy")
    return svg(figure)
