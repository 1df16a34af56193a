"""The perceptron: a line that learns by its mistakes (1958), and what it cannot see (1969).

Three rooms. By the rule: points that a visitor may set, one correction at a time, the
mistakes and their bound, and for classes that no line parts the certificate. By hand: the
same line with handles, its 0-1 loss a staircase beside the soft loss. 1969: two figures
that look alike, one in one piece and one not.

References
----------
F. Rosenblatt (1958). The perceptron. Psychological Review 65, 386-408.
M. Minsky and S. Papert (1969). Perceptrons.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np
from pydantic import BaseModel, Field, model_validator

from glassnet.lab.exhibit import Exhibit, Frame, Settings

if TYPE_CHECKING:
    from glassnet.lab.exhibits.perceptron_rooms import Room

MOST_POINTS = 60
HALF = 3.0  # half the side of the plane in which points are set
FIGURE_SIZE = 13


class PerceptronSettings(Settings):
    """What a visitor can change."""

    mode: Literal["rule", "hand", "figures"] = "rule"
    dataset: Literal["lines", "and", "or", "not", "xor", "own"] = "lines"
    points: tuple[Annotated[float, Field(ge=-HALF, le=HALF)], ...] = Field((), max_length=3 * MOST_POINTS)
    new_point: Literal["first", "second", "erase"] = "second"
    variant: Literal["plain", "averaged", "pocket"] = "plain"
    shuffle: bool = True
    seed: int = Field(0, ge=0, le=2**31 - 1)
    weight1: float = Field(1.0, ge=-2, le=2)
    weight2: float = Field(-0.5, ge=-2, le=2)
    bias: float = Field(0.0, ge=-3, le=3)
    along: Literal["weight1", "weight2", "bias"] = "weight2"
    flipped: tuple[Annotated[int, Field(ge=0, lt=2 * FIGURE_SIZE**2)], ...] = Field((), max_length=40)
    reveal: bool = False

    @model_validator(mode="after")
    def _has_two_classes(self) -> PerceptronSettings:
        if self.dataset == "own":
            labels = self.points[2::3]
            if len(self.points) % 3 or set(labels) != {0, 1}:
                raise ValueError("Points are triples x1, x2, class; keep at least one of each class, 0 and 1.")
        return self

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        """Return X, float32, and y, zeros and ones."""
        from glassnet.data import load

        if self.dataset == "own":
            rows = np.reshape(self.points, (-1, 3))
            return rows[:, :2].astype(np.float32), rows[:, 2].astype(np.int64)
        data = load(self.data_name)
        return data.X_train, data.y_train

    @property
    def data_name(self) -> str:
        """The data set's name in `glassnet.data.load`."""
        return "lines" if self.dataset == "lines" else f"gate-{self.dataset}"


class NextMistake(BaseModel):
    """The question: after which step will the next correction have been made?"""


class PerceptronExhibit(Exhibit):
    """A perceptron in the plane.

    Examples
    --------
    >>> exhibit = PerceptronExhibit(PerceptronSettings())
    >>> exhibit.step(100)
    >>> exhibit.frame().values["wrong"]
    0
    >>> by_hand = PerceptronExhibit(PerceptronSettings(mode="hand"))
    >>> by_hand.frame().values["wrong"]
    7
    """

    Settings = PerceptronSettings
    views = frozenset({"new_point", "weight1", "weight2", "bias", "along", "flipped", "reveal"})
    questions: ClassVar = {"nextMistake": NextMistake}
    export = "replay"
    parallel = 2

    settings: PerceptronSettings

    def __init__(self, settings: PerceptronSettings):
        from glassnet.lab.exhibits.perceptron_rooms import ROOMS

        super().__init__(settings)
        self.room: Room = ROOMS[settings.mode](settings)
        self.history = self.room.history

    def scene(self) -> Frame:
        """Return the points, rows (x1, x2, class); a second input that is not there is 0."""
        X, y = self.settings.data()
        plane = np.pad(X, ((0, 0), (0, 2 - X.shape[1])))
        half = HALF if self.settings.dataset in ("lines", "own") else None
        scene = self.room.scene()
        points = np.column_stack([plane, y]).astype(np.float32)
        return Frame({"half": half, **scene.values}, {"points": points, **scene.arrays})

    def frame(self) -> Frame:
        """Return what the room shows."""
        return self.room.frame(self.settings)

    def answer(self, question: BaseModel) -> Frame:
        """Return the step after the next correction, or None when no mistakes are left."""
        return Frame({"step": self.room.next_mistake()})

    def python(self) -> str:
        """Return the room's numbers as a script."""
        return self.room.python(self.settings)
