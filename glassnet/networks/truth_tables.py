"""Truth tables as arrays: the inputs that count from 0, and checks of 0/1 values.

A truth table of ``n`` inputs is an array of 2**n values in counting order: row ``r`` is
the answer to the binary digits of ``r``, the first input being the most significant digit.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glassnet.errors import InvalidInputError

MAX_INPUTS = 20  # a table of 2**20 rows


def all_inputs(n_inputs: int) -> NDArray[np.int64]:
    """Return every row of ``n_inputs`` binary inputs, in counting order.

    Parameters
    ----------
    n_inputs : int
        Number of inputs, 0 to 20.

    Returns
    -------
    ndarray of shape (2**n_inputs, n_inputs)
        Zeros and ones; the first column is the most significant digit.

    Raises
    ------
    InvalidInputError
        If the table would have more than 2**20 rows.

    Examples
    --------
    >>> all_inputs(2).tolist()
    [[0, 0], [0, 1], [1, 0], [1, 1]]
    """
    if not 0 <= n_inputs <= MAX_INPUTS:
        raise InvalidInputError(f"a truth table can have 0 to {MAX_INPUTS} inputs, got {n_inputs}")
    return (np.arange(2**n_inputs)[:, None] >> np.arange(n_inputs)[::-1]) & 1


def parity(n_inputs: int) -> NDArray[np.int64]:
    """Return the truth table of "an odd number of inputs is on".

    Parameters
    ----------
    n_inputs : int
        Number of inputs, 0 to 20.

    Returns
    -------
    ndarray of shape (2**n_inputs,)
        Zeros and ones.

    Raises
    ------
    InvalidInputError
        If the table would have more than 2**20 rows.

    Examples
    --------
    >>> parity(2).tolist()
    [0, 1, 1, 0]
    """
    return all_inputs(n_inputs).sum(axis=1) % 2


def as_binary(values: ArrayLike, what: str) -> NDArray[np.int64]:
    """Return ``values`` as an integer array, or say which of them is not 0 or 1."""
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        raise InvalidInputError(f"{what} must hold zeros and ones, got dtype {array.dtype}")
    wrong = array[(array != 0) & (array != 1)]
    if wrong.size:
        raise InvalidInputError(f"{what} must hold zeros and ones, got {wrong[0]}")
    return array.astype(np.int64)


def as_truth_table(table: ArrayLike) -> tuple[NDArray[np.int64], int]:
    """Return a checked table of shape (2**n,) or (2**n, outputs), and n."""
    values = as_binary(table, "a truth table")
    rows = len(values) if values.ndim in (1, 2) else 0
    n_inputs = max(rows.bit_length() - 1, 0)
    if rows != 2**n_inputs or n_inputs > MAX_INPUTS:
        raise InvalidInputError(
            f"a truth table needs shape (2**n,) or (2**n, outputs) with n <= {MAX_INPUTS}, got {values.shape}"
        )
    return values, n_inputs
