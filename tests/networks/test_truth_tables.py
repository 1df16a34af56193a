"""Truth tables as arrays."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from glassnet.errors import InvalidInputError
from glassnet.networks.truth_tables import all_inputs, as_binary, as_truth_table, parity


@pytest.mark.parametrize("n", range(6))
def test_rows_count_upwards(n):
    assert [tuple(row) for row in all_inputs(n)] == list(product((0, 1), repeat=n))


@pytest.mark.parametrize("n", range(1, 8))
def test_parity_flips_with_every_input(n):
    table = parity(n).reshape((2,) * n)
    assert table[(0,) * n] == 0
    for axis in range(n):
        assert (np.flip(table, axis) == 1 - table).all()


def test_too_many_inputs():
    with pytest.raises(InvalidInputError, match="0 to 20 inputs, got 21"):
        all_inputs(21)


@pytest.mark.parametrize(("table", "got"), [([0, 1, 1], r"\(3,\)"), ([], r"\(0,\)"), (1, r"\(\)")])
def test_a_table_needs_a_power_of_two_rows(table, got):
    with pytest.raises(InvalidInputError, match=got):
        as_truth_table(table)


@pytest.mark.parametrize("table", [[0, 1, 2, 0], [0.5, 1, 1, 0], [0, float("nan"), 1, 0], ["0", "1", "1", "0"]])
def test_values_are_zeros_and_ones(table):
    with pytest.raises(InvalidInputError, match="zeros and ones"):
        as_binary(table, "this table")


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64, np.float32])
def test_any_numeric_type_of_zeros_and_ones_will_do(dtype):
    values, n_inputs = as_truth_table(np.array([0, 1, 1, 0], dtype))
    assert (values.tolist(), n_inputs) == ([0, 1, 1, 0], 2)
