"""Classifier and loss in a real browser: what the page shows is what the package computes."""

from __future__ import annotations

import numpy as np
import pytest

from glassnet.lab.exhibits.loss import SCORES, LossExhibit, LossSettings

pytestmark = pytest.mark.browser
EXHIBIT = "loss"


def shows(visit, **settings) -> None:
    values = LossExhibit(LossSettings.model_validate(settings)).frame().values
    visit.shows(
        loss=f"{values['loss']:.4f}", likelihood=f"{np.exp(-values['loss']):.4f}",
        label_probability=f"{values['labelProbability']:.4f}", entropy=f"{values['entropy']:.4f}",
        divergence=f"{values['divergence']:.4f}",
        reverse="\u221e" if values["reverse"] is None else f"{values['reverse']:.4f}",
    )  # fmt: skip


CONTROLS = {
    "label": (lambda v: v.tile("label-tench"), {"label": "tench"}),
    "softened": (lambda v: v.fill("smoothing", 0.25), {"smoothing": 0.25}),
    "temperature": (lambda v: v.fill("temperature", 2.5), {"temperature": 2.5}),
    "large loss": (lambda v: v.click("large-loss"), {"label": "grizzly bear"}),
}


@pytest.mark.parametrize("name", CONTROLS)
def test_a_control_changes_the_numbers_as_python_says(visit, name):
    act, settings = CONTROLS[name]
    visit.changes(act, lambda visit, step, **now: shows(visit, **now), settings)


def test_the_presets_are_a_small_and_a_large_loss(visit):
    visit.open("label=seal&smoothing=0.5")
    shows(visit, label="seal", smoothing=0.5)
    visit.click("small-loss")
    shows(visit)
    visit.shows(verdict="The loss is small: clown fish is the label, and it has most of the probability.")
    visit.click("large-loss")
    visit.page.get_by_text("The loss is large: grizzly bear is the label, but clown fish has").wait_for()


@pytest.mark.parametrize("k", range(1, 9))
def test_every_score_can_be_dragged_and_moved_by_keys(visit, k):
    visit.open("")
    shows(visit)
    visit.drag(f"score-{k}", 0, 15)
    visit.page.wait_for_function(
        "() => location.hash.includes('scores=') && !location.hash.includes('scores=4.2,0.4,2.1,-0.6,1.3,0.2,-3,-1.2')"
    )
    scores = [float(value) for value in visit.link()["scores"].split(",")]
    assert [i for i, (a, b) in enumerate(zip(scores, SCORES, strict=True), 1) if a != b] == [k]
    assert scores[k - 1] < SCORES[k - 1]
    shows(visit, scores=scores)
    visit.page.get_by_test_id(f"score-{k}").press("ArrowUp")
    moved = [*scores]
    moved[k - 1] = round(min(6, scores[k - 1] + 0.132), 1)
    shows(visit, scores=moved)


def test_the_script_prints_what_is_on_the_page(visit):
    visit.open("label=goldfish&smoothing=0.1")
    shows(visit, label="goldfish", smoothing=0.1)
    loss = visit.page.get_by_test_id("loss").inner_text()
    assert visit.script()[0].startswith(f"loss {loss}, ")
