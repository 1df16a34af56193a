"""A lab in a process of its own, and a browser that looks at it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

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
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    page.on("websocket", lambda socket: hosts.add(urlsplit(socket.url).netloc))
    yield page
    context.close()
    assert errors == []
    assert hosts <= {urlsplit(lab_url).netloc}
