"""The page's modules can be put into one file, which is how a notebook and a stand-alone page take them."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

import glassnet.lab
from glassnet.lab.bundle import bundle, module_of
from glassnet.registry import EXHIBITS

LAB = Path(glassnet.lab.__file__).parent
HOSTS = ("widget.js", "replay.js")
ENTRIES = {"page.js", "index.js", *HOSTS}
SHARED = sorted(path for path in (LAB / "static").glob("*.js") if path.name not in ENTRIES)
MODULES = [*SHARED, *sorted((LAB / "exhibits").glob("*.js"))]

IMPORT = re.compile(r'import \{ [\w, ]+ \} from "(\./|\.\./static/)(\w+\.js)";')
DECLARATION = re.compile(r"^(?:export )?(?:async )?(?:const|let|function|class) (\w+|\{[^}]*\})", re.MULTILINE)


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.name)
def test_imports_are_plain_and_lead_to_shared_modules(module):
    for line in module.read_text("utf-8").splitlines():
        if line.startswith(("import", "export *", "export default")):
            match = IMPORT.fullmatch(line)
            assert match, line
            assert LAB / "static" / match[2] in SHARED, line


@pytest.mark.parametrize("exhibit", EXHIBITS)
def test_no_two_modules_of_a_page_declare_the_same_name(exhibit):
    modules = [*SHARED, module_of(exhibit)]
    names = Counter(name for path in modules for name in DECLARATION.findall(path.read_text("utf-8")))
    assert [name for name, count in names.items() if count > 1] == []
    assert "mount" in names


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("exhibit", EXHIBITS)
def test_an_exhibit_and_its_host_are_one_module_that_imports_nothing(exhibit, host):
    code = bundle(exhibit, host)
    names = Counter(DECLARATION.findall(code))
    assert [name for name, count in names.items() if count > 1] == []
    assert not re.search(r"^(import|export (?!default))", code, re.MULTILINE)
    assert "</script" not in code


@pytest.mark.parametrize(
    "module", [*MODULES, *(LAB / "static" / name for name in sorted(ENTRIES))], ids=lambda path: path.name
)
def test_no_module_names_another_host(module):
    assert (
        re.findall(r"(?:https?:)?//[\w.-]+\.\w+", module.read_text("utf-8").replace("http://www.w3.org/2000/svg", ""))
        == []
    )
