from __future__ import annotations

from itertools import combinations

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from glassnet.errors import UnknownNameError
from glassnet.plots import style
from glassnet.plots.style import THEMES, get_theme, luminance, panels, symmetric_limit

# Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB
SEEN_BY = {
    "everyone": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
}
RGB_TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def lab(color, seen_by):
    """CIE L*a*b* of a colour as somebody sees it."""
    c = np.array(to_rgb(color))
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    xyz = RGB_TO_XYZ @ np.clip(np.array(SEEN_BY[seen_by]) @ linear, 0, 1) / [0.95047, 1.0, 1.08883]
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast(a, b):
    dark, light = sorted((luminance(a), luminance(b)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
@pytest.mark.parametrize("seen_by", SEEN_BY)
def test_colours_stay_apart_for_colour_blind_readers(theme, seen_by):
    seen = [lab(color, seen_by) for color in theme.classes]
    assert np.linalg.norm(lab(theme.negative, seen_by) - lab(theme.positive, seen_by)) > 60
    assert min(np.linalg.norm(a - b) for a, b in combinations(seen[:8], 2)) > 20
    assert min(np.linalg.norm(a - b) for a, b in combinations(seen, 2)) > 15


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_everything_can_be_read_on_its_paper(theme):
    assert all(contrast(color, theme.paper) > 3 for color in theme.classes)
    assert contrast(theme.ink, theme.paper) > 12
    assert contrast(theme.muted, theme.paper) > 4.5
    assert len(set(theme.classes)) == len(theme.classes) == len(set(style.MARKERS))


@given(st.tuples(*[st.floats(0, 1)] * 3))
def test_ink_on_any_colour_can_be_read(color):
    assert contrast(THEMES["light"].ink_on(color), color) > 4.5


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_signed_map_has_paper_in_the_middle(theme):
    colors = theme.signed_map()
    for place, color in ((0.0, theme.negative), (0.5, theme.paper), (1.0, theme.positive)):
        assert np.allclose(colors(place)[:3], to_rgb(color), atol=1e-6)
    assert (theme.signed(-0.1), theme.signed(0.0), theme.signed(3)) == (theme.negative, theme.positive, theme.positive)


def test_classes_begin_again_after_ten():
    theme = THEMES["dark"]
    assert theme.color(13) == theme.color(3)
    assert style.marker(13) == style.marker(3)


def test_luminance_is_the_one_of_wcag():
    assert luminance("#808080") == pytest.approx(0.2158605, abs=1e-6)
    assert contrast("#ffffff", "#000000") == pytest.approx(21)


def test_unknown_theme_is_named():
    with pytest.raises(UnknownNameError, match="Did you mean 'dark'"):
        get_theme("darc")


def test_panels_divide_the_place_of_an_axes():
    figure = Figure()
    left, right = figure.subplots(1, 2)
    made = panels(right, 2, 3)
    figure.draw_without_rendering()
    assert made.shape == (2, 3)
    place = right.get_position()
    for panel in made.ravel():
        inner = panel.get_position()
        assert place.x0 - 1e-9 <= inner.x0 < inner.x1 <= place.x1 + 1e-9
    assert left.axison
    assert not right.axison


def test_panels_of_a_free_axes():
    figure = Figure()
    assert panels(figure.add_axes((0.1, 0.1, 0.8, 0.8)), 1, 2).shape == (1, 2)


def test_symmetric_limit():
    assert symmetric_limit([[1.0, -4.0], [2.0, 3.0]]) == 4.0
    assert symmetric_limit([]) == symmetric_limit([0.0]) == 1.0


def test_nothing_global_is_changed():
    before = dict(mpl.rcParams)
    figure = Figure()
    ax = figure.subplots()
    ax.plot([0, 1], label="a")
    style.use_axes(ax, THEMES["dark"], "t", "x", "y", grid=True)
    style.use_legend(ax, THEMES["dark"])
    figure.draw_without_rendering()
    assert dict(mpl.rcParams) == before
