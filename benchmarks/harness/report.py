"""The results in words: a table for the terminal and the page ``docs/benchmarks.md``.

Both are made from the JSON that a run has written, and from nothing else.
"""

from __future__ import annotations

from typing import Any

HEAD = """# Benchmarks

Written by `python -m benchmarks` from `results/benchmarks.json`; do not edit.

Each peer runs in its own process, in turns with ours, on the same cores with the same threads. Times and
ratios are medians over the rounds, lowest and highest in brackets. A ratio is the peer's time / ours, round by
round: above 1 glassnet is faster. A peer that did not do the same work (shapes, steps, final loss) gets
no ratio. The verdict compares the best peer's ratio with what was asked for.
"""


def markdown(results: dict[str, Any]) -> str:
    """Return the page.

    Parameters
    ----------
    results : dict
        What the command has written.
    """
    parts = [HEAD]
    for name, row in results["workloads"].items():
        parts += [f"\n## {name}\n\n{row['title']}\n", _table(row), f"\n{_words(row)}\n"]
    return "\n".join(parts)


def text(name: str, row: dict[str, Any]) -> str:
    """Return one workload's rows for the terminal."""
    lines = [f"\n{name}: {row['title']}"]
    lines += [
        "  " + "".join(cell.ljust(width) for cell, width in zip(cells, WIDTHS, strict=True)) for cells in _cells(row)
    ]
    return "\n".join([*lines, "  " + _words(row)])


WIDTHS = (30, 32, 24, 8)


def _table(row: dict[str, Any]) -> str:
    head = ["", "seconds a run", "ratio", "peak MB"]
    lines = [head, ["---"] * 4, *_cells(row)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _cells(row: dict[str, Any]) -> list[list[str]]:
    return [[peer["peer"], *_figures(peer)] for peer in row["rows"]]


def _figures(peer: dict[str, Any]) -> list[str]:
    if "seconds" not in peer:
        return [peer["trouble"], "", ""]
    ratio = _spread(peer["ratio"]) if "ratio" in peer else ""
    if peer.get("unequal"):
        ratio = "no ratio: " + "; ".join(peer["unequal"])
    if "at_most" in peer:
        ratio = f"at most {peer['at_most']:g} s"
    return [_spread(peer["seconds"]), ratio, str(peer["peak_mb"])]


def _spread(values: dict[str, float]) -> str:
    return f"{values['median']:.3g} ({values['min']:.3g} .. {values['max']:.3g})"


def _words(row: dict[str, Any]) -> str:
    """Return the verdict, the share of the machine's limits, and where it was measured."""
    asked = "".join(f", {key.replace('_', ' ')} {row[key]:g}x" for key in ("at_least", "aim") if row.get(key))
    words = [f"Verdict: {row['verdict']}{asked}."]
    if "share_of_matmul" in row:
        words.append(f"{row['share_of_matmul']:.0%} of the machine's matrix-product rate.")
    if "share_of_memory" in row:
        words.append(f"{row['share_of_memory']:.0%} of its memory rate.")
    where = row["machine"]
    words.append(
        f"{where['cpu']}, {where['threads']} threads, {where['matmul_gflops']:g} GFLOP/s, "
        f"{where['memory_gb_per_s']:g} GB/s, load {row['load_average'][0]} to {row['load_average'][1]}, "
        f"{row['rounds']} rounds, {row['took_seconds']:g} s; "
        + ", ".join(f"{package} {version}" for package, version in where["versions"].items())
        + "."
    )
    return " ".join(words)
