"""The attention weights inside calls that do not return them."""

from __future__ import annotations

import inspect
import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F


def attention_weights(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
    """Return the attention weights of one call of a torch attention function.

    They are computed once more from the arguments, without dropout; the call itself is left alone.

    Parameters
    ----------
    function : callable
        ``F.scaled_dot_product_attention`` or ``F.multi_head_attention_forward``.
    args, kwargs : tuple, dict
        Its arguments.

    Returns
    -------
    Tensor of shape (batch, heads, queries, keys)
        Each row sums to one, or is zero where the mask hides every key.
    """
    compute = _of_multi_head if function is F.multi_head_attention_forward else _of_scaled_dot_product
    with torch.no_grad():
        return compute(*args, **kwargs)


def _of_scaled_dot_product(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """Return softmax(scale Q K^T + mask); `value` and `dropout_p` do not enter."""
    if enable_gqa:
        key = key.repeat_interleave(query.shape[-3] // key.shape[-3], dim=-3)
    scores = query @ key.mT * (1 / math.sqrt(query.shape[-1]) if scale is None else scale)
    if is_causal:
        attn_mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril()
    if attn_mask is not None:
        hidden = attn_mask.dtype == torch.bool
        scores = scores.masked_fill(~attn_mask, -math.inf) if hidden else scores + attn_mask
    blind = scores.isneginf().all(-1, keepdim=True)  # a query that may look nowhere
    return scores.softmax(-1).masked_fill(blind, 0.0)


def _of_multi_head(*args: Any, **kwargs: Any) -> Tensor:
    call = inspect.signature(F.multi_head_attention_forward).bind(*args, **kwargs)
    call.arguments.update(training=False, need_weights=True, average_attn_weights=False)
    return F.multi_head_attention_forward(*call.args, **call.kwargs)[1]  # type: ignore[return-value]
