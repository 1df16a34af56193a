"""The page's modules as one, for hosts whose page cannot import: a notebook, a stand-alone file.

Modules import names from their neighbours and declare names that no other declares (a test
sees to both), so that putting them one after the other, without their imports, changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from glassnet.errors import UnknownNameError
from glassnet.registry import EXHIBITS

STATIC = Path(__file__).parent / "static"
_IMPORT = re.compile(r'^import \{ [\w, ]+ \} from "(?:\./|\.\./static/)(\w+\.js)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?!default)", re.MULTILINE)


def module_of(name: str) -> Path:
    """Return the JavaScript module of an exhibit: it lies beside the Python one, under the same name.

    Raises
    ------
    UnknownNameError
        If there is no such exhibit.
    """
    if name not in EXHIBITS:
        raise UnknownNameError("exhibit", name, EXHIBITS)
    spec = find_spec(EXHIBITS[name].partition(":")[0])
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).with_suffix(".js")


def bundle(name: str, host: str) -> str:
    """Return one ES module: an exhibit, what it stands on, and a host.

    Parameters
    ----------
    name : str
        A key of `glassnet.registry.EXHIBITS`.
    host : str
        A file of ``static/`` that calls ``mount``.

    Examples
    --------
    >>> code = bundle("playground", "widget.js")
    >>> "import {" in code, code.count("export "), code.count("function mount(")
    (False, 1, 1)
    """
    texts = [path.read_text("utf-8") for path in _with_imports([module_of(name), STATIC / host])]
    return "\n".join(_EXPORT.sub("", _IMPORT.sub("", text)) for text in texts)


def styles() -> str:
    """Return the lab's style sheet."""
    return (STATIC / "styles.css").read_text("utf-8")


def _with_imports(modules: list[Path]) -> list[Path]:
    """Return modules and all that they import, each after those it imports."""
    ordered: dict[Path, None] = {}

    def add(module: Path) -> None:
        if module not in ordered:
            for imported in _imports(module):
                add(imported)
            ordered[module] = None

    for module in modules:
        add(module)
    return list(ordered)


def _imports(module: Path) -> Iterator[Path]:
    return (STATIC / name for name in _IMPORT.findall(module.read_text("utf-8")))
