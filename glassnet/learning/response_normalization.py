"""Local response normalization, with its gradient written out (Krizhevsky et al. 2012, section 3.3).

With s_i = k + alpha * sum of a_j^2 over the n maps j around i, and g = dL/db:

    b_i     = a_i s_i^-beta
    dL/da_i = g_i s_i^-beta - 2 alpha beta a_i * sum over the n maps j around i of g_j b_j / s_j

torch's own layer sums by a three-dimensional average pooling, which takes most of an AlexNet's step.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from glassnet.errors import InvalidInputError


class LocalResponseNorm(nn.Module):
    """Let the responses of neighbouring maps compete.

    Parameters
    ----------
    size : int
        n, odd: how many maps are summed over. Beyond the first and the last map there are zeros.
    alpha, beta, k : float
        As in the paper; torch's layer divides its ``alpha`` by n, this one does not.

    Raises
    ------
    InvalidInputError
        If ``size`` is even.

    References
    ----------
    A. Krizhevsky, I. Sutskever, G. E. Hinton (2012). ImageNet classification with deep convolutional neural networks.

    Examples
    --------
    >>> layer = LocalResponseNorm(size=3, alpha=1.0, beta=0.5, k=0.0)
    >>> layer(torch.tensor([3.0, 4.0, 0.0]).view(1, 3, 1, 1)).flatten().tolist()  # 3 / 5, 4 / 5, 0 / 4
    [0.6000000238418579, 0.800000011920929, 0.0]
    """

    def __init__(self, size: int = 5, alpha: float = 1e-4, beta: float = 0.75, k: float = 2.0):
        super().__init__()
        if size % 2 == 0:
            raise InvalidInputError(f"size must be odd, so that each map has as many on either side, got {size}.")
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, a: Tensor) -> Tensor:
        """Return b of shape (batch, maps, ...) for a of the same shape."""
        if a.requires_grad and torch.is_grad_enabled() and not torch.compiler.is_compiling():
            return _Response.apply(a, self.size, self.alpha, self.beta, self.k)  # type: ignore[return-value]
        return response(a, self.size, self.alpha, self.beta, self.k)[0]

    def extra_repr(self) -> str:
        """Return the constants in words."""
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


def response(a: Tensor, size: int, alpha: float, beta: float, k: float) -> tuple[Tensor, Tensor]:
    """Return b and s, both of a's shape; s is computed in single precision at least."""
    wide = a.to(torch.promote_types(a.dtype, torch.float32))
    s = around(wide.square(), size).mul_(alpha).add_(k)
    return (wide * s.pow(-beta)).to(a.dtype), s


def around(maps: Tensor, size: int) -> Tensor:
    """Return the sum over the ``size`` maps around each, of shape (batch, maps, ...).

    Examples
    --------
    >>> around(torch.tensor([[1.0, 10.0, 100.0]]), 3)
    tensor([[ 11., 111., 110.]])
    """
    total = maps.clone()
    for d in range(1, min(size // 2 + 1, maps.shape[1])):
        total[:, d:] += maps[:, :-d]
        total[:, :-d] += maps[:, d:]
    return total


class _Response(torch.autograd.Function):
    """`response` with the gradient above."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, size: int, alpha: float, beta: float, k: float) -> Tensor:
        b, s = response(a, size, alpha, beta, k)
        ctx.save_for_backward(a, s)
        ctx.constants = size, alpha, beta
        return b

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple:
        (g,), (a, s), (size, alpha, beta) = gradients, ctx.saved_tensors, ctx.constants
        power = s.pow(-beta)
        shared = around(power.mul(g).mul_(a).div_(s), size)
        down = power.mul_(g).sub_(shared.mul_(a), alpha=2 * alpha * beta)
        return down.to(a.dtype), None, None, None, None
