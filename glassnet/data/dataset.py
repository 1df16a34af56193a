"""The record that every loader returns."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np

from glassnet.errors import InvalidInputError


@dataclass(frozen=True, eq=False)
class Dataset:
    """Samples and answers, split into a part to learn from and a part to be tested on.

    Parameters
    ----------
    name : str
        The name that `glassnet.data.load` knows it by.
    X_train, X_test : ndarray of float32 or uint8, shape (n_train, n_features), (n_test, n_features)
        Pictures are flat, row by row, in [0, 1]; as uint8, which may be memory-mapped, v stands for v / 255.
    y_train, y_test : ndarray, shape (n_train,), (n_test,)
        int64 indices into `target_names` (classification) or float32 values (regression).
    feature_names : tuple of str, length n_features
    target_names : tuple of str
        One name per class; for regression the name of the one value.
    kind : {"classification", "regression"}
    image_shape : tuple of int or None
        (height, width) or (channels, height, width) if a row of X is a picture.
    note : str
        What results on this data must say about it.

    Raises
    ------
    InvalidInputError
        If the parts do not fit each other.

    Examples
    --------
    >>> from glassnet.data import load
    >>> xor = load("gate-xor")
    >>> xor.X_train.tolist(), xor.y_train.tolist()
    ([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 1, 0])
    """

    name: str
    X_train: np.ndarray
    y_train: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray
    feature_names: tuple[str, ...]
    target_names: tuple[str, ...]
    kind: Literal["classification", "regression"]
    image_shape: tuple[int, ...] | None = None
    note: str = ""

    def __post_init__(self) -> None:
        if self.kind not in ("classification", "regression"):
            raise InvalidInputError(f"kind is 'classification' or 'regression', got {self.kind!r}")
        n_features = len(self.feature_names)
        for part, X, y in (("train", self.X_train, self.y_train), ("test", self.X_test, self.y_test)):
            if X.ndim != 2 or X.shape[1] != n_features:
                raise InvalidInputError(f"X_{part} has shape {X.shape}, but there are {n_features} feature names")
            if y.shape != X.shape[:1]:
                raise InvalidInputError(f"y_{part} has shape {y.shape}, but X_{part} has {X.shape[0]} rows")
        if self.image_shape is not None and math.prod(self.image_shape) != n_features:
            raise InvalidInputError(f"image_shape {self.image_shape} does not hold {n_features} values")

    @cached_property
    def sha256(self) -> str:
        """Hash of the four arrays (types, shapes and values): two data sets with one hash are the same data."""
        digest = hashlib.sha256()
        for array in (self.X_train, self.y_train, self.X_test, self.y_test):
            digest.update(f"{array.dtype.str}{array.shape}".encode())
            for part in getattr(array, "parts", (array,)):  # what is not in memory has parts that stand for it
                digest.update(np.ascontiguousarray(part).data)
        return digest.hexdigest()


def pixel_names(height: int, width: int, channels: int = 1) -> tuple[str, ...]:
    """Return the feature names of a flat picture, row by row; a coloured one is red, green, blue.

    Examples
    --------
    >>> pixel_names(1, 2)
    ('pixel_0_0', 'pixel_0_1')
    >>> pixel_names(1, 1, channels=3)
    ('red_0_0', 'green_0_0', 'blue_0_0')
    """
    planes = ("pixel",) if channels == 1 else ("red", "green", "blue")
    return tuple(f"{plane}_{row}_{column}" for plane in planes for row in range(height) for column in range(width))


def scaled(data: Dataset) -> Dataset:
    """Return pictures of uint8 as float32 in [0, 1], for networks that take no other; other data as it is."""
    if data.X_train.dtype != np.uint8:
        return data
    X_train, X_test = (np.divide(X, np.float32(255), dtype=np.float32) for X in (data.X_train, data.X_test))
    return replace(data, X_train=X_train, X_test=X_test)
