"""Ridge regression on powers, against scikit-learn and between its two solvers."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.preprocessing import PolynomialFeatures

from glassnet import PolynomialRegression
from glassnet.errors import InvalidInputError, UnknownNameError

RNG = np.random.default_rng(0)
X = RNG.uniform(-1, 1, size=(40, 2))
Y = np.sin(3 * X[:, 0]) + X[:, 1] + 0.1 * RNG.normal(size=40)


@pytest.mark.parametrize("alpha", [0.01, 1.0, 30.0])
def test_closed_form_equals_scikit_learns_ridge(alpha):
    ours = PolynomialRegression(4, alpha).fit(X, Y)
    features = PolynomialFeatures(4, include_bias=False).fit_transform(X)
    peer = Ridge(alpha).fit(features, Y)
    np.testing.assert_allclose(ours.coef_, peer.coef_, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(ours.predict(X), peer.predict(features), rtol=1e-8)


def test_gradient_descent_comes_to_the_closed_form():
    closed, descent = (PolynomialRegression(4, 0.5, solver=s).fit(X, Y) for s in ("closed-form", "gradient-descent"))
    np.testing.assert_allclose(descent.coef_, closed.coef_, atol=1e-6)
    assert descent.n_iter_ > 10


def test_the_penalty_shrinks_the_weights_and_makes_no_zeros():
    lengths = [np.linalg.norm(PolynomialRegression(8, alpha).fit(X, Y).coef_) for alpha in (0, 0.1, 1, 10)]
    assert lengths == sorted(lengths, reverse=True)
    assert (PolynomialRegression(8, 10.0).fit(X, Y).coef_ != 0).all()


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"degree": 0}, InvalidInputError),
        ({"alpha": -1.0}, InvalidInputError),
        ({"solver": "newton"}, UnknownNameError),
    ],
)
def test_parameters_out_of_range_are_refused(options, error):
    with pytest.raises(error):
        PolynomialRegression(**options).fit(X, Y)
