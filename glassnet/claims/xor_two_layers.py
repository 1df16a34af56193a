"""Two layers and XOR (Rumelhart, Hinton and Williams 1986)."""

from __future__ import annotations

import numpy as np

from glassnet import MLPClassifier, sweep
from glassnet.claims.claim import Claim, Scale, at_least, exactly, fresh_seeds
from glassnet.claims.picture import curve, finish, panels, svg
from glassnet.data import load_gate

WIDTHS = (1, 2, 3, 4, 8, 16)


def xor_two_layers(scale: Scale) -> Claim:
    """Two layers learn XOR, from more initial weights the wider the hidden layer is."""
    data, seeds = load_gate("xor"), fresh_seeds(scale.pick(100, 2000))
    shares = {name: _shares(data, name, seeds) for name in ("tanh", "sigmoid", "relu")}
    tanh = shares["tanh"]
    return Claim(
        source="D. E. Rumelhart, G. E. Hinton and R. J. Williams (1986), Nature 323",
        measured=(
            exactly("share of seeds with 1 hidden unit, tanh", tanh[0], 0),
            at_least("share of seeds with 2 hidden units, tanh", tanh[1], 0.3, _spread(tanh[1])),
            at_least("share of seeds with 8 hidden units, tanh", tanh[4], 0.99, _spread(tanh[4])),
            exactly("widths at which the share falls, tanh", (np.diff(tanh) < -0.01).sum(), 0),
        ),
        figure=_figure(shares, len(seeds)),
        seeds=seeds,
        data={data.name: data.sha256},
        note="Full-batch gradient descent, 2,000 steps at a rate of 0.5 with momentum 0.9; "
        "the spread is that of one seed, 0 or 1.",
    )


def _shares(data, activation: str, seeds: range) -> np.ndarray:
    """Return for each width the share of seeds from which all four answers are learned."""
    net = MLPClassifier(
        activation=activation, solver="sgd", alpha=0, learning_rate_init=0.5, batch_size=4, max_iter=2000, tol=None
    )
    X, y = data.X_train, data.y_train
    grid = {"hidden_layer_sizes": [(width,) for width in WIDTHS], "random_state": seeds}
    runs = sweep(net, X, y, grid, test=(X, y)).runs
    right = np.array([run.score == 1 for run in runs], float).reshape(len(WIDTHS), len(seeds))
    return right.mean(axis=1)


def _spread(share: float) -> float:
    """Return the standard deviation of a coin that falls so with this share."""
    return float(np.sqrt(share * (1 - share)))


def _figure(shares: dict[str, np.ndarray], n_seeds: int) -> str:
    figure, (ax,) = panels()
    for i, (name, share) in enumerate(shares.items()):
        curve(ax, i, WIDTHS, share, name, spread=_spread_of_mean(share, n_seeds))
    ax.set_xscale("log", base=2)
    ax.set_xticks(WIDTHS, map(str, WIDTHS))
    finish(ax, "XOR learned", "hidden units", "share of seeds")
    return svg(figure)


def _spread_of_mean(share: np.ndarray, n_seeds: int) -> np.ndarray:
    return np.sqrt(share * (1 - share) / n_seeds)
