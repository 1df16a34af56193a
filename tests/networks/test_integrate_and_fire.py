"""Integrate and fire: against a scalar loop, its closed form, and the neuron it becomes in one step."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glassnet.errors import InvalidInputError
from glassnet.networks.integrate_and_fire import IntegrateAndFireNetwork, IntegrateAndFireNeuron
from glassnet.networks.mcculloch_pitts import McCullochPittsNeuron
from glassnet.networks.truth_tables import all_inputs


def by_hand(currents, weights, threshold, leak, refractory):
    """Run the equations of the file's head neuron by neuron in plain Python."""
    n = len(weights)
    v, rest, before, spikes = [0.0] * n, [0] * n, [0] * n, []
    for row in currents:
        now = [0] * n
        for j in range(n):
            arriving = sum(weights[i][j] * before[i] for i in range(n))
            v[j] = 0.0 if rest[j] else (1 - leak) * v[j] + row[j] + arriving
            rest[j] = max(rest[j] - 1, 0)
            if v[j] >= threshold:
                now[j], v[j], rest[j] = 1, 0.0, refractory
        before = now
        spikes.append(now)
    return spikes


@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.integers(0, 3))
@settings(deadline=None)
def test_network_against_a_plain_loop(seed, leak, refractory):
    rng = np.random.default_rng(seed)
    currents, weights = rng.integers(-2, 5, (30, 4)) / 8, rng.integers(-4, 5, (4, 4)) / 8  # exact in binary
    neuron = IntegrateAndFireNeuron(1.0, leak, refractory)
    record = IntegrateAndFireNetwork(weights, neuron).simulate(currents)
    assert record.spikes.astype(int).tolist() == by_hand(currents, weights, 1.0, leak, refractory)
    assert ((record.potentials >= 1.0) == record.spikes).all()


@given(st.lists(st.integers(-4, 4), min_size=1, max_size=4), st.integers(1, 5))
@settings(deadline=None)
def test_full_leak_is_the_mcculloch_pitts_neuron(weights, threshold):
    rows = np.random.default_rng(0).permutation(all_inputs(len(weights)))
    spikes = IntegrateAndFireNeuron(threshold, leak=1.0).simulate(rows @ np.array(weights)).spikes[:, 0]
    assert (spikes == McCullochPittsNeuron(weights, threshold)(rows)).all()


@given(st.lists(st.integers(-4, 4), min_size=1, max_size=4), st.integers(1, 5), st.floats(0, 1))
@settings(deadline=None)
def test_one_step_from_rest_is_the_mcculloch_pitts_neuron(weights, threshold, leak):
    rows = all_inputs(len(weights))
    neuron = IntegrateAndFireNeuron(threshold, leak)
    first = [neuron.simulate([current]).spikes[0, 0] for current in rows @ np.array(weights, float)]
    assert (np.array(first) == McCullochPittsNeuron(weights, threshold)(rows)).all()


@given(st.integers(1, 64), st.integers(0, 3))
@settings(deadline=None)
def test_rate_without_leak_is_exact(current, refractory):
    neuron = IntegrateAndFireNeuron(threshold=1.0, refractory=refractory)
    steps = math.ceil(32 / current)  # a current of current / 32 is exact in binary
    assert float(neuron.firing_rate(current / 32)) == 1 / (steps + refractory)
    spikes = neuron.simulate(current / 32, 200).spikes[:, 0].nonzero()[0]
    assert spikes[0] == steps - 1
    assert (np.diff(spikes) == steps + refractory).all()


@pytest.mark.parametrize("leak", [0.0, 0.01, 0.1, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("refractory", [0, 2])
def test_measured_rate_is_the_closed_form_to_one_spike(leak, refractory):
    neuron = IntegrateAndFireNeuron(2.0, leak, refractory)
    currents = np.linspace(-1.003, 6.007, 97)
    assert np.abs(neuron.measured_rate(currents, 2000) - neuron.firing_rate(currents)).max() <= 1 / 2000 + 1e-12


def test_perfect_integrator_is_nearly_relu_and_a_leak_moves_its_foot():
    currents = np.linspace(-0.1, 0.1, 201)
    relu = np.maximum(currents, 0)
    assert np.abs(IntegrateAndFireNeuron().firing_rate(currents) - relu).max() < 0.1**2
    assert (IntegrateAndFireNeuron(leak=0.05).firing_rate(currents[currents < 0.05 - 1e-9]) == 0).all()
    assert (IntegrateAndFireNeuron(leak=0.05).firing_rate(currents[currents > 0.05 + 1e-9]) > 0).all()


def test_rate_rises_with_the_current_and_saturates_as_a_sigmoid_does():
    for leak in (0.0, 0.3, 1.0):
        rate = IntegrateAndFireNeuron(leak=leak, refractory=1).firing_rate(np.linspace(-2, 5, 500))
        assert (np.diff(rate) >= 0).all()
        assert (rate[0], rate[-1]) == (0, 0.5)


def test_inhibition_silences_a_neighbour():
    currents = np.full((40, 2), 0.25)
    free = IntegrateAndFireNetwork(np.zeros((2, 2))).simulate(currents).spikes.sum(axis=0)
    inhibited = IntegrateAndFireNetwork([[0, -1], [0, 0]]).simulate(currents).spikes.sum(axis=0)
    assert free.tolist() == [10, 10]
    assert inhibited.tolist() == [10, 1]


def test_constant_inputs_and_steps():
    network = IntegrateAndFireNetwork(np.zeros((2, 2)))
    assert network.simulate([0.5, 1.0], 4).spikes.astype(int).tolist() == [[0, 1], [1, 1], [0, 1], [1, 1]]
    assert network.simulate(np.ones((5, 2)), 3).potentials.shape == (3, 2)
    assert network.simulate([1, 1], 0).spikes.shape == (0, 2)


@pytest.mark.parametrize(
    "parameters", [{"threshold": 0}, {"threshold": np.nan}, {"leak": -0.1}, {"leak": 1.1}, {"refractory": 1.5}]
)
def test_parameters_out_of_range(parameters):
    (name,) = parameters
    with pytest.raises(InvalidInputError, match=f"{name} must .*got {parameters[name]}"):
        IntegrateAndFireNeuron(**parameters)


@pytest.mark.parametrize(
    ("inputs", "n_steps", "words"),
    [
        ([1, 1, 1], 5, r"\(2,\) or \(steps, 2\); got \(3,\)"),
        ([1, np.nan], 5, "finite"),
        ([1, 1], None, "needs n_steps >= 0, got None"),
        ([1, 1], -1, "got -1"),
        (np.ones((3, 2)), 4, r"\[0, 3\].*got 4"),
        (1.0, 4, r"got \(\)"),
    ],
)
def test_inputs_that_do_not_fit(inputs, n_steps, words):
    with pytest.raises(InvalidInputError, match=words):
        IntegrateAndFireNetwork(np.zeros((2, 2))).simulate(inputs, n_steps)


@pytest.mark.parametrize("weights", [np.ones((2, 3)), np.ones(2), [[np.inf]]])
def test_weights_must_be_a_square_matrix(weights):
    with pytest.raises(InvalidInputError, match="finite square matrix"):
        IntegrateAndFireNetwork(weights)
