"""The forward pass of a dense network in plain NumPy: what prediction computes."""

from __future__ import annotations

import numpy as np

from glassnet.learning.activations import get_activation
from glassnet.learning.losses import LOSSES
from glassnet.learning.spec import NetworkSpec


def activations(spec: NetworkSpec, parameters: np.ndarray, X: np.ndarray) -> list[np.ndarray]:
    """Return the activation of every layer, h[l] = f(h[l-1] W^T + b); the last are the logits.

    Parameters
    ----------
    spec : NetworkSpec
    parameters : ndarray of shape (spec.n_parameters,)
    X : ndarray of shape (n_samples, spec.n_features)

    Returns
    -------
    list of ndarray of shape (n_samples, units)
    """
    result, h = [], X
    for (weight, bias), name in zip(spec.views(parameters), spec.activations, strict=True):
        h = get_activation(name).value(h @ weight.T + bias)
        result.append(h)
    return result


def logits(spec: NetworkSpec, parameters: np.ndarray, X: np.ndarray) -> np.ndarray:
    """Return the output layer's pre-activations, shape (n_samples, n_outputs)."""
    return activations(spec, parameters, X)[-1]


def mean_loss(
    spec: NetworkSpec, parameters: np.ndarray, X: np.ndarray, target: np.ndarray, sample_weight: np.ndarray | None
) -> float:
    """Return the loss over a data set: the mean over samples, weighted if weights are given."""
    losses = LOSSES[spec.loss][0](logits(spec, parameters, X), target)
    return float(np.average(losses.astype(np.float64), weights=sample_weight))
