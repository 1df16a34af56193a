"""Losses and activations against torch, SciPy, finite differences and their identities."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import entropy as scipy_entropy

from glassnet import MLPRegressor
from glassnet.errors import InvalidInputError, UnknownNameError
from glassnet.learning import activations as a
from glassnet.learning import losses

LOGITS = arrays(np.float64, (4, 5), elements=st.floats(-300, 300))


@given(LOGITS)
def test_cross_entropy_equals_torchs_and_stays_finite(z):
    target = np.eye(5)[[0, 4, 2, 1]]
    expected = torch.nn.functional.cross_entropy(torch.tensor(z), torch.tensor(target), reduction="none")
    np.testing.assert_allclose(losses.cross_entropy(z, target), expected, rtol=1e-9, atol=1e-9)


@given(LOGITS)
def test_binary_cross_entropy_equals_torchs_and_stays_finite(z):
    target = (z > 1).astype(float)
    expected = torch.nn.functional.binary_cross_entropy_with_logits(
        torch.tensor(z), torch.tensor(target), reduction="none"
    )
    np.testing.assert_allclose(losses.binary_cross_entropy(z, target), expected.sum(1), rtol=1e-9, atol=1e-12)


@given(LOGITS)
def test_cross_entropy_is_entropy_plus_kl_and_its_gradient_is_p_minus_y(z):
    z = z / 30
    y, p = a.softmax(z[::-1]), a.softmax(z)
    np.testing.assert_allclose(losses.cross_entropy(z, y), losses.entropy(y) + losses.kl_divergence(y, p), atol=1e-9)
    np.testing.assert_allclose(losses.kl_divergence(y, p), scipy_entropy(y, p, axis=1), atol=1e-12)
    logits = torch.tensor(z, requires_grad=True)
    torch.nn.functional.cross_entropy(logits, torch.tensor(y), reduction="sum").backward()
    np.testing.assert_allclose(p - y, logits.grad, atol=1e-12)


def test_kl_is_not_symmetric_and_infinite_where_the_model_excludes_what_happens():
    p, q = np.array([0.5, 0.5]), np.array([0.9, 0.1])
    assert losses.kl_divergence(p, q) != pytest.approx(losses.kl_divergence(q, p))
    assert losses.kl_divergence(p, np.array([1.0, 0.0])) == np.inf
    assert losses.kl_divergence(p, p) == 0


@pytest.mark.parametrize("name", [*a.ACTIVATIONS, "prelu"])
def test_derivative_is_the_slope_of_the_value(name):
    activation, z = a.get_activation(name), np.linspace(-4, 4, 81) + 0.013
    slope = (activation.value(z + 1e-6) - activation.value(z - 1e-6)) / 2e-6
    np.testing.assert_allclose(activation.derivative(z), slope, atol=1e-8)
    assert activation.range[0] <= activation.value(z).min()
    assert activation.value(z).max() <= activation.range[1]


@pytest.mark.parametrize("name", ["sigmoid", "tanh"])
def test_saturation_begins_where_the_derivative_is_a_twentieth(name):
    activation = a.get_activation(name)
    np.testing.assert_allclose(activation.derivative(np.array(activation.saturates)), 0.05, rtol=1e-9)


def test_a_unit_of_a_softmax_saturates_as_a_sigmoid_of_its_lead():
    sheet, others = a.get_activation("softmax"), np.array([0.3, -1.0])
    for lead in sheet.saturates:
        z = np.array([lead + np.log(np.exp(others).sum()), *others])
        assert sheet.derivative(z)[0, 0] == pytest.approx(0.05)
    assert sheet.value(z).sum() == pytest.approx(1)


@given(st.floats(-20, 20))
def test_tanh_is_a_stretched_sigmoid(z):
    assert a.tanh(z) == pytest.approx(2 * a.sigmoid(np.array(2 * z)) - 1, abs=1e-12)
    assert a.tanh_derivative(z) == pytest.approx(1 - np.tanh(z) ** 2)


def test_conventions_at_zero_and_the_sign_of_the_leak():
    zero = np.array([0.0])
    assert a.step(zero) == 1
    assert a.relu_derivative(zero) == 0
    assert a.leaky_relu(np.array([-1.0])) == -0.02
    assert a.prelu(np.array([-2.0]), 0.25) == -0.5


def test_softmax_jacobian_equals_autograd():
    z = np.array([0.3, -1.0, 2.0])
    expected = torch.autograd.functional.jacobian(lambda t: torch.softmax(t, 0), torch.tensor(z))
    np.testing.assert_allclose(a.softmax_jacobian(z), expected, atol=1e-12)


def test_unknown_and_untrainable_activations_are_refused():
    with pytest.raises(UnknownNameError, match=r"'rleu'.*Did you mean 'relu'"):
        a.get_activation("rleu")
    with pytest.raises(InvalidInputError, match="Perceptron"):
        a.get_trainable_activation("step")


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu", "leaky_relu", "identity"])
@pytest.mark.parametrize("engine", ["kernel", "formula"])
def test_one_layer_net_with_any_output_activation_learns_its_own_kind(activation, engine):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    y = a.get_activation(activation).value(X @ [1.0, -0.5, 0.25] + 0.3)
    net = MLPRegressor((), output_activation=activation, solver="adam", learning_rate_init=0.05, alpha=0,
                       max_iter=800, tol=None, random_state=0, engine=engine)  # fmt: skip
    assert net.fit(X, y).score(X, y) > 0.99
