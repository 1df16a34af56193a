"""What a dense network is, as plain data: its layers, its loss, how it learns.

All engines read the same `NetworkSpec` and `Solver` and keep the parameters in one flat
array: layer by layer the weight (units, inputs), row by row, then the bias (units,).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from glassnet.errors import InvalidInputError
from glassnet.learning.activations import ALIASES, get_trainable_activation


@dataclass(frozen=True)
class Layer:
    """One layer of a dense network.

    Parameters
    ----------
    units : int
        Number of units, at least 1.
    activation : str or None
        Name of the activation function; None takes the network's.

    Raises
    ------
    InvalidInputError
        If ``units`` is not a positive integer.

    Examples
    --------
    >>> Layer(8, "relu")
    Layer(units=8, activation='relu')
    """

    units: int
    activation: str | None = None

    def __post_init__(self) -> None:
        if isinstance(self.units, bool) or int(self.units) != self.units or self.units < 1:
            raise InvalidInputError(f"A layer has a whole number of units, at least 1; got {self.units!r}.")


@dataclass(frozen=True)
class NetworkSpec:
    """A dense network and its loss.

    Parameters
    ----------
    n_features : int
        Number of inputs.
    layers : tuple of Layer
        From the first hidden layer to the output layer, whose activation "identity"
        gives the logits: the loss holds the output function.
    loss : str
        "squared_error", "binary_cross_entropy" or "cross_entropy".
    """

    n_features: int
    layers: tuple[Layer, ...]
    loss: str

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of inputs, then of units in each layer."""
        return (self.n_features, *(layer.units for layer in self.layers))

    @property
    def activations(self) -> tuple[str, ...]:
        """Name of each layer's activation function."""
        return tuple(str(layer.activation) for layer in self.layers)

    @property
    def n_parameters(self) -> int:
        """Number of weights and biases."""
        return sum((n_in + 1) * n_out for n_in, n_out in pairwise(self.sizes))

    def views(self, flat: Any) -> list[tuple[Any, Any]]:
        """Return (weight, bias) of every layer as views into a flat array or tensor."""
        views, start = [], 0
        for n_in, n_out in pairwise(self.sizes):
            middle, stop = start + n_out * n_in, start + n_out * (n_in + 1)
            views.append((flat[start:middle].reshape(n_out, n_in), flat[middle:stop]))
            start = stop
        return views

    def initial_parameters(self, rng: np.random.Generator, dtype: str) -> np.ndarray:
        """Draw initial weights; biases are zero.

        Weights are uniform with the variance of Glorot and Bengio (2010), 2 / (n_in + n_out),
        and before a ReLU with that of He et al. (2015), 2 / n_in.
        """
        flat = np.zeros(self.n_parameters, dtype=dtype)
        for (weight, _), activation in zip(self.views(flat), self.activations, strict=True):
            n_out, n_in = weight.shape
            variance = 2 / n_in if activation in ("relu", "leaky_relu") else 2 / (n_in + n_out)
            limit = np.sqrt(3 * variance)
            weight[...] = rng.uniform(-limit, limit, size=weight.shape)
        return flat


def as_layers(hidden_layer_sizes: Any, activation: str) -> tuple[Layer, ...]:
    """Return hidden layers with every activation named and known.

    Parameters
    ----------
    hidden_layer_sizes : int, Layer or sequence of int or Layer
        Empty for a network of one layer.
    activation : str
        For layers that do not name their own.

    Raises
    ------
    InvalidInputError, UnknownNameError
        If a size is not a positive integer or an activation cannot be trained.
    """
    if isinstance(hidden_layer_sizes, (int, np.integer, Layer)):
        hidden_layer_sizes = (hidden_layer_sizes,)
    layers = []
    for item in hidden_layer_sizes:
        layer = item if isinstance(item, Layer) else Layer(item)
        name = layer.activation or activation
        get_trainable_activation(name)
        layers.append(Layer(int(layer.units), ALIASES.get(name, name)))
    return tuple(layers)
