"""The least-mean-squares rule of Widrow and Hoff (1960), also called the delta rule.

A linear unit with output z = weight . x + bias and target t has the error e = t - z. Its
weights follow the gradient of half the mean squared error over a batch of n samples:

    weight <- weight + learning_rate / n sum of e x,   bias <- bias + learning_rate / n sum of e.

With one sample a step this is the original rule. (Widrow and Hoff's constant is twice
ours: they descend on the whole, not on half, the squared error.)

Descent on all samples at once is stable while learning_rate < 2 / lambda_max, where
lambda_max is the largest eigenvalue of X^T X / N, X with a column of ones for the bias.
Sample by sample, a single step overshoots its own sample where learning_rate |x|^2 > 2.

References
----------
B. Widrow and M. E. Hoff (1960). Adaptive switching circuits. IRE WESCON Convention Record,
part 4, 96-104.
"""

from __future__ import annotations

import numpy as np

from glassnet.training.batches import Batches
from glassnet.training.state import TrainingState


def lms_step(
    weight: np.ndarray,
    bias: np.ndarray,
    x: np.ndarray,
    target: np.ndarray,
    learning_rate: float,
    sample_weight: np.ndarray | None = None,
) -> float:
    """Make one step of the rule in place.

    Parameters
    ----------
    weight : ndarray of shape (n_units, n_features)
    bias : ndarray of shape (n_units,)
    x : ndarray of shape (n, n_features)
        The batch.
    target : ndarray of shape (n, n_units)
    learning_rate : float
        Above 0.
    sample_weight : ndarray of shape (n,), optional
        Of mean 1 over the whole data set.

    Returns
    -------
    float
        Half the mean squared error of the batch, before the step.

    Examples
    --------
    >>> weight, bias = np.zeros((1, 1)), np.zeros(1)
    >>> lms_step(weight, bias, np.array([[2.0]]), np.array([[1.0]]), 0.1)
    0.5
    >>> weight, bias
    (array([[0.2]]), array([0.1]))
    """
    w = (np.ones(len(x), x.dtype) if sample_weight is None else sample_weight)[:, None] / len(x)
    error = target - (x @ weight.T + bias)  # (n, n_units)
    loss = 0.5 * float((w * error**2).sum())
    weight += learning_rate * (w * error).T @ x
    bias += learning_rate * (w * error).sum(0)
    return loss


def stability_limit(X: np.ndarray, batch_size: int | None = None, sample_weight: np.ndarray | None = None) -> float:
    """Return the learning rate above which the rule diverges.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    batch_size : int, optional
        None or the number of samples: descent on the whole batch, for which the limit,
        2 / lambda_max, is exact. Fewer: 2 / max |x|^2, the largest rate at which no sample
        can be overshot, exact for one sample a step.
    sample_weight : ndarray of shape (n_samples,), optional

    Returns
    -------
    float

    Examples
    --------
    >>> float(stability_limit(np.array([[1.0], [-1.0]])))
    2.0
    >>> float(stability_limit(np.array([[1.0], [-1.0]]), batch_size=1))
    1.0
    """
    share = np.ones(len(X)) if sample_weight is None else sample_weight / sample_weight.mean()
    if batch_size is not None and batch_size < len(X):  # lambda_max of a batch is at most its largest |x|^2
        return float(2 / (share * (np.einsum("ij,ij->i", X, X) + 1)).max())
    X = np.hstack([X, np.ones((len(X), 1))]).astype(np.float64)
    return float(2 / np.linalg.eigvalsh((share[:, None] * X).T @ X / len(X))[-1])


class LMSEngine:
    """Makes the steps of the LMS rule in plain NumPy.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    target : ndarray of shape (n_samples, n_units)
    sample_weight : ndarray of shape (n_samples,) or None
    learning_rate : float
    """

    name = "formula"

    def __init__(self, X: np.ndarray, target: np.ndarray, sample_weight: np.ndarray | None, learning_rate: float):
        self.X, self.target, self.learning_rate = X, target, learning_rate
        self.sample_weight = None if sample_weight is None else sample_weight / sample_weight.mean()

    @np.errstate(over="ignore", invalid="ignore")  # whoever runs the engine looks at the losses
    def run(self, state: TrainingState, batches: Batches) -> np.ndarray:
        """Make one step per batch; see `glassnet.training.state.Engine`."""
        losses = np.empty(len(batches))
        for i, (start, stop) in enumerate(zip(batches.starts, batches.stops, strict=True)):
            rows = batches.indices[start:stop]
            w = None if self.sample_weight is None else self.sample_weight[rows]
            arrays = state.arrays
            losses[i] = lms_step(
                arrays["weight"], arrays["bias"], self.X[rows], self.target[rows], self.learning_rate, w
            )
        return losses
