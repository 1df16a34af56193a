"""A large network can learn anything by heart (Zhang, Bengio, Hardt, Recht and Vinyals 2017)."""

from __future__ import annotations

import numpy as np

from glassnet import MLPClassifier, sweep
from glassnet.claims.claim import Claim, Scale, about, at_least, fresh_seeds, spread
from glassnet.claims.picture import curve, finish, panels, svg
from glassnet.data import load
from glassnet.seeds import generator


def random_labels(scale: Scale) -> Claim:
    """A network with more parameters than points fits random labels, and tests at chance."""
    data, seeds = load("digits"), fresh_seeds(scale.pick(3, 20))
    X = data.X_train[: scale.pick(500, 1300)]
    labels = generator(seeds[0], "labels").integers(10, size=len(X))
    net = MLPClassifier((256,), max_iter=scale.pick(250, 400), tol=None, alpha=0, learning_rate_init=0.003)
    fits = {
        "true labels": sweep(net, X, data.y_train[: len(X)], {"random_state": seeds}).runs,
        "random labels": sweep(net, X, labels, {"random_state": seeds}).runs,
    }
    train = np.array([run.estimator.score(X, labels) for run in fits["random labels"]])
    test = {
        name: np.array([run.estimator.score(data.X_test, data.y_test) for run in runs]) for name, runs in fits.items()
    }
    n_parameters = fits["true labels"][0].estimator.spec_.n_parameters
    return Claim(
        source="C. Zhang, S. Bengio, M. Hardt, B. Recht and O. Vinyals (2017)",
        measured=(
            at_least("parameters per point", n_parameters / len(X), 1),
            at_least("training accuracy on random labels", train.mean(), 0.99, spread(train)),
            about(
                "test accuracy after random labels",
                test["random labels"].mean(),
                0.1,
                0.05,
                spread(test["random labels"]),
            ),
            at_least("test accuracy after true labels", test["true labels"].mean(), 0.9, spread(test["true labels"])),
        ),
        figure=_figure({name: [run.estimator.loss_curve_ for run in runs] for name, runs in fits.items()}),
        seeds=seeds,
        data={data.name: data.sha256},
        note=f"{len(X)} digits, one hidden layer of 256 ReLUs, Adam.",
    )


def _figure(curves: dict[str, list[list[float]]]) -> str:
    figure, (ax,) = panels()
    for i, (name, losses) in enumerate(curves.items()):
        mean = np.mean(losses, axis=0)
        curve(ax, i, np.arange(1, len(mean) + 1), mean, name)
    finish(ax, "Both are learned by heart", "epoch", "training loss", log="y")
    return svg(figure)
