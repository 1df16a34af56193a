"""What README, CONTRIBUTING and docs say exists, exists; what they show runs."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(document: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", document.read_text(), re.DOTALL)


def commands(document: Path) -> list[list[str]]:
    lines = "\n".join(blocks(document, "shell")).splitlines()
    return [shlex.split(line, comments=True) for line in lines if line.startswith("glassnet ")]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_paths_and_links_lead_somewhere(document):
    text = document.read_text()
    named = [ROOT / path for path in re.findall(r"`(glassnet/[\w/.]+)`", text)]
    linked = [document.parent / path for path in re.findall(r"\]\(([^)#:]+)\)", text)]
    assert [str(path) for path in named + linked if not path.exists()] == []


def test_python_of_the_readme_runs(tmp_path):
    for block in blocks(ROOT / "README.md", "python"):
        subprocess.run([sys.executable, "-c", block], check=True, cwd=tmp_path, stdout=subprocess.DEVNULL)


@pytest.mark.parametrize("words", commands(ROOT / "README.md"), ids=" ".join)
def test_commands_of_the_readme_are_understood(words):
    """Each is parsed to its last word; none is run."""
    import typer

    from glassnet.cli.main import app

    group = typer.main.get_command(app)
    command = group.commands[words[1]]
    if "--help" not in words:
        command.make_context(words[1], words[2:])


@pytest.mark.parametrize("target", ["lab", "test", "bench", "gallery", "lint", "clean", "help"])
def test_make_has_the_commands_that_are_named(target):
    made = subprocess.run(["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    assert f"make {target}" in "".join(document.read_text() for document in DOCUMENTS) or target in ("clean", "help")
