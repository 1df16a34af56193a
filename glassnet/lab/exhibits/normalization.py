"""Normalization: what it does to the values of a layer, of a unit, a sample or a group.

Digits go through one normalized hidden layer to ten classes. A batch of fifty is shown before and
after, with the slice that is normalized together: a unit over the batch, all units of a sample, or
a group of a sample's units; with batch normalization also the running statistics, which take the
batch's place in prediction. Mean and scale of the inputs can be changed, to see what is left of it.

References
----------
S. Ioffe, C. Szegedy (2015). Batch normalization.
J. L. Ba, J. R. Kiros, G. E. Hinton (2016). Layer normalization.
Y. Wu, K. He (2018). Group normalization.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from pydantic import Field

from glassnet.lab.exhibit import Exhibit, Frame, Settings
from glassnet.learning import forward
from glassnet.learning.spec import Layer

N_UNITS, N_BATCH, N_GROUPS, N_BINS = 8, 50, 2, 21


class NormalizationSettings(Settings):
    """What a visitor can change."""

    norm: Literal["none", "batch", "layer", "group"] = "batch"
    input_scale: float = Field(1.0, ge=0.1, le=10)
    input_offset: float = Field(0.0, ge=-5, le=5)
    activation: Literal["tanh", "relu", "sigmoid"] = "tanh"
    learning_rate: float = Field(0.1, gt=0, le=10, json_schema_extra={"choices": [0.01, 0.03, 0.1, 0.3, 1, 3]})
    seed: int = Field(0, ge=0, le=2**31 - 1)
    unit: int = Field(1, ge=1, le=N_UNITS)
    sample: int = Field(1, ge=1, le=N_BATCH)

    @property
    def layer(self) -> Layer:
        """The hidden layer."""
        groups = N_GROUPS if self.norm == "group" else 1
        return Layer(N_UNITS, norm=None if self.norm == "none" else self.norm, groups=groups)

    def slice(self) -> tuple[slice, slice]:
        """Return which samples and units are normalized together with the unit and sample looked at."""
        unit, sample = self.unit - 1, self.sample - 1
        if self.norm in ("batch", "none"):
            return slice(None), slice(unit, unit + 1)
        width = N_UNITS // (N_GROUPS if self.norm == "group" else 1)
        start = unit // width * width
        return slice(sample, sample + 1), slice(start, start + width)


class NormalizationExhibit(Exhibit):
    """A network with a normalized layer, and a batch of it before and after.

    Examples
    --------
    >>> frame = NormalizationExhibit(NormalizationSettings(input_offset=5, input_scale=10)).frame()
    >>> round(frame.values["after"]["mean"], 3), round(frame.values["after"]["std"], 3)
    (0.0, 1.0)
    """

    Settings = NormalizationSettings
    views = frozenset({"unit", "sample"})
    export = "replay"

    settings: NormalizationSettings

    def __init__(self, settings: NormalizationSettings):
        from glassnet.data import load
        from glassnet.lab.recording import Recording

        super().__init__(settings)
        data = load("digits")
        self.X, self.y = self._inputs(data.X_train), data.y_train
        self.X_test, self.y_test = self._inputs(data.X_test), data.y_test
        self.network = self._network()
        self.history = Recording(self.network.initialize(self.X, self.y))

    def _inputs(self, X: np.ndarray) -> np.ndarray:
        return (X * self.settings.input_scale + self.settings.input_offset).astype(np.float32)

    def _network(self) -> Any:
        from glassnet import MLPClassifier

        s = self.settings
        return MLPClassifier(
            (s.layer,), s.activation, solver="sgd", momentum=0.0, alpha=0.0, batch_size=N_BATCH,
            learning_rate_init=s.learning_rate, random_state=s.seed, engine="formula",
        )  # fmt: skip

    def frame(self) -> Frame:
        """Return mean and deviation before and after, histograms, the batch's values, the running statistics."""
        z, after, p = self._batch()
        rows, columns = self.settings.slice()
        parts = z[rows, columns].ravel(), after[rows, columns].ravel()
        unit = self.settings.unit - 1
        return Frame(
            {
                "testError": float(np.mean(self.network.predict(self.X_test) != self.y_test)),
                "before": _moments(parts[0]),
                "after": _moments(parts[1]),
                "batch": {"mean": float(z[:, unit].mean()), "variance": float(z[:, unit].var())},
                "running": self._running(unit),
                "learned": {name: float(p[name][unit]) for name in ("scale", "shift") if name in p},
                "slice": [rows.start or 0, rows.stop or N_BATCH, columns.start, columns.stop],
            },
            {
                "z": z.astype(np.float32),
                "normalized": after.astype(np.float32),
                "histogramBefore": _histogram(parts[0]),
                "histogramAfter": _histogram(parts[1]),
            },
        )

    def _batch(self) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
        """Return z of the batch, the same normalized as in a training step, and the layer's parameters."""
        spec = self.network.spec_
        layer, p = spec.layers[0], spec.named(self.network.state_.arrays["parameters"])[0]
        z = forward.pre_activation(layer, p, self.X[:N_BATCH]).astype(float)
        if layer.norm is None:
            return z, z, p
        statistics = (z.mean(0), z.var(0)) if layer.norm == "batch" else None
        return z, forward.normalized(layer, z, statistics), p

    def _running(self, unit: int) -> dict[str, float] | None:
        arrays = self.network.state_.arrays
        if "running_mean" not in arrays:
            return None
        return {"mean": float(arrays["running_mean"][unit]), "variance": float(arrays["running_variance"][unit])}

    def python(self) -> str:
        """Return the run as a script that normalizes by the written formula and prints the page's numbers."""
        assert self.history is not None
        s = self.settings
        rows, columns = s.slice()
        options = (
            "" if s.norm == "none" else f', norm="{s.norm}"' + (f", groups={N_GROUPS}" if s.norm == "group" else "")
        )
        place = f"{rows.start or 0}:{rows.stop or N_BATCH}, {columns.start}:{columns.stop}"
        return _SCRIPT.format(
            s=s, units=N_UNITS, n=N_BATCH, options=options, step=self.history.step, formula=_FORMULAS[s.norm],
            place=place, running=_RUNNING.format(unit=s.unit - 1) if s.norm == "batch" else "",
        )  # fmt: skip


def _moments(values: np.ndarray) -> dict[str, float]:
    mean = float(values.mean())
    return {"mean": mean if abs(mean) > 1e-9 else 0.0, "std": float(values.std())}


def _histogram(values: np.ndarray) -> np.ndarray:
    """Return rows (left edge, right edge, count)."""
    counts, edges = np.histogram(values, N_BINS)
    return np.column_stack([edges[:-1], edges[1:], counts]).astype(np.float32)


_FORMULAS = {
    "none": "after = z",
    "batch": "after = (z - z.mean(0)) / np.sqrt(z.var(0) + 1e-5)",
    "layer": "after = (z - z.mean(1, keepdims=True)) / np.sqrt(z.var(1, keepdims=True) + 1e-5)",
    "group": "groups = z.reshape(len(z), 2, -1)\n"
    "after = (groups - groups.mean(2, keepdims=True)) / np.sqrt(groups.var(2, keepdims=True) + 1e-5)\n"
    "after = after.reshape(z.shape)",
}
_RUNNING = """\
statistics = net.state_.arrays
print(f"running mean {{statistics['running_mean'][{unit}]:.4f}}")
print(f"running variance {{statistics['running_variance'][{unit}]:.4f}}")
"""
_SCRIPT = """\
import numpy as np

from glassnet import Layer, MLPClassifier, advance
from glassnet.data import load

digits = load("digits")
X, X_test = ((part * {s.input_scale} + {s.input_offset}).astype(np.float32) for part in (digits.X_train, digits.X_test))
net = MLPClassifier(
    (Layer({units}{options}),), "{s.activation}", solver="sgd", momentum=0.0, alpha=0.0, batch_size={n},
    learning_rate_init={s.learning_rate}, random_state={s.seed}, engine="formula",
)
advance(net.initialize(X, digits.y_train), {step})
print(f"test error {{np.mean(net.predict(X_test) != digits.y_test):.1%}}")

z = (X[:{n}] @ net.coefs_[0] + net.intercepts_[0]).astype(float)
{formula}
for values in (z[{place}], after[{place}]):
    print(f"mean {{values.mean():.4f}}, standard deviation {{values.std():.4f}}")
{running}"""
