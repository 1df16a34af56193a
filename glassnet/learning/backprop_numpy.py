"""Backpropagation of plain layers in NumPy: what a first fit runs on while the kernels are compiled.

The same rule as in `glassnet.learning.backprop`, for the networks and solvers that the kernels
serve. It is here because importing torch takes longer than a small fit.
"""

from __future__ import annotations

import numpy as np

from glassnet.learning.activations import ACTIVATIONS
from glassnet.learning.losses import LOSSES
from glassnet.learning.optimizers import SLOTS, Solver
from glassnet.learning.spec import NetworkSpec
from glassnet.training.batches import Batches
from glassnet.training.state import TrainingState


class NumpyEngine:
    """Makes the steps of a dense network by the written-out rule, without torch.

    Parameters are those of `glassnet.learning.backprop.BackpropEngine`.
    """

    name = "formula"

    def __init__(
        self, spec: NetworkSpec, solver: Solver, X: np.ndarray, target: np.ndarray, sample_weight: np.ndarray | None
    ):
        self.spec, self.solver, self.X, self.target = spec, solver, X, target
        self._mean_weight = 1.0 if sample_weight is None else float(sample_weight.mean(dtype=np.float64))
        self._share = np.ones(len(X), X.dtype) if sample_weight is None else sample_weight / self._mean_weight

    @np.errstate(over="ignore", invalid="ignore")  # whoever runs the engine looks at the losses
    def run(self, state: TrainingState, batches: Batches) -> np.ndarray:
        """Make one step per batch; see `glassnet.training.state.Engine`."""
        losses, descend = np.empty(len(batches)), sgd_step if self.solver.name == "sgd" else adam_step
        rates = self.solver.rates(state.step, len(batches)).tolist()
        slots = [state.arrays[name] for name in SLOTS[self.solver.name]]
        for i, (start, stop) in enumerate(zip(batches.starts, batches.stops, strict=True)):
            with np.errstate(over="ignore", invalid="ignore"):  # the loop says by name that a loss diverged
                losses[i], gradient = self._gradient(state.arrays["parameters"], batches.indices[start:stop])
                descend(state.arrays["parameters"], gradient, slots, state.step + i + 1, rates[i], self.solver)
        return losses

    def _gradient(self, parameters: np.ndarray, rows: np.ndarray) -> tuple[float, np.ndarray]:
        """Return a batch's mean loss and the gradient with its penalty."""
        layers, functions = self.spec.views(parameters), [ACTIVATIONS[name] for name in self.spec.activations]
        gradient = np.empty_like(parameters)
        z, h = [], [self.X[rows]]
        for (weight, bias), f in zip(layers, functions, strict=True):
            z.append(h[-1] @ weight.T + bias)
            h.append(f.value(z[-1]))
        loss, output = LOSSES[self.spec.loss]
        share, target = self._share[rows], self.target[rows]
        divisor = len(rows) if self.spec.reduction == "mean" else 1
        delta = (output(h[-1]) - target) * (share / divisor)[:, None]
        mean_loss = float((share * loss(h[-1], target)).mean())
        decay = self.solver.alpha / (divisor * self._mean_weight)
        for k, (of_weight, of_bias) in reversed([*enumerate(self.spec.views(gradient))]):
            delta = delta * functions[k].derivative(z[k])
            of_weight[...] = delta.T @ h[k] + decay * layers[k][0]
            of_bias[...] = delta.sum(0)
            delta = delta @ layers[k][0]
        return mean_loss, gradient


def sgd_step(
    parameters: np.ndarray, gradient: np.ndarray, slots: list[np.ndarray], step: int, rate: float, solver: Solver
) -> None:
    """Make one step as `glassnet.learning.optimizers.sgd_step` does, in place."""
    (velocity,) = slots
    if not solver.momentum:
        parameters -= rate * gradient
        return
    velocity *= solver.momentum
    velocity -= rate * gradient
    parameters += solver.momentum * velocity - rate * gradient if solver.nesterov else velocity


def adam_step(
    parameters: np.ndarray, gradient: np.ndarray, slots: list[np.ndarray], step: int, rate: float, solver: Solver
) -> None:
    """Make one step as `glassnet.learning.optimizers.adam_step` does, in place."""
    m, v = slots
    m += (1 - solver.beta_1) * (gradient - m)
    v += (1 - solver.beta_2) * (gradient * gradient - v)
    m_hat, v_hat = m / (1 - solver.beta_1**step), v / (1 - solver.beta_2**step)
    parameters -= rate * m_hat / (np.sqrt(v_hat) + solver.epsilon)
