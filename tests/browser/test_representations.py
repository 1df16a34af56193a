"""The exhibit of representations in a real browser: what the page shows is what the package computes."""

from __future__ import annotations

import re

import pytest

from glassnet.lab.exhibits.representations import STEPS, RepresentationsExhibit, RepresentationsSettings

pytestmark = pytest.mark.browser
sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect
EXHIBIT = "representations"
FEW = "nSamples=100"
MINUTES = 180_000  # to lay the layers out, on a busy machine


def computed(step: int = 0, **settings) -> tuple[dict, RepresentationsExhibit]:
    exhibit = RepresentationsExhibit(RepresentationsSettings.model_validate({"nSamples": 100, **settings}))
    exhibit.finish()
    if step:
        exhibit.step(step)
    return exhibit.frame().values, exhibit


def decimal(value: float, digits: int = 2) -> str:
    return f"{value:.{digits}f}".replace("-", "\u2212")


def opens(visit, link: str) -> None:
    visit.open(link)
    expect(visit.page).not_to_have_url(re.compile("check="), timeout=MINUTES)  # the exhibit has opened the link
    expect(visit.page.locator(".waiting")).to_be_hidden(timeout=MINUTES)


def shows(visit, step: int = 0, **settings) -> dict:
    expect(visit.page.locator(".waiting")).to_be_hidden(timeout=MINUTES)
    values, _ = computed(step, **settings)
    at, point = values["at"], values["point"]
    expect(visit.page.get_by_test_id("step-number")).to_have_text(str(step))
    visit.shows(
        separation=decimal(values["separation"][at], 3),
        trustworthiness=decimal(values["trustworthiness"][at], 3),
        looked=f"Picture {point['index']}: {point['label']} ({point['group']})",
        answer=f"The network says {point['answer']}, {100 * point['probability']:.1f}%.",
        place=f"at ({decimal(point['x'])}, {decimal(point['y'])})",
        **{f"near_label_{k}": near["label"] for k, near in enumerate(point["neighbours"])},
    )
    same = sum(near["label"] == point["label"] for near in point["neighbours"])
    visit.shows(alike=f"{same} of 5 are of its class.")
    return values


CONTROLS = {
    "groups": (lambda v: v.tile("classes-coarse"), {"classes": "coarse"}),
    "pictures": (lambda v: v.tile("marks-pictures"), {"marks": "pictures"}),
    "point": (lambda v: v.fill("point", 17), {"point": 17}),
    "seed": (lambda v: v.fill("seed", 3), {"seed": 3}),
    "more": (lambda v: v.choose("nSamples", "200"), {"nSamples": 200}),
}


@pytest.mark.parametrize("name", CONTROLS)
def test_a_control_changes_the_numbers_as_python_says(visit, name):
    act, settings = CONTROLS[name]
    opens(visit, FEW)
    shows(visit)
    before = visit.page.get_by_test_id("map").evaluate("map => map.toDataURL()")
    act(visit)
    shows(visit, **settings)
    visit.page.wait_for_function(
        "before => document.querySelector('[data-testid=map]').toDataURL() !== before", arg=before
    )


@pytest.mark.data
def test_photographs_are_looked_at_through_a_deeper_network(visit):
    opens(visit, FEW)
    visit.tile("network-resnet")
    expect(visit.page.get_by_test_id("source")).to_contain_text("CIFAR-10", timeout=MINUTES)
    shows(visit, network="resnet")
    visit.tile("marks-pictures")
    visit.tile("classes-coarse")
    expect(visit.page.get_by_test_id("legend")).to_have_text("animalvehicle")
    shows(visit, network="resnet", classes="coarse")


def test_it_flies_through_the_layers(visit):
    opens(visit, f"{FEW}&step={STEPS + 20}")
    shows(visit, STEPS + 20)
    visit.shows(where="From s2 to s4")
    visit.click("step")
    shows(visit, STEPS + 21)
    visit.click("stop-4")
    visit.shows(where="At f6")
    values = shows(visit, 4 * STEPS)
    printed = visit.script()
    for k, line in enumerate(printed[:6]):
        separation, trust = (values[name][k] for name in ("separation", "trustworthiness"))
        told = f"separation {separation:.3f} trustworthiness {trust:.3f}"
        assert line.split() == [values["layers"][k], *told.split()]
    point = values["point"]
    assert printed[6] == f"layer f6, picture 1: {point['label']}"
    assert list(map(float, printed[8].split()[1:])) == pytest.approx([point["x"], point["y"]], abs=0.0051)
    assert printed[10:] == [f"{near['index']} {near['label']}" for near in point["neighbours"]]
    visit.click("reset")
    shows(visit)
    visit.choose("speed", "25")
    visit.click("play")
    visit.shows(where="At output")
    shows(visit, 5 * STEPS)
    visit.choose("speed", "1")


def test_a_point_and_its_neighbours_are_clicked(visit):
    opens(visit, f"{FEW}&point=5")
    values = shows(visit, point=5)
    visit.click("near-2")
    index = values["point"]["neighbours"][2]["index"]
    shows(visit, point=index)
    _, exhibit = computed()
    places = exhibit.space.places[0].astype(float)
    low, high = places.min(axis=0), places.max(axis=0)
    side = 1.08 * (high - low).max()
    x, y = (places[41] - (low + high) / 2) / side
    visit.page.evaluate("scrollTo(0, 0)")
    visit.click_at("map", 0.5 + x, 0.5 - y)
    shows(visit, point=42)
