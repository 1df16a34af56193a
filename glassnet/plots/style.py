"""Colours and fonts of every picture: the only place where they are written down.

Positive is blue and negative is orange throughout; classes come in ten colours, each with
its own marker, that stay apart for readers with protanopia and deuteranopia. Nothing
global is changed: a picture asks its theme for colours and styles its own axes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from glassnet.errors import UnknownNameError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colorbar import Colorbar
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

FONT = "DejaVu Sans"  # comes with matplotlib, so pictures look alike everywhere
TEXT, SMALL, TITLE = 9.0, 7.5, 10.0  # points
LINE, HAIR = 1.8, 0.7  # points
TIMES = "\N{MULTIPLICATION SIGN}"
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "p", "<", ">")


@dataclass(frozen=True)
class Theme:
    """The colours of one look, as hex strings.

    Parameters
    ----------
    name : str
        "light" or "dark".
    paper, panel : str
        Background of the figure, and of parts that stand out from it.
    ink, muted, grid : str
        Text and lines; secondary text; grid lines and frames.
    negative, positive : str
        Signed values; also the first and the second class.
    classes : tuple of str
        Colours of up to ten classes or curves, in the order of use.

    Examples
    --------
    >>> THEMES["light"].color(0) == THEMES["light"].negative
    True
    """

    name: str
    paper: str
    panel: str
    ink: str
    muted: str
    grid: str
    negative: str
    positive: str
    classes: tuple[str, ...]

    def color(self, i: int) -> str:
        """Return the colour of class or curve ``i``; after ten they begin again."""
        return self.classes[i % len(self.classes)]

    def signed(self, value: float) -> str:
        """Return the colour of a signed number; zero counts as positive."""
        return self.negative if value < 0 else self.positive

    def signed_map(self) -> Colormap:
        """Return the map from -1 (negative) over 0 (paper) to 1 (positive)."""
        return self.blend(self.negative, self.paper, self.positive)

    def amount_map(self) -> Colormap:
        """Return the map from 0 (paper) to 1 (positive)."""
        return self.blend(self.paper, self.positive)

    def blend(self, *colors: str) -> Colormap:
        """Return a smooth map through ``colors``."""
        from matplotlib.colors import LinearSegmentedColormap

        return LinearSegmentedColormap.from_list("glassnet", colors, N=511)

    def ink_on(self, color: str | tuple) -> str:
        """Return black or white, whichever reads better on ``color``."""
        return "#ffffff" if luminance(color) < 0.18 else "#000000"


THEMES: dict[str, Theme] = {
    "light": Theme(
        name="light",
        paper="#ffffff",
        panel="#f3f4f6",
        ink="#1b1f24",
        muted="#5d6570",
        grid="#d5d9df",
        negative="#d95f02",
        positive="#1f6fb4",
        classes=(
            *("#d95f02", "#1f6fb4", "#17a58d", "#6a0849", "#1c1f92"),
            *("#9b7b4c", "#3d8bff", "#8e3d02", "#1b6248", "#51270e"),
        ),
    ),
    "dark": Theme(
        name="dark",
        paper="#14171c",
        panel="#20252d",
        ink="#e8eaed",
        muted="#a0a8b3",
        grid="#39404a",
        negative="#f28e2b",
        positive="#5aa9f0",
        classes=(
            *("#f28e2b", "#5aa9f0", "#3fe0b8", "#b0567f", "#f5df8b"),
            *("#3f66e0", "#be3b35", "#7df0ff", "#a24fb0", "#d19b7b"),
        ),
    ),
}


def get_theme(name: str) -> Theme:
    """Return the theme of this name.

    Raises
    ------
    UnknownNameError
        If there is none.
    """
    if name not in THEMES:
        raise UnknownNameError("theme", name, THEMES)
    return THEMES[name]


def marker(i: int) -> str:
    """Return the marker of class ``i``; after ten they begin again."""
    return MARKERS[i % len(MARKERS)]


def luminance(color: str | tuple) -> float:
    """Return the relative luminance of a colour, 0 (black) to 1 (white), as WCAG 2 defines it.

    Examples
    --------
    >>> round(luminance("#ffffff"), 3), round(luminance("#000000"), 3)
    (1.0, 0.0)
    """
    from matplotlib.colors import to_rgb

    c = np.array(to_rgb(color))
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def use_axes(ax: Axes, theme: Theme, title: str = "", xlabel: str = "", ylabel: str = "", grid: bool = False) -> None:
    """Style the frame, ticks, labels and title of ``ax``."""
    ax.set_facecolor(theme.paper)
    for side, spine in ax.spines.items():
        spine.set(visible=side in ("left", "bottom"), color=theme.muted, linewidth=HAIR)
    look = {"colors": theme.muted, "labelcolor": theme.ink, "labelsize": SMALL, "labelfontfamily": FONT}
    ax.tick_params(which="both", width=HAIR, **look)
    ax.tick_params(length=3)
    ax.set_xlabel(xlabel, color=theme.ink, fontsize=TEXT, family=FONT)
    ax.set_ylabel(ylabel, color=theme.ink, fontsize=TEXT, family=FONT)
    use_title(ax, theme, title)
    ax.set_axisbelow(True)
    ax.grid(grid, **({"color": theme.grid, "linewidth": HAIR} if grid else {}))


def use_title(ax: Axes, theme: Theme, title: str) -> None:
    """Put a title above ``ax``, or above the panels it was divided into."""
    ax.set_title(title, color=theme.ink, fontsize=TITLE, family=FONT, pad=7)


def use_blank(ax: Axes, theme: Theme, title: str = "", equal: bool = True) -> None:
    """Style ``ax`` as a sheet for a drawing: no frame, no ticks."""
    use_axes(ax, theme, title)
    ax.set(xticks=[], yticks=[])
    for spine in ax.spines.values():
        spine.set_visible(False)
    if equal:
        ax.set_aspect("equal")


def use_frame(ax: Axes, theme: Theme, title: str = "") -> None:
    """Style ``ax`` as a small framed picture: all four sides, no ticks."""
    use_axes(ax, theme)
    ax.set(xticks=[], yticks=[])
    for spine in ax.spines.values():
        spine.set(visible=True, color=theme.grid)
    ax.set_title(title, color=theme.ink, fontsize=SMALL, family=FONT, pad=3)


def put_text(ax: Axes, x: float, y: float, text: str, theme: Theme, **how: object) -> None:
    """Put ``text`` at (x, y), centred unless told otherwise."""
    look = {"ha": "center", "va": "center", "fontsize": TEXT, "color": theme.ink, "family": FONT}
    ax.text(x, y, text, **(look | how))  # type: ignore[arg-type]


def number(value: float) -> str:
    """Return a number with three digits and a true minus sign.

    Examples
    --------
    >>> number(-1.2345)
    '−1.23'
    """
    return f"{value:.3g}".replace("-", "\N{MINUS SIGN}")


def sizes(shape: Iterable[int]) -> str:
    """Return a shape as words.

    Examples
    --------
    >>> sizes((6, 28, 28)) == f"6 {TIMES} 28 {TIMES} 28"
    True
    """
    return f" {TIMES} ".join(map(str, shape))


def use_whole_ticks(ax: Axes, both: bool = False) -> None:
    """Let the horizontal axis, or both axes, count: ticks at a few whole numbers."""
    from matplotlib.ticker import MaxNLocator

    for axis in (ax.xaxis, ax.yaxis) if both else (ax.xaxis,):
        axis.set_major_locator(MaxNLocator(5, integer=True, min_n_ticks=1))


def use_legend(ax: Axes, theme: Theme, **how: object) -> None:
    """Add a legend of the labelled things in ``ax``, if there are any."""
    if not ax.get_legend_handles_labels()[0]:
        return
    from matplotlib.font_manager import FontProperties

    font = FontProperties(family=FONT, size=SMALL)
    look = {"frameon": True, "framealpha": 0.85, "facecolor": theme.paper, "edgecolor": theme.grid, "prop": font}
    legend = ax.legend(**(look | {"labelcolor": theme.ink, "title_fontproperties": font} | how))
    legend.get_title().set_color(theme.muted)


def use_colorbar(ax: Axes | list[Axes], mappable: object, theme: Theme, label: str = "", **how: object) -> Colorbar:
    """Add a styled colour bar for ``mappable`` beside one or more axes, and return it."""
    figure = np.ravel(ax)[0].figure  # type: ignore[call-overload]
    bar = figure.colorbar(mappable, ax=ax, **({"fraction": 0.046, "pad": 0.03} | how))
    bar.outline.set(edgecolor=theme.grid, linewidth=HAIR)
    bar.ax.tick_params(colors=theme.muted, labelcolor=theme.ink, labelsize=SMALL, width=HAIR, labelfontfamily=FONT)
    bar.set_label(label, color=theme.ink, fontsize=SMALL, family=FONT)
    return bar


def panels(ax: Axes, n_rows: int, n_columns: int, **how: object) -> np.ndarray:
    """Divide the place of ``ax`` into (n_rows, n_columns) axes; ``ax`` itself turns blank."""
    ax.set_axis_off()
    spec = ax.get_subplotspec()
    if spec is None:
        spec = ax.figure.add_gridspec(1, 1)[0]  # type: ignore[union-attr]
    grid = spec.subgridspec(n_rows, n_columns, **how)  # type: ignore[arg-type]
    axes = [[ax.figure.add_subplot(grid[r, c]) for c in range(n_columns)] for r in range(n_rows)]
    return np.array(axes, dtype=object)


def symmetric_limit(values: ArrayLike) -> float:
    """Return the largest magnitude, for a scale with zero in the middle; 1 if all are zero.

    Examples
    --------
    >>> symmetric_limit([-3.0, 2.0])
    3.0
    """
    limit = float(np.max(np.abs(values), initial=0.0))
    return limit if limit > 0 else 1.0


def use_figure(figure: Figure, theme: Theme) -> None:
    """Style the background of ``figure``."""
    figure.set_facecolor(theme.paper)


def use_heading(figure: Figure, theme: Theme, text: str) -> None:
    """Put a heading above everything in ``figure``."""
    figure.suptitle(text, color=theme.muted, fontsize=TEXT, family=FONT)
