from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from glassnet import MLPRegressor, advance
from glassnet.lab.exhibits.anyfunction import N_DRAWN, AnyFunctionExhibit, AnyFunctionSettings


def exhibit(step: int = 0, **settings) -> AnyFunctionExhibit:
    made = AnyFunctionExhibit(AnyFunctionSettings(**settings))
    if step:
        made.step(step)
    return made


def test_the_network_is_the_sum_of_its_bumps():
    shown = exhibit(bumps=5, steepness=8.0, shape="hill")
    arrays = shown.frame().arrays | shown.scene().arrays
    np.testing.assert_allclose(arrays["bumps"].sum(axis=0), arrays["outputs"][0], atol=1e-6)
    x, slope = shown.x, 8.0 * 5
    height = shown.settings.target(np.array([0.5]))
    middle = height * (1 / (1 + np.exp(-slope * (x - 0.4))) - 1 / (1 + np.exp(-slope * (x - 0.6))))
    np.testing.assert_allclose(arrays["bumps"][2], middle, atol=1e-6)


def test_more_bumps_come_nearer():
    errors = [exhibit(bumps=n, steepness=60.0).frame().values["errors"][0] for n in (5, 15, 60)]
    assert errors[0] > 2 * errors[1] > 4 * errors[2]


def test_both_networks_train_as_the_estimator_does():
    shown = exhibit(80, mode="learned", width=6, layers=2, units=4, seed=3)
    x = np.linspace(0, 1, N_DRAWN)
    for network, sizes in zip(shown.networks, ((6,), (4, 4)), strict=True):
        net = MLPRegressor(
            sizes, "tanh", solver="adam", learning_rate_init=0.01, alpha=0.0, batch_size=N_DRAWN, random_state=3,
            engine=network.engine_,
        )  # fmt: skip
        advance(net.initialize((2 * x - 1)[:, None], shown.settings.values()), 80)
        for ours, theirs in zip(network.coefs_, net.coefs_, strict=True):
            np.testing.assert_array_equal(ours, theirs)
    before = shown.frame().values
    shown.seek(13)
    assert shown.frame().values != before
    shown.seek(80)
    assert shown.frame().values == before
    assert shown.scene().values["parameters"] == [3 * 6 + 1, 2 * 4 + 4 * 5 + 5]


@pytest.mark.parametrize("values", [{"shape": "own"}, {"curve": [2]}, {"bumps": 0}, {"layers": 1}, {"units": 13}])
def test_settings_have_bounds(values):
    with pytest.raises(ValidationError):
        AnyFunctionSettings().changed(values)
