"""The rows of the layer table: what each kind of layer computes, and how its units are wired."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from glassnet.learning.activations import relu, sigmoid, softmax, tanh

EPSILON = 1e-5
Edges = list[tuple[tuple[float, float], tuple[float, float], str]]
# a line of an equation: pieces of LaTeX, each "activation", "parameter" or "plain"
Line = list[tuple[str, str]]


@dataclass(frozen=True, eq=False)
class Parameters:
    """What the layers of the table hold.

    Parameters
    ----------
    weight, weight_2 : ndarray of shape (d, d)
        Of the linear layer; with ``weight_2`` also of the residual one.
    bias, scale, shift : ndarray of shape (d,)
        Of the linear layer; of the normalization.
    query, key, value : ndarray of shape (d, d)
        Projections of the attention.
    tokens : ndarray of shape (n_tokens, d)
        What the attention looks at.
    mean, variance : ndarray of shape (d,)
        Of the data, over which the normalization goes.
    """

    weight: np.ndarray
    weight_2: np.ndarray
    bias: np.ndarray
    scale: np.ndarray
    shift: np.ndarray
    query: np.ndarray
    key: np.ndarray
    value: np.ndarray
    tokens: np.ndarray
    mean: np.ndarray
    variance: np.ndarray

    def of_one_dimension(self) -> Parameters:
        """Return the same for numbers in place of pairs: the first row, column and component of each."""
        cut = {name: value[(slice(0, 1),) * value.ndim] for name, value in vars(self).items()}
        return Parameters(**(cut | {"tokens": self.tokens[:, :1]}))


def linear(x: np.ndarray, p: Parameters) -> np.ndarray:
    """h = W x + b."""
    return x @ p.weight.T + p.bias


def normalization(x: np.ndarray, p: Parameters) -> np.ndarray:
    """h = gamma (x - mu) / sqrt(sigma^2 + epsilon) + beta, with mean and variance of the batch."""
    return p.scale * (x - p.mean) / np.sqrt(p.variance + EPSILON) + p.shift


def residual(x: np.ndarray, p: Parameters) -> np.ndarray:
    """h = x + W_2 max(0, W_1 x + b)."""
    return x + relu(linear(x, p)) @ p.weight_2.T


def attention(x: np.ndarray, p: Parameters) -> np.ndarray:
    """h = softmax(Q K^T / sqrt(d)) V: each x asks the tokens."""
    query, key, value = x @ p.query.T, p.tokens @ p.key.T, p.tokens @ p.value.T
    return softmax(query @ key.T / np.sqrt(key.shape[1])) @ value


def softmax_row(x: np.ndarray, p: Parameters) -> np.ndarray:
    """h_k = exp(x_k) / sum_j exp(x_j); a single number stands beside a zero."""
    return softmax(x if x.shape[1] > 1 else np.hstack([x, np.zeros_like(x)]))


def _plain(function: Callable[[np.ndarray], np.ndarray]) -> Callable[[np.ndarray, Parameters], np.ndarray]:
    return lambda x, p: function(x)


X, H = ("x", "activation"), ("h", "activation")
IS = (" = ", "plain")
# name -> (function of (n, d) and the parameters, lines of the equation)
ROWS: dict[str, tuple[Callable[[np.ndarray, Parameters], np.ndarray], list[Line]]] = {
    "linear": (linear, [[H, IS, ("W", "parameter"), X, ("+", "plain"), ("b", "parameter")]]),
    "ReLU": (_plain(relu), [[H, IS, (r"\max(0,", "plain"), X, (")", "plain")]]),
    "sigmoid": (_plain(sigmoid), [[H, IS, (r"1\,/\,(1 +", "plain"), ("e^{-x}", "activation"), (")", "plain")]]),
    "tanh": (_plain(tanh), [[H, IS, (r"\tanh", "plain"), X]]),
    "softmax": (softmax_row, [[("h_k", "activation"), IS, ("e^{x_k}", "activation"), (r"/\;\sum_j", "plain"),
                               ("e^{x_j}", "activation")]]),
    "normalization": (
        normalization,
        [[H, IS, (r"\gamma", "parameter"), ("(", "plain"), X, (r"- \mu)\,/\,\sqrt{\sigma^2 + \epsilon}", "plain"),
          ("+", "plain"), (r"\beta", "parameter")],
         [(r"\mu, \sigma^2:\ \mathrm{of\ the\ batch}", "plain")]],
    ),
    "residual": (
        residual,
        [[H, IS, X, ("+", "plain"), ("W_2", "parameter"), (r"\max(0,", "plain"), ("W_1", "parameter"), X,
          ("+", "plain"), ("b", "parameter"), (")", "plain")]],
    ),
    "attention": (
        attention,
        [[H, IS, (r"\mathrm{softmax}(", "plain"), ("Q K^T", "activation"), (r"/ \sqrt{d})", "plain"),
          ("V", "activation")],
         [("Q", "activation"), IS, ("W_Q", "parameter"), X, (r",\;", "plain"), ("K", "activation"), IS,
          ("W_K", "parameter"), ("t", "activation"), (r",\;", "plain"), ("V", "activation"), IS,
          ("W_V", "parameter"), ("t", "activation")]],
    ),
}  # fmt: skip
HEIGHTS = (1.0, 0.0, -1.0)  # of three units


def wiring(name: str) -> tuple[list[tuple[float, float]], Edges]:
    """Return the places of the units of a row, and its connections with what they are made of.

    Parameters
    ----------
    name : str
        A key of `ROWS`.

    Returns
    -------
    units : list of (x, y)
    edges : list of ((x, y), (x, y), "parameter" or "activation")
    """
    columns = (0.0, 1.0, 2.0) if name in ("residual", "attention") else (0.0, 2.0)
    units = [(x, y) for x in columns for y in HEIGHTS]
    if name == "linear":
        return units, _all_to_all(0.0, 2.0, "parameter")
    if name == "softmax":
        return units, _all_to_all(0.0, 2.0, "activation")
    if name == "residual":
        past = [((0.0, y), (2.0, y), "past") for y in HEIGHTS]
        return units, [*_all_to_all(0.0, 1.0, "parameter"), *_all_to_all(1.0, 2.0, "parameter"), *past]
    if name == "attention":
        own = [((0.0, y), (1.0, y), "parameter") for y in HEIGHTS]
        return units, [*own, *_all_to_all(1.0, 2.0, "activation")]
    kind = "parameter" if name == "normalization" else "activation"
    return units, [((0.0, y), (2.0, y), kind) for y in HEIGHTS]


def _all_to_all(left: float, right: float, kind: str) -> Edges:
    return [((left, a), (right, b), kind) for a in HEIGHTS for b in HEIGHTS]
