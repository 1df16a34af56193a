"""A deep network as a graph, layer by layer, with shapes and counts, folded by module."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from glassnet.errors import InvalidInputError
from glassnet.plots.display import Display
from glassnet.plots.style import HAIR, LINE, SMALL, TIMES, Theme, put_text, sizes, use_blank

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from glassnet.inspect.dataflow import Node

MAX_NODES = 26  # without being asked, fold until no more are left
REFUSED = 80
WIDTH, HEIGHT = 6.2, 0.62  # of a box; from box to box is 1


@dataclass
class ModuleGraphDisplay(Display):
    """Layers as boxes from top to bottom, with what each gives and holds; lines show what goes where.

    Parameters
    ----------
    nodes : list of Node
        From `glassnet.inspect.dataflow.dataflow`.
    n_parameters : int
        All of the network's.
    depth : int or None
        How many names deep the modules were folded.

    Examples
    --------
    >>> import torch
    >>> net = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU(), torch.nn.Linear(3, 2))
    >>> display = ModuleGraphDisplay.from_module(net, torch.zeros(1, 4))
    >>> [node.output_shape for node in display.nodes], display.n_parameters
    ([(1, 4), (1, 3), (1, 3), (1, 2)], 23)
    """

    nodes: list[Node]
    n_parameters: int
    depth: int | None = None

    @classmethod
    def from_module(cls, model: Any, *inputs: Any, depth: int | None = None, kwargs: Any = None) -> ModuleGraphDisplay:
        """Run a network once and draw what it did.

        Parameters
        ----------
        model : Module, or estimator that holds one
            As `glassnet.inspect.trace` takes it.
        *inputs : Tensor or ndarray
            What it is called with; one sample is enough.
        depth : int, optional
            Fold modules this many names deep; None folds until at most 26 boxes are left.
        kwargs : mapping, optional
            Keyword arguments of the model.

        Raises
        ------
        InvalidInputError
            If there is no torch module, or if more than 80 boxes were to be drawn.
        """
        from torch import nn

        from glassnet.inspect.dataflow import dataflow, fold_repeats
        from glassnet.inspect.trace import trace

        module = getattr(model, "module_", model)
        if not isinstance(module, nn.Module):
            raise InvalidInputError(f"{type(model).__name__} holds no torch module; draw it with WiringDisplay.")
        seen = trace(module, *inputs, kwargs=kwargs)
        deepest = 1 + max(call.address.count(".") for call in seen.calls)
        tried = range(deepest, 0, -1) if depth is None else (depth,)
        for depth in tried:
            nodes = fold_repeats(dataflow(seen, depth, module))
            if len(nodes) <= MAX_NODES:
                break
        if len(nodes) > REFUSED:
            raise InvalidInputError(f"{len(nodes)} boxes are too many to read, {REFUSED} are allowed: fold with depth.")
        return cls(nodes, sum(p.numel() for p in module.parameters()), depth)

    def skips(self) -> list[tuple[int, int]]:
        """Return the connections that pass by another box: numbers of where they begin and end."""
        return [(source, i) for i, node in enumerate(self.nodes) for source in node.sources if source != i - 1]

    def _lanes(self) -> dict[tuple[int, int], int]:
        """How far to the left each of these runs, so that no two lie on each other; the short ones nearest."""
        lanes: dict[tuple[int, int], int] = {}
        for start, end in sorted(self.skips(), key=lambda skip: skip[1] - skip[0]):
            taken = {lanes[a, b] for a, b in lanes if a < end and start < b and a != start}
            lanes[start, end] = min(set(range(len(taken) + 1)) - taken)
        return lanes

    def _left(self) -> float:
        return 0.6 + 0.35 * (1 + max(self._lanes().values(), default=-1))

    def _size(self) -> tuple[float, float]:
        return 0.62 * (self._left() + WIDTH + 5.4), 0.36 * (len(self.nodes) + 1.2)

    def _draw(self, ax: Axes, theme: Theme) -> None:
        use_blank(ax, theme, f"{self.n_parameters:,} parameters", equal=False)
        for i, node in enumerate(self.nodes):
            self._draw_node(ax, theme, i, node)
            if i - 1 in node.sources:
                _line(ax, theme, [(WIDTH / 2, -i + 1 - HEIGHT / 2), (WIDTH / 2, -i + HEIGHT / 2)])
        for (start, end), lane in self._lanes().items():
            x = -0.45 - 0.35 * lane
            _line(ax, theme, [(0, -start - 0.12), (x, -start - 0.12), (x, -end + 0.12), (0, -end + 0.12)])
        ax.set(xlim=(-self._left(), WIDTH + 5.4), ylim=(-len(self.nodes) + 0.3, 0.7))

    def _draw_node(self, ax: Axes, theme: Theme, i: int, node: Node) -> None:
        from matplotlib.patches import FancyBboxPatch

        edge = theme.negative if node.parameters or node.shared else theme.positive
        for offset in (0.09, 0.0) if node.times > 1 else (0.0,):
            look = {"facecolor": theme.panel, "edgecolor": edge, "linewidth": 1.2}
            place = (offset, -i - HEIGHT / 2 + offset / 2)
            ax.add_patch(FancyBboxPatch(place, WIDTH, HEIGHT, boxstyle="round,pad=0,rounding_size=0.12", **look))
        times = f"{node.times} {TIMES} " if node.times > 1 else ""
        put_text(ax, 0.15, -i, node.name, theme, ha="left", fontsize=SMALL)
        if node.kind not in (node.name, node.name.rpartition(":")[2]):
            put_text(ax, WIDTH - 0.15, -i, times + node.kind, theme, ha="right", fontsize=SMALL, color=theme.muted)
        shape = sizes(node.output_shape[1:] or node.output_shape)
        put_text(ax, WIDTH + 0.3, -i, shape, theme, ha="left", fontsize=SMALL, color=theme.positive)
        put_text(ax, WIDTH + 5.2, -i, self._count(node), theme, ha="right", fontsize=SMALL, color=theme.negative)

    @staticmethod
    def _count(node: Node) -> str:
        if node.shared and not node.parameters:
            return f"{node.shared:,} shared"
        times = f"{node.times} {TIMES} " if node.times > 1 else ""
        return f"{times}{node.parameters:,}" if node.parameters else ""


def _line(ax: Axes, theme: Theme, points: list[tuple[float, float]]) -> None:
    x, y = zip(*points, strict=True)
    ax.plot(x, y, color=theme.ink, linewidth=HAIR * 1.3, zorder=0)
    look = {"arrowstyle": "-|>", "color": theme.ink, "linewidth": 0, "mutation_scale": 7, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", points[-1], points[-2], arrowprops=look | {"linewidth": LINE / 3})
