"""The step function as a torch module (apart, so that logic does not load torch)."""

from __future__ import annotations

import torch
from torch import nn


class Step(nn.Module):
    """1 where the pre-activation is at least 0, else 0. It has no useful gradient.

    Examples
    --------
    >>> Step()(torch.tensor([-1.0, 0.0, 2.0])).tolist()
    [0.0, 1.0, 1.0]
    """

    def forward(self, pre_activation: torch.Tensor) -> torch.Tensor:
        """Return zeros and ones of the same shape and dtype."""
        return (pre_activation >= 0).to(pre_activation.dtype)
