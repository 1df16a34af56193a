"""The forward pass of a dense network in plain NumPy: what prediction computes.

Batch normalization takes its running statistics; noise and dropout belong to training and
do not occur.
"""

from __future__ import annotations

import numpy as np

from glassnet.learning.activations import get_activation, prelu
from glassnet.learning.losses import LOSSES
from glassnet.learning.spec import EPSILON, Layer, NetworkSpec, receptive_fields


def activations(spec: NetworkSpec, arrays: dict[str, np.ndarray], X: np.ndarray) -> list[np.ndarray]:
    """Return the activation of every layer; those of a classifier's last layer are the logits.

    Parameters
    ----------
    spec : NetworkSpec
    arrays : dict of str to ndarray
        "parameters", flat, and with batch normalization the running statistics.
    X : ndarray of shape (n_samples, spec.n_features)

    Returns
    -------
    list of ndarray of shape (n_samples, units)
    """
    result, h = [], X
    parameters, statistics = spec.named(arrays["parameters"]), spec.statistics(arrays)
    for layer, p, running in zip(spec.layers, parameters, statistics, strict=True):
        h = activation(layer, p, h, running)
        result.append(h)
    return result


def activation(
    layer: Layer, p: dict[str, np.ndarray], x: np.ndarray, running: tuple[np.ndarray, np.ndarray] | None
) -> np.ndarray:
    """Return what a layer with parameters p makes of x, shape (n_samples, units); ``running`` is (mean, variance)."""
    z = pre_activation(layer, p, x)
    if layer.norm:
        z = p["scale"] * normalized(layer, z, running) + p["shift"]
    h = prelu(z, p["slope"]) if layer.activation == "prelu" else get_activation(str(layer.activation)).value(z)
    if layer.residual:
        h = h + (x @ p["shortcut"].T if "shortcut" in p else x)
    return h


def pre_activation(layer: Layer, p: dict[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    """Return z = W x + b, for full or local connectivity, shape (n_samples, units)."""
    if layer.receptive_field is None:
        return x @ p["weight"].T + p["bias"]
    windows = receptive_fields(layer, x.shape[1])  # (places, field)
    if layer.share_weights:
        z = np.einsum("npf,cf->ncp", x[:, windows], p["weight"]) + p["bias"][:, None]
    else:
        z = np.einsum("npf,cpf->ncp", x[:, windows], p["weight"].reshape(-1, *windows.shape))
        z = z + p["bias"].reshape(-1, len(windows))
    return z.reshape(len(x), -1)


def normalized(layer: Layer, z: np.ndarray, running: tuple[np.ndarray, np.ndarray] | None) -> np.ndarray:
    """Return (z - mean) / sqrt(variance + EPSILON), by running statistics or over groups of units."""
    if running is not None:
        mean, variance = running
        return (z - mean) / np.sqrt(variance + EPSILON)
    groups = z.reshape(len(z), 1 if layer.norm == "layer" else layer.groups, -1)
    mean, variance = groups.mean(-1, keepdims=True), groups.var(-1, keepdims=True)
    return ((groups - mean) / np.sqrt(variance + EPSILON)).reshape(z.shape)


def logits(spec: NetworkSpec, arrays: dict[str, np.ndarray], X: np.ndarray) -> np.ndarray:
    """Return the last layer's activations, shape (n_samples, n_outputs)."""
    return activations(spec, arrays, X)[-1]


def mean_loss(
    spec: NetworkSpec,
    arrays: dict[str, np.ndarray],
    X: np.ndarray,
    target: np.ndarray,
    sample_weight: np.ndarray | None,
) -> float:
    """Return the loss over a data set: the mean over samples, weighted if weights are given."""
    losses = LOSSES[spec.loss][0](logits(spec, arrays, X), target)
    return float(np.average(losses.astype(np.float64), weights=sample_weight))
