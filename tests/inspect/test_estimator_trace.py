"""Traces of multilayer perceptrons against their own predictions and formulas."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.neural_network import MLPClassifier as SklearnClassifier
from sklearn.neural_network import MLPRegressor as SklearnRegressor

from glassnet.errors import InvalidInputError, UnknownNameError
from glassnet.inspect.trace import trace
from glassnet.networks.mlp import MLPClassifier


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
    with pytest.raises(InvalidInputError, match="Gradients"):
        trace(net, X, gradients=True)
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
