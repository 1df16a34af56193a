"""The exhibit of normalization in a real browser: what the page shows is what the package computes."""

from __future__ import annotations

import re

import pytest

from glassnet.lab.exhibits.normalization import NormalizationExhibit, NormalizationSettings

pytestmark = pytest.mark.browser
EXHIBIT = "normalization"


def text(value: float, digits: int = 4) -> str:
    return f"{value:.{digits}f}".replace("-", "\u2212")


def shows(visit, step: int = 0, **settings) -> None:
    from playwright.sync_api import expect

    exhibit = NormalizationExhibit(NormalizationSettings.model_validate(settings))
    exhibit.step(step)
    values = exhibit.frame().values
    visit.shows(test_error=f"{values['testError']:.1%}")
    for side in ("before", "after"):
        visit.shows(**{f"{side}_mean": text(values[side]["mean"]), f"{side}_std": text(values[side]["std"])})
    rows = [values["batch"], values["running"]]
    cells = [text(row[name]) if row else "\u2013" for row in rows for name in ("mean", "variance")]
    expect(visit.page.get_by_test_id("statistics").locator("td")).to_have_text(cells)


CONTROLS = {
    "none": (lambda v: v.choose("norm", "none"), {"norm": "none"}),
    "layer": (lambda v: v.choose("norm", "layer"), {"norm": "layer"}),
    "group": (lambda v: v.choose("norm", "group"), {"norm": "group"}),
    "inputs times": (lambda v: v.fill("inputScale", 3), {"inputScale": 3}),
    "inputs plus": (lambda v: v.fill("inputOffset", -2), {"inputOffset": -2}),
    "activation": (lambda v: v.choose("activation", "relu"), {"activation": "relu"}),
    "learning rate": (lambda v: v.choose("learningRate", "1"), {"learningRate": 1}),
    "seed": (lambda v: v.fill("seed", 7), {"seed": 7}),
    "unit": (lambda v: v.fill("unit", 6), {"unit": 6}),
}


@pytest.mark.parametrize("name", CONTROLS)
def test_a_control_changes_the_numbers_as_python_says(visit, name):
    act, settings = CONTROLS[name]
    visit.changes(act, shows, settings, n_steps=2)


def test_the_sample_matters_where_a_sample_is_normalized(visit):
    visit.changes(lambda v: v.fill("sample", 9), shows, {"sample": 9}, n_steps=1, link="norm=group&unit=7")
    lines = visit.script()[1:]
    assert len(lines) == 2
    for side, line in zip(("before", "after"), lines, strict=True):
        printed = re.fullmatch(r"mean (\S+), standard deviation (\S+)", line)
        assert printed is not None
        for quantity, value in zip(("mean", "std"), printed.groups(), strict=True):
            shown = visit.page.get_by_test_id(f"{side}-{quantity}").inner_text()
            assert float(value) == float(shown.replace("\u2212", "-"))  # as numbers: -0.0000 is 0.0000


def test_a_click_looks_at_a_unit_and_a_sample(visit):
    visit.open("norm=layer")
    shows(visit, norm="layer")
    visit.click_at("map-after", 0.51, 0.7)
    visit.page.wait_for_function("() => location.hash.includes('unit=6&sample=26')")
    shows(visit, norm="layer", unit=6, sample=26)
