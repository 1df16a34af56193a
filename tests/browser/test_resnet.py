"""The exhibit of AlexNet and ResNet in a real browser: what the page shows is what the package computes."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from glassnet.lab.exhibits.resnet import ResNetExhibit, ResNetSettings
from glassnet.lab.exhibits.resnet_rooms import recorded_curves
from glassnet.lab.photos import read_photo

pytestmark = pytest.mark.browser
sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect
EXHIBIT = "resnet"
RACE = {"mode": "depth", "shallow": 4, "deep": 8, "maps": 3}
RACE_LINK = "&".join(f"{name}={value}" for name, value in RACE.items())


def computed(step: int = 0, own=None, **settings) -> ResNetExhibit:
    exhibit = ResNetExhibit(ResNetSettings.model_validate(settings), own)
    if step:
        exhibit.step(step)
    return exhibit


def number(value: float) -> str:
    return f"{value + 0:.4f}".replace("-", "\u2212")


def shows_photo(visit, exhibit: ResNetExhibit) -> None:
    values = exhibit.frame().values
    best = {f"best_{i + 1}": f"{name} {100 * p:.1f}%" for i, (name, p) in enumerate(values["best"])}
    visit.shows(network_name=f"Inside {values['network']}", parameters=f"{values['parameters']:,}", **best)
    unit, layers = values["unit"], values["layers"]
    place = (
        f"{layers[unit['layer']]['name']}, map {unit['map'] + 1}, row {unit['row'] + 1}, column {unit['column'] + 1}"
    )
    visit.shows(unit_title=place)
    for key in ("output", *(("branch", "shortcut") if unit["branch"] is not None else ())):
        expect(visit.page.get_by_test_id("unit")).to_contain_text(number(unit[key]))


def shows_race(visit, exhibit: ResNetExhibit) -> None:
    names = [f"loss_{kind}_{depth}" for kind in ("plain", "residual") for depth in ("shallow", "deep")]
    losses = exhibit.frame().values["losses"]
    texts = ["\u2013" if loss is None else f"{loss:.4f}" for loss in losses]
    visit.shows(step_number=str(exhibit.history.step), **dict(zip(names, texts, strict=True)))


def test_every_control_of_the_photo_changes_the_numbers_as_python_says(visit):
    visit.open("")
    shows_photo(visit, computed())
    settings, middle = {}, {"lookRow": 17, "lookColumn": 17}
    for act, change in (
        (lambda: visit.choose("picture", "china"), {"picture": "china"}),
        (lambda: visit.fill("lookLayer", 4), {"lookLayer": 4}),
        (lambda: visit.fill("lookMap", 7), {"lookMap": 7}),
        (lambda: visit.fill("lookRow", 9), {"lookRow": 9}),
        (lambda: visit.fill("lookColumn", 30), {"lookColumn": 30}),
        (lambda: visit.click_at("maps-1", 2.5 / 16, 0.51), {"lookLayer": 1, "lookMap": 3} | middle),
        (lambda: visit.tile("network-alexnet"), {"network": "alexnet"}),
    ):
        act()
        settings |= change
        shows_photo(visit, computed(**settings))
    expect(visit.page.get_by_test_id("untrained")).to_be_visible()


def test_there_is_no_own_network_without_one(visit):
    visit.open("")
    shows_photo(visit, computed())
    visit.tile("network-own")
    expect(visit.page.get_by_test_id("notice")).to_contain_text("glassnet lab --network RUN")
    shows_photo(visit, computed())


@pytest.mark.data
def test_photos_of_cifar_are_chosen_by_slider_and_by_click(visit):
    visit.open("")
    visit.choose("picture", "cifar")
    shows_photo(visit, computed(picture="cifar"))
    visit.fill("cifarClass", 8)
    exhibit = computed(picture="cifar", cifarClass=8)
    shows_photo(visit, exhibit)
    visit.shows(truth="It is a photo of the class ship.")
    visit.click_at("choice", 0.1, 0.75)
    shows_photo(visit, computed(picture="cifar", cifarClass=5))


def test_a_photo_of_ones_own_goes_through(visit):
    visit.open("")
    shows_photo(visit, computed())
    pixels = np.random.default_rng(0).integers(0, 255, (60, 90, 3), np.uint8)
    file = BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    photo = {"name": "photo.png", "mimeType": "image/png", "buffer": file.getvalue()}
    visit.page.get_by_test_id("file").set_input_files(photo)
    expect(visit.page.get_by_test_id("picture")).to_have_value("own")
    shows_photo(visit, computed(own=read_photo(file.getvalue()), picture="own"))
    bad = {"name": "photo.png", "mimeType": "image/png", "buffer": b"no"}
    visit.page.get_by_test_id("file").set_input_files(bad)
    expect(visit.page.get_by_test_id("notice")).to_contain_text("not a picture")


def test_the_script_of_the_photo_prints_what_the_page_shows(visit):
    visit.open("picture=china&lookLayer=6")
    values = computed(picture="china", lookLayer=6).frame().values
    shows_photo(visit, computed(picture="china", lookLayer=6))
    printed = visit.script()
    assert printed[0] == "{}: {:.4f}".format(*values["best"][0])
    assert printed[5] == f"output {values['unit']['output']:.4f}"


def test_every_control_of_the_race_changes_the_numbers_as_python_says(visit):
    visit.open(RACE_LINK)
    shows_race(visit, computed(**RACE))
    settings = dict(RACE)
    for act, change in (
        (lambda: visit.fill("deep", 10), {"deep": 10}),
        (lambda: visit.fill("shallow", 6), {"shallow": 6}),
        (lambda: visit.fill("maps", 4), {"maps": 4}),
        (lambda: visit.choose("learningRate", "0.1"), {"learningRate": 0.1}),
        (lambda: visit.fill("seed", 3), {"seed": 3}),
    ):
        act()
        settings |= change
        visit.click("step", "step")
        shows_race(visit, computed(2, **settings))


def test_the_race_goes_back_in_time_and_its_script_prints_its_losses(visit):
    visit.open(f"{RACE_LINK}&step=21")
    exhibit = computed(21, **RACE)
    shows_race(visit, exhibit)
    assert visit.script()[1::2] == [f"loss {loss:.4f}" for loss in exhibit.frame().values["losses"]]
    assert len(visit.paths("race-residual", "strong")[0]) == 42
    if recorded := recorded_curves():
        expect(visit.page.get_by_test_id("recorded-note")).to_contain_text(recorded["file"])
        points = len(recorded["arrays"]["recorded0"])
        assert [len(line) for line in visit.paths("recorded-plain", "first")] == [2 * points] * 2
    visit.page.get_by_test_id("time").fill("7")
    shows_race(visit, computed(7, **RACE))
    visit.click("reset")
    shows_race(visit, computed(**RACE))
    visit.tile("mode-photo")
    shows_photo(visit, computed())
