"""Adaline's exhibit in a real browser: what the page shows is what the package computes."""

from __future__ import annotations

import pytest

from glassnet.lab.exhibits.adaline import HALF, AdalineExhibit, AdalineSettings

pytestmark = pytest.mark.browser
EXHIBIT = "adaline"


def computed(step: int = 0, **settings) -> AdalineExhibit:
    exhibit = AdalineExhibit(AdalineSettings.model_validate(settings))
    if step:
        exhibit.step(step)
    return exhibit


def shows(visit, exhibit: AdalineExhibit) -> None:
    values, scene = exhibit.frame().values, exhibit.scene().values
    weight, bias = (f"{value:.3f}".replace("-", "\u2212") for value in values["place"])
    visit.shows(
        loss=f"{values['loss']:.4f}", lowest=f"{scene['lowest']:.4f}", rate=f"{scene['rate']:.4f}",
        limit=f"{scene['limit']:.4f}", unit=f"z = {weight} x + {bias}".replace("+ \u2212", "\u2212 "),
    )  # fmt: skip


CONTROLS = {
    "learning rate": (lambda v: v.fill("rateShare", 0.9), {"rateShare": 0.9}),
    "one sample a step": (lambda v: v.tile("batch-one"), {"batch": "one"}),
    "data": (lambda v: v.choose("dataset", "classes"), {"dataset": "classes"}),
    "noise": (lambda v: v.fill("noise", 0.8), {"noise": 0.8}),
    "mean of the inputs": (lambda v: v.fill("shift", 1.5), {"shift": 1.5}),
    "seed": (lambda v: v.fill("seed", 7), {"seed": 7}),
}


@pytest.mark.parametrize("name", CONTROLS)
def test_a_control_changes_the_numbers_as_python_says(visit, name):
    act, settings = CONTROLS[name]
    visit.changes(act, lambda visit, step, **now: shows(visit, computed(step, **now)), settings, n_steps=2)


def test_a_click_into_the_bowl_sets_the_start(visit):
    visit.open("")
    shows(visit, computed())
    visit.click_at("bowl", 0.75, 0.25)
    visit.page.wait_for_function("() => !location.hash.includes('startWeight=-3')")
    link = visit.link()
    start = {name: float(link[name]) for name in ("startWeight", "startBias")}
    assert 1 < start["startWeight"] < 3
    assert 1 < start["startBias"] < 3
    shows(visit, computed(**start))


def test_points_are_set_and_erased_by_clicks(visit):
    visit.open("")
    shows(visit, computed())
    visit.click_at("data", 0.4, 0.2)
    visit.page.wait_for_function("() => location.hash.includes('dataset=own')")
    points = [float(value) for value in visit.link()["points"].split(",")]
    assert len(points) == 26
    shows(visit, computed(dataset="own", points=points))
    visit.tile("newPoint-erase")
    visit.page.wait_for_function("() => location.hash.includes('newPoint=erase')")
    visit.click_at("data", 0.4, 0.2)
    shows(visit, computed(dataset="own", points=points[:-2]))


def test_the_way_down_is_drawn_where_the_weights_were(visit):
    visit.open("step=20")
    exhibit = computed(20)
    shows(visit, exhibit)
    way = visit.paths("bowl", "strong")[0]
    rows = exhibit.frame().arrays["path"]
    assert len(way) == 2 * (len(rows) + 1)
    first, second = rows[0, 1:3], rows[1, 1:3]
    share = (way[2] - way[0]) / (second[0] - first[0])  # pixels per unit of weight
    assert (way[1] - way[3]) / (second[1] - first[1]) == pytest.approx(share, rel=0.05)
    assert visit.script()[:1] == [f"loss {exhibit.frame().values['loss']:.4f}"]
    assert HALF == 4


def test_past_the_limit_the_loss_rises_until_words_end_it(visit):
    visit.open("rateShare=1.2&step=30")
    exhibit = computed(30, rateShare=1.2)
    assert exhibit.frame().values["loss"] > 100 * computed(rateShare=1.2).frame().values["loss"]
    visit.shows(verdict="Above the limit every step overshoots by more than it gained: the walk leaves the bowl.")
    loss = exhibit.frame().values["loss"]
    if loss < 10000:
        shows(visit, exhibit)
    visit.choose("speed", "max")
    visit.click("play")
    visit.page.get_by_text("The loss became").wait_for()


def test_play_the_slider_and_reset(visit):
    visit.open("batch=one")
    shows(visit, computed(batch="one"))
    visit.choose("speed", "5")
    visit.click("play")
    visit.page.wait_for_function("() => Number(document.querySelector('[data-testid=time]').max) >= 60")
    visit.click("play")
    visit.settle()
    visit.page.get_by_test_id("time").fill("37")
    shows(visit, computed(37, batch="one"))
    visit.click("reset")
    shows(visit, computed(batch="one"))
