"""What tests of several processes share."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

Launch = Callable[..., subprocess.CompletedProcess]


@pytest.fixture(scope="session")
def torchrun() -> Launch:
    """Run ``python PROGRAM...`` in several processes of one thread; keywords are environment variables.

    ``within`` is a command that runs a command.
    """

    def launch(
        n: int, *program: str | Path, restarts: int = 0, within: Sequence[str | Path] = (), **variables: str
    ) -> subprocess.CompletedProcess:
        environment = {**os.environ, "OMP_NUM_THREADS": "1", **variables}
        options = ["--standalone", f"--nproc-per-node={n}", f"--max-restarts={restarts}"]
        command = [*map(str, within), sys.executable, "-m", "torch.distributed.run", *options, *map(str, program)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)

    return launch
