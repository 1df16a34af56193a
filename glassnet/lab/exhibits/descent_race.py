"""The networks of two weights, and runs that go down their surfaces side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn
from torch.func import functional_call

from glassnet import MLPClassifier, ModuleRegressor, TrainingState
from glassnet.errors import DivergedError, InvalidInputError
from glassnet.lab.recording import Path, Recording, steady_engine
from glassnet.learning.losses import binary_cross_entropy, squared_error

if TYPE_CHECKING:
    from glassnet.lab.exhibits.descent import DescentSettings

MOST_POINTS = 400
MOST_STEPS = 20_000
BYTES_PER_RUN = 100_000


class Chain(nn.Module):
    """One input, one tanh unit, one output, no biases: w2 tanh(w1 x)."""

    def __init__(self) -> None:
        super().__init__()
        self.w1, self.w2 = nn.Parameter(torch.ones(1)), nn.Parameter(torch.ones(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return outputs of the shape of x, (n, 1)."""
        return self.w2 * torch.tanh(self.w1 * x)


class ChainNet:
    """The chain with its data."""

    def __init__(self, X: np.ndarray, y: np.ndarray):
        self.X, self.y = X, y

    def estimator(self, **options: Any) -> ModuleRegressor:
        """Return what trains it."""
        return ModuleRegressor(Chain, **options)

    def losses(self, w1: np.ndarray, w2: np.ndarray) -> np.ndarray:
        """Return half the mean squared error at each of the places (n,)."""
        weights = {"w1": torch.from_numpy(w1[:, None]), "w2": torch.from_numpy(w2[:, None])}
        with torch.no_grad(), np.errstate(all="ignore"):
            output = functional_call(Chain(), weights, torch.from_numpy(self.X.T)).numpy()  # (n, n_samples)
            return squared_error(output, self.y) / len(self.y)


class UnitNet:
    """A sigmoid unit of one input with its data: z = weight x + bias."""

    def __init__(self, X: np.ndarray, y: np.ndarray):
        self.X, self.y = X, y

    def estimator(self, **options: Any) -> MLPClassifier:
        """Return what trains it."""
        return MLPClassifier((), alpha=0.0, engine=steady_engine(), **options)

    def losses(self, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
        """Return the mean cross-entropy, in nats, at each of the places (n,)."""
        with np.errstate(all="ignore"):
            z = weight[:, None] * self.X[:, 0] + bias[:, None]
            return binary_cross_entropy(z, np.broadcast_to(self.y, z.shape)) / len(self.y)


NETWORKS = {"chain": ChainNet, "unit": UnitNet}


def options_of(run: tuple[int, float, float], seed: int) -> dict[str, Any]:
    """Return what a run's estimator is made with."""
    batch_size, learning_rate, momentum = run
    return {
        "solver": "sgd", "batch_size": batch_size, "learning_rate_init": learning_rate, "momentum": momentum,
        "nesterovs_momentum": False, "random_state": seed,
    }  # fmt: skip


class Runner:
    """One run."""

    def __init__(self, net: Any, settings: DescentSettings, run: tuple[int, float, float]):
        self.estimator = net.estimator(**options_of(run, settings.seed))
        self.state: TrainingState = self.estimator.initialize(net.X, net.y)
        self.state.arrays["parameters"][:] = settings.start1, settings.start2
        self.path = Path(self.state, self.state.arrays["parameters"].tolist, width=2, max_points=MOST_POINTS)
        self.recording = Recording(self.state, BYTES_PER_RUN, observers=[self.path])
        self.is_out = False
        self.steps_per_tick = self.state.steps_per_epoch if settings.clock == "epochs" else 1

    def advance(self, n: int) -> None:
        """Go on, unless the loss has become infinite; then the run stays where it last was."""
        try:
            if not self.is_out:
                self.recording.advance(n * self.steps_per_tick)
        except DivergedError:
            self.is_out = True
            self.recording.seek(self.recording.last)

    def seek(self, step: int) -> None:
        """Go to a moment, or to the last there is before it."""
        self.recording.seek(min(step * self.steps_per_tick, self.recording.last))


class Race:
    """Runs that go on together; a recorded time like any other."""

    def __init__(self, net: Any, settings: DescentSettings):
        self.net, self.step, self.last = net, 0, 0
        self.runners = [Runner(net, settings, run) for run in settings.runs]
        self._is_epochs = settings.clock == "epochs"

    @property
    def epoch(self) -> int:
        """Epochs of the run that has made most."""
        return max(runner.recording.epoch for runner in self.runners)

    @property
    def is_out(self) -> list[bool]:
        """Whether each run has left for infinity by now."""
        return [runner.is_out and self.step * runner.steps_per_tick > runner.recording.last for runner in self.runners]

    def advance(self, n: int) -> None:
        """Let each run make ``n`` steps, or epochs."""
        if self.step + n > MOST_STEPS:
            raise InvalidInputError(f"The race ends after {MOST_STEPS:,}; go back to the start for another one.")
        for runner in self.runners:
            runner.advance(n)
        self.step += n
        self.last = max(self.last, self.step)

    def seek(self, step: int) -> None:
        """Go to a recorded moment."""
        for runner in self.runners:
            runner.seek(step)
        self.step = step

    def places(self) -> np.ndarray:
        """Return the two weights of each run, (n_runs, 2)."""
        return np.array([runner.state.arrays["parameters"] for runner in self.runners], np.float64)

    def steps(self) -> list[int]:
        """Return how many steps each run has made."""
        return [runner.recording.step for runner in self.runners]

    def paths(self) -> list[np.ndarray]:
        """Return rows (time, weight 1, weight 2, loss) of each run, float32."""
        paths = []
        for runner in self.runners:
            points = runner.path.curve.points.astype(np.float64)
            losses = self.net.losses(points[:, 1], points[:, 2])
            points[:, 0] /= runner.steps_per_tick
            paths.append(np.column_stack([points, np.minimum(losses, 1e30)]).astype(np.float32))
        return paths


_CHAIN = '''\
import numpy as np
import torch
from torch import nn

from glassnet import ModuleRegressor, advance


class Chain(nn.Module):
    """One input, one tanh unit, one output, no biases."""

    def __init__(self):
        super().__init__()
        self.w1, self.w2 = nn.Parameter(torch.ones(1)), nn.Parameter(torch.ones(1))

    def forward(self, x):
        return self.w2 * torch.tanh(self.w1 * x)


def loss(net):
    return np.mean((net.predict(X) - y) ** 2) / 2

'''
_UNIT = '''\
import numpy as np

from glassnet import MLPClassifier, advance


def loss(net):
    """Mean cross-entropy, in nats."""
    return -net.predict_log_proba(X)[np.arange(len(y)), y].mean()

'''
_RACE = """
X = np.linspace(-2, 2, {n}).round(2)[:, None]
y = np.array({y})

# batch size, learning rate, momentum, steps
for batch_size, learning_rate, momentum, steps in {runs}:
    net = {estimator}
        solver="sgd", batch_size=batch_size, learning_rate_init=learning_rate, momentum=momentum,
        nesterovs_momentum=False, random_state={seed},{engine}
    )
    state = net.initialize(X, y)
    state.arrays["parameters"][:] = {start}
    advance(state, steps)
    print(f"loss {{loss(net):.4f}}, weights {{[round(float(w), 3) for w in state.arrays['parameters']]}}")
"""


def script(settings: DescentSettings, steps: list[int], engine: str) -> str:
    """Return the race as a script."""
    _, y = settings.data()
    is_chain = settings.network == "chain"
    runs = [(*run, n) for run, n in zip(settings.runs, steps, strict=True)]
    race = _RACE.format(
        n=len(y), y=y.tolist(), runs=runs, seed=settings.seed, start=(settings.start1, settings.start2),
        estimator="ModuleRegressor(\n        Chain," if is_chain else "MLPClassifier(\n        (), alpha=0.0,",
        engine="" if is_chain else f' engine="{engine}",',
    )  # fmt: skip
    return (_CHAIN if is_chain else _UNIT) + race
