"""The perceptron's exhibit in a real browser: what the page shows is what the package computes."""

from __future__ import annotations

import pytest
from pages import new_page

from glassnet.lab.exhibits.perceptron import PerceptronExhibit, PerceptronSettings

pytestmark = pytest.mark.browser
EXHIBIT = "perceptron"


def computed(step: int = 0, **settings) -> PerceptronExhibit:
    exhibit = PerceptronExhibit(PerceptronSettings.model_validate(settings))
    if step:
        exhibit.step(step)
    return exhibit


def number(value: float) -> str:
    return f"{value:.2f}".replace("-", "\u2212")


def shows_rule(visit, exhibit: PerceptronExhibit) -> None:
    values, bound = exhibit.frame().values, exhibit.scene().values["bound"]
    w1, w2 = map(number, values["weight"])
    line = f"z = {w1} x\u2081 + {w2} x\u2082 + {number(values['bias'])}".replace("+ \u2212", "\u2212 ")
    bound = "\u221e" if bound is None else f"\u2264 {int(bound + 1e-9)}"
    visit.shows(mistakes=str(values["mistakes"]), wrong=str(values["wrong"]), bound=bound, line=line)


def shows_hand(visit, **settings) -> None:
    values = computed(mode="hand", **settings).frame().values
    visit.shows(hand_wrong=str(values["wrong"]), soft_loss=f"{values['softLoss']:.4f}")


CONTROLS = {
    "data": (lambda v: v.choose("dataset", "and"), {"dataset": "and"}),
    "one input": (lambda v: v.choose("dataset", "not"), {"dataset": "not"}),
    "variant": (lambda v: v.choose("variant", "averaged"), {"variant": "averaged"}),
    "order": (lambda v: v.page.get_by_test_id("shuffle").uncheck(), {"shuffle": False}),
    "seed": (lambda v: v.fill("seed", 7), {"seed": 7}),
}


@pytest.mark.parametrize("name", CONTROLS)
def test_a_control_of_the_rule_changes_the_numbers_as_python_says(visit, name):
    act, settings = CONTROLS[name]
    visit.changes(act, lambda visit, step, **now: shows_rule(visit, computed(step, **now)), settings, n_steps=3)
    assert PerceptronSettings.from_link(
        {k: v for k, v in visit.link().items() if k != "speed"}
    ) == (PerceptronSettings.model_validate(settings), [])  # fmt: skip


def test_single_corrections_and_the_script(visit):
    visit.open("seed=3")
    shows_rule(visit, computed(seed=3))
    exhibit = computed(seed=3)
    for _ in range(2):
        visit.click("next-mistake")
        exhibit.seek(exhibit.room.next_mistake())
        shows_rule(visit, exhibit)
        assert "a mistake" in visit.page.get_by_test_id("last").inner_text()
    last = exhibit.frame().values["last"]
    assert f"z = {number(last['z'])}" in visit.page.get_by_test_id("last").inner_text()
    values = exhibit.frame().values
    printed = visit.script()
    assert printed[:2] == [f"mistakes {values['mistakes']}", f"wrong {values['wrong']}"]
    assert printed[3] == f"bound {exhibit.scene().values['bound']:.1f}"


def test_points_are_set_and_erased_by_clicks(visit):
    visit.open("")
    shows_rule(visit, computed())
    visit.tile("newPoint-first")
    visit.click_at("plane", 0.8, 0.2)
    visit.page.wait_for_function("() => location.hash.includes('dataset=own')")
    link = visit.link()
    points = [float(value) for value in link["points"].split(",")]
    assert len(points) == 3 * 25
    assert points[-1] == 0
    assert points[-3] > 1
    assert points[-2] > 1
    visit.click("step", "step")
    shows_rule(visit, computed(2, dataset="own", points=points))
    visit.tile("newPoint-erase")
    visit.click_at("plane", 0.8, 0.2)
    visit.shows(plane_title="12 of 24 points on the wrong side")
    shows_rule(visit, computed(dataset="own", points=points[:-3]))


def test_quick_clicks_are_all_kept_though_answers_come_late(browser, lab_url, visit):
    context = browser.new_context(base_url=lab_url, viewport={"width": 1280, "height": 900})
    late = type(visit)(new_page(context, delay=400), EXHIBIT)
    late.open("")
    shows_rule(late, computed())
    late.tile("newPoint-first")
    late.click_at("plane", 0.8, 0.2)
    late.tile("newPoint-second")
    late.click_at("plane", 0.2, 0.8)
    late.page.wait_for_function("() => location.hash.split('points=')[1]?.split(/%2C|,/).length === 3 * 26")
    points = [float(value) for value in late.link()["points"].split(",")]
    assert points[-4::3] == [0, 1]
    shows_rule(late, computed(dataset="own", points=points))
    context.close()


def test_xor_goes_round_in_circles_and_the_certificate_says_why(visit):
    visit.open("dataset=xor&shuffle=false&step=22")
    exhibit = computed(22, dataset="xor", shuffle=False)
    shows_rule(visit, exhibit)
    first, last = exhibit.scene().values["circle"]
    text = "0.5\u00b7(0, 0) + 0.5\u00b7(1, 1) and 0.5\u00b7(0, 1) + 0.5\u00b7(1, 0) are both (0.5, 0.5)."
    circle = f" After {last} epochs the weights are those of epoch {first} again: they go round in circles."
    visit.shows(certificate=f"No line parts them, and this proves it: {text}{circle}")
    assert visit.script()[-1] == "certificate holds: True"


HAND = {
    "weight1": (lambda v: v.fill("weight1", -0.4), {"weight1": -0.4}),
    "weight2": (lambda v: v.fill("weight2", 1.25), {"weight2": 1.25}),
    "bias": (lambda v: v.fill("bias", -1.5), {"bias": -1.5}),
    "okay": (lambda v: v.click("line-okay"), {"weight2": -0.2, "bias": -0.1}),
    "good": (lambda v: v.click("line-good"), {"weight2": 1.0}),
    "data by hand": (lambda v: v.choose("dataset", "or"), {"dataset": "or"}),
}


@pytest.mark.parametrize("name", HAND)
def test_the_line_is_moved_by_hand(visit, name):
    act, settings = HAND[name]
    visit.open("mode=hand")
    shows_hand(visit)
    act(visit)
    shows_hand(visit, **settings)


def test_bad_okay_good_are_seven_four_and_none(visit):
    visit.open("mode=hand&weight2=1.3")
    for name, wrong in (("bad", "7"), ("okay", "4"), ("good", "0")):
        visit.click(f"line-{name}")
        visit.shows(hand_wrong=wrong)
    printed = visit.script()
    assert printed == ["wrong 0", f"soft loss {visit.page.get_by_test_id('soft-loss').inner_text()}"]


@pytest.mark.parametrize(("handle", "dx", "dy"), [("moveLine", 80, 30), ("turnLine", 60, 60)])
def test_handles_move_and_turn_the_line(visit, handle, dx, dy):
    visit.open("mode=hand")
    shows_hand(visit)
    visit.drag(handle, dx, dy)
    link = visit.link()
    settings = {name: float(link[name]) for name in ("weight1", "weight2", "bias")}
    assert settings != {"weight1": 1.0, "weight2": -0.5, "bias": 0.0}
    shows_hand(visit, **settings)


def test_the_staircase_is_drawn_along_the_chosen_number(visit):
    visit.open("mode=hand")
    shows_hand(visit)
    stairs = visit.paths("staircase", "strong")[0]
    levels = computed(mode="hand").frame().arrays["stairs"][:, 1]
    assert len({round(y, 1) for y in stairs[1::2]}) == len(set(levels.tolist()))
    visit.tile("along-bias")
    visit.page.wait_for_function("() => location.hash.includes('along=bias')")
    visit.link()
    levels = computed(mode="hand", along="bias").frame().arrays["stairs"][:, 1]
    assert len({round(y, 1) for y in visit.paths("staircase", "strong")[0][1::2]}) == len(set(levels.tolist()))


def test_1969_two_figures_that_look_alike(visit):
    visit.open("")
    visit.tile("mode-figures")
    visit.shows(pieces_1="In one piece?", order_3x3="3", order_2x2="2", order_1x3="1")
    visit.page.get_by_test_id("reveal").check()
    visit.shows(pieces_1="One piece", pieces_2="2 pieces")
    middle = 13 * 13 + 6 * 13 + 6
    visit.click(f"square-{middle}")
    visit.shows(pieces_2="One piece")
    visit.click("square-40")
    pieces = computed(mode="figures", flipped=[middle, 40]).frame().values["pieces"]
    visit.shows(pieces_1="One piece" if pieces[0] == 1 else f"{pieces[0]} pieces")
    assert visit.script()[:2] == [f"pieces {n}" for n in pieces]
    visit.click("restore")
    visit.shows(pieces_2="2 pieces")


def test_play_goes_on_and_the_slider_goes_back(visit):
    visit.open("dataset=xor")
    shows_rule(visit, computed(dataset="xor"))
    visit.choose("speed", "5")
    visit.click("play")
    visit.page.wait_for_function("() => Number(document.querySelector('[data-testid=time]').max) >= 60")
    visit.click("play")
    visit.settle()
    visit.page.get_by_test_id("time").fill("37")
    shows_rule(visit, computed(37, dataset="xor"))
    visit.click("reset")
    shows_rule(visit, computed(dataset="xor"))
