"""Why attention divides its scores by the root of the width (Vaswani et al. 2017)."""

from __future__ import annotations

import numpy as np
import torch

from glassnet.claims.claim import Claim, Scale, about, at_least, at_most, observed
from glassnet.claims.picture import curve, finish, panels, svg
from glassnet.seeds import torch_generator

WIDTHS = (4, 16, 64, 256, 1024)
N_KEYS = 32


def scaled_scores(scale: Scale) -> Claim:
    """Scores divided by the root of d_k keep unit variance; without it the softmax saturates as d_k grows."""
    n, seeds = scale.pick(400, 4000), range(scale.pick(5, 20))
    found = np.array([[_measure(width, n, seed) for width in WIDTHS] for seed in seeds])  # (seeds, widths, 4)
    mean = found.mean(0)
    variance, plain_variance, gradient, plain_gradient = mean.T
    return Claim(
        source="A. Vaswani et al. (2017), Attention is all you need, section 3.2.1",
        measured=(
            about("variance of the scaled scores, over all widths", variance.mean(), 1, 0.05),
            at_most("largest difference of it between two widths", np.ptp(variance), 0.1),
            about("variance of the plain scores over d_k", (plain_variance / WIDTHS).mean(), 1, 0.05),
            at_least(
                f"gradient through the softmax at d_k = {WIDTHS[-1]}, scaled over plain",
                gradient[-1] / plain_gradient[-1],
                3,
            ),
            observed(f"the same at d_k = {WIDTHS[0]}", gradient[0] / plain_gradient[0]),
        ),
        figure=_figure(mean, found.std(0, ddof=1)),
        seeds=seeds,
        note=f"Queries and keys with independent components of variance 1, {N_KEYS} keys. The gradient: the length of "
        "that of the largest weight with respect to the scores.",
    )


def _measure(width: int, n: int, seed: int) -> tuple[float, float, float, float]:
    """Return variance of the scores, scaled and plain, and the mean length of the softmax's gradient in both."""
    generator = torch_generator(seed, "scores", width)
    query = torch.randn(n, 1, width, generator=generator)
    key = torch.randn(n, N_KEYS, width, generator=generator)
    plain = (query * key).sum(-1)  # (n, keys)
    scaled = plain / width**0.5
    return scaled.var().item(), plain.var().item(), _gradient(scaled), _gradient(plain)


def _gradient(scores: torch.Tensor) -> float:
    weight = scores.softmax(-1)
    top = weight.max(-1, keepdim=True)
    one_hot = torch.zeros_like(weight).scatter_(-1, top.indices, 1.0)
    return (top.values * (one_hot - weight)).norm(dim=-1).mean().item()


def _figure(mean: np.ndarray, spreads: np.ndarray) -> str:
    figure, (left, right) = panels(2)
    for i, name in enumerate(("scaled", "plain")):
        curve(left, i, WIDTHS, mean[:, i], name, spreads[:, i])
        curve(right, i, WIDTHS, mean[:, 2 + i], name, spreads[:, 2 + i])
    finish(left, "Variance of the scores", "width d_k", "variance", log="xy")
    finish(right, "Gradient through the softmax", "width d_k", "length", log="x")
    return svg(figure)
