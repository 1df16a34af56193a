"""Support vectors or a multilayer perceptron (Cortes and Vapnik 1995; "full of tricks")."""

from __future__ import annotations

import numpy as np
from sklearn.svm import SVC

from glassnet import MLPClassifier, sweep
from glassnet.claims.claim import Claim, Scale, about, at_least, observed, spread
from glassnet.claims.picture import curve, finish, limit, panels, svg
from glassnet.data import load

RATES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)


def svm_or_mlp(scale: Scale) -> Claim:
    """An RBF-SVM is as accurate as a multilayer perceptron, whose accuracy hangs on its tricks."""
    data, seeds = load(scale.pick("digits", "mnist5k")), range(scale.pick(5, 20))
    test = (data.X_test, data.y_test)
    machine = SVC(C=10).fit(data.X_train, data.y_train)
    net = MLPClassifier((100,), max_iter=scale.pick(30, 50), tol=None)
    grid = {"learning_rate_init": RATES, "random_state": seeds}
    runs = sweep(net, data.X_train, data.y_train, grid, test=test).runs
    scores = np.array([run.score for run in runs], float).reshape(len(RATES), len(seeds))
    best, svm = scores[scores.mean(1).argmax()], float(machine.score(*test))
    return Claim(
        source="C. Cortes and V. Vapnik (1995); the lecture: networks are full of tricks",
        measured=(
            at_least("accuracy of the SVM", svm, 0.9),
            about(
                "accuracy of the network at its best rate, less the SVM's", best.mean() - svm, 0, 0.025, spread(best)
            ),
            at_least("accuracy between the network's best and worst rate", np.ptp(scores.mean(1)), 0.1),
            observed("spread of the network over all rates and seeds", scores.mean(), spread(scores)),
        ),
        figure=_figure(scores, svm),
        seeds=seeds,
        data={data.name: data.sha256},
        note="One hidden layer of 100 ReLUs, Adam. The SVM has its own settings (C = 10, gamma by the data's variance) "
        "and no seed.",
    )


def _figure(scores: np.ndarray, svm: float) -> str:
    figure, (ax,) = panels()
    curve(ax, 1, RATES, scores.mean(1), "network", scores.std(1, ddof=1))
    limit(ax, svm, "SVM")
    finish(ax, "Test accuracy", "learning rate", "accuracy", log="x")
    return svg(figure)
