"""Whether a fit can run on the compiled kernels: what they cover, and whether they are compiled.

Compiling takes some twenty seconds, once per machine: `make` and ``python -m
glassnet.learning.kernels`` do it ahead. Where it has not been done, the first fit starts it in the
background, in a process of its own (numba takes hold of sys.stdout while it compiles) and at low
priority, and itself runs on the written-out rule. Nothing here imports numba, which would take
longer than a small fit.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path

from glassnet.errors import InvalidInputError
from glassnet.learning.optimizers import Solver
from glassnet.learning.spec import NetworkSpec

ACTIVATION_CODES = {"identity": 0, "tanh": 1, "sigmoid": 2, "relu": 3, "leaky_relu": 4}
LOSS_CODES = {"squared_error": 0, "binary_cross_entropy": 1, "cross_entropy": 2}
SOLVER_CODES = {"sgd": 0, "adam": 1}
# above this many parameters the matrix products of the written-out rule, on two threads, are faster
MAX_PARAMETERS = 100_000

SOURCES = ("kernels.py", "kernels_lanes.py")
COMPILE = (
    "import os; getattr(os, 'nice', id)(10); from glassnet.learning.kernel_engine import compile_kernels as c; c(False)"
)
_ready = False
_compiling: subprocess.Popen | None = None


def supports(spec: NetworkSpec, solver: Solver) -> bool:
    """Return whether the kernels serve this network and solver and are the fast choice for them.

    Examples
    --------
    >>> from glassnet.learning.spec import Layer
    >>> supports(NetworkSpec(2, (Layer(4, "tanh"), Layer(1, "identity")), "squared_error"), Solver("adam"))
    True
    """
    return spec.n_parameters <= MAX_PARAMETERS and not _beyond(spec, solver)


def check_runs(spec: NetworkSpec, solver: Solver) -> None:
    """Raise InvalidInputError, saying why, if the kernels cannot run this network and solver at all."""
    if reason := _beyond(spec, solver):
        raise InvalidInputError(f"engine='kernel' cannot run {reason}; take engine='auto' or 'formula'.")


def _beyond(spec: NetworkSpec, solver: Solver) -> str:
    """Return what about this network and solver no kernel covers; empty if all is covered."""
    if not spec.plain:
        return "layers with normalization, dropout, noise, local connectivity or a residual"
    if unknown := set(spec.activations) - set(ACTIVATION_CODES):
        return f"the activation {unknown.pop()!r}"
    if solver.name not in SOLVER_CODES:
        return f"the solver {solver.name!r}"
    return "l1 or clip_norm" if solver.l1 or solver.clip_norm is not None else ""


def ready() -> bool:
    """Return whether the kernels can be used without waiting for the compiler; start it if they cannot."""
    global _ready, _compiling
    _ready = _ready or is_compiled()
    if not _ready and _compiling is None:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        silent = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
        _compiling = subprocess.Popen([sys.executable, "-c", COMPILE], env=environment, **silent)
    return _ready


@contextmanager
def alone(wait: bool) -> Iterator[bool]:
    """Be the only process that compiles: wait for it, or be told whether one is. Where nobody can write, all are."""
    if wait:
        stop_compiler()
    try:
        import fcntl

        folder = next(folder for folder in _folders() if _is_writable(folder))
    except (ImportError, StopIteration):
        yield True
        return
    with open(folder / "glassnet-kernels.lock", "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
            return
        yield True  # closing the file gives the lock back


def _is_writable(folder: Path) -> bool:
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        return os.access(folder, os.W_OK)
    return False


def stop_compiler() -> None:
    """End the compiler that `ready` has started: it runs at low priority, and kernels are wanted now.

    What it has compiled stays in numba's cache; two that write there at once may mix it up.
    """
    global _compiling
    if _compiling is not None:
        _compiling.terminate()
        _compiling.wait()
        _compiling = None


def is_compiled() -> bool:
    """Return whether numba's cache holds these very kernels, for this processor."""
    for marker in _markers():
        with suppress(OSError):
            return marker.read_text() == fingerprint()
    return False


def note_compiled() -> None:
    """Write down that numba's cache holds these kernels."""
    for marker in _markers():
        with suppress(OSError):
            marker.parent.mkdir(parents=True, exist_ok=True)
            marker.write_text(fingerprint())
            return


def fingerprint() -> str:
    """Return what compiled kernels depend on: their text, numba and the processor."""
    stats = [Path(__file__).with_name(name).stat() for name in SOURCES]
    return " ".join([version("numba"), _processor(), *(f"{s.st_mtime_ns} {s.st_size}" for s in stats)])


def _processor() -> str:
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next((line for line in lines if line.startswith("model name")), platform.machine())
    return f"{platform.processor()} {platform.machine()}"


def _markers() -> list[Path]:
    """Return where the note may lie."""
    return [folder / "glassnet-kernels-compiled.txt" for folder in _folders()]


def _folders() -> list[Path]:
    """Return the folder beside numba's cache and, if nobody may write there, the user's."""
    if chosen := os.environ.get("NUMBA_CACHE_DIR"):
        return [Path(chosen)]
    return [Path(__file__).with_name("__pycache__"), Path.home() / ".cache" / "glassnet"]
