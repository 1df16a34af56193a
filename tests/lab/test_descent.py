from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from glassnet.errors import InvalidInputError
from glassnet.lab.exhibits.descent import DescentExhibit, DescentSettings
from glassnet.lab.exhibits.descent_race import MOST_STEPS

ONE = {"batch_sizes": (40,), "learning_rates": (0.2,), "momenta": (0.5,)}


def exhibit(step: int = 0, **settings) -> DescentExhibit:
    made = DescentExhibit(DescentSettings(**settings))
    if step:
        made.step(step)
    return made


def loss_and_gradient(shown: DescentExhibit, place: np.ndarray) -> tuple[float, np.ndarray]:
    """Return both as one would write them by hand."""
    X, y = shown.settings.data()
    x, (a, b) = X[:, 0], place
    if shown.settings.network == "unit":
        p = 1 / (1 + np.exp(-(a * x + b)))
        return -np.log(np.where(y, p, 1 - p)).mean(), np.array([((p - y) * x).mean(), (p - y).mean()])
    h = np.tanh(a * x)
    error = b * h - y
    return (error**2).mean() / 2, np.array([(error * b * (1 - h**2) * x).mean(), (error * h).mean()])


@pytest.mark.parametrize("network", ["chain", "unit"])
def test_full_batches_with_momentum_go_as_written_by_hand(network):
    shown = exhibit(network=network, **ONE)
    place, velocity = np.array([0.3, -0.6]), np.zeros(2)
    for _ in range(10):
        loss, gradient = loss_and_gradient(shown, place)
        assert shown.frame().values["losses"][0] == pytest.approx(loss, rel=1e-4)
        velocity = 0.5 * velocity - 0.2 * gradient
        place = place + velocity
        shown.step(1)
        np.testing.assert_allclose(shown.frame().values["places"][0], place, rtol=1e-4, atol=1e-6)


def test_an_epoch_of_every_run_sees_all_samples():
    shown = exhibit(3, clock="epochs", batch_sizes=(40, 7), learning_rates=(0.1, 0.1), momenta=(0.0, 0.0))
    assert shown.history.steps() == [3, 3 * 6]
    assert shown.history.epoch == 3
    path = shown.frame().arrays["path1"]
    assert path[-1, 0] == 3
    np.testing.assert_allclose(path[-1, 1:3], shown.frame().values["places"][1], rtol=1e-6)


def test_going_back_and_forth_is_the_same_to_the_bit():
    shown = exhibit(40)
    before = shown.frame().values
    shown.seek(11)
    assert shown.frame().values == exhibit(11).frame().values
    shown.seek(40)
    assert shown.frame().values == before


def test_a_run_that_leaves_stays_where_it_was_last_finite():
    shown = exhibit(80, batch_sizes=(40, 40), learning_rates=(30.0, 0.1), momenta=(0.9, 0.0))
    values = shown.frame().values
    assert values["isOut"] == [True, False]
    assert (
        values["losses"][1]
        == exhibit(80, batch_sizes=(40,), learning_rates=(0.1,), momenta=(0.0,)).frame().values["losses"][0]
    )
    shown.seek(2)
    assert shown.frame().values["isOut"] == [False, False]


def test_the_surface_is_the_loss_of_every_place():
    shown = exhibit(network="chain")
    place = np.array(shown.scene().values["lowestAt"])
    assert shown.scene().values["lowest"] == pytest.approx(loss_and_gradient(shown, place)[0])
    surface = shown.scene().arrays["surface"]
    assert surface.min() == 128
    assert surface.max() == 255


def test_the_race_ends_with_words():
    with pytest.raises(InvalidInputError, match="race ends"):
        exhibit().step(MOST_STEPS + 1)


@pytest.mark.parametrize(
    "values",
    [{"batchSizes": [1, 2]}, {"batchSizes": [41, 1, 1]}, {"momenta": [1, 0, 0]}, {"learningRates": [0, 1, 1]},
     {"batchSizes": [1] * 5, "learningRates": [1] * 5, "momenta": [0] * 5}, {"batchSizes": []}],
)  # fmt: skip
def test_settings_have_bounds(values):
    with pytest.raises(ValidationError):
        DescentSettings().changed(values)
