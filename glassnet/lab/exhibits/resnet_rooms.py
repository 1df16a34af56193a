"""The two rooms of AlexNet and ResNet: a photo through a network, and a race of depths."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from glassnet import ModuleClassifier, trace
from glassnet.errors import DataNotFoundError, InvalidInputError
from glassnet.lab.exhibit import Frame
from glassnet.lab.exhibits import resnet_scripts as scripts
from glassnet.lab.photos import cifar_photos, fit_photo, sample_photo
from glassnet.lab.recording import Together
from glassnet.lab.shown_networks import ShownNetwork, shown_network
from glassnet.networks.resnet import narrow_resnet

if TYPE_CHECKING:
    from glassnet.lab.exhibits.resnet import ResNetSettings

MOST_MAPS, MOST_PIXELS = 64, 16_384  # of one layer
MOST_FLOORS = 14
SHOWN_SIDE = 96  # of the photo that is drawn
N_BEST = 5
RACERS = tuple((residual, deep) for residual in (False, True) for deep in (False, True))
RACE_BYTES = 1_600_000  # of the record of all four
N_MEAN = 20  # steps whose losses make the number
MOST_POINTS = 300
# of the claims: in a checkout beside the package, in an installed glassnet within it
RESULTS = tuple(folder / "results" for folder in Path(__file__).parents[3:1:-1])
RESULT_FILES = ("claims-full.json", "claims-quick.json")


class Room:
    """What one room shows."""

    history: Together | None = None

    def __init__(self, settings: ResNetSettings, own: np.ndarray | None):
        self.own = own

    def scene(self) -> Frame:
        """Return what stays."""
        raise NotImplementedError

    def frame(self, settings: ResNetSettings) -> Frame:
        """Return what changes."""
        raise NotImplementedError

    def python(self, settings: ResNetSettings) -> str:
        """Return the script."""
        raise NotImplementedError


class Photo(Room):
    """A photo through filters and maps."""

    def __init__(self, settings: ResNetSettings, own: np.ndarray | None):
        super().__init__(settings, own)
        self._known: tuple[Any, Any] = (None, None)

    def scene(self) -> Frame:
        """Return CIFAR-10's photos to choose from, uint8 (n, 32, 32, 3): none where they are not at hand."""
        photos = cifar_choice()
        return Frame({"hasCifar": len(photos) > 0, "hasOwn": self.own is not None}, {"choice": photos})

    def photo(self, settings: ResNetSettings) -> np.ndarray:
        """Return the photo, uint8 (height, width, 3)."""
        if settings.picture == "own":
            if self.own is None:
                raise InvalidInputError("Open a photo of your own first.")
            return self.own
        return cifar_photos()[settings.cifar_class] if settings.picture == "cifar" else sample_photo(settings.picture)

    def frame(self, settings: ResNetSettings) -> Frame:
        """Return the photo as the network gets it, its maps in every layer, the answer, and one number of a map."""
        network = shown_network(settings.network)
        maps, scores, x = self._seen(settings, network)
        look = min(settings.look_layer, len(maps)) - 1
        values = {
            "network": network.name,
            "isTrained": bool(network.classes),
            "parameters": network.n_parameters,
            "size": list(network.size),
            "layers": [{"name": name, "shape": list(array.shape)} for name, array in maps.items()],
            "best": _best(scores, network.classes),
            "truth": network_class(settings, network),
            "unit": unit(network, maps, look, settings),
        }
        shown = {f"maps{i}": _some(array) for i, array in enumerate(maps.values())}
        drawn = fit_photo(self.photo(settings), (SHOWN_SIDE, SHOWN_SIDE))
        return Frame(values, {"photo": _rgb(drawn), "input": _rgb(x), "filters": filters(network), **shown})

    def _seen(self, settings: ResNetSettings, network: ShownNetwork) -> tuple:
        """Run the network, once for each photo."""
        key = (settings.network, settings.picture, settings.cifar_class, id(self.own))
        if self._known[0] != key:
            x = fit_photo(self.photo(settings), network.size)
            self._known = (key, (*look_through(network, network.input(x)), x))
        return self._known[1]

    def python(self, settings: ResNetSettings) -> str:
        """Return the look as a script."""
        network = shown_network(settings.network)
        maps = self._seen(settings, network)[0]
        return scripts.photo(settings, network, list(maps), place(maps, settings))


class Depth(Room):
    """Four networks, plain and residual, shallow and deep, learn the same digits."""

    def __init__(self, settings: ResNetSettings, own: np.ndarray | None):
        super().__init__(settings, own)
        X, y = digits()
        self.states = []
        for residual, is_deep in RACERS:
            depth = settings.deep if is_deep else settings.shallow
            options = {"depth": depth, "width": settings.maps, "residual": residual}
            net = ModuleClassifier(
                narrow_resnet, module_options=options, image_shape=(8, 8), solver="sgd", batch_size=32,
                learning_rate_init=settings.learning_rate, random_state=settings.seed,
            )  # fmt: skip
            self.states.append(net.initialize(X, y))
        self.history = Together(self.states, RACE_BYTES)

    def scene(self) -> Frame:
        """Return how many parameters each has, and the curves of recorded runs."""
        sizes = [state.arrays["parameters"].size for state in self.states]
        recorded = recorded_curves()
        about = {key: recorded[key] for key in ("file", "note", "names")} if recorded else None
        return Frame({"parameters": sizes, "recorded": about}, recorded["arrays"] if recorded else {})

    def frame(self, settings: ResNetSettings) -> Frame:
        """Return each network's mean loss over the last steps, and the losses so far."""
        assert self.history is not None
        step, losses = self.history.step, [part.history.losses for part in self.history.parts]
        last = [float(each[max(0, step - N_MEAN) : step].mean()) if step else None for each in losses]
        return Frame({"losses": last}, {f"losses{k}": _smoothed(each) for k, each in enumerate(losses)})

    def python(self, settings: ResNetSettings) -> str:
        """Return the race as a script."""
        assert self.history is not None
        return scripts.depth(settings, self.history.step)


ROOMS: dict[str, type[Room]] = {"photo": Photo, "depth": Depth}


def look_through(network: ShownNetwork, x: torch.Tensor) -> tuple[dict[str, np.ndarray], np.ndarray | None]:
    """Return the maps at each station, (maps, height, width), and the logits where there are any."""
    names = network.stations()
    seen = trace(network.module, x, layers=names)
    maps = {name: seen[name].numpy()[0] for name in names if seen[name].numpy().ndim == 4}
    with torch.inference_mode():
        scores = network.module(x).numpy()[0] if network.classes else None
    return dict(list(maps.items())[:MOST_FLOORS]), scores


def filters(network: ShownNetwork) -> np.ndarray:
    """Return the first convolution's filters in colour, each from its least to its most: uint8 (n, h, w, 3)."""
    first = next(part for part in network.module.modules() if isinstance(part, torch.nn.Conv2d))
    weight = first.weight.detach().numpy()[:MOST_MAPS]
    low, high = (reduce(weight, axis=(1, 2, 3), keepdims=True) for reduce in (np.min, np.max))
    return (255 * (weight - low) / np.maximum(high - low, 1e-9)).round().astype(np.uint8).transpose(0, 2, 3, 1).copy()


def place(maps: dict[str, np.ndarray], settings: ResNetSettings) -> tuple[int, int, int, int]:
    """Return layer, map, row and column of the number looked at, from 0, within what there is."""
    layer = min(settings.look_layer, len(maps)) - 1
    shape = list(maps.values())[layer].shape
    k, row, column = (
        min(value, size) - 1
        for value, size in zip((settings.look_map, settings.look_row, settings.look_column), shape, strict=True)
    )
    return layer, k, row, column


def unit(network: ShownNetwork, maps: dict[str, np.ndarray], layer: int, settings: ResNetSettings) -> dict[str, Any]:
    """Return one number of a map; of a residual block also what its shortcut and its branch give there."""
    _, k, row, column = place(maps, settings)
    name = list(maps)[layer]
    values: dict[str, Any] = {"layer": layer, "map": k, "row": row, "column": column, "shortcut": None, "branch": None}
    values["output"] = float(maps[name][k, row, column])
    block: Any = network.module.get_submodule(name)
    if layer and getattr(block, "residual", False):
        below = torch.from_numpy(maps[list(maps)[layer - 1]])[None]
        with torch.inference_mode():
            parts = {
                "branch": block.branch(below),
                "shortcut": below if block.downsample is None else block.downsample(below),
            }
        values |= {key: float(part[0, k, row, column]) for key, part in parts.items()}
    return values


def network_class(settings: ResNetSettings, network: ShownNetwork) -> str | None:
    """Return what is on a photo of CIFAR-10, where the network knows it."""
    known = settings.picture == "cifar" and len(network.classes) == len(CIFAR_CLASSES)
    return CIFAR_CLASSES[settings.cifar_class] if known else None


CIFAR_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def cifar_choice() -> np.ndarray:
    """Return a photo of each of CIFAR-10's classes, uint8 (10, 32, 32, 3); none where they are not at hand."""
    try:
        return cifar_photos()
    except DataNotFoundError:
        return np.zeros((0, 32, 32, 3), np.uint8)


@lru_cache(maxsize=1)
def digits() -> tuple[np.ndarray, np.ndarray]:
    """Return scikit-learn's digits of 8 x 8 pixels to learn from."""
    from glassnet.data import load

    data = load("digits")
    return data.X_train.astype(np.float32), data.y_train


@lru_cache(maxsize=1)
def recorded_curves() -> dict[str, Any] | None:
    """Return the runs that `glassnet claims plain-residual` has recorded; None where there are none."""
    for name in RESULT_FILES:
        file = next((folder / name for folder in RESULTS if (folder / name).is_file()), None)
        claim = _find(json.loads(file.read_text("utf-8")), "plain-residual") if file else None
        if claim and claim.get("curves"):
            curves = claim["curves"]
            arrays = {
                f"recorded{i}": np.column_stack([curve[key] for key in ("epoch", "training error", "test error")])
                for i, curve in enumerate(curves.values())
            }
            return {
                "file": f"results/{name}", "note": claim.get("note", ""), "names": list(curves),
                "arrays": {key: array.astype(np.float32) for key, array in arrays.items()},
            }  # fmt: skip
    return None


def _find(claims: Any, name: str) -> dict[str, Any] | None:
    """Return the claim of this name in a file of results."""
    listed = claims.get("claims", claims) if isinstance(claims, dict) else claims
    if isinstance(listed, dict):
        return listed.get(name)
    return next((claim for claim in listed if claim.get("name") == name), None)


def _best(scores: np.ndarray | None, classes: tuple[str, ...]) -> list[list[Any]]:
    """Return the likeliest classes and their probabilities."""
    if scores is None:
        return []
    probability = np.exp(scores.astype(np.float64) - scores.max())
    probability /= probability.sum()
    return [[classes[k], float(probability[k])] for k in np.argsort(-probability)[:N_BEST]]


def _some(maps: np.ndarray) -> np.ndarray:
    """Return the first maps of a layer as uint8, 128 being zero and the layer's largest magnitude an end."""
    n = min(MOST_MAPS, max(8, MOST_PIXELS // maps[0].size))
    scale = 127 / max(float(np.abs(maps).max()), 1e-9)
    return (128 + scale * maps[:n]).round().astype(np.uint8)


def _rgb(picture: np.ndarray) -> np.ndarray:
    """Return (3, height, width) in [0, 1] as uint8 (1, height, width, 3), thinned to what is drawn."""
    every = max(1, picture.shape[1] // 128 + (picture.shape[1] > 128))
    return (255 * picture[:, ::every, ::every]).round().astype(np.uint8).transpose(1, 2, 0)[None].copy()


def _smoothed(losses: np.ndarray) -> np.ndarray:
    """Return rows (step, mean loss of the steps around it), float32."""
    if not len(losses):
        return np.zeros((0, 2), np.float32)
    sums = np.concatenate([[0.0], np.cumsum(losses, dtype=np.float64)])
    ends = np.arange(1, len(losses) + 1)
    means = (sums[ends] - sums[np.maximum(ends - N_MEAN, 0)]) / np.minimum(ends, N_MEAN)
    return np.column_stack([ends, means])[:: max(1, len(losses) // MOST_POINTS)].astype(np.float32)
