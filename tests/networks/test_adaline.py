"""The LMS rule against its own sums, least squares and the edge of stability."""

from __future__ import annotations

import numpy as np
import pytest

from glassnet import AdalineClassifier, AdalineRegressor
from glassnet.errors import DivergedError, GlassnetWarning, InvalidInputError
from glassnet.training.batches import epoch_order

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4)) * [1, 2, 0.5, 1]
Y = X @ [1.0, -2.0, 0.5, 0.0] + 0.7 + 0.3 * RNG.normal(size=60)
WITH_ONES = np.hstack([X, np.ones((60, 1))])


@pytest.mark.parametrize("engine", ["kernel", "formula"])
def test_sample_by_sample_equals_the_rule_written_out(engine):
    net = AdalineRegressor(learning_rate_init=0.02, max_iter=3, tol=None, random_state=4, engine=engine,
                           precision="float64").fit(X, Y)  # fmt: skip
    w = np.zeros(5)
    for epoch in range(3):
        for i in epoch_order(4, epoch, 60, True):
            w += 0.02 * (Y[i] - WITH_ONES[i] @ w) * WITH_ONES[i]
    assert net.engine_ == engine
    np.testing.assert_allclose(np.append(net.coef_, net.intercept_), w, rtol=1e-10)


def test_batch_descent_goes_to_the_least_squares_solution():
    net = AdalineRegressor(batch_size="all", max_iter=20_000, tol=None, precision="float64").fit(X, Y)
    best = np.linalg.lstsq(WITH_ONES, Y, rcond=None)[0]
    np.testing.assert_allclose(np.append(net.coef_, net.intercept_), best, rtol=1e-9, atol=1e-12)


def test_sample_by_sample_comes_near_the_least_squares_solution():
    net = AdalineRegressor(random_state=0, max_iter=300, tol=None).fit(X, Y)
    best = np.linalg.lstsq(WITH_ONES, Y, rcond=None)[0]
    assert np.abs(np.append(net.coef_, net.intercept_) - best).max() < 0.1


@pytest.mark.parametrize(("factor", "stable"), [(0.99, True), (1.01, False)])
def test_the_stability_limit_is_the_edge(factor, stable):
    limit = AdalineRegressor(batch_size="all", max_iter=1, tol=None).fit(X, Y).stability_limit_
    assert limit == pytest.approx(2 / np.linalg.eigvalsh(WITH_ONES.T @ WITH_ONES / 60)[-1], rel=1e-6)
    net = AdalineRegressor(
        learning_rate_init=factor * limit, batch_size="all", max_iter=3000, tol=None, precision="float64"
    )
    net.fit(X, Y)
    assert (net.loss_curve_[-1] < net.loss_curve_[0]) == stable


@pytest.mark.parametrize("engine", ["kernel", "formula"])
def test_a_rate_far_above_the_limit_is_stopped_with_words(engine):
    with pytest.raises(DivergedError, match="learning_rate_init"):
        AdalineRegressor(learning_rate_init=10.0, engine=engine, random_state=0).fit(X, Y)


@pytest.mark.parametrize("batch_size", [1, 7, "all"])
def test_weights_repeat_samples(batch_size):
    """Integer weights and repeated samples have the same loss, so batch descent takes the same way."""
    weight = RNG.integers(0, 3, size=60)
    options = {"batch_size": batch_size, "max_iter": 50, "tol": None, "precision": "float64", "random_state": 0}
    weighted = AdalineRegressor(**options).fit(X, Y, sample_weight=weight)
    if batch_size == "all":
        repeated = AdalineRegressor(**options).fit(np.repeat(X, weight, 0), np.repeat(Y, weight))
        np.testing.assert_allclose(weighted.coef_, repeated.coef_, rtol=1e-9)
    assert np.isfinite(weighted.coef_).all()


def test_kernel_and_formula_agree_on_weighted_samples():
    weight = RNG.random(60)
    fits = [
        AdalineRegressor(max_iter=5, tol=None, precision="float64", random_state=0, engine=engine).fit(X, Y, weight)
        for engine in ("kernel", "formula")
    ]
    np.testing.assert_allclose(fits[0].coef_, fits[1].coef_, rtol=1e-10)
    np.testing.assert_allclose(fits[0].loss_curve_, fits[1].loss_curve_, rtol=1e-10)


def test_the_classifier_is_least_squares_to_plus_and_minus_one():
    labels = np.where(Y > 0, "above", "below")
    net = AdalineClassifier(batch_size="all", max_iter=20_000, tol=None, precision="float64").fit(X, labels)
    best = np.linalg.lstsq(WITH_ONES, np.where(labels == "below", 1.0, -1.0), rcond=None)[0]
    np.testing.assert_allclose(np.append(net.coef_, net.intercept_), best, rtol=1e-8)
    np.testing.assert_array_equal(net.predict(X), np.where(WITH_ONES @ best >= 0, "below", "above"))


def test_wrong_parameters_are_named():
    with pytest.raises(InvalidInputError, match="above 0"):
        AdalineRegressor(learning_rate_init=-1.0).fit(X, Y)
    with pytest.raises(InvalidInputError, match="one sample"):
        AdalineRegressor(engine="kernel", batch_size="all").fit(X, Y)
    with pytest.raises(ValueError, match="non-zero"):
        AdalineRegressor().fit(X, Y, np.zeros(60))
    with pytest.warns(GlassnetWarning, match="more than the 60 samples"):
        AdalineRegressor(batch_size=100, max_iter=2, tol=None).fit(X, Y)
