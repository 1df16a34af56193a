from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.exceptions import ConvergenceWarning
from torch.nn.functional import scaled_dot_product_attention

from glassnet.errors import InvalidInputError
from glassnet.networks.modern_hopfield import ModernHopfieldNetwork, associate


def attention(queries: np.ndarray, patterns: np.ndarray, scale: float | None) -> np.ndarray:
    keys = torch.from_numpy(patterns)
    return scaled_dot_product_attention(torch.from_numpy(queries), keys, keys, scale=scale).numpy()


@settings(deadline=None)
@given(
    st.integers(1, 9),
    st.integers(1, 40),
    st.integers(1, 30),
    st.sampled_from([None, 0.01, 1.0, 20.0]),
    st.integers(0, 99),
)
def test_one_update_is_one_step_of_the_transformers_attention(n_queries, n_patterns, n_units, beta, seed):
    rng = np.random.default_rng(seed)
    patterns, queries = rng.standard_normal((n_patterns, n_units)), rng.standard_normal((n_queries, n_units))
    network = ModernHopfieldNetwork(beta, max_iter=1).fit(patterns)
    expected = attention(queries, patterns, beta)
    np.testing.assert_allclose(network.transform(queries), expected, atol=1e-12)
    np.testing.assert_allclose(network.step(queries), expected, atol=1e-12)


def test_float32_stays_float32_and_agrees_with_attention():
    rng = np.random.default_rng(0)
    patterns, queries = (rng.standard_normal((n, 16)).astype(np.float32) for n in (50, 7))
    updated = ModernHopfieldNetwork(None, max_iter=1).fit(patterns).transform(queries)
    assert updated.dtype == np.float32
    np.testing.assert_allclose(updated, attention(queries, patterns, None), atol=1e-6)


def energy_by_sums(patterns: np.ndarray, state: np.ndarray, beta: float) -> float:
    attraction = np.log(sum(np.exp(beta * sum(x * s for x, s in zip(p, state, strict=True))) for p in patterns)) / beta
    largest = max(sum(x * x for x in p) for p in patterns)
    return sum(s * s for s in state) / 2 - attraction + np.log(len(patterns)) / beta + largest / 2


@settings(deadline=None)
@given(st.integers(1, 20), st.integers(1, 10), st.floats(0.05, 5), st.integers(0, 99))
def test_energy_never_rises_and_is_never_negative(n_patterns, n_units, beta, seed):
    rng = np.random.default_rng(seed)
    patterns, probes = rng.standard_normal((n_patterns, n_units)), rng.standard_normal((5, n_units))
    retrieval = ModernHopfieldNetwork(beta, max_iter=10_000).fit(patterns).retrieve(probes)
    assert (np.diff(retrieval.energies, axis=1) <= 1e-12).all()
    assert (retrieval.energies >= -1e-12).all()
    assert retrieval.converged.all()
    for row, state in ((0, probes), (-1, retrieval.states)):
        expected = [energy_by_sums(patterns, s, beta) for s in state]
        np.testing.assert_allclose(retrieval.energies[:, row], expected, atol=1e-9)


def test_more_patterns_than_units_come_back_from_corrupted_probes():
    rng = np.random.default_rng(1)
    patterns = rng.choice([-1.0, 1.0], (500, 64))
    probes = np.where(rng.random(patterns.shape) < 0.1, -patterns, patterns)
    retrieval = ModernHopfieldNetwork().fit(patterns).retrieve(probes)
    np.testing.assert_array_equal(np.sign(retrieval.states), patterns)
    np.testing.assert_array_equal(retrieval.association.argmax(axis=1), np.arange(500))
    np.testing.assert_allclose(retrieval.association.sum(axis=1), 1)


def test_a_warm_network_averages_and_a_cold_one_decides():
    patterns = np.array([[1.0, 0.0], [0.0, 1.0]])
    warm = ModernHopfieldNetwork(beta=0.01).fit(patterns).retrieve([[1.0, 0.0]])
    cold = ModernHopfieldNetwork(beta=50.0).fit(patterns).retrieve([[0.6, 0.4]])
    np.testing.assert_allclose(warm.states, [[0.5, 0.5]], atol=1e-2)
    np.testing.assert_allclose(cold.states, [[1.0, 0.0]], atol=1e-9)


def test_association_stands_large_products():
    np.testing.assert_array_equal(associate(np.array([[1000.0]]), np.array([[1000.0], [-1000.0]]), 1.0), [[1, 0]])


def test_patterns_are_kept_as_they_were_stored():
    patterns = np.eye(3)
    network = ModernHopfieldNetwork().fit(patterns)
    patterns[:] = 0
    np.testing.assert_array_equal(network.patterns_, np.eye(3))


def test_probes_that_had_no_time_to_settle_are_said():
    rng = np.random.default_rng(0)
    network = ModernHopfieldNetwork(beta=0.5, max_iter=2, tol=0.0).fit(rng.standard_normal((5, 4)))
    with pytest.warns(ConvergenceWarning, match="3 of 3 probes had not settled after max_iter=2"):
        retrieval = network.retrieve(rng.standard_normal((3, 4)))
    assert retrieval.n_iter.tolist() == [2, 2, 2]
    assert not retrieval.converged.any()


@pytest.mark.parametrize(
    "parameters", [{"beta": 0}, {"beta": -1.0}, {"beta": "1"}, {"max_iter": 0}, {"max_iter": 1.5}, {"tol": -1}]
)
def test_parameters_out_of_bounds_are_refused(parameters):
    with pytest.raises(InvalidInputError, match=f"{next(iter(parameters))} must be"):
        ModernHopfieldNetwork(**parameters).fit(np.eye(2))


def test_a_probe_of_another_length_is_refused():
    network = ModernHopfieldNetwork().fit(np.eye(3))
    for method in (network.transform, network.predict, network.energy):
        with pytest.raises(ValueError, match="X has 2 features, but ModernHopfieldNetwork is expecting 3"):
            method(np.ones((1, 2)))
