"""Errors epoch by epoch, and networks that were trained elsewhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from torch import nn

from glassnet import MLPClassifier, ModuleClassifier
from glassnet.claims.claim import Scale
from glassnet.claims.dbn_digits import dbn_digits
from glassnet.claims.error_curves import UntilError, error_curves
from glassnet.claims.trained_nets import find_trained
from glassnet.claims.translation import translation
from glassnet.data import load
from glassnet.training.observers import Observer
from glassnet.training.run_folder import save_run


def small_net(n_features, n_classes):
    return nn.Sequential(nn.Linear(n_features, 16), nn.Tanh(), nn.Linear(16, n_classes))


def net(**how):
    return ModuleClassifier(small_net, batch_size=100, learning_rate_init=0.01, tol=None, random_state=0, **how)


@pytest.fixture(scope="module")
def digits():
    return load("digits")


def test_the_last_test_error_is_that_of_the_fitted_network(digits):
    fitted = net(max_iter=3)
    curves = error_curves(fitted, digits)
    assert curves["epoch"] == [1, 2, 3]
    assert curves["test error"][-1] == pytest.approx(1 - fitted.score(digits.X_test, digits.y_test), abs=1e-4)
    assert curves["training error"][0] > curves["training error"][-1]


def test_the_training_error_is_counted_before_each_step(digits):
    one_batch = net(max_iter=1).set_params(batch_size="all", shuffle=False)
    curves = error_curves(one_batch, digits)
    start = net(max_iter=1)
    start.initialize(digits.X_train, digits.y_train)
    assert curves["training error"] == [pytest.approx(1 - start.score(digits.X_train, digits.y_train), abs=1e-4)]


def test_an_interrupted_fit_goes_on_where_it_was(digits, tmp_path):
    class Break(Observer):
        def next_event(self, step):
            return 25  # in the second epoch

        def observe(self, state):
            raise KeyboardInterrupt

    whole = error_curves(net(max_iter=4), digits)
    broken = net(max_iter=4)
    fit = broken.fit
    broken.fit = lambda X, y, observers, resume: fit(X, y, observers=[*observers, Break()], resume=resume)
    with pytest.raises(KeyboardInterrupt):
        error_curves(broken, digits, tmp_path)
    resumed = error_curves(net(max_iter=4), digits, tmp_path)
    assert resumed["epoch"] == whole["epoch"]
    assert resumed["test error"] == whole["test error"]
    assert resumed["training error"][2:] == whole["training error"][2:]


def test_a_fit_ends_when_the_error_is_reached(digits):
    watch = UntilError(0.2)
    fitted = net(max_iter=50).fit(digits.X_train, digits.y_train, observers=[watch])
    assert fitted.n_iter_ == len(watch.errors) < 50
    assert watch.errors[-1] <= 0.2 < min(watch.errors[:-1])


def test_a_run_of_the_recipe_stands_in_for_weights_that_do_not_come_with_glassnet(digits, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find_trained("mlp-digits") is None
    assert find_trained("lenet5-mnist").module_.c1.weight.shape == (6, 1, 5, 5)
    fitted = MLPClassifier((4,), engine="formula", max_iter=2, tol=None, random_state=0)
    save_run(Path("runs", "mlp-digits"), fitted.fit(digits.X_train, digits.y_train))
    found = find_trained("mlp-digits")
    np.testing.assert_array_equal(found.predict(digits.X_test), fitted.predict(digits.X_test))


@pytest.mark.parametrize("claim", [dbn_digits, translation])
def test_without_weights_nothing_is_decided_and_the_reason_is_said(claim, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("glassnet.claims.trained_nets.trained_names", list)
    found = claim(Scale())
    assert (found.verdict, found.expected_verdict) == ("undecided", "undecided")
    assert "runs/" in found.undecided
