"""A start for deep sigmoid networks (Hinton, Osindero and Teh 2006; Hinton and Salakhutdinov 2006)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from glassnet import DeepBeliefClassifier, MLPClassifier
from glassnet.claims.claim import Claim, Scale, at_least, observed, spread
from glassnet.claims.picture import curve, finish, panels, svg
from glassnet.data import load
from glassnet.data.dataset import Dataset

DEPTHS, WIDTH = (1, 3, 5), 64


def pretraining(scale: Scale) -> Claim:
    """Machines learned layer by layer give deep sigmoid networks a start that random weights do not."""
    data, seeds, epochs = load(scale.pick("digits", "mnist5k")), range(scale.pick(3, 10)), scale.pick(10, 30)
    pretrained, at_random = (
        np.array([[_kept(scale, accuracy, data, depth, seed, epochs) for seed in seeds] for depth in DEPTHS])
        for accuracy in (_pretrained, _at_random)
    )
    gain = pretrained - at_random
    return Claim(
        source="G. E. Hinton, S. Osindero and Y.-W. Teh (2006); G. E. Hinton and R. R. Salakhutdinov (2006)",
        measured=(
            observed("accuracy gained with one hidden layer", gain[0].mean(), spread(gain[0])),
            at_least("accuracy gained with three hidden layers", gain[1].mean(), 0, spread(gain[1])),
            at_least("accuracy gained with five hidden layers", gain[2].mean(), 0, spread(gain[2])),
            at_least("seeds in which five pretrained layers are the better", (gain[2] > 0).mean(), 1),
            observed("accuracy of five pretrained layers", pretrained[2].mean(), spread(pretrained[2])),
        ),
        figure=_figure(pretrained, at_random),
        seeds=seeds,
        data={data.name: data.sha256},
        note=f"Layers of {WIDTH} sigmoid units, {epochs} epochs of backpropagation with Adam from either start; "
        "30 epochs of CD-1 a layer before that from the one. Random weights need the epochs to leave a plateau that "
        "five sigmoid layers begin on: after the 10 of the quick scale most of the gain is that, after 30 little is.",
    )


def _kept(scale: Scale, accuracy: Callable, data: Dataset, depth: int, seed: int, epochs: int) -> float:
    """Return the accuracy of one fit, from its file where there is one."""
    return scale.piece(f"{accuracy.__name__} {depth} {seed}", lambda: accuracy(data, depth, seed, epochs))


def _pretrained(data: Dataset, depth: int, seed: int, epochs: int) -> float:
    options: dict[str, Any] = {"batch_size": 20, "pretrain_iter": 30, "max_iter": epochs, "random_state": seed}
    net = DeepBeliefClassifier((WIDTH,) * depth, **options).fit(data.X_train, data.y_train)
    return float(net.score(data.X_test, data.y_test))


def _at_random(data: Dataset, depth: int, seed: int, epochs: int) -> float:
    options: dict[str, Any] = {"batch_size": 20, "max_iter": epochs, "random_state": seed, "alpha": 0, "tol": None}
    net = MLPClassifier((WIDTH,) * depth, "sigmoid", **options).fit(data.X_train, data.y_train)
    return float(net.score(data.X_test, data.y_test))


def _figure(pretrained: np.ndarray, at_random: np.ndarray) -> str:
    figure, (ax,) = panels()
    for i, (name, scores) in enumerate((("pretrained", pretrained), ("at random", at_random))):
        curve(ax, i, DEPTHS, scores.mean(1), name, scores.std(1, ddof=1))
    finish(ax, "Test accuracy over the start", "hidden layers", "accuracy")
    return svg(figure)
