"""The gallery's films: training, depth and recall as they go on."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from glassnet.data import load
from glassnet.inspect.history import History
from glassnet.plots.display import Display
from glassnet.plots.gallery_dense import bent_grid, energy
from glassnet.plots.gallery_nets import histories, picture
from glassnet.registry import NETWORKS, resolve


@cache
def watched(data: str, hidden: tuple[int, ...], max_iter: int) -> tuple[Any, History]:
    """Return a network fitted to a 2-D set, and the history of its training."""
    d, history = load(data), History(every=20)
    options: dict[str, Any] = {"activation": "tanh", "batch_size": 10, "learning_rate_init": 0.01, "tol": None}
    net = resolve(NETWORKS, "network", "mlp")(hidden, max_iter=max_iter, random_state=0, **options)
    return net.fit(d.X_train, d.y_train, observers=[history]), history


def boundary() -> Display:
    """Show how a network learns the spiral."""
    d, (net, history) = load("spiral"), watched("spiral", (16, 16), 300)
    how = {"feature_names": d.feature_names, "grid_resolution": 120}
    return picture("decision-boundary").over_training(net, history, d.X_test, d.y_test, **how)


def bending() -> Display:
    """Show how the grid is bent as a network learns the circle."""
    d, (net, history) = load("circle"), watched("circle", (3, 2), 40)
    return picture("mapping-2d").over_training(net, history, d.X_train, d.y_train)


def sine() -> Display:
    """Show how three units come to draw a sine."""
    x, history = np.linspace(-np.pi, np.pi, 200), History(every=20)
    options: dict[str, Any] = {"activation": "tanh", "learning_rate_init": 0.02, "max_iter": 500, "tol": None}
    net = resolve(NETWORKS, "network", "mlp-regressor")((3,), random_state=0, **options)
    net.fit(x[:, None], np.sin(x), observers=[history])
    return picture("mapping-1d").over_training(net, history, -np.pi, np.pi)


def perceptron() -> Display:
    """Show how a perceptron's line is turned by every mistake."""
    d, history = load("gate-and"), History(every=1)
    net = resolve(NETWORKS, "network", "perceptron")(random_state=0).fit(d.X_train, d.y_train, observers=[history])
    how = {"feature_names": d.feature_names, "grid_resolution": 120, "n_frames": 16}
    return picture("decision-boundary").over_training(net, history, d.X_train, d.y_train, **how)


FILMS: dict[str, Callable[[], Display]] = {
    "film-decision-boundary": boundary,
    "film-perceptron": perceptron,
    "film-mapping-1d": sine,
    "film-mapping-2d": bending,
    "film-mapping-2d-depth": bent_grid,
    "film-training-curves": lambda: picture("training-curves").from_histories(histories(), log=True, side_by_side=True),
    "film-energy": energy,
}
