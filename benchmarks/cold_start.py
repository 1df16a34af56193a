"""Cold start: what one waits for before anything happens, each in a fresh process.

``glassnet --help``, ``import glassnet``, the lab's first page (from the command to the page's bytes),
and a first fit with an empty kernel cache, from starting Python to the fitted network.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from functools import partial
from typing import Any
from urllib.request import urlopen

from benchmarks.harness.workload import Check, Run, Workload

COMMAND = [sys.executable, "-c", "import sys; from glassnet.cli.main import main; sys.argv[0] = 'glassnet'; main()"]
FIRST_FIT = """
from glassnet import MLPClassifier
net = MLPClassifier((4,), "tanh", solver="sgd", learning_rate_init=0.5, max_iter=500, tol=None, random_state=0)
print(net.fit([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]).predict([[0, 0], [0, 1], [1, 0], [1, 1]]))
"""


def process(command: list[str], expected: str) -> tuple[Run, Check]:
    """Run a command to its end; it must print what is expected."""

    def run() -> str:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as empty:
            environment = {**os.environ, "NUMBA_CACHE_DIR": empty}
            with subprocess.Popen(
                command, stdout=subprocess.PIPE, text=True, env=environment, start_new_session=True
            ) as started:
                printed = started.communicate()[0]
                with suppress(ProcessLookupError):  # what compiles kernels in the background must not slow the next run
                    os.killpg(started.pid, signal.SIGKILL)
            return printed

    return run, lambda printed: {"printed": expected in printed}


def first_page() -> tuple[Run, Check]:
    """Start the lab, read its first page, end it."""

    def run() -> bytes:
        command = [*COMMAND, "lab", "--no-browser", "--port", "0"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as lab:
            try:
                assert lab.stdout is not None
                address = re.search(r"http://\S+", lab.stdout.readline())
                assert address is not None
                return urlopen(address[0]).read()
            finally:
                lab.terminate()

    return run, lambda page: {"page": b"<html" in page}


def nothing() -> tuple[Run, Check]:
    """Start Python and end it: what the others cannot go below."""
    return process([sys.executable, "-c", "print('up')"], "up")


PEERS: dict[str, Any] = {
    "python itself": nothing,
    "import glassnet": partial(process, [sys.executable, "-c", "import glassnet; print('up')"], "up"),
    "glassnet --help": partial(process, [*COMMAND, "--help"], "Usage"),
    "first page of the lab": first_page,
    "first fit, no compiled kernels": partial(process, [sys.executable, "-c", FIRST_FIT], "[0 1 1 0]"),
}

WORKLOADS = [
    Workload(
        name="cold_start",
        title="From the command to the first answer",
        peers=PEERS,
        at_most=dict(zip(PEERS, (0.3, 0.3, 0.3, 1.0, 2.0), strict=True)),
    )
]
