"""What a perceptron cannot see: the order of a predicate (Minsky and Papert, 1969).

M. Minsky and S. Papert, "Perceptrons: An Introduction to Computational Geometry", MIT
Press (1969). A mask is a conjunction of inputs; its size is their number. The order of a
predicate is the smallest k such that it is a weighted vote of masks of size k or less:

    psi(x) = [ sum_A alpha_A (product of x_i for i in A)  >  threshold ],   |A| <= k

Order 1 is what one neuron can do. Parity of n inputs has order n: some mask must see them
all. Connectedness of a figure has no bound that holds for every retina.

Such a vote exists exactly when the two sets of inputs, seen through the masks, are linearly
separable, and ``linear_separability`` answers that with a verified proof either way.

Where this departs from the book: Minsky and Papert prove orders for whole families of
predicates by hand; here one truth table is decided by computation.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from glassnet.errors import InvalidInputError
from glassnet.networks.separability import Separability, linear_separability
from glassnet.networks.truth_tables import all_inputs, as_truth_table

MAX_INPUTS = 10  # 1,024 rows by at most 1,024 masks


def masks(n_inputs: int, size: int) -> list[tuple[int, ...]]:
    """Return all masks of 1 to ``size`` of the inputs 0 to ``n_inputs - 1``, small ones first.

    Examples
    --------
    >>> masks(3, 2)
    [(0,), (1,), (2,), (0, 1), (0, 2), (1, 2)]
    """
    return [mask for length in range(1, size + 1) for mask in combinations(range(n_inputs), length)]


def vote_of_masks(truth_table: ArrayLike, size: int) -> Separability:
    """Write a predicate as a vote of masks of a given size, or prove that none exists.

    Parameters
    ----------
    truth_table : array-like of shape (2**n,)
        Zeros and ones in counting order, not all equal; n at most 10.
    size : int
        Largest mask allowed, 1 to n.

    Returns
    -------
    Separability
        ``weight`` holds one alpha for each of ``masks(n, size)`` and ``bias`` is minus the
        threshold; or a certificate whose weights belong to the table's rows.

    Raises
    ------
    InvalidInputError
        If the table is not a table of one predicate, is constant, or size is out of range.

    Examples
    --------
    >>> vote_of_masks([0, 1, 1, 0], size=1).certificate.point.round(6).tolist()
    [0.5, 0.5]
    >>> vote_of_masks([0, 1, 1, 0], size=2).separable
    True
    """
    table, n_inputs = _one_predicate(truth_table)
    if not 1 <= size <= n_inputs:
        raise InvalidInputError(f"size must lie in [1, {n_inputs}], the number of inputs; got {size}")
    inputs = all_inputs(n_inputs)
    seen = np.column_stack([inputs[:, list(mask)].all(axis=1) for mask in masks(n_inputs, size)])
    return linear_separability(seen, table)


def predicate_order(truth_table: ArrayLike) -> int:
    """Return the order of a predicate: how many inputs its largest mask has to see.

    Parameters
    ----------
    truth_table : array-like of shape (2**n,)
        Zeros and ones in counting order; n at most 10.

    Returns
    -------
    int
        0 for a constant, 1 for what a single neuron computes, up to n.

    Raises
    ------
    InvalidInputError
        If the table is not a table of one predicate of at most 10 inputs.

    References
    ----------
    M. Minsky and S. Papert, Perceptrons, MIT Press (1969).

    Examples
    --------
    >>> from glassnet.networks.truth_tables import parity
    >>> [predicate_order(parity(n)) for n in (1, 2, 3, 4)]
    [1, 2, 3, 4]
    """
    table, n_inputs = _one_predicate(truth_table)
    if table.min() == table.max():
        return 0
    return next(size for size in range(1, n_inputs + 1) if vote_of_masks(table, size).separable)


def connectedness(rows: int, columns: int) -> NDArray[np.int64]:
    """Return the truth table of "the figure is in one piece" on a retina.

    Squares touch along edges, not at corners; the empty figure counts as connected.

    Parameters
    ----------
    rows, columns : int
        Size of the retina, at most 16 squares.

    Returns
    -------
    ndarray of int64, shape (2**(rows * columns),)
        Row r's binary digits are the squares, left to right, then downwards.

    Raises
    ------
    InvalidInputError
        If the retina has no or more than 16 squares.

    Examples
    --------
    On four squares only the two diagonals fall apart:

    >>> table = connectedness(2, 2)
    >>> [f"{row:04b}" for row in (table == 0).nonzero()[0]]
    ['0110', '1001']
    """
    if rows < 1 or columns < 1 or rows * columns > 16:
        raise InvalidInputError(f"a retina needs 1 to 16 squares, got {rows} x {columns}")
    figures = all_inputs(rows * columns).reshape(-1, rows, columns)
    pieces = np.array([ndimage.label(figure)[1] for figure in figures])  # pyright: ignore[reportIndexIssue]
    return (pieces <= 1).astype(np.int64)


def _one_predicate(truth_table: ArrayLike) -> tuple[NDArray[np.int64], int]:
    table, n_inputs = as_truth_table(truth_table)
    if table.ndim != 1 or n_inputs > MAX_INPUTS:
        raise InvalidInputError(
            f"expected one predicate of at most {MAX_INPUTS} inputs, shape (2**n,); got shape {table.shape}"
        )
    return table, n_inputs
