from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import pytest

import glassnet
from glassnet import registry
from glassnet.errors import UnknownNameError

PACKAGE = Path(glassnet.__file__).parent
HEAVY = {"torch", "sklearn", "numba", "matplotlib", "scipy", "numpy", "starlette", "typer"}


def imported_by(code: str) -> set[str]:
    """Return the top-level modules that a fresh process has imported after ``code``."""
    script = f"{code}; import sys; print(*{{name.partition('.')[0] for name in sys.modules}})"
    return set(subprocess.check_output([sys.executable, "-c", script], text=True).split())


@pytest.mark.parametrize("code", ["import glassnet", "import glassnet.registry, glassnet.errors"])
def test_import_is_light(code):
    assert imported_by(code) & HEAVY == set()


def test_import_of_the_command_line_is_light():
    assert imported_by("import glassnet.cli.main") & (HEAVY - {"typer"}) == set()


@pytest.mark.parametrize("module", ["glassnet.data", "glassnet.lab", "glassnet.lab.server"])
def test_what_stands_before_torch_does_not_load_it(module):
    assert imported_by(f"import {module}") & {"torch", "sklearn", "matplotlib"} == set()


@pytest.mark.parametrize("name", glassnet._PUBLIC)
def test_public_name_is_where_the_table_says(name):
    assert getattr(glassnet, name) is getattr(import_module(glassnet._PUBLIC[name]), name)
    assert name in dir(glassnet)
    assert name in glassnet.__all__


def test_unknown_public_name():
    with pytest.raises(AttributeError, match="no attribute 'Skynet'"):
        _ = glassnet.Skynet


def test_type_stub_mirrors_the_table():
    tree = ast.parse((PACKAGE / "__init__.pyi").read_text())
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    stub = {alias.name: node.module for node in imports for alias in node.names}
    assert stub == glassnet._PUBLIC
    assert all(alias.asname == alias.name for node in imports for alias in node.names)  # `as` is what re-exports


def test_version_is_the_distribution_s():
    assert glassnet.__version__ == version("glassnet")


TABLES = {name: table for name, table in vars(registry).items() if name.isupper() and isinstance(table, dict)}


@pytest.mark.parametrize(
    ("table", "name"),
    [(table, name) for table, names in TABLES.items() for name in names],
)
def test_registered_name_leads_to_an_object(table, name):
    assert callable(registry.resolve(TABLES[table], table, name))


def test_unknown_registered_name_is_answered_with_the_known_ones():
    with pytest.raises(UnknownNameError, match=r"Unknown network: 'mpl'. Allowed: .*Did you mean 'mlp'\?"):
        registry.resolve(registry.NETWORKS, "network", "mpl")


def test_constraints_are_exact_and_portable():
    lines = (PACKAGE.parent / "constraints.txt").read_text().splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert "torch==2.13.0" in pins
    for pin in pins:
        name, _, pinned = pin.partition("==")
        assert name == name.strip().lower()
        assert pinned
        assert not set(pinned) & set("+ @/;")


def test_constraints_pin_everything_that_is_asked_for():
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text())["project"]
    asked = [project["dependencies"], *project["optional-dependencies"].values()]
    names = {re.split(r"[\[<>=~!]", line)[0].strip().lower() for lines in asked for line in lines} - {"glassnet"}
    pinned = {line.partition("==")[0] for line in (PACKAGE.parent / "constraints.txt").read_text().splitlines()}
    assert {"keras", "numpy", "transformers"} <= names <= pinned
