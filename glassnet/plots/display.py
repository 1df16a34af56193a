"""What all pictures share: numbers first, then `plot` on any axes, `save` to a file, `animate` to a film."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glassnet.errors import InvalidInputError, UnknownNameError
from glassnet.files import write_whole
from glassnet.plots.figure_file import FORMATS, to_bytes
from glassnet.plots.film import Frames, film_steps, write_film
from glassnet.plots.replay import at_steps
from glassnet.plots.style import Theme, get_theme, use_figure, use_heading

if TYPE_CHECKING:
    from typing import Self

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from glassnet.inspect.history import History

CAPTION = 0.3  # inches above a captioned picture


class Display(ABC):
    """A picture as numbers; its classes are dataclasses that hold them.

    Attributes
    ----------
    ax_ : matplotlib Axes
        What `plot` drew on; pictures of several panels divide its place among them.
    figure_ : matplotlib Figure
        The figure of ``ax_``.
    frames_ : sequence of (str, Display)
        What `animate` shows, if `over_training` made the picture.
    """

    ax_: Axes
    figure_: Figure
    frames_: Frames

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
        path, look = Path(path), get_theme(theme)
        kind = path.suffix.removeprefix(".").lower()
        if kind not in FORMATS:
            raise UnknownNameError("picture format", kind, FORMATS)
        return write_whole(path, to_bytes(self.to_figure(look, self._size()), kind, dpi))

    def to_figure(self, theme: Theme, size: tuple[float, float], caption: str = "") -> Figure:
        """Return the picture as a figure of this size in inches, with a caption above it, without pyplot."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(size[0], size[1] + (CAPTION if caption else 0)), layout="constrained")
        use_figure(figure, theme)
        if caption:
            use_heading(figure, theme, caption)
        self._draw(figure.subplots(), theme)
        return figure

    @classmethod
    def over_training(cls, estimator: Any, history: History, *args: Any, n_frames: int = 30, **how: Any) -> Self:
        """Make the picture at many steps of a recorded fit, for `animate`.

        Parameters
        ----------
        estimator : object
            A fitted estimator; it is taken back through its training and left as it was.
        history : History
            What watched the fit.
        *args, **how
            What ``from_estimator`` of this picture takes besides the estimator.
        n_frames : int
            How many pictures, at least 2; more of them from the start of training, where most happens.

        Returns
        -------
        Display
            The picture at the end, with ``frames_`` set.

        Raises
        ------
        InvalidInputError
            If this kind of picture takes no estimator, or the history cannot be gone back to.
        """
        make = getattr(cls, "from_estimator", None)
        if make is None:
            raise InvalidInputError(f"{cls.__name__} cannot be made of an estimator at steps of its fit.")
        with at_steps(estimator, history, film_steps(history, n_frames)) as steps:
            frames = [(f"step {step}", make(estimator, *args, **how)) for step in steps]
        last = frames[-1][1]
        last.frames_ = frames
        return last

    def animate(self, path: str | Path, *, theme: str = "light", seconds: float = 6.0, dpi: float = 100) -> Path:
        """Write a film: over training if `over_training` made the picture, else over steps or depth.

        Parameters
        ----------
        path : str or Path
            Ends in .gif, or in .html for a page with a slider.
        theme : {"light", "dark"}
            Its colours.
        seconds : float
            How long it runs.
        dpi : float
            Dots per inch.

        Returns
        -------
        Path
            ``path``.

        Raises
        ------
        UnknownNameError
            If there is no such film format or theme.
        InvalidInputError
            If the picture shows one moment only.
        """
        frames = getattr(self, "frames_", None) or self._frames()
        return write_film(path, frames, theme=theme, seconds=seconds, dpi=dpi)

    def _frames(self) -> Frames:
        """Captions and pictures of a film over steps or depth."""
        name = type(self).__name__
        more = f"; {name}.over_training(estimator, history, ...) shows many" if hasattr(self, "from_estimator") else ""
        raise InvalidInputError(f"This {name} shows one moment{more}.")

    def _size(self) -> tuple[float, float]:
        """Width and height of a figure of its own, in inches."""
        return 4.6, 3.6

    @abstractmethod
    def _draw(self, ax: Axes, theme: Theme) -> None:
        """Draw the numbers on ``ax``."""
