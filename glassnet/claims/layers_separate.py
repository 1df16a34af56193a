"""From layer to layer the classes separate (Donahue et al. 2013; Alain and Bengio 2016)."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.manifold import TSNE, trustworthiness
from sklearn.metrics import silhouette_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from glassnet.claims.claim import Claim, Scale, at_least, observed, spread
from glassnet.claims.picture import THEME, curve, finish, panels, svg
from glassnet.data import load
from glassnet.seeds import generator
from glassnet.training.trained import load_trained

LAYERS = ("s2", "s4", "c5", "f6")
N_DRAWN = 500


def layers_separate(scale: Scale) -> Claim:
    """From the first to the last layer of a trained net classes separate: a linear probe gains 10 points or more."""
    net, data = load_trained("lenet5-mnist"), load("mnist")
    n, seeds = scale.pick(500, 2000), range(scale.pick(3, 10))
    inside = {"input": data.X_test.reshape(len(data.X_test), -1) / 255.0}
    inside |= {name: net.transform(data.X_test, layer=name) for name in LAYERS}
    found = {name: np.array([_measure(Z, data.y_test, n, seed) for seed in seeds]) for name, Z in inside.items()}
    mean = {name: values.mean(0) for name, values in found.items()}
    fine, coarse, neighbours, silhouette = (found["f6"] - found["input"]).T
    drawn = {name: _drawn(inside[name]) for name in ("input", "f6")}
    return Claim(
        source="J. Donahue et al. (2013), DeCAF; G. Alain and Y. Bengio (2016), linear classifier probes",
        measured=(
            at_least("accuracy of a linear probe on the digits, f6 less input", fine.mean(), 0.10, spread(fine)),
            at_least("the same on the coarse classes even and odd", coarse.mean(), 0.10, spread(coarse)),
            at_least("accuracy of 5 nearest neighbours, f6 less input", neighbours.mean(), 0.0, spread(neighbours)),
            at_least("silhouette of the digits, f6 less input", silhouette.mean(), 0.1, spread(silhouette)),
            observed("accuracy of the linear probe on the input", mean["input"][0], spread(found["input"][:, 0])),
            observed("accuracy of the linear probe on f6", mean["f6"][0], spread(found["f6"][:, 0])),
            *(observed(f"trustworthiness of the t-SNE picture of {name}", t) for name, (_, t) in drawn.items()),
        ),
        figure=_figure(mean, drawn, data.y_test[:N_DRAWN]),
        seeds=seeds,
        data={data.name: data.sha256},
        note=f"The LeNet-5 that comes with glassnet, on test digits it has not seen: probes learn from {n} of them and "
        f"are tested on {n} others. The silhouette is that of their places in the layer.",
    )


def _measure(Z: np.ndarray, y: np.ndarray, n: int, seed: int) -> tuple[float, float, float, float]:
    """Return accuracies of probes for digits and parity, of nearest neighbours, and the silhouette."""
    order = generator(seed, "probe").permutation(len(y))[: 2 * n]
    train, test = order[:n], order[n:]

    def accuracy(model: Any, target: np.ndarray) -> float:
        return float(model.fit(Z[train], target[train]).score(Z[test], target[test]))

    probe = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=300))
    neighbours = KNeighborsClassifier(5)
    return (
        accuracy(probe, y),
        accuracy(probe, y % 2),
        accuracy(neighbours, y),
        float(silhouette_score(Z[test], y[test])),
    )


def _drawn(Z: np.ndarray) -> tuple[np.ndarray, float]:
    """Return places in the plane, and how far neighbours there are neighbours in Z."""
    places = TSNE(init="pca", perplexity=30, random_state=0).fit_transform(Z[:N_DRAWN])
    return places, float(trustworthiness(Z[:N_DRAWN], places, n_neighbors=10))


def _figure(mean: dict[str, np.ndarray], drawn: dict[str, tuple[np.ndarray, float]], y: np.ndarray) -> str:
    figure, (first, *others) = panels(3)
    depth = range(len(mean))
    for i, name in enumerate(("digits", "even or odd", "nearest neighbours")):
        curve(first, i, depth, [values[i] for values in mean.values()], name)
    first.set_xticks(depth, list(mean))
    finish(first, "Probes of each layer", "layer", "accuracy on new digits")
    for ax, (name, (places, _)) in zip(others, drawn.items(), strict=True):
        for digit in range(10):
            rows = y == digit
            ax.scatter(*places[rows].T, s=8, color=THEME.color(digit), label=str(digit), linewidths=0)
        ax.set_xticks([])
        ax.set_yticks([])
        finish(ax, f"t-SNE of {name}", "", "")
    return svg(figure)
