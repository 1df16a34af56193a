from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from glassnet.claims.claim import Claim, at_least, exactly, observed
from glassnet.claims.picture import bars, curve, finish, limit, panels, svg
from glassnet.claims.report import amount, html_report, markdown_table, read_results, write_results
from glassnet.claims.runner import record_of
from glassnet.errors import CorruptFileError
from glassnet.registry import CLAIMS

ROOT = Path(__file__).parents[2]
FIRST, SECOND, THIRD = list(CLAIMS)[:3]


def picture() -> str:
    figure, (left, right) = panels(2)
    curve(left, 0, [1, 2, 3], [1.0, 0.5, 0.2], "loss", spread=0.1)
    limit(left, 0.3, "theory")
    finish(left, "a < b & c", "step", "loss", log="xy")
    bars(right, ["a", "b"], [1, 2], [0.1, 0.2])
    finish(right)
    return svg(figure)


def record(name: str, **how) -> dict:
    measured = (at_least("share | of <seeds>", 0.97, 0.9, 0.02), observed("others", 3))
    about = {
        "source": "A & B (1986)",
        "measured": measured,
        "figure": picture(),
        "seeds": range(4),
        "sentence": "It holds.",
    }
    return record_of(name, Claim(**about | how), "quick", 1.234, 2.345)


@pytest.mark.parametrize(
    ("values", "labels"), [((500, 8000), ["500", "1,000", "2,000", "5,000"]), ((1, 10_000), ["10^{0}", "10^{1}"])]
)
def test_logarithmic_axes_have_labels_that_do_not_touch(values, labels):
    figure, (ax,) = panels()
    curve(ax, 0, values, values)
    finish(ax, log="xy")
    figure.canvas.draw()
    low, high = ax.get_xlim()
    shown = [t.get_text() for t in ax.get_xticklabels() if low <= t.get_position()[0] <= high]
    assert all(any(label in text for text in shown) for label in labels)
    assert not any(t.get_text() for t in ax.get_xticklabels(minor=True))


@pytest.mark.parametrize(
    ("value", "spread", "text"),
    [
        (3.0, None, "3"),
        (65536.0, None, "65536"),
        (0.12345, 0.01, "0.123 ± 0.01"),
        (1e-9, None, "1e\N{MINUS SIGN}09"),
        (2e22, None, "2e+22"),
    ],
)
def test_numbers_in_words(value, spread, text):
    assert amount(value, spread) == text


def test_results_are_merged_in_the_order_of_the_registry(tmp_path):
    path = tmp_path / "new" / "claims-quick.json"
    write_results([record(THIRD), record(FIRST)], path)
    write_results([record(SECOND), record(FIRST, source="again"), {"name": "x", "missing": "no data"}], path)
    found = read_results(path)
    assert [r["name"] for r in found] == [FIRST, SECOND, THIRD]
    assert found[0]["source"] == "again"
    assert all("figure" not in r for r in found)
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"claims": 3}', "not JSON"])
def test_another_file_is_refused_and_left_alone(tmp_path, text):
    path = tmp_path / "claims-quick.json"
    path.write_text(text)
    with pytest.raises(CorruptFileError, match=r"claims-quick\.json holds no results"):
        write_results([record(FIRST)], path)
    assert path.read_text() == text


def test_the_report_is_one_page_that_asks_for_nothing(tmp_path):
    records = [
        record(FIRST),
        record(SECOND, measured=[exactly("x", 1, 2)], undecided="too few seeds"),
        record(THIRD, measured=[exactly("x", 1, 2)]),
        {"name": "x", "scale": "quick", "missing": "put it <there>"},
    ]
    page = html_report(records, "All")
    root = ET.fromstring(
        page.replace("<!doctype html>\n", "")
        .replace('charset="utf-8"', 'charset="utf-8"/')
        .replace('content="width=device-width"', 'content="width=device-width"/')
        .replace("/>>", "/>")
    )
    words = " ".join(" ".join(root.itertext()).split())
    for text in (
        "It holds.",
        "share | of <seeds>",
        "0.97 ± 0.02",
        "not decided at this scale",
        "(expected: holds)",
        "too few seeds",
        "put it <there>",
        "4 seeds (0 to 3)",
        "A & B (1986)",
        f"glassnet claims {FIRST} --quick",
    ):
        assert text in words, text
    assert len(root.findall(".//{http://www.w3.org/2000/svg}svg")) == 3
    loaded = re.findall(r"""(?:src|href)=["'](?!#)([^"']+)|url\((?!#)([^)]+)\)|@import""", page)
    assert loaded == []
    assert "<script" not in page


def test_the_table_has_a_row_per_claim(tmp_path):
    path = write_results([record(FIRST), record(SECOND, measured=[exactly("x", 1, 2)])], tmp_path / "r.json")
    text = markdown_table(read_results(path))
    rows = [line for line in text.splitlines() if line.startswith("| **")]
    assert len(rows) == 2
    assert "share \\| of <seeds>: 0.97 ± 0.02<br>others: 3" in rows[0]
    assert "| ≥ 0.9<br>- | **holds**. | 1 (2) |" in rows[0]
    assert "| 2 | **fails**. |" in rows[1]
    assert "2 claims. holds: 1; fails: 1; not decided at this scale: 0." in text


def test_a_claim_that_decides_nothing_says_why_and_draws_nothing(tmp_path):
    found = record(FIRST, measured=(), figure="", undecided="The weights are not there.")
    assert "<figure>" not in html_report([found])
    assert "The weights are not there." in html_report([found])
    assert "**not decided at this scale**. The weights are not there." in markdown_table([found])


def test_commands_in_notes_are_set_as_code():
    assert "<p>Run <code>glassnet claims a&lt;b</code>.</p>" in html_report(
        [record(FIRST, note="Run `glassnet claims a<b`.")]
    )


def test_the_table_in_the_docs_is_that_of_the_results():
    records = {
        r["name"]: r
        for scale in ("quick", "full")
        if (file := ROOT / f"results/claims-{scale}.json").exists()
        for r in read_results(file)
    }
    assert (ROOT / "docs/claims.md").read_text() == markdown_table(
        [records[name] for name in CLAIMS if name in records]
    )


def test_results_in_the_repository_are_of_claims_that_came_out_as_expected():
    for file in (ROOT / "results").glob("claims-*.json"):
        for found in json.loads(file.read_text())["claims"]:
            assert found["verdict"] == found["expected_verdict"], found["name"]
            assert found["name"] in CLAIMS
            assert found["scale"] == file.stem.removeprefix("claims-")


def test_every_claim_has_been_run_at_its_quick_scale():
    assert {r["name"] for r in read_results(ROOT / "results/claims-quick.json")} == set(CLAIMS)
