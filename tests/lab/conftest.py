"""A small exhibit that is not one of the lab's, and a server that shows it."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import numpy as np
import pytest
from pydantic import BaseModel, Field

from glassnet.lab.access import Access
from glassnet.lab.exhibit import Exhibit, Frame, Settings
from glassnet.lab.launcher import listen, server
from glassnet.lab.protocol import unpack
from glassnet.lab.session import Session


class CounterSettings(Settings):
    start_value: int = Field(0, ge=-5, le=5)
    sizes: tuple[int, ...] = Field((), max_length=3)
    colour: str = "red"


class Sum(BaseModel):
    other: int = Field(ge=0, le=9)


class Clock:
    """A recorded time without a network in it."""

    def __init__(self) -> None:
        self.step = self.last = self.epoch = 0

    def advance(self, n: int) -> None:
        self.step += n
        self.last = max(self.last, self.step)

    def seek(self, step: int) -> None:
        self.step = step


class Counter(Exhibit):
    """Counts its steps from a start value."""

    Settings = CounterSettings
    views = frozenset({"colour"})
    questions = {"sum": Sum}  # noqa: RUF012
    seconds_per_step = 0.0
    breaks_at = -1

    def __init__(self, settings: CounterSettings):
        super().__init__(settings)
        if settings.start_value == -5:
            raise RuntimeError("-5 is unlucky")
        self.history = Clock()

    def step(self, n: int) -> None:
        time.sleep(n * self.seconds_per_step)
        if self.history.step <= self.breaks_at < self.history.step + n:
            raise ZeroDivisionError("broken here")
        super().step(n)

    def scene(self) -> Frame:
        return Frame({}, {"sizes": np.array(self.settings.sizes, np.float32)})

    def frame(self) -> Frame:
        value = self.settings.start_value + self.history.step
        return Frame(
            {"value": value, "colour": self.settings.colour}, {"bytes": np.full((2, 3), value % 256, np.uint8)}
        )

    def python(self) -> str:
        return f"print({self.settings.start_value + self.history.step})"

    def answer(self, question: Sum) -> Frame:
        return Frame({"sum": self.settings.start_value + self.history.step + question.other})


class Visitor:
    """Speaks to a session as a page does."""

    def __init__(self, session: Session):
        self.session = session
        self.arrays: dict[str, np.ndarray] = {}

    def __call__(self, do: str, **fields) -> dict:
        header, self.arrays = unpack(self.session.handle(json.dumps({"id": 1, "do": do, **fields})))
        return header


@pytest.fixture
def counter() -> type[Counter]:
    """A class of its own for each test, so that a test may set class attributes."""
    return type("Counter", (Counter,), {})


@pytest.fixture
def visit(counter: type[Counter]) -> Callable[[float], Visitor]:
    """Opens the counter for a visitor with this time budget."""

    def new_visitor(budget: float) -> Visitor:
        visitor = Visitor(Session(counter, budget))
        visitor("open")
        return visitor

    return new_visitor


@pytest.fixture
def visitor(visit: Callable[[float], Visitor]) -> Visitor:
    """A visitor whose requests are never cut short."""
    return visit(30)


@pytest.fixture
def exhibits(counter: type[Counter], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A table of exhibits with the counter in it."""
    monkeypatch.setitem(sys.modules, "counter_exhibit", SimpleNamespace(Counter=counter))
    return {"counter": "counter_exhibit:Counter"}


@pytest.fixture
def lab_port(exhibits: dict[str, str]) -> Iterator[int]:
    """The port of a real server, on this machine only."""
    with listen("127.0.0.1", 0) as listener:
        lab = server(Access.to("127.0.0.1"), exhibits)
        thread = threading.Thread(target=lab.run, kwargs={"sockets": [listener]})
        thread.start()
        yield listener.getsockname()[1]
        lab.should_exit = True
        thread.join(10)
        assert not thread.is_alive()
