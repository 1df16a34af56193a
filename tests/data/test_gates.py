"""Truth tables against Python's own operators."""

from __future__ import annotations

import operator

import pytest

from glassnet.data import load, load_gate
from glassnet.errors import UnknownNameError


@pytest.mark.parametrize("name", ["and", "or", "xor"])
def test_tables_of_two_inputs(name):
    gate = {"and": operator.and_, "or": operator.or_, "xor": operator.xor}[name]
    data = load(f"gate-{name}")
    assert sorted(map(tuple, data.X_train)) == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert [gate(int(a), int(b)) for a, b in data.X_train] == data.y_train.tolist()
    assert data.feature_names == ("x1", "x2")


def test_table_of_not():
    data = load_gate("not")
    assert [int(not x) for (x,) in data.X_train] == data.y_train.tolist()
    assert data.X_train.shape == (2, 1)


def test_the_test_part_is_the_whole_table_too_and_its_own_array():
    data = load_gate("xor")
    assert (data.X_test == data.X_train).all()
    assert (data.y_test == data.y_train).all()
    data.X_train[0, 0] = 9
    assert data.X_test[0, 0] == 0
    assert load_gate("xor").X_train[0, 0] == 0


def test_unknown_gate():
    with pytest.raises(UnknownNameError, match=r"gate: 'nand'. Allowed: and, not, or, xor"):
        load_gate("nand")
