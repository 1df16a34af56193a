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
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from glassnet.learning.layers import LayerRule, Streams
from glassnet.learning.lbfgs import lbfgs_step
from glassnet.learning.optimizers import Solver, soft_threshold
from glassnet.learning.spec import NetworkSpec
from glassnet.training.batches import Batches
from glassnet.training.distributed import current
from glassnet.training.state import TrainingState
from glassnet.training.threads import threads_for, torch_threads


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
    log_probability = torch.log_softmax(z.t().contiguous(), 0).t()  # ten times as fast as over the last axis
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

    Attributes
    ----------
    group : Group
        The processes that this one has joined: each takes its share of every batch.
    """

    name = "formula"

    def __init__(
        self, spec: NetworkSpec, solver: Solver, X: np.ndarray, target: np.ndarray, sample_weight: np.ndarray | None
    ):
        self.spec, self.solver = spec, solver
        self.X = as_tensor(X)
        self._data = (self.X, as_tensor(target), None if sample_weight is None else as_tensor(sample_weight))
        self._mean_weight = 1.0 if sample_weight is None else float(sample_weight.mean(dtype=np.float64))
        self.rules = [
            LayerRule(layer, n_in, k) for k, (layer, n_in) in enumerate(zip(spec.layers, spec.sizes[:-1], strict=True))
        ]
        self._buffers: dict[int, list] = {}
        self._widest = max(n_in * n_out for n_in, n_out in pairwise(spec.sizes))
        self.group = current()
        self._descends = solver.descends and self.group.size == 1 and all(rule.descends for rule in self.rules)
        self._gradient_and_loss = torch.empty(spec.n_parameters + 1, dtype=self.X.dtype)
        self._gradient = self._gradient_and_loss[:-1]
        self._gradient_views = spec.named(self._gradient)

    @torch.inference_mode()
    def run(self, state: TrainingState, batches: Batches) -> np.ndarray:
        """Make one step per batch; see `glassnet.training.state.Engine`."""
        network = self._bind(state.arrays)
        rates = self.solver.rates(state.step, len(batches)).tolist()
        losses = np.empty(len(batches))
        with torch_threads(threads_for(state.batch_size * self._widest)):
            for i, batch in enumerate(self._gathered(batches)):
                losses[i] = self._step(network, batch, Streams(state.seed, state.step + i, self.group.rank), rates[i])
        return losses

    def gradient(
        self, arrays: dict[str, np.ndarray], rows: np.ndarray, seed: int = 0, step: int = 0
    ) -> tuple[float, np.ndarray]:
        """Return the mean loss of the batch ``rows`` and its gradient, both without penalty.

        Noise and dropout are those of this seed and step.
        """
        batches = Batches(rows, np.array([0]), np.array([len(rows)]))
        with torch.inference_mode():
            loss, _ = self._gradients(self._bind(arrays), next(self._gathered(batches)), Streams(seed, step))
            return loss, self._gradient.numpy().copy()

    def _bind(self, arrays: dict[str, np.ndarray]) -> _Network:
        """Return views into a state's arrays, made once for many steps."""
        tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
        layers = self.spec.named(tensors["parameters"])
        pairs = zip(layers, self._gradient_views, strict=True)
        weights = [(p[name], g[name]) for p, g in pairs for name in ("weight", "shortcut") if name in p]
        return _Network(tensors, layers, self.spec.statistics(tensors), weights)

    def _gathered(self, batches: Batches) -> Iterator[_Batch]:
        """Yield X, target and sample weight of each batch, always in the same aligned memory.

        Where a matrix lies decides how its products are rounded: a view into a larger array
        would make a resumed run differ in the last bit.
        """
        indices = torch.from_numpy(batches.indices)
        for start, stop in zip(batches.starts.tolist(), batches.stops.tolist(), strict=True):
            size, share = stop - start, self.group.share(stop - start)
            start, stop = start + share.start, start + share.stop
            n = stop - start
            if n not in self._buffers:
                self._buffers[n] = [None if t is None else t.new_empty(n, *t.shape[1:]) for t in self._data]
                if n == len(self.X):  # full-batch descent is never shuffled: gathered once
                    _gather(self._data, indices[start:stop], self._buffers[n])
            if n < len(self.X):
                _gather(self._data, indices[start:stop], self._buffers[n])
            yield _Batch(*self._buffers[n], size=size)

    def _step(self, network: _Network, batch: _Batch, streams: Streams, rate: float) -> float:
        """Make one step; return the batch's mean loss."""
        solver, parameters = self.solver, network.tensors["parameters"]
        if solver.name == "lbfgs":
            return lbfgs_step(network.tensors, lambda: self._penalized(network, batch, streams))
        if self._descends:
            return self._descend(network, batch, streams, rate)
        loss, n = self._gradients(network, batch, streams)
        for weight, gradient in network.weights if solver.alpha else ():
            if solver.name == "adamw":
                weight.mul_(1 - rate * solver.alpha)
            else:
                gradient.add_(weight, alpha=solver.alpha / n)
        solver.step(parameters, self._gradient, network.tensors, streams.step + 1, rate)
        for weight, _ in network.weights if solver.l1 else ():
            soft_threshold(weight, rate * solver.l1 / n)
        return loss

    def _descend(self, network: _Network, batch: _Batch, streams: Streams, rate: float) -> float:
        """Make a step of plain gradient descent, each layer as soon as its delta is known; return the mean loss."""
        loss, delta, _ = self._delta(network, batch, streams)
        for k in reversed(range(len(self.rules))):
            below = self.rules[k].descend(delta, network.layers[k], rate, down=k > 0)
            delta = delta if below is None else below
        return loss

    def _penalized(self, network: _Network, batch: _Batch, streams: Streams) -> tuple[float, float, Tensor]:
        """Return the mean loss, the same with the L2 penalty, and the gradient of the latter."""
        loss, n = self._gradients(network, batch, streams)
        penalty = 0.0
        for weight, gradient in network.weights:
            gradient.add_(weight, alpha=self.solver.alpha / n)
            penalty += 0.5 * self.solver.alpha / n * weight.square().sum().item()
        return loss, loss + penalty, self._gradient

    def _gradients(self, network: _Network, batch: _Batch, streams: Streams) -> tuple[float, float]:
        """Write the gradient of a batch; return its mean loss and what it was divided by."""
        if len(batch.X) == 0:
            self._gradient.zero_()
            return self._added_up(network, 0.0, batch.size * self._mean_weight)
        mean_loss, delta, divisor = self._delta(network, batch, streams)
        for k in reversed(range(len(self.rules))):
            below = self.rules[k].backward(delta, network.layers[k], self._gradient_views[k], down=k > 0)
            delta = delta if below is None else below
        return self._added_up(network, mean_loss, divisor)

    def _delta(self, network: _Network, batch: _Batch, streams: Streams) -> tuple[float, Tensor, float]:
        """Return the batch's part of the mean loss, delta of the last layer, and what it was divided by."""
        h = batch.X
        for rule, p, statistics in zip(self.rules, network.layers, network.statistics, strict=True):
            h = rule.forward(h, p, statistics, streams)
        loss, delta = LOSS_DELTAS[self.spec.loss](h, batch.target)
        mean_loss, divisor = self._weigh(loss, delta, batch)
        return mean_loss, delta, divisor

    def _added_up(self, network: _Network, loss: float, divisor: float) -> tuple[float, float]:
        """Add up gradient and loss over all processes, and average the running statistics."""
        if self.group.size > 1:
            self._gradient_and_loss[-1] = loss
            self.group.add_up(self._gradient_and_loss)
            loss = self._gradient_and_loss[-1].item()
            for statistic in (each for pair in network.statistics if pair is not None for each in pair):
                self.group.add_up(statistic.div_(self.group.size))
        return loss, divisor

    def _weigh(self, loss: Tensor, delta: Tensor, batch: _Batch) -> tuple[float, float]:
        """Reduce the samples' losses and delta; return their part of the mean loss and what delta was divided by."""
        n, weight = batch.size * self._mean_weight, batch.weight
        divisor = n if self.spec.reduction == "mean" else self._mean_weight
        if weight is None:
            delta.mul_(1 / divisor)
            return loss.sum().item() / batch.size, divisor
        delta.mul_(weight[:, None] / divisor)
        return (torch.dot(loss, weight) / n).item(), divisor


class _Batch(NamedTuple):
    X: Tensor  # (n, n_features)
    target: Tensor  # (n, n_outputs)
    weight: Tensor | None  # (n,)
    size: int  # samples of the whole batch, of which these are one process's share


class _Network(NamedTuple):
    """A state's arrays as tensors, and views into them."""

    tensors: dict[str, Tensor]
    layers: list[dict[str, Tensor]]
    statistics: list[tuple[Tensor, Tensor] | None]
    weights: list[tuple[Tensor, Tensor]]  # what is penalized, with its gradient


def _gather(data: tuple, rows: Tensor, buffers: list) -> None:
    for tensor, buffer in zip(data, buffers, strict=True):
        if tensor is not None:
            torch.index_select(tensor, 0, rows, out=buffer)


def as_tensor(array: np.ndarray) -> Tensor:
    """Return a tensor on the array's memory, which is only read: it may be a read-only memory map."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")
        return torch.from_numpy(array)
