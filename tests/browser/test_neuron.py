"""The neuron's exhibit in a real browser: what the page shows is what the package computes."""

from __future__ import annotations

import pytest

from glassnet.lab.exhibits.neuron import NeuronExhibit, NeuronSettings

pytestmark = pytest.mark.browser
EXHIBIT = "neuron"


def values(**settings) -> dict:
    return NeuronExhibit(NeuronSettings.model_validate(settings)).frame().values


def shows(visit, **settings) -> dict:
    """The numbers of all four cards are those of these settings."""
    expected = values(**settings)
    now = NeuronSettings.model_validate(settings)
    visit.shows(
        rate=f"{expected['rate']:.3f}",
        spikes=str(expected["spikes"]),
        difference=f"{100 * expected['sigmoid']['difference']:.1f}%",
        neurons=str(expected["formula"]["nNeurons"]),
        layers=str(len(expected["formula"]["labels"])),
        sum=f"{now.a} + {now.b} = {expected['sum']}",
        **{f"truth_answer_{i}": str(answer) for i, answer in enumerate(expected["answers"])},
        **{f"table_answer_{i}": str(answer) for i, answer in enumerate(expected["formula"]["table"])},
    )
    return expected


CONTROLS = {
    "w1": (lambda v: v.fill("weight1", -0.5), {"weight1": -0.5}),
    "w2": (lambda v: v.fill("weight2", 2), {"weight2": 2}),
    "three inputs": (lambda v: v.page.get_by_test_id("threeInputs").check(), {"threeInputs": True}),
    "threshold": (lambda v: v.fill("threshold", 0.5), {"threshold": 0.5}),
    "convention": (lambda v: v.choose("convention", ">"), {"convention": ">"}),
    "gate and": (lambda v: v.click("gate-AND"), {}),
    "gate or": (lambda v: v.click("gate-OR"), {"threshold": 0.5}),
    "gate not": (lambda v: v.click("gate-NOT"), {"weight1": -0.6, "weight2": 0, "threshold": -0.5}),
    "current": (lambda v: v.fill("current", 0.5), {"current": 0.5}),
    "spike threshold": (lambda v: v.fill("spikeThreshold", 0.5), {"spikeThreshold": 0.5}),
    "leak": (lambda v: v.fill("leak", 0), {"leak": 0}),
    "rest": (lambda v: v.fill("refractory", 5), {"refractory": 5}),
    "noise": (lambda v: v.fill("noise", 0.6), {"noise": 0.6}),
    "formula": (lambda v: v.fill("formula", "p -> q or r"), {"formula": "p -> q or r"}),
    "example": (lambda v: v.click("example-4"), {"formula": "a ^ b ^ c"}),
    "a": (lambda v: v.fill("a", 15), {"a": 15}),
    "b": (lambda v: v.fill("b", 15), {"b": 15}),
}


@pytest.mark.parametrize("name", CONTROLS)
def test_a_control_changes_the_numbers_as_python_says(visit, name):
    act, settings = CONTROLS[name]
    visit.changes(act, lambda visit, step, **now: shows(visit, **now), settings)
    assert NeuronSettings.from_link({k: v for k, v in visit.link().items() if k not in ("speed", "check")}) == (
        NeuronSettings.model_validate(settings), [],
    )  # fmt: skip


def test_the_third_weight_counts_where_there_is_a_third_input(visit):
    visit.open("threeInputs=true")
    shows(visit, threeInputs=True)
    visit.fill("weight3", -1)
    shows(visit, threeInputs=True, weight3=-1)


def test_a_new_seed_is_drawn(visit):
    visit.open("noise=0.5&seed=3")
    shows(visit, noise=0.5, seed=3)
    visit.click("seed-new")
    seed = int(visit.link()["seed"])
    assert seed != 3
    shows(visit, noise=0.5, seed=seed)


@pytest.mark.parametrize(("row", "verdict"), [(0, "sum 0.00 < 2.00: silent"), (3, "sum 2.00 \u2265 2.00: fires")])
def test_a_row_of_the_truth_table_goes_through_the_neuron(visit, row, verdict):
    visit.open("neuronRow=1")
    visit.shows(verdict="sum 1.00 < 2.00: silent")
    visit.click(f"truth-{row}")
    visit.shows(verdict=verdict)


def lit(visit, net: str) -> list[str]:
    return visit.page.eval_on_selector_all(
        f"[data-testid={net}] g.lit text.inside", "all => all.map((text) => text.textContent)"
    )


def test_inputs_are_switched_in_the_drawings(visit):
    visit.open("a=0&b=0&neuronRow=0&formulaRow=0")
    shows(visit, a=0, b=0, neuronRow=0, formulaRow=0)
    assert lit(visit, "adder-net") == []
    visit.page.get_by_role("button", name="Switch a3").click()
    shows(visit, a=8, b=0)
    fires = values(a=8, b=0)["adder"]["fires"]
    assert len(lit(visit, "adder-net")) == sum(map(sum, fires))
    visit.page.get_by_test_id("formula-net").get_by_role("button", name="Switch b", exact=True).click()
    assert visit.link()["formulaRow"] == "1"
    visit.page.get_by_role("button", name="Switch x\u2081").press("Enter")
    assert visit.link()["neuronRow"] == "2"


@pytest.mark.parametrize(
    ("formula", "words"),
    [("a &", "formula, column"), ("a & b & c & d & e", "at most 4 names here, got 5"), ("__import__('os')", "column")],
)
def test_a_wrong_formula_is_told_and_changes_nothing(visit, formula, words):
    from playwright.sync_api import expect

    visit.open("formula=a")
    shows(visit, formula="a")
    visit.fill("formula", formula)
    expect(visit.page.get_by_test_id("notice")).to_contain_text(words)
    shows(visit, formula="a")


def test_the_script_prints_what_is_on_the_page(visit):
    link = {"noise": 0.4, "formula": "a -> b", "a": 9, "b": 5, "threshold": 0.5, "threeInputs": True}
    visit.open("noise=0.4&formula=a -> b&a=9&b=5&threshold=0.5&threeInputs=true")
    expected = shows(visit, **link)
    assert visit.script() == [
        "answers " + " ".join(map(str, expected["answers"])),
        f"rate {expected['rate']:.3f}",
        f"neurons {expected['formula']['nNeurons']}",
        "table " + " ".join(map(str, expected["formula"]["table"])),
        "sum 14",
    ]


def test_the_formulas_are_shown_and_hidden(visit):
    visit.open("")
    formulas = visit.page.get_by_test_id("equations")
    assert formulas.is_hidden()
    visit.click("show-equations")
    assert "threshold" in formulas.inner_text()
    visit.click("show-equations")
    assert formulas.is_hidden()
