from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.exceptions import ConvergenceWarning, NotFittedError

from glassnet.errors import GlassnetWarning, InvalidInputError, UnknownNameError
from glassnet.learning.hebb import RULES
from glassnet.networks.hopfield import (
    HopfieldNetwork,
    asynchronous_sweep,
    settle_asynchronously,
    settle_synchronously,
)
from glassnet.seeds import generator


def spins(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.choice(np.array([-1, 1], np.float32), shape)


def couplings(rng: np.random.Generator, n: int, whole: bool) -> np.ndarray:
    """Random symmetric weights; whole numbers make fields of exactly zero likely."""
    half = rng.integers(-2, 3, (n, n)) if whole else rng.standard_normal((n, n))
    weight = (half + half.T).astype(np.float32)
    np.fill_diagonal(weight, 0)
    return weight


def direct_energy(weight: np.ndarray, state: np.ndarray, bias: np.ndarray | None = None) -> float:
    """Every pair once, in float64."""
    n = len(state)
    pairs = sum(float(weight[i, j]) * state[i] * state[j] for i in range(n) for j in range(i))
    return -pairs - (0.0 if bias is None else float(bias @ state))


untimed = settings(deadline=None)
networks = st.tuples(st.integers(1, 25), st.booleans(), st.booleans(), st.integers(0, 2**20))


def draw(n: int, whole: bool, biased: bool, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    weight, states = couplings(rng, n, whole), spins(rng, 6, n)
    bias = couplings(rng, n, whole)[0] if biased else np.zeros(n, np.float32)
    return weight, bias, states


@untimed
@given(networks)
def test_energy_never_rises_when_units_take_turns(network):
    weight, bias, states = draw(*network)
    settled = settle_asynchronously(weight, states, bias, seed=network[-1])
    assert (np.diff(settled.energies, axis=1) <= 0).all()
    for start, end, energies in zip(states, settled.states, settled.energies, strict=True):
        assert energies[0] == pytest.approx(direct_energy(weight, start, bias), abs=1e-4)
        assert energies[-1] == pytest.approx(direct_energy(weight, end, bias), abs=1e-3)


@untimed
@given(networks)
def test_compiled_sweeps_are_the_formula(network):
    weight, bias, states = draw(*network)
    settled = settle_asynchronously(weight, states, bias, max_iter=2, seed=3)
    for sweep in range(2):
        order = generator(3, "hopfield order", sweep).permutation(len(weight))
        states = asynchronous_sweep(weight, states, order, bias)
        column = settled.energies[:, min(sweep + 1, settled.energies.shape[1] - 1)]
        np.testing.assert_allclose(column, [direct_energy(weight, s, bias) for s in states], atol=1e-3)
    np.testing.assert_array_equal(settled.states, states)


@untimed
@given(networks)
def test_no_unit_wants_to_flip_at_the_end(network):
    weight, bias, states = draw(*network)
    settled = settle_asynchronously(weight, states, bias, seed=1)
    assert (settled.cycle_length == 1).all()
    fields = settled.states.astype(np.float64) @ weight + bias
    assert (settled.states * fields >= -1e-3).all()


def synchronous_by_hand(weight: np.ndarray, state: np.ndarray) -> tuple[list[np.ndarray], int]:
    """The states that are visited, up to the first that was there before, and the cycle's length."""
    visited = [state]
    while True:
        fields = weight.astype(np.float64) @ visited[-1]
        visited.append(np.where(np.abs(fields) > 1e-5, np.sign(fields), visited[-1]))
        for length in (1, 2):
            if len(visited) > length and (visited[-1] == visited[-1 - length]).all():
                return visited, length


@untimed
@given(networks)
def test_synchronous_updates_end_as_stepping_by_hand_does(network):
    weight, _, states = draw(*network)
    settled = settle_synchronously(weight, states)
    for i, state in enumerate(states):
        visited, length = synchronous_by_hand(weight, state)
        assert settled.cycle_length[i] == length
        assert settled.n_iter[i] == len(visited) - 1
        np.testing.assert_array_equal(settled.states[i], visited[-1])
        expected = [direct_energy(weight, s) for s in visited]
        expected += [expected[-1]] * (settled.energies.shape[1] - len(expected))
        np.testing.assert_allclose(settled.energies[i], expected, atol=1e-4)


def test_two_units_that_imitate_each_other_swap_forever():
    settled = settle_synchronously(np.array([[0, 1], [1, 0]], np.float32), np.array([[1, -1]], np.float32))
    assert settled.cycle_length.tolist() == [2]
    assert settled.energies.tolist() == [[1, 1, 1]]
    taking_turns = settle_asynchronously(np.array([[0, 1], [1, 0]], np.float32), np.array([[1, -1]], np.float32))
    assert taking_turns.cycle_length.tolist() == [1]
    assert taking_turns.energies[0, -1] == -1


@pytest.mark.parametrize("settle", [settle_asynchronously, settle_synchronously])
def test_a_unit_without_field_keeps_its_state(settle):
    weight = np.zeros((4, 4), np.float32)
    weight[0, 1:3] = weight[1:3, 0] = (1, -1)
    weight /= 3  # thirds do not cancel to the bit in float32
    states = np.array([[1, 1, 1, 1], [-1, 1, 1, -1]], np.float32)
    settled = settle(weight, states, max_iter=1)
    np.testing.assert_array_equal(settled.states[:, 3], states[:, 3])
    np.testing.assert_array_equal(asynchronous_sweep(weight, states, np.array([0, 3])), states)


@pytest.mark.parametrize("update", ["asynchronous", "synchronous"])
def test_a_state_cut_short_is_said_to_be_unsettled(update):
    rng = np.random.default_rng(0)
    weight, states = couplings(rng, 60, whole=False), spins(rng, 20, 60)
    settle = settle_asynchronously if update == "asynchronous" else settle_synchronously
    settled = settle(weight, states, max_iter=1)
    assert (settled.cycle_length == 0).all()
    expected = [direct_energy(weight, s) for s in settled.states]
    np.testing.assert_allclose(settled.energies[:, -1], expected, atol=1e-3)


@pytest.fixture(scope="module")
def memory() -> tuple[np.ndarray, np.ndarray]:
    """Ten patterns of 200 units, and probes of them with 15% of their bits flipped."""
    rng = np.random.default_rng(1)
    patterns = spins(rng, 10, 200)
    return patterns, np.where(rng.random(patterns.shape) < 0.15, -patterns, patterns)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("update", ["asynchronous", "synchronous"])
def test_patterns_come_back(memory, rule, update):
    patterns, probes = memory
    recall = HopfieldNetwork(rule, update=update, random_state=0).fit(patterns).recall(probes)
    np.testing.assert_array_equal(recall.states, patterns)
    np.testing.assert_array_equal(recall.overlaps.argmax(axis=1), np.arange(10))
    assert recall.overlaps.max(axis=1).tolist() == [1.0] * 10
    assert recall.converged.all()
    assert (recall.n_iter >= 2).all()  # one to come there, one to see that nothing changes


def test_overlap_is_the_mean_product_with_each_pattern(memory):
    patterns, probes = memory
    recall = HopfieldNetwork(random_state=0).fit(patterns[:3]).recall(probes)
    for state, overlaps in zip(recall.states, recall.overlaps, strict=True):
        assert overlaps == pytest.approx([(state * pattern).mean() for pattern in patterns[:3]])


@pytest.mark.parametrize("rule", RULES)
def test_energy_is_the_sum_over_pairs(memory, rule):
    patterns, probes = memory
    network = HopfieldNetwork(rule, random_state=0).fit(patterns)
    expected = [direct_energy(network.weight_, probe) for probe in probes[:2]]
    np.testing.assert_allclose(network.energy(probes[:2]), expected, rtol=1e-5)


def test_what_a_probe_recalls_does_not_depend_on_its_neighbours():
    rng = np.random.default_rng(2)
    with pytest.warns(GlassnetWarning, match="load"):
        network = HopfieldNetwork(random_state=0).fit(spins(rng, 40, 100))
    probes = spins(rng, 50, 100)
    together = network.predict(probes)
    apart = np.vstack([network.predict(probe[None]) for probe in probes])
    np.testing.assert_array_equal(together, apart)


def test_one_seed_gives_one_recall_and_leaves_numpy_s_generator_alone():
    rng = np.random.default_rng(3)
    patterns, probes = spins(rng, 13, 100), spins(rng, 30, 100)
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first, again, other = (HopfieldNetwork(random_state=seed).fit(patterns).predict(probes) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_a_network_without_seed_recalls_the_same_twice():
    rng = np.random.default_rng(4)
    network = HopfieldNetwork().fit(spins(rng, 13, 100))
    probes = spins(rng, 30, 100)
    np.testing.assert_array_equal(network.predict(probes), network.predict(probes))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"rule": "hebbian"}, "Unknown rule: 'hebbian'. Allowed: hebb, pseudo-inverse, storkey"),
        ({"update": "async"}, "Unknown update: 'async'. Allowed: asynchronous, synchronous"),
    ],
)
def test_unknown_names_are_answered_with_the_known_ones(parameters, message):
    with pytest.raises(UnknownNameError, match=message):
        HopfieldNetwork(**parameters).fit([[1, -1]])


@pytest.mark.parametrize("parameters", [{"max_iter": 0}, {"max_iter": 2.5}, {"binarize": "0"}, {"binarize": [0]}])
def test_parameters_out_of_bounds_are_refused(parameters):
    with pytest.raises(InvalidInputError, match=f"{next(iter(parameters))} must be"):
        HopfieldNetwork(**parameters).fit([[1, -1]])


def test_zeros_and_ones_are_converted_and_said_once():
    patterns = np.array([[0, 1, 1, 0, 1, 0, 0, 1]])
    network = HopfieldNetwork(random_state=0)
    with pytest.warns(GlassnetWarning, match=r"values lie in \[0, 1\]: those above 0 became \+1"):
        network.fit(patterns)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        recalled = network.predict(patterns)
    np.testing.assert_array_equal(recalled, 2 * patterns - 1)


def test_probes_alone_in_zeros_and_ones_are_converted_and_said():
    network = HopfieldNetwork(random_state=0).fit([[-1, 1, 1, -1, 1, -1, -1, 1]])
    with pytest.warns(GlassnetWarning, match="became"):
        recalled = network.predict([[0, 1, 1, 0, 1, 0, 0, 0]])
    np.testing.assert_array_equal(recalled, network.patterns_)


def test_strict_input_takes_two_values_and_no_more():
    strict = HopfieldNetwork(binarize=None)
    with pytest.warns(GlassnetWarning, match="became"):
        np.testing.assert_array_equal(strict.fit([[0, 1, 1, 0, 1, 0, 1, 0]]).patterns_, [[-1, 1, 1, -1, 1, -1, 1, -1]])
    with pytest.raises(InvalidInputError, match=r"must be -1 and \+1, or 0 and 1; got \[-1.  0.  1.\]"):
        strict.fit([[-1, 0, 1]])
    with pytest.raises(InvalidInputError, match="binarize=None"):
        strict.predict([[0.5] * 8])
    assert strict.patterns_.shape == (1, 8)  # as it was before the refused fit


def test_grey_values_are_cut_at_the_threshold():
    with pytest.warns(GlassnetWarning, match=r"\[0, 255\]: those above 127 became"):
        network = HopfieldNetwork(binarize=127).fit([[0, 128, 255, 127]])
    np.testing.assert_array_equal(network.patterns_, [[-1, 1, 1, -1]])


def test_plain_spins_say_nothing():
    patterns = spins(np.random.default_rng(0), 5, 100)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        HopfieldNetwork(random_state=0).fit(patterns).predict(patterns)


@pytest.mark.parametrize(
    ("rule", "n_patterns", "holds"), [("hebb", 14, 13), ("storkey", 33, 32), ("pseudo-inverse", 101, 100)]
)
def test_more_patterns_than_the_rule_holds_are_said_with_the_load(rule, n_patterns, holds):
    patterns = spins(np.random.default_rng(0), n_patterns, 100)
    with pytest.warns(
        GlassnetWarning, match=f"{n_patterns} patterns in 100 units are a load of {n_patterns / 100:.3f}"
    ):
        network = HopfieldNetwork(rule).fit(patterns)
    assert network.load_ == n_patterns / 100
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        HopfieldNetwork(rule).fit(patterns[:holds])


def test_a_probe_of_another_length_is_refused():
    network = HopfieldNetwork().fit(spins(np.random.default_rng(0), 1, 10))
    for method in (network.predict, network.recall, network.energy):
        with pytest.raises(ValueError, match="X has 9 features, but HopfieldNetwork is expecting 10"):
            method(np.ones((1, 9)))


def test_recall_before_fit_is_refused():
    with pytest.raises(NotFittedError):
        HopfieldNetwork().recall([[1, -1]])


def test_probes_that_had_no_time_to_settle_are_said():
    rng = np.random.default_rng(0)
    network = HopfieldNetwork(max_iter=1, random_state=0).fit(spins(rng, 13, 100))
    with pytest.warns(ConvergenceWarning, match="of 30 probes had not settled after max_iter=1"):
        recall = network.recall(spins(rng, 30, 100))
    assert not recall.converged.all()


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 30), st.integers(1, 12), st.sampled_from(sorted(RULES)), st.integers(0, 100))
def test_stored_patterns_and_their_mirror_images_have_equal_energy(n_units, n_patterns, rule, seed):
    patterns = spins(np.random.default_rng(seed), n_patterns, n_units)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GlassnetWarning)
        network = HopfieldNetwork(rule).fit(patterns)
    np.testing.assert_allclose(network.energy(patterns), network.energy(-patterns), atol=1e-6)
