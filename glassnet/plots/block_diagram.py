"""Diagrams of boxes and arrows, as the papers draw them: the Transformer, attention, the residual block.

Every number in them is read off the network that is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from glassnet.plots.display import Display
from glassnet.plots.style import HAIR, SMALL, TEXT, Theme, put_text, use_blank

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, HEIGHT, STEP = 3.6, 0.82, 1.3  # of a box, and from box to box; the drawing's own unit
INCHES = 0.47  # of that unit, in a figure of its own


@dataclass
class Box:
    """A part of a network.

    Parameters
    ----------
    x, y : float
        Its centre.
    text : str
        What stands in it.
    kind : {"parameters", "operation", "sum", "text"}
        It holds parameters; it holds none; a sum, drawn as a circle; words without a box.
    copies : int
        Drawn as so many sheets.
    width : float
        Of the box.
    """

    x: float
    y: float
    text: str
    kind: str = "operation"
    copies: int = 1
    width: float = WIDTH

    @property
    def top(self) -> tuple[float, float]:
        """The middle of its upper edge."""
        return self.x, self.y + self._half()

    @property
    def bottom(self) -> tuple[float, float]:
        """The middle of its lower edge."""
        return self.x, self.y - self._half()

    def _half(self) -> float:
        return {"sum": 0.26, "text": 0.26}.get(self.kind, HEIGHT / 2)


@dataclass
class BlockDiagramDisplay(Display):
    """Boxes, arrows along points, and frames round what is repeated.

    Parameters
    ----------
    boxes : list of Box
        The parts.
    arrows : list of list of (float, float)
        Corners of each arrow, from its beginning to its head.
    frames : list of (left, bottom, right, top, str)
        With what is said beside them, the first on its left and the others on their right.

    Examples
    --------
    >>> from glassnet.networks.attention import MultiHeadAttention
    >>> display = BlockDiagramDisplay.from_attention(MultiHeadAttention(d_model=16, n_heads=2))
    >>> [box.text for box in display.boxes if "heads" in box.text]
    ['Scaled dot-product\\nattention, 2 heads of 8']
    """

    boxes: list[Box] = field(default_factory=list)
    arrows: list[list[tuple[float, float]]] = field(default_factory=list)
    frames: list[tuple[float, float, float, float, str]] = field(default_factory=list)

    @classmethod
    def from_transformer(cls, model: Any) -> BlockDiagramDisplay:
        """Draw the encoder and the decoder of a Transformer.

        Parameters
        ----------
        model : Module
            `glassnet.networks.transformer.Transformer`, or one with its parts.
        """
        from glassnet.plots.block_layouts import draw_transformer

        return draw_transformer(cls(), model)

    @classmethod
    def from_attention(cls, attention: Any) -> BlockDiagramDisplay:
        """Draw scaled dot-product attention and, beside it, multi-head attention.

        Parameters
        ----------
        attention : Module
            `glassnet.networks.attention.MultiHeadAttention` or torch's ``MultiheadAttention``.
        """
        from glassnet.plots.block_layouts import draw_attention

        return draw_attention(cls(), attention)

    @classmethod
    def from_residual_block(cls, block: Any, x: Any) -> BlockDiagramDisplay:
        """Run a residual block once and draw its branch, its shortcut and their sum.

        Parameters
        ----------
        block : Module
            With one sum of two paths.
        x : Tensor
            What it is called with.

        Raises
        ------
        InvalidInputError
            If there is no such sum.
        """
        from glassnet.plots.block_layouts import draw_residual_block

        return draw_residual_block(cls(), block, x)

    def box(self, x: float, y: float, text: str, kind: str = "operation", **how: Any) -> Box:
        """Add a box and return it."""
        self.boxes.append(Box(x, y, text, kind, **how))
        return self.boxes[-1]

    def arrow(self, *points: tuple[float, float]) -> None:
        """Add an arrow along these points."""
        self.arrows.append(list(points))

    def chain(self, *boxes: Box) -> None:
        """Connect boxes that stand above each other."""
        for below, above in pairwise(boxes):
            self.arrow(below.top, above.bottom)

    def _extent(self) -> tuple[float, float, float, float]:
        """Left, right, lower and upper end of the drawing."""
        points = [point for arrow in self.arrows for point in arrow]
        points += [(b.x + side * b.width / 2, b.y + side * 0.5) for b in self.boxes for side in (-1, 1)]
        points += [corner for f in self.frames for corner in ((f[0] - 0.9, f[1]), (f[2] + 0.9, f[3]))]
        x, y = zip(*points, strict=True)
        return min(x) - 0.3, max(x) + 0.3, min(y) - 0.2, max(y) + 0.2

    def _size(self) -> tuple[float, float]:
        left, right, low, high = self._extent()
        return INCHES * (right - left), INCHES * (high - low)

    def _draw(self, ax: Axes, theme: Theme) -> None:
        from matplotlib.patches import FancyBboxPatch

        use_blank(ax, theme)
        for i, (left, bottom, right, top, said) in enumerate(self.frames):
            look = {"facecolor": "none", "edgecolor": theme.muted, "linewidth": HAIR, "zorder": 0}
            shape = "round,pad=0,rounding_size=0.3"
            ax.add_patch(FancyBboxPatch((left, bottom), right - left, top - bottom, boxstyle=shape, **look))
            x, align = (left - 0.25, "right") if i == 0 else (right + 0.25, "left")
            put_text(ax, x, (bottom + top) / 2, said, theme, ha=align, fontsize=1.2 * TEXT)
        for points in self.arrows:
            _draw_arrow(ax, theme, points)
        for box in self.boxes:
            _draw_box(ax, theme, box)
        left, right, low, high = self._extent()
        ax.set(xlim=(left, right), ylim=(low, high))


def _draw_arrow(ax: Axes, theme: Theme, points: list[tuple[float, float]]) -> None:
    ax.plot(*zip(*points, strict=True), color=theme.ink, linewidth=1.0, zorder=1)
    look = {"arrowstyle": "-|>", "color": theme.ink, "linewidth": 1.0, "mutation_scale": 8, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", points[-1], points[-2], arrowprops=look, zorder=1)


def _draw_box(ax: Axes, theme: Theme, box: Box) -> None:
    from matplotlib.patches import Circle, FancyBboxPatch

    edge = theme.negative if box.kind == "parameters" else theme.positive
    look = {"facecolor": theme.panel, "edgecolor": edge, "linewidth": 1.2}
    if box.kind == "sum":
        ax.add_patch(Circle((box.x, box.y), 0.26, zorder=2, **look))
    elif box.kind != "text":
        for sheet in range(min(box.copies, 3) - 1, -1, -1):
            place = (box.x - box.width / 2 + 0.12 * sheet, box.y - HEIGHT / 2 + 0.1 * sheet)
            shape = "round,pad=0,rounding_size=0.12"
            ax.add_patch(FancyBboxPatch(place, box.width, HEIGHT, boxstyle=shape, zorder=2 - 0.1 * sheet, **look))
    put_text(ax, box.x, box.y, box.text, theme, fontsize=SMALL, zorder=4)
