"""Samples as the estimators of modules take them: rows, pictures, or pictures that are decoded as they are needed."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.validation import validate_data
from torch import Tensor

from glassnet.data.picture_stream import PictureStream
from glassnet.errors import InvalidInputError

OPTIONS: dict[str, Any] = {"accept_sparse": "csr", "dtype": [np.float32, np.uint8], "order": "C"}


def checked_fit(estimator: Any, X: Any, y: Any, reset: bool) -> tuple[Any, np.ndarray]:
    """Return the samples of a fit as rows, and y, checked.

    Raises
    ------
    InvalidInputError, ValueError
        If they cannot be learned from.
    """
    if isinstance(X, PictureStream):
        return X, _checked_stream(estimator, X, y, reset)
    X, y = validate_data(estimator, as_rows(X, estimator.image_shape_), y, reset=reset, multi_output=True, **OPTIONS)
    return X if isinstance(X, np.ndarray) else X.toarray(), y


def checked(estimator: Any, X: Any) -> Any:
    """Return samples to be predicted as rows, checked.

    Raises
    ------
    InvalidInputError, ValueError
        If they are not of the form that the fit has seen.
    """
    rows: Any = as_rows(X, estimator.image_shape_)
    if _is_plain(estimator, rows) or (isinstance(rows, PictureStream) and rows.shape[1] == estimator.n_features_in_):
        return rows
    rows = validate_data(estimator, rows, reset=False, **OPTIONS)  # type: ignore[arg-type]
    return rows if isinstance(rows, np.ndarray) else rows.toarray()


def shape_of_pictures(X: Any, given: tuple[int, ...] | None) -> tuple[int, ...] | None:
    """Return (channels, height, width) of X's samples; None where they are no pictures."""
    shape = given if given is not None else tuple(X.shape[1:]) if getattr(X, "ndim", 2) > 2 else None
    if shape is None:
        return None
    return (1, *map(int, shape)) if len(shape) == 2 else tuple(map(int, shape))


def as_rows(X: Any, image_shape: tuple[int, ...] | None) -> Any:
    """Return pictures as rows; what is no picture as it is.

    Raises
    ------
    InvalidInputError
        If the pictures have another shape.
    """
    X = X.numpy() if isinstance(X, Tensor) else X
    if getattr(X, "ndim", 2) <= 2:
        return X
    if (shape := shape_of_pictures(X, None)) != image_shape:
        raise InvalidInputError(f"X has samples of shape {shape}, but the fit has {image_shape}.")
    return X.reshape(len(X), -1)


def _is_plain(estimator: Any, X: Any) -> bool:
    """Return whether X is what `validate_data` would return: its checks cost more than a small network."""
    return (
        type(X) is np.ndarray
        and X.dtype in (np.float32, np.uint8)
        and X.ndim == 2
        and len(X) > 0
        and X.shape[1] == estimator.n_features_in_
        and X.flags.c_contiguous
        and not hasattr(estimator, "feature_names_in_")
        and bool(np.isfinite(X).all())
    )


def _checked_stream(estimator: Any, X: PictureStream, y: Any, reset: bool) -> np.ndarray:
    """Return y, checked; of pictures that are decoded as they are needed there is only the shape to be checked."""
    if reset:
        estimator.n_features_in_ = X.shape[1]
    elif X.shape[1] != estimator.n_features_in_:
        raise InvalidInputError(f"X has {X.shape[1]} features, but the fit has {estimator.n_features_in_}.")
    y = validate_data(estimator, y=y, reset=reset, multi_output=True)
    if len(y) != len(X):
        raise InvalidInputError(f"X has {len(X)} samples, but y has {len(y)}.")
    return y
