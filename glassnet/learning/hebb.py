"""Learning rules of associative memories: Hebb, Storkey and the pseudo-inverse.

Each rule turns P patterns xi of N units with values -1 and +1 into a symmetric weight
matrix W with a zero diagonal, of which the patterns should be fixed points.

================  ==========================================  =====================
rule              weight between units i and j                holds about
================  ==========================================  =====================
Hebb              (1/N) sum over patterns of xi_i xi_j        0.138 N patterns
Storkey           the same, less what is already predicted    N / sqrt(2 ln N)
pseudo-inverse    projection onto the span of the patterns    N
================  ==========================================  =====================

Hebb's and Storkey's rules are local (a weight sees only its two units and the fields on
them) and incremental (patterns come one after another); the pseudo-inverse is neither.

References
----------
D. O. Hebb, The Organization of Behavior, Wiley, 1949.
L. Personnaz, I. Guyon, G. Dreyfus, Information storage and retrieval in spin-glass like
neural networks, Journal de Physique Lettres 46, 1985.
A. J. Storkey, Increasing the capacity of a Hopfield network without sacrificing
functionality, ICANN 1997.
D. J. Amit, H. Gutfreund, H. Sompolinsky, Storing infinite numbers of patterns in a
spin-glass model of neural networks, Physical Review Letters 55, 1985 (the 0.138).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from glassnet.errors import UnknownNameError


def hebb(patterns: np.ndarray) -> np.ndarray:
    """Hebb's rule: W_ij = (1/N) sum over patterns of xi_i xi_j, and W_ii = 0.

    Units that are alike in a pattern excite each other, units that differ inhibit each
    other. The sums are exact in float32 up to 16 million patterns.

    Parameters
    ----------
    patterns : ndarray of shape (n_patterns, n_units), float
        Values -1 and +1.

    Returns
    -------
    ndarray of shape (n_units, n_units), the dtype of ``patterns``

    Examples
    --------
    >>> hebb(np.array([[1.0, -1.0]]))
    array([[ 0. , -0.5],
           [-0.5,  0. ]])
    """
    weight = patterns.T @ patterns
    weight /= patterns.shape[1]
    np.fill_diagonal(weight, 0)
    return weight


def storkey(patterns: np.ndarray) -> np.ndarray:
    """Storkey's rule, as its paper writes it: one pattern after another.

    W_ij grows by (xi_i xi_j - xi_i h_ji - h_ij xi_j) / N, where h_ij is the field that
    the weights so far put on unit i, leaving out units i and j. This is the formula;
    `storkey_factored` gives the same weights sooner.

    Parameters
    ----------
    patterns : ndarray of shape (n_patterns, n_units), float
        Values -1 and +1, learned in the order given (the order matters).

    Returns
    -------
    ndarray of shape (n_units, n_units), the dtype of ``patterns``

    Examples
    --------
    >>> storkey(np.array([[1.0, -1.0]]))
    array([[ 0. , -0.5],
           [-0.5,  0. ]])
    """
    n_units = patterns.shape[1]
    weight = np.zeros((n_units, n_units), patterns.dtype)
    for pattern in patterns:
        without_j = (weight @ pattern)[:, None] - weight * pattern  # h_ij; W_ii = 0 leaves out i
        predicted = without_j * pattern  # h_ij xi_j
        weight += (np.outer(pattern, pattern) - (predicted + predicted.T)) / n_units
        np.fill_diagonal(weight, 0)
    return weight


def storkey_factored(patterns: np.ndarray) -> np.ndarray:
    """Storkey's rule at the price of one matrix product; equal to `storkey`.

    With xi_i xi_i = 1, W_ii = 0 and the residual r = xi/2 - W xi, a step of the rule is
    W <- growth W + (r xi' + xi r') / N off the diagonal, growth = 1 + 2/N. So W is a sum
    over pairs (r, xi) of all patterns so far, the older ones grown; the field W xi is
    found from the pairs without forming W, which is formed once at the end. With more
    patterns than units the pairs cancel and lose digits: then `storkey` does the work.

    Parameters
    ----------
    patterns : ndarray of shape (n_patterns, n_units), float
        Values -1 and +1, learned in the order given.

    Returns
    -------
    ndarray of shape (n_units, n_units), the dtype of ``patterns``

    Examples
    --------
    >>> patterns = np.array([[1.0, -1.0, 1.0], [1.0, 1.0, -1.0]])
    >>> bool(np.allclose(storkey_factored(patterns), storkey(patterns)))
    True
    """
    n_patterns, n_units = patterns.shape
    if n_patterns > n_units:
        return storkey(patterns)
    growth = 1 + 2 / n_units
    age = growth ** np.arange(n_patterns - 1, -1, -1.0).astype(patterns.dtype)
    residuals = np.zeros_like(patterns)
    diagonal = np.zeros(n_units, patterns.dtype)  # what the pairs would put on it
    for start in range(0, n_patterns, BLOCK):
        block = patterns[start : start + BLOCK]
        fields = _pairs_times(residuals[:start], patterns[:start], age[n_patterns - start :] / n_units, block)
        for step, (pattern, older) in enumerate(zip(block, fields, strict=True), start):
            here = slice(start, step)
            newer = _pairs_times(residuals[here], patterns[here], age[n_patterns + start - step :] / n_units, pattern)
            field = growth ** (step - start) * older + newer - diagonal * pattern
            residuals[step] = pattern / 2 - field
            diagonal = growth * diagonal + 2 * residuals[step] * pattern / n_units
    half = (residuals * (age / n_units)[:, None]).T @ patterns
    half += half.T.copy()
    np.fill_diagonal(half, 0)
    return half


# patterns whose fields from all older pairs are found in one matrix product
BLOCK = 32


def _pairs_times(residuals: np.ndarray, known: np.ndarray, share: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return (sum over pairs of share (r xi' + xi r')) x, for one x or for rows of them."""
    return ((x @ known.T) * share) @ residuals + ((x @ residuals.T) * share) @ known


def pseudo_inverse(patterns: np.ndarray) -> np.ndarray:
    """The projection rule: W = X' (X X')^+ X for patterns X, and W_ii = 0.

    Computed as B' B with B an orthonormal basis of the span of the patterns. Before its
    diagonal is removed, W leaves every pattern exactly as it is, however
    alike the patterns are. Without self-coupling they stay fixed points, and the energy
    of asynchronous updates never rises.

    Parameters
    ----------
    patterns : ndarray of shape (n_patterns, n_units), float
        Values -1 and +1; repeated or dependent patterns are allowed.

    Returns
    -------
    ndarray of shape (n_units, n_units), the dtype of ``patterns``

    Examples
    --------
    >>> pseudo_inverse(np.array([[1.0, -1.0]])).round(6)
    array([[ 0. , -0.5],
           [-0.5,  0. ]])
    """
    basis = _orthonormal_rows(patterns.astype(np.float64)).astype(patterns.dtype)
    weight = basis.T @ basis
    np.fill_diagonal(weight, 0)
    return weight


def _orthonormal_rows(patterns: np.ndarray) -> np.ndarray:
    """Return an orthonormal basis (rank, n_units) of the span of the rows."""
    wide = len(patterns) <= patterns.shape[1]
    gram = patterns @ patterns.T if wide else patterns.T @ patterns  # the smaller of the two
    values, vectors = np.linalg.eigh(gram)
    kept = values > len(gram) * np.finfo(values.dtype).eps * values[-1]
    if not wide:
        return vectors[:, kept].T
    return (vectors[:, kept] / np.sqrt(values[kept])).T @ patterns


# name of a rule -> the function that `HopfieldNetwork` runs
RULES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "hebb": hebb,
    "storkey": storkey_factored,
    "pseudo-inverse": pseudo_inverse,
}


def capacity(rule: str, n_units: int) -> float:
    """Return the number of random patterns that a rule can hold in a large network.

    Parameters
    ----------
    rule : {"hebb", "storkey", "pseudo-inverse"}
    n_units : int

    Returns
    -------
    float
        At least 1: every rule holds one pattern.

    Raises
    ------
    UnknownNameError
        If there is no such rule.

    Examples
    --------
    >>> capacity("hebb", 1000)
    138.0
    """
    if rule not in RULES:
        raise UnknownNameError("rule", rule, RULES)
    if rule == "hebb":
        return max(1.0, 0.138 * n_units)
    if rule == "storkey":
        return max(1.0, n_units / np.sqrt(2 * np.log(max(n_units, 2))))
    return float(n_units)
