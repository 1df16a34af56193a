"""The multilayer perceptron as its users meet it."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix
from sklearn.datasets import load_digits, make_moons
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from glassnet import Layer, MLPClassifier, MLPRegressor, advance
from glassnet.errors import GlassnetWarning, InvalidInputError, UnknownNameError

X, Y = make_moons(200, noise=0.15, random_state=0)
FAST = {"max_iter": 30, "tol": None, "random_state": 0}


def test_digits_in_a_pipeline():
    X, y = load_digits(return_X_y=True)
    net = make_pipeline(StandardScaler(), MLPClassifier((100,), max_iter=60, tol=None, random_state=0))
    assert cross_val_score(net, X, y, cv=3).mean() > 0.92
    assert net.fit(X[:1500], y[:1500]).score(X[:1500], y[:1500]) > 0.99


def test_fit_equals_initialize_and_advance():
    fitted = MLPClassifier((6,), **FAST).fit(X, Y)
    stepped = MLPClassifier((6,), **FAST)
    advance(stepped.initialize(X, Y), 30)
    np.testing.assert_array_equal(fitted.predict_proba(X), stepped.predict_proba(X))


def test_all_samples_at_once_are_a_batch_of_n_to_the_bit():
    nets = [MLPClassifier((6,), batch_size=size, **FAST).fit(X, Y) for size in ("all", len(X))]
    np.testing.assert_array_equal(*(net.predict_proba(X) for net in nets))
    assert nets[0].state_.steps_per_epoch == 1


def test_the_lectures_penalty_is_twice_its_lambda_as_alpha():
    """The lecture descends on sum of losses + lambda ||W||^2, biases apart: autograd on that, written down."""
    net = MLPRegressor((), solver="sgd", momentum=0, reduction="sum", alpha=2 * 0.3, batch_size="all",
                       learning_rate_init=1e-3, precision="float64", engine="formula", random_state=0)  # fmt: skip
    state = net.initialize(X, Y)
    weight, bias = (torch.tensor(a, requires_grad=True) for a in (net.coefs_[0].copy(), net.intercepts_[0].copy()))
    advance(state, 1)
    z = torch.tensor(X) @ weight + bias
    (0.5 * (z[:, 0] - torch.tensor(Y)).square().sum() + 0.3 * weight.square().sum()).backward()
    np.testing.assert_allclose(net.coefs_[0], (weight - 1e-3 * weight.grad).detach(), rtol=1e-10)
    np.testing.assert_allclose(net.intercepts_[0], (bias - 1e-3 * bias.grad).detach(), rtol=1e-10, atol=1e-12)


def test_activations_are_the_layers_of_the_prediction():
    net = MLPClassifier((6, Layer(4, "relu")), "tanh", **FAST).fit(X, Y)
    first, second, output = net.activations(X)
    x = X.astype(np.float32)
    np.testing.assert_allclose(first, np.tanh(x @ net.coefs_[0] + net.intercepts_[0]), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(second, np.maximum(first @ net.coefs_[1] + net.intercepts_[1], 0), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(output[:, 0], net.predict_proba(X)[:, 1], rtol=1e-5)


def test_early_stopping_keeps_the_best_weights():
    net = MLPClassifier((20,), early_stopping=True, n_iter_no_change=5, max_iter=500, learning_rate_init=0.05,
                        random_state=0).fit(X, Y)  # fmt: skip
    curve = net.validation_loss_curve_
    assert len(curve) == len(net.loss_curve_) == net.n_iter_ < 500
    assert net.state_.epoch == int(np.argmin(curve)) + 1


def test_warm_start_goes_on_and_partial_fit_is_one_epoch():
    once = MLPClassifier((6,), **{**FAST, "max_iter": 20}).fit(X, Y)
    twice = MLPClassifier((6,), **{**FAST, "max_iter": 10}, warm_start=True).fit(X, Y).fit(X, Y)
    np.testing.assert_array_equal(once.predict_proba(X), twice.predict_proba(X))
    piecewise = MLPClassifier((6,), **FAST)
    for _ in range(20):
        piecewise.partial_fit(X, Y)
    np.testing.assert_array_equal(once.predict_proba(X), piecewise.predict_proba(X))
    assert piecewise.n_iter_ == 20


def test_labels_of_any_kind_sparse_input_and_class_weight():
    names = np.array(["no", "yes"])[Y]
    net = MLPClassifier((6,), **FAST).fit(csr_matrix(X), names)
    np.testing.assert_array_equal(net.predict(X), net.predict(csr_matrix(X)))
    assert set(net.classes_) == {"no", "yes"}
    heavy = MLPClassifier((6,), class_weight={"yes": 50.0, "no": 1.0}, **FAST).fit(X, names)
    assert (heavy.predict(X) == "yes").mean() > (net.predict(X) == "yes").mean()


def test_a_pickled_network_predicts_and_can_be_fitted_on():
    net = MLPClassifier((6,), **FAST).fit(X, Y)
    data = pickle.dumps(net)
    assert len(data) < 20_000  # the training data stay behind
    copy = pickle.loads(data)
    np.testing.assert_array_equal(copy.predict_proba(X), net.predict_proba(X))
    with pytest.raises(InvalidInputError, match="without its data"):
        advance(copy.state_, 1)
    np.testing.assert_array_equal(copy.partial_fit(X, Y).predict_proba(X), net.partial_fit(X, Y).predict_proba(X))


def test_the_same_seed_gives_the_same_network_and_leaves_numpys_alone():
    np.random.seed(3)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    a, b = (MLPClassifier((6,), **FAST).fit(X, Y).predict_proba(X) for _ in range(2))
    np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_regression_of_several_outputs():
    target = np.column_stack([X[:, 0] ** 2, np.sin(3 * X[:, 1])])
    net = MLPRegressor((30,), "tanh", learning_rate_init=0.01, max_iter=600, tol=None, random_state=0).fit(X, target)
    assert net.predict(X).shape == (200, 2)
    assert net.score(X, target) > 0.95


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"activation": "swish"}, UnknownNameError, "relu"),
        ({"solver": "rmsprop"}, UnknownNameError, "adam"),
        ({"hidden_layer_sizes": (0,)}, InvalidInputError, "at least 1"),
        ({"hidden_layer_sizes": (2.5,)}, InvalidInputError, "whole number"),
        ({"batch_size": 0}, InvalidInputError, "batch_size"),
        ({"batch_size": "many"}, InvalidInputError, "batch_size"),
        ({"learning_rate_init": 0.0}, InvalidInputError, "above 0"),
        ({"learning_rate": "adaptive"}, UnknownNameError, "cosine"),
        ({"max_iter": 0}, InvalidInputError, "max_iter"),
        ({"validation_fraction": 1.0, "early_stopping": True}, InvalidInputError, "validation_fraction"),
        ({"reduction": "max"}, UnknownNameError, "mean, sum"),
        ({"precision": "int8"}, UnknownNameError, "float32"),
        ({"engine": "gpu"}, UnknownNameError, "kernel"),
    ],
)
def test_wrong_parameters_are_named(options, error, match):
    with pytest.raises(error, match=match):
        MLPClassifier(**options).fit(X, Y)


def test_wrong_data_are_named_and_leave_the_fit_whole():
    net = MLPClassifier((6,), **FAST).fit(X, Y)
    before = net.predict_proba(X)
    for bad in (np.full_like(X, np.nan), np.full_like(X, np.inf), X[:, :1], X[:0]):
        with pytest.raises(ValueError, match=r"NaN|infinity|features|0 sample"):
            net.partial_fit(bad, Y[: len(bad)])
    with pytest.raises(InvalidInputError, match="not among the classes"):
        net.partial_fit(X, Y + 5)
    with pytest.raises(InvalidInputError, match="1 class"):
        MLPClassifier().fit(X, np.ones(200))
    np.testing.assert_array_equal(net.predict_proba(X), before)


def test_a_batch_larger_than_the_data_warns_once():
    with pytest.warns(GlassnetWarning, match="more than the 200 samples") as record:
        MLPClassifier((3,), batch_size=1000, **FAST).fit(X, Y)
    assert len([w for w in record if issubclass(w.category, GlassnetWarning)]) == 1
