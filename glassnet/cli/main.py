"""The ``glassnet`` command: each subcommand is a few calls of the public API.

Only the command that runs imports what it needs, so that ``--help`` is quick.
Exit codes: 0 done, 1 failed, 2 wrong use.
"""

from __future__ import annotations

import os
import sys
import warnings
from contextlib import AbstractContextManager, nullcontext
from typing import Annotated

import typer

from glassnet import __version__
from glassnet.cli import claims, evaluate, export, inspecting, lab, listing, predict, pronouns, texts, train
from glassnet.errors import GlassnetError, InvalidInputError, UnknownNameError

app = typer.Typer(
    help="Neural networks you can see through: train them, look inside them, watch them live.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("list")(listing.list_names)
app.command("train")(train.train)
app.command("predict")(predict.predict)
app.command("evaluate")(evaluate.evaluate)
app.command("export")(export.export)
app.command("translate")(texts.translate)
app.command("generate")(texts.generate)
app.command("inspect")(inspecting.inspect)
app.command("pronouns")(pronouns.pronouns)
app.command("lab")(lab.lab)
app.command("claims")(claims.claims)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"glassnet {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line and exit with its code."""
    # a thread waits about 50 us for more work, then sleeps: waking it in every step costs half a step's time,
    # and one that goes on waiting takes the core that another library's threads want
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")
    warnings.showwarning = _warn
    try:
        with _other_processes():
            app()
    except (UnknownNameError, InvalidInputError) as error:
        _fail(error, 2)
    except (GlassnetError, OSError) as error:
        _fail(error, 1)


def _other_processes() -> AbstractContextManager:
    """Return what joins the processes that torchrun has started, where it has."""
    if "WORLD_SIZE" not in os.environ:
        return nullcontext()
    from glassnet.training.distributed import joined

    return joined()


def _warn(message: Warning | str, *where: object, **also: object) -> None:
    """Print a warning as words, without the place in the code that it came from."""
    print(f"glassnet: warning: {message}", file=sys.stderr)


def _fail(error: Exception, code: int) -> None:
    print(f"glassnet: {error}", file=sys.stderr)
    sys.exit(code)
