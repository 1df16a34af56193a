"""The exhibit of any function in a real browser: what the page shows is what the package computes."""

from __future__ import annotations

import numpy as np
import pytest

from glassnet.lab.exhibits.anyfunction import N_DRAWN, AnyFunctionExhibit, AnyFunctionSettings

pytestmark = pytest.mark.browser
EXHIBIT = "anyfunction"


def computed(step: int = 0, **settings) -> AnyFunctionExhibit:
    exhibit = AnyFunctionExhibit(AnyFunctionSettings.model_validate(settings))
    if step:
        exhibit.step(step)
    return exhibit


def shows_built(visit, **settings) -> None:
    exhibit = computed(**settings)
    values = exhibit.frame().values
    visit.shows(
        largest_error=f"{values['errors'][0]:.4f}", square_error=f"{values['squares'][0]:.6f}",
        unit_count=str(2 * exhibit.settings.bumps), parameters=str(exhibit.scene().values["parameters"][0]),
    )  # fmt: skip


def shows_trained(visit, exhibit: AnyFunctionExhibit) -> None:
    values, sizes = exhibit.frame().values, exhibit.scene().values["parameters"]
    for i, kind in enumerate(("wide", "deep")):
        visit.shows(**{
            f"{kind}_square": f"{values['squares'][i]:.6f}",
            f"{kind}_largest": f"Largest error {values['errors'][i]:.4f}.",
        })  # fmt: skip
        assert f"{sizes[i]} parameters" in visit.page.get_by_test_id(f"{kind}-size").inner_text()


BUILT = {
    "curve": (lambda v: v.choose("shape", "sawtooth"), {"shape": "sawtooth"}),
    "bumps": (lambda v: v.fill("bumps", 30), {"bumps": 30}),
    "steepness": (lambda v: v.fill("steepness", 5), {"steepness": 5}),
}
TRAINED = {
    "curve": (lambda v: v.choose("shape", "hill"), {"shape": "hill"}),
    "width": (lambda v: v.fill("width", 12), {"width": 12}),
    "layers": (lambda v: v.fill("layers", 5), {"layers": 5}),
    "units": (lambda v: v.fill("units", 9), {"units": 9}),
    "activation": (lambda v: v.choose("activation", "relu"), {"activation": "relu"}),
    "learning rate": (lambda v: v.choose("learningRate", "0.1"), {"learningRate": 0.1}),
    "seed": (lambda v: v.fill("seed", 7), {"seed": 7}),
}


@pytest.mark.parametrize("name", BUILT)
def test_a_control_of_the_built_network_changes_the_numbers_as_python_says(visit, name):
    act, settings = BUILT[name]
    visit.open("")
    shows_built(visit)
    act(visit)
    shows_built(visit, **settings)


@pytest.mark.parametrize("name", TRAINED)
def test_a_control_of_training_changes_the_numbers_as_python_says(visit, name):
    act, settings = TRAINED[name]
    visit.open("mode=learned")
    shows_trained(visit, computed(mode="learned"))
    act(visit)
    shows_trained(visit, computed(mode="learned", **settings))
    visit.click("step", "step")
    shows_trained(visit, computed(2, mode="learned", **settings))


def test_a_curve_is_drawn_by_hand(visit):
    visit.open("")
    shows_built(visit)
    box = visit.page.get_by_test_id("graph").bounding_box()
    visit.page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.7 * box["height"])
    visit.page.mouse.down()
    visit.page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.2 * box["height"], steps=5)
    visit.page.mouse.up()
    visit.page.wait_for_function("() => location.hash.includes('shape=own')")
    link = None
    while (now := visit.link()) != link:  # the stroke is still on its way
        link = now
        visit.page.wait_for_timeout(1000)
    curve = [float(value) for value in link["curve"].split(",")]
    assert len(curve) == N_DRAWN
    shows_built(visit, shape="own", curve=curve)
    changed = [i for i, (new, old) in enumerate(zip(curve, AnyFunctionSettings().values(), strict=True)) if new != old]
    assert len(changed) > 8
    assert curve[changed[-1]] > 0.2 > 0 > curve[changed[0]]  # the stroke went upwards
    visit.tile("mode-learned")
    shows_trained(visit, computed(mode="learned", shape="own", curve=curve))


def test_the_scripts_print_the_numbers_of_the_page(visit):
    visit.open("bumps=20&shape=hill")
    shows_built(visit, bumps=20, shape="hill")
    error, square = (visit.page.get_by_test_id(name).inner_text() for name in ("largest-error", "square-error"))
    assert visit.script() == [f"largest error {error}", f"mean squared error {square}"]
    visit.open("mode=learned&step=150&seed=3")
    exhibit = computed(150, mode="learned", seed=3)
    shows_trained(visit, exhibit)
    values = exhibit.frame().values
    printed = [[float(word.split()[-1]) for word in line.split(",")] for line in visit.script()]
    expected = list(zip(values["errors"], values["squares"], strict=True))
    np.testing.assert_allclose(printed, expected, rtol=1e-3, atol=1e-6)


def test_the_slider_goes_back_and_reset_begins_again(visit):
    visit.open("mode=learned&step=60")
    shows_trained(visit, computed(60, mode="learned"))
    visit.page.get_by_test_id("time").fill("21")
    shows_trained(visit, computed(21, mode="learned"))
    visit.click("reset")
    shows_trained(visit, computed(mode="learned"))
