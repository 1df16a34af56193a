"""LeNet-5: a digit of one's own through every layer (1998).

The network comes trained, or learns here from its initial weights. Digit, changes and the
unit looked at are views: they never restart the training.

References
----------
Y. LeCun, L. Bottou, Y. Bengio, P. Haffner (1998). Gradient-based learning applied to
document recognition.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from glassnet.lab.exhibit import Exhibit, Frame, Settings
from glassnet.lab.uploads import SIDE, read_digit

LAYERS = ("c1", "s2", "c3", "s4", "c5", "f6", "output")
GRIDS = {"c5": (1, 10, 12), "f6": (1, 7, 12), "output": (1, 1, 10)}  # how layers of single units are laid out
WINDOW, STRIDE = 32, 4  # of the net when it slides along a strip
N_TEST = 200  # held-out digits that the live net is measured on
RECORD_BYTES = 2_000_000  # of a visitor's record: four moments of this network
RATES: Any = {"choices": (0.001, 0.005, 0.02, 0.05, 0.2, 1)}  # the usual ones; any within the bounds is allowed
WARPS = ("right", "down", "scale", "rotation", "squeeze", "thicken", "blur")


class LeNetSettings(Settings):
    """What a visitor can change."""

    source: Literal["sample", "drawn"] = "sample"
    sample: int = Field(0, ge=0, le=999)
    drawn: str = Field("", max_length=SIDE * SIDE, pattern=rf"^([0-9a-f]{{{SIDE * SIDE}}})?$")
    right: float = Field(0.0, ge=-10, le=10)
    down: float = Field(0.0, ge=-10, le=10)
    scale: float = Field(1.0, ge=0.4, le=1.6)
    rotation: float = Field(0.0, ge=-180, le=180)
    squeeze: float = Field(1.0, ge=0.3, le=1.7)
    thicken: float = Field(0.0, ge=-2, le=3)
    blur: float = Field(0.0, ge=0, le=3)
    strip: str = Field("1998", max_length=8, pattern=r"^[0-9]*$")
    gap: int = Field(28, ge=16, le=40, multiple_of=4)
    look_layer: Literal["c1", "s2", "c3", "s4", "c5", "f6", "output"] = "c1"
    look_map: int = Field(0, ge=0, le=119)
    look_row: int = Field(12, ge=0, le=27)
    look_column: int = Field(14, ge=0, le=27)
    net: Literal["trained", "live"] = "trained"
    learning_rate: float = Field(0.02, gt=0, le=1, json_schema_extra=RATES)
    seed: int = Field(0, ge=0, le=2**31 - 1)

    @property
    def warps(self) -> dict[str, float]:
        """The changes of the picture, by the names of `glassnet.data.warp.warp`."""
        return {name: getattr(self, name) for name in WARPS}


class LeNetExhibit(Exhibit):
    """LeNet-5 in its modern form, on one digit and on a strip of them.

    Examples
    --------
    >>> exhibit = LeNetExhibit(LeNetSettings(strip=""))
    >>> exhibit.frame().arrays["c3"].shape
    (16, 10, 10)
    """

    Settings = LeNetSettings
    views = frozenset(set(LeNetSettings.model_fields) - {"net", "learning_rate", "seed"})
    uploads: ClassVar = {"picture": read_digit}
    export = "replay"

    settings: LeNetSettings

    def __init__(self, settings: LeNetSettings, own: np.ndarray | None = None):
        super().__init__(settings, own)
        self._known: dict[str, tuple[tuple, Any]] = {}
        if own is not None and settings.source == "drawn" and not settings.drawn:
            self.settings = settings.changed({"drawn": _hex(own)})
        if settings.net == "trained":
            from glassnet.training.trained import load_trained

            self.network: Any = load_trained("lenet5-mnist")
        else:
            self._learn()

    def _learn(self) -> None:
        """Start a network from its initial weights, with a record of its training."""
        from glassnet import ModuleClassifier
        from glassnet.lab.recording import Recording

        s, digits = self.settings, _digits()
        self.network = ModuleClassifier(
            "lenet5", image_shape=(SIDE, SIDE), solver="sgd", batch_size=32, learning_rate_init=s.learning_rate,
            random_state=s.seed,
        )  # fmt: skip
        self.history = Recording(self.network.initialize(digits.X_train, digits.y_train), max_bytes=RECORD_BYTES)

    # what is drawn

    def picture(self) -> np.ndarray:
        """Return the digit that goes in, after its changes: float32 of shape (28, 28) in [0, 1]."""
        from glassnet.data.warp import warp

        s = self.settings
        plain = _digits().X_test[s.sample].reshape(SIDE, SIDE) if s.source == "sample" else _pixels(s.drawn)
        return warp(plain, **s.warps)

    def scene(self) -> Frame:
        """Return a digit of each kind to choose from."""
        digits = _digits()
        first = [int(np.flatnonzero(digits.y_test == digit)[0]) for digit in range(10)]
        pictures = digits.X_test[first].reshape(-1, SIDE, SIDE)
        return Frame({"samples": first}, {"samples": (pictures * 255).astype(np.uint8)})

    def frame(self) -> Frame:
        """Return what every layer makes of the digit, the unit looked at, and the strip as it is read."""
        picture = self.picture()
        layers = _layers(self.network.module_, picture)
        probability = np.exp(layers["output"].ravel() - layers["output"].max())
        probability /= probability.sum()
        unit, parts = self._unit(layers)
        strip, strip_arrays = self._once("strip", (self.settings.strip, self.settings.gap), self._strip)
        maps = {name: _to_uint8(layers[name]) for name in ("picture", *LAYERS)}
        return Frame(
            {
                "digit": int(probability.argmax()),
                "truth": int(_digits().y_test[self.settings.sample]) if self.settings.source == "sample" else None,
                "probability": np.round(probability, 6).tolist(),
                "testError": self._once("test error", (), self._test_error),
                "unit": unit,
                "strip": strip,
            },
            {**maps, **parts, **strip_arrays, "plain": (picture * 255).round().astype(np.uint8)},
        )

    def _once(self, name: str, key: tuple, compute: Callable[[], Any]) -> Any:
        """Compute something anew only where its key or the step is another than before."""
        key = (self.history.step if self.history else 0, *key)
        if self._known.get(name, (None,))[0] != key:
            self._known[name] = (key, compute())
        return self._known[name][1]

    def _test_error(self) -> float | None:
        """Return the share of held-out digits that the live net gets wrong; None for the trained one."""
        if self.history is None:
            return None
        digits = _digits()
        return float(np.mean(self.network.predict(digits.X_test[:N_TEST]) != digits.y_test[:N_TEST]))

    def _unit(self, layers: dict[str, np.ndarray]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return one unit's sum in numbers: what it sees, its weights, its bias, and what it gives."""
        s = self.settings
        name, below = s.look_layer, (*("picture",), *LAYERS)[LAYERS.index(s.look_layer)]
        unit, row, column = _inside(layers[name].shape, s.look_map, s.look_row, s.look_column)
        module = getattr(self.network.module_, name)
        output, inputs = float(layers[name][unit, row, column]), layers[below]
        place = {"layer": name, "map": unit, "row": row, "column": column, "below": below, "output": output}
        if name in ("s2", "s4"):
            patch = inputs[unit : unit + 1, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
            return {**place, "z": None, "bias": None}, {"patch": _floats(patch), "kernel": _floats([])}
        index = unit if name in ("c1", "c3") else row * layers[name].shape[2] + column
        kernel, bias = (p.detach().numpy()[index] for p in (module.weight, module.bias))
        if name in ("c1", "c3"):
            patch = inputs[:, row : row + 5, column : column + 5]
        else:
            patch, kernel = inputs, kernel.reshape(inputs.shape)
        z = float(np.sum(patch.astype(float) * kernel) + bias)
        return {**place, "z": z, "bias": float(bias)}, {"patch": _floats(patch), "kernel": _floats(kernel)}

    def _strip(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Let the net slide along a strip of digits."""
        s = self.settings
        if not s.strip:
            return {"read": "", "digits": []}, {"strip": np.zeros((WINDOW, WINDOW), np.uint8), "windows": _floats([])}
        strip = digit_strip(s.strip, s.gap)
        probability = _slide(self.network.module_, strip)
        at_digits = probability[:: s.gap // STRIDE][: len(s.strip)]
        read = "".join(str(digit) for digit in at_digits.argmax(axis=1))
        best = [[int(row.argmax()), round(float(row.max()), 4)] for row in probability]
        return {"read": read, "digits": best}, {
            "strip": (strip * 255).astype(np.uint8),
            "windows": _floats(probability),
        }

    def python(self) -> str:
        """Return a script that prints the numbers on screen."""
        from glassnet.lab.exhibits.lenet_script import script

        return script(self.settings, self.history.step if self.history else None)


@lru_cache(maxsize=1)
def _digits() -> Any:
    from glassnet.data import load

    return load("mnist5k")


def digit_strip(text: str, gap: int) -> np.ndarray:
    """Return a strip with these digits, the n-th of each kind for its n-th appearance.

    Returns
    -------
    ndarray of float32, shape (32, 32 + gap * (len(text) - 1))
        Where digits overlap, the brighter pixel counts.
    """
    digits = _digits()
    strip = np.zeros((WINDOW, WINDOW + gap * (len(text) - 1)), np.float32)
    for i, letter in enumerate(text):
        same = np.flatnonzero(digits.y_test == int(letter))
        place = strip[2:-2, 2 + gap * i : 2 + gap * i + SIDE]
        np.maximum(place, digits.X_test[same[text[:i].count(letter)]].reshape(SIDE, SIDE), out=place)
    return strip


def _slide(module: Any, strip: np.ndarray) -> np.ndarray:
    """Return the probabilities of every window along a strip, (n_windows, 10)."""
    import torch

    with torch.no_grad():
        return module.slide(torch.from_numpy(strip)[None, None])[0, 0].softmax(-1).numpy()


def _layers(module: Any, picture: np.ndarray) -> dict[str, np.ndarray]:
    """Return the activations of every layer as maps (maps, rows, columns), the padded picture first."""
    import torch

    from glassnet import trace

    seen = trace(module, torch.from_numpy(picture)[None, None])
    values = {name: seen[name].numpy()[0] for name in LAYERS}
    for name in ("c1", "c3", "c5", "f6"):
        values[name] = np.maximum(values[name], 0)
    maps = {name: values[name].reshape(GRIDS.get(name, values[name].shape)) for name in LAYERS}
    return {"picture": np.pad(picture, 2)[None], **maps}


def _inside(shape: tuple[int, ...], *place: int) -> tuple[int, ...]:
    return tuple(min(index, size - 1) for index, size in zip(place, shape, strict=True))


def _floats(values: Any) -> np.ndarray:
    return np.ascontiguousarray(values, np.float32)


def _to_uint8(values: np.ndarray) -> np.ndarray:
    """Map a layer to 0..255, 128 being zero and its largest magnitude an end."""
    return (values / max(float(np.abs(values).max()), 1e-9) * 127 + 128).round().astype(np.uint8)


def _hex(digit: np.ndarray) -> str:
    """Write a digit of uint8 with one letter for each pixel, 0 to f."""
    return "".join(f"{pixel // 16:x}" for pixel in digit.ravel().tolist())


def _pixels(letters: str) -> np.ndarray:
    """Read what `_hex` wrote; nothing is an empty picture."""
    values = [int(letter, 16) / 15 for letter in letters] or [0.0] * SIDE * SIDE
    return np.array(values, np.float32).reshape(SIDE, SIDE)
