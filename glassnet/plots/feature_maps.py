"""Feature maps: what the channels of each layer see in one picture."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from glassnet.errors import InvalidInputError
from glassnet.plots.display import Display
from glassnet.plots.sheet import draw_cells, finite_limit
from glassnet.plots.style import HAIR, SMALL, Theme, number, put_text, use_blank
from glassnet.plots.traced import (
    as_array,
    call_name,
    input_name,
    output_of,
    said_not_finite,
    said_shape,
    shown_calls,
    spread_over,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from glassnet.inspect.traced import Trace


@dataclass
class LayerMaps:
    """The maps of one layer.

    Parameters
    ----------
    name : str
        Of the layer.
    maps : ndarray of shape (n_maps, height, width)
        The first channels of its output.
    n_channels : int
        How many channels it has.
    """

    name: str
    maps: np.ndarray
    n_channels: int


@dataclass
class FeatureMapsDisplay(Display):
    """One picture on its way: a row of maps per layer, each row with a colour scale of its own.

    Parameters
    ----------
    picture : ndarray of shape (height, width), (height, width, 3) or None
        What the network looks at, scaled to 0 to 1.
    layers : list of LayerMaps
        From the first layer to the last.
    n_layers : int
        How many layers with maps there are.

    Examples
    --------
    >>> import torch
    >>> from glassnet import LeNet5, trace
    >>> display = FeatureMapsDisplay.from_trace(trace(LeNet5(), torch.zeros(1, 1, 28, 28)), ["c1", "s2"], max_maps=4)
    >>> [(layer.name, layer.maps.shape, layer.n_channels) for layer in display.layers]
    [('c1', (4, 28, 28), 6), ('s2', (4, 14, 14), 6)]
    """

    picture: np.ndarray | None
    layers: list[LayerMaps]
    n_layers: int

    @classmethod
    def from_trace(
        cls,
        trace: Trace,
        layers: str | Iterable[str] | None = None,
        *,
        sample: int = 0,
        max_maps: int = 8,
        max_layers: int = 10,
    ) -> FeatureMapsDisplay:
        """Take the maps of a traced network.

        Parameters
        ----------
        trace : Trace
            Of a network that looks at pictures.
        layers : str or iterable of str, optional
            Addresses; all layers whose output has height and width unless given.
        sample : int
            Row of the batch.
        max_maps : int
            How many channels of a layer to draw.
        max_layers : int
            How many layers to draw; of more, so many spread over the depth.

        Raises
        ------
        InvalidInputError
            If no layer has maps, or there is no such sample.
        """
        found = [(call_name(call), output_of(call)) for call in shown_calls(trace, layers)]
        found = [(name, output) for name, output in found if output.ndim == 4 and min(output.shape[2:]) > 1]
        if not found:
            raise InvalidInputError("There are no feature maps: no output is (batch, channel, height, width).")
        if not -len(found[0][1]) <= sample < len(found[0][1]):
            raise InvalidInputError(f"sample takes a row of the batch of {len(found[0][1])}, got {sample}.")
        chosen = spread_over(len(found), max_layers)
        maps = [LayerMaps(name, out[sample, :max_maps], out.shape[1]) for name, out in (found[i] for i in chosen)]
        return cls(_picture(trace, sample), maps, len(found))

    def _columns(self) -> int:
        return max(len(layer.maps) for layer in self.layers)

    def _size(self) -> tuple[float, float]:
        return 2.9 + 0.8 * self._columns(), 0.5 + 0.86 * len(self.layers)

    def _draw(self, ax: Axes, theme: Theme) -> None:
        """Draw all maps on one sheet: the map in row i and column j fills the square from (j, i), less its margin."""
        use_blank(
            ax, theme, f"{len(self.layers)} of {self.n_layers} layers" if len(self.layers) < self.n_layers else ""
        )
        if self.picture is not None:
            gray = {"cmap": "gray", "vmin": 0, "vmax": 1} if self.picture.ndim == 2 else {}
            ax.imshow(self.picture, extent=_square(-2.9, 0, self.picture.shape[:2]), **gray)
            put_text(ax, -2.45, 1.02, "input", theme, fontsize=SMALL, va="top")
        for i, layer in enumerate(self.layers):
            limit = finite_limit(layer.maps)
            some = f"{len(layer.maps)} of {layer.n_channels}" if len(layer.maps) < layer.n_channels else "all"
            said = said_shape((layer.n_channels, *layer.maps.shape[1:]))
            said += f"\n{some}, ±{number(limit)}{said_not_finite(layer.maps)}"
            put_text(ax, -0.1, i + 0.22, layer.name, theme, ha="right")
            put_text(ax, -0.1, i + 0.62, said, theme, ha="right", fontsize=SMALL, color=theme.muted)
            for j, values in enumerate(layer.maps):
                draw_cells(ax, theme, values, limit, "equal", extent=(place := _square(j, i, values.shape)))
                _frame(ax, theme, place)
        ax.set(xlim=(-3, self._columns()), ylim=(len(self.layers), 0))


def _square(column: float, row: float, shape: tuple[int, ...]) -> tuple[float, float, float, float]:
    """Return (left, right, bottom, top) of a map of this shape, at most 0.9 wide and high; y grows downwards."""
    height, width = (0.9 * n / max(shape) for n in shape)
    return column, column + width, row + height, row


def _frame(ax: Axes, theme: Theme, place: tuple[float, float, float, float]) -> None:
    from matplotlib.patches import Rectangle

    left, right, bottom, top = place
    ax.add_patch(Rectangle((left, top), right - left, bottom - top, fill=False, edgecolor=theme.grid, linewidth=HAIR))


def _picture(trace: Trace, sample: int) -> np.ndarray | None:
    """Return what the model was given, as a picture."""
    quantity = input_name(trace.calls[0])
    values = as_array(trace.calls[0].values[quantity]) if quantity else None
    if values is None or values.ndim != 4 or values.shape[1] not in (1, 3):
        return None
    low, high = values[sample].min(), values[sample].max()
    picture = (values[sample] - low) / (high - low if high > low else 1)
    return picture[0] if len(picture) == 1 else picture.transpose(1, 2, 0)
