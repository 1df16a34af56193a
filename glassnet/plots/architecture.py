"""A convolutional network as its papers draw it: volumes of feature maps with their sizes, in one stream or two."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.errors import InvalidInputError, UnknownNameError
from glassnet.plots.display import Display
from glassnet.plots.style import HAIR, SMALL, TIMES, Theme, put_text, use_blank

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from glassnet.inspect.traced import Call

TALLEST, GAP = 3.0, 1.5  # of a volume, and between two; the drawing's own unit
MAX_PLANES = 8  # drawn of a volume
MAX_VOLUMES = 24
SLANT = np.array([0.14, -0.14])  # from plane to plane
SHOWN = ("conv", "pool", "sampling", "linear", "output")  # in the class names of the layers drawn by default

OPERATIONS = {
    "conv": "convolution",
    "maxpool": "max-pooling",
    "pool": "pooling",
    "sampling": "sub-sampling",
    "linear": "full\nconnection",
    "rbf": "distances\nto codes",
}


@dataclass
class Volume:
    """What one layer gives: feature maps, or units.

    Parameters
    ----------
    name : str
        Of the layer.
    maps : int
        Number of maps or units, in all streams together.
    size : (height, width) or None
        Of a map; None for units.
    operation : str
        What makes it of the volume before.
    window : (height, width) or None
        Of the field that one of its units sees in a map of the volume before.
    streams : int
        Into how many equal parts it is divided.
    crosses : bool
        Whether each part sees all parts of the volume before.
    """

    name: str
    maps: int
    size: tuple[int, int] | None
    operation: str = ""
    window: tuple[int, int] | None = None
    streams: int = 1
    crosses: bool = True

    def __post_init__(self) -> None:
        if self.streams < 1 or self.maps % self.streams:
            raise InvalidInputError(f"{self.name!r} has {self.maps} maps, which {self.streams} streams cannot share.")

    @property
    def label(self) -> str:
        """Its size as the papers write it, of one stream: 6@28x28, or the number of units."""
        maps = self.maps // self.streams
        return f"{maps:,}" if self.size is None else f"{maps}@{self.size[0]}{TIMES}{self.size[1]}"


@dataclass
class ArchitectureDisplay(Display):
    """Volumes from left to right, streams below each other, fields and connections between them.

    Parameters
    ----------
    volumes : list of Volume
        The input, then the layers.

    Examples
    --------
    >>> import torch
    >>> net = torch.nn.Sequential(torch.nn.Conv2d(1, 6, 5), torch.nn.Flatten(), torch.nn.Linear(6 * 24 * 24, 10))
    >>> display = ArchitectureDisplay.from_module(net, torch.zeros(1, 1, 28, 28))
    >>> [(volume.maps, volume.size) for volume in display.volumes]
    [(1, (28, 28)), (6, (24, 24)), (10, None)]
    """

    volumes: list[Volume]

    @classmethod
    def from_module(
        cls, model: Any, *inputs: Any, layers: Iterable[str] | Mapping[str, str] | None = None, streams: int = 1
    ) -> ArchitectureDisplay:
        """Run a torch module once and draw the volumes that it made.

        Parameters
        ----------
        model : Module
            A chain of layers.
        *inputs : Tensor or ndarray of shape (batch, channels, height, width)
            What it is called with.
        layers : iterable of str, or mapping of str to str, optional
            Addresses of the layers to draw, or these and the names to draw them with; all that
            convolve, pool or connect if None.
        streams : int
            Into how many parts the layers between the input and the last one are divided.
            Convolutions in that many groups stay in their stream.

        Raises
        ------
        UnknownNameError
            If a layer does not exist or was not called.
        InvalidInputError
            If there is nothing to draw or too much, if paths join, or if the maps of a layer
            cannot be divided so.
        """
        from glassnet.inspect.trace import trace

        seen = trace(model, *inputs, layers=())
        calls = {call.address: call for call in seen.calls if not call.is_operation and call.number == 0}
        chosen = [a for a in calls if a and _is_shown(a, calls)] if layers is None else list(layers)
        names = layers if isinstance(layers, Mapping) else {address: address for address in chosen}
        for address in chosen:
            if address not in calls:
                raise UnknownNameError("layer", address, calls)
        _check_chain(seen.calls, len(chosen))
        first = next(shape for quantity, shape in seen.calls[0].shapes.items() if quantity.startswith("input"))
        modules = dict(model.named_modules())
        made = [Volume("input", *_maps(first))]
        for address in chosen:
            n = 1 if address == chosen[-1] else streams
            made.append(_volume(calls[address], modules[address], names[address], made[-1], n))
        return cls(made)

    def _heights(self) -> list[float]:
        """How tall each volume is drawn: maps by the root of their side, units by the logarithm of their number."""
        sides = [max(volume.size) for volume in self.volumes if volume.size]
        return [
            TALLEST * np.sqrt(max(v.size) / max(sides, default=1))
            if v.size
            else min(0.5 + 0.22 * np.log2(v.maps / v.streams), 0.85 * TALLEST)
            for v in self.volumes
        ]

    def _widths(self) -> list[float]:
        return [
            (height * v.size[1] / max(v.size) if v.size else 0.22) + SLANT[0] * (_n_planes(v) - 1)
            for v, height in zip(self.volumes, self._heights(), strict=True)
        ]

    def _lefts(self) -> np.ndarray:
        return np.concatenate([[0.0], np.cumsum(np.array(self._widths()) + GAP)])

    def _rows(self) -> dict[int, list[float]]:
        """The heights at which the parts of a volume of so many streams stand."""
        most = max(volume.streams for volume in self.volumes)
        spread = TALLEST + 1.6
        return {n: [spread * ((n - 1) / 2 - i) for i in range(n)] for n in (1, most)}

    def _size(self) -> tuple[float, float]:
        most = max(volume.streams for volume in self.volumes)
        return 0.5 * (self._lefts()[-1] - GAP + 1.3), 0.5 * (TALLEST + 3.4 + (most - 1) * (TALLEST + 1.6))

    def _draw(self, ax: Axes, theme: Theme) -> None:
        use_blank(ax, theme)
        rows, lefts = self._rows(), self._lefts()
        for i, volume in enumerate(self.volumes):
            for row in rows[volume.streams]:
                self._draw_volume(ax, theme, i, row)
            if i:
                self._draw_connections(ax, theme, i)
        low, high = min(map(min, rows.values())), max(map(max, rows.values()))
        for i, volume in enumerate(self.volumes[1:], 1):
            middle = lefts[i] - GAP / 2
            put_text(
                ax, middle, low - TALLEST / 2 - 0.95, volume.operation, theme, color=theme.muted, fontsize=SMALL - 1
            )
        reach = TALLEST / 2 + 1.3
        ax.set(xlim=(-0.5, lefts[-1] - GAP + 0.8), ylim=(low - reach - 0.2, high + reach))

    def _corner(self, i: int, row: float, plane: int = 0) -> np.ndarray:
        """Lower left corner of a plane of a volume, the one behind all others being 0."""
        fall = -SLANT[1] * (_n_planes(self.volumes[i]) - 1)
        return SLANT * plane + (self._lefts()[i], row + (fall - self._heights()[i]) / 2)

    def _face(self, i: int) -> tuple[float, float]:
        """Width and height of a plane of a volume."""
        return self._widths()[i] - SLANT[0] * (_n_planes(self.volumes[i]) - 1), self._heights()[i]

    def _draw_volume(self, ax: Axes, theme: Theme, i: int, row: float) -> None:
        from matplotlib.patches import Rectangle

        volume, (width, height) = self.volumes[i], self._face(i)
        look = {"facecolor": theme.panel, "edgecolor": theme.positive, "linewidth": HAIR}
        for plane in range(_n_planes(volume)):
            ax.add_patch(Rectangle(tuple(self._corner(i, row, plane)), width, height, zorder=2 + 0.01 * plane, **look))
        x = self._lefts()[i] + self._widths()[i] / 2
        top = row + (height - SLANT[1] * (_n_planes(volume) - 1)) / 2
        clear = {"facecolor": theme.paper, "edgecolor": "none", "pad": 1.0}  # of the lines that pass behind
        put_text(ax, x, top + 0.28, volume.label, theme, fontsize=SMALL, color=theme.positive, bbox=clear, zorder=4)
        if row == max(self._rows()[volume.streams]):
            put_text(ax, x, top + 0.68, volume.name, theme, fontsize=SMALL)

    def _draw_connections(self, ax: Axes, theme: Theme, i: int) -> None:
        volume, before = self.volumes[i], self.volumes[i - 1]
        rows = self._rows()
        for a, start in enumerate(rows[before.streams]):
            for b, end in enumerate(rows[volume.streams]):
                if volume.crosses or before.streams != volume.streams or a == b:
                    self._draw_field(ax, theme, i, start, end)

    def _draw_field(self, ax: Axes, theme: Theme, i: int, start: float, end: float) -> None:
        """The field of one unit, and lines from its corners to the unit; between units, from end to end."""
        from matplotlib.patches import Rectangle

        volume, before = self.volumes[i], self.volumes[i - 1]
        width, height = self._face(i - 1)
        front = self._corner(i - 1, start, _n_planes(before) - 1)
        corners = [_moved(front, width, height), _moved(front, width, 0.0)]
        if volume.window is not None and before.size is not None:
            side = np.minimum(np.array(volume.window[::-1]) / before.size[::-1], 1.0) * (width, height)
            place = front + (np.array([width, height]) - side) * (0.72, 0.62)
            look = {"facecolor": "none", "edgecolor": theme.negative, "linewidth": 1.2, "zorder": 3}
            ax.add_patch(Rectangle(tuple(place), *side, **look))
            corners = [_moved(place, *side), _moved(place, side[0], 0.0)]
        width, height = self._face(i)
        back = self._corner(i, end)
        ends = [_moved(back, 0.0, height), back]
        if volume.size is not None:
            seen = 0.2 * width if _n_planes(volume) == 1 else SLANT[0] / 2
            ends = [_moved(back, seen, 0.55 * height)] * 2
        for a, b in zip(corners, ends, strict=True):
            ax.plot(*zip(a, b, strict=True), color=theme.negative, linewidth=HAIR, zorder=3)


def _moved(point: np.ndarray, x: float, y: float) -> np.ndarray:
    return np.array([point[0] + x, point[1] + y])


def _check_chain(calls: list[Call], n_volumes: int) -> None:
    """Refuse what a row of volumes cannot show."""
    if not 0 < n_volumes <= MAX_VOLUMES:
        few = "There is no layer to draw" if not n_volumes else f"{n_volumes} volumes are too many to read"
        raise InvalidInputError(f"{few}; name 1 to {MAX_VOLUMES} of them with layers.")
    for call in calls:
        inputs = [shape for quantity, shape in call.shapes.items() if quantity.startswith("input")]
        if call.kind in ("add", "cat") and len(inputs) > 1 and len({len(shape) for shape in inputs}) == 1:
            raise InvalidInputError(f"Two paths join in {call.address!r}: draw this network with ModuleGraphDisplay.")


def _n_planes(volume: Volume) -> int:
    return min(volume.maps // volume.streams, MAX_PLANES) if volume.size else 1


def _is_shown(address: str, calls: dict[str, Call]) -> bool:
    kind = calls[address].kind.lower()
    has_parts = any(other.startswith(f"{address}.") for other in calls)
    return not has_parts and "adaptive" not in kind and any(word in kind for word in SHOWN)


def _maps(shape: tuple[int, ...]) -> tuple[int, tuple[int, int] | None]:
    """Return maps and their size; a map of one pixel is a unit."""
    if len(shape) == 4 and shape[2:] != (1, 1) and shape[1:3] != (1, 1):
        return shape[1], (shape[2], shape[3])
    return int(np.prod(shape[1:])), None


def _volume(call: Call, layer: Any, name: str, before: Volume, streams: int) -> Volume:
    maps, size = _maps(next(shape for quantity, shape in call.shapes.items() if quantity.startswith("output")))
    kind = call.kind.lower()
    window = _window(layer, kind, before.size, size)
    operation = next((said for word, said in OPERATIONS.items() if word in kind), call.kind)
    said = f"{operation}\n{window[0]} {TIMES} {window[1]}" if window else operation
    crosses = getattr(layer, "groups", 1) == 1 and not any(word in kind for word in ("pool", "sampling"))
    return Volume(name, maps, size, said, window, streams, crosses)


def _window(
    layer: Any, kind: str, before: tuple[int, int] | None, after: tuple[int, int] | None
) -> tuple[int, int] | None:
    """Return the field of a unit; of a layer that does not tell, from the sizes, as if each pixel had one unit."""
    size = getattr(layer, "kernel_size", None)
    if size is not None:
        return (size, size) if isinstance(size, int) else (size[0], size[1])
    if before is None or after is None:
        return None
    if "conv" in kind:
        return before[0] - after[0] + 1, before[1] - after[1] + 1
    return (before[0] // after[0], before[1] // after[1]) if "sampling" in kind else None
