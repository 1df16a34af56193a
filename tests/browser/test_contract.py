"""Every exhibit, on the page, in a notebook and as a file: it opens, it fits, all can use it, nothing is missing."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from glassnet.lab import export_html
from glassnet.registry import EXHIBITS, resolve

sys.path.append(str(Path(__file__).parent))
from notebook import Notebook
from pages import settle

pytestmark = pytest.mark.browser
pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
axe_module = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")

CARD = ".exhibit .card, .exhibit > div"
WIDTHS = (1280, 800, 390)
# roles of what can be used, in the browser's accessibility tree
ROLES = {
    "application", "button", "checkbox", "combobox", "link", "radio", "slider", "spinbutton", "switch", "textbox",
}  # fmt: skip
# states worth a look besides each room, which the setting `mode` names
STATES = {
    "playground": [
        "dataset=own", "problem=regression&seeds=3", "seeds=3&rival=svm&weight=1,1,2&look=1,2&norm=batch&dropout=0.2",
    ],
    "neuron": ["threeInputs=true"],
    "lenet": ["source=drawn", "net=live"],
    "ridge": ["dataset=own&points=0,0,0.5,0.5,-0.5,0.2"],
    "overfit": ["step=60&shown=stopped"],
    "normalization": ["norm=none"],
    "model": ["picture=confusion-matrix", "picture=attention"],
}  # fmt: skip


@pytest.fixture(params=list(EXHIBITS))
def name(request) -> str:
    return request.param


def faults(page) -> list[str]:
    """What axe calls serious or critical."""
    found = axe_module.Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [
        f"{fault['id']}: {node['html'][:120]}"
        for fault in found
        if fault["impact"] in ("serious", "critical")
        for node in fault["nodes"]
    ]


def unnamed(page) -> list[str]:
    """Return the roles of controls that the browser has no name for; what is not shown is not there."""
    tree = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    controls = [node for node in tree if not node["ignored"] and node["role"]["value"] in ROLES]
    n_shown = page.evaluate(
        """() => [...document.querySelectorAll("button, select, input, a[href], textarea")].filter((control) =>
            control.checkVisibility({ visibilityProperty: true }) && !control.closest("[inert]")).length"""
    )
    is_modal = page.evaluate("document.querySelector('dialog[open]') !== null")
    assert len(controls) >= n_shown or is_modal, "the tree misses controls that are on the page"
    assert controls
    return [node["role"]["value"] for node in controls if not node.get("name", {}).get("value", "").strip()]


def states_of(name: str) -> list[str]:
    """Return the links of an exhibit's rooms, and of what else is worth a look."""
    fields = resolve(EXHIBITS, "exhibit", name).Settings.model_json_schema()["properties"]
    rooms = [f"mode={room}" for room in fields.get("mode", {}).get("enum", [])]
    return ["", *rooms, *STATES.get(name, [])]


def go(page, link: str) -> None:
    """Show a state, and wait until Python has answered: the page then adds the speed to the address."""
    page.evaluate("link => (location.hash = link)", f"{link}&again={link}")
    page.wait_for_function("() => location.hash.includes('speed=')", timeout=60_000)
    settle(page)


def is_ready(page) -> None:
    page.locator(".exhibit .card").first.wait_for(timeout=180_000)
    settle(page)


def test_it_can_be_used_by_all_fits_its_window_and_has_all_its_words(page, name):
    page.goto(f"/exhibits/{name}")
    is_ready(page)
    assert faults(page) == []
    unnamed = page.evaluate(
        """() => [...document.querySelectorAll("label[for]")].filter((label) => {
            const words = (label.firstChild?.textContent ?? "").trim();
            return words.length > 1 && words === label.htmlFor && /[a-z][A-Z0-9]/.test(words);
        }).map((label) => label.htmlFor)"""
    )
    assert unnamed == []
    assert not {"undefined", "NaN", "[object"} & set(page.locator("body").inner_text().split())
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        page.wait_for_timeout(50)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, width


def test_every_control_has_a_name_in_every_room_and_with_the_script_open(page, name):
    page.goto(f"/exhibits/{name}")
    is_ready(page)
    for link in states_of(name):
        go(page, link)
        assert unnamed(page) == [], link
        assert faults(page) == [], link
    equations = page.get_by_test_id("show-equations")
    if equations.count():
        equations.click()
    page.get_by_test_id("copy-python").click()
    page.get_by_test_id("python").wait_for(timeout=60_000)
    assert unnamed(page) == []
    assert faults(page) == []
    page.get_by_test_id("close-python").click()
    page.get_by_test_id("python").wait_for(state="hidden")
    assert unnamed(page) == []


def test_a_control_without_a_name_would_be_found(page):
    page.goto("/exhibits/loss")
    is_ready(page)
    page.evaluate("document.querySelector('.exhibit .card').append(document.createElement('button'))")
    assert unnamed(page) == ["button"]


def test_it_can_be_used_in_the_dark(page, name):
    page.emulate_media(color_scheme="dark")
    page.goto(f"/exhibits/{name}")
    is_ready(page)
    assert faults(page) == []


@pytest.fixture
def quiet_page(browser):
    """A page whose errors are failures and which must ask no server for anything."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    errors: list[str] = []
    asked: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda socket: asked.append(socket.url))
    yield page
    context.close()
    assert errors == []
    assert [url for url in asked if not url.startswith(("file:", "blob:", "data:"))] == []


def test_it_opens_in_a_notebook(quiet_page, monkeypatch, name):
    Notebook(quiet_page, monkeypatch, name)
    quiet_page.locator(".exhibit .card").first.wait_for(timeout=180_000)
    assert quiet_page.get_by_test_id("notice").is_hidden()


def test_it_opens_as_a_file_without_a_server(quiet_page, tmp_path, name):
    quiet_page.goto(export_html(name, tmp_path / f"{name}.html").as_uri())
    is_ready(quiet_page)
    assert quiet_page.get_by_test_id("notice").is_hidden()
    assert faults(quiet_page) == []


def test_the_first_page_can_be_used_by_all(page):
    page.goto("/")
    page.get_by_test_id("moment-1943").wait_for()
    assert faults(page) == []
