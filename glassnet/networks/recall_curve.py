"""How much a Hopfield network recalls at each load: where its memory breaks down.

With P random patterns in N units, theory puts the load P / N at which Hebb's rule fails at
0.138 for large N (D. J. Amit, H. Gutfreund, H. Sompolinsky, Storing infinite numbers of
patterns in a spin-glass model of neural networks, Physical Review Letters 55, 1985). Below
it the minima lie close to the patterns; above it, nowhere near them. In a network of a
thousand units the fall is not sharp, so it is measured over many trials.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from glassnet.errors import InvalidInputError
from glassnet.learning.hebb import RULES
from glassnet.networks.hopfield import check_names, settle
from glassnet.seeds import generator, resolve_seed


@dataclass(frozen=True)
class RecallCurve:
    """How much is recalled at each load: a value per load and trial.

    Attributes
    ----------
    n_units : int
    corruption : float
        Share of a probe's bits that were flipped, in [0, 1].
    n_patterns : ndarray of shape (n_loads,), int
    bits_right : ndarray of shape (n_loads, n_trials), float64
        Mean share of a pattern's bits that came back, in [0, 1].
    retrieved : ndarray of shape (n_loads, n_trials), float64
        Share of the probes that ended with at least 95% of the pattern's bits.
    """

    n_units: int
    corruption: float
    n_patterns: np.ndarray
    bits_right: np.ndarray
    retrieved: np.ndarray

    @property
    def load(self) -> np.ndarray:
        """Patterns per unit: (n_loads,)."""
        return self.n_patterns / self.n_units

    @property
    def mean(self) -> np.ndarray:
        """Mean over the trials of ``bits_right``: (n_loads,)."""
        return self.bits_right.mean(axis=1)

    @property
    def spread(self) -> np.ndarray:
        """Standard deviation over the trials of ``bits_right``, n - 1 in its divisor: (n_loads,)."""
        return self.bits_right.std(axis=1, ddof=1) if self.bits_right.shape[1] > 1 else np.zeros(len(self.n_patterns))

    @property
    def breakdown(self) -> float:
        """Load at which the mean of ``bits_right`` falls below 95%; NaN if the curve does not cross it."""
        mean = self.mean
        below = np.flatnonzero(mean < 0.95)
        if not below.size or below[0] == 0:
            return float("nan")
        around = [below[0], below[0] - 1]
        return float(np.interp(0.95, mean[around], self.load[around]))


def recall_curve(
    loads: ArrayLike = (0.05, 0.08, 0.10, 0.12, 0.13, 0.14, 0.15, 0.16, 0.18, 0.20),
    n_units: int = 1000,
    n_trials: int = 10,
    *,
    corruption: float = 0.1,
    rule: str = "hebb",
    update: str = "asynchronous",
    n_probes: int = 100,
    max_iter: int = 100,
    random_state: int | None = 0,
) -> RecallCurve:
    """Measure how much of random patterns is recalled from corrupted probes, over the load.

    A trial stores new random patterns, flips a share of the bits of each of the first
    ``n_probes`` and lets them settle.

    Parameters
    ----------
    loads : float or array-like of shape (n_loads,), default=ten loads from 0.05 to 0.20
        Patterns per unit, ascending; each is rounded to whole patterns.
    n_units : int, default=1000
    n_trials : int, default=10
    corruption : float, default=0.1
        Share of the bits to flip, in [0, 1].
    rule, update, max_iter
        As for `HopfieldNetwork`.
    n_probes : int, default=100
        Most probes in a trial.
    random_state : int or None, default=0

    Returns
    -------
    RecallCurve

    Raises
    ------
    UnknownNameError
        If there is no such ``rule`` or ``update``.
    InvalidInputError
        If a load is not positive, ``corruption`` lies outside [0, 1], or there is nothing
        to measure.

    Examples
    --------
    >>> curve = recall_curve([0.05], n_units=100, n_trials=2)
    >>> bool(curve.mean[0] > 0.95)
    True
    """
    check_names(rule, update)
    loads = np.atleast_1d(np.asarray(loads, dtype=np.float64))
    if (loads <= 0).any() or not 0 <= corruption <= 1:
        raise InvalidInputError(f"loads must be positive and corruption in [0, 1]; got {loads} and {corruption}")
    if min(n_units, n_trials, n_probes) < 1:
        raise InvalidInputError(
            f"n_units, n_trials, n_probes must be at least 1; got {n_units}, {n_trials}, {n_probes}"
        )
    n_patterns = np.maximum(1, np.rint(loads * n_units)).astype(int)
    seed = resolve_seed(random_state)
    bits_right, retrieved = np.empty((2, len(loads), n_trials))
    for i, trial in np.ndindex(len(loads), n_trials):
        rng = generator(seed, "recall curve", i, trial)
        patterns = rng.choice(np.array([-1, 1], np.float32), (n_patterns[i], n_units))
        probes = _corrupted(patterns[:n_probes], corruption, rng)
        settled = settle(RULES[rule](patterns), probes, update=update, max_iter=max_iter, seed=seed)
        right = (settled.states == patterns[: len(probes)]).mean(axis=1)
        bits_right[i, trial], retrieved[i, trial] = right.mean(), (right >= 0.95).mean()
    return RecallCurve(n_units, corruption, n_patterns, bits_right, retrieved)


def _corrupted(patterns: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Return the patterns with the same number of randomly chosen bits flipped in each."""
    signs = np.ones_like(patterns)
    signs[:, : round(share * patterns.shape[1])] = -1
    return patterns * rng.permuted(signs, axis=1)
