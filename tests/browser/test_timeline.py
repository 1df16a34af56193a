"""The first page in a real browser: the table of the history, and doors into the exhibits."""

from __future__ import annotations

import pytest

from glassnet.history import HISTORY

pytestmark = pytest.mark.browser
sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect


def test_every_moment_is_told_and_every_exhibit_has_a_door(page):
    page.goto("/")
    expect(page.locator("#timeline > li")).to_have_count(len(HISTORY))
    for moment in HISTORY:
        item = page.get_by_test_id(f"moment-{moment.year}")
        for words in (moment.title, moment.people, moment.story, moment.source):
            expect(item).to_contain_text(words)
        for name in moment.exhibits:
            expect(item.get_by_test_id(f"open-{name}")).to_have_attribute("href", f"exhibits/{name}")
    expect(page.locator("a.door")).to_have_count(sum(len(moment.exhibits) for moment in HISTORY))


def test_a_point_of_the_axis_leads_to_its_moment(page):
    page.goto("/")
    page.get_by_test_id("go-2017").click()
    expect(page.get_by_test_id("moment-2017")).to_be_in_viewport()


@pytest.mark.parametrize("width", [1280, 800, 390])
def test_the_timeline_fits_its_window(page, width):
    page.set_viewport_size({"width": width, "height": 800})
    page.goto("/")
    expect(page.get_by_test_id("moment-1943")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_test_id("large-type").click()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
