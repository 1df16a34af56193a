"""The modern Hopfield network (2020): continuous patterns, and the bridge to attention.

H. Ramsauer et al., Hopfield networks is all you need, ICLR 2021 (arXiv 2008.02217).

The state s and the P stored patterns (the rows of X) are real vectors. One update and the
energy that it never raises are::

    s <- X' softmax(beta X s)
    E = -logsumexp(beta X s) / beta + s's / 2 + log(P) / beta + (largest |pattern|)^2 / 2

One update is one step of the Transformer's attention: the states are the queries, the
patterns are keys and values, and beta is the scale, there 1 / sqrt(units). The larger
beta, the more the nearest pattern wins; the smaller, the more the update averages. Where
the network of 1982 holds some N / 7 patterns, this one holds a number exponential in N.

We do not depart from the paper; its learned projections are the Transformer's, and are
found there.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from scipy.special import logsumexp, softmax
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted, validate_data

from glassnet.errors import InvalidInputError


def associate(queries: np.ndarray, keys: np.ndarray, beta: float) -> np.ndarray:
    """Return softmax(beta queries keys'): how strongly each query asks for each key.

    Parameters
    ----------
    queries : ndarray of shape (n_queries, n_units)
    keys : ndarray of shape (n_keys, n_units)
    beta : float
        Inverse temperature, positive.

    Returns
    -------
    ndarray of shape (n_queries, n_keys)
        Not negative; each row sums to 1.

    Examples
    --------
    >>> associate(np.array([[0.0]]), np.array([[1.0], [2.0]]), beta=1.0)
    array([[0.5, 0.5]])
    """
    return softmax(beta * (queries @ keys.T), axis=1)


@dataclass(frozen=True)
class Retrieval:
    """What a modern Hopfield network retrieved for a batch of probes.

    Attributes
    ----------
    states : ndarray of shape (n_probes, n_units)
    energies : ndarray of shape (n_probes, n_steps + 1)
        The energy of the probe and after every update; it never rises. A probe that has
        settled keeps its last value.
    association : ndarray of shape (n_probes, n_patterns)
        Weight of each pattern in the state; each row sums to 1.
    n_iter : ndarray of shape (n_probes,), int
        Updates made.
    converged : ndarray of shape (n_probes,), bool
        Whether the last update moved no unit by more than ``tol``.
    """

    states: np.ndarray
    energies: np.ndarray
    association: np.ndarray
    n_iter: np.ndarray
    converged: np.ndarray


class ModernHopfieldNetwork(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Associative memory for real patterns, whose update is a step of attention.

    Parameters
    ----------
    beta : float or None, default=1.0
        Inverse temperature; None takes 1 / sqrt(n_units), the scale of the Transformer.
    max_iter : int, default=100
        Most updates of a retrieval; one is usually enough, and 1 is attention.
    tol : float, default=1e-6
        A probe has settled when no unit moves by more than this.

    Attributes
    ----------
    patterns_ : ndarray of shape (n_patterns, n_units)
        The stored patterns.
    beta_ : float
        The inverse temperature in use.
    n_iter_ : int
        1: storing takes one look at the patterns.
    n_features_in_ : int
        Number of units.
    feature_names_in_ : ndarray of shape (n_units,)
        Names of the units, where the patterns had names.

    References
    ----------
    H. Ramsauer et al., Hopfield networks is all you need, ICLR 2021.

    Examples
    --------
    >>> patterns = [[3.0, 0.0, 0.0], [0.0, 3.0, 0.0], [0.0, 0.0, 3.0]]
    >>> network = ModernHopfieldNetwork(beta=2.0).fit(patterns)
    >>> network.transform([[2.0, 0.5, -1.0]]).round(2) + 0.0
    array([[3., 0., 0.]])
    """

    def __init__(self, beta=1.0, *, max_iter=100, tol=1e-6):
        self.beta = beta
        self.max_iter = max_iter
        self.tol = tol

    def fit(self, X: Any, y: object = None) -> ModernHopfieldNetwork:
        """Store patterns, forgetting those stored before.

        Parameters
        ----------
        X : array-like of shape (n_patterns, n_units)
        y : ignored

        Returns
        -------
        ModernHopfieldNetwork
            The network itself.

        Raises
        ------
        InvalidInputError
            If ``beta``, ``max_iter`` or ``tol`` cannot be used.
        """
        if self.beta is not None and not (isinstance(self.beta, Real) and self.beta > 0):
            raise InvalidInputError(f"beta must be a positive number or None; got {self.beta!r}")
        if not isinstance(self.max_iter, (int, np.integer)) or self.max_iter < 1:
            raise InvalidInputError(f"max_iter must be an integer, at least 1; got {self.max_iter!r}")
        if not isinstance(self.tol, Real) or self.tol < 0:
            raise InvalidInputError(f"tol must be a number, at least 0; got {self.tol!r}")
        X = validate_data(self, X, dtype=(np.float64, np.float32), copy=True)
        self.patterns_: np.ndarray = X
        self.beta_ = float(self.beta or X.shape[1] ** -0.5)
        self.n_iter_ = 1
        return self

    def _probes(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        X = validate_data(self, X, dtype=(np.float64, np.float32), reset=False)
        return X

    def retrieve(self, X: Any) -> Retrieval:
        """Update each probe until it settles.

        Parameters
        ----------
        X : array-like of shape (n_probes, n_units)

        Returns
        -------
        Retrieval
            A `ConvergenceWarning` says how many probes had not settled in ``max_iter`` > 1.
        """
        states = self._probes(X).copy()
        energies, n_iter = [self._energy(states)], np.zeros(len(states), np.int64)
        moving = np.arange(len(states))
        for _ in range(self.max_iter):
            new = self.step(states[moving])
            still = np.abs(new - states[moving]).max(axis=1) > self.tol
            states[moving] = new
            energies.append(energies[-1].copy())
            energies[-1][moving] = self._energy(new)
            n_iter[moving] += 1
            moving = moving[still]
            if not moving.size:
                break
        self._warn_of_unsettled(len(moving), len(states))
        converged = ~np.isin(np.arange(len(states)), moving)
        association = associate(states, self.patterns_, self.beta_)
        return Retrieval(states, np.stack(energies, axis=1), association, n_iter, converged)

    def _warn_of_unsettled(self, unsettled: int, n_probes: int) -> None:
        if unsettled and self.max_iter > 1:
            message = f"{unsettled} of {n_probes} probes had not settled after max_iter={self.max_iter} updates"
            warnings.warn(message, ConvergenceWarning, stacklevel=3)

    def step(self, states: np.ndarray) -> np.ndarray:
        """Update states once: X' softmax(beta X s), which is attention of the states to X.

        Parameters
        ----------
        states : ndarray of shape (n_states, n_units)

        Returns
        -------
        ndarray of shape (n_states, n_units)
            Weighted means of the stored patterns.
        """
        return associate(states, self.patterns_, self.beta_) @ self.patterns_

    def transform(self, X: Any) -> np.ndarray:
        """Return the states retrieved for the probes.

        Parameters
        ----------
        X : array-like of shape (n_probes, n_units)

        Returns
        -------
        ndarray of shape (n_probes, n_units)
        """
        return self.retrieve(X).states

    def predict(self, X: Any) -> np.ndarray:
        """Return the states retrieved for the probes: the same as `transform`."""
        return self.transform(X)

    def energy(self, X: Any) -> np.ndarray:
        """Return the energy of each state, which is never negative.

        Parameters
        ----------
        X : array-like of shape (n_states, n_units)

        Returns
        -------
        ndarray of shape (n_states,)
        """
        return self._energy(self._probes(X))

    def _energy(self, states: np.ndarray) -> np.ndarray:
        X, beta = self.patterns_, self.beta_
        near = np.asarray(logsumexp(beta * (states @ X.T), axis=1)) / beta
        largest = (X * X).sum(axis=1).max()
        return (states * states).sum(axis=1) / 2 - near + np.log(len(X)) / beta + largest / 2
