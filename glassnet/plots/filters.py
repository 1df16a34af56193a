"""Weights that look at a picture, as pictures: blue where a unit wants light, orange where dark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.errors import InvalidInputError
from glassnet.plots.dense import dense_layers
from glassnet.plots.display import Display
from glassnet.plots.sheet import draw_cells, finite_limit
from glassnet.plots.style import SMALL, TEXT, Theme, number, panels, put_text, use_colorbar, use_frame
from glassnet.plots.traced import as_array, said_not_finite

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from glassnet.inspect.traced import Trace


@dataclass
class FiltersDisplay(Display):
    """Weights of the first layer, one picture per unit, all on one scale.

    Parameters
    ----------
    filters : ndarray of shape (n_filters, height, width) or (n_filters, height, width, 3)
        The weights drawn; of three channels, red, green and blue around grey.
    names : tuple of str
        One per filter.
    n_units : int
        How many filters the layer has.

    Examples
    --------
    >>> display = FiltersDisplay.from_weights(np.eye(4), image_shape=(2, 2), max_filters=3)
    >>> display.filters.shape, display.n_units
    ((3, 2, 2), 4)
    """

    filters: np.ndarray
    names: tuple[str, ...]
    n_units: int

    @classmethod
    def from_weights(
        cls,
        weights: ArrayLike,
        image_shape: Sequence[int],
        *,
        names: Sequence[str] | None = None,
        max_filters: int = 32,
    ) -> FiltersDisplay:
        """Take the first filters of a layer.

        Parameters
        ----------
        weights : array_like of shape (n_units, ...)
            Each row holds one filter.
        image_shape : (height, width), (1, height, width) or (3, height, width)
            Of the filter.
        names : sequence of str, optional
            One per unit.
        max_filters : int
            How many to draw.

        Raises
        ------
        InvalidInputError
            If the weights do not have that shape.
        """
        weights = np.asarray(weights, float)
        shape = tuple(image_shape)
        rows = weights.reshape(len(weights), -1)
        if len(shape) not in (2, 3) or (len(shape) == 3 and shape[0] not in (1, 3)) or rows.shape[1] != np.prod(shape):
            raise InvalidInputError(
                f"Filters of {rows.shape[1]} weights cannot be drawn as pictures of shape {shape}; "
                "allowed are (height, width), (1, height, width) and (3, height, width)."
            )
        pictures = rows[:max_filters].reshape(-1, *shape)
        if len(shape) == 3:
            pictures = np.moveaxis(pictures, 1, -1) if shape[0] == 3 else pictures[:, 0]
        names = tuple(names or (f"unit {i + 1}" for i in range(len(rows))))
        return cls(pictures, names[: len(pictures)], len(rows))

    @classmethod
    def from_estimator(cls, estimator: Any, image_shape: Sequence[int], **how: Any) -> FiltersDisplay:
        """Take the weights of the first layer of a fitted network or linear model.

        Parameters
        ----------
        estimator : object
            A dense network that looks at pictures.
        image_shape : tuple of int
            Of its input.
        **how
            ``names``, ``max_filters``.
        """
        return cls.from_weights(dense_layers(estimator)[0][0].T, image_shape, **how)

    @classmethod
    def from_trace(cls, trace: Trace, layer: str | None = None, *, max_filters: int = 32) -> FiltersDisplay:
        """Take the weights of a convolution in a traced network.

        Filters of one or three channels are one picture each, of others one picture per input channel.

        Parameters
        ----------
        trace : Trace
        layer : str, optional
            Its address; the first convolution unless given.
        max_filters : int
            How many pictures to draw.

        Raises
        ------
        UnknownNameError
            If there is no such layer; the nearest name is offered.
        InvalidInputError
            If it is no convolution over height and width.
        """
        calls = trace.calls if layer is None else [trace.call(layer)]
        found = [call for call in calls if "weight" in call.values and call.values["weight"].ndim == 4]
        if not found:
            where = "This trace" if layer is None else f"Layer {layer!r} ({calls[0].kind})"
            raise InvalidInputError(f"{where} has no filters: no weight of shape (output, input, height, width).")
        weight = as_array(found[0].values["weight"])
        n_out, n_in, *size = weight.shape
        if n_in in (1, 3):
            return cls.from_weights(weight, (n_in, *size), max_filters=max_filters)
        names = [f"{i + 1}, input {j + 1}" for i in range(n_out) for j in range(n_in)]
        return cls.from_weights(weight.reshape(n_out * n_in, -1), size, names=names, max_filters=max_filters)

    def _columns(self) -> int:
        return min(8, len(self.filters))

    def _size(self) -> tuple[float, float]:
        return 0.85 * self._columns() + 0.9, 1.02 * -(-len(self.filters) // self._columns()) + 0.35

    def _draw(self, ax: Axes, theme: Theme) -> None:
        axes = panels(ax, -(-len(self.filters) // self._columns()), self._columns()).ravel()
        limit = finite_limit(self.filters)
        for panel, picture, name in zip(axes, self.filters, self.names, strict=False):
            use_frame(panel, theme, name + said_not_finite(picture))
            if picture.ndim == 3:
                panel.imshow(np.nan_to_num(0.5 + 0.5 * picture / limit))
            else:
                shown = draw_cells(panel, theme, picture, limit, aspect="equal")
        for panel in axes[len(self.filters) :]:
            panel.set_axis_off()
        some = f" ({len(self.filters)} of {self.n_units} filters)" if len(self.filters) < self.n_units else ""
        if self.filters.ndim == 3:
            use_colorbar(list(axes), shown, theme, f"weight{some}", fraction=0.03, pad=0.02)
        else:
            said = f"red, green and blue: grey is 0, full is ±{number(limit)}{some}"
            below = axes[(len(self.filters) - 1) // self._columns() * self._columns()]
            below.set_xlabel(" ", fontsize=TEXT)  # keeps the place
            put_text(below, 0, -0.04, said, theme, ha="left", va="top", fontsize=SMALL, transform=below.transAxes)
            below.texts[-1].set_in_layout(False)
