"""The results in words: lines for the terminal, and the page ``docs/benchmarks.md``.

Both are made from the JSON that a run has written, and from nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log
from typing import Any

HEAD = """# Benchmarks

Written by `python -m benchmarks` from `results/benchmarks.json`; not edited by hand.

Each peer runs in its own process, in turns with glassnet, on the same cores with the same threads. Times and
ratios are medians over the rounds, with the lowest and the highest. A ratio is the peer's time / glassnet's,
round by round: above 1 glassnet is faster. A peer that did not do the same work (shapes, steps, final loss) gets
no ratio. The verdict compares the best peer's ratio with what is asked for. A share says how much of the
machine's own rate, measured in the same run, glassnet's arithmetic or its traffic with memory comes to. A part of
the work that nothing can do without, measured alone, *leaves* the ratio that would be reached if all else took no
time; a target above that is missed, "bound by" that part.
"""
COLUMNS = ("work", "", "seconds a run", "ratio", "a step", "peak MB", "asked for, and verdict")

GROWTH = """## How time grows

The exponent is that of the size, from the line of the same peer before: 1 where twice the size takes twice the time.
"""
GROWTH_COLUMNS = ("what grows", "size", "", "ms a run", "exponent", "ratio")


def markdown(results: dict[str, Any]) -> str:
    """Return the page.

    Parameters
    ----------
    results : dict
        What the command has written.
    """
    lines = []
    for row in results["workloads"].values():
        cells = _cells(row)
        lines += [[row["title"], *cells[0], _verdict(row)], *(["", *line, ""] for line in cells[1:])]
    growth = "".join(f"\n{part}" for part in _growth([*results["workloads"].values()]))
    table = _table(COLUMNS, lines) + growth
    return f"{HEAD}\n{table}\n\n## Where and when\n\n{_places(results['workloads'])}\n"


def _places(rows: dict[str, dict[str, Any]]) -> str:
    """Return each machine, with its libraries, above what was measured there."""
    measured: dict[str, list[str]] = {}
    for name, row in rows.items():
        measured.setdefault(_machine(row["machine"]), []).append(f"{name} ({_how_measured(row)})")
    return "\n\n".join(
        f"{machine}:\n\n" + "\n".join(f"- {line}" for line in lines) for machine, lines in measured.items()
    )


def _growth(rows: list[dict[str, Any]]) -> list[str]:
    """Return the lines on how time grows: from size to size of one kind the exponent of ours and of each peer."""
    lines, before = [], {}
    for row in sorted((row for row in rows if "grows" in row), key=lambda row: row["grows"]):
        what, size = row["grows"]
        for peer in (peer for peer in row["rows"] if "seconds" in peer and "leaves" not in peer):
            seconds, key = peer["seconds"]["median"], (what, peer["peer"])
            exponent = f"{log(seconds / before[key][1]) / log(size / before[key][0]):.2f}" if key in before else ""
            ratio = f"{peer['ratio']['median']:.3g}" if "ratio" in peer else ""
            lines.append([what, f"{size:,}", peer["peer"], f"{1e3 * seconds:.3g}", exponent, ratio])
            before[key] = (size, seconds)
    return ["", GROWTH, _table(GROWTH_COLUMNS, lines)] if lines else []


def _table(head: Sequence[str], lines: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(line) + " |" for line in [head, ["---"] * len(head), *lines])


def text(name: str, row: dict[str, Any]) -> str:
    """Return one workload for the terminal."""
    cells = [COLUMNS[1:-1], *_cells(row)]
    widths = [max(map(len, column)) + 2 for column in zip(*cells, strict=True)]
    lines = ["".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in cells]
    return "\n  ".join(
        [f"\n{name}: {row['title']}", *lines, f"{_verdict(row)}; {_how_measured(row)}; {_machine(row['machine'])}"]
    )


def _cells(row: dict[str, Any]) -> list[list[str]]:
    return [[peer["peer"], *_figures(peer, row["steps"])] for peer in row["rows"]]


def _figures(peer: dict[str, Any], steps: int) -> list[str]:
    if "seconds" not in peer:
        return [peer["trouble"], "", "", ""]
    ratio = _spread(peer["ratio"]) if "ratio" in peer else ""
    if "leaves" in peer:
        ratio = f"leaves {peer['leaves']:.3g}"
    if peer.get("unequal"):
        ratio = "no ratio: " + "; ".join(peer["unequal"])
    if "at_most" in peer:
        limits = [f"{name} {v['is']:g}, at most {v['at_most']:g}" for name, v in peer.get("limits", {}).items()]
        ratio = "; ".join([f"at most {peer['at_most']:g} s", *limits])
    step = f"{1e6 * peer['seconds']['median'] / steps:.3g} us" if steps > 1 else ""
    return [_spread(peer["seconds"]), ratio, step, str(peer["peak_mb"])]


def _spread(values: dict[str, float]) -> str:
    return f"{values['median']:.3g} ({values['min']:.3g} .. {values['max']:.3g})"


def _verdict(row: dict[str, Any]) -> str:
    """Return what is asked for, whether it is met, and the share of the machine's limits."""
    words = [f"{key.replace('_', ' ')} {row[key]:g}x" for key in ("at_least", "aim") if row.get(key)]
    if row.get("against"):
        words.append(f"beside {' and '.join(row['against'])}, and no other peer faster")
    words.append(f"**{row['verdict']}**" + "".join(f", bound by {name}" for name in row.get("bound_by", ())))
    shares = (("share_of_matmul", "matrix-product"), ("share_of_memory", "memory"))
    words += [f"{row[key]:.0%} of the machine's {name} rate" for key, name in shares if key in row]
    return ", ".join(words)


def _machine(machine: dict[str, Any]) -> str:
    """Return the processor, what it can do, and the libraries."""
    versions = ", ".join(f"{package} {version}" for package, version in machine["versions"].items())
    return (
        f"{machine['cpu']}, {machine['threads']} threads, {machine['matmul_gflops']:g} GFLOP/s, "
        f"{machine['memory_gb_per_s']:g} GB/s; {versions}"
    )


def _how_measured(row: dict[str, Any]) -> str:
    load = row["load_average"]
    return f"{row['rounds']} rounds, {row['took_seconds']:g} s, load {load[0]} to {load[1]}"
