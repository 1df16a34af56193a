"""The networks that can be looked through with a photo: one that comes trained, AlexNet untrained, a visitor's own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from glassnet.errors import InvalidInputError
from glassnet.networks.resnet import ResNet

TRAINED = "resnet20-cifar10"
MOST_STATIONS = 14
# what torchvision's checkpoints were trained on: each colour less its mean, over its spread
_MEAN, _SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_offered: list[ShownNetwork] = []


@dataclass(frozen=True, eq=False)
class ShownNetwork:
    """A network of pictures.

    Parameters
    ----------
    name : str
    module : Module
        In evaluation mode, from pictures (batch, 3, height, width) to maps or logits.
    size : (int, int)
        Height and width of its pictures.
    classes : tuple of str
        Empty where its answers mean nothing.
    n_parameters : int
    script : str
        Lines that define ``module``.
    standardized : bool
        Whether each colour is taken less ImageNet's mean and over its spread.
    """

    name: str
    module: nn.Module
    size: tuple[int, int]
    classes: tuple[str, ...]
    n_parameters: int
    script: str
    standardized: bool = False

    def input(self, picture: np.ndarray) -> torch.Tensor:
        """Return what goes in for a picture (3, height, width) in [0, 1]."""
        x = torch.from_numpy(picture)[None]
        if self.standardized:
            mean, spread = (torch.tensor(values)[:, None, None] for values in (_MEAN, _SPREAD))
            x = (x - mean) / spread
        return x

    def stations(self) -> list[str]:
        """Return the addresses whose maps are shown: a ResNet's blocks, or else what rectifies and pools."""
        if isinstance(self.module, ResNet):
            stages = [(name, part) for name, part in self.module.named_children() if name.startswith("layer")]
            return ["relu", *(f"{name}.{block}" for name, part in stages for block, _ in part.named_children())]
        parts = dict(self.module.named_modules())
        kinds: Any = (nn.ReLU, nn.MaxPool2d, nn.AvgPool2d)
        return [name for name, part in parts.items() if isinstance(part, kinds)] or [
            name for name, part in parts.items() if isinstance(part, nn.Conv2d)
        ]


def offer(given: str | Path) -> None:
    """Offer a visitor's own network to the lab that is about to start.

    Parameters
    ----------
    given : str or Path
        A run folder of `glassnet train --out`, the name of a trained network, or NAME=FILE: a checkpoint
        of a network of `glassnet.registry.MODULES` with torchvision's names.

    Raises
    ------
    InvalidInputError, UnknownNameError, RunFolderError
        If it is neither, or takes no colour pictures.
    """
    name, _, file = str(given).partition("=")
    _offered[:] = [_checkpoint(name, Path(file)) if file else _run(Path(given))]


def shown_network(name: str) -> ShownNetwork:
    """Return a network by name: "resnet20", "alexnet" or "own".

    Raises
    ------
    InvalidInputError
        If there is no own one.
    """
    if name == "own":
        if not _offered:
            raise InvalidInputError(
                "No network of your own is here. Start the lab with: glassnet lab --network RUN, a run folder of "
                "glassnet train --out; or --network resnet18=CHECKPOINT.pth."
            )
        return _offered[0]
    return _resnet20() if name == "resnet20" else _alexnet()


@lru_cache(maxsize=1)
def _resnet20() -> ShownNetwork:
    from glassnet.training.trained import WEIGHTS_FOLDER

    script = f'from glassnet import load_trained\n\nmodule = load_trained("{TRAINED}").module_'
    return _of_run(WEIGHTS_FOLDER / TRAINED, "ResNet-20", script)


def _run(given: Path) -> ShownNetwork:
    from glassnet.training.trained import find_run

    folder = find_run(given)
    script = f'from glassnet.training.run_folder import load_run\n\nmodule = load_run("{folder}").module_'
    return _of_run(folder, folder.name, script)


def _of_run(folder: Path, name: str, script: str) -> ShownNetwork:
    from glassnet.training.run_folder import load_run, read_config

    about, estimator = read_config(folder)["metadata"], load_run(folder)
    shape = tuple(getattr(estimator, "image_shape_", None) or ())
    if len(shape) != 3 or shape[0] != 3 or not hasattr(estimator, "classes_"):
        raise InvalidInputError(f"{folder} holds no classifier of colour pictures.")
    module, names = estimator.module_.eval(), about.get("target_names") or [str(k) for k in estimator.classes_]
    classes = tuple(str(names[k]) if isinstance(k, int) else str(k) for k in estimator.classes_.tolist())
    return ShownNetwork(name, module, shape[1:], classes, _count(module), script)


def _checkpoint(name: str, file: Path) -> ShownNetwork:
    from glassnet.registry import MODULES, resolve
    from glassnet.training.weight_files import load_weights

    options: dict[str, Any] = {"variant": "torchvision"} if name == "alexnet" else {}
    module = resolve(MODULES, "network", name)(n_classes=1000, **options).eval()
    load_weights(module, file)
    script = (
        "from glassnet.registry import MODULES, resolve\nfrom glassnet.training.weight_files import load_weights\n\n"
        f'module = resolve(MODULES, "network", "{name}")(n_classes=1000, **{options}).eval()\n'
        f'load_weights(module, "{file}")'
    )
    classes = tuple(f"class {k}" for k in range(1000))
    return ShownNetwork(f"{name}, {file.name}", module, (224, 224), classes, _count(module), script, standardized=True)


@lru_cache(maxsize=1)
def _alexnet() -> ShownNetwork:
    module, n_parameters = untrained_alexnet()
    script = "from glassnet.lab.shown_networks import untrained_alexnet\n\nmodule, n_parameters = untrained_alexnet()"
    return ShownNetwork("AlexNet, untrained", module, (227, 227), (), n_parameters, script)


def untrained_alexnet(seed: int = 0) -> tuple[nn.Module, int]:
    """Return AlexNet with initial weights up to its last maps, and how many parameters the whole network has.

    The fully connected layers, 58 million of them, are left out: nobody has trained them.
    """
    from glassnet import AlexNet
    from glassnet.learning.dropout import global_stream

    with torch.device("meta"):
        net = AlexNet("2012")
    net.features.to_empty(device="cpu")
    with global_stream(seed, "weights"):
        net.reset_parameters()
    n_parameters, net.classifier = _count(net), nn.Sequential()
    return net.eval(), n_parameters


def _count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())
