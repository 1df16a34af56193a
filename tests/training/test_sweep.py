"""A sweep's fits equal the same fits alone, to the bit."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone

from glassnet import AdalineRegressor, MLPClassifier, MLPRegressor, sweep
from glassnet.errors import InvalidInputError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3))
Y = (X[:, 0] * X[:, 1] > 0).astype(int)


@pytest.mark.parametrize("engine", ["kernel", "formula"])
def test_fits_are_bit_equal_to_single_fits(engine):
    net = MLPClassifier((5,), "tanh", solver="sgd", batch_size=7, max_iter=20, tol=None, engine=engine)
    runs = sweep(net, X, Y, {"random_state": range(6), "learning_rate_init": [0.01, 0.1]}, n_jobs=4).runs
    assert len(runs) == 12
    for run in runs:
        alone = clone(net).set_params(**run.parameters).fit(X, Y)
        np.testing.assert_array_equal(run.estimator.state_.arrays["parameters"], alone.state_.arrays["parameters"])
        assert run.estimator.loss_curve_ == alone.loss_curve_
    assert not hasattr(net, "state_")


def test_the_table_has_a_row_for_every_run_and_a_diverged_one_says_so():
    net = MLPRegressor((), solver="sgd", max_iter=50, tol=None, batch_size=10, random_state=0)
    result = sweep(net, X, X[:, 0], {"learning_rate_init": [0.01, 1e6]}, test=(X, X[:, 0]))
    table = result.table()
    assert {len(column) for column in table.values()} == {2}
    assert table["error"][0] == ""
    assert "learning_rate_init" in table["error"][1]
    assert result.best.parameters == {"learning_rate_init": 0.01}


def test_parameters_that_change_how_data_are_read_are_honoured():
    runs = sweep(AdalineRegressor(max_iter=3, tol=None), X, X[:, 0], {"precision": ["float32", "float64"]}).runs
    assert [run.estimator.coef_.dtype for run in runs] == [np.float32, np.float64]


def test_an_empty_grid_and_an_unknown_parameter_are_refused():
    with pytest.raises(InvalidInputError, match="grid"):
        sweep(MLPClassifier(), X, Y, {})
    with pytest.raises(ValueError, match="learning_speed"):
        sweep(MLPClassifier(), X, Y, {"learning_speed": [1]})
