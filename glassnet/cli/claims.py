"""``glassnet claims``: experiments that print their numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from glassnet import registry
from glassnet.errors import InvalidInputError

if TYPE_CHECKING:
    from glassnet.claims.runner import Record

SCALES = ("quick", "full")


def claims(
    names: Annotated[list[str] | None, typer.Argument(help="Claims to run; without any, they are listed.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Run all of them.")] = False,
    full: Annotated[bool, typer.Option("--full/--quick", help="The sources' scale, or under a minute each.")] = False,
    out: Annotated[Path | None, typer.Option(help="Folder for a report (HTML) and the results (JSON).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    table: Annotated[
        Path | None, typer.Option(help="Run nothing: write the table of the results in --out (default: results).")
    ] = None,
) -> None:
    """Run claims about neural networks, and say which of them hold.

    An interrupted run goes on where it was. The exit code is 1 when a claim came out otherwise than expected.
    """
    if names and every:
        raise InvalidInputError(f"give names or --all, not both; got --all and {', '.join(names)}")
    if table is not None:
        _write_table(out or Path("results"), table)
    elif names or every:
        _run(names or list(registry.CLAIMS), full, out, as_json)
    else:
        _list(as_json)


def _list(as_json: bool) -> None:
    from glassnet.cli.listing import summary

    sentences = {name: summary(target) for name, target in registry.CLAIMS.items()}
    if as_json:
        print(json.dumps(sentences, indent=2, ensure_ascii=False))
        return
    width = max(map(len, sentences), default=0)
    for name, sentence in sentences.items():
        print(f"{name:<{width}}  {sentence}")


def _run(names: list[str], full: bool, out: Path | None, as_json: bool) -> None:
    from glassnet.claims.report import html_report, read_results, write_results
    from glassnet.claims.runner import as_expected, run_claims
    from glassnet.files import write_whole

    stem = f"claims-{SCALES[full]}"
    if out is not None and (out / f"{stem}.json").exists():
        read_results(out / f"{stem}.json")  # refused now, not after an hour
    records = run_claims(names, full=full, tell=(lambda record: None) if as_json else _tell)
    if out is not None:
        results = write_results(records, out / f"{stem}.json")
        page = write_whole(out / f"{stem}.html", html_report(records, f"Claims, {SCALES[full]}").encode())
        if not as_json:
            print(f"results: {results}\nreport: {page}")
    if as_json:
        print(json.dumps(records, indent=2, ensure_ascii=False))
    if not all(map(as_expected, records)):
        raise typer.Exit(1)


def _tell(record: Record) -> None:
    """Print a finished claim: the verdict and every number."""
    from glassnet.claims.report import VERDICTS, amount

    if "missing" in record:
        print(f"{record['name']}: did not run. {record['missing']}", flush=True)
        return
    print(f"{record['name']}: {VERDICTS[record['verdict']]} ({record['seconds']:.1f} s). {record['sentence']}")
    for m in record["measured"]:
        expected = f"  (expected {m['expected']}{'' if m['holds'] else ': NOT SO'})" if m["expected"] else ""
        print(f"    {m['what']}: {amount(m['value'], m['spread'])}{expected}")
    print(end="", flush=True)


def _write_table(folder: Path, path: Path) -> None:
    """Write the docs' page of all claims in a folder of results."""
    from glassnet.claims.report import markdown_table, read_results
    from glassnet.files import write_whole

    found = [folder / f"claims-{scale}.json" for scale in SCALES]
    found = [file for file in found if file.exists()]
    if not found:
        raise InvalidInputError(
            f"{folder} holds no results of claims; `glassnet claims --all --out {folder}` makes them"
        )
    records = {record["name"]: record for file in found for record in read_results(file)}  # a full one stands
    write_whole(path, markdown_table([records[name] for name in registry.CLAIMS if name in records]).encode())
    print(path)
