"""The deep belief network: layers learned one after the other, which then dream (2006).

Two rooms. Learn: a small network learns here, layer by layer and then all together; its
filters, what each layer keeps of some digits, and its dreams form on the page. Dream: the
network that comes trained is asked for a digit, and its top machine runs, one Gibbs step
at a time.

References
----------
G. E. Hinton, S. Osindero, Y.-W. Teh (2006). A fast learning algorithm for deep belief nets.
Neural Computation 18.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from glassnet.lab.exhibit import Exhibit, Frame, Settings

if TYPE_CHECKING:
    from glassnet.lab.exhibits.dbn_rooms import Room

TRAINED = "dbn-generative-mnist"
N_SHOWN = 48  # filters of a layer
N_DREAMS = 10
N_TRAIN, N_TEST = 2000, 200  # digits of mnist5k that the live network learns from, and is measured on
MOST_GIBBS = 300  # steps of a dream of the trained network
RATES: Any = {"choices": [0.05, 0.1, 0.2, 0.4]}  # the usual ones; any within the bounds is allowed

Digit = Literal["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]


class DbnSettings(Settings):
    """What a visitor can change."""

    mode: Literal["learn", "dream"] = "learn"
    hidden: int = Field(64, ge=16, le=100)
    top: int = Field(128, ge=32, le=256)
    pretrain_iter: int = Field(15, ge=1, le=30)
    max_iter: int = Field(10, ge=1, le=30)
    learning_rate: float = Field(0.2, gt=0, le=1, json_schema_extra=RATES)
    gibbs: int = Field(1, ge=1, le=5)
    seed: int = Field(0, ge=0, le=2**31 - 1)
    digit: Digit = "3"
    dream_steps: int = Field(20, ge=1, le=100)
    dream_seed: int = Field(0, ge=0, le=2**31 - 1)
    sample: int = Field(0, ge=0, le=9)
    look_layer: int = Field(1, ge=1, le=3)
    look_unit: int = Field(1, ge=1, le=N_SHOWN)


class DbnExhibit(Exhibit):
    """A deep belief network that learns, or dreams.

    Examples
    --------
    >>> exhibit = DbnExhibit(DbnSettings(hidden=16, top=32))
    >>> exhibit.step(3)
    >>> exhibit.frame().values["stage"], exhibit.frame().arrays["kept0"].shape
    (0, (10, 28, 28))
    """

    Settings = DbnSettings
    views = frozenset({"digit", "dream_steps", "dream_seed", "sample", "look_layer", "look_unit"})
    export = "replay"

    settings: DbnSettings

    def __init__(self, settings: DbnSettings):
        from glassnet.lab.exhibits.dbn_rooms import ROOMS

        super().__init__(settings)
        self.room: Room = ROOMS[settings.mode](settings)
        self.history: Any = self.room.history

    def step(self, n: int) -> None:
        """Make ``n`` steps of learning or dreaming."""
        super().step(n)
        self.room.catch_up(self.settings)

    def scene(self) -> Frame:
        """Return the digits that are followed through the layers."""
        return self.room.scene()

    def frame(self) -> Frame:
        """Return filters, reconstructions and dreams, with their numbers."""
        return self.room.frame(self.settings)

    def python(self) -> str:
        """Return a script that prints the numbers on screen."""
        return self.room.python(self.settings)
