"""What a claim is: one sentence of a lecture, measured, with the verdict that the numbers give."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, SupportsFloat

import numpy as np

from glassnet.files import write_whole
from glassnet.plots.style import number

Verdict = Literal["holds", "fails", "undecided"]


@dataclass(frozen=True)
class Measured:
    """One number that was measured, and where it has to lie.

    Parameters
    ----------
    what : str
        What the number is.
    value : float
    low, high : float
        The tolerance: the claim holds where the value lies in [low, high]. Both infinite:
        the number is reported and decides nothing.
    spread : float or None
        Standard deviation over the seeds, n - 1 in its divisor; None for a number without
        chance in it.

    Examples
    --------
    >>> Measured("share of seeds", 0.97, low=0.9).expected
    '≥ 0.9'
    >>> about("load", 0.14, 0.138, 0.01).holds
    True
    """

    what: str
    value: float
    low: float = -math.inf
    high: float = math.inf
    spread: float | None = None

    @property
    def holds(self) -> bool:
        """Whether the value lies where it has to; a NaN never does."""
        return bool(self.low <= self.value <= self.high)

    @property
    def expected(self) -> str:
        """Where the value has to lie, in words; empty if it decides nothing."""
        if self.low == self.high:
            return in_words(self.low)
        if self.low > -math.inf and self.high < math.inf:
            return f"{in_words(self.low)} to {in_words(self.high)}"
        if self.low > -math.inf:
            return f"≥ {in_words(self.low)}"
        return f"≤ {in_words(self.high)}" if self.high < math.inf else ""


def in_words(value: float) -> str:
    """Return a number as it is read: whole ones with all their digits, others with three.

    Examples
    --------
    >>> in_words(60_965_224.0), in_words(0.12345), in_words(2e22)
    ('60965224', '0.123', '2e+22')
    """
    if not float(value).is_integer() or abs(value) >= 1e15:
        return number(value)
    return f"{value:.0f}".replace("-", "\N{MINUS SIGN}")


def exactly(what: str, value: SupportsFloat, expected: float) -> Measured:
    """Return a number that has to be ``expected``."""
    return Measured(what, float(value), expected, expected)


def about(what: str, value: SupportsFloat, expected: float, tolerance: float, spread: float | None = None) -> Measured:
    """Return a number that has to lie within ``tolerance`` of ``expected``."""
    return Measured(what, float(value), expected - tolerance, expected + tolerance, spread)


def at_least(what: str, value: SupportsFloat, low: float, spread: float | None = None) -> Measured:
    """Return a number that has to be ``low`` or more."""
    return Measured(what, float(value), low=low, spread=spread)


def at_most(what: str, value: SupportsFloat, high: float, spread: float | None = None) -> Measured:
    """Return a number that has to be ``high`` or less."""
    return Measured(what, float(value), high=high, spread=spread)


def observed(what: str, value: SupportsFloat, spread: float | None = None) -> Measured:
    """Return a number that is only reported."""
    return Measured(what, float(value), spread=spread)


def fresh_seeds(n: int) -> range:
    """Return ``n`` seeds from 100 on.

    For claims whose bounds were set after a look at what seeds from 0 on gave: those seeds
    cannot test them any more, these were run when the bounds stood.

    Examples
    --------
    >>> fresh_seeds(3)
    range(100, 103)
    """
    return range(100, 100 + n)


def spread(values: Any) -> float:
    """Return the standard deviation of ``values``, n - 1 in its divisor.

    Examples
    --------
    >>> round(spread([1.0, 2.0, 3.0]), 6)
    1.0
    """
    return float(np.std(np.asarray(values, dtype=float), ddof=1))


@dataclass(frozen=True)
class Claim:
    """What an experiment found.

    Parameters
    ----------
    source : str
        Whose claim it is: authors, year, where.
    measured : sequence of Measured
    figure : str
        The picture, as SVG.
    seeds : sequence of int
        Those that were run; empty where nothing is left to chance.
    data : dict of str to str
        Data sets by name, with the SHA-256 of what they held.
    note : str
        What the numbers do not say: scale, departures from the source.
    undecided : str
        Why this scale cannot decide; empty if it can.
    expected_verdict : {"holds", "fails", "undecided"}
        Another verdict than this is news, and the command says so by its exit code.
    sentence : str
        The claim; the runner takes it from the first line of the function's docstring.
    curves : dict of str to dict of str to list of float
        What the figure draws, for others who draw it: name of a curve -> quantity -> numbers.
    """

    source: str
    measured: Sequence[Measured]
    figure: str = field(repr=False)
    seeds: Sequence[int] = ()
    data: dict[str, str] = field(default_factory=dict)
    note: str = ""
    undecided: str = ""
    expected_verdict: Verdict = "holds"
    sentence: str = ""
    curves: dict[str, dict[str, list[float]]] = field(default_factory=dict, repr=False)

    @property
    def verdict(self) -> Verdict:
        """Return "holds" where every number lies where it has to."""
        if self.undecided:
            return "undecided"
        return "holds" if all(measured.holds for measured in self.measured) else "fails"

    @property
    def as_expected(self) -> bool:
        """Whether the verdict is the expected one."""
        return self.verdict == self.expected_verdict


@dataclass(frozen=True)
class Scale:
    """How large an experiment is, and where a long one keeps the pieces it has finished.

    Parameters
    ----------
    full : bool
        The source's scale; otherwise smaller data and fewer seeds, within a minute.
    folder : Path or None
        Where pieces are kept; None: nowhere.

    Examples
    --------
    >>> Scale().pick(quick=10, full=1000)
    10
    """

    full: bool = False
    folder: Path | None = None

    @property
    def name(self) -> str:
        """ "full" or "quick"."""
        return "full" if self.full else "quick"

    def pick(self, quick: Any, full: Any) -> Any:
        """Return the one that belongs to this scale."""
        return full if self.full else quick

    def piece(self, name: str, compute: Callable[[], Any]) -> Any:
        """Return what ``compute`` gives, from a file where an interrupted run has left it.

        Parameters
        ----------
        name : str
            Of the piece, different for each piece of a claim.
        compute : callable
            () -> anything that JSON can hold.
        """
        if self.folder is None:
            return compute()
        path = self.folder / f"{name}.json"
        if not path.exists():
            write_whole(path, json.dumps(compute()).encode())
        return json.loads(path.read_text())
