"""Points in the plane of one's own, drawn or from a CSV file, as a data set of two classes."""

from __future__ import annotations

import csv
import os
from io import StringIO
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from glassnet.data.dataset import Dataset
from glassnet.errors import InvalidInputError

HALF = 6.0  # points within this square are left where they are
_ROOM = 5.0  # others are moved and scaled into this one


def load_points(source: str | os.PathLike | ArrayLike, test_size: float = 0.5, random_state: int = 0) -> Dataset:
    """Return points of one's own, split class by class.

    Parameters
    ----------
    source : path-like or array-like of shape (n, 3)
        A CSV file (see `read_points`), or rows x1, x2, class. There are two classes, the
        smaller number is class 0. Where a point lies outside the square of half side 6, each
        coordinate is moved and scaled to reach from -5 to 5.
    test_size : float in [0, 1]
        Share of each class to be tested on; at least one point of it, and not the last.
    random_state : int

    Returns
    -------
    Dataset

    Raises
    ------
    InvalidInputError
        If a file cannot be read, the rows have another shape, or there are not two classes of
        at least two points each.

    Examples
    --------
    >>> points = load_points([[1, 1, 0], [2, 1, 0], [-1, 1, 5], [-2, 1, 5]])
    >>> points.y_train.tolist(), points.target_names
    ([0, 1], ('0', '5'))
    """
    is_file = isinstance(source, str | os.PathLike)
    rows = read_points(Path(source).read_bytes()) if is_file else np.asarray(source, float)  # type: ignore[arg-type]
    if rows.ndim != 2 or rows.shape[1] != 3:
        raise InvalidInputError(f"points are rows x1, x2, class; got an array of shape {rows.shape}")
    classes, y, counts = np.unique(rows[:, 2], return_inverse=True, return_counts=True)
    if len(classes) != 2 or counts.min() < 2:
        found = ", ".join(f"{n} of class {name:g}" for name, n in zip(classes[:5], counts[:5], strict=True))
        raise InvalidInputError(f"Two classes of at least two points each are needed; got {found or 'none'}.")
    X, rng = _placed(rows[:, :2]), np.random.default_rng(random_state)
    is_test = np.zeros(len(y), bool)
    for label, n in enumerate(counts):
        n_test = int(np.clip(round(test_size * n), 1, n - 1))
        is_test[rng.permutation(np.flatnonzero(y == label))[:n_test]] = True
    names = tuple(f"{name:g}" for name in classes)
    train, test = ~is_test, is_test
    return Dataset("own", X[train], y[train], X[test], y[test], ("x1", "x2"), names, "classification")


def _placed(X: np.ndarray) -> np.ndarray:
    """Return the points where they are, or moved into the square."""
    if np.abs(X).max() > HALF:
        low, high = X.min(axis=0), X.max(axis=0)
        X = (X - (low + high) / 2) / np.where(high > low, (high - low) / 2, 1) * _ROOM
    return X.astype(np.float32)


def read_points(data: bytes, max_rows: int | None = None) -> np.ndarray:
    """Read points in the plane from a CSV file.

    Parameters
    ----------
    data : bytes
        Rows ``x1,x2,class``, with commas, semicolons or tabs, with a line of names or without.
    max_rows : int, optional
        More are refused.

    Returns
    -------
    ndarray of float64, shape (n, 3)

    Raises
    ------
    InvalidInputError
        If a row has another number of columns or holds anything but finite numbers (the
        message names the first), or there are none, or too many.

    Examples
    --------
    >>> read_points(b"x1,x2,class\\n0.5,-1,0\\n2,3,1\\n").tolist()
    [[0.5, -1.0, 0.0], [2.0, 3.0, 1.0]]
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInputError("The file is not a CSV file: it is not text in UTF-8.") from None
    separator = max(",;\t", key=text[:10_000].count)
    rows = [(i, row) for i, row in enumerate(csv.reader(StringIO(text), delimiter=separator), 1) if any(row)]
    if rows and not _is_number(rows[0][1][0]):
        rows = rows[1:]
    if max_rows is not None and len(rows) > max_rows:
        raise InvalidInputError(f"A file may have {max_rows:,} rows, got {len(rows):,}.")
    if not rows:
        raise InvalidInputError("The file holds no rows; each is x1,x2,class.")
    return np.array([_numbers(i, row) for i, row in rows])


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _numbers(line: int, row: list[str]) -> list[float]:
    got = _shown(row)
    if len(row) != 3:
        raise InvalidInputError(f"Line {line}: a row is x1,x2,class; got {got}.")
    if not all(map(_is_number, row)) or not np.isfinite(list(map(float, row))).all():
        raise InvalidInputError(f"Line {line}: three finite numbers are needed; got {got}.")
    return list(map(float, row))


def _shown(row: list[str]) -> str:
    text = repr(",".join(row))
    return text if len(text) <= 60 else text[:57] + "..."
