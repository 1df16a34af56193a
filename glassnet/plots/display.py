"""What all pictures share: numbers first, then `plot` on any axes, then `save` to a file."""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING

from glassnet.errors import UnknownNameError
from glassnet.files import write_whole
from glassnet.plots.style import Theme, get_theme, use_figure

if TYPE_CHECKING:
    from typing import Self

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {"Software": None}}


class Display(ABC):
    """A picture as numbers; its classes are dataclasses that hold them.

    Attributes
    ----------
    ax_ : matplotlib Axes
        What `plot` drew on; pictures of several panels divide its place among them.
    figure_ : matplotlib Figure
        The figure of ``ax_``.
    """

    ax_: Axes
    figure_: Figure

    def plot(self, ax: Axes | None = None, *, theme: str = "light") -> Self:
        """Draw the picture.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure of the picture's own size if None.
        theme : {"light", "dark"}
            Its colours.

        Returns
        -------
        Display
            Itself, with ``ax_`` and ``figure_`` set.
        """
        look = get_theme(theme)
        if ax is None:
            import matplotlib.pyplot as plt

            figure, ax = plt.subplots(figsize=self._size(), layout="constrained")
            use_figure(figure, look)
        self.ax_, self.figure_ = ax, ax.figure  # type: ignore[assignment]
        self._draw(ax, look)
        return self

    def save(self, path: str | Path, *, theme: str = "light", dpi: float = 160) -> Path:
        """Draw the picture into a file, without pyplot and so from any thread.

        Parameters
        ----------
        path : str or Path
            Ends in .svg, .pdf or .png.
        theme : {"light", "dark"}
            Its colours.
        dpi : float
            Dots per inch of a PNG.

        Returns
        -------
        Path
            ``path``.

        Raises
        ------
        UnknownNameError
            If there is no such file format or theme.
        """
        from matplotlib.figure import Figure

        path, look = Path(path), get_theme(theme)
        kind = path.suffix.removeprefix(".").lower()
        if kind not in FORMATS:
            raise UnknownNameError("picture format", kind, FORMATS)
        figure = Figure(figsize=self._size(), layout="constrained")
        use_figure(figure, look)
        self._draw(figure.subplots(), look)
        data = io.BytesIO()
        figure.savefig(data, format=kind, dpi=dpi, metadata=FORMATS[kind])
        return write_whole(path, data.getvalue())

    def _size(self) -> tuple[float, float]:
        """Width and height of a figure of its own, in inches."""
        return 4.6, 3.6

    @abstractmethod
    def _draw(self, ax: Axes, theme: Theme) -> None:
        """Draw the numbers on ``ax``."""
