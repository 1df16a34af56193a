from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from pydantic import ValidationError

from glassnet.lab.exhibits.adaline import HALF, AdalineExhibit, AdalineSettings


def exhibit(step: int = 0, **settings) -> AdalineExhibit:
    made = AdalineExhibit(AdalineSettings(**settings))
    if step:
        made.step(step)
    return made


def test_every_step_follows_the_gradient_of_the_loss():
    shown = exhibit(rate_share=0.6)
    rate = shown.scene().values["rate"]
    for _ in range(5):
        weight, bias = shown.frame().values["place"]
        error = shown.t - (weight * shown.x + bias)
        expected = weight + rate * (error * shown.x).mean(), bias + rate * error.mean()
        shown.step(1)
        np.testing.assert_allclose(shown.frame().values["place"], expected, rtol=1e-5)


@pytest.mark.parametrize(("share", "comes_down"), [(0.2, True), (0.98, True), (1.02, False), (1.2, False)])
def test_the_limit_parts_walks_that_come_down_from_those_that_leave(share, comes_down):
    shown = exhibit(120, rate_share=share)
    excess = shown.frame().values["loss"] - shown.scene().values["lowest"]
    start = exhibit(rate_share=share).frame().values["loss"]
    assert (excess < 0.01 * start) == comes_down


def test_the_bowl_is_the_loss_of_every_place():
    scene = exhibit(shift=1.0).scene()
    bowl = scene.arrays["bowl"]
    row, column = np.unravel_index(bowl.argmin(), bowl.shape)
    place = (column + 0.5) / len(bowl) * 2 * HALF - HALF, HALF - (row + 0.5) / len(bowl) * 2 * HALF
    assert np.hypot(*(np.array(place) - scene.values["lowestAt"])) < 1
    assert bowl.min() == 128
    assert bowl.max() == 255


def test_the_path_holds_every_step():
    shown = exhibit(25, batch="one")
    path = shown.frame().arrays["path"]
    np.testing.assert_array_equal(path[:, 0], np.arange(26))
    np.testing.assert_allclose(path[0, 1:3], [-3, 3])
    np.testing.assert_allclose(path[-1, 1:], [*shown.frame().values["place"], shown.frame().values["loss"]], rtol=1e-6)


@pytest.mark.parametrize("values", [{"dataset": "own"}, {"rateShare": 1.3}, {"points": [5, 0]}, {"startBias": -5}])
def test_settings_have_bounds(values):
    with pytest.raises(ValidationError):
        AdalineSettings().changed(values)


@pytest.mark.parametrize(
    "settings", [{"dataset": "classes", "batch": "one"}, {"dataset": "own", "points": (1, 2, 2, 3)}]
)
def test_the_script_prints_the_numbers_of_the_page(settings):
    shown = exhibit(50, **settings)
    values = shown.frame().values
    run = subprocess.run([sys.executable, "-c", shown.python()], capture_output=True, text=True, check=True)
    weight, bias = values["place"]
    assert run.stdout.splitlines() == [
        f"loss {values['loss']:.4f}",
        f"weight {weight:.3f}, bias {bias:.3f}",
        f"stability limit {shown.scene().values['limit']:.4f}",
    ]
    assert run.stderr == ""
