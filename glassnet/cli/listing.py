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
from glassnet.errors import UnknownNameError

TABLES = {"networks": registry.NETWORKS | registry.MODULES, "data": registry.DATA, "exhibits": registry.EXHIBITS}


def list_names(
    what: Annotated[str | None, typer.Argument(help="networks, data or exhibits; all of them if left out.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the networks, data sets and exhibits there are."""
    if what is not None and what not in TABLES:
        raise UnknownNameError("list", what, TABLES)
    chosen = TABLES if what is None else {what: TABLES[what]}
    found = {kind: {name: summary(target) for name, target in table.items()} for kind, table in chosen.items()}
    if as_json:
        print(json.dumps(found, indent=2))
        return
    for kind, names in found.items():
        print(kind)
        width = max(map(len, names), default=0)
        for name, sentence in names.items():
            print(f"  {name:<{width}}  {sentence}")


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
