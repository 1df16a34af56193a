"""What holds for every exhibit: it fits the page, and a file of it opens offline."""

from __future__ import annotations

import pytest

from glassnet.lab import export_html

pytestmark = pytest.mark.browser
sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect

# link of a moment worth looking at, of each exhibit made of three cards
LINKS = {
    "perceptron": {"step": 12, "dataset": "xor", "shuffle": False},
    "adaline": {"step": 20},
    "activations": {"activation": "tanh"},
    "descent": {"step": 5, "batchSizes": [40, 1, 4, 40], "learningRates": [0.1] * 4, "momenta": [0, 0, 0, 0.9]},
    "hopfield": {"step": 30},
    "anyfunction": {"step": 30, "mode": "learned"},
    "dbn": {"step": 5, "hidden": 20, "top": 40},
    "resnet": {"step": 3, "mode": "depth", "shallow": 4, "deep": 6, "maps": 3},
    "transformer": {"mode": "write", "step": 10},
    "representations": {"nSamples": 200, "step": 10},
}


@pytest.fixture(scope="module")
def shared(browser, lab_url):
    """One page for all exhibits."""
    errors: list[str] = []
    context = browser.new_context(viewport={"width": 1280, "height": 800}, base_url=lab_url)
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert errors == []


def open_exhibit(page, name: str) -> None:
    values = {
        key: ",".join(map(str, value)) if isinstance(value, list) else value for key, value in LINKS[name].items()
    }
    page.goto(f"/exhibits/{name}#{'&'.join(f'{key}={value}' for key, value in values.items())}")
    page.locator(".exhibit .card").first.wait_for(timeout=180_000)


@pytest.mark.parametrize("name", LINKS)
def test_nothing_sticks_out(shared, name):
    page = shared
    open_exhibit(page, name)
    for width in (1280, 800, 390):
        page.set_viewport_size({"width": width, "height": 800})
        page.wait_for_timeout(50)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
        spilt = page.evaluate(
            """() => [...document.querySelectorAll(".card")].filter((card) => card.checkVisibility()
                && card.scrollWidth > card.clientWidth + 1).map((card) => card.className)"""
        )
        assert spilt == [], width


@pytest.mark.parametrize("name", LINKS)
def test_a_file_of_it_opens_offline(browser, tmp_path, name):
    settings = dict(LINKS[name])
    step = settings.pop("step", 0)
    file = export_html(name, tmp_path / f"{name}.html", step=step, **settings)
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page, errors, requests = context.new_page(), [], []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(file.as_uri())
    page.locator(".exhibit .card").first.wait_for()
    if step:
        expect(page.get_by_test_id("step-number")).to_have_text(str(step))
        page.get_by_test_id("time").fill("2")
        expect(page.get_by_test_id("step-number")).to_have_text("2")
    context.close()
    assert errors == []
    assert requests == [file.as_uri()]
