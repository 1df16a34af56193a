"""The type that torch's autocast multiplies in, for code that autocast does not see into."""

from __future__ import annotations

import torch
from torch import Tensor


def in_working_precision(x: Tensor) -> Tensor:
    """Return x in the type that autocast would multiply it in; x itself without autocast.

    Examples
    --------
    >>> with torch.autocast("cpu", torch.bfloat16):
    ...     in_working_precision(torch.ones(2)).dtype
    torch.bfloat16
    >>> in_working_precision(torch.ones(2)).dtype
    torch.float32
    """
    device = x.device.type
    on = torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device)
    return x.to(torch.get_autocast_dtype(device)) if on else x
