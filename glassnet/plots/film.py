"""Pictures one after the other: a GIF, or a page with a slider that asks nothing of the network."""

from __future__ import annotations

import base64
import html
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from glassnet.errors import InvalidInputError, UnknownNameError
from glassnet.files import write_whole
from glassnet.plots.figure_file import to_bytes
from glassnet.plots.style import Theme, get_theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from PIL.Image import Image

    from glassnet.inspect.history import History
    from glassnet.plots.display import Display

Frames = Sequence[tuple[str, "Display"]]  # what is said above each picture, and the picture
FORMATS = ("gif", "html")
N_FRAMES = 30
LAST = 1.5  # seconds that the last picture stays before all begins again


def write_film(path: str | Path, frames: Frames, *, theme: str, seconds: float, dpi: float) -> Path:
    """Draw pictures into one file, each at the size of the last, on axes that stay.

    Parameters
    ----------
    path : str or Path
        Ends in .gif or .html.
    frames : sequence of (str, Display)
        Captions and pictures, at least one.
    theme : {"light", "dark"}
        Their colours.
    seconds : float
        How long all of them take, above 0.
    dpi : float
        Dots per inch.

    Raises
    ------
    UnknownNameError
        If there is no such format or theme.
    InvalidInputError
        If there is no picture or no time.
    """
    path, look = Path(path), get_theme(theme)
    kind = path.suffix.removeprefix(".").lower()
    if kind not in FORMATS:
        raise UnknownNameError("film format", kind, FORMATS)
    if not frames or not seconds > 0:
        raise InvalidInputError(f"A film has pictures and takes time, got {len(frames)} in {seconds!r} seconds.")
    figures = [frame.to_figure(look, frames[-1][1]._size(), caption=said) for said, frame in frames]
    hold_axes(figures)
    pictures = [to_bytes(figure, "png", dpi) for figure in figures]
    pause = seconds / len(frames)
    if kind == "gif":
        return write_whole(path, _gif(pictures, pause))
    return write_whole(path, _page(pictures, [said for said, _ in frames], pause, look).encode())


def hold_axes(figures: Sequence[Figure]) -> None:
    """Give axes that mean the same in all figures the same limits, colour bars the same colours, and all their places.

    Axes mean the same if they stand at the same place among as many, and their labels are equal but for what is
    said in brackets.
    """
    for same in zip(*(_plain_axes(figure) for figure in figures), strict=False):
        meanings = {_meaning(ax) for ax in same}
        if len(meanings) == 1 and len({len(_plain_axes(figure)) for figure in figures}) == 1:
            for get, put in (("get_xlim", "set_xlim"), ("get_ylim", "set_ylim")):
                limits = _widest([getattr(ax, get)() for ax in same])
                for ax in same:
                    getattr(ax, put)(limits)
    _hold_colours(figures)
    _hold_places(figures)


def _hold_places(figures: Sequence[Figure]) -> None:
    """Lay the figures out, then give each of their axes the place that is free in all of them."""
    if len({len(figure.axes) for figure in figures}) > 1:
        return
    for figure in figures:
        if (engine := figure.get_layout_engine()) is not None:
            engine.execute(figure)
            figure.set_layout_engine("none")
    for same in zip(*(figure.axes for figure in figures), strict=True):
        boxes = np.array([ax.get_position(original=True).extents for ax in same])  # left, bottom, right, top
        (left, bottom), (right, top) = boxes[:, :2].max(0), boxes[:, 2:].min(0)
        if left < right and bottom < top:
            for ax in same:
                ax.set_position((left, bottom, right - left, top - bottom))


def _hold_colours(figures: Sequence[Figure]) -> None:
    """Give what each colour bar speaks of the same limits in every figure; one that is alone speaks of all alike."""
    bars = [[bar for ax in figure.axes if (bar := getattr(ax, "_colorbar", None))] for figure in figures]
    if len({len(found) for found in bars}) > 1:
        return
    for same in zip(*bars, strict=True):
        limits = _widest([bar.mappable.get_clim() for bar in same])
        for figure, bar in zip(figures, same, strict=True):
            drawn = [part for ax in _plain_axes(figure) for part in (*ax.images, *ax.collections)]
            alike = [
                part for part in drawn if part.get_array() is not None and part.get_clim() == bar.mappable.get_clim()
            ]
            for part in alike if len(bars[0]) == 1 else [bar.mappable]:
                part.set_clim(limits)


def _plain_axes(figure: Figure) -> list[Axes]:
    return [ax for ax in figure.axes if not hasattr(ax, "_colorbar")]


def _meaning(ax: Axes) -> tuple[str, ...]:
    return tuple(label.partition(" (")[0] for label in (ax.get_xlabel(), ax.get_ylabel()))


def _widest(limits: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return limits that hold all of them, in the direction of the first."""
    low, high = min(map(min, limits)), max(map(max, limits))
    return (low, high) if limits[0][0] <= limits[0][1] else (high, low)


def film_steps(history: History, n_frames: int) -> list[int]:
    """Return the steps to show: the first and the last, and between them closer together at the start.

    Raises
    ------
    InvalidInputError
        If ``n_frames`` is below 2 or the history holds no snapshot.
    """
    if n_frames < 2 or not len(history.snapshot_steps):
        raise InvalidInputError(f"A film takes a history with snapshots and 2 frames or more, got {n_frames!r} frames.")
    first, last = int(history.snapshot_steps[0]), history.end
    shares = np.linspace(0, 1, n_frames) ** 2
    return np.unique((first + (last - first) * shares).round().astype(int)).tolist()


def _gif(pictures: Sequence[bytes], pause: float) -> bytes:
    from PIL import Image

    def opened(picture: bytes) -> Image:
        return Image.open(io.BytesIO(picture)).convert("RGB")

    first, *others = map(opened, pictures)
    times = [round(1000 * pause)] * len(others) + [round(1000 * (pause + LAST))]
    data = io.BytesIO()
    first.save(data, "GIF", save_all=True, append_images=others, duration=times, loop=0)
    return data.getvalue()


def _page(pictures: Sequence[bytes], captions: Sequence[str], pause: float, theme: Theme) -> str:
    """Return a page that holds the pictures, with a slider and a button."""
    images = json.dumps([f"data:image/png;base64,{base64.b64encode(picture).decode()}" for picture in pictures])
    said = json.dumps(list(captions)).replace("<", "\\u003c")  # nothing ends the script early
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>glassnet: {html.escape(captions[-1])}</title>
<style>
body {{ margin: 2rem; font-family: sans-serif; color: {theme.ink}; background: {theme.paper} }}
img {{ display: block; max-width: 100% }} input {{ width: 20rem; accent-color: {theme.positive} }}
</style>
<img id="picture" alt="">
<button id="play">Play</button>
<input id="place" type="range" min="0" max="{len(pictures) - 1}" value="0" aria-label="picture">
<output id="said"></output>
<script>
const images = {images}, captions = {said};
const [picture, play, place, said] = ["picture", "play", "place", "said"].map(id => document.getElementById(id));
let timer = null;
function show() {{
  picture.src = images[place.value];
  picture.alt = said.value = captions[place.value];
}}
function stop() {{
  clearInterval(timer);
  timer = null;
  play.textContent = "Play";
}}
function next() {{
  place.value = +place.value + 1;
  show();
  if (place.value === place.max) stop();
}}
play.onclick = () => {{
  if (timer) return stop();
  if (place.value === place.max) place.value = 0;
  play.textContent = "Pause";
  timer = setInterval(next, {round(1000 * pause)});
}};
place.oninput = () => {{ stop(); show(); }};
show();
</script>
</html>
"""
