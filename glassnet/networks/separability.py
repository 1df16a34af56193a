"""Can one line do it? Linear separability, with a proof either way.

F. Rosenblatt, "Principles of Neurodynamics" (1962); M. Minsky and S. Papert, "Perceptrons"
(1969). Two classes are separable by a hyperplane exactly when their convex hulls do not
meet. The two points of the hulls that lie nearest to each other decide it:

    minimise || sum_(i in A) c_i x_i  -  sum_(j in B) c_j x_j ||   over convex weights c

A distance above 0: the perpendicular bisector of the two points is the separating
hyperplane of the largest margin. A distance of 0: the weights c are a certificate that no
hyperplane exists, and anyone can check it by computing two weighted means.

The minimum is found by non-negative least squares, an active-set method (C. L. Lawson and
R. J. Hanson, "Solving Least Squares Problems", 1974, chapter 23), which gives both answers
in one run, to about 15 digits. A linear program with the usual tolerance of 1e-7 takes
gaps below 1e-8 of the data's width for contact. Nothing is returned unverified: the signs
of a hyperplane are checked in exact arithmetic, the certificate by its own ``check``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import nnls

from glassnet.errors import InvalidInputError

STRETCH = 1000.0  # along the last normal, while nothing could be verified
MAX_STRETCHES = 5
WIDE_OPEN = 0.1  # a gap that needs no more stretching
TOLERANCE = 1e-12  # of a feature's width: how far apart the two means of a certificate may lie


@dataclass(frozen=True, eq=False)
class OverlapCertificate:
    """A proof that two classes cannot be separated by a hyperplane.

    Attributes
    ----------
    weights : ndarray of shape (n,)
        Non-negative; they sum to 1 within each class.
    point : ndarray of shape (features,)
        The weighted mean of either class: a point of both convex hulls.

    Examples
    --------
    >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    >>> certificate = linear_separability(X, y).certificate
    >>> certificate.point.round(6).tolist(), certificate.check(X, y)
    ([0.5, 0.5], True)
    """

    weights: NDArray[np.float64]
    point: NDArray[np.float64]

    def check(self, X: ArrayLike, y: ArrayLike, tolerance: float = TOLERANCE) -> bool:
        """Check the proof against the data, using nothing but weighted means.

        Parameters
        ----------
        X : array-like of shape (n, features)
        y : array-like of shape (n,)
            Two classes.
        tolerance : float, default=1e-12
            How far the weights of a class may sum from 1, and how far the two means and
            ``point`` may lie from each other, as a part of each feature's width. A
            hyperplane could only exist with a margin below it.

        Returns
        -------
        bool
        """
        points, signs, _ = _checked(X, y)
        if self.weights.shape != signs.shape or self.point.shape != points.shape[1:] or not (self.weights >= 0).all():
            return False
        middle, width = _middle_and_width(points)
        sides = [signs > 0, signs < 0]
        sums = np.array([self.weights[side].sum() for side in sides])
        means = np.array([self.weights[side] @ (points[side] - middle) for side in sides])  # (2, features)
        allowed = tolerance * 2 * width
        from_point = np.abs(means - (self.point - middle)) - np.spacing(np.abs(self.point))
        return bool(
            np.all(np.abs(sums - 1) <= tolerance)
            and np.all(np.abs(means[0] - means[1]) <= allowed)
            and np.all(from_point <= allowed)
        )


@dataclass(frozen=True, eq=False)
class Separability:
    """The answer of ``linear_separability``.

    Attributes
    ----------
    separable : bool
    classes : ndarray of shape (2,)
        The labels in sorted order; ``classes[1]`` lies where w . x + bias > 0.
    weight : ndarray of shape (features,) or None
        Unit vector normal to the hyperplane, up to rounding.
    bias : float or None
    margin : float or None
        Distance of the nearest point from the hyperplane, in the units of X.
    certificate : OverlapCertificate or None
        The proof, if the classes are not separable.
    """

    separable: bool
    classes: NDArray
    weight: NDArray[np.float64] | None = None
    bias: float | None = None
    margin: float | None = None
    certificate: OverlapCertificate | None = None


def linear_separability(X: ArrayLike, y: ArrayLike) -> Separability:
    """Separate two classes by a hyperplane, or prove that none exists.

    Parameters
    ----------
    X : array-like of shape (n, features)
        Finite numbers of any scale.
    y : array-like of shape (n,)
        Labels of exactly two classes.

    Returns
    -------
    Separability
        With ``weight, bias, margin`` (every sign checked in exact arithmetic), or with a
        ``certificate`` that has passed its own check.

    Raises
    ------
    InvalidInputError
        If X or y cannot be used, there are not exactly two classes, or the classes come
        so close that 64-bit numbers hold neither a hyperplane nor a certificate.

    References
    ----------
    M. Minsky and S. Papert, Perceptrons, MIT Press (1969).

    Examples
    --------
    >>> answer = linear_separability([[0.0], [1.0], [3.0]], ["low", "low", "high"])
    >>> answer.separable, answer.margin
    (True, 1.0)
    >>> linear_separability([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]).separable
    False
    """
    points, signs, classes = _checked(X, y)
    for normal, convex in _candidates(points, signs):
        plane = _bisector(points, signs, normal)
        if plane is not None:
            return Separability(True, classes, *plane)
        certificate = OverlapCertificate(convex, _common_point(points, convex))
        if certificate.check(points, signs):
            return Separability(False, classes, certificate=certificate)
    raise InvalidInputError(
        "the classes come too close to tell: neither a separating hyperplane nor a common point of their hulls "
        "could be verified in 64-bit numbers"
    )


def _checked(X: ArrayLike, y: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray]:
    """Return points, signs (-1 for the first class, 1 for the second) and the two classes."""
    points, labels = np.asarray(X, dtype=np.float64), np.asarray(y)
    if points.ndim != 2 or not points.shape[1] or labels.shape != points.shape[:1]:
        raise InvalidInputError(
            f"X needs shape (n, features) with features >= 1 and y shape (n,), got {points.shape} and {labels.shape}"
        )
    if not np.isfinite(points).all():
        raise InvalidInputError("X must be finite, got NaN or infinity")
    classes = np.unique(labels)
    if len(classes) != 2 or (classes.dtype.kind == "f" and np.isnan(classes).any()):
        raise InvalidInputError(f"y must hold exactly two classes, got {len(classes)}: {classes[:5].tolist()}")
    return points, np.where(labels == classes[1], 1.0, -1.0), classes


def _middle_and_width(points: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the middle and half the width of each feature, without overflow."""
    low, high = points.min(axis=0) / 2, points.max(axis=0) / 2
    return low + high, high - low


def _candidates(
    points: NDArray[np.float64], signs: NDArray[np.float64]
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Yield pairs (normal, convex weights) to be verified, from more and more favourable coordinates.

    A linear map changes neither the answer nor the convex weights. First come X's own
    units, in which the margin is the largest one; then each feature in its own width; then
    stretches along the last normal, under which the smallest gaps open. A later pair also
    makes up for a rare early stop of the least squares on data full of ties.
    """
    middle, width = _middle_and_width(points)
    width[width == 0] = 1.0
    for unit, balance in ((width.max(), 100.0), (width, 1.0)):
        moved = (points - middle) / unit
        normal, convex = _nearest_points(moved, signs, balance)
        yield normal / unit, convex
    directions: list[NDArray[np.float64]] = []
    while len(directions) < MAX_STRETCHES and 0 < (length := np.linalg.norm(normal)) < WIDE_OPEN:
        directions.append(normal / length)
        moved = _stretched(moved - convex @ moved / 2, directions[-1])
        normal, convex = _nearest_points(moved, signs, 1.0)
        back = normal
        for direction in reversed(directions):
            back = _stretched(back, direction)
        yield back / width, convex


def _stretched(vectors: NDArray[np.float64], direction: NDArray[np.float64]) -> NDArray[np.float64]:
    return vectors + (STRETCH - 1) * np.multiply.outer(vectors @ direction, direction)


def _nearest_points(
    points: NDArray[np.float64], signs: NDArray[np.float64], balance: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the vector between the hulls' nearest points and their convex weights (n,).

    ``balance`` weighs the equation "both classes have the same total". The vector is normal
    to a separating hyperplane under any balance; the larger it is, the nearer the margin is
    to the largest one, and the more digits are lost.
    """
    system = np.vstack([points.T * signs, balance * signs, np.ones(len(signs))])  # (features + 2, n)
    target = np.zeros(len(system))
    target[-1] = 1.0
    weights, _ = nnls(system, target, maxiter=max(20_000, 3 * len(signs)))
    normal = (weights * signs) @ points
    for side in (signs > 0, signs < 0):
        weights[side] /= weights[side].sum() or 1.0  # one class alone may hold all weight where the balance is light
    return normal, weights


def _common_point(points: NDArray[np.float64], convex: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the middle of the two weighted means."""
    middle, _ = _middle_and_width(points)
    return middle + (convex / 2) @ (points - middle)


def _bisector(
    points: NDArray[np.float64], signs: NDArray[np.float64], normal: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float, float] | None:
    """Return (weight, bias, margin) of the hyperplane in the middle of the gap, if all signs are right."""
    if not normal.any():
        return None
    weight = normal / np.abs(normal).max()
    weight /= np.linalg.norm(weight)
    middle, _ = _middle_and_width(points)
    along = (points - middle) @ weight
    near, far = along[signs > 0].min(), along[signs < 0].max()
    if near <= far:
        return None
    bias = -float(Fraction(near / 2 + far / 2) + _exact_dot(weight, middle))
    right = _all_signs_right(points, signs, weight, bias)
    return (weight, bias, float(near / 2 - far / 2)) if right else None


def _all_signs_right(
    points: NDArray[np.float64], signs: NDArray[np.float64], weight: NDArray[np.float64], bias: float
) -> bool:
    """Whether sign(w . x + bias) is right for every point: in floats where they suffice, else exactly."""
    limits = np.finfo(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        values = signs * (points @ weight + bias)
        scale = np.abs(points) @ np.abs(weight) + abs(bias)
    error = (len(weight) + 2) * (limits.eps * scale + limits.tiny)  # bounds any order of summing
    if (values < -error).any():
        return False
    unsure = np.flatnonzero(~(values > error))
    return all(int(signs[i]) * (_exact_dot(weight, points[i]) + Fraction(bias)) > 0 for i in unsure)


def _exact_dot(a: NDArray[np.float64], b: NDArray[np.float64]) -> Fraction:
    return sum((Fraction(x) * Fraction(y) for x, y in zip(a.tolist(), b.tolist(), strict=True)), Fraction(0))
