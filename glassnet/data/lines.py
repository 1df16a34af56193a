"""Twenty-four points in the plane, and three lines that part them badly, okay and well.

The picture with which a lecture says what learning a line means: three settings of the same
two weights and one bias, judged by the points on the wrong side: 7, 4 and 0. The points were
made for this package: two clusters, written down to one decimal, none within 0.1 of a line.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glassnet.data.dataset import Dataset
from glassnet.errors import InvalidInputError

_FIRST = (
    *((-0.1, -1.8), (-0.4, -1.6), (-0.9, -1.5), (-0.4, -1.1), (-0.8, -1.0), (0.5, -1.0)),
    *((-1.4, -0.8), (-0.6, -0.5), (-1.2, -0.4), (-1.2, 0.1), (-0.7, 0.1), (-1.3, 0.8)),
)
_SECOND = (
    *((1.7, -0.2), (1.2, -0.1), (0.9, 0.1), (1.3, 0.5), (2.1, 0.5), (0.1, 0.7)),
    *((1.7, 0.7), (0.2, 1.2), (1.7, 1.4), (1.0, 1.5), (0.7, 1.7), (1.5, 1.7)),
)


@dataclass(frozen=True)
class Line:
    """The line w . x + bias = 0 in the plane; class 1 is where w . x + bias >= 0.

    Parameters
    ----------
    weight : tuple of two floats
    bias : float

    Examples
    --------
    >>> points = load_lines()
    >>> {name: int(line.misclassified(points.X_train, points.y_train).sum()) for name, line in LINES.items()}
    {'bad': 7, 'okay': 4, 'good': 0}
    """

    weight: tuple[float, float]
    bias: float

    def predict(self, X: ArrayLike) -> NDArray[np.int64]:
        """Return the side of each point as 0 or 1.

        Parameters
        ----------
        X : array-like of shape (n, 2)

        Returns
        -------
        ndarray of int64, shape (n,)

        Raises
        ------
        InvalidInputError
            If X has another shape.
        """
        points = np.asarray(X, dtype=np.float64)
        if points.ndim != 2 or points.shape[1] != 2:
            raise InvalidInputError(f"X must hold points of the plane, shape (n, 2); got {points.shape}")
        return (points @ np.array(self.weight) + self.bias >= 0).astype(np.int64)

    def misclassified(self, X: ArrayLike, y: ArrayLike) -> NDArray[np.bool_]:
        """Return which points lie on the wrong side, shape (n,), for labels y of 0 and 1."""
        return self.predict(X) != np.asarray(y)


LINES: dict[str, Line] = {
    "bad": Line((1.0, -0.5), 0.0),
    "okay": Line((1.0, -0.2), -0.1),
    "good": Line((1.0, 1.0), 0.0),
}


def load_lines(random_state: int | None = 0) -> Dataset:
    """Return the points that `LINES` part; train and test part are both the whole set.

    Parameters
    ----------
    random_state : int or None
        Without effect; every loader takes it.

    Returns
    -------
    Dataset
        X of shape (24, 2), twelve points of each class, linearly separable.

    Examples
    --------
    >>> load_lines().X_train.shape
    (24, 2)
    """
    X = np.array(_FIRST + _SECOND, np.float32)
    y = np.repeat(np.array([0, 1], np.int64), [len(_FIRST), len(_SECOND)])
    return Dataset("lines", X, y, X.copy(), y.copy(), ("x1", "x2"), ("first", "second"), "classification")
