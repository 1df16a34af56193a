"""Traces of multilayer perceptrons against their own predictions and formulas."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.neural_network import MLPClassifier as SklearnClassifier
from sklearn.neural_network import MLPRegressor as SklearnRegressor

from glassnet.errors import InvalidInputError, UnknownNameError
from glassnet.inspect.trace import trace
from glassnet.networks.mlp import Layer, MLPClassifier


@pytest.mark.filterwarnings("ignore:lbfgs failed to converge")
@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
def test_perceptrons_of_scikit_learn(classes, activation):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30, 4)), np.arange(30) % classes
    net = SklearnClassifier((5, 3), activation=activation, max_iter=3, random_state=0, solver="lbfgs").fit(X, y)
    seen = trace(net, X)
    assert [c.address for c in seen.calls] == ["hidden1", "hidden2", "output"]
    probabilities = net.predict_proba(X)
    output = seen["output"].numpy()
    np.testing.assert_allclose(output, probabilities if classes > 2 else probabilities[:, 1:])
    z = X @ net.coefs_[0] + net.intercepts_[0]
    np.testing.assert_allclose(seen["hidden1", 0, "pre_activation"].numpy(), z)
    assert seen["hidden1", 0, "weight"].dims == ("input", "output")
    assert next(iter(trace(net, X, layers="hidden2"))) == ("hidden2", 0, "input")


@pytest.mark.filterwarnings("ignore:lbfgs failed to converge")
def test_regression_and_refusals_of_estimators():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30, 4)), rng.normal(size=30)
    net = SklearnRegressor(hidden_layer_sizes=(5,), max_iter=3, random_state=0, solver="lbfgs")
    with pytest.raises(NotFittedError):
        trace(net, X)
    net.fit(X, y)
    np.testing.assert_allclose(trace(net, X)["output"].numpy()[:, 0], net.predict(X))
    with pytest.raises(UnknownNameError, match="Did you mean 'hidden1'"):
        trace(net, X, layers="hidden")
    with pytest.raises(InvalidInputError, match="would take"):
        trace(net, X, max_bytes=100)
    with pytest.raises(ValueError, match="features"):
        trace(net, X[:, :2])


def test_own_perceptrons():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30, 4)).astype(np.float32), np.arange(30) % 3
    net = MLPClassifier((5, 3), activation="tanh", max_iter=2, tol=None, random_state=0).fit(X, y)
    seen = trace(net, X)
    np.testing.assert_allclose(seen["output"].numpy(), net.predict_proba(X), rtol=1e-6)
    np.testing.assert_allclose(
        np.tanh(seen["hidden2", 0, "pre_activation"].numpy()), seen["hidden2"].numpy(), atol=1e-6
    )
    weight = seen["hidden1", 0, "weight"].numpy().copy()
    net.coefs_[0][:] = 0
    np.testing.assert_array_equal(seen["hidden1", 0, "weight"].numpy(), weight)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("activation", ["logistic", "tanh", "relu"])
def test_gradients_of_dense_estimators_are_differences(classes, activation):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(12, 4)), np.arange(12) % classes
    net = SklearnClassifier((5, 3), activation=activation, max_iter=3, random_state=0, solver="lbfgs")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        net.fit(X, y)
    seen = trace(net, X, gradients=lambda p: (p**2).sum())
    for name, i in (("hidden1", 0), ("output", 2)):
        weight, got = net.coefs_[i], seen[name, 0, "weight.gradient"].numpy()
        for place in ((0, 0), (2, 0)):
            values = []
            for step in (1e-6, -1e-6):
                weight[place] += step
                values.append((trace(net, X)["output"].numpy() ** 2).sum())
                weight[place] -= step
            assert got[place] == pytest.approx((values[0] - values[1]) / 2e-6, abs=1e-6)
    z = seen["hidden1", 0, "pre_activation.gradient"].numpy()
    np.testing.assert_allclose(X.T @ z, seen["hidden1", 0, "weight.gradient"].numpy())
    np.testing.assert_allclose(z.sum(0), seen["hidden1", 0, "bias.gradient"].numpy())
    assert seen["hidden1", 0, "weight.gradient"].dims == ("input", "output")


def test_gradients_of_own_perceptrons_take_their_activations():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(12, 4)).astype(np.float32), np.arange(12) % 2
    net = MLPClassifier((5,), activation="sigmoid", max_iter=2, tol=None, random_state=0).fit(X, y)
    seen = trace(net, X, gradients=True)
    p = seen["output"].numpy()
    np.testing.assert_allclose(seen["output", 0, "pre_activation.gradient"].numpy(), p * (1 - p), rtol=1e-5)
    net = MLPClassifier((Layer(5, "relu", norm="batch"),), max_iter=2, tol=None, random_state=0).fit(X, y)
    with pytest.raises(InvalidInputError, match="parts besides"):
        trace(net, X, gradients=True)
