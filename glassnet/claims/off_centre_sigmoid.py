"""Outputs off centre learn slowly (LeCun, Bottou, Orr and Mueller 1998)."""

from __future__ import annotations

import numpy as np

from glassnet import MLPClassifier, sweep
from glassnet.claims.claim import Claim, Scale, at_least, observed, spread
from glassnet.claims.picture import bars, curve, finish, panels, svg
from glassnet.data import load
from glassnet.data.dataset import Dataset

RATES = (0.03, 0.1, 0.3, 1.0)
TARGET = 0.2


def off_centre_sigmoid(scale: Scale) -> Claim:
    """Sigmoid's off-centre output makes a worse conditioned problem than tanh's, and slower learning."""
    data, seeds = load("digits"), range(scale.pick(3, 30))
    conditions = {name: np.array([_condition(data, name, seed) for seed in seeds]) for name in ("sigmoid", "tanh")}
    curves = {name: _best_curves(data, name, seeds) for name in conditions}
    epochs = {name: np.array([_epochs(losses) for losses in c]) for name, c in curves.items()}
    ratio = conditions["sigmoid"] / conditions["tanh"]
    slower = epochs["sigmoid"] / epochs["tanh"]
    return Claim(
        source="Y. LeCun, L. Bottou, G. B. Orr and K.-R. Müller (1998), Efficient BackProp",
        measured=(
            observed(
                "condition number of the hidden layer, sigmoid",
                conditions["sigmoid"].mean(),
                spread(conditions["sigmoid"]),
            ),
            observed(
                "condition number of the hidden layer, tanh", conditions["tanh"].mean(), spread(conditions["tanh"])
            ),
            at_least("sigmoid's over tanh's", ratio.mean(), 10, spread(ratio)),
            at_least(f"epochs to a loss of {TARGET}, sigmoid's over tanh's", slower.mean(), 1.5, spread(slower)),
        ),
        figure=_figure(conditions, curves),
        seeds=seeds,
        data={data.name: data.sha256},
        note="Digits, two hidden layers of 30 units, plain SGD; each activation at the best of the rates "
        + ", ".join(f"{rate:g}" for rate in RATES)
        + ".",
    )


def _condition(data: Dataset, activation: str, seed: int) -> float:
    """Return the condition number of h^T h, which decides how fast the layer above can learn."""
    net = MLPClassifier((30,), activation, precision="float64", random_state=seed)
    net.initialize(data.X_train, data.y_train)
    return float(np.linalg.cond(net.activations(data.X_train)[0]) ** 2)


def _best_curves(data: Dataset, activation: str, seeds: range) -> np.ndarray:
    """Return the loss curves (seeds, epochs) at the rate that gets lowest on average."""
    net = MLPClassifier((30, 30), activation, solver="sgd", momentum=0, alpha=0, batch_size=32, max_iter=40, tol=None)
    runs = sweep(net, data.X_train, data.y_train, {"learning_rate_init": RATES, "random_state": seeds}).runs
    losses = np.array([run.estimator.loss_curve_ for run in runs]).reshape(len(RATES), len(seeds), -1)
    return losses[np.argmin([np.mean([_epochs(c) for c in at_rate]) for at_rate in losses])]


def _epochs(losses: np.ndarray) -> float:
    """Return the first epoch whose loss is below the target; all of them if none is."""
    below = np.flatnonzero(losses < TARGET)
    return float(below[0] + 1 if below.size else len(losses))


def _figure(conditions: dict[str, np.ndarray], curves: dict[str, np.ndarray]) -> str:
    figure, (left, right) = panels(2)
    bars(left, list(conditions), [c.mean() for c in conditions.values()])
    finish(left, "Condition number of the hidden layer", "", "λmax / λmin", log="y")
    for i, (name, losses) in enumerate(curves.items()):
        curve(right, i, np.arange(1, losses.shape[1] + 1), losses.mean(0), name, losses.std(0, ddof=1))
    finish(right, "Training at the best rate of each", "epoch", "loss", log="y")
    return svg(figure)
