"""The perceptron's three rooms: by the rule, by hand, and the figures of 1969."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from glassnet import Perceptron, advance, connectedness, linear_separability, mistake_bound, predicate_order
from glassnet.data.lines import Line
from glassnet.errors import InvalidInputError
from glassnet.lab.exhibit import Frame
from glassnet.lab.exhibits import perceptron_scripts as scripts
from glassnet.lab.recording import Path, Recording
from glassnet.learning.losses import binary_cross_entropy
from glassnet.training.batches import epoch_order
from glassnet.training.observers import Observer

if TYPE_CHECKING:
    from glassnet.lab.exhibits.perceptron import PerceptronSettings

MOST_STEPS = 100_000
MOST_EPOCHS = 300  # in which the weights' way is looked through for a circle
N_ALONG = 241
RETINAS = ((1, 3), (2, 2), (2, 3), (3, 3))


class Room:
    """What one room shows."""

    history: Recording | None = None

    def __init__(self, settings: PerceptronSettings):
        self.X, self.y = settings.data()

    def scene(self) -> Frame:
        """Return what stays."""
        return Frame()

    def frame(self, settings: PerceptronSettings) -> Frame:
        """Return what changes."""
        raise NotImplementedError

    def next_mistake(self) -> int | None:
        """Return the step after the next correction."""
        raise InvalidInputError("Corrections are made by the rule only.")

    def python(self, settings: PerceptronSettings) -> str:
        """Return the script."""
        raise NotImplementedError


class _Mistakes(Observer):
    """Which of the steps were mistakes."""

    def __init__(self) -> None:
        self.made = bytearray()

    def record(self, first_step: int, losses: np.ndarray) -> None:
        self.made += losses.astype(np.uint8).tobytes()


class ByRule(Room):
    """The perceptron learns."""

    history: Recording

    def __init__(self, settings: PerceptronSettings):
        super().__init__(settings)
        self.unit = self._unit(settings)
        self._state = self.unit.initialize(self.X, self.y)
        self._mistakes = _Mistakes()
        self._path = Path(self._state, self._weights, self.X.shape[1] + 1)
        self.history = _Bounded(self._state, observers=[self._mistakes, self._path])
        self._answer = linear_separability(self.X, self.y)
        self._bound = mistake_bound(self.X, self.y) if self._answer.separable else None
        self._circle = None if self._answer.separable or settings.shuffle else self._find_circle(settings)

    @staticmethod
    def _unit(settings: PerceptronSettings) -> Perceptron:
        return Perceptron(settings.variant, shuffle=settings.shuffle, random_state=settings.seed)

    def _weights(self) -> list[float]:
        """Return the weights and the bias that the rule moves."""
        arrays = self._state.arrays
        return [*arrays["weight"][0].tolist(), float(arrays["bias"][0])]

    def _find_circle(self, settings: PerceptronSettings) -> list[int] | None:
        """Return the epochs between which the weights went round in a circle."""
        unit = self._unit(settings)
        state, seen = unit.initialize(self.X, self.y), {}
        for epoch in range(MOST_EPOCHS):
            weights = (*state.arrays["weight"][0].tolist(), float(state.arrays["bias"][0]))
            if weights in seen:
                return [seen[weights], epoch]
            seen[weights] = epoch
            advance(state, len(self.X))
        return None

    def scene(self) -> Frame:
        """Return the bound, or the certificate: convex weights of the points and where the classes meet."""
        values = {"bound": self._bound, "circle": self._circle, "meeting": None}
        certificate = self._answer.certificate
        if certificate is None:
            return Frame(values, {"convex": np.zeros(0, np.float32)})
        values["meeting"] = np.pad(certificate.point, (0, 2 - len(certificate.point))).tolist()
        return Frame(values, {"convex": certificate.weights.astype(np.float32)})

    def frame(self, settings: PerceptronSettings) -> Frame:
        """Return the line, the mistakes so far and the last sample that was visited."""
        step = self.history.step
        weight, bias = self.unit.coef_[0], float(self.unit.intercept_[0])
        return Frame(
            {
                "weight": np.pad(weight, (0, 2 - len(weight))).tolist(),
                "bias": bias,
                "mistakes": int(np.frombuffer(self._mistakes.made, np.uint8)[:step].sum()),
                "wrong": int(self._wrong().sum()),
                "last": self._last() if step else None,
            },
            {"wrong": self._wrong().astype(np.uint8), "path": self._path.curve.points},
        )

    def _wrong(self) -> np.ndarray:
        return self.unit.predict(self.X) != self.y

    def _last(self) -> dict:
        """Return the sample that the last step visited, and the pre-activation before its correction."""
        step, n = self.history.step, len(self.X)
        row = int(epoch_order(self._state.seed, (step - 1) // n, n, self._state.shuffle)[(step - 1) % n])
        self.history.seek(step - 1)
        *weight, bias = self._weights()
        self.history.seek(step)
        z = float(self.X[row] @ np.array(weight, np.float32) + bias)
        return {"row": row, "z": z, "isMistake": bool(self._mistakes.made[step - 1])}

    def next_mistake(self) -> int | None:
        """Return the step after the next correction, or None when an epoch passes without one."""
        start, n = self.history.step, len(self.X)
        if self.history.last < start + n:
            self.history.seek(self.history.last)
            self.history.advance(start + n - self.history.last)
            self.history.seek(start)
        found = self._mistakes.made.find(1, start, start + n)
        return None if found < 0 else found + 1

    def python(self, settings: PerceptronSettings) -> str:
        """Return the fit as a script."""
        return scripts.by_rule(settings, self.unit.engine_, self.history.step, self._answer.separable)


class _Bounded(Recording):
    """A record that ends before it takes too much memory."""

    def advance(self, n: int) -> None:
        if self.step + n > MOST_STEPS:
            raise InvalidInputError(f"The record ends at {MOST_STEPS:,} steps; go back to the start for another run.")
        super().advance(n)


class ByHand(Room):
    """The visitor moves the line."""

    def frame(self, settings: PerceptronSettings) -> Frame:
        """Return how many points are wrong, the soft loss, and both along one of the three numbers."""
        values = [settings.weight1, settings.weight2, settings.bias]
        place = ("weight1", "weight2", "bias").index(settings.along)
        field = type(settings).model_fields[settings.along]
        low, high = field.metadata[0].ge, field.metadata[1].le
        stairs = []
        for value in np.linspace(low, high, N_ALONG):
            values[place] = float(value)
            stairs.append((value, *self._losses(*values)))
        wrong = self._line(settings.weight1, settings.weight2, settings.bias).misclassified(self._plane(), self.y)
        n_wrong, soft = self._losses(settings.weight1, settings.weight2, settings.bias)
        return Frame(
            {
                "weight": [settings.weight1, settings.weight2],
                "bias": settings.bias,
                "wrong": n_wrong,
                "softLoss": soft,
                "nPoints": len(self.y),
            },
            {"wrong": wrong.astype(np.uint8), "stairs": np.array(stairs, np.float32)},
        )

    @staticmethod
    def _line(weight1: float, weight2: float, bias: float) -> Line:
        return Line((weight1, weight2), bias)

    def _plane(self) -> np.ndarray:
        return np.pad(self.X, ((0, 0), (0, 2 - self.X.shape[1])))

    def _losses(self, weight1: float, weight2: float, bias: float) -> tuple[int, float]:
        """Return the number of wrong points and the mean cross-entropy of sigmoid(z), in nats."""
        X = self._plane()
        wrong = self._line(weight1, weight2, bias).misclassified(X, self.y).sum()
        z = X.astype(np.float64) @ [weight1, weight2] + bias
        return int(wrong), float(binary_cross_entropy(z[:, None], self.y[:, None]).mean())

    def python(self, settings: PerceptronSettings) -> str:
        """Return the two losses of the line as a script."""
        return scripts.by_hand(settings)


class Figures(Room):
    """Two figures that look alike."""

    def scene(self) -> Frame:
        """Return the order of "the figure is in one piece" on some small retinas."""
        orders = [(rows, columns, predicate_order(connectedness(rows, columns))) for rows, columns in RETINAS]
        return Frame({"orders": orders})

    def frame(self, settings: PerceptronSettings) -> Frame:
        """Return both figures, uint8 (2, size, size): 0 is paper, 1, 2, ... are the pieces."""
        drawn = figures(settings.flipped)
        labels, n_pieces = zip(*(ndimage.label(figure) for figure in drawn), strict=True)  # pyright: ignore[reportGeneralTypeIssues]
        n_different = int((drawn[0] != drawn[1]).sum())
        return Frame(
            {"pieces": list(map(int, n_pieces)), "nDifferent": n_different},
            {"figures": np.stack(labels).astype(np.uint8)},
        )

    def python(self, settings: PerceptronSettings) -> str:
        """Return the counting as a script."""
        return scripts.figures(settings)


# one arm of a double spiral, corner by corner from the middle; the other is its reflection
_ARM = ((0, 0), (0, 2), (2, 2), (2, -4), (-4, -4), (-4, 6), (6, 6))


def figures(flipped: tuple[int, ...] = ()) -> np.ndarray:
    """Return two double spirals, bool of shape (2, 13, 13), which differ in the middle square only.

    Parameters
    ----------
    flipped : tuple of int
        Squares to be turned black or white, counted through both figures.

    Examples
    --------
    >>> [ndimage.label(figure)[1] for figure in figures()]
    [1, 2]
    """
    centre = -_ARM[-2][0] + 2
    spiral = np.zeros((2 * centre + 1, 2 * centre + 1), bool)
    for (row, column), (next_row, next_column) in pairwise(_ARM):
        rows, columns = sorted((row, next_row)), sorted((column, next_column))
        spiral[centre + rows[0] : centre + rows[1] + 1, centre + columns[0] : centre + columns[1] + 1] = True
    spiral |= spiral[::-1, ::-1]
    both = np.stack([spiral, spiral])
    both[1, centre, centre] = False
    both.reshape(-1)[list(flipped)] ^= True
    return both


ROOMS = {"rule": ByRule, "hand": ByHand, "figures": Figures}
