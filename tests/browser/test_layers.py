"""The data transformers' exhibit in a real browser: what the page shows is what the package computes."""

from __future__ import annotations

import pytest

from glassnet.lab.exhibits.layers import LayersExhibit, LayersSettings

pytestmark = pytest.mark.browser
EXHIBIT = "layers"
MINUS = "\u2212"


def computed(step: int = 0, **settings) -> LayersExhibit:
    exhibit = LayersExhibit(LayersSettings.model_validate(settings))
    if step:
        exhibit.step(step)
    return exhibit


def text(value: float, digits: int) -> str:
    return f"{value:.{digits}f}".replace("-", MINUS)


def equation(exhibit: LayersExhibit, unit: int) -> str:
    frame = exhibit.frame()
    look, raised, low = frame.values["look"], "\u2070\u00b9\u00b2\u00b3\u2074", "\u2080\u2081\u2082"
    below = [f"h{raised[look - 1]}{low[k]}" if look > 1 else f"x{low[k]}/3" for k in (1, 2)]
    weight, bias = frame.arrays["weights"][look - 1][:, unit], frame.arrays["biases"][look - 1][unit]
    terms = [f"{text(w, 2)} {name}" for w, name in zip(weight, below, strict=True)]
    inner = " + ".join([*terms, text(bias, 2)]).replace(f"+ {MINUS}", f"{MINUS} ")
    return f"h{raised[look]}{low[unit + 1]} = {exhibit.settings.activation.replace('_', ' ')}({inner})"


def shows(visit, exhibit: LayersExhibit) -> None:
    from playwright.sync_api import expect

    values, arrays = exhibit.frame().values, exhibit.frame().arrays
    visit.shows(
        loss=f"{values['loss']:.4f}", error=f"{values['error']:.1%}", probability=f"{values['probability']:.3f}",
        equation_1=equation(exhibit, 0), equation_2=equation(exhibit, 1),
    )  # fmt: skip
    cells = [pair for z, h in zip(arrays["before"], arrays["batch"][1:, 0], strict=True) for pair in (z, h)]
    signal = visit.page.get_by_test_id("signal").locator("tbody td")
    expect(signal).to_have_text([f"{text(a, 3)} {text(b, 3)}" for a, b in cells])


CONTROLS = {
    "data": (lambda v: v.choose("dataset", "circle"), {"dataset": "circle"}),
    "noise": (lambda v: v.fill("noise", 30), {"noise": 30}),
    "layers": (lambda v: v.fill("depth", 4), {"depth": 4}),
    "activation": (lambda v: v.choose("activation", "leaky_relu"), {"activation": "leaky_relu"}),
    "learning rate": (lambda v: v.choose("learningRate", "0.003"), {"learningRate": 0.003}),
    "seed": (lambda v: v.fill("seed", 7), {"seed": 7}),
    "point, x1": (lambda v: v.fill("x1", -3.5), {"x1": -3.5}),
    "point, x2": (lambda v: v.fill("x2", 4), {"x2": 4}),
    "layer looked at": (lambda v: v.click("look-2"), {"look": 2}),
}


@pytest.mark.parametrize("name", CONTROLS)
def test_a_control_changes_the_numbers_as_python_says(visit, name):
    act, settings = CONTROLS[name]
    visit.changes(act, lambda visit, step, **now: shows(visit, computed(step, **now)), settings, n_steps=1)


def test_a_click_on_the_plane_moves_the_point(visit):
    visit.open("")
    shows(visit, computed())
    visit.click_at("plane-0", 0.4, 0.6)
    visit.page.wait_for_function("() => !location.hash.includes('x1=2&')")
    link = visit.link()
    point = {name: float(link[name]) for name in ("x1", "x2")}
    assert -6 < point["x1"] < 2
    shows(visit, computed(**point))


def test_the_grid_is_drawn_where_the_layer_puts_it(visit):
    visit.open("step=200")
    exhibit = computed(200)
    shows(visit, exhibit)
    frame = exhibit.frame()
    line = visit.paths("plane-2", "warp")[3]
    rows = frame.arrays["grid"][2].reshape(26, 41, 2)[3]
    x0, x1, y0, y1 = frame.values["ranges"][2]
    assert len(line) == 2 * len(rows)
    width = (line[-2] - line[0]) / (rows[-1, 0] - rows[0, 0]) * (x1 - x0)
    height = (line[1] - line[-1]) / (rows[-1, 1] - rows[0, 1]) * (y1 - y0)
    assert width == pytest.approx(height, rel=0.1)  # the plane is a square
    assert visit.script()[:2] == [f"loss {frame.values['loss']:.4f}", f"error {frame.values['error']:.1%}"]


def test_play_the_slider_and_reset(visit):
    visit.open("")
    shows(visit, computed())
    visit.choose("speed", "5")
    visit.click("play")
    visit.page.wait_for_function("() => Number(document.querySelector('[data-testid=time]').max) >= 60")
    visit.click("play")
    visit.settle()
    visit.page.get_by_test_id("time").fill("37")
    shows(visit, computed(37))
    visit.click("reset")
    shows(visit, computed())
