"""The residual block of the lecture, in its smallest, dense form (2015).

K. He, X. Zhang, S. Ren, J. Sun. Deep residual learning for image recognition. CVPR 2016.

    y = F(x, {W_i}) + W_s x,   F = W_2 relu(W_1 x)

and no other term: no bias, and W_s only where the dimensions of x and y differ; where they
do not, x itself is added.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from glassnet.errors import InvalidInputError


class ResidualBlock(nn.Module):
    """y = W_2 relu(W_1 x) + W_s x.

    Parameters
    ----------
    n_in, n_hidden, n_out : int
        Dimensions of x, of the hidden layer and of y, each at least 1.

    Attributes
    ----------
    weight_1 : Linear, (n_in, n_hidden)
    weight_2 : Linear, (n_hidden, n_out)
    shortcut : Linear, (n_in, n_out), or Identity where n_in = n_out

    References
    ----------
    K. He et al. (2016). Deep residual learning for image recognition.

    Examples
    --------
    >>> block = ResidualBlock(3, 8, 3)
    >>> block(torch.ones(2, 3)).shape, sum(p.numel() for p in block.parameters())
    (torch.Size([2, 3]), 48)
    """

    def __init__(self, n_in: int, n_hidden: int, n_out: int):
        super().__init__()
        if min(n_in, n_hidden, n_out) < 1:
            raise InvalidInputError(f"Dimensions must be at least 1, got {(n_in, n_hidden, n_out)}.")
        self.weight_1 = nn.Linear(n_in, n_hidden, bias=False)
        self.weight_2 = nn.Linear(n_hidden, n_out, bias=False)
        self.shortcut = nn.Identity() if n_in == n_out else nn.Linear(n_in, n_out, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return y of shape (..., n_out) for x of shape (..., n_in)."""
        return self.weight_2(torch.relu(self.weight_1(x))) + self.shortcut(x)
