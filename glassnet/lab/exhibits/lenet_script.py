"""The LeNet-5 exhibit, written out as Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from glassnet.lab.exhibits.lenet import LeNetSettings

_TRAINED = """\
from glassnet.training.trained import load_trained

network = load_trained("lenet5-mnist")
"""

_LIVE = """\
from glassnet import ModuleClassifier, advance

network = ModuleClassifier(
    "lenet5", image_shape=(28, 28), solver="sgd", batch_size=32,
    learning_rate_init={s.learning_rate!r}, random_state={s.seed},
)
advance(network.initialize(digits.X_train, digits.y_train), {step})
wrong = network.predict(digits.X_test[:200]) != digits.y_test[:200]
print(f"test error {{wrong.mean():.1%}}")
"""

_SCRIPT = """\
import numpy as np
import torch

from glassnet import trace
from glassnet.data import load
from glassnet.data.warp import warp

digits = load("mnist5k")
{network}
picture = {picture}
picture = warp({warps})
probability = network.predict_proba(picture.reshape(1, -1))[0]
print("digit", probability.argmax())
print(f"probability {{probability.max():.4f}}")

seen = trace(network.module_, torch.from_numpy(picture)[None, None])
values = seen["{s.look_layer}"].numpy()[0]
"""

_STRIP = """
text, gap = "{s.strip}", {s.gap}
strip = np.zeros((32, 32 + gap * (len(text) - 1)), np.float32)
for i, letter in enumerate(text):
    same = np.flatnonzero(digits.y_test == int(letter))
    place = strip[2:-2, 2 + gap * i : 30 + gap * i]
    np.maximum(place, digits.X_test[same[text[:i].count(letter)]].reshape(28, 28), out=place)
scores = network.module_.slide(torch.from_numpy(strip)[None, None])[0, 0]
print("read", *scores[:: gap // 4][: len(text)].argmax(-1).tolist())
"""

_DRAWN = 'np.array([int(letter, 16) / 15 for letter in\n    "{pixels}"], np.float32).reshape(28, 28)'


def script(settings: LeNetSettings, step: int | None) -> str:
    """Return the script; ``step`` is None for the network that comes trained."""
    s = settings
    pixels = _DRAWN.format(pixels=s.drawn or "0" * 784)
    picture = f"digits.X_test[{s.sample}].reshape(28, 28)" if s.source == "sample" else pixels
    neutral = {"scale": 1.0, "squeeze": 1.0}
    changed = [f"{name}={value!r}" for name, value in s.warps.items() if value != neutral.get(name, 0.0)]
    text = _SCRIPT.format(
        s=s,
        network=_TRAINED if step is None else _LIVE.format(s=s, step=step),
        picture=picture,
        warps=", ".join(["picture", *changed]),
    )
    return text + _unit(s) + (_STRIP.format(s=s) if s.strip else "")


def _unit(s: LeNetSettings) -> str:
    """Return the lines that print what the unit looked at gives."""
    layer = s.look_layer
    if layer in ("c1", "s2", "c3", "s4"):
        place = f"min({s.look_map}, values.shape[0] - 1), min({s.look_row}, values.shape[1] - 1)"
        unit = f"values[{place}, min({s.look_column}, values.shape[2] - 1)]"
    else:
        rows, columns = {"c5": (10, 12), "f6": (7, 12), "output": (1, 10)}[layer]
        unit = f"values.ravel()[{min(s.look_row, rows - 1) * columns + min(s.look_column, columns - 1)}]"
    shown = "max(unit, 0)" if layer in ("c1", "c3", "c5", "f6") else "unit"
    return f'unit = {unit}\nprint(f"unit {{{shown}:.4f}}")\n'
