from __future__ import annotations

import subprocess
import sys
import threading
import xml.etree.ElementTree as ET
from dataclasses import dataclass, is_dataclass

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from PIL import Image

from glassnet import plots
from glassnet.errors import UnknownNameError
from glassnet.plots.activation_functions import ActivationDisplay
from glassnet.plots.display import Display
from glassnet.plots.style import THEMES
from glassnet.registry import PLOTS, resolve


@pytest.fixture
def display():
    return ActivationDisplay.from_names(("sigmoid", "tanh"))


@pytest.mark.parametrize("name", PLOTS)
def test_every_plot_is_a_display_of_numbers(name):
    plot = resolve(PLOTS, "plot", name)
    assert issubclass(plot, Display)
    assert is_dataclass(plot)
    assert any(member.startswith("from_") for member in vars(plot))
    assert "Examples" in plot.__doc__


def test_plot_draws_on_the_axes_it_is_given(display):
    figure = Figure()
    left, right = figure.subplots(1, 2)
    assert display.plot(right) is display
    assert display.ax_ is right
    assert display.figure_ is figure
    assert left.axison
    assert len(figure.axes) == 4


@pytest.mark.parametrize("theme", THEMES)
def test_plot_without_axes_makes_a_figure(display, theme):
    try:
        display.plot(theme=theme)
        assert plt.gcf() is display.figure_
        assert display.figure_.get_facecolor() == to_rgba(THEMES[theme].paper)
    finally:
        plt.close("all")


@pytest.mark.parametrize("theme", THEMES)
def test_save_writes_each_format(display, tmp_path, theme):
    svg, pdf, png = (display.save(tmp_path / f"picture.{kind}", theme=theme) for kind in ("svg", "pdf", "png"))
    assert ET.parse(svg).getroot().tag.endswith("svg")
    assert pdf.read_bytes().startswith(b"%PDF")
    corner = np.array(Image.open(png).convert("RGB"))[0, 0]
    assert np.allclose(corner / 255, to_rgba(THEMES[theme].paper)[:3], atol=0.01)


def test_save_touches_neither_pyplot_nor_rcparams(display, tmp_path):
    before = dict(mpl.rcParams)
    display.save(tmp_path / "a.svg")
    assert plt.get_fignums() == []
    assert dict(mpl.rcParams) == before


def test_save_from_another_thread(display, tmp_path):
    threads = [threading.Thread(target=display.save, args=(tmp_path / f"{i}.png",)) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "0.png").read_bytes() == (tmp_path / "1.png").read_bytes()


def test_unknown_format_and_theme_are_named(display, tmp_path):
    with pytest.raises(UnknownNameError, match="picture format: 'gif'"):
        display.save(tmp_path / "a.gif")
    with pytest.raises(UnknownNameError, match="theme: 'blue'"):
        display.save(tmp_path / "a.png", theme="blue")
    with pytest.raises(UnknownNameError, match="theme"):
        display.plot(theme="blue")
    assert list(tmp_path.iterdir()) == []


@dataclass
class Broken(Display):
    def _draw(self, ax, theme):
        raise RuntimeError("cannot draw")


def test_a_failed_picture_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"old")
    with pytest.raises(RuntimeError):
        Broken().save(path)
    assert path.read_bytes() == b"old"


def test_the_package_offers_every_display_and_loads_no_matplotlib_for_it():
    code = "import sys, glassnet.plots as p; assert 'matplotlib' not in sys.modules, 'loaded'; print(*dir(p))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    names = done.stdout.split()
    assert names == sorted(entry.split(":")[1] for entry in PLOTS.values())
    assert plots.DecisionBoundaryDisplay is resolve(PLOTS, "plot", "decision-boundary")
    with pytest.raises(AttributeError, match="no attribute 'Picture'"):
        plots.Picture  # noqa: B018
