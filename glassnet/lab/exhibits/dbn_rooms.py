"""The deep belief network's two rooms: where it learns and where it dreams."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from glassnet import GenerativeBeliefClassifier
from glassnet.lab.exhibit import Frame
from glassnet.lab.exhibits import dbn as settings_of
from glassnet.lab.exhibits import dbn_scripts as scripts
from glassnet.lab.recording import Course
from glassnet.lab.stages import Stages

if TYPE_CHECKING:
    from glassnet.lab.exhibits.dbn import DbnSettings

SIDE = 28  # pixels of a digit's side
N_LAYERS = 3
BATCH = 25
TUNING_RATE = 0.1  # of all layers together
MOST_POINTS = 400  # of the curve


class Dream(NamedTuple):
    """Dreams of one digit: uint8 pictures, their mean brightness, and what the network itself reads them as."""

    pictures: np.ndarray
    ink: float | None
    read: list[int] | None


class Room:
    """What both rooms show of a network: filters, what layers keep of ten digits, dreams."""

    network: Any
    history: Any
    about: str | None = None  # how well the network does, where a record says so

    def catch_up(self, settings: DbnSettings) -> None:
        """Bring what is shown to the step and the settings that are shown."""
        raise NotImplementedError

    def n_layers(self) -> int:
        """Return how many layers are learned at the moment shown, or are just being learned."""
        raise NotImplementedError

    def dream(self, settings: DbnSettings) -> Dream:
        """Return the dreams of the chosen digit."""
        raise NotImplementedError

    def progress(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return the numbers and arrays of the training."""
        raise NotImplementedError

    def python(self, settings: DbnSettings) -> str:
        """Return the script."""
        raise NotImplementedError

    def scene(self) -> Frame:
        """Return a digit of each kind, held out, and how many units each layer has."""
        units = list(self.network.hidden_layer_sizes)
        return Frame({"units": units, "record": self.about}, {"digits": _to_uint8(samples())})

    def frame(self, settings: DbnSettings) -> Frame:
        """Return what is drawn."""
        self.catch_up(settings)
        n, dream = self.n_layers(), self.dream(settings)
        kept, errors = self.kept(n)
        values, arrays = self.progress()
        look = min(settings.look_layer, n)
        filters = self.filters(n)
        return Frame(
            {
                **values,
                "errors": errors,
                "unit": self.unit(settings, look),
                "read": dream.read,
                "ink": dream.ink,
            },
            {
                **arrays,
                **{f"filters{k}": filters[k] if k < n else _nothing() for k in range(N_LAYERS)},
                **{f"kept{k}": kept[k] if k < n else _nothing() for k in range(N_LAYERS)},
                "dreams": dream.pictures,
            },
        )

    def filters(self, n: int) -> list[np.ndarray]:
        """Return the first filters of each layer, uint8 with 128 as zero."""
        return [_around_zero(self.network.filters(k)[: settings_of.N_SHOWN]) for k in range(n)]

    def kept(self, n: int) -> tuple[list[np.ndarray], list[float]]:
        """Return what each layer keeps of the ten digits, and its mean squared error per pixel."""
        back = [self.network.reconstruct(samples(), layer) for layer in range(n)]
        return [_to_uint8(part) for part in back], [float(np.mean((part - samples()) ** 2)) for part in back]

    def unit(self, settings: DbnSettings, layer: int) -> dict[str, Any]:
        """Return the place of the unit looked at, and how active the chosen digit makes it."""
        activations = self.network.transform(samples()[settings.sample][None], layer - 1)[0]
        unit = min(settings.look_unit, len(activations), settings_of.N_SHOWN)
        return {"layer": layer, "unit": unit, "activation": float(activations[unit - 1])}


class Learning(Room):
    """A small network learns, stage by stage."""

    def __init__(self, settings: DbnSettings):
        X, y = lessons()
        self.network = GenerativeBeliefClassifier(
            (settings.hidden, settings.hidden, settings.top), pretrain_iter=settings.pretrain_iter,
            pretrain_learning_rate=settings.learning_rate, pretrain_momentum=0.0,  # half the memory of a visitor
            n_gibbs_steps=settings.gibbs, max_iter=settings.max_iter,
            learning_rate_init=TUNING_RATE, learning_rate="cosine", batch_size=BATCH, random_state=settings.seed,
        )  # fmt: skip
        per_epoch = -(-len(X) // BATCH)
        self.lengths = [settings.pretrain_iter * per_epoch] * N_LAYERS + [settings.max_iter * per_epoch]
        self.history = Stages(self.network.stages(X, y), self.lengths)

    def catch_up(self, settings: DbnSettings) -> None:
        """Put the fine-tuned weights away where the moment shown is before them."""
        if self.history.stage == N_LAYERS:
            self.network.state_ = self.history.here.state
        else:
            vars(self.network).pop("state_", None)

    def n_layers(self) -> int:
        """Return the layers begun."""
        return min(self.history.stage + 1, N_LAYERS)

    def dream(self, settings: DbnSettings) -> Dream:
        """Return dreams of so many steps, once the top machine has begun to learn."""
        if self.history.stage < N_LAYERS - 1:
            return Dream(_nothing(), None, None)
        n, seed = settings_of.N_DREAMS, settings.dream_seed
        return _read(self.network, self.network.dream(int(settings.digit), n, settings.dream_steps, random_state=seed))

    def progress(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return the stage, the held-out error once labels are learned, and the error of every step's batch so far."""
        stage, digits = self.history.stage, _digits()
        wrong = None
        if stage >= N_LAYERS - 1:
            X, y = digits.X_test[: settings_of.N_TEST], digits.y_test[: settings_of.N_TEST]
            wrong = float(np.mean(self.network.predict(X) != y))
        values = {
            "stage": stage, "stageStep": self.history.here.step, "stageSteps": self.lengths[stage], "testError": wrong,
            "ends": np.cumsum(self.lengths).tolist(),
        }  # fmt: skip
        return values, {"losses": self._losses()}

    def _losses(self) -> np.ndarray:
        """Return rows (step, loss) of all stages, thinned, float32."""
        starts = np.cumsum([0, *self.lengths])
        rows = [
            np.column_stack([start + part.history.steps + 1, part.history.losses])
            for start, part in zip(starts, self.history.parts, strict=False)
        ]
        points = np.concatenate(rows) if rows else np.zeros((0, 2))
        return points[:: max(1, len(points) // MOST_POINTS)].astype(np.float32)

    def python(self, settings: DbnSettings) -> str:
        """Return the learning as a script."""
        made = [part.step for part in self.history.parts[: self.history.stage + 1]]
        return scripts.learning(settings, made, BATCH, TUNING_RATE)


class Dreaming(Room):
    """The network that comes trained dreams of a digit."""

    def __init__(self, settings: DbnSettings):
        self.network, self.about = trained()
        self.history = Course(settings_of.MOST_GIBBS, settings_of.MOST_GIBBS)
        self._begin(settings)

    def _begin(self, settings: DbnSettings) -> None:
        self._asked = (settings.digit, settings.dream_seed)
        self._chain: Iterator[np.ndarray] = self.network.dreaming(
            int(settings.digit), settings_of.N_DREAMS, random_state=settings.dream_seed
        )
        self._seen: list[Dream] = []

    def catch_up(self, settings: DbnSettings) -> None:
        """Dream on to the step that is shown."""
        if self._asked != (settings.digit, settings.dream_seed):
            self._begin(settings)
        while len(self._seen) <= self.history.step:
            self._seen.append(_read(self.network, next(self._chain)))

    def n_layers(self) -> int:
        """Return all layers."""
        return N_LAYERS

    def dream(self, settings: DbnSettings) -> Dream:
        """Return the dreams at this step."""
        return self._seen[self.history.step]

    def progress(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return nothing: nothing is learned here."""
        return {"stage": None, "testError": None}, {"losses": np.zeros((0, 2), np.float32)}

    def filters(self, n: int) -> list[np.ndarray]:
        """Return the filters, which stay."""
        return trained_filters()

    def kept(self, n: int) -> tuple[list[np.ndarray], list[float]]:
        """Return what the layers keep, which stays."""
        return trained_kept()

    def python(self, settings: DbnSettings) -> str:
        """Return the dream as a script."""
        return scripts.dreaming(settings, self.history.step)


ROOMS = {"learn": Learning, "dream": Dreaming}


@lru_cache(maxsize=1)
def trained() -> tuple[Any, str]:
    """Return the network that comes trained, and its test accuracy in the words of its record."""
    from glassnet.training.run_folder import read_config
    from glassnet.training.trained import WEIGHTS_FOLDER, load_trained

    metrics = read_config(WEIGHTS_FOLDER / settings_of.TRAINED)["metadata"]["metrics"]
    network = load_trained(settings_of.TRAINED)
    arrays = network.state_.arrays  # in the precision that it computes in, once for all visitors
    arrays.update({name: array.astype(np.float64) for name, array in arrays.items()})
    return network, f"{1 - metrics['test_accuracy']:.2%}"


@lru_cache(maxsize=1)
def trained_filters() -> list[np.ndarray]:
    """Return the first filters of each layer of the trained network."""
    return Room.filters(_of_trained(), N_LAYERS)


@lru_cache(maxsize=1)
def trained_kept() -> tuple[list[np.ndarray], list[float]]:
    """Return what the layers of the trained network keep of the ten digits."""
    return Room.kept(_of_trained(), N_LAYERS)


def _of_trained() -> Room:
    room = Room()
    room.network = trained()[0]
    return room


@lru_cache(maxsize=1)
def _digits() -> Any:
    from glassnet.data import load

    return load("mnist5k")


def lessons() -> tuple[np.ndarray, np.ndarray]:
    """Return the digits that the live network learns from."""
    digits = _digits()
    return digits.X_train[: settings_of.N_TRAIN], digits.y_train[: settings_of.N_TRAIN]


@lru_cache(maxsize=1)
def samples() -> np.ndarray:
    """Return the first held-out digit of each kind, (10, 784)."""
    digits = _digits()
    return digits.X_test[[int(np.flatnonzero(digits.y_test == digit)[0]) for digit in range(10)]]


def _read(network: Any, dreams: np.ndarray) -> Dream:
    return Dream(_to_uint8(dreams), float(dreams.mean()), network.predict(dreams).tolist())


def _to_uint8(rows: np.ndarray) -> np.ndarray:
    """Map pictures in [0, 1] to 128..255, where 128 is the colour of nothing."""
    return (128 + 127 * rows.clip(0, 1)).round().astype(np.uint8).reshape(-1, SIDE, SIDE)


def _around_zero(rows: np.ndarray) -> np.ndarray:
    """Map each row to 1..255, 128 being zero and its largest magnitude an end."""
    largest = np.abs(rows).max(axis=1, keepdims=True)
    return (128 + 127 * rows / np.maximum(largest, 1e-9)).round().astype(np.uint8).reshape(-1, SIDE, SIDE)


def _nothing() -> np.ndarray:
    return np.zeros((0, SIDE, SIDE), np.uint8)
