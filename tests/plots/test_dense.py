from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neural_network import BernoulliRBM, MLPClassifier, MLPRegressor
from sklearn.tree import DecisionTreeClassifier

import glassnet
from glassnet.errors import InvalidInputError
from glassnet.plots.dense import dense_layers, layer_activations, pre_activations

X = np.random.default_rng(0).normal(size=(30, 3))
THREE = np.arange(30) % 3
SIGMOID = {"sigmoid": lambda z: 1 / (1 + np.exp(-z)), "tanh": np.tanh, "relu": lambda z: np.maximum(z, 0)}


@pytest.mark.parametrize(("ours", "theirs"), [("sigmoid", "logistic"), ("tanh", "tanh"), ("relu", "relu")])
@pytest.mark.parametrize("y", [THREE, THREE > 0])
def test_layers_of_scikit_learn_follow_its_weights_and_end_in_its_probabilities(ours, theirs, y):
    net = MLPClassifier((4, 5), activation=theirs, max_iter=5000, tol=1e-2, random_state=0).fit(X, y)
    h = layer_activations(net, X)
    z = pre_activations(net, X)
    assert [a.shape for a in h] == [(30, 4), (30, 5), (30, net.n_outputs_)]
    assert np.allclose(z[0], X @ net.coefs_[0] + net.intercepts_[0])
    assert np.allclose(h[1], SIGMOID[ours](h[0] @ net.coefs_[1] + net.intercepts_[1]))
    assert np.allclose(h[-1], net.predict_proba(X)[:, -net.n_outputs_ :])
    assert np.allclose(z[2], h[1] @ net.coefs_[2] + net.intercepts_[2])


def test_a_regressor_ends_in_its_prediction():
    net = MLPRegressor(hidden_layer_sizes=(4,), max_iter=5000, tol=1e-2, random_state=0).fit(X, X[:, 0])
    assert np.allclose(layer_activations(net, X)[-1][:, 0], net.predict(X))


def test_our_own_networks_are_understood():
    net = glassnet.MLPClassifier((4,), "tanh", random_state=0, max_iter=3, tol=None).fit(X, THREE)
    z, h = pre_activations(net, X), layer_activations(net, X)
    assert np.allclose(np.tanh(z[0]), h[0], atol=1e-6)
    e = np.exp(z[1] - z[1].max(axis=1, keepdims=True))
    assert np.allclose(e / e.sum(axis=1, keepdims=True), net.predict_proba(X), atol=1e-6)


def test_linear_models_and_machines_are_one_layer():
    many = LogisticRegression().fit(X, THREE)
    [(weight, bias)] = dense_layers(many)
    assert np.allclose(X @ weight + bias, many.decision_function(X))
    one = LinearRegression().fit(X, X[:, 0])
    [(weight, bias)] = dense_layers(one)
    assert np.allclose((X @ weight + bias)[:, 0], one.predict(X))
    machine = BernoulliRBM(4, n_iter=1, random_state=0).fit(X > 0)
    [(weight, bias)] = dense_layers(machine)
    assert np.allclose(SIGMOID["sigmoid"]((X > 0) @ weight + bias), machine.transform(X > 0))


def test_what_has_no_layers_is_refused():
    with pytest.raises(InvalidInputError, match="DecisionTreeClassifier has no weights"):
        dense_layers(DecisionTreeClassifier().fit(X, THREE))
    with pytest.raises(InvalidInputError, match="Is it fitted"):
        dense_layers(MLPClassifier())
    with pytest.raises(InvalidInputError, match="cannot be looked into"):
        layer_activations(LogisticRegression().fit(X, THREE), X)
