"""A plane through the space of the features: what of many dimensions a picture shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from glassnet.errors import InvalidInputError


@dataclass(frozen=True, eq=False)
class Plane:
    """The points origin + u * axes[0] + v * axes[1] of the feature space.

    Parameters
    ----------
    origin : ndarray of shape (n_features,)
        The point (0, 0).
    axes : ndarray of shape (2, n_features)
        Orthonormal.
    names : tuple of two str
        What the two coordinates are.
    note : str
        Where the plane lies, if that needs to be said.

    Examples
    --------
    >>> plane = Plane(np.zeros(3), np.eye(3)[:2], ("a", "b"))
    >>> plane.lift(np.array([[2.0, 5.0]])).tolist()
    [[2.0, 5.0, 0.0]]
    """

    origin: np.ndarray
    axes: np.ndarray
    names: tuple[str, str]
    note: str = ""

    def lift(self, points: np.ndarray) -> np.ndarray:
        """Turn coordinates (n, 2) into points of the feature space (n, n_features)."""
        return self.origin + points @ self.axes

    def project(self, X: np.ndarray) -> np.ndarray:
        """Return the coordinates (n, 2) of the points of the plane nearest to X."""
        return (X - self.origin) @ self.axes.T

    def distance(self, X: np.ndarray) -> np.ndarray:
        """Return how far each sample lies off the plane, shape (n,)."""
        return np.linalg.norm(X - self.lift(self.project(X)), axis=1)

    @classmethod
    def of_features(
        cls, X: np.ndarray, pair: Sequence[int], names: Sequence[str], at: ArrayLike | None = None
    ) -> Plane:
        """Return the plane of two features; the others stay at their mean over X, or as in the sample ``at``.

        Raises
        ------
        InvalidInputError
            If the pair is not two different features of X, or ``at`` is not one finite sample.
        """
        n_features = X.shape[1]
        if len(pair) != 2 or pair[0] == pair[1] or not all(0 <= i < n_features for i in pair):
            raise InvalidInputError(f"features takes two different numbers from 0 to {n_features - 1}, got {pair!r}.")
        origin = X.mean(axis=0) if at is None else np.array(at, float)
        if origin.shape != (n_features,) or not np.isfinite(origin).all():
            raise InvalidInputError(f"at is one finite sample, shape ({n_features},), got {at!r}.")
        origin[list(pair)] = 0.0
        fixed = f"{n_features - 2} other feature{'s' if n_features > 3 else ''} fixed"
        note = f"{fixed} {'at the mean' if at is None else 'as in a chosen sample'}" if n_features > 2 else ""
        return cls(origin, np.eye(n_features)[list(pair)], (names[pair[0]], names[pair[1]]), note)

    @classmethod
    def of_variance(cls, X: np.ndarray) -> Plane:
        """Return the plane of the two principal components of X, through its mean.

        Raises
        ------
        InvalidInputError
            If X has fewer than two features or samples.
        """
        if min(X.shape) < 2:
            raise InvalidInputError(f"A principal plane takes two features and two samples, got X of shape {X.shape}.")
        mean = X.mean(axis=0)
        _, spread, axes = np.linalg.svd(X - mean, full_matrices=False)
        share = spread**2 / max(np.sum(spread**2), np.finfo(float).tiny)
        names = [f"principal component {i + 1} ({share[i]:.0%} of the variance)" for i in range(2)]
        return cls(mean, axes[:2], (names[0], names[1]))._said_how_far(X)

    @classmethod
    def of_samples(cls, X: np.ndarray, rows: Sequence[int]) -> Plane:
        """Return the plane through three rows of X: the first at (0, 0), the second on the first axis.

        Raises
        ------
        InvalidInputError
            If these are not three rows of X, or if they lie on one line.
        """
        if len(rows) != 3 or not all(isinstance(i, (int, np.integer)) and -len(X) <= i < len(X) for i in rows):
            raise InvalidInputError(f"plane takes three row numbers of X, which has {len(X)} rows, got {rows!r}.")
        a, b, c = X[list(rows)]
        first = b - a
        second = (c - a) - first * ((c - a) @ first) / max(first @ first, np.finfo(float).tiny)
        lengths = np.linalg.norm([first, second], axis=1)
        if not np.all(lengths > 1e-9 * np.linalg.norm([b - a, c - a])):
            raise InvalidInputError(f"The samples {rows!r} lie on one line: they span no plane.")
        axes = np.stack([first, second]) / lengths[:, None]
        names = (f"from sample {rows[0]} to sample {rows[1]}", f"towards sample {rows[2]}")
        return cls(a, axes, names)._said_how_far(X)

    def _said_how_far(self, X: np.ndarray) -> Plane:
        far = self.distance(X).mean()
        return replace(self, note=f"samples lie {far:.2g} off this plane on average" if X.shape[1] > 2 else "")
