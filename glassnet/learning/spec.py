"""What a dense network is, as plain data: its layers, its loss, how it learns.

All engines read the same `NetworkSpec` and `Solver` and keep the parameters in one flat
array: layer by layer the weight (units, inputs), row by row, then the bias (units,), then
what the layer's optional parts need.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from math import prod
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from glassnet.errors import InvalidInputError, UnknownNameError
from glassnet.learning.activations import ACTIVATIONS, ALIASES, PRELU_SLOPE, get_trainable_activation

# activation functions of a layer that gradient descent can train; a PReLU learns its slope too
TRAINABLE = (*(name for name, activation in ACTIVATIONS.items() if activation.trainable), "prelu")
NORMS = ("batch", "layer", "group")
REDUCTIONS = ("mean", "sum")
# added to a variance before its root is taken
EPSILON = 1e-5


@dataclass(frozen=True)
class Layer:
    """One layer of a dense network: z = W h + b, normalized if asked, then h = f(z), then dropout.

    Parameters
    ----------
    units : int
        Number of units, at least 1.
    activation : str or None
        Name of the activation function; None takes the network's.
    norm : {"batch", "layer", "group"} or None
        What the pre-activations are normalized over: each unit over the batch, all units of
        a sample, or each of ``groups`` groups of a sample's units.
    groups : int
        Of "group"; must divide ``units``.
    dropout : float
        Share of the layer's units that are silenced in a training step, in [0, 1).
    noise : float
        Standard deviation of the Gaussian noise added to the layer's input in a training
        step, at least 0.
    receptive_field : int, (int, int) or None
        Locally connected: each unit sees only this many neighbouring inputs, a stretch of
        inputs in one dimension or, with ``input_shape``, a patch in two. ``units`` must be
        the number of places, times the number of channels. None: full connectivity.
    input_shape : (int, int) or None
        (height, width) of the input of a layer that is locally connected in two dimensions.
    share_weights : bool
        Whether all places of a locally connected layer share their weights and bias, which
        makes it a convolution.
    residual : bool
        Whether the layer's input is added to its output: h = f(z) + W_s h_in, where W_s is
        learned where the sizes differ and is the identity where they do not.

    Raises
    ------
    InvalidInputError, UnknownNameError
        If a value is out of its range.

    Examples
    --------
    >>> Layer(8, "relu", norm="batch").norm
    'batch'
    """

    units: int
    activation: str | None = None
    norm: str | None = None
    groups: int = 1
    dropout: float = 0.0
    noise: float = 0.0
    receptive_field: int | tuple[int, int] | None = None
    input_shape: tuple[int, int] | None = None
    share_weights: bool = False
    residual: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.units, bool) or int(self.units) != self.units or self.units < 1:
            raise InvalidInputError(f"A layer has a whole number of units, at least 1; got {self.units!r}.")
        if self.norm is not None and self.norm not in NORMS:
            raise UnknownNameError("norm", self.norm, NORMS)
        if self.units % self.groups:
            raise InvalidInputError(f"groups must divide units, got {self.groups} groups of {self.units} units.")
        if not 0 <= self.dropout < 1 or not self.noise >= 0:
            raise InvalidInputError(f"dropout is in [0, 1) and noise >= 0, got {self.dropout} and {self.noise}.")

    @property
    def plain(self) -> bool:
        """Whether the layer is fully connected and has none of the optional parts."""
        return self == Layer(self.units, self.activation)


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
    reduction : {"mean", "sum"}
        Whether the steps descend on the mean of a batch's losses or on their sum.

    Raises
    ------
    UnknownNameError
        If there is no such reduction.
    """

    n_features: int
    layers: tuple[Layer, ...]
    loss: str
    reduction: str = "mean"

    def __post_init__(self) -> None:
        if self.reduction not in REDUCTIONS:
            raise UnknownNameError("reduction", self.reduction, REDUCTIONS)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of inputs, then of units in each layer."""
        return (self.n_features, *(layer.units for layer in self.layers))

    @property
    def activations(self) -> tuple[str, ...]:
        """Name of each layer's activation function."""
        return tuple(str(layer.activation) for layer in self.layers)

    @property
    def plain(self) -> bool:
        """Whether every layer is plain."""
        return all(layer.plain for layer in self.layers)

    @property
    def n_parameters(self) -> int:
        """Number of all learned numbers."""
        return sum(prod(shape) for layer in self.shapes for shape in layer.values())

    @cached_property
    def shapes(self) -> tuple[dict[str, tuple[int, ...]], ...]:
        """Shapes of each layer's parameters, by name, in their order in the flat array."""
        return tuple(layer_shapes(layer, n_in) for layer, n_in in zip(self.layers, self.sizes[:-1], strict=True))

    def named(self, flat: Any) -> list[dict[str, Any]]:
        """Return each layer's parameters by name, as views into a flat array or tensor."""
        named, start = [], 0
        for shapes in self.shapes:
            layer = {}
            for name, shape in shapes.items():
                layer[name] = flat[start : start + prod(shape)].reshape(shape)
                start += prod(shape)
            named.append(layer)
        return named

    def initial_statistics(self, dtype: str) -> dict[str, np.ndarray]:
        """Return the running statistics of batch normalization before training: mean 0, variance 1."""
        n_units = sum(layer.units for layer in self.layers if layer.norm == "batch")
        if not n_units:
            return {}
        return {"running_mean": np.zeros(n_units, dtype), "running_variance": np.ones(n_units, dtype)}

    def statistics(self, arrays: dict[str, Any]) -> list[tuple[Any, Any] | None]:
        """Return each layer's running (mean, variance) as views, None where there are none."""
        statistics, start = [], 0
        for layer in self.layers:
            stop = start + layer.units * (layer.norm == "batch")
            part = slice(start, stop)
            has = layer.norm == "batch"
            statistics.append((arrays["running_mean"][part], arrays["running_variance"][part]) if has else None)
            start = stop
        return statistics

    def views(self, flat: Any) -> list[tuple[Any, Any]]:
        """Return (weight, bias) of every layer as views into a flat array or tensor."""
        return [(layer["weight"], layer["bias"]) for layer in self.named(flat)]

    def initial_parameters(self, rng: np.random.Generator, dtype: str) -> np.ndarray:
        """Draw initial parameters.

        Weights are uniform with the variance of Glorot and Bengio (2010), 2 / (n_in + n_out),
        and before a ReLU with that of He et al. (2015), 2 / n_in, where a locally connected
        unit's n_in is its receptive field. Biases and shifts start at 0, scales at 1, the
        slope of a PReLU at 0.25.
        """
        flat = np.zeros(self.n_parameters, dtype=dtype)
        for layer, parameters in zip(self.layers, self.named(flat), strict=True):
            for name in ("weight", "shortcut"):
                if name in parameters:
                    weight = parameters[name]
                    n_in, n_out = weight.shape[-1], layer.units
                    rectified = layer.activation in ("relu", "leaky_relu", "prelu")
                    limit = np.sqrt(6 / n_in if rectified else 6 / (n_in + n_out))
                    weight[...] = rng.uniform(-limit, limit, size=weight.shape)
            for name, value in (("scale", 1.0), ("slope", PRELU_SLOPE)):
                if name in parameters:
                    parameters[name][...] = value
        return flat


def layer_shapes(layer: Layer, n_in: int) -> dict[str, tuple[int, ...]]:
    """Return the shapes of a layer's parameters by name."""
    if layer.receptive_field is None:
        shapes: dict[str, tuple[int, ...]] = {"weight": (layer.units, n_in), "bias": (layer.units,)}
    else:
        places, field = len(receptive_fields(layer, n_in)), receptive_fields(layer, n_in).shape[1]
        units = layer.units // places if layer.share_weights else layer.units
        shapes = {"weight": (units, field), "bias": (units,)}
    if layer.norm is not None:
        shapes |= {"scale": (layer.units,), "shift": (layer.units,)}
    if layer.activation == "prelu":
        shapes["slope"] = (layer.units,)
    if layer.residual and layer.units != n_in:
        shapes["shortcut"] = (layer.units, n_in)
    return shapes


@lru_cache(maxsize=64)
def receptive_fields(layer: Layer, n_in: int) -> np.ndarray:
    """Return the inputs that each place of a locally connected layer sees.

    Returns
    -------
    ndarray of shape (n_places, field), int64
        Indices into the layer's input. Unit ``c * n_places + p`` is channel c at place p.

    Raises
    ------
    InvalidInputError
        If field, input and units do not fit each other.
    """
    field, grid = layer.receptive_field, layer.input_shape
    if isinstance(field, int) and grid is None:
        windows = sliding_window_view(np.arange(n_in), field) if field <= n_in else np.empty((0, field), int)
    elif isinstance(field, tuple) and grid is not None and prod(grid) == n_in and np.all(np.less_equal(field, grid)):
        windows = sliding_window_view(np.arange(n_in).reshape(grid), field).reshape(-1, prod(field))
    else:
        raise InvalidInputError(
            f"receptive_field={field!r} does not fit {n_in} inputs with input_shape={grid!r}: "
            "give an int, or a pair together with the input's (height, width)."
        )
    if len(windows) == 0 or layer.units % len(windows):
        raise InvalidInputError(
            f"A receptive field of {field!r} has {len(windows)} places on {n_in} inputs; "
            f"units must be a multiple of that, got {layer.units}."
        )
    return windows


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
        if name not in (*ACTIVATIONS, *ALIASES, "prelu"):
            raise UnknownNameError("activation", name, TRAINABLE)
        if name != "prelu":
            get_trainable_activation(name)
        layers.append(replace(layer, units=int(layer.units), activation=ALIASES.get(name, name)))
    return tuple(layers)
