"""Contrastive divergence against the gradient of the exact log-likelihood."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from glassnet.errors import InvalidInputError, UnknownNameError
from glassnet.learning.activations import sigmoid
from glassnet.learning.contrastive_divergence import (
    ContrastiveDivergenceEngine,
    DivergenceRule,
    Noise,
    initial_arrays,
    split,
)
from glassnet.learning.partition import Machine, exact_log_partition, free_energy, states
from glassnet.training.loop import advance
from glassnet.training.state import TrainingState

H, V = 3, 4
RNG = np.random.default_rng(0)
PARAMETERS = RNG.normal(0, 1.2, H * V + H + V)


def log_likelihood(parameters: np.ndarray, X: np.ndarray, gaussian: bool) -> float:
    machine = Machine(*split(parameters, H, V), gaussian)
    return -free_energy(machine, X).mean() - exact_log_partition(machine)


def exact_gradient(X: np.ndarray, gaussian: bool, at: np.ndarray = PARAMETERS) -> np.ndarray:
    gradient = np.empty_like(at)
    for i, step in enumerate(1e-5 * np.eye(len(at))):
        difference = log_likelihood(at + step, X, gaussian) - log_likelihood(at - step, X, gaussian)
        gradient[i] = difference / 2e-5
    return gradient


def state_of(rule: DivergenceRule, X: np.ndarray, n_chains: int | None = None) -> TrainingState:
    arrays = initial_arrays(H, V, n_chains or len(X), rule, np.random.default_rng(0), "float64")
    arrays["parameters"][...] = PARAMETERS
    return TrainingState(arrays, ContrastiveDivergenceEngine(rule, H, X), 0, len(X), len(X))


def data(visible: str, n: int) -> np.ndarray:
    return RNG.normal(0.5, 1, (n, V)) if visible == "gaussian" else (RNG.random((n, V)) < 0.7).astype(float)


@pytest.mark.parametrize("visible", ["binary", "gaussian"])
def test_many_gibbs_steps_give_the_gradient_of_the_likelihood(visible):
    X, rate = data(visible, 40_000), 1e-3
    state = state_of(DivergenceRule(visible, n_gibbs_steps=20, learning_rate=rate), X)
    advance(state, 1)
    estimate = (state.arrays["parameters"] - PARAMETERS) / rate
    np.testing.assert_allclose(estimate, exact_gradient(X, visible == "gaussian"), atol=0.03)


def test_without_noise_gaussian_units_are_the_means_that_every_hidden_state_gives():
    X, rate, parameters = data("gaussian", 20_000), 1e-3, 3 * PARAMETERS
    weight, c, b = split(parameters, H, V)
    hidden, on = states(H), sigmoid(X @ weight.T + c)
    p = np.prod(np.where(hidden[None] == 1, on[:, None], 1 - on[:, None]), axis=2)  # (n, h): P(h | v)
    mean = hidden @ weight + b  # (h, V)
    again = sigmoid(mean @ weight.T + c)
    expected = (on.T @ X - again.T @ (p.sum(0)[:, None] * mean)) / len(X)
    state = state_of(DivergenceRule("gaussian", learning_rate=rate, noise_free=True), X)
    state.arrays["parameters"][...] = parameters
    advance(state, 1)
    change = split(state.arrays["parameters"] - parameters, H, V)
    np.testing.assert_allclose(change[0] / rate, expected, atol=0.05)
    np.testing.assert_allclose(change[2] / rate, X.mean(0) - p.mean(0) @ mean, atol=0.05)


def test_persistent_chains_come_to_give_it_with_one_gibbs_step():
    X, rate = data("binary", 10_000), 1e-9  # so small that the weights stay where they are
    state = state_of(DivergenceRule(persistent=True, learning_rate=rate), X, n_chains=40_000)
    advance(state, 30)
    before = state.arrays["parameters"].copy()
    advance(state, 1)
    estimate = (state.arrays["parameters"] - before) / rate
    np.testing.assert_allclose(estimate, exact_gradient(X, False), atol=0.03)


def test_one_gibbs_step_gives_its_mean_over_all_ways():
    """CD-1 by enumeration: every hidden state that follows from v, every dream that follows from that."""
    X, rate, parameters = data("binary", 40_000), 1e-3, 3 * PARAMETERS
    weight, c, b = split(parameters, H, V)
    hidden, visible = states(H), states(V)
    on = sigmoid(visible @ weight.T + c)  # P(h_j = 1 | v)
    p_hidden = np.prod(np.where(hidden[None] == 1, on[:, None], 1 - on[:, None]), axis=2)  # (v, h)
    seen = sigmoid(hidden @ weight + b)
    p_dream = np.prod(np.where(visible[None] == 1, seen[:, None], 1 - seen[:, None]), axis=2)  # (h, v')
    statistic = np.hstack([(on[:, :, None] * visible[:, None]).reshape(len(visible), -1), on, visible])
    share = np.bincount((X @ 2 ** np.arange(V)).astype(int), minlength=2**V) / len(X)
    expected = share @ statistic - share @ p_hidden @ p_dream @ statistic
    state = state_of(DivergenceRule(learning_rate=rate), X)
    state.arrays["parameters"][...] = parameters
    advance(state, 1)
    np.testing.assert_allclose((state.arrays["parameters"] - parameters) / rate, expected, atol=0.015)
    assert np.abs(expected - exact_gradient(X, False, parameters)).max() > 0.05  # it is not the likelihood's


@pytest.mark.parametrize("persistent", [False, True])
def test_bfloat16_is_the_same_rule_with_rounded_factors(persistent):
    X = np.float32(data("binary", 4000))
    rule = DivergenceRule(learning_rate=0.1, momentum=0.5, persistent=persistent)
    found = []
    for bfloat16 in (False, True):
        arrays = initial_arrays(H, V, len(X), rule, np.random.default_rng(0), "float32")
        state = TrainingState(arrays, ContrastiveDivergenceEngine(rule, H, X, bfloat16), 0, len(X), len(X))
        advance(state, 20)
        found.append(state.arrays["parameters"])
    np.testing.assert_allclose(*found, atol=0.02)
    assert (found[0] != found[1]).any()
    assert np.abs(found[0]).max() > 0.3


def test_a_label_is_a_softmax_group_and_the_other_units_are_as_ever():
    rule, weight = DivergenceRule(n_labels=2), torch.from_numpy(RNG.normal(size=(H, V)))
    hidden_bias, visible_bias = torch.from_numpy(RNG.normal(size=H)), torch.from_numpy(RNG.normal(size=V))
    hidden = torch.from_numpy((RNG.random((5, H)) < 0.5).astype(float))
    engine = ContrastiveDivergenceEngine(rule, H, data("binary", 5))
    mean = engine.visible_mean(hidden, (weight, hidden_bias, visible_bias), out=torch.empty(5, V, dtype=torch.float64))
    field = hidden @ weight + visible_bias
    torch.testing.assert_close(mean[:, :2], torch.sigmoid(field[:, :2]))
    torch.testing.assert_close(mean[:, 2:], torch.softmax(field[:, 2:], 1))


def test_momentum_and_weight_decay_by_hand():
    X = data("binary", 50)
    rule = DivergenceRule(learning_rate=0.1, momentum=0.5, weight_decay=0.02)
    state, plain = state_of(rule, X), state_of(DivergenceRule(learning_rate=0.1), X)
    advance(plain, 1)
    decay = np.zeros_like(PARAMETERS)
    decay[: H * V] = 0.1 * 0.02 * PARAMETERS[: H * V]
    velocity = plain.arrays["parameters"] - PARAMETERS - decay
    advance(state, 1)
    np.testing.assert_allclose(state.arrays["velocity"], velocity, atol=1e-12)
    gradient = state_of(DivergenceRule(learning_rate=0.1), X)
    gradient.arrays["parameters"][...] = before = state.arrays["parameters"].copy()
    gradient.step = 1
    advance(gradient, 1)
    decay[: H * V] = 0.1 * 0.02 * before[: H * V]
    advance(state, 1)
    expected = 0.5 * velocity + gradient.arrays["parameters"] - before - decay
    np.testing.assert_allclose(state.arrays["velocity"], expected, atol=1e-12)
    np.testing.assert_allclose(state.arrays["parameters"], before + expected, atol=1e-12)


@pytest.mark.parametrize("target", [0.05, 0.5])
def test_hidden_units_are_drawn_to_the_sparsity_target(target):
    X = data("binary", 500)
    rule = DivergenceRule(learning_rate=0.1, sparsity_target=target, sparsity_cost=5.0)
    state = state_of(rule, X)
    advance(state, 500)
    weight, hidden_bias, _ = split(state.arrays["parameters"], H, V)
    mean = (1 / (1 + np.exp(-X @ weight.T - hidden_bias))).mean(0)
    np.testing.assert_allclose(mean, target, atol=0.03)
    np.testing.assert_allclose(state.arrays["mean_activation"], mean, atol=0.03)


def test_noise_is_uniform_and_named_by_its_step():
    noise = Noise(7, 3).uniform_(torch.empty(1001, 99, dtype=torch.float64)).numpy()
    assert noise.min() > 0
    assert noise.max() < 1
    counts = np.histogram(noise, bins=64, range=(0, 1))[0]
    assert ((counts - counts.mean()) ** 2 / counts.mean()).sum() < 120  # chi-squared, 63 degrees of freedom
    again = Noise(7, 3).uniform_(torch.empty(1001, 99, dtype=torch.float64)).numpy()
    np.testing.assert_array_equal(noise, again)
    assert (noise != Noise(7, 4).uniform_(torch.empty(1001, 99, dtype=torch.float64)).numpy()).mean() > 0.99


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"learning_rate": 0}, "learning_rate_init must be above 0, got 0"),
        ({"momentum": 1.0}, r"momentum must be in \[0, 1\), got 1.0"),
        ({"weight_decay": -1}, "weight_decay must be at least 0, got -1"),
        ({"sparsity_target": 1.0}, r"sparsity_target must be in \(0, 1\) or None, got 1.0"),
    ],
)
def test_a_value_out_of_range_is_named(options, message):
    with pytest.raises(InvalidInputError, match=message):
        DivergenceRule(**options)


def test_an_unknown_unit_is_answered_with_the_known_ones():
    with pytest.raises(UnknownNameError, match="Did you mean 'gaussian'"):
        DivergenceRule("gausian")
