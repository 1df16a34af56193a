"""What is written of claims: a results file (JSON), a page to read (HTML), a table for the docs (Markdown)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from glassnet.claims.claim import in_words
from glassnet.claims.runner import Record, as_expected
from glassnet.errors import CorruptFileError
from glassnet.files import write_whole
from glassnet.plots.style import get_theme, number
from glassnet.registry import CLAIMS

VERDICTS = {"holds": "holds", "fails": "fails", "undecided": "not decided at this scale"}


def write_results(records: Iterable[Record], path: Path) -> Path:
    """Put records into a results file, in place of earlier ones of the same names; figures stay out.

    Parameters
    ----------
    records : iterable of dict
        Those of claims that could not run are left out.
    path : Path
        The JSON file; made where it is missing.

    Raises
    ------
    CorruptFileError
        If the file is there but holds something else.
    """
    found = {record["name"]: record for record in read_results(path)} if path.exists() else {}
    for record in records:
        if "missing" not in record:
            found[record["name"]] = {key: value for key, value in record.items() if key != "figure"}
    ordered = [found[name] for name in CLAIMS if name in found]
    return write_whole(path, (json.dumps({"claims": ordered}, indent=1, ensure_ascii=False) + "\n").encode())


def read_results(path: Path) -> list[Record]:
    """Return the records of a results file.

    Raises
    ------
    CorruptFileError
        If it is not a results file of claims.
    """
    try:
        return list(json.loads(path.read_text(encoding="utf-8"))["claims"])
    except (ValueError, KeyError, TypeError) as error:
        raise CorruptFileError(f"{path} holds no results of claims: {error!r}") from error


def amount(value: float, spread: float | None = None) -> str:
    """Return a number in words, with its spread.

    Examples
    --------
    >>> amount(0.9731, 0.0123), amount(12000.0), amount(0.0)
    ('0.973 ± 0.0123', '12000', '0')
    """
    return in_words(value) if spread is None else f"{in_words(value)} ± {number(spread)}"


def markdown_table(records: Sequence[Record]) -> str:
    """Return the docs' page of claims: a table of what was measured, from results alone."""
    counts = [f"{words}: {sum(r['verdict'] == v for r in records)}" for v, words in VERDICTS.items()]
    lines = [
        "# Claims",
        "",
        "Every claim is an experiment: `glassnet claims NAME` runs it again. This page is written by",
        "`glassnet claims --table docs/claims.md` from the files in `results/`; nothing in it is typed by hand.",
        "",
        f"{len(records)} claims. {'; '.join(counts)}.",
        "Seconds are by the clock and, in brackets, of processor time: the machine was not always quiet.",
        "",
        "| claim | measured | expected | verdict | seconds |",
        "|---|---|---|---|---|",
    ]
    return "\n".join([*lines, *map(_table_row, records), ""])


def _table_row(record: Record) -> str:
    measured = record["measured"]
    numbers = "<br>".join(f"{m['what']}: {amount(m['value'], m['spread'])}" for m in measured)
    expected = "<br>".join(m["expected"] or "-" for m in measured)
    about = f"**{record['name']}** ({record['scale']}): {record['sentence']}<br>{record['source']}"
    verdict = " ".join(filter(None, [f"**{VERDICTS[record['verdict']]}**.", record["undecided"]]))
    cells = [about, numbers, expected, verdict, _seconds(record)]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _seconds(record: Record) -> str:
    """Return the seconds, by the clock and of processor time where that was noted."""
    by_clock, processor = record["seconds"], record.get("cpu_seconds")
    return f"{by_clock:.0f}" + ("" if processor is None else f" ({processor:.0f})")


def html_report(records: Sequence[Record], title: str = "Claims") -> str:
    """Return one HTML page with every claim and its figure, which asks for nothing from outside.

    Parameters
    ----------
    records : sequence of dict
        With their figures, as `glassnet.claims.runner.run_claims` gives them.
    title : str
    """
    index = "\n".join(_index_row(record) for record in records)
    body = "\n".join(map(_section, records))
    n = "1 claim" if len(records) == 1 else f"{len(records)} claims"
    return f"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{escape(title)}</title><style>{_style()}</style></head>
<body><main>
<h1>{escape(title)}</h1>
<p>{n}, each an experiment that <code>glassnet claims NAME</code> runs again.</p>
<table class="index">{index}</table>
{body}
</main></body>
</html>
"""


def _index_row(record: Record) -> str:
    name, sentence = record["name"], record.get("sentence", record.get("missing", ""))
    verdict = _badge(record)
    return f'<tr><td><a href="#{name}">{name}</a></td><td>{escape(sentence)}</td><td>{verdict}</td></tr>'


def _badge(record: Record) -> str:
    if "missing" in record:
        return '<span class="missing">did not run</span>'
    note = "" if as_expected(record) else f" (expected: {VERDICTS[record['expected_verdict']]})"
    return f'<span class="{record["verdict"]}">{VERDICTS[record["verdict"]]}{note}</span>'


def _section(record: Record) -> str:
    head = f'<section id="{record["name"]}"><h2>{record["name"]} {_badge(record)}</h2>'
    if "missing" in record:
        return f"{head}<p>{escape(record['missing'])}</p></section>"
    rows = "".join(
        f"<tr><td>{escape(m['what'])}</td><td>{amount(m['value'], m['spread'])}</td>"
        f"<td>{escape(m['expected'])}</td><td>{_mark(m)}</td></tr>"
        for m in record["measured"]
    )
    table = f"<table><tr><th>measured</th><th>value</th><th>expected</th><th></th></tr>{rows}</table>" if rows else ""
    figure = f"<figure>{record['figure']}</figure>" if record["figure"] else ""
    words = [record["note"], record["undecided"], _facts(record)]
    notes = "".join(f"<p>{_code(escape(text))}</p>" for text in words if text)
    sentence = f'<p class="sentence">{escape(record["sentence"])}</p><p class="source">{escape(record["source"])}</p>'
    return f"{head}{sentence}{table}{figure}{notes}</section>"


def _code(text: str) -> str:
    """Return the text with what stands between backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", text)


def _mark(measured: dict) -> str:
    """Return whether a number lies where it has to; nothing for one that decides nothing."""
    return ("✓" if measured["holds"] else "✗") if measured["expected"] else ""


def _facts(record: Record) -> str:
    """Return how it was run: seeds, data, seconds, versions."""
    seeds, versions = record["seeds"], ", ".join(f"{k} {v}" for k, v in record["versions"].items())
    several = (
        f"{len(seeds)} seeds ({seeds[0]} to {seeds[-1]})" if len(seeds) > 1 else "".join(f"seed {s}" for s in seeds)
    )
    facts = [several or "no seeds: nothing is left to chance"]
    facts += [f"data {name}, SHA-256 {sha[:12]}" for name, sha in record["data"].items()]
    return "; ".join(
        [
            *facts,
            f"{record['seconds']:.1f} s on {record['cores']} cores, {record['cpu_seconds']:.1f} s of processor time",
            record["command"],
            versions,
        ]
    )


def _style() -> str:
    theme = get_theme("light")
    return f"""
body {{ font: 16px/1.5 sans-serif; color: {theme.ink}; background: {theme.paper}; margin: 0; }}
main {{ max-width: 60rem; margin: 0 auto; padding: 1rem; }}
table {{ border-collapse: collapse; }}
td, th {{ text-align: left; padding: .2rem .8rem .2rem 0; border-bottom: 1px solid {theme.grid}; vertical-align: top; }}
section {{ border-top: 2px solid {theme.grid}; margin-top: 2rem; }}
section > p:last-child {{ color: {theme.muted}; font-size: .8rem; }}
h2 span, .index span {{ font-size: .85rem; font-weight: 600; white-space: nowrap; }}
.sentence {{ font-size: 1.1rem; margin-bottom: 0; }} .source {{ color: {theme.muted}; margin-top: 0; }}
.holds {{ color: {theme.positive}; }} .fails {{ color: {theme.negative}; }}
.undecided, .missing {{ color: {theme.muted}; }}
figure {{ margin: 1rem 0; }} figure svg {{ max-width: 100%; height: auto; }}
"""
