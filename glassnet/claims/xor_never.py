"""One perceptron and XOR (Minsky and Papert 1969)."""

from __future__ import annotations

import numpy as np

from glassnet import Perceptron, linear_separability, sweep
from glassnet.claims.claim import Claim, Scale, exactly
from glassnet.claims.picture import THEME, finish, panels, svg
from glassnet.data import load_gate
from glassnet.plots.style import marker


def xor_never(scale: Scale) -> Claim:
    """On XOR the perceptron never converges, and a certificate proves that it cannot."""
    data, seeds = load_gate("xor"), range(20)
    X, y = data.X_train, data.y_train
    fits = sweep(Perceptron(max_iter=scale.pick(300, 10_000)), X, y, {"random_state": seeds})
    pocket = sweep(Perceptron("pocket", max_iter=100), X, y, {"random_state": seeds}, test=(X, y))
    answer = linear_separability(X, y)
    assert answer.certificate is not None
    never = [min(run.estimator.mistakes_per_epoch_) for run in fits.runs]
    return Claim(
        source="M. Minsky and S. Papert (1969), Perceptrons",
        measured=(
            exactly("fits that converged", sum(run.estimator.converged_ for run in fits.runs), 0),
            exactly(f"epochs of each fit ({fits.runs[0].estimator.n_iter_}) without a mistake", never.count(0), 0),
            exactly("certificate checked: one point in both classes' hulls", answer.certificate.check(X, y), 1),
            exactly("best accuracy of the pocket algorithm", max(run.score or 0 for run in pocket.runs), 0.75),
        ),
        figure=_figure(X, y, answer.certificate.point, fits.runs[0].estimator.mistakes_per_epoch_[:40]),
        seeds=seeds,
        data={data.name: data.sha256},
    )


def _figure(X: np.ndarray, y: np.ndarray, point: np.ndarray, mistakes: list[int]) -> str:
    figure, (left, right) = panels(2)
    for k in (0, 1):
        left.plot(*X[y == k].T, marker=marker(k), color=THEME.color(k), markersize=9, label=f"class {k}")
    left.plot(*point, "*", color=THEME.ink, markersize=14, label="in both hulls")
    finish(left, "The certificate", "x1", "x2")
    right.step(range(1, len(mistakes) + 1), mistakes, color=THEME.color(1), where="mid")
    right.set_ylim(0, 4.2)
    finish(right, "Mistakes never end", "epoch", "mistakes, of 4")
    return svg(figure)
