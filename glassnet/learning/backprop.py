"""Backpropagation of dense networks, written out (Rumelhart, Hinton and Williams 1986).

Layer l turns h[l-1] into z[l] = W[l] h[l-1] + b[l] and h[l] = f(z[l]). Backwards, with
delta[l] = dL/dz[l]:

    delta[L]   = (output - target) / N
    dL/dW[l]   = delta[l]^T h[l-1],   dL/db[l] = sum of delta[l] over the batch
    delta[l-1] = (delta[l] W[l]) f'(z[l-1])

`glassnet.learning.layers` holds each layer's part of this; here stand the loss, the order
of the layers and the step. This is the formula and the fast path for all but the smallest
networks: torch does the matrix products into arrays that are allocated once, and nothing
is taped.
"""

from __future__ import annotations

import warnings

import numpy as np
import torch
from torch import Tensor

from glassnet.learning.layers import LayerRule, Streams
from glassnet.learning.lbfgs import lbfgs_step
from glassnet.learning.optimizers import Solver, soft_threshold
from glassnet.learning.spec import NetworkSpec
from glassnet.training.batches import Batches
from glassnet.training.state import TrainingState


def squared_error_delta(z: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Return (loss of each sample, N dL/dz) of 1/2 sum_k (z_k - t_k)^2."""
    delta = z - target
    return 0.5 * (delta * delta).sum(1), delta


def binary_cross_entropy_delta(z: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Return (loss of each sample, N dL/dz) of the binary cross-entropy, from logits."""
    loss = torch.log1p(torch.exp(-z.abs())) + z.clamp_min(0) - z * target
    return loss.sum(1), torch.sigmoid(z) - target


def cross_entropy_delta(z: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Return (loss of each sample, N dL/dz) of the cross-entropy, from logits."""
    log_probability = torch.log_softmax(z, 1)
    return -(target * log_probability).sum(1), log_probability.exp_().sub_(target)


LOSS_DELTAS = {
    "squared_error": squared_error_delta,
    "binary_cross_entropy": binary_cross_entropy_delta,
    "cross_entropy": cross_entropy_delta,
}


class BackpropEngine:
    """Makes the steps of a dense network by the written-out rule.

    Parameters
    ----------
    spec : NetworkSpec
    solver : Solver
    X : ndarray of shape (n_samples, n_features)
    target : ndarray of shape (n_samples, n_outputs)
    sample_weight : ndarray of shape (n_samples,) or None
    """

    name = "formula"

    def __init__(
        self, spec: NetworkSpec, solver: Solver, X: np.ndarray, target: np.ndarray, sample_weight: np.ndarray | None
    ):
        self.spec, self.solver = spec, solver
        self.X, self.target = _as_tensor(X), _as_tensor(target)
        self.sample_weight = None if sample_weight is None else _as_tensor(sample_weight)
        self._mean_weight = 1.0 if sample_weight is None else float(sample_weight.mean(dtype=np.float64))
        self.rules = [
            LayerRule(layer, n_in, k) for k, (layer, n_in) in enumerate(zip(spec.layers, spec.sizes[:-1], strict=True))
        ]
        self._buffers: dict[int, tuple[Tensor, Tensor]] = {}
        self._gradient = torch.empty(spec.n_parameters, dtype=self.X.dtype)
        self._gradient_views = spec.named(self._gradient)

    @torch.inference_mode()
    def run(self, state: TrainingState, batches: Batches) -> np.ndarray:
        """Make one step per batch; see `glassnet.training.state.Engine`."""
        arrays = {name: torch.from_numpy(array) for name, array in state.arrays.items()}
        indices = torch.from_numpy(batches.indices)
        rates = self.solver.rates(state.step, len(batches)).tolist()
        losses = np.empty(len(batches))
        for i, (start, stop) in enumerate(zip(batches.starts.tolist(), batches.stops.tolist(), strict=True)):
            losses[i] = self._step(arrays, indices[start:stop], Streams(state.seed, state.step + i), rates[i])
        return losses

    def _step(self, arrays: dict[str, Tensor], rows: Tensor, streams: Streams, rate: float) -> float:
        """Make one step on the batch ``rows``; return its mean loss."""
        if self.solver.name == "lbfgs":
            return lbfgs_step(arrays, lambda: self._penalized(arrays, rows, streams))
        loss, n = self._gradients(arrays, rows, streams)
        decoupled = self.solver.name == "adamw"
        if self.solver.alpha and not decoupled:
            for weight, gradient in self._weights(arrays["parameters"]):
                gradient.add_(weight, alpha=self.solver.alpha / n)
        if self.solver.alpha and decoupled:
            for weight, _ in self._weights(arrays["parameters"]):
                weight.mul_(1 - rate * self.solver.alpha)
        self.solver.step(arrays["parameters"], self._gradient, arrays, streams.step + 1, rate)
        if self.solver.l1:
            for weight, _ in self._weights(arrays["parameters"]):
                soft_threshold(weight, rate * self.solver.l1 / n)
        return loss

    def _penalized(self, arrays: dict[str, Tensor], rows: Tensor, streams: Streams) -> tuple[float, float, Tensor]:
        """Return the mean loss, the same with the L2 penalty, and the gradient of the latter."""
        loss, n = self._gradients(arrays, rows, streams)
        penalty = 0.0
        for weight, gradient in self._weights(arrays["parameters"]):
            gradient.add_(weight, alpha=self.solver.alpha / n)
            penalty += 0.5 * self.solver.alpha / n * weight.square().sum().item()
        return loss, loss + penalty, self._gradient

    def _weights(self, parameters: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Return the penalized parameters, which are the weights alone, with their gradients."""
        layers = zip(self.spec.named(parameters), self._gradient_views, strict=True)
        return [(p[name], g[name]) for p, g in layers for name in ("weight", "shortcut") if name in p]

    def gradient(self, arrays: dict[str, np.ndarray], rows: np.ndarray, seed: int = 0) -> tuple[float, np.ndarray]:
        """Return the mean loss of the batch ``rows`` and its gradient, both without penalty."""
        tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
        with torch.inference_mode():
            loss, _ = self._gradients(tensors, torch.from_numpy(rows), Streams(seed, 0))
            return loss, self._gradient.numpy().copy()

    def _gradients(self, arrays: dict[str, Tensor], rows: Tensor, streams: Streams) -> tuple[float, float]:
        """Write the gradient of a batch; return its mean loss and what it was divided by."""
        if len(rows) == len(self.X):  # never shuffled, so nothing is to be gathered
            h, target = self.X, self.target
        else:
            batch, targets = self._batch_buffers(len(rows))
            h = torch.index_select(self.X, 0, rows, out=batch)
            target = torch.index_select(self.target, 0, rows, out=targets)
        parameters = self.spec.named(arrays["parameters"])
        for rule, p, statistics in zip(self.rules, parameters, self.spec.statistics(arrays), strict=True):
            h = rule.forward(h, p, statistics, streams)
        loss, delta = LOSS_DELTAS[self.spec.loss](h, target)
        mean_loss, divisor = self._weigh(loss, delta, rows)
        for k in reversed(range(len(self.rules))):
            below = self.rules[k].backward(delta, parameters[k], self._gradient_views[k], down=k > 0)
            delta = delta if below is None else below
        return mean_loss, divisor

    def _weigh(self, loss: Tensor, delta: Tensor, rows: Tensor) -> tuple[float, float]:
        """Reduce the samples' losses and delta; return the mean loss and what delta was divided by."""
        n = len(rows) * self._mean_weight
        divisor = n if self.spec.reduction == "mean" else self._mean_weight
        if self.sample_weight is None:
            delta.div_(divisor)
            return loss.mean().item(), divisor
        weight = self.sample_weight[rows]
        delta.mul_(weight[:, None] / divisor)
        return (torch.dot(loss, weight) / n).item(), divisor

    def _batch_buffers(self, n: int) -> tuple[Tensor, Tensor]:
        if n not in self._buffers:
            self._buffers[n] = (self.X.new_empty(n, self.X.shape[1]), self.X.new_empty(n, self.target.shape[1]))
        return self._buffers[n]


def _as_tensor(array: np.ndarray) -> Tensor:
    """Return a tensor on the array's memory, which is only read: it may be a read-only memory map."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")
        return torch.from_numpy(array)
