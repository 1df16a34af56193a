"""The Hopfield network: a memory whose contents are valleys of an energy (1982).

Two rooms. Memory: patterns that a visitor draws are stored, one of them is corrupted, and
the network goes down its energy, one unit at a time. Tour: a network of n x n units goes
down to a round trip through n cities.

References
----------
J. J. Hopfield (1982). Neural networks and physical systems with emergent collective
computational abilities. PNAS 79.
J. J. Hopfield, D. W. Tank (1985). "Neural" computation of decisions in optimization problems.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from glassnet.lab.exhibit import Exhibit, Frame, Settings

if TYPE_CHECKING:
    from glassnet.lab.exhibits.hopfield_rooms import Room
    from glassnet.lab.recording import Course

SIDE = 10
N_UNITS = SIDE * SIDE
MOST_PATTERNS, MOST_CITIES = 12, 16
RESTARTS, N_STEPS = 20, 400  # of the tour

_LETTERS = """
.......... ...####... ..........
.########. ..######.. .##....##.
.########. .##....##. .##....##.
....##.... .##....##. .##....##.
....##.... .##....##. .########.
....##.... .##....##. .########.
....##.... .##....##. .##....##.
....##.... .##....##. .##....##.
....##.... ..######.. .##....##.
.......... ...####... ..........
"""


def to_hex(pattern: np.ndarray) -> str:
    """Write 100 values, of which those above 0 are on, as 25 hexadecimal digits.

    Examples
    --------
    >>> to_hex(np.ones(100))
    'fffffffffffffffffffffffff'
    """
    bits = "".join("1" if value > 0 else "0" for value in np.ravel(pattern))
    return f"{int(bits, 2):0{N_UNITS // 4}x}"


def from_hex(text: str) -> np.ndarray:
    """Read 25 hexadecimal digits as values -1 and +1, shape (100,), float32."""
    bits = np.array(list(f"{int(text, 16):0{N_UNITS}b}")) == "1"
    return np.where(bits, 1, -1).astype(np.float32)


def _letters() -> tuple[str, ...]:
    columns = zip(*(line.split() for line in _LETTERS.split("\n") if line), strict=True)
    return tuple(to_hex(np.array([character == "#" for row in rows for character in row])) for rows in columns)


_Picture = Annotated[str, Field(pattern=f"^[0-9a-f]{{{N_UNITS // 4}}}$")]


class HopfieldSettings(Settings):
    """What a visitor can change."""

    mode: Literal["memory", "tour"] = "memory"
    patterns: tuple[_Picture, ...] = Field(_letters(), min_length=1, max_length=MOST_PATTERNS)
    source: int = Field(1, ge=1, le=MOST_PATTERNS)
    corruption: int = Field(25, ge=0, le=50)  # per cent
    probe: str = Field("", max_length=N_UNITS // 4, pattern=f"^([0-9a-f]{{{N_UNITS // 4}}})?$")
    rule: Literal["hebb", "storkey", "pseudo-inverse"] = "hebb"
    update: Literal["asynchronous", "synchronous"] = "asynchronous"
    seed: int = Field(0, ge=0, le=2**31 - 1)
    cities: tuple[Annotated[float, Field(ge=0, le=1)], ...] = Field((), max_length=2 * MOST_CITIES)
    n_cities: int = Field(10, ge=3, le=MOST_CITIES)
    restart: int = Field(1, ge=1, le=RESTARTS)

    @model_validator(mode="after")
    def _fits(self) -> HopfieldSettings:
        if self.source > len(self.patterns):
            raise ValueError(f"Pattern {self.source} is not stored; there are {len(self.patterns)}.")
        if self.cities and (len(self.cities) < 6 or len(self.cities) % 2):
            raise ValueError("Cities are pairs x, y; keep at least three of them.")
        return self

    def corrupted(self) -> np.ndarray:
        """Return the state that recall starts from, (100,): drawn, or a pattern with units flipped at random."""
        if self.probe:
            return from_hex(self.probe)
        n_flipped = round(N_UNITS * self.corruption / 100)
        state = from_hex(self.patterns[self.source - 1])
        state[np.random.default_rng(self.seed).permutation(N_UNITS)[:n_flipped]] *= -1
        return state

    def places(self) -> np.ndarray:
        """Return the cities, (n, 2)."""
        if self.cities:
            return np.reshape(self.cities, (-1, 2))
        return np.random.default_rng(self.seed).random((self.n_cities, 2)).round(2)


class HopfieldExhibit(Exhibit):
    """A Hopfield network on its way down.

    Examples
    --------
    >>> exhibit = HopfieldExhibit(HopfieldSettings(corruption=20))
    >>> exhibit.step(300)
    >>> exhibit.frame().values["overlaps"][0]
    1.0
    """

    Settings = HopfieldSettings
    export = "replay"

    settings: HopfieldSettings
    history: Course

    def __init__(self, settings: HopfieldSettings):
        from glassnet.lab.exhibits.hopfield_rooms import ROOMS

        super().__init__(settings)
        self.room: Room = ROOMS[settings.mode](settings)
        self.history = self.room.history

    def scene(self) -> Frame:
        """Return what stays."""
        return self.room.scene()

    def frame(self) -> Frame:
        """Return what changes."""
        return self.room.frame()

    def python(self) -> str:
        """Return the room's numbers as a script."""
        return self.room.python(self.settings)
