"""The layer table: kinds of layers as wiring, equation, mapping of the line and mapping of the plane."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.errors import InvalidInputError
from glassnet.plots.display import Display
from glassnet.plots.layer_rows import ROWS, Line, Parameters, wiring
from glassnet.plots.mapping_2d import grid_lines
from glassnet.plots.style import (
    HAIR,
    LINE,
    SMALL,
    TEXT,
    TITLE,
    Theme,
    marker,
    panels,
    put_text,
    use_axes,
    use_blank,
    use_legend,
)
from glassnet.seeds import generator

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

COLUMNS = ("", "wiring\n", "equation\n", "1-D mapping\n$x$ to $h$", "2-D mapping\n$(x_1, x_2)$ to $(h_1, h_2)$")
WIDTHS = (0.8, 1.2, 2.1, 1.6, 1.2)
ROW = 1.5  # inches


@dataclass
class TableRow:
    """One kind of layer.

    Parameters
    ----------
    name : str
        Of the layer.
    outputs : ndarray of shape (n_points, 1 or 2)
        What it makes of the numbers `LayerTableDisplay.x`.
    grid : ndarray of shape (2, n_lines, n_points, 2)
        What it makes of `LayerTableDisplay.grid`.
    points : ndarray of shape (n_samples, 2)
        What it makes of the data.
    """

    name: str
    outputs: np.ndarray
    grid: np.ndarray
    points: np.ndarray


@dataclass
class LayerTableDisplay(Display):
    """Eight kinds of layers in one picture, activations in blue and parameters in orange.

    Parameters
    ----------
    rows : list of TableRow
        linear, ReLU, sigmoid, tanh, softmax, normalization, residual, attention.
    x : ndarray of shape (n_points,)
        The numbers that are mapped.
    grid : ndarray of shape (2, n_lines, n_points, 2)
        The lines that are mapped.
    points : ndarray of shape (n_samples, 2)
        The data that are mapped.
    targets : ndarray of int, shape (n_samples,)
        Number of each sample's class.
    parameters : Parameters
        Weights of the layers that have some; the first component of each for numbers.

    Examples
    --------
    >>> display = LayerTableDisplay.from_data([[0.0, 1.0], [2.0, -1.0]], [0, 1])
    >>> [row.name for row in display.rows][:3], display.rows[1].points.tolist()
    (['linear', 'ReLU', 'sigmoid'], [[0.0, 1.0], [2.0, 0.0]])
    """

    rows: list[TableRow]
    x: np.ndarray
    grid: np.ndarray
    points: np.ndarray
    targets: np.ndarray
    parameters: Parameters

    @classmethod
    def from_data(
        cls, X: ArrayLike, y: ArrayLike, *, random_state: Any = 0, reach: float = 3.0, n_lines: int = 13
    ) -> LayerTableDisplay:
        """Draw weights and send numbers, a grid and data through every kind of layer.

        Parameters
        ----------
        X : array_like of shape (n_samples, 2)
            Data; the grid covers their range, the normalization takes their mean and variance.
        y : array_like of shape (n_samples,)
            Classes.
        random_state : int
            Decides the weights, which are normal, and the four tokens of the attention, which are
            samples.
        reach : float
            Largest number of the 1-D mappings.
        n_lines : int
            Grid lines in each direction.

        Raises
        ------
        InvalidInputError
            If X does not have two features.
        """
        X = np.asarray(X, float)
        if X.ndim != 2 or X.shape[1] != 2:
            raise InvalidInputError(f"A plane needs data of two features, got shape {X.shape}.")
        parameters = _drawn(X, generator(random_state, "layer table"))
        x, grid = np.linspace(-reach, reach, 201), grid_lines(X, n_lines)
        one, rows = parameters.of_one_dimension(), []
        for name, (function, _) in ROWS.items():
            mapped = function(grid.reshape(-1, 2), parameters).reshape(grid.shape)
            rows.append(TableRow(name, function(x[:, None], one), mapped, function(X, parameters)))
        return cls(rows, x, grid, X, np.unique(np.asarray(y), return_inverse=True)[1], parameters)

    def _size(self) -> tuple[float, float]:
        return 1.3 * sum(WIDTHS), ROW * (len(self.rows) + 1) + 0.3

    def _draw(self, ax: Axes, theme: Theme) -> None:
        grid = panels(ax, len(self.rows) + 1, len(COLUMNS), width_ratios=WIDTHS)
        start = TableRow("input", self.x[:, None], self.grid, self.points)
        for row, places in zip([start, *self.rows], grid, strict=True):
            for place in places[:3]:
                use_blank(place, theme, equal=False)
            put_text(places[0], 0.5, 0.5, row.name, theme, fontsize=TITLE, transform=places[0].transAxes)
            self._draw_line(places[3], theme, row)
            self._draw_plane(places[4], theme, row)
            if row is not start:
                _draw_wiring(places[1], theme, row.name)
                _draw_equation(places[2], theme, ROWS[row.name][1])
        for place, title in zip(grid[0], COLUMNS, strict=True):
            place.set_title(title, color=theme.muted, fontsize=TITLE)
        said = [[("\\mathrm{activations}", "activation")], [("\\mathrm{parameters}", "parameter")]]
        _draw_equation(grid[0, 2], theme, said)

    def _draw_line(self, ax: Axes, theme: Theme, row: TableRow) -> None:
        use_axes(ax, theme, grid=True)
        for i, values in enumerate(row.outputs.T):
            ax.plot(self.x, values, "-" if i == 0 else "--", color=theme.positive, linewidth=LINE)
        if row.name == "softmax":
            put_text(ax, self.x[-1], row.outputs[-1, 0] - 0.12, "$h_1$", theme, fontsize=SMALL, ha="right", va="top")
            put_text(ax, self.x[-1], row.outputs[-1, 1] + 0.12, "$h_2$", theme, fontsize=SMALL, ha="right", va="bottom")
        ax.margins(y=0.12)

    def _draw_plane(self, ax: Axes, theme: Theme, row: TableRow) -> None:
        from matplotlib.collections import LineCollection

        use_axes(ax, theme)
        flat = list(row.grid.reshape(-1, *row.grid.shape[2:]))
        ax.add_collection(LineCollection(flat, colors=theme.muted, linewidths=HAIR, alpha=0.7, zorder=1))
        for i in range(self.targets.max() + 1):
            u, v = row.points[self.targets == i].T
            ax.scatter(u, v, 7, c=theme.color(i + 2), marker=marker(i), linewidths=0, alpha=0.9, zorder=2)
        if row.name == "attention":
            u, v = (self.parameters.tokens @ self.parameters.value.T).T
            ax.scatter(u, v, 40, c=theme.ink, marker="*", linewidths=0, zorder=3, label="V")
            use_legend(ax, theme, loc="best", handletextpad=0.1, borderpad=0.2)
        ax.autoscale_view()
        ax.set_box_aspect(1)


def _draw_wiring(ax: Axes, theme: Theme, name: str) -> None:
    from matplotlib.patches import FancyArrowPatch

    units, edges = wiring(name)
    for start, end, kind in edges:
        color = theme.negative if kind == "parameter" else theme.positive
        bend = "arc3,rad=-0.32" if kind == "past" else "arc3"
        look = {"arrowstyle": "-|>", "mutation_scale": 6, "shrinkA": 4, "shrinkB": 5, "linewidth": HAIR}
        ax.add_patch(FancyArrowPatch(start, end, connectionstyle=bend, color=color, zorder=1, **look))
    x, y = zip(*units, strict=True)
    ax.scatter(x, y, 60, c=theme.paper, edgecolors=theme.positive, linewidths=1.4, zorder=2)
    ax.set(xlim=(-0.35, 2.35), ylim=(-1.4, 1.8))


def _draw_equation(ax: Axes, theme: Theme, lines: list[Line]) -> None:
    """Write pieces of LaTeX beside each other, each in the colour of what it is."""
    from matplotlib.offsetbox import AnchoredOffsetbox, HPacker, TextArea, VPacker

    colors = {"activation": theme.positive, "parameter": theme.negative, "plain": theme.ink}
    rows: list[Artist] = []
    for i, line in enumerate(lines):
        size = 1.35 * TEXT if i == 0 else TEXT
        pieces: list[Artist] = [
            TextArea(f"${text}$", textprops={"color": colors[kind], "fontsize": size}) for text, kind in line
        ]
        rows.append(HPacker(children=pieces, align="baseline", pad=0, sep=2))
    column = VPacker(children=rows, align="center", pad=0, sep=7)
    ax.add_artist(AnchoredOffsetbox("center", child=column, frameon=False, pad=0))


def _drawn(X: np.ndarray, rng: np.random.Generator) -> Parameters:
    """Draw the weights; those of query and key are made small enough for the attention to be shared."""
    weight, weight_2, query, key, value = rng.standard_normal((5, 2, 2))
    bias = rng.standard_normal(2)
    tokens = X[rng.choice(len(X), min(4, len(X)), replace=False)]
    soft = 1 / max(float(np.abs(X).max()), 1.0)
    norm = {"scale": np.ones(2), "shift": np.zeros(2), "mean": X.mean(axis=0), "variance": X.var(axis=0)}
    projections = {"query": query, "key": soft * key, "value": value}
    return Parameters(weight, weight_2, bias, tokens=tokens, **projections, **norm)
