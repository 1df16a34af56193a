"""Max pooling of 2 x 2 fields by comparing all pixels with their neighbours at once, with its gradient written out.

Of two columns side by side, and then of two rows, the larger is kept, and g = dL/dy goes back the same way:

    m = max(left, right)        dL/dleft = dL/dm where right <= left, else 0, and dL/dright the rest
    y = max(upper, lower)       dL/dupper = g where lower <= upper, else 0, and dL/dlower the rest

torch's own layer visits field after field, which takes longer than the convolution before it where there are few maps.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

_FIELD = (2, (2, 2))


class MaxPool2d(nn.MaxPool2d):
    """torch's layer, faster for fields of 2 x 2 side by side; values and gradients are the same.

    Examples
    --------
    >>> MaxPool2d(2)(torch.arange(16.0).view(1, 1, 4, 4))
    tensor([[[[ 5.,  7.],
              [13., 15.]]]])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return the maxima, of shape (..., H // 2, W // 2) for (..., H, W) and fields of 2 x 2."""
        is_halving = self.kernel_size in _FIELD and self.stride in _FIELD and self.padding in (0, (0, 0))
        is_even = input.shape[-2] % 2 == input.shape[-1] % 2 == 0
        is_plain = is_halving and is_even and input.is_contiguous() and not self.return_indices
        if not is_plain or self.dilation not in (1, (1, 1)) or torch.compiler.is_compiling():
            return super().forward(input)  # type: ignore[return-value]
        if input.requires_grad and torch.is_grad_enabled():
            return _Halved.apply(input)  # type: ignore[return-value]
        return torch.maximum(*_rows(torch.maximum(*_columns(input))))


def _columns(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return the left and the right column of each pair."""
    return x[..., ::2], x[..., 1::2]


def _rows(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return the upper and the lower row of each pair."""
    return x[..., ::2, :], x[..., 1::2, :]


def _part(g: Tensor, to_second: Tensor, first: Tensor, second: Tensor) -> None:
    """Write a gradient into the second of a pair where a one says so, else into the first."""
    torch.mul(g, to_second, out=second)
    torch.sub(g, second, out=first)


class _Halved(torch.autograd.Function):
    """The maxima with the gradient above."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        left, right = _columns(x)
        larger = torch.maximum(left, right)
        upper, lower = _rows(larger)
        ctx.save_for_backward((right > left).to(x.dtype), (lower > upper).to(x.dtype))
        return torch.maximum(upper, lower)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        to_right, to_lower = ctx.saved_tensors
        larger = torch.empty_like(to_right)
        _part(gradients[0], to_lower, *_rows(larger))
        down = larger.new_empty((*larger.shape[:-1], 2 * larger.shape[-1]))
        _part(larger, to_right, *_columns(down))
        return down
