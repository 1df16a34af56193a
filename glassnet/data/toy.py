"""Six data sets in the plane, drawn as the TensorFlow Playground draws them.

Smilkov, Carter, Sculley, Viegas and Wattenberg (2017), "Direct-Manipulation Visualization
of Deep Networks": points (x1, x2) in about [-6, 6] x [-6, 6], and a `noise` in [0, 0.5].
Noise means three things there, and here too: in circle, xor and both regressions it shifts
the place at which the answer is looked up, never the point itself; in the spiral it shifts
the point; in gauss it widens the two clouds, whose far points may then leave the square.

We depart from the Playground in three places: its classes -1 and 1 are 0 and 1; an odd
`n_samples` gives that many points (there, one more); points come shuffled.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from numbers import Integral, Real

import numpy as np

from glassnet.data.dataset import Dataset
from glassnet.errors import InvalidInputError, UnknownNameError
from glassnet.seeds import generator, resolve_seed

_RADIUS = 5.0  # of the disc and the ring, of the spiral, half the side of xor's square before padding
_HALF_SIDE = 6.0  # of the square of the two regressions

# centre x1, centre x2, sign: a chessboard of six hills and holes
_HILLS = np.array(
    [[-4, 2.5, 1], [0, 2.5, -1], [4, 2.5, 1], [-4, -2.5, -1], [0, -2.5, 1], [4, -2.5, -1]],
    dtype=np.float64,
)


def make_circle(n_samples: int = 500, noise: float = 0.0, random_state=None) -> tuple[np.ndarray, np.ndarray]:
    """Draw a disc of radius 2.5 (class 1) inside a ring of radii 3.5 to 5 (class 0).

    Radius and angle are uniform, so points are denser near the centre.

    Parameters
    ----------
    n_samples : int
        At least 1; the first class gets the odd one.
    noise : float in [0, 0.5]
        The class is that of the point shifted by up to 5 * noise along each axis.
    random_state : int, RandomState, Generator or None

    Returns
    -------
    X : ndarray of float32, shape (n_samples, 2)
    y : ndarray of int64, shape (n_samples,)

    Raises
    ------
    InvalidInputError
        If `n_samples` or `noise` is out of range.

    Examples
    --------
    >>> X, y = make_circle(300, random_state=0)
    >>> bool((((X**2).sum(axis=1) < 2.5**2) == y).all())
    True
    """
    rng = _stream("circle", n_samples, noise, random_state)
    inside = _halves(n_samples)
    low, high = np.where(inside, 0.0, 0.7 * _RADIUS), np.where(inside, 0.5 * _RADIUS, _RADIUS)
    points = _polar(rng.uniform(low, high), rng.uniform(0, 2 * np.pi, n_samples))
    place = points + noise * rng.uniform(-_RADIUS, _RADIUS, points.shape)
    return _shuffled(rng, points, np.hypot(*place.T) < 0.5 * _RADIUS)


def make_xor(n_samples: int = 500, noise: float = 0.0, random_state=None) -> tuple[np.ndarray, np.ndarray]:
    """Draw four squares of side 5, a street of width 0.6 between them; class 1 where x1 and x2 have one sign.

    Read as inputs "positive or not", this is the *complement* of the gate xor; it is the
    Playground's convention, kept so that its links mean the same here.

    Parameters
    ----------
    n_samples : int
        At least 1.
    noise : float in [0, 0.5]
        The class is that of the point shifted by up to 5 * noise along each axis.
    random_state : int, RandomState, Generator or None

    Returns
    -------
    X : ndarray of float32, shape (n_samples, 2)
    y : ndarray of int64, shape (n_samples,)

    Raises
    ------
    InvalidInputError
        If `n_samples` or `noise` is out of range.

    Examples
    --------
    >>> X, y = make_xor(300, random_state=0)
    >>> bool(((X[:, 0] * X[:, 1] > 0) == y).all())
    True
    """
    rng = _stream("xor", n_samples, noise, random_state)
    points = rng.uniform(-_RADIUS, _RADIUS, (n_samples, 2))
    points += np.where(points > 0, 0.3, -0.3)
    place = points + noise * rng.uniform(-_RADIUS, _RADIUS, points.shape)
    return _shuffled(rng, points, place[:, 0] * place[:, 1] >= 0)


def make_gauss(n_samples: int = 500, noise: float = 0.0, random_state=None) -> tuple[np.ndarray, np.ndarray]:
    """Draw two round clouds: class 1 about (2, 2), class 0 about (-2, -2).

    Parameters
    ----------
    n_samples : int
        At least 1; the first class gets the odd one.
    noise : float in [0, 0.5]
        The variance along each axis is 0.5 + 7 * noise, from 0.5 to 4.
    random_state : int, RandomState, Generator or None

    Returns
    -------
    X : ndarray of float32, shape (n_samples, 2)
    y : ndarray of int64, shape (n_samples,)

    Raises
    ------
    InvalidInputError
        If `n_samples` or `noise` is out of range.

    Examples
    --------
    >>> X, y = make_gauss(1000, random_state=0)
    >>> X[y == 1].mean(axis=0).round().tolist()
    [2.0, 2.0]
    """
    rng = _stream("gauss", n_samples, noise, random_state)
    upper = _halves(n_samples)
    centre = np.where(upper, 2.0, -2.0)[:, None]
    return _shuffled(rng, rng.normal(centre, np.sqrt(0.5 + 7 * noise), (n_samples, 2)), upper)


def make_spiral(n_samples: int = 500, noise: float = 0.0, random_state=None) -> tuple[np.ndarray, np.ndarray]:
    """Draw two spiral arms of 1.75 turns out to radius 5, the second half a turn ahead.

    Parameters
    ----------
    n_samples : int
        At least 1; the first class gets the odd one. Points are evenly spaced in angle.
    noise : float in [0, 0.5]
        Each coordinate is shifted by up to `noise`.
    random_state : int, RandomState, Generator or None

    Returns
    -------
    X : ndarray of float32, shape (n_samples, 2)
    y : ndarray of int64, shape (n_samples,)

    Raises
    ------
    InvalidInputError
        If `n_samples` or `noise` is out of range.

    Examples
    --------
    >>> X, y = make_spiral(8, random_state=0)
    >>> sorted((X[y == 1] ** 2).sum(axis=1).round().tolist())
    [0.0, 2.0, 6.0, 14.0]
    """
    rng = _stream("spiral", n_samples, noise, random_state)
    first = _halves(n_samples)
    part = np.concatenate([np.linspace(0, 1, n, endpoint=False) for n in (first.sum(), (~first).sum())])
    points = _polar(_RADIUS * part, 1.75 * 2 * np.pi * part + np.where(first, 0.0, np.pi))
    points += noise * rng.uniform(-1, 1, points.shape)
    return _shuffled(rng, points, first)


def make_reg_plane(n_samples: int = 500, noise: float = 0.0, random_state=None) -> tuple[np.ndarray, np.ndarray]:
    """Draw points of the square with y = (x1 + x2) / 10, a tilted plane.

    Parameters
    ----------
    n_samples : int
        At least 1.
    noise : float in [0, 0.5]
        y is that of the point shifted by up to 6 * noise along each axis.
    random_state : int, RandomState, Generator or None

    Returns
    -------
    X : ndarray of float32, shape (n_samples, 2)
    y : ndarray of float32, shape (n_samples,)
        In [-1.2, 1.2] without noise.

    Raises
    ------
    InvalidInputError
        If `n_samples` or `noise` is out of range.

    Examples
    --------
    >>> X, y = make_reg_plane(100, random_state=0)
    >>> bool(np.allclose(y, X.sum(axis=1) / 10))
    True
    """
    return _regression("reg-plane", lambda place: place.sum(axis=1) / 10, n_samples, noise, random_state)


def make_reg_gauss(n_samples: int = 500, noise: float = 0.0, random_state=None) -> tuple[np.ndarray, np.ndarray]:
    """Draw points of the square over six cones of height 1 and radius 2, hills and holes in turn.

    They stand at x1 = -4, 0, 4 and x2 = 2.5, -2.5. The Playground calls them Gaussians;
    their flanks are straight. Where two overlap, the larger absolute value holds.

    Parameters
    ----------
    n_samples : int
        At least 1.
    noise : float in [0, 0.5]
        y is that of the point shifted by up to 6 * noise along each axis.
    random_state : int, RandomState, Generator or None

    Returns
    -------
    X : ndarray of float32, shape (n_samples, 2)
    y : ndarray of float32, shape (n_samples,)
        In [-1, 1].

    Raises
    ------
    InvalidInputError
        If `n_samples` or `noise` is out of range.

    Examples
    --------
    >>> X, y = make_reg_gauss(1000, random_state=0)
    >>> bool(abs(y).max() <= 1), bool((y == 0).any())
    (True, True)
    """
    return _regression("reg-gauss", _hills, n_samples, noise, random_state)


def load_toy(
    name: str, n_samples: int | None = None, noise: float = 0.0, test_size: float = 0.5, random_state: int | None = 0
) -> Dataset:
    """Draw one of the sets in the plane and split it.

    Parameters
    ----------
    name : {"circle", "xor", "gauss", "spiral", "reg-plane", "reg-gauss"}
    n_samples : int or None
        Points in both parts together, at least 2; None takes the Playground's 500 for
        classification and 1200 for regression.
    noise : float in [0, 0.5]
    test_size : float in (0, 1)
        Share of the test part, which is at least one point and leaves at least one.
    random_state : int or None

    Returns
    -------
    Dataset

    Raises
    ------
    UnknownNameError, InvalidInputError

    Examples
    --------
    >>> load_toy("reg-plane").kind, load_toy("reg-plane").X_test.shape
    ('regression', (600, 2))
    """
    if name not in _MAKERS:
        raise UnknownNameError("set in the plane", name, _MAKERS)
    regression = name.startswith("reg-")
    n_samples = (1200 if regression else 500) if n_samples is None else n_samples
    X, y = _MAKERS[name](n_samples, noise, random_state)
    if n_samples < 2:
        raise InvalidInputError(f"n_samples must be at least 2, one to learn and one to test, got {n_samples}")
    if not 0 < test_size < 1:
        raise InvalidInputError(f"test_size must be in (0, 1), got {test_size!r}")
    n_train = min(max(n_samples - round(n_samples * test_size), 1), n_samples - 1)
    return Dataset(
        name, X[:n_train], y[:n_train], X[n_train:], y[n_train:], ("x1", "x2"),
        ("y",) if regression else ("0", "1"), "regression" if regression else "classification",
    )  # fmt: skip


def _stream(name: str, n_samples: int, noise: float, random_state) -> np.random.Generator:
    """Check what all makers take and return their random stream."""
    if not isinstance(n_samples, Integral) or isinstance(n_samples, bool) or n_samples < 1:
        raise InvalidInputError(f"n_samples must be an integer of at least 1, got {n_samples!r}")
    if not isinstance(noise, Real) or not 0 <= noise <= 0.5:
        raise InvalidInputError(f"noise must be a number in [0, 0.5], got {noise!r}")
    return generator(resolve_seed(random_state), f"data {name}")


def _halves(n_samples: int) -> np.ndarray:
    """Return True for the first half of the samples, the larger if they are odd."""
    return np.arange(n_samples) < (n_samples + 1) // 2


def _polar(radius: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Return the points at these radii and angles; angle 0 points up."""
    return np.stack([radius * np.sin(angle), radius * np.cos(angle)], axis=1)


def _hills(place: np.ndarray) -> np.ndarray:
    """Return the height of the cone that is strongest at each place."""
    distance = np.hypot(place[:, :1] - _HILLS[:, 0], place[:, 1:] - _HILLS[:, 1])  # (n, 6)
    height = np.maximum(1 - distance / 2, 0)
    strongest = height.argmax(axis=1)
    return height[np.arange(len(place)), strongest] * _HILLS[strongest, 2]


def _regression(name: str, surface: Callable, n_samples: int, noise: float, random_state) -> tuple:
    rng = _stream(name, n_samples, noise, random_state)
    points = rng.uniform(-_HALF_SIDE, _HALF_SIDE, (n_samples, 2))
    place = points + noise * rng.uniform(-_HALF_SIDE, _HALF_SIDE, points.shape)
    return points.astype(np.float32), surface(place).astype(np.float32)


def _shuffled(rng: np.random.Generator, points: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    order = rng.permutation(len(points))
    return points[order].astype(np.float32), y[order].astype(np.int64)


_MAKERS: dict[str, Callable] = {
    "circle": make_circle,
    "xor": make_xor,
    "gauss": make_gauss,
    "spiral": make_spiral,
    "reg-plane": make_reg_plane,
    "reg-gauss": make_reg_gauss,
}

load_circle = partial(load_toy, "circle")
"""A disc inside a ring."""
load_xor = partial(load_toy, "xor")
"""Four squares; opposite corners are of one class."""
load_gauss = partial(load_toy, "gauss")
"""Two round clouds of points."""
load_spiral = partial(load_toy, "spiral")
"""Two spiral arms, one inside the other."""
load_reg_plane = partial(load_toy, "reg-plane")
"""A tilted plane over the square, for regression."""
load_reg_gauss = partial(load_toy, "reg-gauss")
"""Three hills and three holes over the square, for regression."""
