"""What the pictures need to know of a dense network, whoever fitted it."""

from __future__ import annotations

from typing import Any

import numpy as np

from glassnet.errors import InvalidInputError
from glassnet.learning import forward
from glassnet.learning.activations import get_activation, softmax


def dense_layers(estimator: Any) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return weight (n_in, n_out) and bias (n_out,) of each layer of a fitted estimator.

    Networks with ``coefs_`` and ``intercepts_``, linear models with ``coef_`` and
    ``intercept_`` and Boltzmann machines with ``components_`` are understood.

    Raises
    ------
    InvalidInputError
        If the estimator has none of these.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> [(weight, bias)] = dense_layers(LogisticRegression().fit([[0.0, 1.0], [1.0, 0.0]], [0, 1]))
    >>> weight.shape, bias.shape
    ((2, 1), (1,))
    """
    if hasattr(estimator, "coefs_"):
        return [(np.asarray(w), np.asarray(b)) for w, b in zip(estimator.coefs_, estimator.intercepts_, strict=True)]
    for weight, bias in (("coef_", "intercept_"), ("components_", "intercept_hidden_")):
        if hasattr(estimator, weight) and hasattr(estimator, bias):
            rows = np.atleast_2d(getattr(estimator, weight))
            return [(rows.T, np.atleast_1d(getattr(estimator, bias)))]
    raise InvalidInputError(
        f"{type(estimator).__name__} has no weights of dense layers: "
        "coefs_ and intercepts_, coef_ and intercept_, or components_ and intercept_hidden_. Is it fitted?"
    )


def weight_matrices(estimator: Any) -> list[np.ndarray]:
    """Return what each layer multiplies its input by, (units, inputs), with zeros where it is not connected.

    Of locally connected layers, which hold the weights of their fields only, it is read off
    what the layer makes of unit vectors.
    """
    spec = getattr(estimator, "spec_", None)
    if spec is None:
        return [weight.T for weight, _ in dense_layers(estimator)]
    n_in = [spec.n_features, *(layer.units for layer in spec.layers)]
    parameters = spec.named(estimator.state_.arrays["parameters"])
    return [_matrix(layer, p, n) for layer, p, n in zip(spec.layers, parameters, n_in, strict=False)]


def _matrix(layer: Any, parameters: dict[str, np.ndarray], n_in: int) -> np.ndarray:
    if layer.receptive_field is None:
        return parameters["weight"]
    without_bias = parameters | {"bias": np.zeros_like(parameters["bias"])}
    return forward.pre_activation(layer, without_bias, np.eye(n_in)).T


def layer_activations(estimator: Any, X: np.ndarray) -> list[np.ndarray]:
    """Return the activation (n_samples, units) of each layer, the output's last.

    Parameters
    ----------
    estimator : object
        Has a method ``activations(X)``, or is a multilayer perceptron of scikit-learn.
    X : ndarray of shape (n_samples, n_features)

    Raises
    ------
    InvalidInputError
        If it is neither.
    """
    if hasattr(estimator, "activations"):
        return [np.asarray(h) for h in estimator.activations(X)]
    if not hasattr(estimator, "out_activation_"):
        raise InvalidInputError(f"{type(estimator).__name__} has no activations(X): its layers cannot be looked into.")
    *hidden, output = dense_layers(estimator)
    activations, h = [], np.asarray(X)
    for weight, bias in hidden:
        h = get_activation(estimator.activation).value(h @ weight + bias)
        activations.append(h)
    z, last = h @ output[0] + output[1], estimator.out_activation_
    return [*activations, softmax(z) if last == "softmax" else get_activation(last).value(z)]


def pre_activations(estimator: Any, X: np.ndarray) -> list[np.ndarray]:
    """Return z = h W + b (n_samples, units) of each layer, h being the layer before."""
    before = [np.asarray(X), *layer_activations(estimator, X)]
    return [h @ weight + bias for h, (weight, bias) in zip(before, dense_layers(estimator), strict=False)]


def layer_names(n_layers: int) -> list[str]:
    """Return "layer 1", "layer 2", ..., "output".

    Examples
    --------
    >>> layer_names(3)
    ['layer 1', 'layer 2', 'output']
    """
    return [*(f"layer {i + 1}" for i in range(n_layers - 1)), "output"]
