"""Cross-entropy of a language model, with label smoothing.

C. Szegedy, V. Vanhoucke, S. Ioffe, J. Shlens, Z. Wojna, "Rethinking the Inception
Architecture for Computer Vision", CVPR 2016, section 7; used with smoothing 0.1 in
"Attention Is All You Need", 2017, section 5.4.

    q_k = (1 - s) [k is the target] + s / K,      L = - sum_k q_k log softmax(z)_k

The gradient with respect to the logits is again output minus target: softmax(z) - q. The
fast path uses it to go through a batch in pieces: the logits of a whole batch (4,096 tokens
by 8,000 words are 131 MB) are never held in memory, and that memory is what costs the time.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from glassnet.learning.autocast import in_working_precision

PIECE = 4_000_000  # logits computed at once
SLICE = 200_000  # of them, turned into gradients at once: they stay in the processor's cache


def smoothed_cross_entropy(logits: Tensor, target: Tensor, smoothing: float = 0.0) -> Tensor:
    """Return the mean over the tokens of - sum_k q_k log softmax(z)_k.

    Parameters
    ----------
    logits : Tensor of shape (n, n_tokens)
    target : int64 Tensor of shape (n,)
    smoothing : float in [0, 1), default=0.0
        Share of the target that is spread evenly over all tokens.

    Returns
    -------
    Tensor of shape ()
        In nats.

    Examples
    --------
    >>> round(float(smoothed_cross_entropy(torch.zeros(1, 2), torch.tensor([0]))), 4)
    0.6931
    """
    log_probability = logits.log_softmax(dim=-1)  # (n, K)
    of_target = log_probability.gather(-1, target[:, None])[:, 0]  # (n,)
    return -((1 - smoothing) * of_target + smoothing * log_probability.mean(dim=-1)).mean()


def tied_cross_entropy(features: Tensor, weight: Tensor, target: Tensor, smoothing: float = 0.0) -> Tensor:
    """Return ``smoothed_cross_entropy(features @ weight.T, target, smoothing)`` without holding the logits.

    Parameters
    ----------
    features : Tensor of shape (n, d_model)
    weight : Tensor of shape (n_tokens, d_model)
        The matrix of output (and embedding).
    target, smoothing
        As above.

    Returns
    -------
    Tensor of shape ()
        Can be differentiated once.
    """
    return _TiedCrossEntropy.apply(features, weight, target, smoothing, torch.is_grad_enabled())  # type: ignore


class _TiedCrossEntropy(torch.autograd.Function):
    """Computes the gradients on the way forward, while a piece of the logits is at hand."""

    @staticmethod
    def forward(
        ctx: Any, features: Tensor, weight: Tensor, target: Tensor, smoothing: float, differentiate: bool
    ) -> Tensor:
        x, w = in_working_precision(features), in_working_precision(weight)
        d_features, d_weight = torch.empty_like(features), torch.zeros_like(weight)
        loss = torch.zeros((), device=features.device)
        step = max(1, PIECE // len(weight))
        for start in range(0, len(target), step):
            piece = slice(start, start + step)
            logits = F.linear(x[piece], w)  # (n, K)
            loss += _to_delta(logits, target[piece], smoothing)
            if differentiate:
                d_features[piece] = logits @ w
                d_weight += logits.T @ x[piece]
        ctx.save_for_backward(d_features / len(target), d_weight / len(target))
        return loss / len(target)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        d_features, d_weight = ctx.saved_tensors
        return gradient * d_features, gradient * d_weight, None, None, None


def _to_delta(logits: Tensor, target: Tensor, smoothing: float) -> Tensor:
    """Return the sum of the losses, and put softmax(z) - q in the place of the logits."""
    loss = torch.zeros((), device=logits.device)
    n, n_tokens = max(1, SLICE // logits.shape[1]), logits.shape[1]
    for z, k in zip(logits.split(n), target[:, None].split(n), strict=True):
        log_p = z.float().log_softmax(dim=-1)  # (n, K)
        loss -= (1 - smoothing) * log_p.gather(-1, k).sum() + smoothing / n_tokens * log_p.sum()
        delta = log_p.exp_().sub_(smoothing / n_tokens)
        z.copy_(delta.scatter_add_(1, k, torch.full_like(k, smoothing - 1, dtype=delta.dtype)))
    return loss
