"""What the layers of the trained networks make of pictures, and where t-SNE puts them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from glassnet.errors import DataNotFoundError
from glassnet.lab.background import Background
from glassnet.seeds import generator

if TYPE_CHECKING:
    from glassnet.lab.exhibits.representations import RepresentationsSettings

N_NEIGHBOURS = 5
VEHICLES = ("airplane", "automobile", "ship", "truck")
ANIMALS = ("bird", "cat", "deer", "dog", "frog", "horse")


class Network(NamedTuple):
    """A trained network, the layers that are flown through after the input, and its coarse classes."""

    trained: str
    layers: tuple[str, ...]
    groups: dict[str, str]


NETWORKS = {
    "lenet": Network(
        "lenet5-mnist",
        ("s2", "s4", "c5", "f6", "output"),
        {str(digit): ("even", "odd")[digit % 2] for digit in range(10)},
    ),
    "resnet": Network(
        "resnet20-cifar10",
        ("conv1", "layer1", "layer2", "layer3", "avgpool", "fc"),
        {name: "vehicle" for name in VEHICLES} | {name: "animal" for name in ANIMALS},
    ),
}


@dataclass(frozen=True)
class Space:
    """Some pictures in every layer.

    Parameters
    ----------
    data : str
        Name of the data set.
    is_fallback : bool
        Whether they are digits the network may have learned from, because its test data are not there.
    names, groups : tuple of str
        Of the fine and the coarse classes.
    labels, members : ndarray of int, shape (n,)
        Fine and coarse class of each picture.
    pictures : ndarray of uint8, shape (n, height, width) or (n, height, width, 3)
    thumbnails : ndarray of uint8
        The same, half as high and wide.
    answers : ndarray of shape (n, n_classes)
        The network's probabilities.
    layers : tuple of str
        The input first.
    places : ndarray of float32, shape (layers, n, 2)
    neighbours : ndarray of int, shape (layers, n, 5)
        The nearest of each picture in the layer itself, not in the plane.
    separation : dict of str to list of float
        Silhouette of the "fine" and of the "coarse" classes in each layer.
    trustworthiness : list of float
    """

    data: str
    is_fallback: bool
    names: tuple[str, ...]
    groups: tuple[str, ...]
    labels: np.ndarray
    members: np.ndarray
    pictures: np.ndarray
    thumbnails: np.ndarray
    answers: np.ndarray
    layers: tuple[str, ...]
    places: np.ndarray
    neighbours: np.ndarray
    separation: dict[str, list[float]]
    trustworthiness: list[float]


def held_out_pictures(network: str) -> tuple[str, np.ndarray, np.ndarray, tuple[str, ...]]:
    """Return data set, pictures (n, channels, height, width) of uint8, labels and class names; nothing is downloaded.

    Raises
    ------
    DataNotFoundError
        If ResNet's photographs are not there.
    """
    from glassnet.data import load
    from glassnet.data.images import has_mnist, mnist_images
    from glassnet.data.pictures import has_cifar10

    digits = tuple("0123456789")
    if network == "resnet":
        if not has_cifar10():
            raise DataNotFoundError(
                "CIFAR-10 is not in the data home, and the lab downloads nothing. "
                "Run: python -c \"from glassnet.data import load; load('cifar10')\""
            )
        photos = load("cifar10")
        return "cifar10", photos.X_test.reshape(-1, 3, 32, 32), photos.y_test, tuple(photos.target_names)
    if has_mnist("test"):
        images, labels = mnist_images("test")
        return "mnist", images[:, None], labels.astype(int), digits
    few = load("mnist5k")
    return "mnist5k", (few.X_test * 255).round().astype(np.uint8).reshape(-1, 1, 28, 28), few.y_test, digits


def _compute(key: tuple[str, int, int], progress: Callable[[float], None]) -> Space:
    """Return some pictures in every layer of a network; ``key`` is (network, n, seed)."""
    import torch
    from sklearn.metrics import silhouette_score
    from sklearn.neighbors import NearestNeighbors

    from glassnet.inspect.trace import trace
    from glassnet.plots.embedding import embedded
    from glassnet.training.trained import load_trained

    network, n, seed = key
    data, pictures, labels, names = held_out_pictures(network)
    rows = generator(seed, "pictures").permutation(len(labels))[:n]
    pictures, labels = np.ascontiguousarray(pictures[rows]), labels[rows]
    trained, layers, of = NETWORKS[network]
    net, X = load_trained(trained), pictures / np.float32(255)
    with torch.no_grad():
        seen = trace(net.module_, torch.from_numpy(X), layers=layers)
    inside = {"input": X} | {layer: seen[layer].numpy() for layer in layers}
    groups = tuple(sorted(set(of.values())))
    members = np.array([groups.index(of[names[label]]) for label in labels])
    places, trust = [], []
    for layer in embedded(inside, labels, method="tsne", random_state=seed):
        places.append(layer.points.astype(np.float32))
        trust.append(round(layer.trustworthiness, 6))
        progress(len(places) / (len(inside) + 1))
    flat = [values.reshape(n, -1) for values in inside.values()]
    nearest = [NearestNeighbors(n_neighbors=N_NEIGHBOURS).fit(Z).kneighbors(return_distance=False) for Z in flat]
    separation = {
        name: [round(float(silhouette_score(Z, kinds)), 6) for Z in flat]
        for name, kinds in (("fine", labels), ("coarse", members))
    }
    shown = pictures[:, 0] if pictures.shape[1] == 1 else np.ascontiguousarray(pictures.transpose(0, 2, 3, 1))
    answers = net.predict_proba(X.reshape(n, -1))
    return Space(
        data, data == "mnist5k", names, groups, labels, members, shown, _halved(shown), answers,
        tuple(inside), np.stack(places), np.stack(nearest), separation, trust,
    )  # fmt: skip


def _halved(pictures: np.ndarray) -> np.ndarray:
    """Return pictures half as high and wide, each pixel the mean of four."""
    n, height, width, *channels = pictures.shape
    four = pictures.reshape(n, height // 2, 2, width // 2, 2, *channels)
    return four.mean(axis=(2, 4)).round().astype(np.uint8)


SPACES = Background(_compute)

_SCRIPT = """\
import numpy as np
import torch
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

from glassnet import load_trained, trace
from glassnet.lab.exhibits.representations_space import held_out_pictures
from glassnet.plots import EmbeddingDisplay
from glassnet.seeds import generator

data, pictures, labels, names = held_out_pictures("{s.network}")
rows = generator({s.seed}, "pictures").permutation(len(labels))[:{s.n_samples}]
X, y = pictures[rows] / np.float32(255), labels[rows]
network = load_trained("{trained}")
groups = {groups}
with threadpool_limits(1):  # sums in the same order everywhere: t-SNE makes much of little
    with torch.no_grad():
        seen = trace(network.module_, torch.from_numpy(X), layers={layers})
    inside = {{"input": X}} | {{layer: seen[layer].numpy() for layer in {layers}}}
    display = EmbeddingDisplay.from_arrays(
        inside, y, method="tsne", groups={chosen}, random_state={s.seed}
    )
print(display)

layer, i = {layer}, {i}
answer = network.predict_proba(X.reshape(len(X), -1))[i]
print(f"layer {{display.layers[layer].name}}, picture {{i + 1}}: {{names[y[i]]}}")
print(f"answer {{names[answer.argmax()]}} {{answer.max():.1%}}")
print("place", *display.layers[layer].points[i].round(2).tolist())
Z = inside[display.layers[layer].name].reshape(len(X), -1)
near = NearestNeighbors(n_neighbors=5).fit(Z).kneighbors(return_distance=False)[i]
print("nearest", *[f"{{k + 1}} {{names[y[k]]}}" for k in near], sep="\\n")
"""


def script(settings: RepresentationsSettings, layer: int) -> str:
    """Return the exhibit at a layer as a script."""
    trained, layers, groups = NETWORKS[settings.network]
    digits = settings.network == "lenet"
    groups_text = {int(name) if digits else i: group for i, (name, group) in enumerate(sorted(groups.items()))}
    return _SCRIPT.format(
        s=settings,
        trained=trained,
        layers=layers,
        groups=groups_text,
        chosen="groups" if settings.classes == "coarse" else "None",
        layer=min(layer, len(layers)),
        i=min(settings.point, settings.n_samples) - 1,
    )
