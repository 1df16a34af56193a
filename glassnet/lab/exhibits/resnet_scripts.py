"""The exhibit of AlexNet and ResNet, written out as Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from glassnet.lab.exhibits.resnet import ResNetSettings
    from glassnet.lab.shown_networks import ShownNetwork

_PHOTOS = {
    "own": ("read_photo", 'read_photo(open("photo.jpg", "rb").read())  # the file that was opened on the page'),
    "cifar": ("cifar_photos", "cifar_photos()[{s.cifar_class}]"),
    "flower": ("sample_photo", 'sample_photo("flower")'),
    "china": ("sample_photo", 'sample_photo("china")'),
}
_PHOTO = """\
import torch

from glassnet import trace
from glassnet.lab.photos import {names}
{module}

x = torch.from_numpy(fit_photo({photo}, {size}))[None]
"""
_STANDARDIZED = """\
mean, spread = torch.tensor((0.485, 0.456, 0.406)), torch.tensor((0.229, 0.224, 0.225))
x = (x - mean[:, None, None]) / spread[:, None, None]
"""
_ANSWER = """\
classes = {classes}
with torch.no_grad():
    probability = module(x)[0].double().softmax(0)
for k in probability.argsort(descending=True)[:{n}].tolist():
    print(f"{{classes[k]}}: {{probability[k]:.4f}}")
"""
_UNIT = """\
seen = trace(module, x, layers=["{name}"])
print(f"output {{seen['{name}'].numpy()[0, {k}, {row}, {column}]:.4f}}")
"""
_BLOCK = """\
block = module.get_submodule("{name}")
below = trace(module, x, layers=["{below}"])["{below}"].tensor
with torch.no_grad():
    shortcut = below if block.downsample is None else block.downsample(below)
    branch = block.branch(below)
print(f"shortcut {{shortcut[0, {k}, {row}, {column}].item():.4f}}")
print(f"branch {{branch[0, {k}, {row}, {column}].item():.4f}}")
"""
_DEPTH = """\
import numpy as np

from glassnet import ModuleClassifier, advance
from glassnet.data import load
from glassnet.networks.resnet import narrow_resnet

digits = load("digits")
for residual in (False, True):
    for depth in ({s.shallow}, {s.deep}):
        net = ModuleClassifier(
            narrow_resnet, module_options={{"depth": depth, "width": {s.maps}, "residual": residual}},
            image_shape=(8, 8), solver="sgd", batch_size=32, learning_rate_init={s.learning_rate!r},
            random_state={s.seed},
        )
        state = net.initialize(digits.X_train.astype(np.float32), digits.y_train)
        losses = advance(state, {step})
        size = state.arrays["parameters"].size
        print("residual" if residual else "plain", f"{{depth}} layers, {{size}} parameters")
"""


def photo(settings: ResNetSettings, network: ShownNetwork, layers: list[str], place: tuple[int, int, int, int]) -> str:
    """Return the script of the photo; ``place`` is the number looked at, in one of ``layers``."""
    name, text = _PHOTOS[settings.picture]
    module = network.script if network.script.startswith("from") else f"\n{network.script}"
    script = _PHOTO.format(
        names=", ".join(sorted({"fit_photo", name})), module=module, photo=text.format(s=settings), size=network.size
    )
    script += _STANDARDIZED if network.standardized else ""
    script += _ANSWER.format(classes=network.classes, n=5) if network.classes else 'print("untrained: no answer")\n'
    layer, k, row, column = place
    where = {"name": layers[layer], "below": layers[layer - 1], "k": k, "row": row, "column": column}
    script += _UNIT.format(**where)
    is_block = layer > 0 and getattr(network.module.get_submodule(layers[layer]), "residual", False)
    return script + (_BLOCK.format(**where) if is_block else "")


def depth(settings: ResNetSettings, step: int) -> str:
    """Return the script of the race."""
    script = _DEPTH.format(s=settings, step=step)
    return script + ('        print(f"loss {losses[-20:].mean():.4f}")\n' if step else "")
