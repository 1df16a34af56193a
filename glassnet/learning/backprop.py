"""Backpropagation of dense networks, written out (Rumelhart, Hinton and Williams 1986).

Layer l turns h[l-1] into z[l] = W[l] h[l-1] + b[l] and h[l] = f(z[l]). Backwards, with
delta[l] = dL/dz[l]:

    delta[L]   = (output - target) / N
    dL/dW[l]   = delta[l]^T h[l-1],   dL/db[l] = sum of delta[l] over the batch
    delta[l-1] = (delta[l] W[l]) f'(z[l-1])

This is the formula and the fast path for all but the smallest networks: torch does the
matrix products into arrays that are allocated once, and nothing is taped.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from glassnet.learning.activations import LEAKY_SLOPE
from glassnet.learning.optimizers import Solver
from glassnet.learning.spec import NetworkSpec
from glassnet.training.batches import Batches
from glassnet.training.state import TrainingState


def _tanh_delta(delta: Tensor, h: Tensor, scratch: Tensor) -> None:
    delta.addcmul_(torch.mul(delta, h, out=scratch), h, value=-1)  # delta (1 - h^2)


def _sigmoid_delta(delta: Tensor, h: Tensor, scratch: Tensor) -> None:
    delta.mul_(h).addcmul_(delta, h, value=-1)  # delta h (1 - h)


def _relu_delta(delta: Tensor, h: Tensor, scratch: Tensor) -> None:
    delta.mul_(torch.sign(h, out=scratch))  # h >= 0, so its sign is the derivative


def _leaky_relu_delta(delta: Tensor, h: Tensor, scratch: Tensor) -> None:
    delta.mul_(torch.gt(h, 0, out=scratch).mul_(1 - LEAKY_SLOPE).add_(LEAKY_SLOPE))


def _leaky_relu(z: Tensor) -> Tensor:
    return torch.nn.functional.leaky_relu_(z, LEAKY_SLOPE)


# activation -> (z to h, in place; delta times the derivative, in place, from h)
IN_PLACE: dict[str, tuple[Callable[[Tensor], Tensor], Callable[[Tensor, Tensor, Tensor], None]]] = {
    "identity": (lambda z: z, lambda delta, h, scratch: None),
    "tanh": (torch.tanh_, _tanh_delta),
    "sigmoid": (torch.sigmoid_, _sigmoid_delta),
    "relu": (torch.relu_, _relu_delta),
    "leaky_relu": (_leaky_relu, _leaky_relu_delta),
}


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
        self.X, self.target = torch.from_numpy(X), torch.from_numpy(target)
        self.sample_weight = None if sample_weight is None else torch.from_numpy(sample_weight)
        self._buffers: dict[int, _Buffers] = {}
        self._gradient = torch.empty(spec.n_parameters, dtype=self.X.dtype)

    @torch.inference_mode()
    def run(self, state: TrainingState, batches: Batches) -> np.ndarray:
        """Make one step per batch; see `glassnet.training.state.Engine`."""
        tensors = {name: torch.from_numpy(array) for name, array in state.arrays.items()}
        parameters = tensors.pop("parameters")
        weights = self.spec.views(parameters)
        indices = torch.from_numpy(batches.indices)
        losses = np.empty(len(batches))
        for i, (start, stop) in enumerate(zip(batches.starts.tolist(), batches.stops.tolist(), strict=True)):
            losses[i], n = self._gradients(weights, indices[start:stop])
            if self.solver.alpha:
                self._add_decay(weights, n)
            self.solver.step(parameters, self._gradient, tensors, state.step + i + 1)
        return losses

    def gradient(self, parameters: np.ndarray, rows: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the mean loss of the batch ``rows`` and its gradient, both without penalty."""
        with torch.inference_mode():
            loss, _ = self._gradients(self.spec.views(torch.from_numpy(parameters)), torch.from_numpy(rows))
            return loss, self._gradient.numpy().copy()

    def _gradients(self, weights: list[tuple[Tensor, Tensor]], rows: Tensor) -> tuple[float, float]:
        """Write the gradient of a batch; return its mean loss and its total weight."""
        buffers = self._buffers.get(len(rows)) or self._new_buffers(len(rows))
        if len(rows) == len(self.X):  # never shuffled, so nothing is to be gathered
            buffers.h[0], target = self.X, self.target
        else:
            torch.index_select(self.X, 0, rows, out=buffers.h[0])
            target = torch.index_select(self.target, 0, rows, out=buffers.target)
        self._forward(weights, buffers)
        loss, delta = LOSS_DELTAS[self.spec.loss](buffers.h[-1], target)
        mean_loss, n = self._weigh(loss, delta, rows)
        self._backward(weights, buffers, delta)
        return mean_loss, n

    def _forward(self, weights: list[tuple[Tensor, Tensor]], buffers: _Buffers) -> None:
        for layer, (weight, bias) in enumerate(weights):
            z = torch.addmm(bias, buffers.h[layer], weight.t(), out=buffers.h[layer + 1])
            IN_PLACE[self.spec.activations[layer]][0](z)

    def _weigh(self, loss: Tensor, delta: Tensor, rows: Tensor) -> tuple[float, float]:
        """Divide delta by the batch's total weight; return the mean loss and that weight."""
        if self.sample_weight is None:
            delta.div_(len(rows))
            return loss.mean().item(), float(len(rows))
        weight = self.sample_weight[rows]
        n = max(weight.sum().item(), torch.finfo(weight.dtype).tiny)
        delta.mul_(weight[:, None] / n)
        return (torch.dot(loss, weight) / n).item(), n

    def _backward(self, weights: list[tuple[Tensor, Tensor]], buffers: _Buffers, delta: Tensor) -> None:
        gradients = self.spec.views(self._gradient)
        for layer in reversed(range(len(weights))):
            h = buffers.h[layer]
            torch.mm(delta.t(), h, out=gradients[layer][0])
            torch.sum(delta, 0, out=gradients[layer][1])
            if layer:
                delta = torch.mm(delta, weights[layer][0], out=buffers.delta[layer])
                IN_PLACE[self.spec.activations[layer - 1]][1](delta, h, buffers.scratch[layer])

    def _add_decay(self, weights: list[tuple[Tensor, Tensor]], n: float) -> None:
        for (weight, _), (gradient, _) in zip(weights, self.spec.views(self._gradient), strict=True):
            gradient.add_(weight, alpha=self.solver.alpha / n)

    def _new_buffers(self, n: int) -> _Buffers:
        return self._buffers.setdefault(n, _Buffers(self.spec, n, self.X.dtype))


class _Buffers:
    """Arrays for a batch of n samples, allocated once: h[0] is the input, h[-1] the logits."""

    def __init__(self, spec: NetworkSpec, n: int, dtype: torch.dtype):
        def new(units: int) -> Tensor:
            return torch.empty(n, units, dtype=dtype)

        self.h = [new(units) for units in spec.sizes]
        self.delta = [new(units) for units in spec.sizes]
        self.scratch = [new(units) for units in spec.sizes]
        self.target = new(spec.sizes[-1])
