"""A film as a page: its slider and its button, without any server."""

from __future__ import annotations

import numpy as np
import pytest

from glassnet.inspect.history import History
from glassnet.plots.training_curves import TrainingCurvesDisplay

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def film():
    history = History()
    history.record(0, np.linspace(3.0, 1.0, 300))
    return TrainingCurvesDisplay.from_history(history)


@pytest.fixture
def page(browser, film, tmp_path):
    path = film.animate(tmp_path / "film.html", seconds=1.5, dpi=30)
    page = browser.new_page()
    page.goto(path.as_uri())
    yield page
    page.close()


def test_the_slider_goes_to_every_picture(page, film):
    captions = [said for said, _ in film._frames()]
    seen = set()
    for i in (0, 7, len(captions) - 1):
        page.locator("#place").fill(str(i))
        assert page.locator("#said").inner_text() == captions[i]
        seen.add(page.locator("#picture").get_attribute("src"))
    assert len(seen) == 3


def test_the_button_plays_to_the_end_and_again_from_the_start(page, film):
    last = film._frames()[-1][0]
    page.locator("#play").click()
    page.wait_for_function("last => document.getElementById('said').value === last", arg=last)
    assert page.locator("#play").inner_text() == "Play"
    page.locator("#play").click()
    page.wait_for_function("document.getElementById('place').value < 20")
