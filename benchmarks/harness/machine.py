"""What the machine is and what it can do: its matrix products and its memory, measured.

``python -m benchmarks.harness.machine`` prints the rates as JSON; the runner calls it with the
same threads that the peers get.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

PACKAGES = ("glassnet", "numpy", "torch", "numba", "scikit-learn")
PEERS = ("jax", "jaxlib", "equinox", "keras", "lightning", "skorch", "torchlens", "hopfieldnetwork", "learnergy")
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
WAITING_VARIABLES = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")


def environment(threads: int) -> dict[str, str]:
    """Return the environment variables of every process: equal threads for all.

    Besides, the runner keeps every process on ``threads`` cores, which also limits the libraries
    that read none of these variables. How long a waiting thread spins is left to each library.
    """
    inherited = {name: value for name, value in os.environ.items() if name not in WAITING_VARIABLES}
    return {**inherited, **dict.fromkeys(THREAD_VARIABLES, str(threads)), "JAX_PLATFORMS": "cpu"}


def description(threads: int) -> dict[str, Any]:
    """Return processor, threads and versions."""
    return {"cpu": _cpu(), "cores": os.cpu_count(), "threads": threads, "system": platform.system(), **_versions()}


def file_version(path: Path) -> str:
    """Return the last commit of a file, or, where it stands in no git checkout, the name that git has for its bytes."""
    command = ["git", "-C", str(path.parent), "log", "-1", "--format=%H", "--", path.name]
    try:
        commit = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except FileNotFoundError:  # no git
        commit = ""
    data = path.read_bytes()
    blob = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
    return f"commit {commit}" if commit else f"blob {blob}"


def load_average() -> float | None:
    """Return how many processes wanted to run in the last minute; None where it is not told."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def rates() -> dict[str, float]:
    """Return the best rates seen: float32 matrix products (GFLOP/s), copying in memory (GB/s)."""
    n = 1536
    a, b, c = (np.ones((n, n), np.float32) for _ in range(3))
    source, target = (np.ones(1 << 25, np.float32) for _ in range(2))  # 128 MB each
    return {
        "matmul_gflops": round(2e-9 * n**3 / _best(lambda: np.matmul(a, b, out=c)), 1),
        "memory_gb_per_s": round(2e-9 * source.nbytes / _best(lambda: np.copyto(target, source)), 1),
    }


def _best(work: Callable[[], object], repeats: int = 40) -> float:
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def _versions() -> dict[str, dict[str, str]]:
    found = {"python": platform.python_version()}
    for package in PACKAGES + PEERS:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return {"versions": found}


if __name__ == "__main__":
    json.dump(rates(), sys.stdout)
