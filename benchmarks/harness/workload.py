"""What a benchmark is, as plain data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

# does the work once; what it returns is handed to the check
Run = Callable[[], Any]
# says what was done: {"steps": 2000, "shapes": [...], "loss": 0.01}
Check = Callable[[Any], dict[str, Any]]
# imports its library, builds its data and network, and returns both
Prepare = Callable[[], tuple[Run, Check]]

OURS = "glassnet"


class PeerMissing(Exception):
    """A peer that is not on this machine; the message says what would bring it."""


@dataclass(frozen=True)
class Workload:
    """Some work, and who does it.

    Parameters
    ----------
    name : str
        Unique; the row's key in the results.
    title : str
        What is done, for the table.
    peers : dict of str to callable
        Name -> `Prepare`. The first is glassnet. Every run starts from the same weights, so
        that all of them do the same work.
    tolerance : dict of str to float
        Entries of what the check returns that may differ by this much; every other entry must be
        equal. A peer that differs gets no ratio.
    at_least, aim : float or None
        The ratio, best peer's time / ours, that is asked for, and that is hoped for.
    against : tuple of str
        The peers that ``at_least`` and ``aim`` speak of, all if empty. Any other must only not be faster.
    at_most : dict of str to float
        For work without a peer: the seconds that each may take. Nothing is compared then.
    limits : dict of str to dict of str to float
        For work without a peer, by its name: entries of what its check returns that may be so large
        at most, in every round.
    bounds : dict of str to callable
        Name -> `Prepare` of a part that the work cannot do without, such as its matrix products alone. It takes
        its turns as a peer does, but is none: its row says what ratio would be left if all else took no time.
    quick : bool
        Whether a quick run of everything has it too; it takes long to prepare, or stands beside one like it, if not.
    runs : int
        Runs in a turn: enough for the clock.
    steps : int
        Steps in a run, to state the time of one.
    flops, bytes : float
        Floating-point operations of a run, and bytes it must move to and from memory; the row
        then states the share of what the machine can do.
    """

    name: str
    title: str
    peers: dict[str, Prepare]
    tolerance: dict[str, float] = field(default_factory=dict)
    at_least: float | None = None
    aim: float | None = None
    against: tuple[str, ...] = ()
    at_most: dict[str, float] = field(default_factory=dict)
    limits: dict[str, dict[str, float]] = field(default_factory=dict)
    bounds: dict[str, Prepare] = field(default_factory=dict)
    runs: int = 1
    steps: int = 1
    flops: float = 0.0
    bytes: float = 0.0
    rounds: int | None = None
    quick: bool = True
    grows: tuple[str, float] | None = None


def differences(ours: dict[str, Any], theirs: dict[str, Any], tolerance: dict[str, float]) -> list[str]:
    """Return in words where two pieces of work are not equal; empty if they are.

    Examples
    --------
    >>> differences({"steps": 5, "loss": 0.10}, {"steps": 5, "loss": 0.11}, {"loss": 0.02})
    []
    >>> differences({"steps": 5}, {"steps": 4}, {})
    ['steps: 5 and 4']
    """
    return [
        f"{key}: {ours.get(key)} and {theirs.get(key)}"
        for key in sorted({*ours, *theirs})
        if not _equal(ours.get(key), theirs.get(key), tolerance.get(key))
    ]


def _equal(ours: Any, theirs: Any, tolerance: float | None) -> bool:
    if tolerance is None or ours is None or theirs is None:
        return ours == theirs
    return abs(ours - theirs) <= tolerance  # NaN is equal to nothing
