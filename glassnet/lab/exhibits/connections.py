"""Connections: the same layer full, local and with shared weights, three networks in training side by side.

Digits of 8 x 8 pixels go through one hidden layer to ten classes. In the full form every unit
sees all pixels; in the local form a patch of them, each unit its own weights; in the shared form
all units of a channel have the same weights, which is a convolution.

References
----------
Y. LeCun (1989). Generalization and network design strategies: the comparison of these forms.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from glassnet.lab.exhibit import Exhibit, Frame, Settings
from glassnet.learning.spec import Layer, receptive_fields

if TYPE_CHECKING:
    from glassnet.lab.recording import Together

SIDE = 8
N_INPUTS = SIDE * SIDE
FORMS = ("full", "local", "shared")
BATCH = 50
MOST_UNITS = 4 * 49  # four channels of the smallest patches


class ConnectionsSettings(Settings):
    """What a visitor can change."""

    field: int = Field(3, ge=2, le=5)
    channels: int = Field(2, ge=1, le=4)
    activation: Literal["tanh", "relu", "sigmoid"] = "relu"
    learning_rate: float = Field(0.01, gt=0, le=1, json_schema_extra={"choices": [0.001, 0.003, 0.01, 0.03]})
    seed: int = Field(0, ge=0, le=2**31 - 1)
    unit: int = Field(1, ge=1, le=MOST_UNITS)
    sample: int = Field(1, ge=1, le=100)

    @property
    def places(self) -> int:
        """In how many places a patch fits."""
        return (SIDE - self.field + 1) ** 2

    def layer(self, form: str) -> Layer:
        """Return the hidden layer in one of `FORMS`."""
        units = self.channels * self.places
        if form == "full":
            return Layer(units)
        return Layer(
            units, receptive_field=(self.field, self.field), input_shape=(SIDE, SIDE), share_weights=form == "shared"
        )


class ConnectionsExhibit(Exhibit):
    """Three networks that differ in the connections of their hidden layer.

    Examples
    --------
    >>> frame = ConnectionsExhibit(ConnectionsSettings(channels=1)).frame()
    >>> [form["layer"] for form in frame.values["forms"]]
    [2340, 360, 10]
    """

    Settings = ConnectionsSettings
    views = frozenset({"unit", "sample"})
    export = "replay"

    settings: ConnectionsSettings
    history: Together

    def __init__(self, settings: ConnectionsSettings):
        from glassnet.data import load
        from glassnet.lab.recording import Curve, Together

        super().__init__(settings)
        self.data = load("digits")
        self.networks = [self._network(form) for form in FORMS]
        states = [network.initialize(self.data.X_train, self.data.y_train) for network in self.networks]
        self.history = Together(states)
        self._curve = Curve(width=len(FORMS))

    def _network(self, form: str) -> Any:
        from glassnet import MLPClassifier

        return MLPClassifier(
            (self.settings.layer(form),), self.settings.activation, batch_size=BATCH, alpha=0.0,
            learning_rate_init=self.settings.learning_rate, random_state=self.settings.seed, engine="formula",
        )  # fmt: skip

    @property
    def _unit(self) -> int:
        """Which unit is looked at, from 0."""
        return min(self.settings.unit, self.settings.channels * self.settings.places) - 1

    def scene(self) -> Frame:
        """Return the digit that goes in."""
        digit = self.data.X_test[self.settings.sample - 1]
        picture = (255 * digit / max(digit.max(), 1e-9)).astype(np.uint8).reshape(SIDE, SIDE)
        return Frame({"label": int(self.data.y_test[self.settings.sample - 1])}, {"digit": picture})

    def frame(self) -> Frame:
        """Return of every form its numbers, its weight matrix and the weights of the unit looked at."""
        data, digit = self.data, self.data.X_test[self.settings.sample - 1 : self.settings.sample]
        matrices = [weight_matrix(network) for network in self.networks]
        errors = [float(np.mean(network.predict(data.X_test) != data.y_test)) for network in self.networks]
        self._curve.add(self.history.step, *errors)
        forms = [
            {
                "layer": sum(int(np.prod(shape)) for shape in network.spec_.shapes[0].values()),
                "all": network.spec_.n_parameters,
                "testError": error,
                "activation": float(network.activations(digit)[0][0, self._unit]),
                "nonzero": int(np.count_nonzero(matrix)),
            }
            for network, matrix, error in zip(self.networks, matrices, errors, strict=True)
        ]
        return Frame(
            {"forms": forms, "unit": self._unit + 1, "units": len(matrices[0])},
            {
                "matrices": np.stack([_to_uint8(matrix) for matrix in matrices]),
                "unitWeights": np.stack([matrix[self._unit] for matrix in matrices]).astype(np.float32),
                "curve": self._curve.points,
            },
        )

    def python(self) -> str:
        """Return the three runs as a script that prints parameters, test errors and the unit's activation."""
        s = self.settings
        return _SCRIPT.format(
            s=s, places=s.places, batch=BATCH, step=self.history.step, unit=self._unit, sample=s.sample - 1
        )


def weight_matrix(network: Any) -> np.ndarray:
    """Return the hidden layer's weights as one matrix, (units, inputs), with zeros where nothing is connected.

    Examples
    --------
    >>> exhibit = ConnectionsExhibit(ConnectionsSettings(channels=1))
    >>> [int(np.count_nonzero(weight_matrix(network))) for network in exhibit.networks]
    [2304, 324, 324]
    """
    layer, n_in = network.spec_.layers[0], network.spec_.n_features
    weight = network.spec_.named(network.state_.arrays["parameters"])[0]["weight"]
    if layer.receptive_field is None:
        return weight.copy()
    fields = receptive_fields(layer, n_in)
    matrix, channels = np.zeros((layer.units, n_in), weight.dtype), layer.units // len(fields)
    own = np.repeat(weight, len(fields), axis=0) if layer.share_weights else weight
    np.put_along_axis(matrix, np.tile(fields, (channels, 1)), own, axis=1)
    return matrix


def _to_uint8(matrix: np.ndarray) -> np.ndarray:
    """Map the weights to 0..255 by their largest absolute value; 0 is in the middle."""
    scaled = matrix / max(float(np.abs(matrix).max()), 1e-9)
    return (scaled * 127.5 + 127.5).round().astype(np.uint8)


_SCRIPT = """\
import numpy as np

from glassnet import Layer, MLPClassifier, advance
from glassnet.data import load

digits = load("digits")
units = {s.channels} * {places}
local = {{"receptive_field": ({s.field}, {s.field}), "input_shape": (8, 8)}}
layers = {{"full": Layer(units), "local": Layer(units, **local), "shared": Layer(units, **local, share_weights=True)}}
for name, layer in layers.items():
    net = MLPClassifier(
        (layer,), "{s.activation}", batch_size={batch}, alpha=0.0, learning_rate_init={s.learning_rate},
        random_state={s.seed}, engine="formula",
    )
    advance(net.initialize(digits.X_train, digits.y_train), {step})
    n = sum(int(np.prod(shape)) for shape in net.spec_.shapes[0].values())
    print(f"{{name}}: parameters of the layer {{n}}, of the network {{net.spec_.n_parameters}}")
    print(f"test error {{np.mean(net.predict(digits.X_test) != digits.y_test):.1%}}")
    h = net.activations(digits.X_test[{sample}][None])[0][0, {unit}]
    print(f"activation of the unit {{h:.3f}}")
"""
