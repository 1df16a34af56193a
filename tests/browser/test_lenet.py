"""LeNet-5's exhibit in a real browser: what the page shows is what the package computes."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from glassnet.lab.exhibits.lenet import LeNetExhibit, LeNetSettings
from glassnet.lab.uploads import read_digit

pytestmark = pytest.mark.browser
sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect
EXHIBIT = "lenet"


def computed(step: int = 0, **settings) -> LeNetExhibit:
    exhibit = LeNetExhibit(LeNetSettings.model_validate(settings))
    if step:
        exhibit.step(step)
    return exhibit


def number(value: float) -> str:
    return f"{value + 0:.4f}".replace("-", "\u2212")


def shows(visit, exhibit: LeNetExhibit) -> dict:
    """The answer, all ten probabilities, the unit's number and the strip are the exhibit's."""
    values = exhibit.frame().values
    visit.shows(
        digit=str(values["digit"]),
        reads=values["strip"]["read"],
        **{f"probability_{i}": f"{100 * p:.1f}%" for i, p in enumerate(values["probability"])},
    )
    unit, total = values["unit"], visit.page.get_by_test_id("unit-total")
    expect(total).to_contain_text(number(unit["output"]))
    if unit["z"] is not None:
        expect(total).to_contain_text(f"z {number(unit['z'])}")
    return values


CONTROLS = {
    "right": (lambda v: v.fill("right", 6), {"right": 6}),
    "down": (lambda v: v.fill("down", -5), {"down": -5}),
    "size": (lambda v: v.fill("scale", 0.6), {"scale": 0.6}),
    "turn": (lambda v: v.fill("rotation", 90), {"rotation": 90}),
    "width": (lambda v: v.fill("squeeze", 0.4), {"squeeze": 0.4}),
    "thicken": (lambda v: v.fill("thicken", 2.5), {"thicken": 2.5}),
    "thin": (lambda v: v.fill("thicken", -0.5), {"thicken": -0.5}),
    "blur": (lambda v: v.fill("blur", 2), {"blur": 2}),
    "sample": (lambda v: v.click("sample-7"), {"sample": None}),
    "clear": (lambda v: v.click("clear"), {"source": "drawn"}),
    "source": (lambda v: v.tile("source-drawn"), {"source": "drawn"}),
    "strip": (lambda v: v.fill("strip", "2015"), {"strip": "2015"}),
    "no strip": (lambda v: v.fill("strip", ""), {"strip": ""}),
    "gap": (lambda v: v.fill("gap", 20), {"gap": 20}),
    "training": (lambda v: v.tile("net-live"), {"net": "live"}),
}


@pytest.mark.parametrize("name", CONTROLS)
def test_a_control_changes_the_numbers_as_python_says(visit, name):
    act, settings = CONTROLS[name]
    visit.open("sample=3")
    shows(visit, computed(sample=3))
    act(visit)
    if "sample" in settings:
        settings = {"sample": computed().scene().values["samples"][7]}
    shows(visit, computed(**{"sample": 3, **settings}))


@pytest.mark.parametrize("place", ["c1-2", "s2-5", "c3-9", "s4-2", "c5-0", "f6-0", "output-0"])
def test_a_number_of_a_map_is_shown_with_what_makes_it(visit, place):
    visit.open("sample=3")
    shows(visit, computed(sample=3))
    visit.click(f"map-{place}")
    link = visit.link()
    assert f"{link['lookLayer']}-{link['lookMap']}" == place
    look = {name: value for name, value in link.items() if name.startswith("look")}
    unit = shows(visit, computed(sample=3, **look))["unit"]
    assert (unit["row"], unit["column"]) == (int(look["lookRow"]), int(look["lookColumn"]))


def test_changes_are_undone_together(visit):
    visit.open("rotation=70&blur=2&right=4&scale=0.5&squeeze=0.5&thicken=2&down=3")
    visit.click("straight")
    shows(visit, computed())


def test_another_digit_is_drawn_by_chance(visit):
    visit.open("sample=3")
    shows(visit, computed(sample=3))
    visit.click("another")
    sample = int(visit.link()["sample"])
    values = shows(visit, computed(sample=sample))
    visit.shows(truth=f"It is a {values['truth']}.")


def test_a_digit_is_drawn_and_seven_is_what_it_is(visit):
    visit.open("source=drawn")
    shows(visit, computed(source="drawn"))
    visit.page.evaluate("scrollTo(0, 0)")
    box = visit.page.get_by_test_id("pad").bounding_box()
    mouse = visit.page.mouse
    for start, *stops in (((0.28, 0.25), (0.72, 0.25), (0.45, 0.8)),):
        mouse.move(box["x"] + start[0] * box["width"], box["y"] + start[1] * box["height"])
        mouse.down()
        for x, y in stops:
            mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=8)
        mouse.up()
    drawn = visit.link()["drawn"]
    values = shows(visit, computed(source="drawn", drawn=drawn))
    assert values["digit"] == 7
    assert visit.script()[0] == "digit 7"


def test_a_picture_of_ones_own_is_read(visit):
    visit.open("")
    shows(visit, computed())
    paper = np.full((200, 160), 240, np.uint8)
    paper[30:170, 70:90] = 20
    file = BytesIO()
    Image.fromarray(paper).save(file, "PNG")
    picture = {"name": "one.png", "mimeType": "image/png", "buffer": file.getvalue()}
    visit.page.get_by_test_id("file").set_input_files(picture)
    visit.shows(truth="", digit="1")
    drawn = "".join(f"{pixel // 16:x}" for pixel in read_digit(file.getvalue()).ravel().tolist())
    assert visit.link()["drawn"] == drawn
    shows(visit, computed(source="drawn", drawn=drawn))


def test_what_is_no_picture_is_refused_with_words(visit):
    visit.open("sample=3")
    visit.page.get_by_test_id("file").set_input_files({"name": "a.png", "mimeType": "image/png", "buffer": b"no"})
    expect(visit.page.get_by_test_id("notice")).to_contain_text("not a picture")
    shows(visit, computed(sample=3))


def test_it_learns_on_the_page_and_the_script_prints_the_same(visit):
    visit.open("net=live&sample=3&lookLayer=f6&lookRow=2&step=12")
    expect(visit.page.get_by_test_id("step-number")).to_have_text("12", timeout=30_000)
    exhibit = computed(12, net="live", sample=3, lookLayer="f6", lookRow=2)
    values = shows(visit, exhibit)
    visit.shows(test_error=f"{100 * values['testError']:.1f}%")
    printed = visit.script()
    assert printed[0] == f"test error {values['testError']:.1%}"
    assert printed[1] == f"digit {values['digit']}"
    assert printed[-1] == "read " + " ".join(values["strip"]["read"])
    visit.choose("learningRate", "0.05")
    shows(visit, computed(net="live", sample=3, lookLayer="f6", lookRow=2, learningRate=0.05))
    visit.fill("seed", 4)
    shows(visit, computed(net="live", sample=3, lookLayer="f6", lookRow=2, learningRate=0.05, seed=4))
    visit.click("step")
    visit.fill("rotation", 45)
    visit.shows(step_number="1")  # a change of the digit does not start the training anew
    shows(visit, computed(1, net="live", sample=3, lookLayer="f6", lookRow=2, learningRate=0.05, seed=4, rotation=45))
