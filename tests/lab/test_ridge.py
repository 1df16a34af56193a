from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from pydantic import ValidationError
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures

from glassnet.lab.exhibits.ridge import SWEEP, RidgeExhibit, RidgeSettings, law


def exhibit(**settings) -> RidgeExhibit:
    return RidgeExhibit(RidgeSettings(**settings))


@pytest.mark.parametrize("penalty", [-3.0, 0.0, 2.0])
def test_curve_and_weights_are_those_of_scikit_learn(penalty):
    shown = exhibit(degree=6, penalty=penalty)
    arrays = shown.frame().arrays
    peer = make_pipeline(PolynomialFeatures(6, include_bias=False), Ridge(10.0**penalty, solver="cholesky"))
    peer.fit(shown.x[:, None], shown.y)
    np.testing.assert_allclose(arrays["curve"][:, 1], peer.predict(arrays["curve"][:, :1]), atol=1e-3)
    np.testing.assert_allclose(arrays["weights"][1:], peer[-1].coef_, rtol=1e-3, atol=1e-3)


def test_the_penalty_trades_the_points_for_new_ones():
    frame = exhibit(degree=12).frame()
    error, new_error = frame.arrays["sweep"][:, 1], frame.arrays["sweep"][:, 2]
    assert (np.diff(error) >= -1e-6).all()
    assert new_error.min() < 0.9 * new_error[0]
    assert frame.values["best"] == pytest.approx(SWEEP[new_error.argmin()])


def test_the_error_on_new_points_is_that_of_a_great_many():
    shown = exhibit(degree=3, noise=0.3)
    rng = np.random.default_rng(1)
    x = rng.uniform(-1, 1, 200_000)
    y = law(x) + 0.3 * rng.standard_normal(len(x))
    assert shown.frame().values["newError"] == pytest.approx(
        np.mean((shown.model.predict(x[:, None]) - y) ** 2), rel=0.02
    )


def test_own_points_have_no_new_ones():
    frame = exhibit(dataset="own", points=(-0.5, 1.0, 0.5, -1.0, 0.0, 0.2)).frame()
    assert (frame.values["newError"], frame.values["best"]) == (None, None)
    assert np.isnan(frame.arrays["sweep"][:, 2]).all()


@pytest.mark.parametrize("values", [{"degree": 16}, {"dataset": "own"}, {"points": [1.5, 0.0]}, {"penalty": 3}])
def test_settings_have_bounds(values):
    with pytest.raises(ValidationError):
        RidgeSettings().changed(values)


def test_the_script_prints_what_is_on_the_page():
    shown = exhibit(degree=5, penalty=-2, noise=0.2)
    values = shown.frame().values
    done = subprocess.run([sys.executable, "-c", shown.python()], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        f"error {values['error']:.4f}", f"length of the weight {values['length']:.4g}",
        f"error on new points {values['newError']:.4f}",
    ]  # fmt: skip
