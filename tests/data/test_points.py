"""Points of one's own as a data set."""

from __future__ import annotations

import numpy as np
import pytest

from glassnet.data.points import load_points
from glassnet.errors import InvalidInputError

ROWS = np.column_stack([np.arange(20) / 4, np.arange(20) / -4, np.arange(20) % 2 * 3 + 1])


def test_every_point_is_in_one_part_and_every_class_in_both():
    data = load_points(ROWS, test_size=0.25, random_state=3)
    assert (len(data.y_train), len(data.y_test)) == (16, 4)
    assert data.target_names == ("1", "4")
    both = np.concatenate([data.X_train, data.X_test])
    assert {tuple(row) for row in both.tolist()} == {tuple(row) for row in ROWS[:, :2].tolist()}
    assert np.bincount(data.y_test).tolist() == [2, 2]


@pytest.mark.parametrize("test_size", [0.0, 0.01, 0.99, 1.0])
def test_no_part_is_left_without_a_class(test_size):
    data = load_points(ROWS[:4], test_size=test_size)
    assert set(data.y_train) == set(data.y_test) == {0, 1}


def test_the_seed_decides():
    first, again, other = (load_points(ROWS, random_state=seed) for seed in (1, 1, 2))
    assert first.sha256 == again.sha256 != other.sha256


def test_points_far_away_are_brought_into_the_square():
    far = ROWS * [1000, 1, 1] + [7e6, 0, 0]
    X = np.concatenate([load_points(far).X_train, load_points(far).X_test])
    np.testing.assert_allclose([X.min(0), X.max(0)], [[-5, -5], [5, 5]])


def test_a_file_is_the_same_as_its_rows(tmp_path):
    path = tmp_path / "points.csv"
    path.write_text("x1;x2;class\n" + "\n".join(";".join(map(str, row)) for row in ROWS.tolist()))
    assert load_points(path).sha256 == load_points(ROWS).sha256


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([[1, 2]], "rows x1, x2, class"),
        ([[1, 2, 0], [2, 2, 0], [3, 3, 1]], "got 2 of class 0, 1 of class 1"),
        ([[1, 2, 0], [2, 2, 0]], "got 2 of class 0"),
        ([[i, 2, i] for i in range(9)], "Two classes"),
    ],
)
def test_what_is_not_two_classes_is_refused(rows, words):
    with pytest.raises(InvalidInputError, match=words):
        load_points(rows)
