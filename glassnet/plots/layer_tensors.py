"""Each layer's parameters and activations as tensors with their shapes, for a batch of three."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from glassnet.errors import InvalidInputError
from glassnet.plots.display import Display
from glassnet.plots.sheet import as_sheet, draw_cells, finite_limit
from glassnet.plots.style import SMALL, Theme, number, panels, put_text, use_blank, use_frame, use_title
from glassnet.plots.traced import as_array, call_name, output_of, said_not_finite, said_shape, shown_calls, spread_over

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from glassnet.inspect.traced import Call, Trace


@dataclass
class TensorRow:
    """One layer.

    Parameters
    ----------
    name, kind : str
        Address and class.
    parameters : dict of str to ndarray
        Its weight, its bias and so on.
    activation : ndarray of shape (n_samples, ...)
        What it made of the samples.
    """

    name: str
    kind: str
    parameters: dict[str, np.ndarray]
    activation: np.ndarray


@dataclass
class LayerTensorsDisplay(Display):
    """A table: one row per layer, with its first two parameters and its activation, each a sheet of cells.

    ``str()`` of it is the same table as text, with all parameters.

    Parameters
    ----------
    rows : list of TensorRow
    n_layers : int
        How many layers there are.

    Examples
    --------
    >>> import torch
    >>> from glassnet import trace
    >>> model = torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.ReLU())
    >>> print(LayerTensorsDisplay.from_trace(trace(model, torch.ones(5, 2))))
    0  Linear  weight 4 × 2, bias 4  activation 3 × 4
    1  ReLU                          activation 3 × 4
    """

    rows: list[TensorRow]
    n_layers: int

    @classmethod
    def from_trace(
        cls, trace: Trace, layers: str | Iterable[str] | None = None, *, n_samples: int = 3, max_layers: int = 12
    ) -> LayerTensorsDisplay:
        """Take the tensors of a traced network.

        Parameters
        ----------
        trace : Trace
        layers : str or iterable of str, optional
            Addresses; all that make something new unless given.
        n_samples : int
            The first so many rows of the batch.
        max_layers : int
            How many layers to draw; of more, so many spread over the depth.

        Raises
        ------
        InvalidInputError
            If the trace holds no outputs.
        """
        calls = shown_calls(trace, layers)
        if not calls:
            raise InvalidInputError("This trace holds no outputs of layers: trace without layers=().")
        chosen = spread_over(len(calls), max_layers)
        rows = [
            TensorRow(call_name(calls[i]), calls[i].kind, _parameters(calls[i]), output_of(calls[i])[:n_samples])
            for i in chosen
        ]
        return cls(rows, len(calls))

    def __str__(self) -> str:
        said = [
            (row.name, row.kind, ", ".join(f"{name} {said_shape(p.shape)}" for name, p in row.parameters.items()))
            for row in self.rows
        ]
        w = [max(len(line[i]) for line in said) for i in range(3)]
        return "\n".join(
            f"{a:<{w[0]}}  {b:<{w[1]}}  {c:<{w[2]}}  activation {said_shape(row.activation.shape)}"
            for (a, b, c), row in zip(said, self.rows, strict=True)
        )

    def _heights(self) -> list[float]:
        """Height of each row in inches; pictures take more."""
        return [1.3 if np.squeeze(row.activation).ndim > 2 else 0.85 for row in self.rows]

    def _size(self) -> tuple[float, float]:
        return 9.0, 0.4 + sum(self._heights())

    def _draw(self, ax: Axes, theme: Theme) -> None:
        ratios = {"width_ratios": [1.1, 1.6, 1.6, 2.6], "height_ratios": self._heights()}
        grid = panels(ax, len(self.rows), 4, hspace=0.15, wspace=0.1, **ratios)
        for row, cells in zip(self.rows, grid, strict=True):
            use_blank(cells[0], theme, equal=False)
            cells[0].set(xlim=(0, 1), ylim=(0, 1))
            put_text(cells[0], 0.95, 0.65, row.name, theme, ha="right")
            put_text(cells[0], 0.95, 0.25, row.kind, theme, ha="right", fontsize=SMALL, color=theme.muted)
            shown = list(row.parameters.items())[:2]
            for cell, (name, values) in zip(cells[1:3], shown, strict=False):
                filters = values.swapaxes(0, 1) if values.ndim == 4 else values  # outputs from left to right
                _draw_tensor(cell, theme, name, filters, values.shape, numbers=5)
            for cell in cells[1 + len(shown) : 3]:
                cell.set_axis_off()
            _draw_tensor(cells[3], theme, "activation", row.activation, row.activation.shape, numbers=10)
        if len(self.rows) < self.n_layers:
            use_title(ax, theme, f"{len(self.rows)} of {self.n_layers} layers")


def _parameters(call: Call) -> dict[str, np.ndarray]:
    """Return what a layer has learned."""
    made = {name for name in call.values if name.split(".")[0] in ("input", "output", "attention", "pre_activation")}
    return {n: as_array(t) for n, t in call.values.items() if n not in made and not n.endswith(".gradient")}


def _draw_tensor(ax: Axes, theme: Theme, name: str, values: np.ndarray, shape: tuple[int, ...], numbers: int) -> None:
    sheet, note = as_sheet(values.astype(float))
    limit = finite_limit(values)
    said = ", ".join(filter(None, [note, f"±{number(limit)}"])) + said_not_finite(values)
    separator = "\n" if note else ", "
    use_frame(ax, theme, f"{name} {said_shape(shape)}{separator}{said}")
    is_image = values.ndim > 3 and min(values.shape[-2:]) > 1
    draw_cells(ax, theme, sheet, limit, aspect="equal" if is_image else "auto", numbers=numbers)
