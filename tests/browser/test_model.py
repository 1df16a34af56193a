"""A network of one's own in a real browser, opened by the command line."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import torch
from torch import nn

pytestmark = pytest.mark.browser
sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect

FILE = """
from torch import nn

def net():
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 5))
"""
COMMAND = "import sys; from glassnet.cli.main import main; sys.argv[0] = 'glassnet'; main()"


@pytest.fixture(scope="module")
def model_url(tmp_path_factory):
    """The address that `glassnet lab --model` prints."""
    file = tmp_path_factory.mktemp("own") / "mine.py"
    file.write_text(FILE)
    arguments = ["lab", "--model", f"{file}:net", "--input", "1x1x8x8", "--port", "0", "--no-browser"]
    command = [sys.executable, "-c", COMMAND, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ) as lab:
        assert lab.stdout is not None
        yield lab.stdout.readline().split()[2]
        lab.terminate()


def test_a_network_of_ones_own_is_opened_with_its_pictures(browser, model_url):
    assert model_url.endswith("/exhibits/model")
    page, errors = browser.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(model_url)
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 5))
    expect(page.get_by_test_id("parameters")).to_have_text(
        str(sum(p.numel() for p in net.parameters())), timeout=120_000
    )
    x, rows = torch.zeros(1, 1, 8, 8), page.get_by_test_id("layers").locator("tr")
    for i, layer in enumerate(net):
        x = layer(x)
        n, shape = sum(p.numel() for p in layer.parameters()), " \u00d7 ".join(map(str, x.shape))
        expect(rows.nth(i)).to_have_text(f"{i}{type(layer).__name__}{shape}{n}")
    picture = page.get_by_test_id("inspection")
    seen = set()
    for name in ("filters", "feature-maps"):
        page.get_by_test_id("picture").select_option(name)
        page.wait_for_function("name => location.hash.includes(name)", arg=name, timeout=120_000)
        page.wait_for_function("() => document.querySelector('[data-testid=inspection]').naturalWidth > 0")
        seen.add(picture.get_attribute("src"))
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(
        "seen => !seen.includes(document.querySelector('[data-testid=inspection]').getAttribute('src'))", arg=[*seen]
    )
    seen.add(picture.get_attribute("src"))
    assert len(seen) == 3
    page.get_by_test_id("picture").select_option("confusion-matrix")
    expect(page.get_by_test_id("says")).to_contain_text("does not apply here. Sequential is no fitted estimator.")
    expect(picture).to_be_hidden()
    page.close()
    assert errors == []
