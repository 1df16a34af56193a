"""From layer to layer the classes separate (Donahue et al. 2013; Alain and Bengio 2016)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.manifold import TSNE, trustworthiness
from sklearn.metrics import silhouette_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from glassnet.claims.claim import Claim, Measured, Scale, at_least, observed, spread
from glassnet.claims.picture import THEME, curve, finish, panels, svg
from glassnet.data import load
from glassnet.data.dataset import Dataset
from glassnet.seeds import generator
from glassnet.training.trained import load_trained

N_DRAWN = 500
FAILS_IN_FULL = (
    " At this scale the claim fails, closely and for LeNet-5 only: a probe that learns from more digits reads more of "
    "them off the pixels alone, so that less than 10 points are left to gain. Photographs leave far more."
)
ANIMALS = ("bird", "cat", "deer", "dog", "frog", "horse")


@dataclass(frozen=True)
class Subject:
    """A trained network, its data, the layers that are looked into, and two coarse classes."""

    network: str
    data: Dataset
    layers: tuple[str, ...]
    coarse: np.ndarray
    between: str

    def inside(self) -> dict[str, np.ndarray]:
        """Return what input and layers make of the test pictures, (n, values) each."""
        net, X = load_trained(self.network), self.data.X_test
        seen = {"input": np.asarray(X, np.float32) / (255 if X.dtype == np.uint8 else 1)}
        return seen | {name: net.transform(X, layer=name) for name in self.layers}


def digits() -> Subject:
    """Return LeNet-5 and MNIST; coarse are even and odd."""
    data = load("mnist")
    return Subject("lenet5-mnist", data, ("s2", "s4", "c5", "f6"), data.y_test % 2, "even and odd")


def photographs() -> Subject:
    """Return ResNet-20 and CIFAR-10; coarse are animals and vehicles."""
    data = load("cifar10", per_class=400)
    coarse = np.isin(np.array(data.target_names)[data.y_test], ANIMALS).astype(int)
    return Subject("resnet20-cifar10", data, ("layer2", "layer3", "avgpool"), coarse, "animals and vehicles")


def layers_separate(scale: Scale) -> Claim:
    """From the first to the last layer of a trained net classes separate: a linear probe gains 10 points or more."""
    n, seeds = scale.pick(500, 2000), range(scale.pick(3, 10))
    subjects = [digits(), photographs()] if scale.full else [digits()]
    found = [scale.piece(subject.network, partial(_look, subject, n, seeds)) for subject in subjects]
    return Claim(
        source="J. Donahue et al. (2013), DeCAF; G. Alain and Y. Bengio (2016), linear classifier probes",
        measured=[m for subject, seen in zip(subjects, found, strict=True) for m in _measured(subject, seen)],
        figure=_figure(subjects[-1], found[-1]),
        seeds=seeds,
        data={subject.data.name: subject.data.sha256 for subject in subjects},
        note=f"The LeNet-5 that comes with glassnet, in --full also its ResNet-20, on pictures they have not seen: "
        f"probes learn from {n} of them and are tested on {n} others. The silhouette is that of their places in the "
        "layer." + scale.pick("", FAILS_IN_FULL),
        expected_verdict=scale.pick("holds", "fails"),
    )


def _look(subject: Subject, n: int, seeds: range) -> dict[str, Any]:
    """Return what is measured in each layer for each seed, and pictures of the first and the last."""
    inside, y = subject.inside(), subject.data.y_test
    values = {name: [_measure(Z, y, subject.coarse, n, seed) for seed in seeds] for name, Z in inside.items()}
    rows = generator(0, "drawn").permutation(len(y))[:N_DRAWN]  # files lie class by class
    drawn = {name: _drawn(inside[name][rows]) for name in ("input", subject.layers[-1])}
    return {"values": values, "drawn": drawn, "classes": y[rows].tolist()}


def _measured(subject: Subject, seen: dict[str, Any]) -> list[Measured]:
    values = {name: np.array(found) for name, found in seen["values"].items()}
    last = subject.layers[-1]
    fine, coarse, neighbours, silhouette = (values[last] - values["input"]).T
    where = f"{subject.network}, {last} less input"
    return [
        at_least(f"{where}: accuracy of a linear probe", fine.mean(), 0.10, spread(fine)),
        at_least(f"the same on the coarse classes {subject.between}", coarse.mean(), 0.10, spread(coarse)),
        at_least("the same of 5 nearest neighbours", neighbours.mean(), 0.0, spread(neighbours)),
        at_least(f"{where}: silhouette", silhouette.mean(), 0.1, spread(silhouette)),
        *(
            observed(f"accuracy of the linear probe on {name}", values[name][:, 0].mean(), spread(values[name][:, 0]))
            for name in ("input", last)
        ),
        *(observed(f"trustworthiness of the t-SNE picture of {name}", t) for name, (_, t) in seen["drawn"].items()),
    ]


def _measure(Z: np.ndarray, y: np.ndarray, coarse: np.ndarray, n: int, seed: int) -> list[float]:
    """Return accuracies of probes for fine and coarse classes, of nearest neighbours, and the silhouette."""
    order = generator(seed, "probe").permutation(len(y))[: 2 * n]
    train, test = order[:n], order[n:]

    def accuracy(model: Any, target: np.ndarray) -> float:
        return float(model.fit(Z[train], target[train]).score(Z[test], target[test]))

    probe = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=300))
    neighbours = KNeighborsClassifier(5)
    silhouette = float(silhouette_score(Z[test], y[test]))
    return [accuracy(probe, y), accuracy(probe, coarse), accuracy(neighbours, y), silhouette]


def _drawn(Z: np.ndarray) -> tuple[list[list[float]], float]:
    """Return places in the plane, and how far neighbours there are neighbours in Z."""
    places = TSNE(init="pca", perplexity=30, random_state=0).fit_transform(Z)
    return places.astype(float).tolist(), float(trustworthiness(Z, places, n_neighbors=10))


def _figure(subject: Subject, seen: dict[str, Any]) -> str:
    figure, (first, *others) = panels(3)
    mean = {name: np.mean(values, axis=0) for name, values in seen["values"].items()}
    depth, y = range(len(mean)), np.array(seen["classes"])
    for i, name in enumerate(("all classes", subject.between, "nearest neighbours")):
        curve(first, i, depth, [values[i] for values in mean.values()], name)
    first.set_xticks(depth, list(mean))
    finish(first, "Probes of each layer", "layer", "accuracy on new pictures")
    for ax, (name, (places, _)) in zip(others, seen["drawn"].items(), strict=True):
        for k, label in enumerate(subject.data.target_names):
            ax.scatter(*np.array(places)[y == k].T, s=8, color=THEME.color(k), label=label, linewidths=0)
        ax.set_xticks([])
        ax.set_yticks([])
        finish(ax, f"t-SNE of {name}", "", "")
    return svg(figure)
