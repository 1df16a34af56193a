"""The Transformer's exhibit in a real browser: what the page shows is what the package computes."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import pytest

from glassnet.lab.exhibits.transformer import TransformerExhibit, TransformerSettings

pytestmark = pytest.mark.browser
sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytest.importorskip("tokenizers", reason="tokenizers is not installed")
expect = sync_api.expect
EXHIBIT = "transformer"
SENTENCE = "Two dogs run in the snow."
MINUTE = 60_000  # for the first answer of a network that has to be read


def computed(step: int = 0, **settings) -> dict:
    exhibit = TransformerExhibit(TransformerSettings.model_validate(settings))
    if step:
        exhibit.step(step)
    frame = exhibit.frame()
    return {**frame.values, **frame.arrays}


def percent(share: float) -> str:
    return f"{100 * share:.1f}%"


def opens(visit, link: str) -> None:
    visit.open(link)
    expect(visit.page.locator(".loading")).to_have_count(0, timeout=MINUTE)


def shows_translation(visit, **settings) -> dict:
    """The translation, and where the chosen word looks, are the exhibit's."""
    values = computed(**settings)
    visit.page.mouse.move(2, 2)  # away from all words
    visit.shows(translation=values["translation"])
    row = values["weights"][values["word"] - 1]
    visit.shows(**{f"lines_key_{k}": percent(weight) for k, weight in enumerate(row)})
    pressed = visit.page.get_by_test_id(f"heads-{values['layer']}-{values['head']}")
    expect(pressed).to_have_attribute("aria-pressed", "true")
    if settings.get("part") != "source":
        place = values["alternatives"][values["word"] - 1]
        visit.shows(**{f"alternative_{i}": percent(p) for i, (_, p) in enumerate(place)})
    return values


START = {"sentence": SENTENCE, "word": 2}
LINK = f"sentence={SENTENCE}&word=2"
TRANSLATED = {
    "sentence": (lambda v: v.fill("sentence", "A woman sings."), {"sentence": "A woman sings."}),
    "beam": (lambda v: v.fill("beamSize", 1), {"beamSize": 1}),
    "source": (lambda v: v.tile("part-source"), {"part": "source"}),
    "target": (lambda v: v.tile("part-target"), {"part": "target"}),
    "head": (lambda v: v.click("heads-1-3"), {"layer": 1, "head": 3}),
    "mean": (lambda v: v.click("heads-2-0"), {"layer": 2}),
    "word": (lambda v: v.click("lines-query-3"), {"word": 4}),
}


@pytest.mark.parametrize("name", TRANSLATED)
def test_a_control_changes_the_translation_or_the_attention_as_python_says(visit, name):
    act, settings = TRANSLATED[name]
    opens(visit, LINK)
    shows_translation(visit, **START)
    act(visit)
    shows_translation(visit, **(START | settings))


def test_a_word_that_is_pointed_at_shows_where_it_looks(visit):
    opens(visit, f"sentence={SENTENCE}")
    values = computed(sentence=SENTENCE)
    for query in (0, 4):
        visit.page.get_by_test_id(f"lines-query-{query}").hover()
        visit.shows(**{f"lines_key_{k}": percent(weight) for k, weight in enumerate(values["weights"][query])})
    visit.page.mouse.move(5, 5)
    expect(visit.page.get_by_test_id("lines-key-0")).to_have_count(0)
    visit.page.get_by_test_id("lines-query-1").focus()
    visit.shows(lines_key_0=percent(values["weights"][1, 0]))
    for word in (2, 0):
        visit.page.keyboard.press("Enter")
        expect(visit.page).to_have_url(re.compile(rf"&word={word}&"))
        pressed = "true" if word else "false"  # drawn in the next refresh of the screen
        expect(visit.page.get_by_test_id("lines-query-1")).to_have_attribute("aria-pressed", pressed)


def test_the_script_prints_the_translation_and_the_weights(visit):
    opens(visit, LINK)
    values = shows_translation(visit, **START)
    printed = visit.script()
    assert printed[0] == values["translation"]
    expected = [
        f"{key!r} {weight:.1%}" for key, weight in zip(values["keys"], values["weights"][1].tolist(), strict=True)
    ]
    assert printed[2 : 2 + len(expected)] == expected
    assert printed[-5:] == [f"{token!r} {p:.1%}" for token, p in values["alternatives"][1]]


def shows_pronouns(visit, **settings) -> dict:
    values = computed(mode="pronouns", **settings)
    visit.page.mouse.move(2, 2)  # away from all words
    for i, said in enumerate(values["sentences"]):
        row = values["weights"][i][values["word"] - 1]
        visit.shows(
            **{f"sentence_{i}": " ".join(said["words"]) + ".", f"german_{i}": said["german"]},
            **{f"lines_{i}_key_{k}": percent(weight) for k, weight in enumerate(row)},
            **{f"pronoun_{i}_{k}": percent(p) for k, p in enumerate(said["probabilities"].values())},
        )
        expect(visit.page.get_by_test_id(f"verdict-{i}")).to_contain_text(f"says {said['pronoun']}")
    seen = "were together in sentences" if values["isLearned"] else "never seen"
    expect(visit.page.get_by_test_id("learned")).to_contain_text(seen)
    return values


PRONOUNS = {
    "actor": (lambda v: v.choose("actor", "cow"), {"actor": "cow"}),
    "verb": (lambda v: v.choose("verb", "avoid"), {"verb": "avoid"}),
    "place": (lambda v: v.choose("place", "swamp"), {"place": "swamp"}),
    "adjective": (lambda v: v.choose("adjective", "muddy"), {"adjective": "muddy"}),
    "head": (lambda v: v.click("it-heads-2-2"), {"itHead": 2}),
    "layer": (lambda v: v.click("it-heads-1-0"), {"itLayer": 1, "itHead": 0}),
    "word": (lambda v: v.click("lines-1-query-10"), {"itWord": 11}),
}


@pytest.mark.parametrize("name", PRONOUNS)
def test_it_is_another_noun_as_python_says(visit, name):
    act, settings = PRONOUNS[name]
    opens(visit, "mode=pronouns")
    shows_pronouns(visit)
    act(visit)
    shows_pronouns(visit, **settings)


def test_rooms_are_entered_and_the_pronouns_script_prints_the_same(visit):
    opens(visit, "")
    visit.tile("mode-pronouns")
    values = shows_pronouns(visit)
    printed = visit.script()
    for i, (said, meant) in enumerate(zip(values["sentences"], (1, 5), strict=True)):
        lines = printed[6 * i : 6 * i + 6]
        assert lines[0] == " ".join(said["words"]) + "."
        assert lines[1:4] == [f"{name} {p:.1%}" for name, p in said["probabilities"].items()]
        noun = said["words"][meant]
        assert f"it looks at {noun}: {values['weights'][i][7, meant]:.1%}" in lines


def shows_text(visit, step: int, **settings) -> dict:
    values = computed(step, mode="write", **settings)
    expect(visit.page.get_by_test_id("step-number")).to_have_text(str(step), timeout=MINUTE)
    text = visit.page.get_by_test_id("text")
    expect(text).to_have_text(values["text"])
    assert text.evaluate("text => text.textContent") == values["text"]
    visit.shows(**{f"next_{i}": percent(p) for i, (_, p) in enumerate(values["next"])})
    visit.shows(candidates=str(values["nCandidates"]))
    return values


WRITTEN = {
    "prompt": (lambda v: v.fill("prompt", "My lord"), {"prompt": "My lord"}),
    "temperature": (lambda v: v.fill("temperature", 0.3), {"temperature": 0.3}),
    "greedy": (lambda v: v.fill("temperature", 0), {"temperature": 0}),
    "top k": (lambda v: v.fill("topK", 3), {"topK": 3}),
    "seed": (lambda v: v.fill("seed", 5), {"seed": 5}),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_a_text_is_written_as_python_says(visit, name):
    act, settings = WRITTEN[name]
    opens(visit, "mode=write&step=3")
    shows_text(visit, 3)
    act(visit)
    shows_text(visit, 0, **settings)
    visit.click("step")
    visit.click("step")
    shows_text(visit, 2, **settings)


def test_it_plays_goes_back_and_the_script_prints_the_text(visit):
    opens(visit, "mode=write&step=12")
    shows_text(visit, 12)
    visit.page.get_by_test_id("time").fill("4")
    values = shows_text(visit, 4)
    printed = "\n".join(visit.script())
    assert printed.startswith(values["text"] + "\nwhat could come next\n")
    assert printed.endswith("\n".join(f"{token!r} {p:.1%}" for token, p in values["next"]))
    visit.click("play")
    expect(visit.page.get_by_test_id("step-number")).not_to_have_text("4")
    visit.click("play", "reset")
    shows_text(visit, 0)


def test_the_picture_has_the_text_and_what_could_come_next(visit):
    opens(visit, "mode=write&step=5")
    values = shows_text(visit, 5)
    with visit.page.expect_download() as download:
        visit.click("save-svg")
    picture = ElementTree.parse(download.value.path()).getroot()
    texts = ["".join(element.itertext()) for element in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert "".join(values["text"].split()) in "".join(texts)
    assert {percent(p) for _, p in values["next"]} <= set(texts)


def test_the_shades_are_the_chosen_heads_weights(visit):
    opens(visit, "mode=write&step=5")
    for settings in ({}, {"textLayer": 2, "textHead": 3}):
        if settings:
            visit.click("text-heads-2-3")
        values = shows_text(visit, 5, **settings)
        weights = values["weights"] / values["weights"].max()
        expected = [f"{round(90 * float(weight)):.0f}%" for weight in weights]
        shade = visit.page.locator("[data-testid=text] > span[style]").last
        expect(shade).to_have_attribute("style", f"--looked: {expected[-1]};")
        shades = visit.page.eval_on_selector_all(
            "[data-testid=text] > span[style]", "all => all.map((one) => one.style.getPropertyValue('--looked').trim())"
        )
        assert len(shades) == len(expected)
        assert all(abs(int(a[:-1]) - int(b[:-1])) <= 1 for a, b in zip(shades, expected, strict=True))


def test_a_character_that_the_writer_does_not_know_is_named(visit):
    opens(visit, "mode=write")
    shows_text(visit, 0)
    visit.fill("prompt", "Straße")
    expect(visit.page.get_by_test_id("notice")).to_contain_text("'ß'")
    shows_text(visit, 0)
