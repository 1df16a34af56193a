"""The engines that run on compiled kernels, and the compiling; see `glassnet.learning.compiled`."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np

from glassnet.learning import compiled, kernels
from glassnet.learning.optimizers import SLOTS, Solver
from glassnet.learning.perceptron_rule import VARIANTS, initial_arrays
from glassnet.learning.spec import Layer, NetworkSpec
from glassnet.training.batches import Batches
from glassnet.training.state import TrainingState, aligned

_NONE = np.empty(0, np.float32)
_lock = threading.Lock()


class DenseKernelEngine:
    """Makes the steps of a small dense network by `kernels.dense_steps`.

    Parameters
    ----------
    spec : NetworkSpec
    solver : Solver
    X : ndarray of shape (n_samples, n_features)
    target : ndarray of shape (n_samples, n_outputs)
    sample_weight : ndarray of shape (n_samples,) or None
        All of one dtype, C-contiguous.
    """

    name = "kernel"

    def __init__(
        self, spec: NetworkSpec, solver: Solver, X: np.ndarray, target: np.ndarray, sample_weight: np.ndarray | None
    ):
        compiled.stop_compiler()
        s, dtype = solver, X.dtype
        settings = [s.momentum, s.nesterov, s.beta_1, s.beta_2, s.epsilon]
        self.solver, self.dtype = solver, dtype
        self.slots = SLOTS[solver.name]
        self._data = (X, target, _NONE.astype(dtype) if sample_weight is None else sample_weight)
        self._network = (
            np.array(spec.sizes),
            np.array([compiled.ACTIVATION_CODES[name] for name in spec.activations]),
            compiled.LOSS_CODES[spec.loss],
            spec.reduction == "sum",
            compiled.SOLVER_CODES[solver.name],
        )
        self._settings = (np.array(settings, dtype), float(solver.alpha))
        self._room: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None

    def run(self, state: TrainingState, batches: Batches) -> np.ndarray:
        """Make one step per batch; see `glassnet.training.state.Engine`."""
        losses = np.empty(len(batches))
        rates = self.solver.rates(state.step, len(batches)).astype(self.dtype)
        slots = [state.arrays[name] for name in self.slots]
        learned = (state.arrays["parameters"], slots[0], slots[-1])
        room = self._room_for(state.batch_size)
        kernels.dense_steps(
            *self._data, *batches, *self._network, rates, *self._settings, *learned, state.step + 1, *room, losses
        )
        return losses

    def _room_for(self, batch_size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the arrays that the kernel works in, made once."""
        blocks = -(-batch_size // kernels.LANES) | 1  # odd: rows a power of two apart share places in the cache
        width = blocks * kernels.LANES
        if self._room is None or self._room[0].shape[1] != width:
            sizes = self._network[0]
            h, t = (aligned(np.zeros((height, width), self.dtype)) for height in (sizes.sum(), sizes[-1] + 1))
            self._room = h, aligned(h), t
        return self._room


class PerceptronKernelEngine:
    """Makes the steps of Rosenblatt's rule by `kernels.perceptron_steps`, one sample a step.

    Parameters are those of `glassnet.learning.perceptron_rule.PerceptronEngine`.
    """

    name = "kernel"

    def __init__(
        self,
        X: np.ndarray,
        target: np.ndarray,
        sample_weight: np.ndarray | None,
        learning_rate: float,
        variant: str = "plain",
    ):
        compiled.stop_compiler()
        self._data = (X, target, _NONE.astype(X.dtype) if sample_weight is None else sample_weight)
        self._rule = (X.dtype.type(learning_rate), VARIANTS.index(variant))

    def run(self, state: TrainingState, batches: Batches) -> np.ndarray:
        """Make one step per sample; see `glassnet.training.state.Engine`."""
        mistakes = np.empty(len(batches))
        order = batches.indices[batches.starts]
        weight, bias, kept_weight, kept_bias, counts = (
            state.arrays[name] for name in ("weight", "bias", "kept_weight", "kept_bias", "counts")
        )
        kernels.perceptron_steps(
            *self._data, order, *self._rule, weight, bias, kept_weight, kept_bias, counts, mistakes
        )
        return mistakes


class LMSKernelEngine:
    """Makes the steps of the LMS rule by `kernels.lms_steps`, one sample a step.

    Parameters are those of `glassnet.learning.lms.LMSEngine`.
    """

    name = "kernel"

    def __init__(self, X: np.ndarray, target: np.ndarray, sample_weight: np.ndarray | None, learning_rate: float):
        compiled.stop_compiler()
        self._data = (X, target, _NONE.astype(X.dtype) if sample_weight is None else sample_weight)
        self._learning_rate = X.dtype.type(learning_rate)

    def run(self, state: TrainingState, batches: Batches) -> np.ndarray:
        """Make one step per sample; see `glassnet.training.state.Engine`."""
        losses = np.empty(len(batches))
        order = batches.indices[batches.starts]
        weight, bias = state.arrays["weight"], state.arrays["bias"]
        kernels.lms_steps(*self._data, order, self._learning_rate, weight, bias, losses)
        return losses


def compile_kernels(wait: bool = True) -> None:
    """Compile every kernel for float32 and float64, unless that has been done.

    Parameters
    ----------
    wait : bool
        Whether to wait for another process that compiles them; else it is left to that one.
    """
    with _lock, compiled.alone(wait) as is_alone:
        if is_alone and not compiled.is_compiled():
            for stale in Path(str(kernels.dense_steps.stats.cache_path)).glob("kernels.*.nb[ic]"):
                stale.unlink(missing_ok=True)
            for dtype in (np.float32, np.float64):
                _exercise(dtype)
            compiled.note_compiled()


def _exercise(dtype: type) -> None:
    """Make one step with each kernel: numba compiles what is called."""
    X, target = np.zeros((2, 2), dtype), np.zeros((2, 1), dtype)
    batches = Batches(np.arange(2), np.array([0]), np.array([1]))
    spec = NetworkSpec(2, (Layer(1, "tanh"), Layer(1, "identity")), "squared_error")
    slots = {"velocity": np.zeros(spec.n_parameters, dtype)}
    engine = DenseKernelEngine(spec, Solver(), X, target, None)
    arrays = {"parameters": np.zeros(spec.n_parameters, dtype), **slots}
    engine.run(TrainingState(arrays, engine, 0, 2, 1), batches)
    units = initial_arrays(1, 2, dtype)
    for rule in (PerceptronKernelEngine(X, target, None, 1.0), LMSKernelEngine(X, target, None, 1.0)):
        rule.run(TrainingState(units, rule, 0, 2, 1), batches)
    rows = np.arange(2)
    kernels.hopfield_sweep(np.zeros((2, 2), dtype), X, X.copy(), rows, rows, np.zeros(2, dtype), np.empty(2))
