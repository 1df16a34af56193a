"""The regularization exhibit in a real browser: what the page shows is what the package computes."""

from __future__ import annotations

import pytest

from glassnet.lab.exhibits.ridge import RidgeExhibit, RidgeSettings

pytestmark = pytest.mark.browser
EXHIBIT = "ridge"


def shows(visit, step: int = 0, **settings) -> None:
    values = RidgeExhibit(RidgeSettings.model_validate(settings)).frame().values
    new_error = values["newError"]
    visit.shows(error=f"{values['error']:.4f}", new_error="\u2013" if new_error is None else f"{new_error:.4f}")
    length = visit.page.get_by_test_id("length").inner_text()
    if "\u00b7" not in length:
        assert float(length) == pytest.approx(values["length"], rel=0.01)


CONTROLS = {
    "degree": (lambda v: v.fill("degree", 4), {"degree": 4}),
    "penalty": (lambda v: v.fill("penalty", -1.5), {"penalty": -1.5}),
    "number of points": (lambda v: v.fill("nPoints", 40), {"nPoints": 40}),
    "noise": (lambda v: v.fill("noise", 0.6), {"noise": 0.6}),
    "seed": (lambda v: v.fill("seed", 5), {"seed": 5}),
}


@pytest.mark.parametrize("name", CONTROLS)
def test_a_control_changes_the_numbers_as_python_says(visit, name):
    act, settings = CONTROLS[name]
    visit.changes(act, shows, settings)


def test_points_are_set_and_erased_by_clicks(visit):
    visit.open("penalty=-2")
    shows(visit, penalty=-2)
    visit.click_at("plane", 0.5, 0.2)
    visit.page.wait_for_function("() => location.hash.includes('dataset=own')")
    points = [float(value) for value in visit.link()["points"].split(",")]
    assert len(points) == 2 * 19
    shows(visit, dataset="own", points=points, penalty=-2)
    visit.tile("newPoint-erase")
    visit.page.wait_for_function("() => location.hash.includes('newPoint=erase')")
    visit.click_at("plane", 0.5, 0.2)
    shows(visit, dataset="own", points=points[:-2], penalty=-2)
    visit.choose("dataset", "sine")
    shows(visit, penalty=-2)


def test_words_say_on_which_side_of_the_best_penalty_one_is(visit):
    visit.open("")
    visit.page.get_by_text("The penalty is below its best").wait_for()
    visit.fill("penalty", 2)
    visit.page.get_by_text("The penalty is above its best").wait_for()


def test_the_script_prints_what_is_on_the_page(visit):
    visit.open("degree=5&penalty=-3")
    shows(visit, degree=5, penalty=-3)
    error = visit.page.get_by_test_id("error").inner_text()
    assert visit.script()[0] == f"error {error}"
