"""When kernels are ready, and that nothing needs the compiler once they are."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from glassnet import AdalineRegressor, HopfieldNetwork, MLPClassifier, MLPRegressor, Perceptron
from glassnet.errors import DivergedError
from glassnet.learning import compiled, kernels
from glassnet.learning.backprop_numpy import NumpyEngine
from glassnet.learning.kernel_engine import compile_kernels

CALLED = (kernels.dense_steps, kernels.perceptron_steps, kernels.lms_steps, kernels.hopfield_sweep)

COLD_FIT = """
import time
import glassnet
start = time.perf_counter()
net = glassnet.MLPClassifier((4,), max_iter=5, tol=None).fit([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0])
print(net.engine_)
import sys
from glassnet.learning import compiled
print({"torch", "numba"} & set(sys.modules))
compiled.stop_compiler()
"""


def test_compiling_ahead_leaves_nothing_to_compile():
    compile_kernels()
    before = [dict(kernel.stats.cache_misses) for kernel in CALLED]
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(20, 3)), rng.integers(2, size=20)
    for precision in ("float32", "float64"):
        nets = (Perceptron(), Perceptron("averaged"), AdalineRegressor(), MLPClassifier((3,), max_iter=2, tol=None))
        for net in nets:
            assert net.set_params(precision=precision).fit(X, y).engine_ == "kernel"
            net.fit(X, y, sample_weight=rng.random(20))
    MLPClassifier((3,), solver="sgd", batch_size=4, learning_rate="cosine", max_iter=2, tol=None).fit(X, y)
    patterns = np.sign(rng.normal(size=(2, 40)))
    HopfieldNetwork().fit(patterns).predict(patterns)
    assert [dict(kernel.stats.cache_misses) for kernel in CALLED] == before  # all were in the cache
    assert all(kernel.signatures for kernel in CALLED)


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_until_kernels_are_there_a_diverging_fit_ends_with_words_too(precision, monkeypatch):
    monkeypatch.setattr(compiled, "ready", lambda: False)
    net = MLPRegressor((), solver="sgd", learning_rate_init=50.0, precision=precision, tol=None, random_state=0)
    with pytest.raises(DivergedError, match=r"at step \d+.*learning_rate_init"):
        net.fit(np.eye(9) * 100, np.arange(9.0))
    assert isinstance(net.state_.engine, NumpyEngine)


def test_a_first_fit_with_an_empty_cache_runs_on_the_formula_without_torch_or_numba(tmp_path):
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", COLD_FIT], env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.stdout.split() == ["formula", "set()"], done.stderr


def test_only_one_process_compiles(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    with compiled.alone(wait=True) as first, compiled.alone(wait=False) as second:
        assert (first, second) == (True, False)
        compile_kernels(wait=False)
        assert not compiled.is_compiled()
    with compiled.alone(wait=False) as third:
        assert third


def test_who_wants_kernels_now_does_not_wait_for_the_slow_compiler(tmp_path):
    code = COLD_FIT.replace(
        "compiled.stop_compiler()",
        """
slow = compiled._compiling
assert slow.poll() is None
net.set_params(engine="kernel").fit([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0])
assert compiled._compiling is None and slow.returncode, slow.returncode
with compiled.alone(wait=False) as alone:  # the lock went with it
    print(net.engine_, alone)
""",
    )
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=600)
    assert done.stdout.split("\n")[-2] == "kernel True", done.stderr
