from __future__ import annotations

import re
import subprocess
import sys

import numpy as np
import pytest

from glassnet.errors import UnknownNameError
from glassnet.plots import gallery
from glassnet.plots.style import THEMES
from glassnet.registry import PLOTS

QUICK = ["step-and-sigmoid", "neuron-mcculloch-pitts"]


def test_the_gallery_is_one_page_and_a_picture_per_theme(tmp_path):
    written = gallery.write_gallery(tmp_path, QUICK, ("svg",))
    expected = {f"{name}-{theme}.svg" for name in QUICK for theme in THEMES}
    assert {path.name for path in written} == expected
    page = (tmp_path / "index.html").read_text()
    assert set(re.findall(r'src(?:set)?="([^"]+)"', page)) == expected
    assert "http" not in page


def test_every_kind_of_plot_stands_in_the_gallery(monkeypatch):
    asked = set()

    class Spy:
        def __getattr__(self, name):
            return lambda *args, **how: None

    monkeypatch.setattr(gallery, "picture", lambda name: asked.add(name) or Spy())
    for name in ("fitted", "sine", "histories"):
        monkeypatch.setattr(gallery, name, gallery.cache(lambda *args, **how: NotFitted()))
    for make in gallery.PICTURES.values():
        make()
    assert asked == set(PLOTS)


class NotFitted:
    """Stands for a fitted network where only the name of the picture matters."""

    def __init__(self):
        self.coefs_ = [np.ones((64, 36))]

    def predict_proba(self, X):
        return np.full((len(X), 10), 0.1)


def test_an_unknown_picture_is_named(tmp_path):
    with pytest.raises(UnknownNameError, match="gates"):
        gallery.write_gallery(tmp_path, ["gate"])


def test_the_command_refuses_wrong_use(tmp_path):
    command = [sys.executable, "-m", "glassnet.plots.gallery", str(tmp_path), "--only", "gate"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert "invalid choice: 'gate'" in done.stderr


@pytest.mark.slow
def test_the_whole_gallery(tmp_path):
    written = gallery.write_gallery(tmp_path)
    assert len(written) == 2 * len(gallery.PICTURES)
    assert all(path.stat().st_size > 2000 for path in written)
