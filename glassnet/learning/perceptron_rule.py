"""Rosenblatt's rule (1958): a unit that errs moves its weights by the input.

One sample x after the other: the unit's output is o = 1 where weight . x + bias >= 0, else
0; with the target t in {0, 1},

    weight <- weight + learning_rate (t - o) x,    bias <- bias + learning_rate (t - o).

Nothing happens where the output is right. If the classes can be separated by a
hyperplane, the rule makes at most (R / gamma)^2 mistakes (Novikoff 1962).

References
----------
F. Rosenblatt (1958). The perceptron: a probabilistic model for information storage and
organization in the brain. Psychological Review 65, 386-408.
A. B. J. Novikoff (1962). On convergence proofs on perceptrons.
"""

from __future__ import annotations

import numpy as np

from glassnet.training.batches import Batches
from glassnet.training.state import TrainingState


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
    """

    name = "formula"

    def __init__(self, X: np.ndarray, target: np.ndarray, sample_weight: np.ndarray | None, learning_rate: float):
        self.X, self.target, self.sample_weight, self.learning_rate = X, target, sample_weight, learning_rate

    def run(self, state: TrainingState, batches: Batches) -> np.ndarray:
        """Make one step per sample; see `glassnet.training.state.Engine`."""
        weight, bias = state.arrays["weight"], state.arrays["bias"]
        mistakes = np.empty(len(batches))
        for i, row in enumerate(batches.indices[batches.starts]):
            scale = 1.0 if self.sample_weight is None else self.sample_weight[row]
            rate = self.learning_rate * scale
            mistakes[i] = perceptron_step(weight, bias, self.X[row], self.target[row], rate)
        return mistakes
