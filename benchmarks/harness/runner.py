"""Runs a workload: every peer in its own process, in turns, all on the same cores and threads.

In each round every peer does the work once, and the next round starts with another peer, so
that a machine that is busy with something else is busy for all of them. The ratio of a round is the
peer's time / ours; medians over the rounds are stated with the lowest and the highest.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.harness import machine
from benchmarks.harness.workload import OURS, Workload, differences

ROOT = Path(__file__).resolve().parents[2]
# after a turn, seconds in which the threads of the process that had it may fall asleep
PAUSE = 0.02


class BenchmarkFailed(Exception):
    """Our own part of a workload broke, so there is nothing to compare with."""


class Peer:
    """A process that does one peer's part of a workload whenever it is told to."""

    def __init__(self, module: str, workload: Workload, name: str, threads: int):
        self.name, self.turns = name, []
        command = [sys.executable, "-m", "benchmarks.harness.worker", module, workload.name, name]
        self._process = start(command, threads, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.trouble = self._answer()

    def turn(self) -> None:
        """Do the work once."""
        assert self._process.stdin is not None
        self._process.stdin.write("run\n")
        self._process.stdin.flush()
        answer = self._answer()
        self.turns.append(answer) if "seconds" in answer else self.trouble.update(answer)
        time.sleep(PAUSE)

    def close(self) -> None:
        """End the process."""
        self._process.communicate()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        answer = json.loads(line) if line else {"error": f"its process ended with code {self._process.wait()}"}
        return {key: value for key, value in answer.items() if key != "ready"}


def start(command: list[str], threads: int, **options: Any) -> subprocess.Popen:
    """Start a process with so many threads, kept on so many cores where the system can do that."""
    process = subprocess.Popen(command, cwd=ROOT, env=machine.environment(threads), **options)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(process.pid, sorted(os.sched_getaffinity(0))[:threads])
    return process


def measure_rates(threads: int) -> dict[str, float]:
    """Return what the machine can do with so many threads; see `machine.rates`."""
    command = [sys.executable, "-m", "benchmarks.harness.machine"]
    return json.loads(start(command, threads, stdout=subprocess.PIPE).communicate()[0])


def run_workload(
    module: str, workload: Workload, rounds: int, threads: int, rates: dict[str, float], say: Callable[[str], None]
) -> dict[str, Any]:
    """Measure one workload.

    Parameters
    ----------
    module : str
        Where ``workload`` is found by the processes.
    workload : Workload
    rounds : int
        How often each peer does the work.
    threads : int
        Cores and threads of each process.
    rates : dict of str to float
        What the machine can do.
    say : callable
        Takes a line of text about what is being done.

    Returns
    -------
    dict
        The row, ready for JSON.

    Raises
    ------
    BenchmarkFailed
        If our own part breaks.
    """
    began, load = time.perf_counter(), machine.load_average()
    rounds = min(rounds, workload.rounds or rounds)
    with ExitStack() as stack:
        peers = []
        for name in (*workload.peers, *workload.bounds):
            say(f"{workload.name}: preparing {name}")
            peers.append(Peer(module, workload, name, threads))
            stack.callback(peers[-1].close)
        for r in range(rounds):
            say(f"{workload.name}: round {r + 1} of {rounds}")
            alive = [peer for peer in peers if not peer.trouble]
            for i in range(len(alive)):
                alive[(r + i) % len(alive)].turn()
    rows = [_row(workload, peer, peers[0]) for peer in peers]
    asked = _asked(workload, rows)
    if not workload.at_most and "seconds" not in rows[0]:
        raise BenchmarkFailed(f"{workload.name}: {OURS}: {rows[0]['trouble']}")
    return {
        "title": workload.title,
        **asked,
        **_bound(workload, asked, rows),
        "steps": workload.steps,
        **({"grows": list(workload.grows)} if workload.grows else {}),
        "rows": rows,
        **_share(workload, rows[0], rates),
        "rounds": rounds,
        "load_average": [load, machine.load_average()],
        "took_seconds": round(time.perf_counter() - began, 1),
    }


def _row(workload: Workload, peer: Peer, ours: Peer) -> dict[str, Any]:
    """Return what is known of one peer; a ratio only if it did the same work as ours."""
    row: dict[str, Any] = {"peer": peer.name}
    if peer.trouble or not peer.turns:
        kind, words = next(iter(peer.trouble.items()), ("error", "no turn was made"))
        return {**row, "trouble": f"{'skipped' if kind == 'missing' else 'failed'}: {words}"}
    row |= {key: spread([turn[key] for turn in peer.turns]) for key in ("seconds", "cpu_seconds")}
    row |= {"peak_mb": round(peer.turns[-1]["peak_bytes"] / 1e6), "work": peer.turns[-1]["work"]}
    if workload.at_most:
        return {**row, "at_most": workload.at_most[peer.name], **_limited(workload.limits.get(peer.name), peer.turns)}
    if peer.name in workload.peers and peer is not ours and ours.turns:
        unequal = differences(ours.turns[-1]["work"], row["work"], workload.tolerance)
        row["unequal"] = unequal
        if not unequal:
            pairs = zip(peer.turns, ours.turns, strict=True)
            row["ratio"] = spread([theirs["seconds"] / mine["seconds"] for theirs, mine in pairs])
    return row


def _limited(limits: dict[str, float] | None, turns: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the largest of each limited figure over the rounds, and its limit."""
    if not limits:
        return {}
    return {"limits": {k: {"is": max(turn["work"][k] for turn in turns), "at_most": v} for k, v in limits.items()}}


def spread(values: list[float]) -> dict[str, float]:
    """Return median, lowest and highest, to four digits.

    Examples
    --------
    >>> spread([3.0, 1.0, 2.0])
    {'median': 2.0, 'min': 1.0, 'max': 3.0}
    """
    return {name: float(f"{f(values):.4g}") for name, f in (("median", median), ("min", min), ("max", max))}


def _asked(workload: Workload, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what was asked for and whether it is met."""
    if workload.at_most:
        done = [row["seconds"]["median"] <= row["at_most"] and _holds(row) for row in rows if "seconds" in row]
        return {"verdict": "met" if len(done) == len(rows) and all(done) else "missed"}
    ratios = {row["peer"]: row["ratio"]["median"] for row in rows if "ratio" in row}
    asked: dict[str, Any] = {"at_least": workload.at_least, "aim": workload.aim}
    if workload.against:
        asked["against"] = list(workload.against)
    named = [ratio for peer, ratio in ratios.items() if peer in (workload.against or ratios)]
    if not named or workload.at_least is None:
        return {**asked, "verdict": "no ratio"}
    if min(named) < workload.at_least or (workload.against and min(ratios.values()) < 1):
        return {**asked, "verdict": "missed"}
    return {**asked, "verdict": "aim met" if workload.aim is not None and min(named) >= workload.aim else "met"}


def _bound(workload: Workload, asked: dict[str, Any], rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Note at each bound the ratio that it leaves; return which of them put what was asked for out of reach."""
    ratios = {
        row["peer"]: row for row in rows if "ratio" in row and row["peer"] in (workload.against or workload.peers)
    }
    bounds = [row for row in rows if row["peer"] in workload.bounds and "seconds" in row]
    if not ratios:
        return {}
    best = min(ratios.values(), key=lambda row: row["ratio"]["median"])
    for row in bounds:
        row["leaves"] = float(f"{best['seconds']['median'] / row['seconds']['median']:.4g}")
    binding = [row["peer"] for row in bounds if row["leaves"] < (workload.at_least or 0)]
    return {"bound_by": binding} if binding and asked["verdict"] == "missed" else {}


def _holds(row: dict[str, Any]) -> bool:
    return all(figure["is"] <= figure["at_most"] for figure in row.get("limits", {}).values())


def _share(workload: Workload, ours: dict[str, Any], rates: dict[str, float]) -> dict[str, float]:
    """Return our share of the machine's matrix-product and memory rates."""
    if "seconds" not in ours:
        return {}
    seconds, shares = ours["seconds"]["median"], {}
    if workload.flops:
        shares["share_of_matmul"] = round(1e-9 * workload.flops / seconds / rates["matmul_gflops"], 3)
    if workload.bytes:
        shares["share_of_memory"] = round(1e-9 * workload.bytes / seconds / rates["memory_gb_per_s"], 3)
    return shares
