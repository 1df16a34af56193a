from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import ndimage

from glassnet import Perceptron
from glassnet.data.lines import LINES
from glassnet.errors import InvalidInputError
from glassnet.lab.exhibits.perceptron import PerceptronExhibit, PerceptronSettings
from glassnet.lab.exhibits.perceptron_rooms import MOST_STEPS, figures

OWN = (0.5, 1.0, 1, -1.0, 0.25, 0, 2.0, -1.5, 1, 0.0, 0.0, 0)


def exhibit(step: int = 0, **settings) -> PerceptronExhibit:
    made = PerceptronExhibit(PerceptronSettings(**settings))
    if step:
        made.step(step)
    return made


def test_mistakes_are_those_of_the_estimators_fit():
    shown = exhibit(seed=5)
    unit = Perceptron(random_state=5).fit(*shown.settings.data())
    shown.step(unit.n_iter_ * 24)
    values = shown.frame().values
    assert values["mistakes"] == unit.n_mistakes_ <= shown.scene().values["bound"]
    np.testing.assert_array_equal(values["weight"], unit.coef_[0])
    assert values["wrong"] == 0


def test_every_step_tells_the_sample_and_what_it_did():
    shown = exhibit(seed=2, dataset="own", points=OWN)
    X, y = shown.settings.data()
    weight, bias = np.zeros(2), 0.0
    for _ in range(20):
        shown.step(1)
        values = shown.frame().values
        row, z = values["last"]["row"], values["last"]["z"]
        assert z == pytest.approx(X[row] @ weight + bias)
        error = y[row] - (z >= 0)
        weight, bias = weight + error * X[row], bias + error
        assert values["last"]["isMistake"] == (error != 0)
        np.testing.assert_allclose([*values["weight"], values["bias"]], [*weight, bias])


def test_the_next_mistake_is_found_without_moving():
    shown = exhibit(3, seed=1)
    step = shown.room.next_mistake()
    assert shown.history.step == 3
    before = shown.frame().values["mistakes"]
    shown.seek(step - 1)
    assert shown.frame().values["mistakes"] == before
    shown.seek(step)
    assert shown.frame().values["mistakes"] == before + 1


def test_a_converged_perceptron_has_no_next_mistake():
    assert exhibit(240).room.next_mistake() is None


def test_xor_comes_back_to_the_same_weights():
    shown = exhibit(dataset="xor", shuffle=False)
    first, last = shown.scene().values["circle"]
    shown.step(4 * first)
    weights = shown.frame().values["weight"], shown.frame().values["bias"]
    shown.step(4 * (last - first))
    assert (shown.frame().values["weight"], shown.frame().values["bias"]) == weights
    np.testing.assert_allclose(shown.scene().arrays["convex"], 0.5)


def test_the_record_ends_with_words():
    shown = exhibit(dataset="xor")
    with pytest.raises(InvalidInputError, match="record ends"):
        shown.step(MOST_STEPS + 1)


@pytest.mark.parametrize(("name", "wrong"), [("bad", 7), ("okay", 4), ("good", 0)])
def test_lines_by_hand(name, wrong):
    (w1, w2), bias = LINES[name].weight, LINES[name].bias
    shown = exhibit(mode="hand", weight1=w1, weight2=w2, bias=bias, along="bias")
    assert shown.history is None
    assert shown.frame().values["wrong"] == wrong
    X, y = shown.settings.data()
    h = 1 / (1 + np.exp(-(X @ np.array([w1, w2]) + bias)))
    assert shown.frame().values["softLoss"] == pytest.approx(-np.log(np.where(y, h, 1 - h)).mean(), rel=1e-6)
    stairs = shown.frame().arrays["stairs"]
    for value, n_wrong, _ in stairs[7::40]:
        assert n_wrong == ((X @ np.array([w1, w2], np.float32) + value >= 0) != y).sum()


def test_the_two_figures_differ_in_one_square_and_in_their_pieces():
    one, other = figures()
    assert (one != other).sum() == 1
    assert [ndimage.label(figure)[1] for figure in (one, other)] == [1, 2]
    assert exhibit(mode="figures", flipped=(0,)).frame().values["pieces"] == [1, 2]


@pytest.mark.parametrize(
    "values",
    [{"dataset": "own"}, {"dataset": "own", "points": [1, 1, 0]}, {"dataset": "own", "points": [1, 1, 0, 2, 2, 3]},
     {"points": [9, 1, 0]}, {"bias": 4}, {"flipped": [338]}],
)  # fmt: skip
def test_settings_have_bounds(values):
    with pytest.raises(ValidationError):
        PerceptronSettings().changed(values)


@pytest.mark.parametrize("settings", [{"variant": "pocket", "dataset": "xor"}, {"dataset": "own", "points": OWN}])
def test_the_script_prints_the_numbers_of_the_page(settings):
    shown = exhibit(30, **settings)
    values = shown.frame().values
    run = subprocess.run([sys.executable, "-c", shown.python()], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[:2] == [f"mistakes {values['mistakes']}", f"wrong {values['wrong']}"]
    assert run.stderr == ""
