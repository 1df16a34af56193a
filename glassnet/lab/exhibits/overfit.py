"""An over-large network: weight decay and early stopping against learning the noise by heart.

A network with many more parameters than points is trained on noisy points in the plane. A part of
the points is held out; where the loss on these was lowest so far, early stopping would have ended
the run. New points of the same law say what each is worth.

References
----------
L. Prechelt (1998). Early stopping - but when? In: Neural Networks: Tricks of the Trade.
A. Krogh, J. A. Hertz (1992). A simple weight decay can improve generalization. NIPS 4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from glassnet.lab.exhibit import Exhibit, Frame, Settings
from glassnet.training.observers import Observer

if TYPE_CHECKING:
    from glassnet.training.state import TrainingState

HALF, MAP_SIZE = 6.0, 64
EVERY = 20  # steps between two looks at the held-out points
HELD_OUT = 3  # one in so many points
N_NEW = 1000
MOST_DRAWN = 600  # rows of the curve


class OverfitSettings(Settings):
    """What a visitor can change."""

    dataset: Literal["circle", "xor", "gauss", "spiral"] = "xor"
    noise: int = Field(50, ge=0, le=50)  # per cent
    n_points: int = Field(60, ge=20, le=200)
    depth: int = Field(2, ge=1, le=3)
    layer_units: int = Field(32, ge=1, le=64)
    alpha: float = Field(0.0, ge=0, le=10, json_schema_extra={"choices": [0, 0.01, 0.03, 0.1, 0.3, 1, 3]})
    learning_rate: float = Field(0.01, gt=0, le=1, json_schema_extra={"choices": [0.001, 0.003, 0.01, 0.03]})
    seed: int = Field(0, ge=0, le=2**31 - 1)
    shown: Literal["now", "stopped"] = "now"


class OverfitExhibit(Exhibit):
    """A network that is too large for its points.

    Examples
    --------
    >>> exhibit = OverfitExhibit(OverfitSettings())
    >>> exhibit.step(1500)
    >>> values = exhibit.frame().values
    >>> values["error"] < 0.05 < values["newError"], values["stoppedAt"] < 1000
    (True, True)
    """

    Settings = OverfitSettings
    views = frozenset({"shown"})
    export = "replay"
    parallel = 2

    settings: OverfitSettings

    def __init__(self, settings: OverfitSettings):
        from glassnet.data import load
        from glassnet.lab.recording import Recording

        super().__init__(settings)
        n = settings.n_points
        test_size = N_NEW / (N_NEW + n)
        data = load(settings.dataset, n_samples=N_NEW + n, noise=settings.noise / 100, test_size=test_size,
                    random_state=settings.seed)  # fmt: skip
        held = np.arange(len(data.y_train)) % HELD_OUT == 0
        self.fitted, self.held = (data.X_train[~held], data.y_train[~held]), (data.X_train[held], data.y_train[held])
        self.new = data.X_test, data.y_test
        self.network = self._network()
        state = self.network.initialize(*self.fitted)
        self._losses = _Losses(lambda: [self._score(*part)[0] for part in (self.fitted, self.held, self.new)])
        self._losses.observe(state)
        self.history = Recording(state, observers=[self._losses])

    def _network(self) -> Any:
        from glassnet import MLPClassifier
        from glassnet.lab.recording import steady_engine

        s = self.settings
        return MLPClassifier(
            (s.layer_units,) * s.depth, "tanh", alpha=s.alpha, batch_size=10, learning_rate_init=s.learning_rate,
            random_state=s.seed, engine=steady_engine(),
        )  # fmt: skip

    def _score(self, X: np.ndarray, y: np.ndarray) -> tuple[float, float]:
        """Return the mean cross-entropy in nats, and the share of errors."""
        p = self.network.predict_proba(X)
        with np.errstate(divide="ignore"):
            return float(-np.log(p[np.arange(len(y)), y]).mean()), float(np.mean(p.argmax(axis=1) != y))

    def scene(self) -> Frame:
        """Return the points, rows x1, x2, class as -1 or 1, and how many there are."""
        rows = [np.column_stack([X, 2 * y - 1]).astype(np.float32) for X, y in (self.fitted, self.held)]
        counts = {"parameters": self.network.spec_.n_parameters, "fitted": len(rows[0]), "held": len(rows[1])}
        return Frame(counts, {"fittedPoints": rows[0], "heldPoints": rows[1]})

    def frame(self) -> Frame:
        """Return errors now and where early stopping would have ended, the map, the losses so far."""
        assert self.history is not None
        step = self.history.step
        rows = self._losses.until(step)
        stop = int(rows[rows[:, 2].argmin(), 0])
        values, image = self._moment()
        self.history.seek(stop)
        stopped, stopped_image = self._moment()
        self.history.seek(step)
        drawn = self._losses.until(self.history.last)
        return Frame(
            {
                **values,
                "stoppedAt": stop,
                "stoppedNewError": stopped["newError"],
                "stoppedLength": stopped["length"],
                "stoppedError": stopped["error"],
            },
            {
                "map": stopped_image if self.settings.shown == "stopped" else image,
                "losses": drawn[:: -(-len(drawn) // MOST_DRAWN)].astype(np.float32),
            },
        )

    def _moment(self) -> tuple[dict[str, float], np.ndarray]:
        """Return the errors and the weights' length as the network is, and the map of its output."""
        weights = np.concatenate([weight.ravel() for weight in self.network.coefs_])
        parts = {"error": self.fitted, "heldError": self.held, "newError": self.new}
        values = {name: self._score(*part)[1] for name, part in parts.items()}
        p = self.network.predict_proba(_square(MAP_SIZE))[:, 1]
        image = (255 * p).round().astype(np.uint8).reshape(MAP_SIZE, MAP_SIZE)
        return {**values, "length": float(np.linalg.norm(weights))}, image

    def python(self) -> str:
        """Return the run as a script that prints the errors of the page."""
        assert self.history is not None
        return _SCRIPT.format(
            s=self.settings, noise=self.settings.noise / 100, new=N_NEW, held=HELD_OUT, every=EVERY,
            engine=self.network.engine_, step=self.history.step,
        )  # fmt: skip


class _Losses(Observer):
    """Losses at every `EVERY`-th step."""

    def __init__(self, measure: Any):
        self._measure = measure
        self._rows: list[tuple[float, ...]] = []

    def next_event(self, step: int) -> int:
        """Return the next step to look at."""
        return step - step % EVERY + EVERY

    def observe(self, state: TrainingState) -> None:
        """Take the losses, unless they are known."""
        if state.step == EVERY * len(self._rows):
            self._rows.append((state.step, *self._measure()))

    def until(self, step: int) -> np.ndarray:
        """Return rows step, loss on the points fitted, on those held out, on new ones, up to a step."""
        return np.array(self._rows[: step // EVERY + 1], float)


def _square(size: int) -> np.ndarray:
    ticks = (np.arange(size) + 0.5) / size * 2 * HALF - HALF
    x1, x2 = np.meshgrid(ticks, -ticks)
    return np.column_stack([x1.ravel(), x2.ravel()]).astype(np.float32)


_SCRIPT = """\
import numpy as np

from glassnet import MLPClassifier, advance
from glassnet.data import load

n = {s.n_points}
data = load("{s.dataset}", n_samples={new} + n, noise={noise}, test_size={new} / ({new} + n), random_state={s.seed})
held = np.arange(len(data.y_train)) % {held} == 0
X, y, X_held, y_held = data.X_train[~held], data.y_train[~held], data.X_train[held], data.y_train[held]


def network_after(steps):
    net = MLPClassifier(
        ({s.layer_units},) * {s.depth}, "tanh", alpha={s.alpha}, batch_size=10, learning_rate_init={s.learning_rate},
        random_state={s.seed}, engine="{engine}",
    )
    state = net.initialize(X, y)
    held_out = []
    for _ in range(steps // {every}):
        held_out.append(-np.log(net.predict_proba(X_held)[np.arange(len(y_held)), y_held]).mean())
        advance(state, {every})
    held_out.append(-np.log(net.predict_proba(X_held)[np.arange(len(y_held)), y_held]).mean())
    advance(state, steps % {every})
    return net, {every} * int(np.argmin(held_out))


net, best = network_after({step})
print(f"error on the points {{np.mean(net.predict(X) != y):.1%}}")
print(f"error on new points {{np.mean(net.predict(data.X_test) != data.y_test):.1%}}")
net, _ = network_after(best)
print(f"stopped at step {{best}}: error on new points {{np.mean(net.predict(data.X_test) != data.y_test):.1%}}")
"""
