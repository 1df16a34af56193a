"""What compiling costs, apart from all that is measured warm: XOR from starting Python, and all kernels from nothing.

The first workload is whole processes: start Python, import the library, train XOR for 2,000 steps, with whatever the
library keeps from run to run (compiled kernels, JAX's compilation cache). The second has nothing kept.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from functools import partial

from benchmarks.harness.workload import OURS, Check, Run, Workload

XOR = "import json; from benchmarks.xor import {0}; run, check = {0}(); print(json.dumps(check(run())))"
IMPORTS = "import sklearn.base, numba; print('{}')"  # what an estimator and a kernel stand on
KERNELS = "from glassnet.learning.kernel_engine import compile_kernels; compile_kernels(); print('{}')"


def process(command: str, kept: bool) -> tuple[Run, Check]:
    """Run a command in a process of its own; what it prints last says what it has done."""
    folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
    jax = {"JAX_COMPILATION_CACHE_DIR": folder.name, "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"}

    def run() -> str:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as empty:
            caches = jax if kept else {"NUMBA_CACHE_DIR": empty}
            return subprocess.run(
                [sys.executable, "-c", command], env=os.environ | caches, capture_output=True, text=True, check=True
            ).stdout

    def check(printed: str) -> dict[str, object]:
        assert folder.name  # lives as long as this peer
        return json.loads(printed.splitlines()[-1])

    return run, check


WORKLOADS = [
    Workload(
        name="compile warm",
        title="XOR 2-4-2, 2,000 steps, from starting Python, with what earlier runs have compiled",
        peers={
            OURS: partial(process, XOR.format("ours"), True),
            "JAX jit": partial(process, XOR.format("jax"), True),
            "PyTorch": partial(process, XOR.format("pytorch"), True),
        },
        tolerance={"loss": 1e-4},
        at_least=1,
        bounds={"importing scikit-learn and numba": partial(process, IMPORTS, True)},
    ),
    Workload(
        name="compile cold",
        quick=False,
        title="All kernels compiled, from starting Python, with nothing kept",
        peers={OURS: partial(process, KERNELS, False)},
        at_most={OURS: 60},
        rounds=2,
    ),
]
