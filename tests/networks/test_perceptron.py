"""Rosenblatt's rule against a loop written out here, its bound, and its variants."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_iris, make_blobs

from glassnet import Perceptron, mistake_bound
from glassnet.errors import InvalidInputError, UnknownNameError
from glassnet.learning.perceptron_rule import VARIANTS
from glassnet.training.batches import epoch_order

X, Y = make_blobs(80, 3, centers=3, cluster_std=4.0, random_state=1)
GATES = {"and": [0, 0, 0, 1], "or": [0, 1, 1, 1], "xor": [0, 1, 1, 0]}
CORNERS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])


def by_hand(x, y, n_epochs, seed):
    """Return weight, bias, mistakes, averages and pocket of one unit: the textbook's loop."""
    w, b, mistakes = np.zeros(x.shape[1]), 0.0, []
    past, run, best, pocket = [], 0, 0, (w, b)
    for epoch in range(n_epochs):
        mistakes.append(0)
        for i in epoch_order(seed, epoch, len(x), True):
            fires = 1 if w @ x[i] + b >= 0 else 0
            run = run + 1 if fires == y[i] else 0
            if run > best:
                best, pocket = run, (w, b)
            if fires != y[i]:
                w, b = w + (y[i] - fires) * x[i], b + (y[i] - fires)
                mistakes[-1] += 1
            past.append(np.append(w, b))
    return w, b, mistakes, np.mean(past, axis=0), pocket


@pytest.mark.parametrize("engine", ["kernel", "formula"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_weights_and_mistakes_equal_the_textbook_loop(engine, variant):
    y = (Y == 0).astype(int)
    unit = Perceptron(variant, max_iter=7, random_state=5, engine=engine, precision="float64").fit(X, y)
    assert unit.engine_ == engine
    w, b, mistakes, mean, pocket = by_hand(X, y, 7, 5)
    expected = {"plain": (w, b), "averaged": (mean[:-1], mean[-1]), "pocket": pocket}[variant]
    np.testing.assert_allclose(unit.coef_[0], expected[0], rtol=1e-10)
    np.testing.assert_allclose(unit.intercept_[0], expected[1], rtol=1e-10)
    assert unit.mistakes_per_epoch_ == mistakes
    assert unit.n_mistakes_ == sum(mistakes)


@pytest.mark.parametrize("engine", ["kernel", "formula"])
def test_each_class_has_a_unit_that_learns_alone(engine):
    net = Perceptron(max_iter=3, random_state=5, engine=engine, precision="float64").fit(X, Y)
    for k in range(3):
        w, b, *_ = by_hand(X, (k == Y).astype(int), 3, 5)
        np.testing.assert_allclose(net.coef_[k], w, rtol=1e-10)
        np.testing.assert_allclose(net.intercept_[k], b, rtol=1e-10)
    np.testing.assert_array_equal(net.predict(X), (X @ net.coef_.T + net.intercept_).argmax(1))


@pytest.mark.parametrize("gate", GATES)
def test_it_learns_and_and_or_and_never_xor(gate):
    unit = Perceptron(max_iter=200, random_state=0).fit(CORNERS, GATES[gate])
    assert unit.converged_ == (gate != "xor")
    assert (unit.score(CORNERS, GATES[gate]) == 1) == (gate != "xor")
    if gate == "xor":
        assert unit.n_iter_ == 200
        with pytest.raises(InvalidInputError, match="no hyperplane"):
            mistake_bound(CORNERS, GATES[gate])


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_mistakes_on_separable_data_keep_within_the_bound(seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(30, 2))
    z = x @ rng.normal(size=2) + rng.normal()
    keep = np.abs(z) > 0.2
    if len(np.unique(z[keep] > 0)) < 2:
        return
    unit = Perceptron(max_iter=100_000, random_state=seed).fit(x[keep], z[keep] > 0)
    assert unit.converged_
    assert unit.n_mistakes_ <= mistake_bound(x[keep], z[keep] > 0)


def test_averaged_and_pocket_do_better_than_the_last_weights_on_overlapping_classes():
    x, y = make_blobs(400, 2, centers=[[0, 0], [1.5, 0]], cluster_std=1.0, random_state=0)
    scores = {}
    for variant in VARIANTS:
        fits = [Perceptron(variant, max_iter=10, random_state=seed).fit(x, y) for seed in range(10)]
        scores[variant] = np.mean([unit.score(x, y) for unit in fits])
    assert scores["averaged"] > scores["plain"]
    assert scores["pocket"] > scores["plain"]


def test_partial_fit_and_warm_start_go_on_with_string_labels():
    iris = load_iris()
    names = iris.target_names[iris.target]
    unit = Perceptron(random_state=0, shuffle=False)
    unit.partial_fit(iris.data[:90], names[:90], classes=iris.target_names)
    before = unit.coef_.copy()
    unit.partial_fit(iris.data[60:], names[60:])
    assert unit.n_iter_ == 2
    assert not np.array_equal(before, unit.coef_)
    assert set(unit.predict(iris.data)) <= set(iris.target_names)
    steps = unit.state_.step
    again = Perceptron(max_iter=2, warm_start=True, random_state=0).fit(iris.data, names).fit(iris.data, names)
    assert again.state_.step == 2 * 2 * 150
    assert steps == 180


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"variant": "voted"}, UnknownNameError, "averaged"),
        ({"learning_rate_init": 0}, InvalidInputError, "above 0"),
        ({"max_iter": 0}, InvalidInputError, "max_iter"),
        ({"engine": "gpu"}, UnknownNameError, "kernel"),
        ({"precision": "float16"}, UnknownNameError, "float64"),
    ],
)
def test_wrong_parameters_are_named(options, error, match):
    with pytest.raises(error, match=match):
        Perceptron(**options).fit(X, Y)


def test_wrong_data_are_named_and_leave_the_fit_whole():
    unit = Perceptron(random_state=0).fit(X, Y)
    before = unit.predict(X)
    with pytest.raises(InvalidInputError, match="1 class"):
        Perceptron().fit(X, np.zeros(80))
    for bad in (np.full_like(X, np.nan), np.full_like(X, np.inf), X[:, :2], X[:0]):
        with pytest.raises(ValueError, match=r"NaN|infinity|features|0 sample"):
            unit.partial_fit(bad, Y[: len(bad)])
    with pytest.raises(InvalidInputError, match="not among the classes"):
        unit.partial_fit(X, Y + 1)
    np.testing.assert_array_equal(unit.predict(X), before)
