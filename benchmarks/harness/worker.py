"""One peer in its own process: prepares, warms up, then does the work at each line it reads.

Started by the runner as ``python -m benchmarks.harness.worker MODULE WORKLOAD PEER``. Answers
are JSON lines on standard output; whatever a library prints goes to standard error.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
import time
import traceback
from typing import Any, TextIO

from threadpoolctl import threadpool_limits

from benchmarks.harness.workload import OURS, Check, PeerMissing, Run, Workload


def main() -> None:
    """Prepare, answer, then serve runs until standard input ends."""
    module, name, peer = sys.argv[1:]
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    workload = next(w for w in importlib.import_module(module).WORKLOADS if w.name == name)
    try:
        run, check = {**workload.peers, **workload.bounds}[peer]()
        run()  # what is compiled at the first call is compiled now
    except (PeerMissing, ModuleNotFoundError) as error:
        if peer == OURS:
            raise
        return _answer(answers, missing=str(error))
    except Exception as error:
        traceback.print_exc()
        return _answer(answers, error=f"{type(error).__name__}: {error}")
    _answer(answers, ready=True)
    for _ in sys.stdin:
        _answer(answers, **_turn(workload, run, check))


def _turn(workload: Workload, run: Run, check: Check) -> dict[str, Any]:
    """Do the work ``workload.runs`` times; return the seconds of one run and what was done."""
    result, cpu, start = None, time.process_time(), time.perf_counter()
    for _ in range(workload.runs):
        result = run()
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    with threadpool_limits(1, "blas"):  # idle BLAS threads would spin for a while, in the next peer's turn
        done = check(result)
    return {
        "seconds": seconds / workload.runs,
        "cpu_seconds": cpu / workload.runs,
        "work": done,
        "peak_bytes": _peak_bytes(),
    }


def _peak_bytes() -> int:
    """Return the most memory that this process, or one it started, has held."""
    unit = 1 if sys.platform == "darwin" else 1024
    return unit * max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def _answer(answers: TextIO, **message: Any) -> None:
    answers.write(json.dumps(message) + "\n")


if __name__ == "__main__":
    main()
