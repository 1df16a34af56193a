"""Pages as the tests open them, also as on a slow network and a slow machine."""

from __future__ import annotations

import os

# milliseconds by which every answer of the lab comes later, and how many times slower the page is
DELAY = int(os.environ.get("GLASSNET_TEST_DELAY_MS", "0"))
SLOWDOWN = float(os.environ.get("GLASSNET_TEST_SLOWDOWN", "1"))
LATE = """
const Real = window.WebSocket;
window.WebSocket = class extends Real {
  set onmessage(receive) { super.onmessage = (event) => setTimeout(() => receive(event), %d); }
};
"""


def new_page(context, delay: int = DELAY):
    """Return a page of a context, slowed down as asked for."""
    page = context.new_page()
    if delay:
        page.add_init_script(LATE % delay)
    if SLOWDOWN > 1:
        context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": SLOWDOWN})
    return page


def settle(page) -> None:
    """Wait until every request of a page has been answered, and the answers are drawn."""
    page.wait_for_function("() => !document.querySelector('.exhibit[data-waiting]')", timeout=180_000)
    page.evaluate("() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
