"""What the benchmarks of dense networks share: equal starts, and one yardstick for what came out.

Weights are lists of (weight, bias) with weight of shape (n_in, n_out), as scikit-learn has them.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import torch

Weights = list[tuple[np.ndarray, np.ndarray]]


def start_weights(sizes: tuple[int, ...], seed: int = 0) -> Weights:
    """Return the float32 weights that every peer starts from: Glorot's, and biases of 0."""
    rng = np.random.default_rng(seed)
    return [
        (rng.uniform(-1, 1, (n, m)).astype(np.float32) * np.float32((6 / (n + m)) ** 0.5), np.zeros(m, np.float32))
        for n, m in pairwise(sizes)
    ]


def flatten(weights: Weights) -> np.ndarray:
    """Return the weights as glassnet's flat parameters."""
    return np.concatenate([part.ravel() for w, b in weights for part in (w.T, b)])


def torch_net(weights: Weights, activation: str) -> torch.nn.Sequential:
    """Return the network as PyTorch's users write it."""
    from torch import from_numpy, nn

    layers: list[nn.Module] = []
    for weight, bias in weights:
        linear = nn.Linear(*weight.shape)
        linear.weight.data.copy_(from_numpy(weight.T))
        linear.bias.data.copy_(from_numpy(bias))
        layers += [linear, getattr(nn, activation)()]
    return nn.Sequential(*layers[:-1])


def torch_weights(net: torch.nn.Sequential) -> Weights:
    """Return the weights of a network that `torch_net` made."""
    parameters = [p.detach().numpy() for p in net.parameters()]
    return [(w.T, b) for w, b in zip(parameters[::2], parameters[1::2], strict=True)]


def logits(weights: Weights, X: np.ndarray, activation: Any) -> np.ndarray:
    """Return the last layer's pre-activations, in float64."""
    h = np.asarray(X, float)
    for i, (weight, bias) in enumerate(weights):
        h = np.asarray(h @ np.asarray(weight, float) + bias)
        h = activation(h) if i < len(weights) - 1 else h
    return h


def squared_error(weights: Weights, X: np.ndarray, T: np.ndarray, activation: Any) -> float:
    """Return half the squared error, summed over outputs, mean over samples."""
    return float(0.5 * ((logits(weights, X, activation) - T) ** 2).sum(1).mean())


def cross_entropy(weights: Weights, X: np.ndarray, y: np.ndarray, activation: Any) -> float:
    """Return the mean cross-entropy of a softmax; y holds class numbers."""
    from scipy.special import logsumexp

    z = logits(weights, X, activation)
    return float((logsumexp(z, axis=1) - z[np.arange(len(y)), y]).mean())


def shapes(weights: Weights) -> list[list[int]]:
    """Return the shapes of the weights."""
    return [list(np.shape(weight)) for weight, _ in weights]


def relu(z: np.ndarray) -> np.ndarray:
    """h = max(0, z)."""
    return np.maximum(z, 0)
