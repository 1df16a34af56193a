"""The Hopfield network's exhibit in a real browser: what the page shows is what the package computes."""

from __future__ import annotations

import pytest

from glassnet.lab.exhibits.hopfield import HopfieldExhibit, HopfieldSettings, from_hex

pytestmark = pytest.mark.browser
EXHIBIT = "hopfield"
T, O, H = HopfieldSettings().patterns


def computed(step: int = 0, **settings) -> HopfieldExhibit:
    exhibit = HopfieldExhibit(HopfieldSettings.model_validate(settings))
    if step:
        exhibit.step(step)
    return exhibit


def number(value: float, digits: int = 2) -> str:
    return f"{value:.{digits}f}".replace("-", "\u2212")


def shows_memory(visit, exhibit: HopfieldExhibit) -> None:
    values = exhibit.frame().values
    overlaps = {f"overlap_{i + 1}": number(overlap) for i, overlap in enumerate(values["overlaps"])}
    load = f"{exhibit.scene().values['load']:.2f}"
    visit.shows(energy=number(values["energy"]), load=load, step_number=str(exhibit.history.step), **overlaps)
    dark = visit.page.locator("[data-testid=state] .piece").count()
    assert dark == exhibit.frame().arrays["state"].sum()


def shows_tour(visit, exhibit: HopfieldExhibit) -> None:
    values = exhibit.frame().values
    visit.shows(
        length=f"{values['length']:.3f}", tour_energy=f"{values['energy']:.3f}",
        shortest=f"{exhibit.scene().values['shortest']:.3f}", step_number=str(exhibit.history.step),
    )  # fmt: skip


MEMORY = {
    "corruption": (lambda v: v.fill("corruption", 40), {"corruption": 40}),
    "rule": (lambda v: v.choose("rule", "storkey"), {"rule": "storkey"}),
    "update": (lambda v: v.tile("update-synchronous"), {"update": "synchronous"}),
    "seed": (lambda v: v.fill("seed", 7), {"seed": 7}),
    "source": (lambda v: v.click("corrupt-3"), {"source": 3}),
    "forget": (lambda v: v.click("forget-2"), {"patterns": [T, H]}),
    "store an empty picture": (lambda v: v.click("store-empty"), {"patterns": [T, O, H, "0" * 25]}),
}


@pytest.mark.parametrize("name", MEMORY)
def test_a_control_of_the_memory_changes_the_numbers_as_python_says(visit, name):
    act, settings = MEMORY[name]
    visit.open("")
    shows_memory(visit, computed())
    act(visit)
    shows_memory(visit, computed(**settings))
    visit.click("step", "step")
    shows_memory(visit, computed(2, **settings))


def test_the_state_and_the_patterns_are_drawn_on(visit):
    visit.open("")
    shows_memory(visit, computed())
    visit.click_at("state", 0.25, 0.65)
    visit.page.wait_for_function("() => /probe=[0-9a-f]/.test(location.hash)")
    probe = visit.link()["probe"]
    changed = from_hex(probe) != computed().settings.corrupted()
    assert changed.nonzero()[0].tolist() == [62]
    shows_memory(visit, computed(probe=probe))
    visit.click_at("pattern-2", 0.55, 0.55)
    visit.page.wait_for_function("before => !location.hash.includes(before)", arg=O)
    patterns = visit.link()["patterns"].split(",")
    assert (from_hex(patterns[1]) != from_hex(O)).nonzero()[0].tolist() == [55]
    shows_memory(visit, computed(probe=probe, patterns=patterns))
    visit.fill("corruption", 10)
    shows_memory(visit, computed(corruption=10, patterns=patterns))
    visit.click("store-state")
    shows_memory(visit, computed(corruption=10, patterns=[*patterns, format_state(corruption=10, patterns=patterns)]))


def format_state(**settings) -> str:
    from glassnet.lab.exhibits.hopfield import to_hex

    return to_hex(HopfieldSettings.model_validate(settings).corrupted())


def test_recall_rolls_back_to_the_pattern_and_the_script_says_so(visit):
    visit.open("corruption=20&step=200")
    exhibit = computed(200, corruption=20)
    shows_memory(visit, exhibit)
    visit.shows(verdict="At rest in pattern 1.", overlap_1="1.00")
    energies = visit.paths("curve", "strong")[0][1::2]
    assert len(energies) == 201
    assert energies == sorted(energies)  # downwards on a screen
    printed = visit.script()
    assert printed[3] == f"energy {exhibit.frame().values['energy']:.2f}"
    assert printed[1].removeprefix("energy at rest ") == printed[3].removeprefix("energy ")
    visit.page.get_by_test_id("time").fill("31")
    shows_memory(visit, computed(31, corruption=20))
    visit.click("reset")
    shows_memory(visit, computed(corruption=20))


def test_a_cycle_of_two_states_and_an_overload_are_told(visit):
    from glassnet.lab.exhibits.hopfield import to_hex

    patterns = ["5555555555555555555555555"] * 12
    visit.open(f"patterns={','.join(patterns)}&rule=hebb")
    exhibit = computed(patterns=patterns)
    shows_memory(visit, exhibit)
    stored = [to_hex(from_hex(f"{i:025x}") * from_hex(T)) for i in range(1, 13)]
    overloaded = computed(patterns=stored, rule="hebb")
    visit.open(f"patterns={','.join(stored)}")
    shows_memory(visit, overloaded)


TOUR = {
    "cities": (lambda v: v.fill("nCities", 6), {"nCities": 6}),
    "start": (lambda v: v.fill("restart", 5), {"restart": 5}),
    "seed": (lambda v: v.fill("seed", 7), {"seed": 7}),
}


@pytest.mark.parametrize("name", TOUR)
def test_a_control_of_the_tour_changes_the_numbers_as_python_says(visit, name):
    act, settings = TOUR[name]
    visit.open("mode=tour&step=90")
    shows_tour(visit, computed(90, mode="tour"))
    act(visit)
    shows_tour(visit, computed(mode="tour", **settings))
    visit.click("step")
    shows_tour(visit, computed(1, mode="tour", **settings))


def test_cities_are_set_and_taken_away_by_clicks(visit):
    visit.open("")
    visit.tile("mode-tour")
    shows_tour(visit, computed(mode="tour"))
    visit.click_at("map", 0.3, 0.3)
    visit.page.wait_for_function("() => /cities=[0-9]/.test(location.hash)")
    cities = [float(value) for value in visit.link()["cities"].split(",")]
    assert len(cities) == 22
    shows_tour(visit, computed(mode="tour", cities=cities))
    visit.click_at("map", 0.3, 0.3)
    shows_tour(visit, computed(mode="tour", cities=cities[:-2]))
    visit.click("random-cities")
    shows_tour(visit, computed(mode="tour"))


def test_the_units_decide_on_a_tour_which_the_script_prints(visit):
    visit.open("mode=tour&restart=4&step=399")
    exhibit = computed(399, mode="tour", restart=4)
    shows_tour(visit, exhibit)
    visit.shows(decided="Decided: one unit in each row and column.")
    values = exhibit.frame().values
    assert visit.script() == [
        f"length {values['length']:.3f}",
        f"energy {values['energy']:.3f}",
        f"shortest of all runs {exhibit.scene().values['shortest']:.3f}",
    ]
    line = visit.paths("map", "strong")[0]
    assert len(line) == 2 * 10
