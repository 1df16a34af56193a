"""The three lines: their counts by exact arithmetic, and the set's own claims."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from glassnet.data import LINES, load
from glassnet.errors import InvalidInputError
from glassnet.networks.separability import linear_separability


def wrong_by_hand(line, X, y):
    """Count with exact decimals, as written in the file."""
    exact = [[Fraction(str(round(float(value), 1))) for value in row] for row in X]
    w1, w2, bias = (Fraction(str(value)) for value in (*line.weight, line.bias))
    return sum((w1 * a + w2 * b + bias >= 0) != bool(label) for (a, b), label in zip(exact, y, strict=True))


@pytest.mark.parametrize(("name", "wrong"), [("bad", 7), ("okay", 4), ("good", 0)])
def test_seven_four_none(name, wrong):
    data, line = load("lines"), LINES[name]
    assert line.misclassified(data.X_train, data.y_train).sum() == wrong
    assert wrong_by_hand(line, data.X_train, data.y_train) == wrong


@pytest.mark.parametrize("name", LINES)
def test_no_point_is_near_a_line(name):
    line = LINES[name]
    distance = np.abs(load("lines").X_train @ np.array(line.weight) + line.bias) / np.hypot(*line.weight)
    assert distance.min() > 0.1


def test_the_set_is_separable_with_a_margin_no_smaller_than_the_good_line_s():
    data, good = load("lines"), LINES["good"]
    answer = linear_separability(data.X_train, data.y_train)
    assert answer.separable
    assert answer.margin >= np.abs(data.X_train @ np.array(good.weight)).min() / np.hypot(*good.weight) - 1e-9


def test_twelve_different_points_of_each_class():
    data = load("lines", random_state=3)
    assert np.bincount(data.y_train).tolist() == [12, 12]
    assert len(np.unique(data.X_train, axis=0)) == 24
    assert (data.X_test == data.X_train).all()


def test_points_of_another_space():
    with pytest.raises(InvalidInputError, match=r"\(n, 2\); got \(4, 3\)"):
        LINES["good"].predict(np.zeros((4, 3)))
