"""Rosenblatt's rule (1958): a unit that errs moves its weights by the input.

One sample x after the other: the unit's output is o = 1 where weight . x + bias >= 0, else
0; with the target t in {0, 1},

    weight <- weight + learning_rate (t - o) x,    bias <- bias + learning_rate (t - o).

Nothing happens where the output is right. If the classes can be separated by a
hyperplane, the rule makes at most (R / gamma)^2 mistakes (Novikoff 1962).

Where they cannot, the weights never rest; two variants predict by other weights than the
last: by their mean over all steps, or by those that were right for the longest run.

References
----------
F. Rosenblatt (1958). The perceptron: a probabilistic model for information storage and
organization in the brain. Psychological Review 65, 386-408.
A. B. J. Novikoff (1962). On convergence proofs on perceptrons.
S. I. Gallant (1990). Perceptron-based learning algorithms (the pocket algorithm).
Y. Freund and R. E. Schapire (1999). Large margin classification using the perceptron
algorithm (averaging).
"""

from __future__ import annotations

import numpy as np

from glassnet.training.batches import Batches
from glassnet.training.state import TrainingState

VARIANTS = ("plain", "averaged", "pocket")


def perceptron_step(
    weight: np.ndarray, bias: np.ndarray, x: np.ndarray, target: np.ndarray, learning_rate: float
) -> int:
    """Make one step of the rule in place and return the number of units that erred.

    Parameters
    ----------
    weight : ndarray of shape (n_units, n_features)
    bias : ndarray of shape (n_units,)
    x : ndarray of shape (n_features,)
    target : ndarray of shape (n_units,)
        Zeros and ones.
    learning_rate : float
        Above 0.

    Returns
    -------
    int

    Examples
    --------
    >>> weight, bias = np.zeros((1, 2)), np.zeros(1)
    >>> perceptron_step(weight, bias, np.array([1.0, 2.0]), np.array([0.0]), 1.0)
    1
    >>> weight, bias
    (array([[-1., -2.]]), array([-1.]))
    """
    output = (weight @ x + bias >= 0).astype(weight.dtype)
    error = target - output  # (n_units,)
    weight += learning_rate * error[:, None] * x
    bias += learning_rate * error
    return int(np.count_nonzero(error))


def initial_arrays(n_units: int, n_features: int, dtype: type | np.dtype) -> dict[str, np.ndarray]:
    """Return the rule's arrays before the first step: zeros.

    "weight" and "bias" are what the rule moves, "kept_weight" and "kept_bias" what a variant
    predicts by, and "counts" (n_units, 2) what it needs to know for that.
    """
    shape = (n_units, n_features)
    return {
        "weight": np.zeros(shape, dtype),
        "bias": np.zeros(n_units, dtype),
        "kept_weight": np.zeros(shape, dtype),
        "kept_bias": np.zeros(n_units, dtype),
        "counts": np.zeros((n_units, 2), np.int64),
    }


def average(arrays: dict[str, np.ndarray]) -> None:
    """Take the weights after a step into their mean over all steps (Freund and Schapire 1999)."""
    arrays["counts"][:, 0] += 1
    share = (1 / arrays["counts"][:, 0]).astype(arrays["weight"].dtype)
    arrays["kept_weight"] += share[:, None] * (arrays["weight"] - arrays["kept_weight"])
    arrays["kept_bias"] += share * (arrays["bias"] - arrays["kept_bias"])


def put_in_pocket(arrays: dict[str, np.ndarray], wrong: np.ndarray) -> None:
    """Keep the weights with the longest run of right answers so far (Gallant 1990).

    To be called before a step, with the units that err at its sample, bool of shape (n_units,).
    """
    run, best = arrays["counts"].T  # views: the current run of right answers and the longest one
    run[:] = np.where(wrong, 0, run + 1)
    better = run > best
    best[better] = run[better]
    for name in ("weight", "bias"):
        arrays[f"kept_{name}"][better] = arrays[name][better]


class PerceptronEngine:
    """Makes the steps of Rosenblatt's rule, one sample a step, in plain NumPy.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    target : ndarray of shape (n_samples, n_outputs)
        Zeros and ones.
    sample_weight : ndarray of shape (n_samples,) or None
        Scales the learning rate of each sample.
    learning_rate : float
    variant : {"plain", "averaged", "pocket"}
    """

    name = "formula"

    def __init__(
        self,
        X: np.ndarray,
        target: np.ndarray,
        sample_weight: np.ndarray | None,
        learning_rate: float,
        variant: str = "plain",
    ):
        self.X, self.target, self.sample_weight = X, target, sample_weight
        self.learning_rate, self.variant = learning_rate, variant

    def run(self, state: TrainingState, batches: Batches) -> np.ndarray:
        """Make one step per sample; see `glassnet.training.state.Engine`."""
        arrays = state.arrays
        mistakes = np.empty(len(batches))
        for i, row in enumerate(batches.indices[batches.starts]):
            x, target = self.X[row], self.target[row]
            if self.variant == "pocket":
                put_in_pocket(arrays, (arrays["weight"] @ x + arrays["bias"] >= 0) != target)
            rate = self.learning_rate * (1.0 if self.sample_weight is None else float(self.sample_weight[row]))
            mistakes[i] = perceptron_step(arrays["weight"], arrays["bias"], x, target, rate)
            if self.variant == "averaged":
                average(arrays)
        return mistakes
