"""Activation functions: value, derivative, saturation, and what they do to a gradient.

Above, one function with its slope. Below, real networks of many layers on the digits, each
before its first step: the gradient of the loss is sent back, and its length is told for
every hidden layer, relative to the last one.

References
----------
S. Hochreiter (1991). Untersuchungen zu dynamischen neuronalen Netzen.
X. Glorot, Y. Bengio (2010). Understanding the difficulty of training deep feedforward
neural networks.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

import numpy as np
from pydantic import Field

from glassnet.lab.exhibit import Exhibit, Frame, Settings

NAMES = ("identity", "sigmoid", "tanh", "relu", "leaky_relu")  # those that can be trained
REACH = 6.0  # of z
N_CURVE = 241
WIDTH, N_SAMPLES = 64, 200
FLAT = 0.05  # a unit whose slope is below is called saturated


class ActivationsSettings(Settings):
    """What a visitor can change."""

    activation: Literal["identity", "step", "sigmoid", "tanh", "relu", "leaky_relu"] = "sigmoid"
    z: float = Field(1.0, ge=-REACH, le=REACH)
    depth: int = Field(10, ge=2, le=30)
    init: Literal["fitted", "old"] = "fitted"
    gain: float = Field(1.0, ge=0.1, le=3)
    seed: int = Field(0, ge=0, le=2**31 - 1)


class ActivationsExhibit(Exhibit):
    """Activation functions, and gradients sent back through layers of them.

    Examples
    --------
    >>> exhibit = ActivationsExhibit(ActivationsSettings(activation="sigmoid", z=0, depth=4))
    >>> exhibit.frame().values["value"], exhibit.frame().values["derivative"]
    (0.5, 0.25)
    """

    Settings = ActivationsSettings
    views = frozenset({"z"})

    settings: ActivationsSettings

    def __init__(self, settings: ActivationsSettings):
        from glassnet.learning.activations import get_activation

        super().__init__(settings)
        self._function = get_activation(settings.activation)
        nets = {name: _network(settings, name) for name in NAMES}
        self._norms = np.array([gradient_norms(net) for net in nets.values()])
        chosen = nets.get(settings.activation)
        self._saturated = np.ones(settings.depth) if chosen is None else saturated_shares(chosen)

    def scene(self) -> Frame:
        """Return the curve, rows (z, value, derivative), and for every layer the gradients and saturated units."""
        z = np.linspace(-REACH, REACH, N_CURVE)
        curve = np.column_stack([z, self._function.value(z), self._function.derivative(z)])
        relative = self._norms / self._norms[:, -1:]
        return Frame(
            {
                "names": NAMES,
                "saturates": [value if np.isfinite(value) else None for value in self._function.saturates],
                "trainable": self._function.trainable,
                "ratios": dict(zip(NAMES, relative[:, 0].tolist(), strict=True)),
            },
            {
                "curve": curve.astype(np.float32),
                "gradients": np.log10(np.maximum(relative, 1e-30)).astype(np.float32),
                "saturated": self._saturated.astype(np.float32),
            },
        )

    def frame(self) -> Frame:
        """Return value and derivative at z, and the derivative to the power of the depth."""
        z = np.array([self.settings.z])
        value, derivative = float(self._function.value(z)[0]), float(self._function.derivative(z)[0])
        return Frame({"value": value, "derivative": derivative, "product": derivative**self.settings.depth})

    def python(self) -> str:
        """Return the numbers as a script."""
        settings = self.settings
        scale = "" if settings.init == "fitted" and settings.gain == 1 else _SCALE[settings.init] + "\n"
        backward = _BACKWARD.format(
            depth=settings.depth, width=WIDTH, seed=settings.seed, samples=N_SAMPLES, name=settings.activation,
            scale=scale.format(gain=settings.gain), flat=FLAT,
        )  # fmt: skip
        forward = _FORWARD.format(name=settings.activation, z=settings.z, depth=settings.depth)
        return forward + (backward if self._function.trainable else "")


@cache
def _digits() -> tuple[np.ndarray, np.ndarray]:
    from glassnet.data import load

    data = load("digits")
    return data.X_train, data.y_train


def _network(settings: ActivationsSettings, name: str) -> Any:
    """Return a network before its first step."""
    from glassnet import MLPClassifier

    net = MLPClassifier(
        (WIDTH,) * settings.depth, name, engine="formula", precision="float64", random_state=settings.seed
    )
    net.initialize(*_digits())
    for weight in net.coefs_:
        if settings.init == "old":  # from Glorot's or He's spread to that of uniform weights within 1 / sqrt(n_in)
            weight *= 1 / np.sqrt(3 * len(weight)) / weight.std()
        weight *= settings.gain
    return net


def gradient_norms(net: Any) -> np.ndarray:
    """Return the length of the gradient with respect to each hidden layer's biases, dL/dz summed over samples.

    Examples
    --------
    >>> gradient_norms(_network(ActivationsSettings(depth=3), "tanh")).shape
    (3,)
    """
    _, gradient = net.state_.engine.gradient(net.state_.arrays, np.arange(N_SAMPLES))
    return np.array([np.linalg.norm(bias) for _, bias in net.spec_.views(gradient)[:-1]])


def saturated_shares(net: Any) -> np.ndarray:
    """Return for each hidden layer the share of activations whose slope is below `FLAT`."""
    from glassnet.learning.activations import get_activation

    slope = get_activation(net.activation).derivative
    X = _digits()[0][:N_SAMPLES]
    below = [X, *net.activations(X)[:-2]]
    layers = zip(below, net.coefs_, net.intercepts_, strict=False)
    return np.array([(slope(x @ weight + bias) < FLAT).mean() for x, weight, bias in layers])


_FORWARD = """\
import numpy as np

from glassnet import MLPClassifier
from glassnet.data import load
from glassnet.learning.activations import get_activation

function = get_activation("{name}")
z = np.array([{z}])
print(f"value {{function.value(z)[0]:.4f}}")
print(f"derivative {{function.derivative(z)[0]:.4f}}")
print(f"derivative ** {depth} = {{function.derivative(z)[0] ** {depth}:.2e}}")
"""
_SCALE = {
    "fitted": "for weight in net.coefs_:\n    weight *= {gain}",
    "old": "for weight in net.coefs_:\n    weight *= {gain} / np.sqrt(3 * len(weight)) / weight.std()",
}
_BACKWARD = """
data = load("digits")
net = MLPClassifier(({width},) * {depth}, "{name}", engine="formula", precision="float64", random_state={seed})
state = net.initialize(data.X_train, data.y_train)
{scale}_, gradient = state.engine.gradient(state.arrays, np.arange({samples}))
norms = [np.linalg.norm(bias) for _, bias in net.spec_.views(gradient)[:-1]]
print(f"first layer's gradient / last one's {{norms[0] / norms[-1]:.2e}}")
X = data.X_train[:{samples}]
slopes = function.derivative(net.activations(X)[-3] @ net.coefs_[-2] + net.intercepts_[-2])
print(f"saturated in the last hidden layer {{(slopes < {flat}).mean():.1%}}")
"""
