"""Error falls as data and computing grow (Hestness et al. 2017)."""

from __future__ import annotations

import numpy as np

from glassnet import MLPClassifier
from glassnet.claims.claim import Claim, Scale, at_least, at_most, observed, spread
from glassnet.claims.picture import curve, finish, panels, svg
from glassnet.data import load
from glassnet.data.dataset import Dataset
from glassnet.seeds import generator

EPOCHS = (1, 2, 4, 8)
STEPS = 3000


def more_data(scale: Scale) -> Claim:
    """The error of one network falls as a power of the number of examples, and with the epochs spent on them."""
    data = load("mnist")
    seeds = range(100, scale.pick(102, 105))
    sizes = scale.pick((500, 1000, 2000, 4000, 8000), (1000, 2000, 4000, 8000, 16_000, 32_000, 60_000))
    by_size = np.array([scale.piece(f"sizes {seed}", lambda seed=seed: _by_size(data, sizes, seed)) for seed in seeds])
    by_epochs = np.array([scale.piece(f"epochs {seed}", lambda seed=seed: _by_epochs(data, seed)) for seed in seeds])
    slopes = np.array([np.polyfit(np.log(sizes), np.log(errors), 1)[0] for errors in by_size])
    fit = np.corrcoef(np.log(sizes), np.log(by_size.mean(0)))[0, 1] ** 2
    return Claim(
        source="J. Hestness et al. (2017), Deep learning scaling is predictable, empirically",
        measured=(
            at_most("exponent of the error over the number of examples", slopes.mean(), -0.25, spread(slopes)),
            at_least("share of the variance that the straight line in the log-log plot explains", fit, 0.95),
            at_most(
                "error at the largest over error at the smallest set", by_size.mean(0)[-1] / by_size.mean(0)[0], 0.5
            ),
            at_most("error after 8 epochs over error after 1", _ratio(by_epochs), 0.7),
            observed(f"test error from {sizes[-1]:,} examples", by_size[:, -1].mean(), spread(by_size[:, -1])),
        ),
        figure=_figure(sizes, by_size, by_epochs),
        seeds=seeds,
        data={data.name: data.sha256},
        note=f"784-128-10, ReLU, Adam, batches of 64. A fit makes about {STEPS:,} steps (3 to 60 epochs), so that no "
        "set is short of computing; epochs are compared on 5,000 examples.",
    )


def _ratio(errors: np.ndarray) -> float:
    """Return the last mean over the first."""
    return float(errors[:, -1].mean() / errors[:, 0].mean())


def _net(seed: int, max_iter: int) -> MLPClassifier:
    return MLPClassifier((128,), batch_size=64, max_iter=max_iter, tol=None, random_state=seed)


def _by_size(data: Dataset, sizes: tuple[int, ...], seed: int) -> list[float]:
    """Return the test error from ever more examples; the first n of one order."""
    order = generator(seed, "subset").permutation(len(data.X_train))
    errors = []
    for n in sizes:
        rows = order[:n]
        epochs = min(max(3, STEPS // -(-n // 64)), 60)
        net = _net(seed, epochs).fit(data.X_train[rows], data.y_train[rows])
        errors.append(1 - float(net.score(data.X_test, data.y_test)))
    return errors


def _by_epochs(data: Dataset, seed: int) -> list[float]:
    """Return the test error from 5,000 examples after ever more epochs."""
    rows = generator(seed, "subset").permutation(len(data.X_train))[:5000]
    fits = [_net(seed, n).fit(data.X_train[rows], data.y_train[rows]) for n in EPOCHS]
    return [1 - float(net.score(data.X_test, data.y_test)) for net in fits]


def _figure(sizes: tuple[int, ...], by_size: np.ndarray, by_epochs: np.ndarray) -> str:
    figure, (left, right) = panels(2)
    curve(left, 0, sizes, by_size.mean(0), "", by_size.std(0, ddof=1))
    curve(right, 1, EPOCHS, by_epochs.mean(0), "", by_epochs.std(0, ddof=1))
    finish(left, "More examples", "training examples", "test error", log="xy")
    finish(right, "More epochs, 5,000 examples", "epochs", "test error", log="xy")
    return svg(figure)
