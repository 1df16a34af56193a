from __future__ import annotations

import json
import math

import pytest

from glassnet import registry
from glassnet.claims.claim import Claim, Measured, Scale, about, at_least, at_most, exactly, observed
from glassnet.claims.runner import as_expected, run_claim, run_claims
from glassnet.errors import DataNotFoundError, UnknownNameError

SVG = "<svg></svg>"
CALLS: list[str] = []


def holds(scale: Scale) -> Claim:
    """Two is two."""
    CALLS.append("holds")
    return Claim(source="arithmetic", measured=[exactly("two", 2, 2)], figure=SVG, seeds=range(3))


def fails(scale: Scale) -> Claim:
    """Two is three."""
    CALLS.append("fails")
    return Claim(source="arithmetic", measured=[exactly("two", 2, 3), observed("one", 1)], figure=SVG)


def interrupted(scale: Scale) -> Claim:
    """Somebody presses Ctrl-C."""
    raise KeyboardInterrupt


def missing(scale: Scale) -> Claim:
    """Data are missing."""
    raise DataNotFoundError("mnist is not there; put it into the data home")


@pytest.fixture(autouse=True)
def table(monkeypatch):
    """Claims of this file in place of the real ones."""
    here = {name: f"{__name__}:{name}" for name in ("holds", "fails", "interrupted", "missing")}
    monkeypatch.setattr("glassnet.claims.runner.resolve", lambda table, kind, name: globals()[name])
    monkeypatch.setattr("glassnet.claims.runner.CLAIMS", here)
    CALLS.clear()


@pytest.mark.parametrize(
    ("measured", "holds", "expected"),
    [
        (exactly("x", 1, 1), True, "1"),
        (exactly("x", 1.5, 1), False, "1"),
        (about("x", 0.9, 1, 0.1), True, "0.9 to 1.1"),
        (about("x", 0.8, 1, 0.1), False, "0.9 to 1.1"),
        (at_least("x", 2, 1), True, "≥ 1"),
        (at_most("x", 2, 1), False, "≤ 1"),
        (observed("x", 2), True, ""),
        (observed("x", math.nan), False, ""),
        (Measured("x", math.inf, low=0), True, "≥ 0"),
    ],
)
def test_a_number_holds_within_its_tolerance(measured, holds, expected):
    assert (measured.holds, measured.expected) == (holds, expected)


@pytest.mark.parametrize(
    ("values", "undecided", "verdict"),
    [((1, 1), "", "holds"), ((1, 0), "", "fails"), ((1, 0), "too small", "undecided")],
)
def test_the_verdict_follows_from_the_numbers(values, undecided, verdict):
    claim = Claim("", [exactly("x", value, 1) for value in values], SVG, undecided=undecided)
    assert claim.verdict == verdict
    assert claim.as_expected == (verdict == "holds")
    assert Claim("", claim.measured, SVG, undecided=undecided, expected_verdict=verdict).as_expected


def test_the_sentence_is_the_first_line_of_the_docstring():
    assert run_claim("holds").sentence == "Two is two."


def test_a_record_says_all_and_is_plain_json(tmp_path):
    [record] = run_claims(["holds"], folder=tmp_path)
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert record["verdict"] == record["expected_verdict"] == "holds"
    assert record["seeds"] == [0, 1, 2]
    assert record["command"] == "glassnet claims holds --quick"
    assert record["measured"] == [{"what": "two", "value": 2.0, "expected": "2", "holds": True, "spread": None}]
    assert {"glassnet", "numpy", "torch", "python"} <= set(record["versions"])
    assert record["seconds"] >= 0
    assert record["cpu_seconds"] >= 0


def test_an_unknown_name_is_answered_with_the_list_before_anything_runs(tmp_path):
    with pytest.raises(UnknownNameError, match=r"Unknown claim: 'fail'. Allowed: fails, holds.*Did you mean 'fails'"):
        run_claims(["holds", "fail"], folder=tmp_path)
    assert CALLS == []


def test_missing_data_are_named_and_the_others_go_on(tmp_path):
    records = run_claims(["missing", "holds"], folder=tmp_path)
    assert records[0] == {
        "name": "missing",
        "scale": "quick",
        "missing": "mnist is not there; put it into the data home",
    }
    assert records[1]["verdict"] == "holds"
    assert [as_expected(record) for record in records] == [True, True]


def test_an_interrupted_run_goes_on_where_it_was(tmp_path, monkeypatch):
    told = []
    with pytest.raises(KeyboardInterrupt):
        run_claims(["holds", "interrupted", "fails"], folder=tmp_path, tell=told.append)
    assert [record["name"] for record in told] == ["holds"]
    monkeypatch.setitem(globals(), "interrupted", holds)
    records = run_claims(["holds", "interrupted", "fails"], folder=tmp_path)
    assert CALLS == ["holds", "holds", "fails"]  # the second stands for what was interrupted
    assert records[0] == told[0]
    assert [as_expected(record) for record in records] == [True, True, False]
    run_claims(["holds"], folder=tmp_path)
    assert CALLS[-1] == "holds"
    assert len(CALLS) == 4, "a finished run leaves nothing to take up"


def test_a_run_that_ends_leaves_what_others_have_kept(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run_claims(["holds", "interrupted"], folder=tmp_path)
    run_claims(["fails"], folder=tmp_path)
    run_claims(["holds"], folder=tmp_path)
    assert CALLS == ["holds", "fails"]
    assert not any(tmp_path.iterdir())


def test_what_was_kept_is_of_this_code_and_scale_only(tmp_path, monkeypatch):
    for change in (
        lambda: None,
        lambda: monkeypatch.setattr("glassnet.claims.runner.code_hash", lambda: "another" * 2),
    ):
        change()
        with pytest.raises(KeyboardInterrupt):
            run_claims(["holds", "interrupted"], folder=tmp_path)
    with pytest.raises(KeyboardInterrupt):
        run_claims(["holds", "interrupted"], folder=tmp_path, full=True)
    assert CALLS == ["holds"] * 3


def test_pieces_of_a_long_claim_are_kept(tmp_path):
    scale, calls = Scale(True, tmp_path), []

    def compute():
        calls.append(1)
        return {"loss": [0.5]}

    assert scale.piece("first", compute) == scale.piece("first", compute) == {"loss": [0.5]}
    assert scale.piece("second", compute) == {"loss": [0.5]}
    assert len(calls) == 2
    assert (scale.pick(1, 2), Scale().pick(1, 2)) == (2, 1)
    assert Scale().piece("first", compute) == {"loss": [0.5]}
    assert len(calls) == 3


def test_every_claim_of_the_registry_is_a_file_with_a_sentence():
    from glassnet.cli.listing import summary

    for name, target in registry.CLAIMS.items():
        module, _, function = target.partition(":")
        assert module == f"glassnet.claims.{function}" == f"glassnet.claims.{name.replace('-', '_')}"
        assert summary(target).endswith("."), name
