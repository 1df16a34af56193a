"""Any function: bumps of steep sigmoids follow a drawn curve, and width races depth.

Two rooms. Built: one hidden layer of sigmoid units whose weights are written down; two
steep units make a bump, and bumps side by side follow any curve. Trained: a wide network
of one hidden layer and a deep one learn the same curve side by side.

References
----------
G. Cybenko (1989). Approximation by superpositions of a sigmoidal function.
K. Hornik, M. Stinchcombe, H. White (1989). Multilayer feedforward networks are universal
approximators.
M. Telgarsky (2015). Representation benefits of deep feedforward networks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import Field, model_validator

from glassnet.lab.exhibit import Exhibit, Frame, Settings

if TYPE_CHECKING:
    from glassnet.lab.recording import Together

N_DRAWN = 41  # values of the drawn curve
N_FINE = 401  # places at which curves are compared and drawn
_X = np.linspace(0, 1, N_DRAWN)
SHAPES = {
    "wave": 0.7 * np.sin(2 * np.pi * _X) + 0.25 * np.sin(6 * np.pi * _X),
    "hill": 1.8 * np.exp(-40 * (_X - 0.4) ** 2) - 0.9,
    "sawtooth": 0.8 * (1 - 2 * np.abs((4 * _X) % 2 - 1)),
}


class AnyFunctionSettings(Settings):
    """What a visitor can change."""

    mode: Literal["built", "learned"] = "built"
    shape: Literal["wave", "hill", "sawtooth", "own"] = "wave"
    curve: tuple[Annotated[float, Field(ge=-1, le=1)], ...] = Field((), max_length=N_DRAWN)
    bumps: int = Field(8, ge=1, le=60)
    steepness: float = Field(20.0, ge=1, le=100)
    width: int = Field(24, ge=1, le=64)
    layers: int = Field(3, ge=2, le=6)
    units: int = Field(5, ge=1, le=12)
    activation: Literal["tanh", "relu", "sigmoid"] = "tanh"
    learning_rate: float = Field(0.01, gt=0, le=1, json_schema_extra={"choices": [0.001, 0.003, 0.01, 0.03, 0.1]})
    seed: int = Field(0, ge=0, le=2**31 - 1)

    @model_validator(mode="after")
    def _is_drawn(self) -> AnyFunctionSettings:
        if self.shape == "own" and len(self.curve) != N_DRAWN:
            raise ValueError(f"A drawn curve has {N_DRAWN} values, got {len(self.curve)}.")
        return self

    def values(self) -> np.ndarray:
        """Return the curve's values at `N_DRAWN` places from 0 to 1."""
        return np.array(self.curve) if self.shape == "own" else SHAPES[self.shape].round(3)

    def target(self, x: np.ndarray) -> np.ndarray:
        """Return the curve at places x, straight between its values."""
        return np.interp(x, _X, self.values())


class AnyFunctionExhibit(Exhibit):
    """A network that follows a curve.

    Examples
    --------
    >>> few, many = (AnyFunctionExhibit(AnyFunctionSettings(bumps=n, steepness=50)) for n in (4, 40))
    >>> many.frame().values["errors"][0] < few.frame().values["errors"][0] / 4
    True
    """

    Settings = AnyFunctionSettings
    export = "replay"

    settings: AnyFunctionSettings
    history: Together | None = None

    def __init__(self, settings: AnyFunctionSettings):
        super().__init__(settings)
        self.x = np.linspace(0, 1, N_FINE)
        self.networks = [built(settings)] if settings.mode == "built" else self._trained()

    def _trained(self) -> list[Any]:
        """Return the wide and the deep network, bound to the drawn values, and record their training."""
        from glassnet import MLPRegressor
        from glassnet.lab.recording import Curve, Together, steady_engine

        settings = self.settings
        sizes = [(settings.width,), (settings.units,) * settings.layers]
        networks = [MLPRegressor(size, engine=steady_engine(), **_options(settings)) for size in sizes]
        states = [network.initialize(_inputs(_X), settings.values()) for network in networks]
        self.history = Together(states)
        self._curve = Curve(width=2)
        return networks

    def scene(self) -> Frame:
        """Return the curve at `N_FINE` places, and how large the networks are."""
        sizes = [int(network.spec_.n_parameters) for network in self.networks]
        values = {"parameters": sizes, "drawn": self.settings.values().tolist()}
        return Frame(values, {"target": self.settings.target(self.x).astype(np.float32), "bumps": self._bumps()})

    def _bumps(self) -> np.ndarray:
        """Return each bump alone, (n, N_FINE): the part of the output that its two units make."""
        if self.settings.mode == "learned":
            return np.zeros((0, N_FINE), np.float32)
        (net,) = self.networks
        parts = net.activations(self.x[:, None])[0] * net.coefs_[1][:, 0]
        return np.ascontiguousarray((parts[:, ::2] + parts[:, 1::2]).T, np.float32)

    def frame(self) -> Frame:
        """Return what the networks compute, and their largest and mean squared errors."""
        X = self.x[:, None] if self.settings.mode == "built" else _inputs(self.x)
        outputs = np.array([network.predict(X) for network in self.networks])
        errors = outputs - self.settings.target(self.x)
        arrays = {"outputs": outputs.astype(np.float32)}
        squares = (errors**2).mean(axis=1)
        if self.history is not None:
            self._curve.add(self.history.step, *squares)
            arrays["curve"] = self._curve.points
        return Frame({"errors": np.abs(errors).max(axis=1).tolist(), "squares": squares.tolist()}, arrays)

    def python(self) -> str:
        """Return the networks as a script that prints their errors."""
        settings = self.settings
        values = settings.values().tolist()
        if settings.mode == "built":
            return _BUILT.format(values=values, bumps=settings.bumps, steepness=settings.steepness)
        assert self.history is not None
        options = _options(settings) | {"engine": self.networks[0].engine_}
        return _TRAINED.format(
            values=values, sizes=((settings.width,), (settings.units,) * settings.layers), step=self.history.step,
            options=", ".join(f"{name}={value!r}" for name, value in options.items()),
            rows=N_DRAWN,
        )  # fmt: skip


def _inputs(x: np.ndarray) -> np.ndarray:
    """Return x from 0 to 1 as inputs from -1 to 1, (n, 1)."""
    return (2 * x - 1)[:, None]


def _options(settings: AnyFunctionSettings) -> dict[str, Any]:
    return {
        "activation": settings.activation, "solver": "adam", "learning_rate_init": settings.learning_rate,
        "alpha": 0.0, "batch_size": N_DRAWN, "random_state": settings.seed,
    }  # fmt: skip


def built(settings: AnyFunctionSettings) -> Any:
    """Return a network of two sigmoid units a bump: up at its left edge, down at its right one."""
    from glassnet import MLPRegressor

    edges = np.linspace(0, 1, settings.bumps + 1)
    heights = settings.target((edges[1:] + edges[:-1]) / 2)
    edges[0], edges[-1] = -1, 2  # the first bump has begun long before, the last goes on
    slope = settings.steepness * settings.bumps
    net = MLPRegressor((2 * settings.bumps,), "sigmoid", precision="float64", random_state=0)
    net.initialize([[0.0], [1.0]], [0.0, 1.0])
    net.coefs_[0][...] = slope
    net.intercepts_[0][::2], net.intercepts_[0][1::2] = -slope * edges[:-1], -slope * edges[1:]
    net.coefs_[1][::2, 0], net.coefs_[1][1::2, 0] = heights, -heights
    net.intercepts_[1][...] = 0
    return net


_BUILT = """\
import numpy as np

from glassnet import MLPRegressor

values = {values}


def target(x):
    return np.interp(x, np.linspace(0, 1, len(values)), values)


n, slope = {bumps}, {steepness} * {bumps}
edges = np.linspace(0, 1, n + 1)
heights = target((edges[1:] + edges[:-1]) / 2)
edges[0], edges[-1] = -1, 2

net = MLPRegressor((2 * n,), "sigmoid", precision="float64", random_state=0)
net.initialize([[0.0], [1.0]], [0.0, 1.0])
net.coefs_[0][...] = slope
net.intercepts_[0][::2], net.intercepts_[0][1::2] = -slope * edges[:-1], -slope * edges[1:]
net.coefs_[1][::2, 0], net.coefs_[1][1::2, 0] = heights, -heights
net.intercepts_[1][...] = 0

x = np.linspace(0, 1, 401)
error = net.predict(x[:, None]) - target(x)
print(f"largest error {{np.abs(error).max():.4f}}")
print(f"mean squared error {{(error**2).mean():.6f}}")
"""

_TRAINED = """\
import numpy as np

from glassnet import MLPRegressor, advance

values = np.array({values})
drawn, x = np.linspace(0, 1, {rows}), np.linspace(0, 1, 401)

for sizes in {sizes}:
    net = MLPRegressor(sizes, {options})
    advance(net.initialize((2 * drawn - 1)[:, None], values), {step})
    error = net.predict((2 * x - 1)[:, None]) - np.interp(x, drawn, values)
    print(f"largest error {{np.abs(error).max():.4f}}, mean squared error {{(error**2).mean():.6f}}")
"""
