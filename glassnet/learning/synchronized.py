"""Batch normalization over the batches of all processes (Ioffe and Szegedy 2015).

    h = (x - mean) / sqrt(variance + epsilon) * weight + bias

with mean and variance of a channel over the whole batch, wherever its samples lie. Each
process adds up its own share, and the sums are added over all; autograd sends the gradient
back through the sums, so that nothing is derived by hand. torch's own SyncBatchNorm does the
same on GPUs and refuses the CPU.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from glassnet.training.distributed import current


class SynchronizedBatchNorm(_BatchNorm):
    """Batch normalization with the statistics of all processes' samples; in one process, `torch.nn.BatchNorm2d`.

    Parameters
    ----------
    num_features, eps, momentum, affine, track_running_stats
        As in `torch.nn.BatchNorm2d`; momentum None takes the mean over all batches.

    References
    ----------
    S. Ioffe and C. Szegedy (2015). Batch normalization: accelerating deep network training by
    reducing internal covariate shift.

    Examples
    --------
    >>> layer, x = SynchronizedBatchNorm(1), torch.tensor([[1.0], [3.0]])
    >>> layer(x).detach().round(decimals=3).flatten().tolist()
    [-1.0, 1.0]
    >>> [round(float(value), 3) for value in (layer.running_mean, layer.running_var)]
    [0.2, 1.1]
    """

    def _check_input_dim(self, input: Tensor) -> None:
        if input.ndim < 2:
            raise ValueError(f"SynchronizedBatchNorm takes (n, channels, ...), got shape {tuple(input.shape)}.")

    def forward(self, x: Tensor) -> Tensor:
        """Return x normalized channel by channel; x is (n, channels, ...)."""
        self._check_input_dim(x)
        if not self.training and self.running_mean is not None:
            return super().forward(x)
        axes = [axis for axis in range(x.ndim) if axis != 1]
        shape = [1, -1] + [1] * (x.ndim - 2)
        values = x if x.dtype == torch.float64 else x.float()
        count = _over_all(values.new_tensor([x.numel() / x.shape[1]]))
        mean = _over_all(values.sum(axes)) / count
        centred = values - mean.view(shape)
        variance = _over_all(centred.square().sum(axes)) / count
        self._update(mean, variance, count)
        h = centred * torch.rsqrt(variance + self.eps).view(shape)
        if self.affine:
            h = h * self.weight.view(shape) + self.bias.view(shape)
        return h.to(x.dtype)

    @torch.no_grad()
    def _update(self, mean: Tensor, variance: Tensor, count: Tensor) -> None:
        """Move the running statistics towards those of the batch; the variance without bias, as torch has it."""
        if not self.training or self.running_mean is None or self.running_var is None:
            return
        assert self.num_batches_tracked is not None
        self.num_batches_tracked += 1
        share = 1 / self.num_batches_tracked.item() if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean, share)
        self.running_var.lerp_(variance * (count / (count - 1).clamp_min(1)), share)


def synchronize(module: nn.Module) -> nn.Module:
    """Put a `SynchronizedBatchNorm` in the place of every batch normalization of a module, in place.

    Parameters
    ----------
    module : Module

    Returns
    -------
    Module
        The module; a new one only where it is itself a normalization. Parameters and
        statistics are the same tensors under the same names.

    Examples
    --------
    >>> type(synchronize(nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)))[1]).__name__
    'SynchronizedBatchNorm'
    """
    if isinstance(module, _BatchNorm) and not isinstance(module, SynchronizedBatchNorm):
        layer = SynchronizedBatchNorm(
            module.num_features, module.eps, module.momentum, module.affine, module.track_running_stats
        )
        layer._parameters, layer._buffers = module._parameters, module._buffers
        return layer.train(module.training)
    for name, child in module.named_children():
        setattr(module, name, synchronize(child))
    return module


def _over_all(values: Tensor) -> Tensor:
    """Return the sum over all processes; its gradient is the sum of theirs."""
    return values if current().size == 1 else _SumOverAll.apply(values)  # type: ignore[return-value]


class _SumOverAll(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:  # type: ignore[override]
        return _summed(values)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # type: ignore[override]
        return _summed(gradient)


def _summed(values: Tensor) -> Tensor:
    total = values.clone()
    current().add_up(total)
    return total
