"""``glassnet pronouns``: what "it" refers to, and whether attention shows it."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer


def pronouns(
    n_train: Annotated[int, typer.Option("--sentences", min=1, help="Sentences to learn from.")] = 4000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Decides everything that is random.")] = 0,
    picture: Annotated[
        Path | None, typer.Option("--picture", metavar="FILE", help='Attention from "it" in the lecture\'s sentences.')
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FOLDER", help="Run folder for the reader that was trained.")
    ] = None,
    record: Annotated[
        Path | None, typer.Option("--record", metavar="FILE", help="JSON file for what was reached, and how.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Train networks to tell whether the animal was too tired or the street too wide."""
    from glassnet.networks.pronoun_experiment import run_experiment

    start = time.perf_counter()
    results, reader = run_experiment(n_train, seed)
    if picture is not None:
        _draw(picture, reader, results["reader"])
    digest = _digest(n_train, seed)
    if out is not None:
        _keep(out, reader, results["reader"], {"data_sha256": digest, "n_train": n_train, "seed": seed})
    if record is not None:
        _record(record, results, digest, seed, time.perf_counter() - start)
    print(json.dumps(results) if as_json else _in_words(results))


def _draw(path: Path, reader: Any, chosen: dict[str, Any]) -> None:
    """Draw the attention from "it" in both sentences, side by side."""
    from glassnet.data.pronouns import IT
    from glassnet.networks.pronoun_experiment import LECTURE, reader_picture
    from glassnet.plots.attention import AttentionDisplay

    seen = [reader_picture(reader, sentence).head(chosen["layer"], chosen["head"]) for sentence in LECTURE]
    words = [" / ".join(dict.fromkeys(pair)) for pair in zip(*(s.words for s in LECTURE), strict=True)]
    where = f"layer {chosen['layer']}, head {chosen['head']}"
    weights = {f"too {s.adjective} ({where})": a for s, a in zip(LECTURE, seen, strict=True)}
    AttentionDisplay(words, words, weights, "lines", from_query=IT).save(path)


def _digest(n_train: int, seed: int) -> str:
    from glassnet.data.pronouns import make_pronoun_sentences
    from glassnet.data.text import hash_of

    parts = make_pronoun_sentences(n_train, random_state=seed)
    return hash_of(text for part in parts for sentence in part for text in (sentence.source, sentence.target))


def _keep(folder: Path, reader: Any, metrics: dict[str, Any], about: dict[str, Any]) -> None:
    """Write the reader's run folder, with the layer and head in which "it" looks at the noun meant."""
    from glassnet.training.run_folder import save_run

    save_run(folder, reader, {"data": "pronouns", **about, "metrics": metrics})


def _record(path: Path, results: dict[str, Any], digest: str, seed: int, seconds: float) -> None:
    from glassnet.training.recipe_record import command_of, recipe_record, write_record

    write_record(path, recipe_record(command_of(sys.argv[1:]), digest, seed, seconds, results))


def _in_words(results: dict[str, Any]) -> str:
    """Return the results as lines for a reader."""
    lines = [f"{results['n_train']} sentences to learn from, {results['n_held_out']} of unseen pairs of nouns"]
    for name in ("translator", "reader"):
        r = results[name]
        lines.append(
            f'{name}: {r["accuracy"]:.1%} of the pronouns right. Layer {r["layer"]}, head {r["head"]}: "it" attends '
            f"more to the noun meant in {r['share']:.1%}, and turns with the adjective in {r['swap_share']:.1%}"
        )
    return "\n".join(lines)
