"""The over-large network in a real browser: what the page shows is what the package computes."""

from __future__ import annotations

import pytest

from glassnet.lab.exhibits.overfit import OverfitExhibit, OverfitSettings

pytestmark = pytest.mark.browser
EXHIBIT = "overfit"


def computed(step: int = 0, **settings) -> OverfitExhibit:
    exhibit = OverfitExhibit(OverfitSettings.model_validate(settings))
    exhibit.step(step)
    return exhibit


def shows(visit, step: int = 0, **settings) -> None:
    exhibit = computed(step, **settings)
    values, scene = exhibit.frame().values, exhibit.scene().values
    visit.shows(
        error=f"{values['error']:.1%}", held_error=f"{values['heldError']:.1%}", new_error=f"{values['newError']:.1%}",
        length=f"{values['length']:.2f}", stopped_at=f"{values['stoppedAt']:,}",
        stopped_new_error=f"{values['stoppedNewError']:.1%}", stopped_length=f"{values['stoppedLength']:.2f}",
        parameters=f"{scene['parameters']:,} : {scene['fitted']}",
    )  # fmt: skip


CONTROLS = {
    "data": (lambda v: v.choose("dataset", "circle"), {"dataset": "circle"}),
    "noise": (lambda v: v.fill("noise", 20), {"noise": 20}),
    "points": (lambda v: v.fill("nPoints", 100), {"nPoints": 100}),
    "layers": (lambda v: v.fill("depth", 3), {"depth": 3}),
    "units": (lambda v: v.fill("layerUnits", 8), {"layerUnits": 8}),
    "weight decay": (lambda v: v.choose("alpha", "3"), {"alpha": 3}),
    "learning rate": (lambda v: v.choose("learningRate", "0.03"), {"learningRate": 0.03}),
    "seed": (lambda v: v.fill("seed", 7), {"seed": 7}),
}


@pytest.mark.parametrize("name", CONTROLS)
def test_a_control_changes_the_numbers_as_python_says(visit, name):
    act, settings = CONTROLS[name]
    visit.changes(act, shows, settings, n_steps=2)


def test_the_early_stop_is_found_and_shown(visit):
    visit.open("step=800")
    shows(visit, 800)
    values = computed(800).frame().values
    assert values["stoppedAt"] < 400
    assert values["error"] < values["stoppedError"]
    picture = "() => document.querySelector('[data-testid=map] canvas').toDataURL()"
    before = visit.page.evaluate(picture)
    visit.tile("shown-stopped")
    visit.page.wait_for_function("() => location.hash.includes('shown=stopped')")
    visit.settle()
    assert visit.page.evaluate(picture) != before
    shows(visit, 800)
    assert visit.script() == [
        f"error on the points {values['error']:.1%}", f"error on new points {values['newError']:.1%}",
        f"stopped at step {values['stoppedAt']}: error on new points {values['stoppedNewError']:.1%}",
    ]  # fmt: skip
