"""Checks of data and parameters that the estimators share; each names what was got and what is allowed."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, column_or_1d

from glassnet.errors import InvalidInputError


def checked_sample_weight(sample_weight: Any, X: np.ndarray) -> np.ndarray:
    """Return the weights as an array of X's dtype, shape (n_samples,).

    Raises
    ------
    ValueError
        If one is negative, or all are zero, or their number is not that of the samples.
    """
    return _check_sample_weight(sample_weight, X, dtype=X.dtype, ensure_non_negative=True)


def class_targets(y: Any, known: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return labels, classes and the units' targets.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
    known : array-like of shape (n_classes,) or None
        All labels that may come; None: those in y.

    Returns
    -------
    y : ndarray of shape (n_samples,)
    classes : ndarray of shape (n_classes,)
    target : ndarray of shape (n_samples, 1) or (n_samples, n_classes), bool
        One unit for two classes, true for the second; else one unit per class.

    Raises
    ------
    InvalidInputError, ValueError
        If there is one class only, or y has a label that is not known or not a class.
    """
    y = column_or_1d(y, warn=True)
    check_classification_targets(y)
    classes = np.unique(y if known is None else known)
    if len(classes) < 2:
        raise InvalidInputError(f"A classifier needs at least 2 classes, got 1 class: {classes[0]!r}.")
    if unknown := sorted(set(np.unique(y)) - set(classes)):
        raise InvalidInputError(f"y has labels {unknown}, which are not among the classes {list(classes)}.")
    target = y[:, None] == classes
    return y, classes, target[:, 1:] if len(classes) == 2 else target


def with_class_weight(sample_weight: np.ndarray | None, class_weight: Any, y: np.ndarray, dtype: Any) -> Any:
    """Return the sample weights times the weights of their classes; None where neither is given."""
    if class_weight is None:
        return sample_weight
    by_class = compute_sample_weight(class_weight, y)
    return (by_class if sample_weight is None else by_class * sample_weight).astype(dtype)


def check_positive_integers(estimator: Any, *names: str) -> None:
    """Raise InvalidInputError if one of these parameters is not a whole number above 0."""
    for name in names:
        value = getattr(estimator, name)
        if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:  # type: ignore[operator]
            raise InvalidInputError(f"{name} must be a whole number above 0, got {value!r}.")
