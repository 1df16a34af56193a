"""``glassnet translate`` and ``glassnet generate``, and what ``glassnet train`` does with texts."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from glassnet.errors import InvalidInputError, RunFolderError

if TYPE_CHECKING:
    from glassnet.data.text import SentencePairs, Text

RUN = typer.Argument(metavar="RUN", help="A run folder that `glassnet train --out` wrote.")
# a run's own picture of attention is of the first test sentence with fewer characters
SHORT = 60


def translate(
    run: Annotated[Path, RUN],
    sentences: Annotated[
        list[str] | None, typer.Argument(help="What to translate; lines of standard input, if left out.")
    ] = None,
    beam_size: Annotated[int, typer.Option("--beam-size", min=1, help="Hypotheses followed at a time.")] = 4,
    attention: Annotated[
        Path | None, typer.Option("--attention", metavar="FILE", help="Picture of who looks at whom (svg, pdf, png).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Translate sentences."""
    translator = _load_run(run, "translate")
    sources = sentences or [line for line in sys.stdin.read().splitlines() if line.strip()]
    if attention is not None and len(sources) != 1:
        raise InvalidInputError(f"--attention is a picture of one sentence, got {len(sources)}.")
    targets = translator.translate(sources, beam_size)
    if attention is not None:
        draw_translation(attention, translator, sources[0], targets[0])
    if as_json:
        pairs = [{"source": s, "target": t} for s, t in zip(sources, targets, strict=True)]
        print(json.dumps(pairs, ensure_ascii=False))
        return
    print("\n".join(targets))


def generate(
    run: Annotated[Path, RUN],
    prompt: Annotated[str, typer.Option("--prompt", help="Where to begin.")] = "\n",
    n_tokens: Annotated[int, typer.Option("--tokens", min=0, help="How many tokens to write.")] = 500,
    temperature: Annotated[float, typer.Option("--temperature", min=0, help="0 takes the likeliest token.")] = 0.8,
    top_k: Annotated[int | None, typer.Option("--top-k", min=1, help="Draw from so many likeliest tokens.")] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Decides what is drawn.")] = 0,
    truncate: Annotated[bool, typer.Option("--truncate", help="Read only the end of a long prompt.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Let a language model go on with a text."""
    model = _load_run(run, "generate")
    options = {"temperature": temperature, "top_k": top_k, "random_state": seed, "truncate": truncate}
    text = model.generate(prompt, n_tokens, **options)
    print(json.dumps({"prompt": prompt, "text": text}, ensure_ascii=False) if as_json else text)


def load_texts(
    network: str, data: str | None, source: str | None, target: str | None, seed: int
) -> SentencePairs | Text:
    """Return what `glassnet train` trains on: pairs of sentences for the transformer, a text for gpt.

    Raises
    ------
    InvalidInputError
        If it is not said which, or an option is not for this network.
    """
    from glassnet.data.text import load_pairs, load_text

    if network == "transformer":
        if source is None or target is None:
            raise InvalidInputError("give --source and --target: two languages of --data, or two line-aligned files.")
        return load_pairs(data, source, target, seed=seed)
    if source is not None or target is not None or data is None:
        raise InvalidInputError(f"{network} learns one text: give its path as --data, no --source and no --target.")
    return load_text(data)


def fit_texts(estimator: Any, dataset: SentencePairs | Text, **options: Any) -> None:
    """Fit the training part, and measure the loss on the validation part after every epoch."""
    train, validation = _parts(dataset, "train"), _parts(dataset, "validation")
    estimator.fit(*train, validation=validation[0] if len(validation) == 1 else validation, **options)


def measure_texts(estimator: Any, dataset: SentencePairs | Text) -> dict[str, Any]:
    """Return the validation loss in nats per token, its perplexity, and the BLEU of translations."""
    validation = _parts(dataset, "validation")
    result = {"epochs": estimator.n_iter_, "validation_loss": round(estimator.loss(*validation), 4)}
    result["validation_perplexity"] = round(estimator.perplexity(*validation), 3)
    if hasattr(estimator, "translate"):
        result["test_bleu"] = round(estimator.score(*_parts(dataset, "test")), 2)
    return result


def keep_texts(folder: Path, estimator: Any, dataset: SentencePairs | Text, result: dict[str, Any]) -> None:
    """Write the run folder: the network, what it was trained on, how well it does, its figures."""
    from glassnet.plots.training_curves import TrainingCurvesDisplay
    from glassnet.training.run_folder import save_run

    metrics = {name: value for name, value in result.items() if name not in ("network", "data")}
    about = {"data": dataset.name, "data_sha256": dataset.sha256, "metrics": metrics}
    save_run(folder, estimator, about)
    TrainingCurvesDisplay.from_estimator(estimator, ylabel="loss (nats per token)").save(folder / "training.svg")
    if hasattr(estimator, "translate"):
        sources, _ = _parts(dataset, "test")
        source = next((s for s in sources if len(s) < SHORT), sources[0])
        draw_translation(folder / "attention.svg", estimator, source, estimator.translate([source])[0])


# what `glassnet train` does with an estimator of texts
TEXT_ACTS: tuple[Any, ...] = (fit_texts, measure_texts, keep_texts)


def draw_translation(path: Path, translator: Any, source: str, target: str) -> None:
    """Draw who looks at whom, from the written tokens to the source's, in each head of the last layer."""
    from glassnet.plots.attention import AttentionDisplay

    AttentionDisplay.from_translator(translator, source, target).save(path)


def _parts(dataset: Any, part: str) -> Any:
    """Return a part of the data as the arguments of `fit`, `loss` and `score`."""
    names = (part,) if hasattr(dataset, part) else (f"source_{part}", f"target_{part}")
    return tuple(getattr(dataset, name) for name in names)


def _load_run(run: Path, ability: str) -> Any:
    from glassnet.training.run_folder import load_run
    from glassnet.training.trained import find_run

    estimator = load_run(find_run(run))
    if not hasattr(estimator, ability):
        raise RunFolderError(f"{run} holds a {type(estimator).__name__}, which cannot {ability}.")
    return estimator
