"""Gradient descent's exhibit in a real browser: what the page shows is what the package computes."""

from __future__ import annotations

import pytest

from glassnet.lab.exhibits.descent import DescentExhibit, DescentSettings

pytestmark = pytest.mark.browser
expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect
EXHIBIT = "descent"


def computed(step: int = 0, **settings) -> DescentExhibit:
    exhibit = DescentExhibit(DescentSettings.model_validate(settings))
    if step:
        exhibit.step(step)
    return exhibit


def shows(visit, exhibit: DescentExhibit) -> None:
    losses = exhibit.frame().values["losses"]
    visit.shows(
        lowest=f"{exhibit.scene().values['lowest']:.4f}",
        **{f"loss_{i + 1}": f"{loss:.4f}" for i, loss in enumerate(losses)},
    )
    expect(visit.page.locator("[data-testid=runs] .run")).to_have_count(len(losses))


CONTROLS = {
    "network": (lambda v: v.tile("network-unit"), {"network": "unit"}),
    "clock": (lambda v: v.tile("clock-epochs"), {"clock": "epochs"}),
    "noise": (lambda v: v.fill("noise", 0.8), {"noise": 0.8}),
    "seed": (lambda v: v.fill("seed", 7), {"seed": 7}),
    "batch size": (lambda v: v.fill("batchSizes-1", 7), {"batchSizes": [7, 1, 40]}),
    "learning rate": (lambda v: v.choose("learningRates-2", "0.3"), {"learningRates": [0.1, 0.3, 0.1]}),
    "momentum": (lambda v: v.fill("momenta-3", 0.5), {"momenta": [0, 0, 0.5]}),
    "a run more": (
        lambda v: v.click("add-run"),
        {"batchSizes": [40, 1, 40, 10], "learningRates": [0.1] * 4, "momenta": [0, 0, 0.9, 0]},
    ),
    "a run less": (
        lambda v: v.click("remove-1"),
        {"batchSizes": [1, 40], "learningRates": [0.1] * 2, "momenta": [0, 0.9]},
    ),
}


@pytest.mark.parametrize("name", CONTROLS)
def test_a_control_changes_the_numbers_as_python_says(visit, name):
    act, settings = CONTROLS[name]
    visit.changes(act, lambda visit, step, **now: shows(visit, computed(step, **now)), settings, n_steps=2)


def test_a_click_into_the_map_sets_the_start(visit):
    visit.open("step=3")
    shows(visit, computed(3))
    visit.click_at("surface", 0.8, 0.2)
    visit.page.wait_for_function("() => !location.hash.includes('start1=0.3')")
    link = visit.link()
    start = {name: float(link[name]) for name in ("start1", "start2")}
    assert start["start1"] > 1
    assert start["start2"] > 1
    shows(visit, computed(**start))


@pytest.mark.parametrize("settings", ["network=chain&clock=epochs&step=4", "network=unit&learningRates=1,1,1&step=30"])
def test_the_script_prints_the_losses_of_all_runs(visit, settings):
    visit.open(settings)
    options = dict(part.split("=") for part in settings.split("&"))
    exhibit = computed(int(options.pop("step")), **options)
    shows(visit, exhibit)
    printed = [line.split(",")[0] for line in visit.script()]
    assert printed == [f"loss {loss:.4f}" for loss in exhibit.frame().values["losses"]]


def test_a_run_that_leaves_for_infinity_is_told_and_the_others_go_on(visit):
    settings = {"batchSizes": [40, 40], "learningRates": [30, 0.1], "momenta": [0.9, 0]}
    visit.open("batchSizes=40,40&learningRates=30,0.1&momenta=0.9,0&step=70")
    exhibit = computed(70, **settings)
    visit.shows(loss_1="left for infinity", loss_2=f"{exhibit.frame().values['losses'][1]:.4f}")
    visit.page.get_by_test_id("time").fill("1")
    visit.shows(loss_2=f"{computed(1, **settings).frame().values['losses'][1]:.4f}")


def test_play_the_slider_and_reset(visit):
    visit.open("")
    shows(visit, computed())
    visit.choose("speed", "5")
    visit.click("play")
    visit.page.wait_for_function("() => Number(document.querySelector('[data-testid=time]').max) >= 30")
    visit.click("play")
    visit.settle()
    visit.page.get_by_test_id("time").fill("17")
    shows(visit, computed(17))
    visit.click("reset")
    shows(visit, computed())
