"""The playground: a multilayer perceptron on points in the plane (1986).

Everything that is on screen follows from the settings and the step. `_data`, `_features`
and `_network` make the experiment; `python` writes the same calls as a script.

References
----------
D. Smilkov, S. Carter, D. Sculley, F. B. Viegas, M. Wattenberg (2017). Direct-Manipulation
Visualization of Deep Networks: the idea, the six data sets and the names in the link.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import BaseModel, Field

from glassnet.lab.exhibit import Exhibit, Frame
from glassnet.lab.exhibits.playground_script import INPUTS, script
from glassnet.lab.exhibits.playground_settings import HALF, PlaygroundSettings
from glassnet.lab.uploads import read_points

if TYPE_CHECKING:
    from glassnet.data import Dataset
    from glassnet.lab.exhibits.playground_rival import Rival
    from glassnet.lab.exhibits.playground_update import NextUpdate
    from glassnet.lab.recording import Recording, Together

MAP_SIZE, UNIT_SIZE = 96, 32  # pixels of the decision map and of a unit's map; the first a multiple of the second
N_THUMBNAIL = 120  # points in the picture of a data set
N_MEASURED, STEPS_BETWEEN = 8, 50  # on a long way the losses are taken so often at most, with so many steps between


class Probe(BaseModel):
    """The question: what does the shown unit answer at this point?"""

    x1: float = Field(ge=-HALF, le=HALF)
    x2: float = Field(ge=-HALF, le=HALF)


class Playground(Exhibit):
    """A multilayer perceptron in training, with a picture of what every unit computes.

    Examples
    --------
    >>> playground = Playground(PlaygroundSettings(dataset="gauss", network_shape=(2,)))
    >>> playground.step(200)
    >>> playground.frame().values["testError"]
    0.0
    """

    Settings = PlaygroundSettings
    views = frozenset({"show_test_data", "discretize", "look", "new_point", "weight", "rival"})
    uploads: ClassVar = {"csv": read_points}
    questions: ClassVar = {"probe": Probe}
    export = "replay"
    parallel = 2

    settings: PlaygroundSettings
    history: Recording | Together

    def __init__(self, settings: PlaygroundSettings, own: np.ndarray | None = None):
        from glassnet.lab.recording import Curve, Recording, Together

        super().__init__(settings, own)
        self.data = self._own() if settings.is_own else _load(settings.data_name, **settings.data_options)
        self._train, self._test = self._features(self.data.X_train), self._features(self.data.X_test)
        self._grid = self._features(_square(MAP_SIZE))
        self.networks = [self._network(settings.seed + k) for k in range(settings.seeds)]
        self.network = self.networks[0]
        states = [network.initialize(self._train, self.data.y_train) for network in self.networks]
        self.history = Recording(states[0]) if len(states) == 1 else Together(states)
        self._curve = Curve(width=2)
        self._spread = self._seeds()
        self._measure()

    def step(self, n: int) -> None:
        """Make ``n`` steps; a long way is measured now and then, for the curves."""
        n_parts = max(1, min(N_MEASURED, n // STEPS_BETWEEN))
        for i, piece in enumerate(np.diff(np.arange(n_parts + 1) * n // n_parts)):
            if i > 0:
                self._measure()
            self.history.advance(int(piece))

    def _own(self) -> Dataset:
        from glassnet.data.points import load_points

        s = self.settings
        rows = np.reshape(s.points[: len(s.points) // 3 * 3], (-1, 3))
        if not s.points and self.own is not None:
            rows = self.own
        return load_points(rows, test_size=s.data_options["test_size"], random_state=s.seed)

    def _features(self, X: np.ndarray) -> np.ndarray:
        """Return the inputs that are switched on, (n_samples, n_inputs)."""
        x1, x2 = X.T
        return np.column_stack([INPUTS[name].compute(x1, x2) for name in self.settings.inputs]).astype(np.float32)

    def _network(self, seed: int) -> Any:
        from glassnet import MLPClassifier, MLPRegressor
        from glassnet.lab.recording import steady_engine

        estimator = MLPClassifier if self.data.kind == "classification" else MLPRegressor
        options: dict[str, Any] = self.settings.network_options(len(self.data.X_train)) | {"random_state": seed}
        return estimator(**options, engine=steady_engine())

    def _seeds(self) -> Any:
        if len(self.networks) == 1:
            return None
        from glassnet.lab.exhibits.playground_seeds import Seeds

        return Seeds(self.networks, (self._train, self.data.y_train), (self._test, self.data.y_test))

    @cached_property
    def _rivals(self) -> dict[str, Rival]:
        return {}

    def _rival(self) -> Rival | None:
        """Return the classifier beside the network, fitted to the same inputs the first time it is asked for."""
        name = self.settings.rival
        if name == "none" or self.data.kind == "regression":
            return None
        from glassnet.lab.exhibits.playground_rival import Rival

        if name not in self._rivals:
            self._rivals[name] = Rival(name, self._train, self.data.y_train)
        return self._rivals[name]

    @cached_property
    def _next_update(self) -> NextUpdate:
        from glassnet.lab.exhibits.playground_update import NextUpdate

        return NextUpdate(self.network, self._train, self.data.y_train)

    # what is drawn

    def scene(self) -> Frame:
        """Return the data, the pictures of the inputs and of the other data sets, and what the rival says."""
        names: tuple[str, ...] = ("circle", "xor", "gauss", "spiral", "reg-plane", "reg-gauss")
        thumbnails = [_rows(_load(name, n_samples=N_THUMBNAIL), "train") for name in names]
        if self.settings.is_own:
            thumbnails.append(_rows(self.data, "train")[:N_THUMBNAIL])
            names = (*names, "own")
        ends = np.cumsum([0, *map(len, thumbnails)]).tolist()
        square, rival = _square(UNIT_SIZE), self._rival()
        inputs = [INPUTS[name].compute(*square.T) for name in INPUTS]
        return Frame(
            {
                "inputs": [PlaygroundSettings.model_fields[name].alias for name in INPUTS],
                "thumbnails": {name: ends[i : i + 2] for i, name in enumerate(names)},
                "rival": rival and rival.scores(self._train, self.data.y_train, self._test, self.data.y_test),
            },
            {
                **({"rivalMap": _to_uint8(rival.values(self._grid)).reshape(MAP_SIZE, MAP_SIZE)} if rival else {}),
                "trainPoints": _rows(self.data, "train"),
                "testPoints": _rows(self.data, "test"),
                "thumbnails": np.concatenate(thumbnails),
                "inputs": _to_uint8(np.stack(inputs)).reshape(-1, UNIT_SIZE, UNIT_SIZE),
            },
        )

    def frame(self) -> Frame:
        """Return losses, weights, the map of every unit and of the unit looked at, the spread over seeds, a step."""
        train, test, error = self._measure()
        layers = self.network.activations(self._grid)
        layers[-1] = self._signed(layers[-1])
        update = self._next_update.at(self.settings.weight) if self.settings.weight else Frame()
        return Frame(
            {
                "trainLoss": _finite(train),
                "testLoss": _finite(test),
                "testError": error,
                "seeds": self._spread and self._spread.values,
                "update": update.values or None,
            },
            {
                **update.arrays,
                **(self._spread.arrays if self._spread else {}),
                "map": _to_uint8(self._looked_at(layers)).reshape(MAP_SIZE, MAP_SIZE),
                "maps": _unit_maps(layers),
                "weights": np.concatenate([weight.ravel() for weight in self.network.coefs_]).astype(np.float32),
                "biases": np.concatenate(self.network.intercepts_).astype(np.float32),
                "curve": self._curve.points,
            },
        )

    def _measure(self) -> tuple[float, float, float | None]:
        """Return train loss, test loss and test error, and add the losses to the curves."""
        (train, _), (test, error) = (
            self._score(self._train, self.data.y_train),
            self._score(self._test, self.data.y_test),
        )
        self._curve.add(self.history.step, train, test)
        if self._spread:
            self._spread.measure(self.history.step)
        return train, test, error

    def _score(self, X: np.ndarray, y: np.ndarray) -> tuple[float, float | None]:
        """Return the loss (mean cross-entropy in nats, or half the mean squared error) and the share of errors."""
        if self.data.kind == "regression":
            return float(np.mean((self.network.predict(X) - y) ** 2) / 2), None
        with np.errstate(divide="ignore"):  # a probability of 0 is an infinite loss, and is shown as that
            log_probability = self.network.predict_log_proba(X)
        loss = -log_probability[np.arange(len(y)), y].mean()
        return float(loss), float(np.mean(log_probability.argmax(axis=1) != y))

    def _signed(self, output: np.ndarray) -> np.ndarray:
        """Return the output between -1 and 1: a probability p as 2 p - 1."""
        return 2 * output - 1 if self.data.kind == "classification" else output

    def _looked_at(self, layers: list[np.ndarray]) -> np.ndarray:
        """Return the values of the unit that the visitor looks at, or of the output."""
        if len(self.settings.look) == 2:
            layer, unit = self.settings.look
            if layer < len(layers) and unit <= layers[layer - 1].shape[1]:
                return layers[layer - 1][:, unit - 1]
        return layers[-1][:, 0]

    def answer(self, question: BaseModel) -> Frame:
        """Return the value that the map shows at a point: a probability, an output or an activation."""
        assert isinstance(question, Probe)
        point = np.array([[question.x1, question.x2]], np.float32)
        return Frame({"value": float(self._looked_at(self.network.activations(self._features(point)))[0])})

    def python(self) -> str:
        """Return the experiment as a script that prints the losses on screen."""
        options = self.settings.network_options(len(self.data.X_train)) | {"engine": self.network.engine_}
        has_weight = bool(self.settings.weight) and self._next_update.place(self.settings.weight) is not None
        return script(self.settings, options, self.history.step, has_weight)


def _load(name: str, **options: Any) -> Dataset:
    from glassnet.data import load

    return load(name, **options)


def _finite(value: float) -> float | None:
    """Return None for what JSON cannot say."""
    return value if np.isfinite(value) else None


def _square(size: int) -> np.ndarray:
    """Return the centres of size x size pixels, row by row from the top: (size**2, 2)."""
    ticks = (np.arange(size) + 0.5) / size * 2 * HALF - HALF
    x1, x2 = np.meshgrid(ticks, -ticks)
    return np.column_stack([x1.ravel(), x2.ravel()]).astype(np.float32)


def _rows(data: Dataset, part: Literal["train", "test"]) -> np.ndarray:
    """Return the points as rows (x1, x2, value in [-1, 1]), float32."""
    X, y = (data.X_train, data.y_train) if part == "train" else (data.X_test, data.y_test)
    return np.column_stack([X, 2 * y - 1 if data.kind == "classification" else y]).astype(np.float32)


def _to_uint8(values: np.ndarray) -> np.ndarray:
    """Map [-1, 1] to 0..255; what lies outside is clipped."""
    return (np.clip(values, -1, 1) * 127.5 + 127.5).round().astype(np.uint8)


def _unit_maps(layers: list[np.ndarray]) -> np.ndarray:
    """Return a small map of every unit, uint8 (n_units, UNIT_SIZE, UNIT_SIZE)."""
    stride = MAP_SIZE // UNIT_SIZE
    inner = slice(stride // 2, None, stride)
    small = [values.reshape(MAP_SIZE, MAP_SIZE, -1)[inner, inner] for values in layers]
    return np.ascontiguousarray(np.moveaxis(_to_uint8(np.concatenate(small, axis=2)), -1, 0))
