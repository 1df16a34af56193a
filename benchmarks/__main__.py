"""``python -m benchmarks [NAME...] [--json] [--quick]``: measure, print, keep.

A full run writes ``results/benchmarks.json`` (rows of workloads that were not asked for stay)
and makes ``docs/benchmarks.md`` from it, after every workload: one that is stopped keeps what it has. A
quick one has fewer rounds and only prints; without a NAME it leaves out the longest workloads.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks import FILES
from benchmarks.harness import machine, report
from benchmarks.harness.runner import ROOT, BenchmarkFailed, measure_rates, run_workload

ROUNDS, QUICK_ROUNDS = 9, 3


def main(arguments: list[str] | None = None, root: Path = ROOT, files: dict[str, str] = FILES) -> int:
    """Run the named workloads, or all; return the exit code.

    Parameters
    ----------
    arguments : list of str, optional
        The command line's.
    root : Path
        Folder that has ``results`` and ``docs``.
    files : dict of str to str
        Name -> module of its workloads.
    """
    options = _parse(arguments, files)
    say = (lambda line: print(line, file=sys.stderr, flush=True)) if options.verbose else (lambda line: None)
    rates = measure_rates(options.threads)
    where = {**machine.description(options.threads), **rates}
    if options.peer:
        os.environ["BENCHMARK_PLAYGROUND"] = str(options.peer.resolve())
        where["versions"][f"TensorFlow Playground's {options.peer.name}"] = machine.file_version(options.peer)
    measured: dict[str, Any] = {}
    left_out: list[str] = []
    for module in [files[name] for name in options.names or files]:
        for workload in import_module(module).WORKLOADS:
            if options.quick and not (options.names or workload.quick):
                left_out.append(workload.name)
                continue
            try:
                row = run_workload(module, workload, options.rounds, options.threads, rates, say)
            except BenchmarkFailed as error:
                print(error, file=sys.stderr)
                return 1
            measured[workload.name] = {**row, "machine": where}
            if not options.json:
                print(report.text(workload.name, measured[workload.name]), flush=True)
            if not options.quick:
                _keep(measured, root)
    if left_out and not options.json:
        print(f"\nleft out by --quick: {', '.join(left_out)}")
    if options.json:
        print(json.dumps({"workloads": measured}, indent=1))
    return 0


def _parse(arguments: list[str] | None, files: dict[str, str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of {', '.join(files)}; all if none is given")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument(
        "--quick",
        action="store_true",
        help=f"{QUICK_ROUNDS} rounds, nothing is written, and without a NAME the longest are left out",
    )
    parser.add_argument("--rounds", type=int, default=None, help=f"how often each peer runs (default {ROUNDS})")
    parser.add_argument("--threads", type=int, default=2, help="cores and threads of every process (default 2)")
    parser.add_argument("--peer", type=Path, metavar="PATH", help="nn.ts of TensorFlow Playground, for `playground`")
    parser.add_argument("--verbose", action="store_true", help="say on standard error what is being done")
    options = parser.parse_args(arguments)
    if unknown := sorted(set(options.names) - set(files)):
        parser.error(f"unknown benchmark: {', '.join(unknown)}. Allowed: {', '.join(files)}.")
    if options.peer and not options.peer.is_file():
        parser.error(f"--peer names no file: {options.peer}")
    options.threads = min(options.threads, os.cpu_count() or 1)
    options.rounds = options.rounds or (QUICK_ROUNDS if options.quick else ROUNDS)
    return options


def _keep(measured: dict[str, Any], root: Path) -> None:
    """Write the rows that were measured beside those of earlier runs, and the page made of all."""
    from glassnet.files import write_whole

    path = root / "results" / "benchmarks.json"
    old = json.loads(path.read_text())["workloads"] if path.exists() else {}
    results = {"command": "python -m benchmarks", "workloads": {**old, **measured}}
    write_whole(path, (json.dumps(results, indent=1) + "\n").encode())
    write_whole(root / "docs" / "benchmarks.md", report.markdown(results).encode())


if __name__ == "__main__":
    sys.exit(main())
