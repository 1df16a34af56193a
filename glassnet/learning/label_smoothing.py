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

PIECE = 4_000_000  # logits computed at once


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
        x, w = _working_precision(features), _working_precision(weight)
        d_features, d_weight = torch.empty_like(features), torch.zeros_like(weight)
        loss = torch.zeros((), device=features.device)
        step = max(1, PIECE // len(weight))
        for start in range(0, len(target), step):
            piece = slice(start, start + step)
            log_p = F.linear(x[piece], w).float().log_softmax(dim=-1)  # (n, K)
            loss += _piece_loss(log_p, target[piece], smoothing)
            if differentiate:
                delta = _delta(log_p, target[piece], smoothing).to(x.dtype)  # (n, K)
                d_features[piece] = delta @ w
                d_weight += delta.T @ x[piece]
        ctx.save_for_backward(d_features / len(target), d_weight / len(target))
        return loss / len(target)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        d_features, d_weight = ctx.saved_tensors
        return gradient * d_features, gradient * d_weight, None, None, None


def _working_precision(x: Tensor) -> Tensor:
    """Return x in the type that autocast would multiply it in."""
    device = x.device.type
    return x.to(torch.get_autocast_dtype(device)) if torch.is_autocast_enabled(device) else x


def _piece_loss(log_p: Tensor, target: Tensor, smoothing: float) -> Tensor:
    of_target = log_p.gather(-1, target[:, None])
    return -(1 - smoothing) * of_target.sum() - smoothing / log_p.shape[1] * log_p.sum()


def _delta(log_p: Tensor, target: Tensor, smoothing: float) -> Tensor:
    """Return softmax(z) - q in the memory of log_p."""
    delta = log_p.exp_().sub_(smoothing / log_p.shape[1])
    return delta.scatter_add_(1, target[:, None], torch.full_like(target, smoothing - 1, dtype=delta.dtype)[:, None])
