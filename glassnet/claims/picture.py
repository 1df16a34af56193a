"""Pictures of claims: a few panels in the package's own colours, as SVG."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.plots.display import FORMATS
from glassnet.plots.style import LINE, get_theme, marker, use_axes, use_figure, use_legend, use_whole_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

THEME = get_theme("light")
COUNTED = ("epoch", "hidden layers", "depth")  # what a horizontal axis counts in whole numbers


def panels(n: int = 1, width: float = 4.2, height: float = 3.2) -> tuple[Figure, list[Axes]]:
    """Return a figure and its ``n`` axes side by side, each of this size in inches."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(n * width, height), layout="constrained")
    use_figure(figure, THEME)
    return figure, list(figure.subplots(1, n, squeeze=False)[0])


def curve(ax: Axes, i: int, x: Any, y: Any, label: str = "", spread: Any = None, **how: Any) -> None:
    """Draw curve number ``i``, with a band of one ``spread`` to either side."""
    x, y, color = np.asarray(x), np.asarray(y, dtype=float), THEME.color(i)
    look = {"linewidth": LINE, "markersize": 3.5, "marker": marker(i) if len(x) <= 30 else ""}
    ax.plot(x, y, color=color, label=label, **(look | how))
    if spread is not None:
        ax.fill_between(x, y - spread, y + spread, color=color, alpha=0.18, linewidth=0)


def bars(ax: Axes, names: Sequence[str], values: Sequence[float], spreads: Sequence[float] | None = None) -> None:
    """Draw a bar for each name, with a whisker of one spread to either side."""
    color = [THEME.color(i) for i in range(len(names))]
    ax.bar(range(len(names)), values, color=color, yerr=spreads, width=0.6, ecolor=THEME.ink, capsize=3)
    ax.set_xticks(range(len(names)), names)


def limit(ax: Axes, value: float, label: str = "", vertical: bool = False) -> None:
    """Draw a dotted line at a value that theory gives."""
    line = ax.axvline if vertical else ax.axhline
    line(value, color=THEME.muted, linestyle=":", linewidth=1.2, label=label)


def finish(ax: Axes, title: str = "", xlabel: str = "", ylabel: str = "", log: str = "") -> None:
    """Label and style the axes; ``log`` names those that are logarithmic, "x", "y" or "xy"."""
    use_axes(ax, THEME, title, xlabel, ylabel, grid=True)
    if "y" in log:
        ax.set_yscale("log")
        _use_powers(ax.yaxis, *ax.get_ylim())
    if "x" in log:
        ax.set_xscale("log")
        _use_powers(ax.xaxis, *ax.get_xlim())
    elif xlabel in COUNTED:
        use_whole_ticks(ax)
    use_legend(ax, THEME)


def _use_powers(axis: Axis, low: float, high: float) -> None:
    """Label powers of ten, or 1, 2 and 5 of each where there are not two of them."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    if high < 100 * low:
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}" if value >= 1 else f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def svg(figure: Figure) -> str:
    """Return the figure as an SVG element, ready to stand in an HTML page."""
    data = io.StringIO()
    figure.savefig(data, format="svg", metadata=FORMATS["svg"])
    text = data.getvalue()
    return text[text.index("<svg") :]
