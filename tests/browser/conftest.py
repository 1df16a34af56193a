"""A lab in a process of its own, and a browser that looks at it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

sys.path.append(str(Path(__file__).parent))
from pages import new_page, settle

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
LAUNCH = "from glassnet.lab import launch; launch(port=0, open_browser=False)"


@pytest.fixture(scope="session")
def lab_url() -> Iterator[str]:
    """The address of a lab on a free port."""
    with subprocess.Popen([sys.executable, "-c", LAUNCH], stdout=subprocess.PIPE, text=True, env=os.environ) as lab:
        assert lab.stdout is not None
        yield lab.stdout.readline().split()[2]
        lab.terminate()


@pytest.fixture(scope="session")
def browser() -> Iterator:
    """Chromium, without a window."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip("no Chromium on the PATH")
    sync_api.expect.set_options(timeout=20_000)  # a busy machine takes its time
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser, lab_url: str) -> Iterator:
    """A page whose every error is a failure, and which must not ask any other host for anything."""
    errors: list[str] = []
    hosts: set[str] = set()
    context = browser.new_context(viewport={"width": 1280, "height": 800}, base_url=lab_url)
    context.set_default_timeout(30_000)
    page = new_page(context)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    page.on("websocket", lambda socket: hosts.add(urlsplit(socket.url).netloc))
    yield page
    context.close()
    assert errors == []
    assert hosts <= {urlsplit(lab_url).netloc}


class Visit:
    """One page that shows one exhibit, for all tests of a module; each test opens its own link."""

    def __init__(self, page, name: str):
        self.page, self.name, self._is_open = page, name, False

    def open(self, link: str = "") -> None:
        """Open the exhibit with the settings of a link."""
        if not self._is_open:
            self._is_open = True
            self.page.goto(f"/exhibits/{self.name}#{link}")
            self.page.locator(".exhibit .card").first.wait_for(timeout=180_000)
        else:
            # an event of our own, since a link that is there already changes nothing
            self.page.evaluate(
                "link => { history.replaceState(null, '', link); dispatchEvent(new HashChangeEvent('hashchange')) }",
                f"#{link}",
            )
            self.settle()

    def click(self, *testids: str) -> None:
        for testid in testids:
            self.page.get_by_test_id(testid).click()

    def tile(self, testid: str) -> None:
        """Choose a radio button, which a label covers."""
        self.page.locator(f"label:has([data-testid={testid}])").click()

    def choose(self, testid: str, option: str) -> None:
        self.page.get_by_test_id(testid).select_option(option)

    def fill(self, testid: str, value: object) -> None:
        self.page.get_by_test_id(testid).fill(str(value))
        self.page.get_by_test_id(testid).press("Enter")

    def click_at(self, testid: str, x_share: float, y_share: float) -> None:
        """Click inside an element, at shares of its width and, from above, of its height."""
        box = self.page.get_by_test_id(testid).bounding_box()
        self.page.mouse.click(box["x"] + x_share * box["width"], box["y"] + y_share * box["height"])

    def drag(self, testid: str, dx: float, dy: float) -> None:
        """Drag a handle by so many pixels."""
        box = self.page.get_by_test_id(testid).bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        self.page.mouse.move(x + dx, y + dy, steps=4)
        self.page.mouse.up()

    def shows(self, **texts: str) -> None:
        """Wait until each element, named by its test id with _ for -, has exactly this text."""
        from playwright.sync_api import expect

        for testid, text in texts.items():
            expect(self.page.get_by_test_id(testid.replace("_", "-"))).to_have_text(text)

    def changes(self, act: Callable, shows: Callable, settings: dict, n_steps: int = 0, link: str = "") -> None:
        """Use one control of an exhibit that was just opened, and compare its numbers with Python's.

        Parameters
        ----------
        act : callable
            (visit): uses the control.
        shows : callable
            (visit, step, **settings): waits until the page shows the numbers that Python computes.
        settings : dict
            What the control changes.
        n_steps : int
            Steps to make after it, one by one.
        link : str
            Settings that the exhibit is opened with.
        """
        from glassnet.cli.lab import read_link

        opened = read_link(f"any#{link}")
        del opened["name"], opened["step"]
        self.open(link)
        shows(self, 0, **opened)
        act(self)
        shows(self, 0, **{**opened, **settings})
        for _ in range(n_steps):
            self.click("step")
        if n_steps:
            shows(self, n_steps, **{**opened, **settings})

    def settle(self) -> None:
        """Wait until every request has been answered, and drawn."""
        settle(self.page)

    def link(self) -> dict[str, str]:
        """Return what the address holds, once all changes have been answered."""
        self.settle()
        return dict(parse_qsl(urlsplit(self.page.url).fragment, keep_blank_values=True))

    def script(self) -> list[str]:
        """Press "copy as Python" and return what it prints in a fresh process."""
        self.click("copy-python")
        code = self.page.get_by_test_id("python")
        code.wait_for()
        text = code.inner_text()
        self.click("close-python")
        done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
        return done.stdout.splitlines()

    def paths(self, testid: str, look: str) -> list[list[float]]:
        """Return the numbers of each line of a graph that has this look."""
        return self.page.eval_on_selector_all(
            f"[data-testid={testid}] path.{look}",
            "paths => paths.map((path) => path.getAttribute('d').match(/-?[0-9.]+/g).map(Number))",
        )


@pytest.fixture(scope="module")
def visit(browser, lab_url: str, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """A visit to the exhibit that the module names as ``EXHIBIT``; errors of the page are failures."""
    errors: list[str] = []
    context = browser.new_context(viewport={"width": 1280, "height": 900}, base_url=lab_url)
    context.set_default_timeout(30_000)
    page = new_page(context)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    yield Visit(page, request.module.EXHIBIT)
    context.close()
    assert errors == []
