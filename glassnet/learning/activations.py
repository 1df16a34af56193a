"""Activation functions: value, derivative, range and where they saturate.

An activation function turns a unit's pre-activation z (any real number) into its
activation h. The formulas stand here in NumPy; `glassnet.learning.backprop` and
`glassnet.learning.kernels` hold fast forms, tested equal to these.

Two slips of the lecture are put right. It prints the leaky ReLU's slope below zero as -a,
which would fold the negative side up; the slope is +a. And it defines the step both as
z >= 0 and as z > 0; here a unit fires when z *reaches* zero, as the neuron of McCulloch
and Pitts fires when the sum reaches its threshold.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from glassnet.errors import InvalidInputError, UnknownNameError

LEAKY_SLOPE = 0.02
# of a PReLU before training
PRELU_SLOPE = 0.25


@dataclass(frozen=True)
class Activation:
    """One activation function as a data sheet.

    Parameters
    ----------
    name : str
        The name that estimators take.
    formula : str
        In LaTeX.
    value, derivative : callable
        ndarray z -> ndarray of the same shape.
    range : tuple of float
        Infimum and supremum of the value.
    saturates : tuple of float
        Pre-activations below the first and above the second have a derivative smaller
        than 0.05; infinite where that never happens.
    trainable : bool
        Whether gradient descent can train through it.

    Examples
    --------
    >>> get_activation("tanh").value(np.array([0.0]))
    array([0.])
    """

    name: str
    formula: str
    value: Callable[[np.ndarray], np.ndarray]
    derivative: Callable[[np.ndarray], np.ndarray]
    range: tuple[float, float]
    saturates: tuple[float, float]
    trainable: bool = True


def identity(z: np.ndarray) -> np.ndarray:
    """h = z."""
    return np.asarray(z)


def identity_derivative(z: np.ndarray) -> np.ndarray:
    """h' = 1."""
    return np.ones_like(z)


def step(z: np.ndarray) -> np.ndarray:
    """h = 1 where z >= 0, else 0 (Heaviside, firing at the threshold itself)."""
    return (np.asarray(z) >= 0).astype(np.asarray(z).dtype)


def step_derivative(z: np.ndarray) -> np.ndarray:
    """h' = 0 wherever it exists; at z = 0 it does not, and 0 is returned."""
    return np.zeros_like(z)


def sigmoid(z: np.ndarray) -> np.ndarray:
    """h = 1 / (1 + exp(-z)), computed so that neither sign of z overflows."""
    e = np.exp(-np.abs(z))
    return np.where(np.asarray(z) >= 0, 1, e) / (1 + e)


def sigmoid_derivative(z: np.ndarray) -> np.ndarray:
    """h' = h (1 - h), at most 1/4."""
    h = sigmoid(z)
    return h * (1 - h)


def tanh(z: np.ndarray) -> np.ndarray:
    """h = tanh z = 2 sigmoid(2 z) - 1."""
    return np.tanh(z)


def tanh_derivative(z: np.ndarray) -> np.ndarray:
    """h' = 1 - tanh(z)^2."""
    return 1 - np.tanh(z) ** 2


def relu(z: np.ndarray) -> np.ndarray:
    """h = max(0, z) (Nair and Hinton 2010)."""
    return np.maximum(z, 0)


def relu_derivative(z: np.ndarray) -> np.ndarray:
    """h' = 1 where z > 0, else 0.

    At z = 0 any number in [0, 1] is a subgradient; 0 is taken, as torch and
    scikit-learn do, so that a unit at rest stays at rest.
    """
    return (np.asarray(z) > 0).astype(np.asarray(z).dtype)


def leaky_relu(z: np.ndarray, slope: float = LEAKY_SLOPE) -> np.ndarray:
    """h = z where z > 0, else slope z; the slope is +a (Maas et al. 2013)."""
    return np.where(np.asarray(z) > 0, z, slope * np.asarray(z))


def leaky_relu_derivative(z: np.ndarray, slope: float = LEAKY_SLOPE) -> np.ndarray:
    """h' = 1 where z > 0, else slope (also at 0)."""
    return np.where(np.asarray(z) > 0, 1.0, slope).astype(np.asarray(z).dtype)


def prelu(z: np.ndarray, slope: np.ndarray | float) -> np.ndarray:
    """h = z where z > 0, else slope z, with a learned slope per unit (He et al. 2015)."""
    return leaky_relu(z, slope)  # type: ignore[arg-type]


def prelu_slope_derivative(z: np.ndarray) -> np.ndarray:
    """dh/dslope = min(0, z)."""
    return np.minimum(z, 0)


def softmax(z: np.ndarray) -> np.ndarray:
    """h_k = exp(z_k) / sum_j exp(z_j) over the last axis, shifted by max z against overflow."""
    e = np.exp(z - np.max(z, axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def softmax_jacobian(z: np.ndarray) -> np.ndarray:
    """dh_k/dz_j = h_k (1[k = j] - h_j), shape (..., n_classes, n_classes)."""
    h = softmax(z)
    return h[..., :, None] * (np.eye(h.shape[-1]) - h[..., None, :])


_SIGMOID_SATURATES = float(np.log((1 + np.sqrt(0.8)) / (1 - np.sqrt(0.8))))  # solves h (1 - h) = 0.05
_TANH_SATURATES = float(np.arctanh(np.sqrt(0.95)))  # solves 1 - h^2 = 0.05
_INF = float("inf")

ACTIVATIONS: dict[str, Activation] = {
    a.name: a
    for a in (
        Activation("identity", "z", identity, identity_derivative, (-_INF, _INF), (-_INF, _INF)),
        Activation("step", r"1[z \geq 0]", step, step_derivative, (0.0, 1.0), (0.0, 0.0), trainable=False),
        Activation(
            "sigmoid",
            r"\frac{1}{1 + e^{-z}}",
            sigmoid,
            sigmoid_derivative,
            (0.0, 1.0),
            (-_SIGMOID_SATURATES, _SIGMOID_SATURATES),
        ),
        Activation("tanh", r"\tanh z", tanh, tanh_derivative, (-1.0, 1.0), (-_TANH_SATURATES, _TANH_SATURATES)),
        Activation("relu", r"\max(0, z)", relu, relu_derivative, (0.0, _INF), (0.0, _INF)),
        Activation("leaky_relu", r"\max(a z, z)", leaky_relu, leaky_relu_derivative, (-_INF, _INF), (0.0, _INF)),
    )
}
# functions of more than z: a PReLU's slope is learned, here it has its initial one; a unit of a softmax is a
# sigmoid of its z less log sum exp of the others', and saturates where that does
DATA_SHEETS: dict[str, Activation] = {
    **ACTIVATIONS,
    "prelu": Activation(
        "prelu",
        r"\max(0, z) + a \min(0, z)",
        lambda z: prelu(z, PRELU_SLOPE),
        lambda z: leaky_relu_derivative(z, PRELU_SLOPE),
        (-_INF, _INF),
        (-_INF, _INF),
    ),
    "softmax": Activation(
        "softmax",
        r"\frac{e^{z_k}}{\sum_j e^{z_j}}",
        softmax,
        softmax_jacobian,
        (0.0, 1.0),
        (-_SIGMOID_SATURATES, _SIGMOID_SATURATES),
    ),
}
ALIASES = {"logistic": "sigmoid"}  # scikit-learn's name


def get_activation(name: str) -> Activation:
    """Return the activation function of this name.

    Raises
    ------
    UnknownNameError
        If there is none; the message lists those there are.
    """
    name = ALIASES.get(name, name)
    if name not in DATA_SHEETS:
        raise UnknownNameError("activation", name, DATA_SHEETS)
    return DATA_SHEETS[name]


def get_trainable_activation(name: str) -> Activation:
    """Return the activation function of this name if gradient descent can train through it.

    Raises
    ------
    UnknownNameError
        If there is none.
    InvalidInputError
        If its derivative is zero wherever it exists.
    """
    activation = get_activation(name)
    if not activation.trainable:
        allowed = ", ".join([*(a.name for a in ACTIVATIONS.values() if a.trainable), "prelu"])
        raise InvalidInputError(
            f"The activation {name!r} has derivative 0 wherever it exists, so gradient descent cannot train "
            f"through it. Use one of {allowed}, or the Perceptron, whose rule needs no derivative."
        )
    return activation
