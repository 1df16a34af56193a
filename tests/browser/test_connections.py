"""The exhibit of connections in a real browser: what the page shows is what the package computes."""

from __future__ import annotations

import pytest

from glassnet.lab.exhibits.connections import FORMS, ConnectionsExhibit, ConnectionsSettings

pytestmark = pytest.mark.browser
EXHIBIT = "connections"


def shows(visit, step: int = 0, **settings) -> None:
    exhibit = ConnectionsExhibit(ConnectionsSettings.model_validate(settings))
    exhibit.step(step)
    for name, form in zip(FORMS, exhibit.frame().values["forms"], strict=True):
        activation = f"{form['activation']:.3f}".replace("-", "\u2212")
        visit.shows(**{
            f"{name}_layer": f"{form['layer']:,}", f"{name}_all": f"{form['all']:,}",
            f"{name}_error": f"{form['testError']:.1%}", f"{name}_activation": activation,
        })  # fmt: skip
    visit.shows(label=f" {exhibit.scene().values['label']}")


CONTROLS = {
    "patch": (lambda v: v.fill("field", 5), {"field": 5}),
    "channels": (lambda v: v.fill("channels", 4), {"channels": 4}),
    "activation": (lambda v: v.choose("activation", "tanh"), {"activation": "tanh"}),
    "learning rate": (lambda v: v.choose("learningRate", "0.003"), {"learningRate": 0.003}),
    "seed": (lambda v: v.fill("seed", 7), {"seed": 7}),
    "unit": (lambda v: v.fill("unit", 40), {"unit": 40}),
    "sample": (lambda v: v.fill("sample", 9), {"sample": 9}),
}


@pytest.mark.parametrize("name", CONTROLS)
def test_a_control_changes_the_numbers_as_python_says(visit, name):
    act, settings = CONTROLS[name]
    visit.changes(act, shows, settings, n_steps=2, link="activation=sigmoid" if name == "unit" else "")


def test_a_click_on_the_matrix_looks_at_a_unit(visit):
    visit.open("activation=sigmoid")
    shows(visit, activation="sigmoid")
    visit.click_at("matrix-local", 0.5, 0.51)
    visit.page.wait_for_function("() => location.hash.includes('unit=37&')")
    shows(visit, activation="sigmoid", unit=37)
    assert visit.script()[0] == "full: parameters of the layer 4680, of the network 5410"
