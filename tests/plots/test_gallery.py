from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from glassnet.errors import UnknownNameError
from glassnet.inspect.history import History
from glassnet.plots import gallery
from glassnet.plots.style import THEMES
from glassnet.plots.training_curves import TrainingCurvesDisplay
from glassnet.registry import PLOTS

QUICK = ["step-and-sigmoid", "neuron-mcculloch-pitts"]


def test_the_gallery_is_one_page_and_a_picture_per_theme(tmp_path):
    written = gallery.write_gallery(tmp_path, QUICK, ("svg",))
    expected = {f"{name}-{theme}.svg" for name in QUICK for theme in THEMES}
    assert {path.name for path in written} == expected
    page = (tmp_path / "index.html").read_text()
    assert set(re.findall(r'src(?:set)?="([^"]+)"', page)) == expected
    assert "http" not in page


def test_every_kind_of_plot_stands_in_the_gallery():
    sources = "".join(path.read_text() for path in Path(gallery.__file__).parent.glob("gallery*.py"))
    assert set(re.findall(r'picture\("([\w-]+)"\)', sources)) == set(PLOTS)


def test_films_are_gifs_and_pages(tmp_path, monkeypatch):
    history = History()
    history.record(0, np.linspace(2.0, 1.0, 40))
    film = TrainingCurvesDisplay.from_history(history)
    monkeypatch.setattr(gallery, "FILMS", {"film": lambda: film})
    written = gallery.write_gallery(tmp_path, ["film"])
    assert {path.name for path in written} == {f"film-{theme}.{kind}" for theme in THEMES for kind in ("gif", "html")}
    assert "film-light.gif" in (tmp_path / "index.html").read_text()


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
    assert len(written) == 2 * len(gallery.PICTURES) + 4 * len(gallery.FILMS)
    assert all(path.stat().st_size > 2000 for path in written)
