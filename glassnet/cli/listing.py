"""``glassnet list``: the names that the other commands take."""

from __future__ import annotations

import ast
import json
from ast import literal_eval
from importlib.util import find_spec
from itertools import zip_longest
from pathlib import Path
from typing import Annotated

import typer

from glassnet import registry
from glassnet.errors import InvalidInputError, UnknownNameError
from glassnet.history import HISTORY, markdown

TABLES = {
    "networks": registry.NETWORKS | registry.MODULES | registry.TEXT_ESTIMATORS,
    "data": registry.DATA | registry.PAIRS,
    "exhibits": registry.EXHIBITS,
}
KINDS = (*TABLES, "history")


def list_names(
    what: Annotated[
        str | None, typer.Argument(help="networks, data, exhibits or history; all of them if left out.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print the history as the page of the docs.")] = False,
) -> None:
    """List the networks, data sets and exhibits there are, and the history they tell."""
    if what is not None and what not in KINDS:
        raise UnknownNameError("list", what, KINDS)
    if as_markdown:
        if what != "history":
            raise InvalidInputError("--markdown goes with the history: glassnet list history --markdown")
        print(markdown(), end="")
        return
    found = {kind: _lines(kind) for kind in (KINDS if what is None else (what,))}
    if as_json:
        print(json.dumps(found, indent=2))
        return
    for kind, names in found.items():
        print(kind)
        width = max(map(len, names), default=0)
        for name, sentence in names.items():
            print(f"  {name:<{width}}  {sentence}")


def _lines(kind: str) -> dict[str, str]:
    """Return a line for each name of a table, or for each year of the history."""
    if kind == "history":
        return {str(moment.year): f"{moment.title} ({moment.people})" for moment in HISTORY}
    return {name: summary(target) for name, target in TABLES[kind].items()}


def summary(target: str) -> str:
    """Return the first line of an object's docstring, read from its file without importing it.

    The docstring of a name that is assigned stands below the assignment.

    Examples
    --------
    >>> summary("glassnet.errors:DivergedError")
    'The loss of a fit became NaN or infinite.'
    """
    module, _, name = target.partition(":")
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"the table of names points to {target!r}, which does not exist")
    body = ast.parse(Path(spec.origin).read_text(encoding="utf-8")).body
    for node, below in zip_longest(body, body[1:]):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and node.name == name:
            return (ast.get_docstring(node) or "").partition("\n")[0].removeprefix("Return ")
        if isinstance(node, ast.Assign) and [ast.unparse(left) for left in node.targets] == [name]:
            return str(literal_eval(below.value)) if isinstance(below, ast.Expr) else ""
    raise AttributeError(f"the table of names points to {target!r}, which does not exist")
