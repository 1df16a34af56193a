"""The page of ``glassnet inspect``, opened as a file: its button changes the theme, whatever the system asks for."""

from __future__ import annotations

import subprocess
import sys

import pytest
from matplotlib.colors import to_rgb

from glassnet.plots.style import THEMES

pytestmark = pytest.mark.browser

COMMAND = "import sys; from glassnet.cli.main import main; sys.argv[0] = 'glassnet'; main()"
MODEL = """
from torch import nn

def make_model():
    return nn.Sequential(nn.Flatten(), nn.Linear(12, 4), nn.Tanh(), nn.Linear(4, 2))
"""


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """The page of two pictures of a user's own model, as the command writes it."""
    folder = tmp_path_factory.mktemp("inspection")
    (folder / "own.py").write_text(MODEL)
    words = ["inspect", folder / "own.py:make_model", "--input", "1x3x2x2", "--out", folder / "out"]
    words += ["--only", "layer-tensors", "--only", "module-graph"]
    subprocess.run([sys.executable, "-c", COMMAND, *map(str, words)], check=True)
    return (folder / "out" / "index.html").as_uri()


def shown(page):
    """Return the theme of the pictures that are seen, and the colours of paper and ink."""
    themes = page.evaluate(
        "() => [...document.querySelectorAll('figure img')].filter(i => i.checkVisibility()).map(i => i.className)"
    )
    colours = page.evaluate("() => ['backgroundColor', 'color'].map(name => getComputedStyle(document.body)[name])")
    return themes, [tuple(map(int, colour[4:-1].split(","))) for colour in colours]


def expected(theme):
    colours = (THEMES[theme].paper, THEMES[theme].ink)
    return [theme, theme], [tuple(round(255 * part) for part in to_rgb(colour)) for colour in colours]


@pytest.mark.parametrize(("system", "other"), [("light", "dark"), ("dark", "light")])
def test_the_button_changes_colours_and_pictures_and_back(browser, address, system, other):
    errors, requests = [], []
    page = browser.new_page(color_scheme=system)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: requests.append(request.url.partition(":")[0]))
    page.goto(address)
    for theme in (system, other, system, other):
        assert shown(page) == expected(theme)
        page.get_by_test_id("theme").click()
    assert page.evaluate("() => [...document.images].every(image => image.complete && image.naturalWidth > 0)")
    page.close()
    assert errors == []
    assert set(requests) <= {"file", "data"}


def test_the_button_is_reached_and_pressed_by_the_keyboard(browser, address):
    page = browser.new_page(color_scheme="light")
    page.goto(address)
    page.get_by_test_id("theme").focus()
    page.keyboard.press("Enter")
    assert shown(page) == expected("dark")
    page.close()
