"""Polynomial regression with an L2 penalty: ridge regression on powers of x."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.preprocessing import PolynomialFeatures
from sklearn.utils.validation import check_is_fitted, validate_data

from glassnet.errors import InvalidInputError, UnknownNameError

SOLVERS = ("closed-form", "gradient-descent")


class PolynomialRegression(RegressorMixin, BaseEstimator):
    """Fit w of y = sum_k w_k phi_k(x) + b, phi all monomials up to a degree, by ridge regression.

    The weights minimise sum_i (y_i - output_i)^2 + alpha ||w||^2; the bias b is free. In
    closed form w = (P^T P + alpha I)^-1 P^T (y - mean y), P the centred monomials.

    Parameters
    ----------
    degree : int, default=3
        At least 1.
    alpha : float, default=0.0
        Strength of the penalty, at least 0.
    solver : {"closed-form", "gradient-descent"}, default="closed-form"
        Both minimise the same objective. Descent takes the stable step 1 / lambda_max and
        slows down as the monomials become collinear.
    max_iter : int, default=100_000
        Largest number of descent steps.
    tol : float, default=1e-10
        Descent ends when no weight moves by more than this.

    Attributes
    ----------
    coef_ : ndarray of shape (n_monomials,)
    intercept_ : float
    feature_names_out_ : list of str
        Names of the monomials.
    n_iter_ : int
        Steps made; 1 in closed form.

    References
    ----------
    A. E. Hoerl and R. W. Kennard (1970). Ridge regression. Technometrics 12, 55-67.

    Examples
    --------
    >>> PolynomialRegression(2).fit([[0.0], [1.0], [2.0]], [1.0, 2.0, 5.0]).predict([[3.0]]).round(6)
    array([10.])
    """

    def __init__(
        self,
        degree: int = 3,
        alpha: float = 0.0,
        *,
        solver: str = "closed-form",
        max_iter: int = 100_000,
        tol: float = 1e-10,
    ):
        self.degree = degree
        self.alpha = alpha
        self.solver = solver
        self.max_iter = max_iter
        self.tol = tol

    def fit(self, X: Any, y: Any) -> PolynomialRegression:
        """Fit the weights.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)

        Returns
        -------
        self

        Raises
        ------
        InvalidInputError, UnknownNameError
            If a parameter is out of its range.
        """
        if self.solver not in SOLVERS:
            raise UnknownNameError("solver", self.solver, SOLVERS)
        if not self.degree >= 1 or not self.alpha >= 0:
            raise InvalidInputError(f"degree must be >= 1 and alpha >= 0, got {self.degree} and {self.alpha}.")
        X, y = validate_data(self, X, y, y_numeric=True, dtype=np.float64)
        self._monomials = PolynomialFeatures(self.degree, include_bias=False).fit(X)
        self.feature_names_out_ = list(self._monomials.get_feature_names_out())
        phi = self._monomials.transform(X)
        centred, residual = phi - phi.mean(0), y - y.mean()
        solve = closed_form if self.solver == "closed-form" else self._descend
        self.n_iter_ = 1
        self.coef_ = solve(centred, residual, self.alpha)
        self.intercept_ = float(y.mean() - phi.mean(0) @ self.coef_)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Return the outputs, shape (n_samples,)."""
        check_is_fitted(self)
        return self._monomials.transform(validate_data(self, X, reset=False)) @ self.coef_ + self.intercept_

    def _descend(self, phi: np.ndarray, y: np.ndarray, alpha: float) -> np.ndarray:
        """Follow the gradient phi^T (phi w - y) + alpha w of half the objective to its zero."""
        gram, target = phi.T @ phi + alpha * np.eye(phi.shape[1]), phi.T @ y
        step, w = 1 / max(np.linalg.eigvalsh(gram)[-1], np.finfo(float).tiny), np.zeros(phi.shape[1])
        for n_iter in range(1, self.max_iter + 1):
            change = step * (gram @ w - target)
            w -= change
            self.n_iter_ = n_iter
            if np.abs(change).max() <= self.tol:
                break
        return w


def closed_form(phi: np.ndarray, y: np.ndarray, alpha: float) -> np.ndarray:
    """Return (phi^T phi + alpha I)^-1 phi^T y, through the least-squares problem of [phi; sqrt(alpha) I].

    Parameters
    ----------
    phi : ndarray of shape (n_samples, n_monomials)
    y : ndarray of shape (n_samples,)
    alpha : float
        At least 0; with 0 and collinear columns the shortest solution is returned.

    Returns
    -------
    ndarray of shape (n_monomials,)

    Examples
    --------
    >>> closed_form(np.array([[2.0]]), np.array([3.0]), 2.0)
    array([1.])
    """
    n = phi.shape[1]
    rows = np.vstack([phi, np.sqrt(alpha) * np.eye(n)])
    return np.linalg.lstsq(rows, np.append(y, np.zeros(n)), rcond=None)[0]
