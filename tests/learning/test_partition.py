"""Partition functions against sums over every joint state, integrals and each other."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logsumexp

from glassnet.errors import InvalidInputError
from glassnet.learning.partition import (
    MOST_UNITS,
    Machine,
    annealed_log_partition,
    exact_log_partition,
    free_energy,
    log_pseudo_likelihood,
    states,
)


def machine(n_hidden: int, n_visible: int, gaussian: bool = False, scale: float = 1.0) -> Machine:
    rng = np.random.default_rng(n_hidden + 100 * n_visible)
    shapes = [(n_hidden, n_visible), n_hidden, n_visible]
    return Machine(*(rng.normal(0, scale, shape) for shape in shapes), gaussian)


@pytest.mark.parametrize("shape", [(3, 5), (5, 3), (1, 4)])
def test_both_sides_give_the_sum_over_all_joint_states(shape):
    weight, c, b, _ = m = machine(*shape)
    v, h = states(shape[1]), states(shape[0])
    minus_energy = (v @ b)[:, None] + h @ c + v @ weight.T @ h.T  # (2^n_visible, 2^n_hidden)
    assert exact_log_partition(m) == pytest.approx(logsumexp(minus_energy), rel=1e-12)
    np.testing.assert_allclose(free_energy(m, v), -logsumexp(minus_energy, axis=1), rtol=1e-12)


def test_gaussian_units_are_integrated():
    m = machine(3, 1, gaussian=True)
    v = np.linspace(-30, 30, 20_001)
    z = np.trapezoid(np.exp(-free_energy(m, v[:, None])), v)
    assert exact_log_partition(m) == pytest.approx(np.log(z), rel=1e-9)


@pytest.mark.parametrize("gaussian", [False, True])
def test_annealing_agrees_with_the_sum_on_12_visible_and_8_hidden_units(gaussian):
    m = machine(8, 12, gaussian, scale=0.5)
    estimate, error = annealed_log_partition(m, n_chains=400, n_temperatures=400, seed=0)
    assert 0 < error < 0.1
    assert abs(estimate - exact_log_partition(m)) < 4 * error


def test_annealing_errs_less_with_more_temperatures():
    m = machine(8, 12)
    errors = [annealed_log_partition(m, 200, n, seed=1)[1] for n in (5, 50, 500)]
    assert errors == sorted(errors, reverse=True)


def test_a_sum_of_too_many_terms_is_refused():
    n = MOST_UNITS + 1
    with pytest.raises(InvalidInputError, match=rf"2\^{n} terms.*method='ais'"):
        exact_log_partition(machine(n, n))


def test_pseudo_likelihood_by_enumeration_of_all_states():
    m = machine(4, 6)
    v = states(6)
    log_p = -free_energy(m, v) - exact_log_partition(m)
    expected = np.zeros(len(v))
    for i in range(6):
        flipped = np.arange(len(v)) ^ (1 << i)
        expected += log_p - np.logaddexp(log_p, log_p[flipped])
    np.testing.assert_allclose(6 * log_pseudo_likelihood(m, v, np.arange(6)), expected, rtol=1e-10)


def test_conditional_of_a_gaussian_unit_integrates_to_one():
    m = machine(5, 3, gaussian=True, scale=2.0)
    grid = np.linspace(-40, 40, 8001)
    v = np.column_stack([np.full_like(grid, 0.3), grid, np.full_like(grid, -1.0)])
    density = np.exp(log_pseudo_likelihood(m, v, np.array([1])))
    assert np.trapezoid(density, grid) == pytest.approx(1, abs=1e-7)
