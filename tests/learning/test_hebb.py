from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glassnet.errors import UnknownNameError
from glassnet.learning.hebb import RULES, capacity, hebb, pseudo_inverse, storkey, storkey_factored


def random_patterns(n_patterns: int, n_units: int, seed: int = 0, dtype: type = np.float64) -> np.ndarray:
    return np.random.default_rng(seed).choice(np.array([-1, 1], dtype), (n_patterns, n_units))


def storkey_by_sums(patterns: np.ndarray) -> np.ndarray:
    """The paper's formula, a weight at a time."""
    n = patterns.shape[1]
    weight = np.zeros((n, n))
    for x in patterns:
        old = weight.copy()

        def field(i: int, j: int, x: np.ndarray = x, old: np.ndarray = old) -> float:
            return sum(old[i, k] * x[k] for k in range(n) if k not in (i, j))

        for i in range(n):
            for j in range(n):
                if i != j:
                    weight[i, j] += (x[i] * x[j] - x[i] * field(j, i) - field(i, j) * x[j]) / n
    return weight


def test_hebb_is_the_mean_product_of_two_units():
    patterns = random_patterns(5, 8)
    weight = hebb(patterns)
    for i in range(8):
        for j in range(8):
            assert weight[i, j] == pytest.approx(0 if i == j else sum(x[i] * x[j] for x in patterns) / 8)


@pytest.mark.parametrize("rule", [storkey, storkey_factored])
@pytest.mark.parametrize(("n_patterns", "n_units"), [(1, 1), (1, 6), (4, 7), (7, 7), (12, 5)])
def test_storkey_is_the_papers_formula(rule, n_patterns, n_units):
    patterns = random_patterns(n_patterns, n_units)
    np.testing.assert_allclose(rule(patterns), storkey_by_sums(patterns), atol=1e-12)


@pytest.mark.parametrize("n_patterns", [20, 100, 300])
def test_storkey_s_fast_path_keeps_float32_s_digits(n_patterns):
    patterns = random_patterns(n_patterns, 100, dtype=np.float32)
    fast = storkey_factored(patterns)
    assert fast.dtype == np.float32
    np.testing.assert_allclose(fast, storkey(patterns.astype(np.float64)), atol=2e-5)


@pytest.mark.parametrize(("n_patterns", "n_units"), [(3, 10), (10, 10), (30, 10)])
def test_pseudo_inverse_is_the_projection_without_its_diagonal(n_patterns, n_units):
    patterns = random_patterns(n_patterns, n_units)
    projection = np.linalg.pinv(patterns) @ patterns
    np.fill_diagonal(projection, 0)
    np.testing.assert_allclose(pseudo_inverse(patterns), projection, atol=1e-10)


def test_pseudo_inverse_takes_repeated_patterns():
    patterns = random_patterns(4, 12)
    np.testing.assert_allclose(pseudo_inverse(np.vstack([patterns, patterns])), pseudo_inverse(patterns), atol=1e-10)


@settings(deadline=None)
@given(st.sampled_from(sorted(RULES)), st.integers(1, 12), st.integers(1, 12), st.integers(0, 9))
def test_weights_are_symmetric_without_self_coupling(rule, n_patterns, n_units, seed):
    weight = RULES[rule](random_patterns(n_patterns, n_units, seed, np.float32))
    assert weight.shape == (n_units, n_units)
    assert weight.dtype == np.float32
    np.testing.assert_array_equal(weight, weight.T)
    np.testing.assert_array_equal(np.diag(weight), 0)


@pytest.mark.parametrize("rule", RULES)
def test_a_single_pattern_is_a_fixed_point_of_every_rule(rule):
    pattern = random_patterns(1, 20)
    np.testing.assert_array_equal(np.sign(pattern @ RULES[rule](pattern)), pattern)


def test_capacities_are_those_of_the_papers():
    assert capacity("hebb", 1000) == pytest.approx(138)
    assert capacity("storkey", 1000) == pytest.approx(1000 / np.sqrt(2 * np.log(1000)))
    assert capacity("pseudo-inverse", 1000) == 1000
    assert all(capacity(rule, 1) == 1 for rule in RULES)


def test_an_unknown_rule_is_answered_with_the_known_ones():
    with pytest.raises(UnknownNameError, match=r"'hebbian'.*Allowed: hebb, pseudo-inverse, storkey"):
        capacity("hebbian", 10)
