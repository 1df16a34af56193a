"""``glassnet inspect``: every picture that applies to a network, and one page that holds them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def inspect(
    what: Annotated[str, typer.Argument(help="A run folder, a network's name, or FILE.py:FUNCTION that makes one.")],
    picture: Annotated[
        Path | None, typer.Argument(help="A picture or .npy file; without one, a run is given its held-out data.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder for the pictures and index.html.")] = Path("inspection"),
    shapes: Annotated[
        list[str] | None,
        typer.Option("--input", metavar="SHAPE", help="Random input, 1x3x224x224; 1x16:100 for integers below 100."),
    ] = None,
    only: Annotated[list[str] | None, typer.Option("--only", metavar="NAME", help="A picture; repeatable.")] = None,
    resize: Annotated[bool, typer.Option("--resize", help="Stretch a picture of another size to fit.")] = False,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Decides new weights and random input.")] = 0,
) -> None:
    """Write what is inside a network as pictures and one page that needs no network."""
    from rich.console import Console
    from rich.progress import Progress

    from glassnet.cli.subject import subject_of
    from glassnet.plots.inspection import write_inspection

    subject = subject_of(what, picture, shapes or [], resize, seed)
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("pictures", total=1.0)
        written, refused = write_inspection(
            subject, out, only, lambda name, done: progress.update(bar, completed=done, description=name)
        )
    for name, reason in refused.items():
        console.print(f"{name} does not apply: {reason}", markup=False, highlight=False)
    print(written[-1])
