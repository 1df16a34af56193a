"""Linear separability: every answer checked again here, in exact arithmetic or by a linear program."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from sklearn.svm import SVC

from glassnet.errors import InvalidInputError
from glassnet.networks.separability import linear_separability
from glassnet.networks.truth_tables import all_inputs, parity

XOR = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 1, 1, 0])


def signs_are_right(answer, X, y):
    """Decide every sign with rational numbers."""
    weight, bias = [Fraction(w) for w in answer.weight.tolist()], Fraction(answer.bias)
    sides = [
        sum((w * Fraction(x) for w, x in zip(weight, row, strict=True)), bias) > 0 for row in np.asarray(X).tolist()
    ]
    return sides == (np.asarray(y) == answer.classes[1]).tolist()


def means_meet(certificate, X, y, digits=12):
    """Compute both weighted means with rational numbers and compare them on the scale of X."""
    weights, points = [Fraction(w) for w in certificate.weights.tolist()], np.asarray(X, float)
    labels = np.asarray(y)
    means = []
    for label in np.unique(labels):
        rows = np.flatnonzero((labels == label) & (certificate.weights != 0))
        total = sum(weights[i] for i in rows)
        assert abs(float(total) - 1) < 10**-digits
        means.append(
            [
                sum(weights[i] * Fraction(x) for i, x in zip(rows, points[rows, j].tolist(), strict=True)) / total
                for j in range(points.shape[1])
            ]
        )
    apart = np.array([float(a - b) for a, b in zip(*means, strict=True)])
    return bool((np.abs(apart) <= 10**-digits * np.ptp(points, axis=0)).all())


def separable_by_linear_program(X, y):
    """Whether w . x + b >= 1 on one class and <= -1 on the other has a solution."""
    signs = np.where(np.asarray(y) == np.unique(y)[1], 1.0, -1.0)
    rows = -signs[:, None] * np.column_stack([X, np.ones(len(X))])
    return linprog(np.zeros(rows.shape[1]), rows, -np.ones(len(X)), bounds=(None, None)).success


def assert_proved(X, y):
    """Return the answer after checking its proof by the means of this file."""
    answer = linear_separability(X, y)
    if answer.separable:
        assert answer.certificate is None
        assert signs_are_right(answer, X, y)
    else:
        assert answer.weight is answer.bias is answer.margin is None
        assert answer.certificate.check(X, y)
        assert means_meet(answer.certificate, X, y)
    return answer


def test_xor_is_refused_with_the_middle_of_the_square():
    certificate = assert_proved(*XOR).certificate
    assert certificate.weights == pytest.approx([0.5] * 4, abs=1e-12)
    assert certificate.point == pytest.approx([0.5, 0.5], abs=1e-12)


def test_fourteen_of_sixteen_functions_of_two_inputs():
    tables = [[number >> row & 1 for row in range(4)] for number in range(1, 15)]
    assert sum(assert_proved(XOR[0], table).separable for table in tables) == 12  # the constants make 14


@pytest.mark.parametrize("n", [2, 5, 8])
def test_parity_is_never_separable_and_majority_always(n):
    assert not assert_proved(all_inputs(n), parity(n)).separable
    assert assert_proved(all_inputs(n), all_inputs(n).sum(axis=1) > n / 2).separable


@given(st.integers(0, 2**32), st.integers(2, 25), st.integers(1, 5), st.integers(1, 3), st.booleans())
@settings(deadline=None)
def test_grid_points_against_a_linear_program(seed, n, features, largest, ruled):
    rng = np.random.default_rng(seed)
    X = rng.integers(-largest, largest + 1, (n, features))
    y = (X @ rng.normal(size=features) > 0).astype(int) if ruled else rng.integers(0, 2, n)
    y[:2] = 0, 1
    assert assert_proved(X, y).separable == separable_by_linear_program(X, y)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("n", "features"), [(60, 2), (300, 10), (40, 100)])
def test_margin_is_that_of_the_hard_margin_machine(seed, n, features):
    rng = np.random.default_rng(seed)
    X, w = rng.normal(size=(n, features)), rng.normal(size=features)
    side = np.sign(X @ w + 0.3)
    X += 0.2 * np.outer(side, w / np.linalg.norm(w))
    machine = SVC(kernel="linear", C=1e5, tol=1e-9).fit(X, side)
    margin = (side * machine.decision_function(X)).min() / np.linalg.norm(machine.coef_)
    answer = assert_proved(X, side)
    assert answer.margin == pytest.approx(margin, rel=1e-5)
    distance = side * (X @ answer.weight + answer.bias) / np.linalg.norm(answer.weight)
    assert answer.margin == pytest.approx(distance.min(), rel=1e-9)


@pytest.mark.parametrize("gap", [1e-3, 1e-6, 1e-8, 1e-10])
def test_two_planes_with_hardly_a_gap(gap):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(200, 5)), np.repeat([-1.0, 1.0], 100)
    normal = np.ones(5) / 5**0.5
    X += np.outer(gap * y - X @ normal, normal)  # every point lies at distance gap from one plane
    answer = assert_proved(X, y)
    assert answer.separable
    assert answer.margin == pytest.approx(gap, rel=0.5)


@pytest.mark.parametrize("scale", [1e-150, 1e-9, 1e9, 1e150])
def test_scale_of_all_features_only_scales_the_margin(scale):
    X = np.random.default_rng(1).normal(size=(100, 3))
    y = X @ [1, 2, 3] > 0.5
    plain, scaled = assert_proved(X, y), assert_proved(X * scale, y)
    assert scaled.margin == pytest.approx(plain.margin * scale, rel=1e-6)
    y[:10] = ~y[:10]
    assert not assert_proved(X * scale, y).separable


def test_features_of_widely_different_scales():
    X = np.random.default_rng(1).normal(size=(200, 5))
    y = X.sum(axis=1) > 0
    for powers in (np.linspace(-8, 8, 5), np.linspace(-150, 150, 5)):
        assert assert_proved(X * 10**powers, y).separable
        assert not assert_proved(X * 10**powers, np.arange(200) % 2).separable


def test_far_from_the_origin():
    X = np.random.default_rng(2).normal(size=(100, 3)) + 1e7
    assert assert_proved(X, X @ [1, 2, 3] > 6e7).separable
    assert not assert_proved(X, np.arange(100) % 2).separable


def test_duplicates_change_nothing():
    X = np.random.default_rng(3).normal(size=(50, 3))
    y = X[:, 0] > 0
    once, often = linear_separability(X, y), assert_proved(np.repeat(X, 20, axis=0), np.repeat(y, 20))
    assert often.margin == pytest.approx(once.margin, rel=1e-6)
    doubled = assert_proved(np.hstack([X, X, np.ones((50, 2))]), y)
    assert doubled.margin == pytest.approx(once.margin * 2**0.5, rel=1e-6)


def test_a_point_in_both_classes_is_the_proof():
    X = np.array([[0.0, 0.0], [5.0, 1.0], [-3.0, 2.0], [5.0, 1.0]])
    certificate = assert_proved(X, [0, 0, 0, 1]).certificate
    assert certificate.point == pytest.approx([5, 1], abs=1e-9)


def test_all_points_equal():
    assert not assert_proved(np.ones((4, 3)), [0, 1, 0, 1]).separable


def test_hulls_that_touch_in_one_point():
    X = np.array([[0.0, 0.0], [2.0, 0.0], [1.0, 0.0], [1.0, 1.0]])
    assert assert_proved(X, [0, 0, 1, 1]).certificate.point == pytest.approx([1, 0], abs=1e-12)


def test_ties_that_stop_the_least_squares_early():
    """Rows of seven bits on which the first run of the active-set method ends at a wrong point."""
    rows = (12, 22, 70, 123, 127, 25, 97, 88, 98, 68, 111, 34, 66, 53, 98, 28, 11)
    rows += (47, 49, 104, 57, 29, 38, 55, 125, 98, 81, 110, 58, 48, 117)
    y = [int(digit) for digit in "1110001001000101001001111010011"]
    assert assert_proved(all_inputs(7)[list(rows)], y).separable


def test_labels_of_any_kind():
    answer = assert_proved([[0.0], [1.0], [3.0]], ["low", "low", "high"])
    assert answer.classes.tolist() == ["high", "low"]
    assert answer.weight.tolist() == [-1.0]  # the second in sorted order lies on the positive side
    assert (answer.bias, answer.margin) == (2.0, 1.0)


@pytest.mark.parametrize("separable", [True, False])
def test_ten_thousand_points_of_a_hundred_features(separable):
    rng = np.random.default_rng(0)
    X, w = rng.normal(size=(10_000, 100)), np.ones(100) / 10
    side = np.sign(X @ w)
    X += np.outer(side, w)
    side[:200] *= 1 if separable else -1  # one wrong label in fifty spoils it
    answer = linear_separability(X, side)
    assert answer.separable == separable
    if separable:
        assert answer.margin > 1
        assert (side * (X @ answer.weight + answer.bias) > answer.margin * (1 - 1e-9)).all()
    else:
        assert means_meet(answer.certificate, X, side)


def overlapping():
    X = np.random.default_rng(4).normal(size=(30, 2))
    y = np.arange(30) % 2
    return X, y, linear_separability(X, y).certificate


def test_certificate_tampered_with():
    X, y, good = overlapping()
    assert good.check(X, y)
    used = np.flatnonzero(good.weights)
    for change in (1e-3, -1e-3, 1e-9):
        weights = good.weights.copy()
        weights[used[0]] += change
        assert not replace(good, weights=weights).check(X, y)
    assert not replace(good, weights=np.zeros(30)).check(X, y)
    assert not replace(good, weights=np.full(30, np.nan)).check(X, y)
    assert not replace(good, weights=good.weights[::-1]).check(X, y)
    assert not replace(good, weights=good.weights[:-1]).check(X, y)
    assert not replace(good, point=good.point + 1e-6).check(X, y)
    assert not replace(good, point=good.point[:1]).check(X, y)


def test_certificate_with_negative_weights_proves_nothing():
    X, y = np.array([[0.0], [1.0], [2.0]]), np.array([0, 0, 1])
    assert linear_separability(X, y).separable
    forged = replace(overlapping()[2], weights=np.array([-1.0, 2.0, 1.0]), point=np.array([2.0]))  # 2 = 2 * 1 - 0
    assert not forged.check(X, y)


def test_certificate_of_other_data():
    X, y, good = overlapping()
    assert good.check(X, np.where(y == 1, "a", "b"))  # the names of the classes do not matter
    moved = X.copy()
    moved[np.flatnonzero(good.weights)[0]] += 1e-6
    assert not good.check(moved, y)
    flipped = y.copy()
    flipped[np.flatnonzero(good.weights)[0]] ^= 1
    assert not good.check(X, flipped)


@pytest.mark.parametrize(
    ("X", "y", "words"),
    [
        ([[0.0], [1.0]], [1, 1], r"exactly two classes, got 1: \[1\]"),
        ([[0.0], [1.0], [2.0]], [0, 1, 2], "exactly two classes, got 3"),
        ([[0.0], [np.nan]], [0, 1], "finite"),
        ([[0.0], [np.inf]], [0, 1], "finite"),
        ([[0.0], [1.0]], [0.0, np.nan], "exactly two classes"),
        ([[0.0], [1.0]], [0, 1, 1], r"got \(2, 1\) and \(3,\)"),
        ([0.0, 1.0], [0, 1], r"got \(2,\)"),
        (np.zeros((2, 0)), [0, 1], "features >= 1"),
        ([], [], r"got \(0,\)"),
    ],
)
def test_what_cannot_be_asked(X, y, words):
    with pytest.raises(InvalidInputError, match=words):
        linear_separability(X, y)


@pytest.mark.parametrize("next_to_each_other", [(1.0, np.nextafter(1.0, 2.0)), (0.0, 5e-324)])
def test_neighbouring_floats_are_not_guessed_at(next_to_each_other):
    with pytest.raises(InvalidInputError, match="too close to tell"):
        linear_separability(np.array(next_to_each_other)[:, None], [0, 1])
