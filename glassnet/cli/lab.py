"""``glassnet lab``: the exhibits in the browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import parse_qsl

import typer

from glassnet.errors import InvalidInputError


def lab(
    host: Annotated[str, typer.Option(help="Address to listen at; any but this machine's asks for a token.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(help="Port to listen at; the next free one if it is taken.")] = 8765,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page.")] = True,
    export: Annotated[
        Path | None, typer.Option(help="Write an exhibit as one HTML file that works offline, and open nothing.")
    ] = None,
    link: Annotated[
        str, typer.Option(help="The exhibit to write and its settings: the end of its address in the lab.")
    ] = "playground",
) -> None:
    """Open the lab; Ctrl-C stops it."""
    from glassnet.lab import export_html, launch

    if export is not None:
        print(export_html(path=export, **read_link(link)))
        return
    launch(host=host, port=port, open_browser=browser)


def read_link(link: str) -> dict:
    """Return what a link's end names: the exhibit, the step, the settings.

    Examples
    --------
    >>> read_link("/exhibits/playground#dataset=spiral&step=30&speed=25")
    {'name': 'playground', 'step': 30, 'dataset': 'spiral'}
    """
    path, _, hash_ = link.partition("#")
    settings = dict(parse_qsl(hash_, keep_blank_values=True))
    step = settings.pop("step", "0")
    settings.pop("speed", None)
    if not step.isdigit():
        raise InvalidInputError(f"step in the link must be a whole number, got {step!r}")
    return {"name": path.rpartition("/")[2], "step": int(step), **settings}
