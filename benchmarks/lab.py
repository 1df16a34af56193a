"""The lab under load: one server in a process of its own, visitors in another.

A light visitor plays the playground as it opens, 25 steps a frame, and asks for the next frame when
it has the last. Frames per second follow from the time that all take: 15 each are asked for with
ten visitors, 30 with one. Idle visitors are connected and ask for nothing. Memory is that of the
server's process with visitors whose recorded time has filled its budget. What is left after two
hundred visits, half of them cut off, is counted in threads, open files and memory.
"""

from __future__ import annotations

import asyncio
import atexit
import json
import os
import re
import subprocess
import time
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from benchmarks.cold_start import COMMAND, first_page
from benchmarks.harness.workload import Check, PeerMissing, Run, Workload

STEPS = 25  # of training a frame, the lab's usual speed
FRAMES = 60
IDLE, IDLE_SECONDS = 50, 5.0
CROWD, VISITS = 20, 200
HEAVY = {"networkShape": [8] * 6, "solver": "adam", "percTrainData": 90}
REQUESTS = 12  # of as many steps as fit into one, which fill a visitor's record
SETTLING = 10.0  # seconds in which what a visit leaves behind may go


class Lab:
    """A server that runs until this process ends, and what the system says of it."""

    def __init__(self) -> None:
        if not Path("/proc/self/statm").exists():
            raise PeerMissing("a system with /proc, which says what the server takes")
        command = [*COMMAND, "lab", "--no-browser", "--port", "0"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        atexit.register(self.close)
        assert self._process.stdout is not None
        address = re.search(r"http://\S+", self._process.stdout.readline())
        assert address is not None
        self.url = address[0]
        self.folder = Path("/proc", str(self._process.pid))
        asyncio.run(self.visits(1, play, 3))  # what the exhibits stand on is loaded now

    def close(self) -> None:
        """End the server."""
        self._process.terminate()
        self._process.wait()

    @property
    def socket(self) -> str:
        """The address of the playground's WebSocket."""
        return self.url.replace("http", "ws", 1) + "exhibits/playground/ws"

    def cpu_seconds(self) -> float:
        """Processor time that the server has taken."""
        fields = (self.folder / "stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def megabytes(self) -> float:
        """Memory that the server holds."""
        return int((self.folder / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6

    def threads_and_files(self) -> tuple[int, int]:
        """How many threads and open files it has."""
        return len([*(self.folder / "task").iterdir()]), len([*(self.folder / "fd").iterdir()])

    async def visits(self, n: int, visit: Callable[..., Coroutine], *details: Any) -> list[Any]:
        """Let so many visitors in at once; return what each of them says."""
        from websockets.asyncio.client import connect

        async with AsyncExitStack() as stack:
            sockets = [await stack.enter_async_context(connect(self.socket, compression=None)) for _ in range(n)]
            return await asyncio.gather(*(visit(socket, *details) for socket in sockets))


async def ask(socket: Any, do: str, **details: Any) -> dict[str, Any]:
    """Send a request; return the header of its reply."""
    from glassnet.lab.protocol import unpack

    await socket.send(json.dumps({"id": 1, "do": do, **details}))
    header = unpack(await socket.recv())[0]
    assert "error" not in header, header
    return header


async def play(socket: Any, frames: int, settings: dict[str, Any] | None = None, steps: int = STEPS) -> int:
    """Open the playground and play it; return the step reached."""
    header = await ask(socket, "open", settings=settings or {})
    for _ in range(frames):
        header = await ask(socket, "step", n=steps)
    return header["time"]["step"]


def frames_for(visitors: int, frames: int) -> tuple[Run, Check]:
    """Let visitors play at the same time."""
    lab = Lab()

    def run() -> tuple[list[int], float]:
        start = time.perf_counter()
        steps = asyncio.run(lab.visits(visitors, play, frames))
        return steps, time.perf_counter() - start

    def check(result: tuple[list[int], float]) -> dict[str, Any]:
        steps, seconds = result
        figures = {"frames a second each": round(frames / seconds, 1), "steps": min(steps)}
        return {"visitors": len(steps), "frames": frames, **figures}

    return run, check


def warm_exhibit() -> tuple[Run, Check]:
    """Load an exhibit's page with all its modules, and open it, on a server that has shown it before."""
    lab = Lab()

    def run() -> int:
        seen: set[str] = set()
        todo = [f"{lab.url}exhibits/playground", f"{lab.url}static/page.js", f"{lab.url}exhibits/playground.js"]
        while todo:
            seen.add(address := todo.pop())
            text = urlopen(address).read().decode()
            names = re.findall(r'from "(?:\./|\.\./static/)(\w+\.js)"', text)
            todo += [new for name in names if (new := f"{lab.url}static/{name}") not in {*seen, *todo}]
        asyncio.run(lab.visits(1, play, 1))
        return len(seen)

    return run, lambda n_files: {"files": n_files}


def idle() -> tuple[Run, Check]:
    """Let visitors open the playground and then do nothing."""
    lab = Lab()

    async def visits() -> list[float]:
        everyone = asyncio.Barrier(IDLE)

        async def stay(socket: Any) -> float:
            await ask(socket, "open", settings={})
            await everyone.wait()
            before = lab.cpu_seconds()
            await asyncio.sleep(IDLE_SECONDS)
            return lab.cpu_seconds() - before

        return await lab.visits(IDLE, stay)

    return lambda: asyncio.run(visits()), lambda spent: {
        "visitors": len(spent),
        "processor seconds": round(max(spent), 3),
    }


def memory() -> tuple[Run, Check]:
    """Let visitors train a large network until the record of each is full, and stay.

    Each run has a new server: an old one holds memory that earlier visitors have left free.
    """

    async def fill(lab: Lab, socket: Any) -> float:
        await play(socket, REQUESTS, HEAVY, 100_000)
        return lab.megabytes()

    def run() -> float:
        lab = Lab()
        asyncio.run(lab.visits(1, play, REQUESTS, HEAVY, 100_000))
        before = lab.megabytes()
        after = max(asyncio.run(lab.visits(CROWD, partial(fill, lab))))
        lab.close()
        return (after - before) / CROWD

    return run, lambda megabytes: {"visitors": CROWD, "MB a visitor": round(megabytes, 2)}


def leaks() -> tuple[Run, Check]:
    """Let visitors come and go one after the other, every second one cut off with an answer on its way."""
    lab = Lab()

    async def cut_off(socket: Any) -> None:
        await play(socket, 1)
        await socket.send(json.dumps({"id": 2, "do": "step", "n": STEPS}))
        socket.transport.abort()

    def visit(n: int) -> None:
        for i in range(n):
            asyncio.run(lab.visits(1, *((cut_off,) if i % 2 else (play, 1))))

    visit(20)

    def run() -> dict[str, float]:
        before, megabytes = lab.threads_and_files(), lab.megabytes()
        visit(VISITS)
        deadline = time.perf_counter() + SETTLING
        while any(a > b for a, b in zip(lab.threads_and_files(), before, strict=True)):
            if time.perf_counter() > deadline:
                break
            time.sleep(0.1)
        threads, files = (a - b for a, b in zip(lab.threads_and_files(), before, strict=True))
        return {"threads more": threads, "files more": files, "MB more": round(lab.megabytes() - megabytes, 1)}

    return run, lambda left: {"visits": VISITS, **left}


FRAMES_OF: dict[str, Any] = {
    "first page, cold": first_page,
    "an exhibit on a warm server": warm_exhibit,
    "one visitor, 60 frames": partial(frames_for, 1, FRAMES),
    "ten visitors, 60 frames each": partial(frames_for, 10, FRAMES),
    "thirty visitors, 30 frames each": partial(frames_for, 30, FRAMES // 2),
}
VISITORS: dict[str, Any] = {"fifty idle visitors, 5 s": idle, "memory of 20 visitors": memory, "200 visits": leaks}
LIMITS: tuple[dict[str, float], ...] = (
    {"processor seconds": 0.05},
    {"MB a visitor": 3.0},
    {"threads more": 0, "files more": 0, "MB more": 10.0},
)

WORKLOADS = [
    Workload(
        name="lab_frames",
        title="The lab: first page, an exhibit, frames of one, ten and thirty visitors",
        peers=FRAMES_OF,
        at_most=dict(zip(FRAMES_OF, (1.0, 1.0, FRAMES / 30, FRAMES / 15, 6.0), strict=True)),
    ),
    Workload(
        name="lab_visitors",
        quick=False,
        title="The lab: what idle visitors cost, memory of a visitor, what visits leave behind",
        peers=VISITORS,
        at_most=dict.fromkeys(VISITORS, 120.0),
        limits=dict(zip(VISITORS, LIMITS, strict=True)),
    ),
]
