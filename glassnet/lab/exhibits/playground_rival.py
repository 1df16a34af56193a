"""A classifier of scikit-learn beside the playground's network, on the same inputs and points."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

MOST_FITTED = 3000  # points: some of these classifiers take time that grows with their square

# name -> module of scikit-learn, class, parameters
RIVALS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "logistic": ("sklearn.linear_model", "LogisticRegression", {}),
    "svm": ("sklearn.svm", "SVC", {"C": 10.0}),
    "neighbours": ("sklearn.neighbors", "KNeighborsClassifier", {"n_neighbors": 5}),
    "tree": ("sklearn.tree", "DecisionTreeClassifier", {"random_state": 0}),
    "forest": ("sklearn.ensemble", "RandomForestClassifier", {"n_estimators": 50, "random_state": 0}),
    "boosting": ("sklearn.ensemble", "GradientBoostingClassifier", {"n_estimators": 50, "random_state": 0}),
    "bayes": ("sklearn.naive_bayes", "GaussianNB", {}),
}


class Rival:
    """One of `RIVALS`, fitted.

    Parameters
    ----------
    name : str
    X : ndarray of shape (n_samples, n_inputs)
        Of more than `MOST_FITTED` samples the first ones are taken.
    y : ndarray of shape (n_samples,)
        Classes 0 and 1.

    Examples
    --------
    >>> X, y = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([0, 0, 1, 1])
    >>> Rival("tree", X, y).values(X).tolist()
    [-1.0, -1.0, 1.0, 1.0]
    """

    def __init__(self, name: str, X: np.ndarray, y: np.ndarray):
        module, kind, parameters = RIVALS[name]
        self.n_fitted = min(len(X), MOST_FITTED)
        self.model = getattr(import_module(module), kind)(**parameters).fit(X[:MOST_FITTED], y[:MOST_FITTED])

    def values(self, X: np.ndarray) -> np.ndarray:
        """Return what is drawn of X: a probability p of class 1 as 2 p - 1, or the signed distance from the border."""
        if hasattr(self.model, "predict_proba"):
            return 2 * self.model.predict_proba(X)[:, 1] - 1
        return self.model.decision_function(X)

    def scores(self, X: np.ndarray, y: np.ndarray, X_test: np.ndarray, y_test: np.ndarray) -> dict[str, Any]:
        """Return the shares of errors, what it is, and how many points it was fitted to."""
        return {
            "code": repr(self.model),
            "trainError": float(np.mean(self.model.predict(X) != y)),
            "testError": float(np.mean(self.model.predict(X_test) != y_test)),
            "fitted": self.n_fitted,
        }
