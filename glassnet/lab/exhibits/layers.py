"""Data transformers: the plane carried through every layer of a network in training.

Every layer has two units, so that what it makes of the plane can be drawn as a plane again: a
grid that is bent, with the data on it. The layer that is looked at is shown in four forms, as
wiring graph, as equation, as curves along a line, and as the bent grid itself; and one point and
a batch of three are followed through all of them.

References
----------
C. Olah (2014). Neural networks, manifolds, and topology: layers seen as bent grids.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from pydantic import Field

from glassnet.lab.exhibit import Exhibit, Frame, Settings

HALF = 6.0  # half the side of the square of inputs
N_LINES, N_ALONG = 13, 41  # lines of the grid in each direction, and points along each
N_CURVE = 121
N_DRAWN = 120  # training points that are carried along
MOST_LAYERS = 4
RATES = (0.001, 0.003, 0.01, 0.03, 0.1)
SCALE = 1 / 3  # of the inputs before the first layer, so that they lie within [-2, 2]


class LayersSettings(Settings):
    """What a visitor can change."""

    dataset: Literal["circle", "xor", "gauss", "spiral"] = "xor"
    noise: int = Field(0, ge=0, le=50)  # per cent
    depth: int = Field(3, ge=1, le=MOST_LAYERS)
    activation: Literal["tanh", "relu", "leaky_relu", "sigmoid", "identity"] = "tanh"
    learning_rate: float = Field(0.03, gt=0, le=1, json_schema_extra={"choices": list(RATES)})
    seed: int = Field(3, ge=0, le=2**31 - 1)
    look: int = Field(1, ge=1, le=MOST_LAYERS)
    x1: float = Field(2.0, ge=-HALF, le=HALF)
    x2: float = Field(1.0, ge=-HALF, le=HALF)


class LayersExhibit(Exhibit):
    """A network with two units a layer, and what each layer makes of the plane.

    Examples
    --------
    >>> exhibit = LayersExhibit(LayersSettings(dataset="xor"))
    >>> exhibit.step(1000)
    >>> exhibit.frame().values["error"]
    0.0
    """

    Settings = LayersSettings
    views = frozenset({"look", "x1", "x2"})
    export = "replay"
    parallel = 2

    settings: LayersSettings

    def __init__(self, settings: LayersSettings):
        from glassnet.data import load
        from glassnet.lab.recording import Recording

        super().__init__(settings)
        data = load(settings.dataset, noise=settings.noise / 100, random_state=settings.seed)
        self.X, self.y = (data.X_train * SCALE).astype(np.float32), data.y_train
        self.network = self._network()
        self.history = Recording(self.network.initialize(self.X, self.y))

    def _network(self) -> Any:
        from glassnet import MLPClassifier

        settings = self.settings
        return MLPClassifier(
            (2,) * settings.depth, settings.activation, batch_size=20, learning_rate_init=settings.learning_rate,
            random_state=settings.seed,
        )  # fmt: skip

    def scene(self) -> Frame:
        """Return the classes of the points that are carried along, as -1 and 1."""
        return Frame(
            {"lines": 2 * N_LINES, "along": N_ALONG, "shapes": [[3, 2]] * (self.settings.depth + 1) + [[3, 1]]},
            {"labels": (2 * self.y[:N_DRAWN] - 1).astype(np.float32)},
        )

    def frame(self) -> Frame:
        """Return loss, error, probability; grid, data, point and batch in every layer; curves of the one looked at."""
        error = 1 - self.network.score(self.X, self.y)
        loss = -self.network.predict_log_proba(self.X)[np.arange(len(self.y)), self.y].mean()
        grid, points = self._through(grid_lines()), self._through(self.X[:N_DRAWN])
        batch = self._through(self._batch())
        look = min(self.settings.look, self.settings.depth)
        return Frame(
            {
                "loss": float(loss) if np.isfinite(loss) else None,
                "error": float(error),
                "look": look,
                "probability": float(self.network.predict_proba(self._batch()[:1])[0, 1]),
                "ranges": [_range(part) for part in grid],
            },
            {
                "grid": np.stack(grid),
                "points": np.stack(points),
                "batch": np.stack(batch),
                "before": self._before(),
                "weights": np.stack(self.network.coefs_[:-1]).astype(np.float32),
                "biases": np.stack(self.network.intercepts_[:-1]).astype(np.float32),
                "curves": self._curves(look),
            },
        )

    def _through(self, X: np.ndarray) -> list[np.ndarray]:
        """Return X and what every hidden layer makes of it, each (n, 2) float32."""
        return [X, *(part.astype(np.float32) for part in self.network.activations(X)[:-1])]

    def _batch(self) -> np.ndarray:
        """Return three inputs: the chosen point and the first two training points, (3, 2)."""
        return np.vstack([[self.settings.x1 * SCALE, self.settings.x2 * SCALE], self.X[:2]]).astype(np.float32)

    def _before(self) -> np.ndarray:
        """Return the pre-activations z of the chosen point in every hidden layer, (depth, 2)."""
        inputs = self._through(self._batch()[:1])[:-1]
        pairs = zip(inputs, self.network.coefs_[:-1], self.network.intercepts_[:-1], strict=True)
        return np.concatenate([h @ weight + bias for h, weight, bias in pairs]).astype(np.float32)

    def _curves(self, look: int) -> np.ndarray:
        """Return rows (x1, first unit, second unit) of a layer along the line on which x2 is that of the point."""
        x1 = np.linspace(-HALF, HALF, N_CURVE)
        line = np.column_stack([x1, np.full(N_CURVE, self.settings.x2)]) * SCALE
        return np.column_stack([x1, self._through(line.astype(np.float32))[look]]).astype(np.float32)

    def python(self) -> str:
        """Return the run as a script that prints the loss and follows the point through the layers."""
        assert self.history is not None
        settings = self.settings
        return _SCRIPT.format(
            dataset=settings.dataset, noise=settings.noise / 100, seed=settings.seed, depth=settings.depth,
            activation=settings.activation, rate=settings.learning_rate, engine=self.network.engine_,
            step=self.history.step, x1=settings.x1, x2=settings.x2,
        )  # fmt: skip


def grid_lines() -> np.ndarray:
    """Return the lines of the grid, one after the other, first those with constant x1: (2 n_lines n_along, 2).

    Examples
    --------
    >>> grid_lines().shape
    (1066, 2)
    """
    at, along = np.linspace(-HALF, HALF, N_LINES), np.linspace(-HALF, HALF, N_ALONG)
    fixed, free = np.repeat(at, N_ALONG), np.tile(along, N_LINES)
    return (np.vstack([np.column_stack([fixed, free]), np.column_stack([free, fixed])]) * SCALE).astype(np.float32)


def _range(points: np.ndarray) -> list[float]:
    """Return x0, x1, y0, y1 around points, with a margin."""
    low, high = points.min(axis=0).astype(float), points.max(axis=0).astype(float)
    margin = 0.06 * np.maximum(high - low, 1e-3)
    return np.column_stack([low - margin, high + margin]).ravel().tolist()


_SCRIPT = """\
import numpy as np

from glassnet import MLPClassifier, advance
from glassnet.data import load

data = load("{dataset}", noise={noise}, random_state={seed})
X, y = (data.X_train / 3).astype(np.float32), data.y_train
net = MLPClassifier(
    (2,) * {depth}, "{activation}", batch_size=20, learning_rate_init={rate}, random_state={seed}, engine="{engine}"
)
advance(net.initialize(X, y), {step})

print(f"loss {{-net.predict_log_proba(X)[np.arange(len(y)), y].mean():.4f}}")
print(f"error {{1 - net.score(X, y):.1%}}")
point = np.array([[{x1} / 3, {x2} / 3]], np.float32)
for number, h in enumerate(net.activations(point)[:-1], 1):
    print(f"layer {{number}}: {{h[0, 0]:.3f}} {{h[0, 1]:.3f}}")
print(f"probability of class 1: {{net.predict_proba(point)[0, 1]:.3f}}")
"""
