from __future__ import annotations

import json
import sys

import pytest

from glassnet import registry
from glassnet.claims.claim import Claim, exactly
from glassnet.claims.runner import record_of
from glassnet.cli import main as cli


@pytest.fixture
def glassnet(monkeypatch, capsys, tmp_path):
    """Run the command line in this process; return its exit code and what it printed."""

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["glassnet", *map(str, words)])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        printed = capsys.readouterr()
        return stop.value.code or 0, printed.out, printed.err

    monkeypatch.setenv("GLASSNET_DATA", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    return run


def test_without_names_the_claims_are_listed(glassnet):
    code, out, _ = glassnet("claims")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == list(registry.CLAIMS)
    assert "On XOR the perceptron never converges, and a certificate proves that it cannot." in out
    code, out, _ = glassnet("claims", "--json")
    assert list(json.loads(out)) == list(registry.CLAIMS)


def test_a_claim_prints_its_numbers_and_writes_results_and_report(glassnet, tmp_path):
    code, out, _ = glassnet("claims", "lecture-weights", "--out", tmp_path / "out")
    assert code == 0
    assert "lecture-weights: holds" in out
    assert "    wrong answers of XOR, of 4: 0  (expected 0)" in out
    [found] = json.loads((tmp_path / "out" / "claims-quick.json").read_text())["claims"]
    assert found["verdict"] == "holds"
    assert "lecture-weights" in (tmp_path / "out" / "claims-quick.html").read_text()
    code, out, _ = glassnet("claims", "--table", tmp_path / "t.md", "--out", tmp_path / "out")
    assert code == 0
    assert "**lecture-weights** (quick)" in (tmp_path / "t.md").read_text()


def test_json_is_all_that_is_printed(glassnet):
    code, out, _ = glassnet("claims", "lecture-weights", "--json")
    [record] = json.loads(out)
    assert (code, record["name"], record["verdict"]) == (0, "lecture-weights", "holds")
    assert record["figure"].startswith("<svg")


def test_a_file_that_holds_no_results_is_refused_before_anything_runs(glassnet, tmp_path):
    (tmp_path / "claims-quick.json").write_text("[]")
    code, out, err = glassnet("claims", "lecture-weights", "--out", tmp_path)
    assert (code, out) == (1, "")
    assert "holds no results of claims" in err


def test_another_verdict_than_expected_exits_with_1(glassnet, monkeypatch):
    record = record_of("xor-never", Claim("a source", [exactly("x", 1, 2)], "<svg/>"), "quick", 1.0, 2.0)
    monkeypatch.setattr("glassnet.claims.runner._kept_or_run", lambda name, scale: record)
    code, out, _ = glassnet("claims", "xor-never")
    assert code == 1
    assert "x: 1  (expected 2: NOT SO)" in out


def test_missing_data_are_said_and_are_no_verdict(glassnet, monkeypatch):
    record = {"name": "xor-never", "scale": "quick", "missing": "no such file: put it there"}
    monkeypatch.setattr("glassnet.claims.runner._kept_or_run", lambda name, scale: record)
    assert glassnet("claims", "xor-never")[:2] == (0, "xor-never: did not run. no such file: put it there\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("xor-nevr",), "Did you mean 'xor-never'?"),
        (("xor-never", "--all"), "not both"),
        (("--table", "t.md", "--out", "nowhere"), "nowhere holds no results of claims"),
    ],
)
def test_wrong_use_exits_with_2(glassnet, words, said):
    code, out, err = glassnet("claims", *words)
    assert (code, out) == (2, "")
    assert said in err
