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
    network: Annotated[
        str | None,
        typer.Option(
            help="A network of your own for the exhibit of AlexNet and ResNet: a run folder of `glassnet train --out`, "
            "or NAME=FILE, a checkpoint with torchvision's names (resnet18=resnet18.pth)."
        ),
    ] = None,
    link: Annotated[
        str, typer.Option(help="The exhibit to write and its settings: the end of its address in the lab.")
    ] = "playground",
    model: Annotated[
        str | None, typer.Option(help="A network to look into: FILE.py:FUNCTION that makes one, a run, or a name.")
    ] = None,
    shapes: Annotated[
        list[str] | None,
        typer.Option("--input", metavar="SHAPE", help="Of --model: random input, 1x3x224x224; 1x16:100 for integers."),
    ] = None,
    picture: Annotated[Path | None, typer.Option(help="Of --model: a picture or .npy file as its input.")] = None,
    resize: Annotated[bool, typer.Option("--resize", help="Stretch a picture of another size to fit.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Of --model: decides new weights and random input.")] = 0,
) -> None:
    """Open the lab; Ctrl-C stops it."""
    from glassnet.lab import export_html, launch

    if model is not None:
        _open(model, picture, shapes or [], resize, seed)
        link = "model" if link == "playground" else link
    elif shapes or picture:
        raise InvalidInputError("--input and --picture say what is given to a network: name it by --model.")
    if network is not None:
        from glassnet.lab.shown_networks import offer

        offer(network)
    if export is not None:
        print(export_html(path=export, **read_link(link)))
        return
    launch(host=host, port=port, open_browser=browser, exhibit="" if model is None else "model")


def _open(what: str, picture: Path | None, shapes: list[str], resize: bool, seed: int) -> None:
    """Give a network to the exhibit that shows any."""
    from glassnet.cli.subject import subject_of
    from glassnet.lab.exhibits.model import ModelExhibit, Opened

    opened = Opened(subject_of(what, picture, shapes, resize, seed), _build(what, seed))
    opened.table  # noqa: B018  an input that does not fit is refused now
    ModelExhibit.opened = opened


def _build(what: str, seed: int) -> str:
    """Return Python that makes the network that ``--model`` names, as ``model``."""
    from glassnet.training.trained import find_run

    if Path(what).is_dir():
        return f"from glassnet.training.run_folder import load_run\n\nmodel = load_run({what!r})\n"
    if find_run(what).is_dir():
        return f"from glassnet.training.trained import load_trained\n\nmodel = load_trained({what!r})\n"
    file, colon, name = what.rpartition(":")
    if not colon:
        lines = f"from glassnet.registry import MODULES, resolve\n\ntorch.manual_seed({seed})\n"
        return f'{lines}model = resolve(MODULES, "network", {name!r})().eval()\n'
    folder = str(Path(file).resolve().parent)
    lines = f"import runpy\nimport sys\n\nsys.path.insert(0, {folder!r})\ntorch.manual_seed({seed})\n"
    return f"{lines}model = runpy.run_path({file!r})[{name!r}]().eval()\n"


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
