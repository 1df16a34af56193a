"""Losses, from logits, and their gradients with respect to the logits.

All losses are means over the samples. With sample weights w, a batch of n samples has the
loss sum of w_i L_i / (n mean(w)), the mean being over the whole data set: batches add up to
the weighted mean, and a weight counts as much in a batch of one. (The lecture's J is a sum
over the samples. The same steps come from the sum when the learning rate is divided by N.)

The three losses of the estimators share one property that makes backpropagation simple:
the gradient with respect to the output's pre-activation z is

    dL/dz = (output - target) / N,

where the output is identity(z) for the squared error, sigmoid(z) for the binary
cross-entropy and softmax(z) for the cross-entropy.
"""

from __future__ import annotations

import numpy as np
from scipy.special import rel_entr, xlogy

from glassnet.learning.activations import sigmoid, softmax


def squared_error(z: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return 1/2 sum_k (z_k - target_k)^2 of each sample.

    Parameters
    ----------
    z : ndarray of shape (n_samples, n_outputs)
        Outputs of a network whose last layer is linear.
    target : ndarray of shape (n_samples, n_outputs)

    Returns
    -------
    ndarray of shape (n_samples,)

    Examples
    --------
    >>> squared_error(np.array([[3.0]]), np.array([[1.0]]))
    array([2.])
    """
    return 0.5 * ((z - target) ** 2).sum(axis=1)


def binary_cross_entropy(z: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return -sum_k [t_k log h_k + (1 - t_k) log(1 - h_k)], h = sigmoid(z), of each sample.

    Computed from the logits as max(z, 0) - z t + log(1 + exp(-|z|)), which neither
    overflows nor loses digits.

    Parameters
    ----------
    z : ndarray of shape (n_samples, n_outputs)
        Logits.
    target : ndarray of shape (n_samples, n_outputs)
        In [0, 1].

    Returns
    -------
    ndarray of shape (n_samples,)
        In nats.

    Examples
    --------
    >>> binary_cross_entropy(np.array([[0.0]]), np.array([[1.0]])).round(4)
    array([0.6931])
    """
    return (np.maximum(z, 0) - z * target + np.log1p(np.exp(-np.abs(z)))).sum(axis=1)


def cross_entropy(z: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return -sum_k t_k log softmax(z)_k of each sample.

    Parameters
    ----------
    z : ndarray of shape (n_samples, n_classes)
        Logits.
    target : ndarray of shape (n_samples, n_classes)
        Probabilities that sum to 1; one-hot rows for labels.

    Returns
    -------
    ndarray of shape (n_samples,)
        In nats.

    Examples
    --------
    >>> cross_entropy(np.array([[0.0, 0.0]]), np.array([[1.0, 0.0]])).round(4)
    array([0.6931])
    """
    shifted = z - z.max(axis=1, keepdims=True)
    log_probability = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -(target * log_probability).sum(axis=1)


def entropy(p: np.ndarray) -> np.ndarray:
    """Return -sum_k p_k log p_k over the last axis, in nats; 0 log 0 is 0.

    Examples
    --------
    >>> float(entropy(np.array([0.5, 0.5])).round(4))
    0.6931
    """
    return -xlogy(p, p).sum(axis=-1)


def kl_divergence(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Return sum_k p_k log(p_k / q_k) over the last axis, in nats.

    Not symmetric; 0 where p = q, infinite where q_k = 0 but p_k > 0. The cross-entropy of p
    and q is ``entropy(p) + kl_divergence(p, q)``.

    Parameters
    ----------
    p, q : ndarray of shape (..., n_classes)
        Probabilities that sum to 1.

    Returns
    -------
    ndarray of shape (...)

    References
    ----------
    S. Kullback and R. A. Leibler (1951). On information and sufficiency.

    Examples
    --------
    >>> float(kl_divergence(np.array([1.0, 0.0]), np.array([0.5, 0.5])).round(4))
    0.6931
    """
    return rel_entr(p, q).sum(axis=-1)


# loss -> (loss of each sample from logits, output from logits)
LOSSES = {
    "squared_error": (squared_error, lambda z: z),
    "binary_cross_entropy": (binary_cross_entropy, sigmoid),
    "cross_entropy": (cross_entropy, softmax),
}
