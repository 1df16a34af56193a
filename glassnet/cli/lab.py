"""``glassnet lab``: the exhibits in the browser."""

from __future__ import annotations

from typing import Annotated

import typer


def lab(
    host: Annotated[str, typer.Option(help="Address to listen at; any but this machine's asks for a token.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(help="Port to listen at; the next free one if it is taken.")] = 8765,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page.")] = True,
) -> None:
    """Open the lab; Ctrl-C stops it."""
    from glassnet.lab import launch

    launch(host=host, port=port, open_browser=browser)
