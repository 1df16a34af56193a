"""The activation functions' exhibit in a real browser: what the page shows is what the package computes."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

from glassnet.lab.exhibits.activations import NAMES, ActivationsExhibit, ActivationsSettings

pytestmark = pytest.mark.browser
EXHIBIT = "activations"
SUPERSCRIPTS = str.maketrans("\u207b\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079", "-0123456789")


def computed(**settings) -> ActivationsExhibit:
    return ActivationsExhibit(ActivationsSettings.model_validate(settings))


def read(visit, testid: str) -> float:
    """Read 0.0123 or 4.56x10^-7 as the page writes them."""
    text = visit.page.get_by_test_id(testid).inner_text().replace("\u2212", "-")
    mantissa, _, power = text.partition("\u00b710")
    return float(mantissa) * 10 ** int(power.translate(SUPERSCRIPTS) or 0)


def shows(visit, exhibit: ActivationsExhibit) -> None:
    values = exhibit.frame().values
    visit.shows(
        value=f"{values['value']:.4f}".replace("-", "\u2212"),
        derivative=f"{values['derivative']:.4f}".replace("-", "\u2212"),
    )
    visit.link()
    assert math.isclose(read(visit, "product"), values["product"], rel_tol=0.006)
    ratio = exhibit.scene().values["ratios"].get(exhibit.settings.activation, 0)
    assert math.isclose(read(visit, "ratio"), ratio, rel_tol=0.006)


CONTROLS = {
    "function": (lambda v: v.tile("activation-tanh"), {"activation": "tanh"}),
    "step": (lambda v: v.tile("activation-step"), {"activation": "step"}),
    "z": (lambda v: v.fill("z", -2.3), {"z": -2.3}),
    "layers": (lambda v: v.fill("depth", 20), {"depth": 20}),
    "initial weights": (lambda v: v.choose("init", "old"), {"init": "old"}),
    "gain": (lambda v: v.fill("gain", 2.5), {"gain": 2.5}),
    "seed": (lambda v: v.fill("seed", 7), {"seed": 7}),
}


@pytest.mark.parametrize("name", CONTROLS)
def test_a_control_changes_the_numbers_as_python_says(visit, name):
    act, settings = CONTROLS[name]
    visit.changes(act, lambda visit, step, **now: shows(visit, computed(**now)), settings)


def test_the_gradients_are_drawn_layer_by_layer(visit):
    visit.open("activation=tanh&init=old&depth=12")
    exhibit = computed(activation="tanh", init="old", depth=12)
    shows(visit, exhibit)
    heights = np.array(visit.paths("gradients", "strong")[0][1::2])
    logs = exhibit.scene().arrays["gradients"][NAMES.index("tanh")]
    slope = (heights[-1] - heights[0]) / (logs[-1] - logs[0])
    np.testing.assert_allclose(heights, heights[0] + slope * (logs - logs[0]), atol=0.2)
    bars = visit.page.eval_on_selector_all("[data-testid=saturated] .graph-bar", "bars => bars.length")
    assert bars == 12


def test_the_handle_moves_z(visit):
    visit.open("")
    shows(visit, computed())
    visit.drag("z-handle", 120, 0)
    z = float(visit.link()["z"])
    assert z > 2
    shows(visit, computed(z=z))
    visit.page.get_by_test_id("z-handle").press("ArrowLeft")
    z = float(visit.link()["z"])
    shows(visit, computed(z=z))


def test_the_script_prints_what_is_on_the_page(visit):
    visit.open("activation=sigmoid&depth=15&init=old&gain=1.5&z=0.5")
    exhibit = computed(depth=15, init="old", gain=1.5, z=0.5)
    shows(visit, exhibit)
    printed = visit.script()
    assert printed[0] == f"value {visit.page.get_by_test_id('value').inner_text()}"
    assert printed[1] == f"derivative {visit.page.get_by_test_id('derivative').inner_text()}"
    ratio = float(re.fullmatch(r"first layer's gradient / last one's (\S+)", printed[3])[1])
    assert math.isclose(ratio, read(visit, "ratio"), rel_tol=0.01)
    assert printed[4] == f"saturated in the last hidden layer {exhibit.scene().arrays['saturated'][-1]:.1%}"
