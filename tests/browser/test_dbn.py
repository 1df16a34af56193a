"""The deep belief network's exhibit in a real browser: what the page shows is what the package computes."""

from __future__ import annotations

import pytest

from glassnet.lab.exhibits.dbn import DbnExhibit, DbnSettings

pytestmark = pytest.mark.browser
EXHIBIT = "dbn"
SMALL = {"hidden": 20, "top": 40, "pretrainIter": 1, "maxIter": 1}
LINK = "&".join(f"{name}={value}" for name, value in SMALL.items())
WITH_TOP = 200  # of 320 steps: in the stage of the top layer


def computed(step: int = 0, **settings) -> DbnExhibit:
    exhibit = DbnExhibit(DbnSettings.model_validate({**SMALL, **settings}))
    if step:
        exhibit.step(step)
    return exhibit


def shows(visit, exhibit: DbnExhibit) -> None:
    values = exhibit.frame().values
    errors = [*(f"{error:.4f}" for error in values["errors"]), *("\u2013" for _ in range(3))][:3]
    visit.shows(
        step_number=str(exhibit.history.step),
        activation=f"{values['unit']['activation']:.4f}",
        ink="\u2013" if values["ink"] is None else f"{values['ink']:.3f}",
        test_error="\u2013" if values["testError"] is None else f"{100 * values['testError']:.1f}%",
        **{f"error_{k + 1}": error for k, error in enumerate(errors)},
    )
    if values["read"]:
        right = values["read"].count(int(exhibit.settings.digit))
        visit.shows(read=f"The net itself reads {right} of 10 as a {exhibit.settings.digit}: "
                    f"{' '.join(map(str, values['read']))}")  # fmt: skip


TRAINING = {
    "units": (lambda v: v.fill("hidden", 24), {"hidden": 24}),
    "top units": (lambda v: v.fill("top", 50), {"top": 50}),
    "epochs": (lambda v: v.fill("pretrainIter", 2), {"pretrainIter": 2}),
    "epochs together": (lambda v: v.fill("maxIter", 3), {"maxIter": 3}),
    "rate": (lambda v: v.choose("learningRate", "0.05"), {"learningRate": 0.05}),
    "Gibbs steps": (lambda v: v.fill("gibbs", 3), {"gibbs": 3}),
    "seed": (lambda v: v.fill("seed", 7), {"seed": 7}),
}


@pytest.mark.parametrize("name", TRAINING)
def test_a_control_of_the_training_changes_the_numbers_as_python_says(visit, name):
    act, settings = TRAINING[name]
    visit.open(LINK)
    shows(visit, computed())
    act(visit)
    visit.click("step", "step")
    shows(visit, computed(2, **settings))


def test_what_is_looked_at_changes_and_the_training_stays(visit):
    visit.open(f"{LINK}&step={WITH_TOP}")
    shows(visit, computed(WITH_TOP))
    settings: dict = {}
    for act, change in (
        (lambda: visit.tile("digit-8"), {"digit": "8"}),
        (lambda: visit.fill("dreamSteps", 3), {"dreamSteps": 3}),
        (lambda: visit.fill("dreamSeed", 5), {"dreamSeed": 5}),
        (lambda: visit.fill("lookLayer", 3), {"lookLayer": 3}),
        (lambda: visit.fill("lookUnit", 11), {"lookUnit": 11}),
        (lambda: visit.click_at("samples", 0.45, 0.5), {"sample": 4}),
        (lambda: visit.click_at("filters-2", 2.5 / 16, 0.25), {"lookLayer": 2, "lookUnit": 3}),
    ):
        act()
        settings |= change
        shows(visit, computed(WITH_TOP, **settings))


def test_the_script_prints_what_the_page_shows_and_time_goes_back(visit):
    visit.open(f"{LINK}&step=260&digit=1")
    exhibit = computed(260, digit="1")
    shows(visit, exhibit)
    visit.shows(stage="All layers learn together: step 20 of 80")
    values, printed = exhibit.frame().values, visit.script()
    assert printed[0] == f"error of layer 1: {values['errors'][0]:.4f}"
    assert f"held-out error {values['testError']:.1%}" in printed
    assert printed[-1] == f"ink {values['ink']:.3f}"
    visit.page.get_by_test_id("time").fill("100")
    shows(visit, computed(100, digit="1"))
    visit.shows(
        stage="Layer 2 learns: step 20 of 80",
        read="It cannot dream of a digit before the top layer has met the labels.",
    )
    visit.click("reset")
    shows(visit, computed(digit="1"))


def test_the_trained_net_dreams_step_by_step(visit):
    visit.open(LINK)
    visit.tile("mode-dream")
    shows(visit, computed(mode="dream"))
    visit.click("step", "step", "step")
    shows(visit, computed(3, mode="dream"))
    visit.tile("digit-7")
    shows(visit, computed(3, mode="dream", digit="7"))
    visit.fill("dreamSeed", 2)
    exhibit = computed(3, mode="dream", digit="7", dreamSeed=2)
    shows(visit, exhibit)
    assert visit.script()[-1] == f"ink {exhibit.frame().values['ink']:.3f}"
