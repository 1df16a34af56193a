"""The benchmark suite itself, on toy workloads that take no time: what it compares, refuses and writes."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
from dataclasses import replace

import pytest

from benchmarks import FILES
from benchmarks.__main__ import main
from benchmarks.harness import machine, report, runner
from benchmarks.harness.workload import OURS, Workload, differences

TOY = """
import os, time
from benchmarks.harness.workload import PeerMissing, Workload

def peer(seconds, steps=5, loss=0.5):
    def prepare():
        def run():
            time.sleep(seconds)
        return run, lambda _: {"steps": steps, "loss": loss, "threads": os.environ["OMP_NUM_THREADS"]}
    return prepare

def uninstalled():
    import no_such_library

def without_path():
    raise PeerMissing("give --peer PATH")

def broken():
    raise ValueError("three is not two")

def killed():
    os._exit(3)

WORKLOADS = [
    Workload("equal", "sleeps", {"glassnet": peer(0.01), "slow": peer(0.04, loss=0.501), "slower": peer(0.06)},
             {"loss": 0.01}, at_least=2, aim=100, steps=5, flops=1e6),
    Workload("unequal", "sleeps", {"glassnet": peer(0.0), "lazy": peer(0.01, steps=4), "bad": peer(0.01, loss=0.6),
                                   "nan": peer(0.01, loss=float("nan"))}, {"loss": 0.01}, at_least=2),
    Workload("troubled", "sleeps", {"glassnet": peer(0.0), "a": uninstalled, "b": without_path, "c": broken,
                                    "d": killed}, {"loss": 0.01}, at_least=2),
    Workload("limits", "sleeps", {"quick": peer(0.0), "slow": peer(0.03)}, at_most={"quick": 0.02, "slow": 0.01}),
    Workload("figures", "sleeps", {"few": peer(0.0, steps=3), "many": peer(0.0, steps=7)},
             at_most={"few": 5, "many": 5}, limits={"few": {"steps": 3}, "many": {"steps": 6}}),
    Workload("bounded", "sleeps", {"glassnet": peer(0.03), "slow": peer(0.04)}, at_least=3,
             bounds={"most of it": peer(0.02, steps=1), "a little": peer(0.0), "missing": uninstalled}),
    Workload("ours broken", "sleeps", {"glassnet": uninstalled}),
]
"""
RATES = {"matmul_gflops": 1.0, "memory_gb_per_s": 1.0}


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """Make the toy workloads importable here and in the processes that the runner starts."""
    (tmp_path / "toy_workloads.py").write_text(TOY)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    return {workload.name: workload for workload in importlib.import_module("toy_workloads").WORKLOADS}


def measure(workload: Workload, rounds: int = 3) -> tuple[dict, dict]:
    row = runner.run_workload("toy_workloads", workload, rounds, 1, RATES, lambda line: None)
    return row, {peer["peer"]: peer for peer in row["rows"]}


def test_equal_work_gets_a_ratio_and_the_best_peer_decides(toy):
    row, peers = measure(toy["equal"])
    ratio = peers["slow"]["ratio"]
    assert 1 < ratio["min"] <= ratio["median"] <= ratio["max"]
    assert ratio["median"] < peers["slower"]["ratio"]["median"]
    assert row["verdict"] == ("met" if ratio["median"] >= 2 else "missed")
    assert row["share_of_matmul"] == pytest.approx(1e-3 / peers[OURS]["seconds"]["median"], rel=0.01)
    assert {peer["work"]["threads"] for peer in peers.values()} == {"1"}


@pytest.mark.parametrize(("at_least", "ours", "other", "verdict"), [
    (2, 3.0, 1.2, "met"), (2, 9.0, 1.2, "aim met"), (2, 1.9, 1.2, "missed"), (2, 9.0, 0.9, "missed"),
])  # fmt: skip
def test_what_is_asked_beside_some_peers_is_not_asked_beside_the_others(toy, at_least, ours, other, verdict):
    workload = replace(toy["equal"], at_least=at_least, aim=8, against=("slow",))
    rows = [{"peer": OURS}, *({"peer": p, "ratio": {"median": r}} for p, r in (("slow", ours), ("slower", other)))]
    assert runner._asked(workload, rows) == {"at_least": at_least, "aim": 8, "against": ["slow"], "verdict": verdict}


def test_a_figure_beyond_its_limit_is_missed(toy):
    row, peers = measure(toy["figures"], rounds=2)
    assert row["verdict"] == "missed"
    assert peers["few"]["limits"] == {"steps": {"is": 3, "at_most": 3}}
    assert peers["many"]["limits"] == {"steps": {"is": 7, "at_most": 6}}
    assert "steps 7, at most 6" in report._figures(peers["many"], 1)[1]


def test_a_bound_says_what_ratio_is_within_reach_and_is_no_peer(toy):
    row, peers = measure(toy["bounded"], rounds=2)
    most, little = peers["most of it"], peers["a little"]
    assert most["leaves"] == pytest.approx(peers["slow"]["seconds"]["median"] / most["seconds"]["median"], rel=1e-3)
    assert (row["verdict"], row["bound_by"]) == ("missed", ["most of it"])
    assert not {"ratio", "unequal"} & {*most, *little}
    assert "leaves" in report._figures(most, 1)[1]
    assert "**missed**, bound by most of it" in report._verdict(row)


def test_unequal_work_gets_no_ratio(toy):
    row, peers = measure(toy["unequal"], rounds=1)
    assert row["verdict"] == "no ratio"
    assert not any("ratio" in peer for peer in peers.values())
    assert peers["lazy"]["unequal"] == ["steps: 5 and 4"]
    assert peers["bad"]["unequal"] == ["loss: 0.5 and 0.6"]
    assert peers["nan"]["unequal"] == ["loss: 0.5 and nan"]
    printed = report.text("unequal", {**row, "machine": {**RATES, "cpu": "c", "threads": 1, "versions": {}}})
    assert printed.count("no ratio: ") == 3


def test_trouble_of_a_peer_is_named_and_the_others_go_on(toy):
    row, peers = measure(toy["troubled"], rounds=1)
    assert peers["a"]["trouble"] == "skipped: No module named 'no_such_library'"
    assert peers["b"]["trouble"] == "skipped: give --peer PATH"
    assert peers["c"]["trouble"] == "failed: ValueError: three is not two"
    assert peers["d"]["trouble"] == "failed: its process ended with code 3"
    assert "seconds" in peers[OURS]
    assert row["verdict"] == "no ratio"


def test_limits_are_compared_with_seconds(toy):
    row, peers = measure(toy["limits"], rounds=1)
    assert row["verdict"] == "missed"
    assert peers["slow"]["seconds"]["median"] > peers["slow"]["at_most"]
    assert "ratio" not in peers["quick"]


def test_no_more_rounds_than_a_long_workload_allows(toy):
    row, peers = measure(replace(toy["limits"], rounds=1))
    assert row["rounds"] == 1
    assert peers["quick"]["seconds"]["min"] == peers["quick"]["seconds"]["max"]


def test_the_page_says_how_time_grows_with_the_square():
    def row(size, seconds):
        spread = runner.spread([seconds])
        return {"title": f"width {size}", "grows": ["width", size], "steps": 1, "verdict": "met", "rounds": 1,
                "rows": [{"peer": OURS, "seconds": spread, "peak_mb": 1},
                         {"peer": "other", "seconds": runner.spread([2 * seconds]), "ratio": runner.spread([2.0]),
                          "peak_mb": 1}],
                "load_average": [0, 0], "took_seconds": 1,
                "machine": {**RATES, "cpu": "c", "threads": 1, "versions": {}}}  # fmt: skip

    page = report.markdown({"workloads": {"b": row(40, 0.016), "a": row(10, 0.001)}})
    lines = [line for line in page.split("\n") if line.startswith("| width | ")]
    assert lines == [
        "| width | 10 | glassnet | 1 |  |  |",
        "| width | 10 | other | 2 |  | 2 |",
        "| width | 40 | glassnet | 16 | 2.00 |  |",
        "| width | 40 | other | 32 | 2.00 | 2 |",
    ]


def test_our_own_failure_is_an_error(toy):
    with pytest.raises(runner.BenchmarkFailed, match="ours broken"):
        measure(toy["ours broken"], rounds=1)


def test_difference_is_any_entry_that_is_not_equal():
    ours = {"shapes": [[2, 3]], "loss": 1.0}
    assert differences(ours, {"shapes": [[2, 3]], "loss": 1.09}, {"loss": 0.1}) == []
    assert differences(ours, {"shapes": [[3, 2]], "loss": 1.0}, {"loss": 0.1}) == ["shapes: [[2, 3]] and [[3, 2]]"]
    assert differences(ours, {"shapes": [[2, 3]]}, {"loss": 0.1}) == ["loss: 1.0 and None"]


@pytest.fixture
def one_file(toy, tmp_path):
    """Return a table of one file that holds the toy's first workload."""
    (tmp_path / "one_workload.py").write_text("import toy_workloads\nWORKLOADS = toy_workloads.WORKLOADS[:1]\n")
    return {"toy": "one_workload"}


def test_command_writes_results_and_a_page_made_of_them(one_file, tmp_path, capsys):
    path = tmp_path / "results" / "benchmarks.json"
    path.parent.mkdir()
    assert main(["toy", "--rounds", "2", "--threads", "1", "--json"], tmp_path, one_file) == 0
    row = json.loads(capsys.readouterr().out)["workloads"]["equal"]
    assert json.loads(path.read_text())["workloads"]["equal"] == row
    assert {"title", "verdict", "at_least", "aim", "rounds", "load_average", "took_seconds", "rows"} <= set(row)
    assert {"cpu", "threads", "versions", "matmul_gflops", "memory_gb_per_s"} <= set(row["machine"])
    assert {"seconds", "cpu_seconds", "peak_mb", "work"} <= set(row["rows"][0])
    page = (tmp_path / "docs" / "benchmarks.md").read_text()
    assert f"{row['rows'][1]['ratio']['median']:.3g}" in page
    assert page == report.markdown(json.loads(path.read_text()))


def test_command_keeps_the_rows_that_were_not_measured(one_file, tmp_path):
    path = tmp_path / "results" / "benchmarks.json"
    assert main(["--rounds", "1", "--threads", "1"], tmp_path, one_file) == 0
    kept = json.loads(path.read_text())
    kept["workloads"]["earlier"] = kept["workloads"]["equal"]
    path.write_text(json.dumps(kept))
    assert main(["--rounds", "1", "--threads", "1"], tmp_path, one_file) == 0
    assert set(json.loads(path.read_text())["workloads"]) == {"equal", "earlier"}


def test_quick_run_writes_nothing(one_file, tmp_path, capsys):
    assert main(["--quick", "--threads", "1"], tmp_path, one_file) == 0
    assert "met" in capsys.readouterr().out
    assert not (tmp_path / "results").exists()


def test_quick_run_of_everything_leaves_out_what_is_long_and_says_so(toy, tmp_path, capsys):
    (tmp_path / "two_workloads.py").write_text(
        "from dataclasses import replace\nimport toy_workloads\nquick = toy_workloads.WORKLOADS[0]\n"
        "WORKLOADS = [quick, replace(toy_workloads.WORKLOADS[3], quick=False)]\n"
    )
    files = {"two": "two_workloads"}
    assert main(["--quick", "--threads", "1"], tmp_path, files) == 0
    printed = capsys.readouterr().out
    assert "equal: sleeps" in printed
    assert "limits: sleeps" not in printed
    assert printed.endswith("left out by --quick: limits\n")
    assert main(["two", "--quick", "--threads", "1"], tmp_path, files) == 0
    assert "limits: sleeps" in capsys.readouterr().out


def test_the_peer_that_is_given_is_recorded_by_its_commit_or_its_bytes(tmp_path):
    path = tmp_path / "nn.ts"
    path.write_bytes(b"test content\n")
    assert machine.file_version(path) == "blob d670460b4b4aece5915caf5c68d12f560a9fe3e4"
    who = ["-c", "user.name=a", "-c", "user.email=a@b"]
    for command in (["init", "--quiet"], ["add", "nn.ts"], [*who, "commit", "--quiet", "--message", "first"]):
        subprocess.run(["git", "-C", str(tmp_path), *command], check=True)
    assert re.fullmatch("commit [0-9a-f]{40}", machine.file_version(path))


def test_unknown_name_is_wrong_use(capsys):
    with pytest.raises(SystemExit) as exit_code:
        main(["xorr"])
    assert exit_code.value.code == 2
    assert "xorr" in capsys.readouterr().err


@pytest.mark.parametrize("module", FILES.values())
def test_every_file_holds_well_formed_workloads(module):
    for workload in importlib.import_module(module).WORKLOADS:
        if workload.at_most:
            assert set(workload.at_most) == set(workload.peers)
        else:
            assert next(iter(workload.peers)) == OURS
            assert len(workload.peers) > 1
        assert not set(workload.bounds) & set(workload.peers)
