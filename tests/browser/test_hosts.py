"""The notebook and the stand-alone file show what the page shows: what the package computes."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from glassnet.lab import export_html
from glassnet.lab.exhibits.playground import Playground, PlaygroundSettings

sys.path.append(str(Path(__file__).parent))
from notebook import Notebook
from pages import settle

pytestmark = pytest.mark.browser
sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect

SETTINGS = {"dataset": "xor", "networkShape": [3], "noise": 20}


def computed(step: int = 0, **settings) -> Playground:
    playground = Playground(PlaygroundSettings.model_validate({**SETTINGS, **settings}))
    playground.step(step)
    return playground


def expect_numbers(page, playground: Playground) -> None:
    values = playground.frame().values
    expect(page.get_by_test_id("step-number")).to_have_text(f"{playground.history.step:,}")
    expect(page.get_by_test_id("train-loss")).to_have_text(f"{values['trainLoss']:.4f}")
    expect(page.get_by_test_id("test-loss")).to_have_text(f"{values['testLoss']:.4f}")


@pytest.fixture
def offline_page(browser):
    """A page that may not fail, and must not ask any server for anything."""
    context = browser.new_context(viewport={"width": 1100, "height": 800}, accept_downloads=True)
    page = context.new_page()
    errors: list[str] = []
    page.requests = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: page.requests.append(request.url))
    page.on("websocket", lambda socket: page.requests.append(socket.url))
    yield page
    context.close()
    assert errors == []
    assert [url for url in page.requests if not url.startswith(("file:", "blob:", "data:"))] == []


# the notebook


def test_a_notebook_shows_the_exhibit_and_its_controls_reach_python(offline_page, monkeypatch):
    page = offline_page
    notebook = Notebook(page, monkeypatch, "playground", step=40, **SETTINGS)
    expect_numbers(page, computed(40))
    page.get_by_test_id("step").click()
    expect_numbers(page, computed(41))
    page.get_by_test_id("noise").fill("50")
    expect_numbers(page, computed(noise=50))
    assert notebook.widget.settings["noise"] == 50
    assert notebook.widget.step == 0
    page.get_by_test_id("play").click()
    page.wait_for_function("() => window.listeners.length === 1")
    expect(page.get_by_test_id("step-number")).not_to_have_text("0")
    page.get_by_test_id("play").click()
    settle(page)
    expect_numbers(page, computed(notebook.widget.step, noise=50))
    page.get_by_test_id("copy-python").click()
    expect(page.get_by_test_id("python")).to_have_text(notebook.widget.python())


def test_a_closed_notebook_cell_asks_for_nothing_more(offline_page, monkeypatch):
    page = offline_page
    notebook = Notebook(page, monkeypatch, "playground", **SETTINGS)
    expect_numbers(page, computed())
    page.get_by_test_id("play").click()
    expect(page.get_by_test_id("step-number")).not_to_have_text("0")
    page.evaluate("window.close()")
    page.wait_for_timeout(200)
    asked = notebook.messages
    page.wait_for_timeout(200)
    assert notebook.messages == asked
    assert page.evaluate("window.listeners.length") == 0


def test_the_notebooks_theme_is_the_exhibits(offline_page, monkeypatch):
    page = offline_page
    Notebook(page, monkeypatch, "playground", **SETTINGS)
    expect_numbers(page, computed())
    brightness = "() => parseInt(getComputedStyle(document.querySelector('#cell').shadowRoot.querySelector('.glassnet')).backgroundColor.match(/\\d+/)[0])"  # noqa: E501
    assert page.evaluate(brightness) > 215
    page.evaluate("document.body.dataset.jpThemeLight = 'false'")
    page.wait_for_function(f"() => ({brightness})() < 40")


# the stand-alone file


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    return export_html("playground", tmp_path_factory.mktemp("export") / "xor.html", step=60, **SETTINGS)


def test_a_file_opens_offline_at_its_moment_and_time_can_be_moved(offline_page, file):
    page = offline_page
    page.goto(file.as_uri())
    expect_numbers(page, computed(60))
    page.get_by_test_id("time").fill("13")
    expect_numbers(page, computed(13))
    page.get_by_test_id("step").click()
    expect_numbers(page, computed(14))
    page.get_by_test_id("reset").click()
    expect_numbers(page, computed())
    page.get_by_test_id("play").click()
    expect(page.get_by_test_id("step-number")).to_have_text("60", timeout=20_000)
    expect_numbers(page, computed(60))
    expect(page.get_by_test_id("play")).to_have_attribute("aria-label", "Play")
    assert page.requests == [file.as_uri()]


def test_a_files_controls_that_need_python_are_off_and_it_says_why(offline_page, file):
    page = offline_page
    page.goto(file.as_uri())
    expect_numbers(page, computed(60))
    expect(page.locator("#recorded")).to_contain_text("This file is a recording")
    for testid in ("noise", "activation", "seed", "layers-add", "dataset-spiral", "speed"):
        expect(page.get_by_test_id(testid)).to_be_disabled()
    page.get_by_test_id("unit-1-1").click()
    expect(page.get_by_test_id("notice")).to_contain_text("This needs Python")
    page.get_by_test_id("copy-python").click()
    expect(page.get_by_test_id("python")).to_have_text(computed(60).python())


def test_the_page_saves_the_file_and_goes_on_where_it_was(page, offline_page, tmp_path):
    page.goto("/exhibits/playground#dataset=xor&networkShape=3&noise=20&step=150")
    expect_numbers(page, computed(150))
    with page.expect_download() as download:
        page.get_by_test_id("save-html").click()
    saved = tmp_path / download.value.suggested_filename
    download.value.save_as(saved)
    page.get_by_test_id("step").click()
    expect_numbers(page, computed(151))
    offline_page.goto(saved.as_uri())
    expect_numbers(offline_page, computed(150))


def test_the_picture_is_svg_with_the_numbers_on_the_page(page, tmp_path):
    page.goto("/exhibits/playground#dataset=xor&networkShape=3&noise=20&step=50")
    expect_numbers(page, computed(50))
    with page.expect_download() as download:
        page.get_by_test_id("save-svg").click()
    picture = ElementTree.parse(download.value.path()).getroot()
    names = {element.tag.partition("}")[2] for element in picture.iter()}
    assert {"rect", "text", "image", "path"} <= names
    texts = {"".join(element.itertext()) for element in picture.iter("{http://www.w3.org/2000/svg}text")}
    values = computed(50).frame().values
    assert {f"{values['trainLoss']:.4f}", f"{values['testLoss']:.4f}"} <= texts
