"""What tests of several processes share."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

Launch = Callable[..., subprocess.CompletedProcess]


@pytest.fixture(scope="session")
def torchrun() -> Launch:
    """Run ``python PROGRAM...`` in several processes of one thread; keywords are environment variables.

    ``within`` is a command that runs a command. ``nodes`` is how many torchruns meet, each with ``n`` processes;
    what the first that failed said is returned, else what the first said.
    """

    def launch(
        n: int, *program: str | Path, restarts: int = 0, within: Sequence[str | Path] = (), nodes: int = 1,
        **variables: str,
    ) -> subprocess.CompletedProcess:  # fmt: skip
        environment = {**os.environ, "OMP_NUM_THREADS": "1", **variables}
        meeting = ["--standalone"] if nodes == 1 else [f"--nnodes={nodes}", "--rdzv-backend=c10d", *_endpoint()]
        options = [*meeting, f"--nproc-per-node={n}", f"--max-restarts={restarts}"]
        command = [*map(str, within), sys.executable, "-m", "torch.distributed.run", *options, *map(str, program)]

        def run(_: int) -> subprocess.CompletedProcess:
            return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)

        with ThreadPoolExecutor(nodes) as pool:
            runs = list(pool.map(run, range(nodes)))
        return next((run for run in runs if run.returncode), runs[0])

    return launch


def _endpoint() -> list[str]:
    """Return where several torchruns on this machine may meet."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return [f"--rdzv-endpoint=127.0.0.1:{free.getsockname()[1]}"]
