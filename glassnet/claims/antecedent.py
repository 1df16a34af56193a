"""What "it" refers to, shown by attention (Vaswani et al. 2017; Uszkoreit 2017)."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from glassnet.claims.claim import Claim, Scale, at_least, observed, spread
from glassnet.claims.picture import THEME, finish, panels, svg
from glassnet.data.pronouns import make_pronoun_sentences
from glassnet.data.text import hash_of
from glassnet.networks.pronoun_experiment import (
    LECTURE,
    fit_reader,
    fit_translator,
    measure_reader,
    measure_translator,
    reader_attention,
)


def antecedent(scale: Scale) -> Claim:
    """Attention finds the antecedent of "it": the animal that was too tired, the street that was too wide."""
    n, seeds = scale.pick(2000, 4000), range(scale.pick(2, 10))
    readers = [scale.piece(f"reader {seed}", partial(_reader, n, seed)) for seed in seeds]
    accuracy, share, swap = (_column(readers, name) for name in ("accuracy", "share", "swap_share"))
    translators = [scale.piece(f"translator {seed}", partial(_translator, n, seed)) for seed in seeds if scale.full]
    return Claim(
        source="A. Vaswani et al. (2017), Attention is all you need; J. Uszkoreit (2017), Transformer: a novel neural "
        "network architecture for language understanding",
        measured=(
            at_least("pronouns right, of nouns never seen together", accuracy.mean(), 0.95, spread(accuracy)),
            at_least('sentences in which "it" attends more to the noun meant', share.mean(), 0.95, spread(share)),
            at_least("sentences in which it turns with the adjective", swap.mean(), 0.9, spread(swap)),
            *_of_translators(translators),
        ),
        figure=_figure(np.mean([reader["lecture"] for reader in readers], axis=0)),
        seeds=seeds,
        data={"sentences of seed 0": _hash(n)},
        note=f"{n:,} sentences made from lists of words, an encoder asked at the word it, and one head chosen on "
        "the training sentences. This network is built so that its answer must pass through attention from the word. "
        "A translator is right as often without looking from it: its attention, measured by --full, decides nothing.",
    )


def _reader(n: int, seed: int) -> dict[str, Any]:
    """Return what a reader does, and the attention from "it" to both nouns in the lecture's sentences."""
    train, test = make_pronoun_sentences(n, random_state=seed)
    reader = fit_reader(train, seed)
    result = measure_reader(reader, train, test)
    lecture = reader_attention(reader, LECTURE)[:, result.layer, result.head]  # (sentences, nouns)
    return result._asdict() | {"lecture": lecture.astype(float).tolist()}


def _translator(n: int, seed: int) -> dict[str, Any]:
    train, test = make_pronoun_sentences(n, random_state=seed)
    return measure_translator(fit_translator(train, seed), train, test, seed)._asdict()


def _of_translators(found: list[dict[str, Any]]) -> list[Any]:
    if not found:
        return []
    accuracy, share = _column(found, "accuracy"), _column(found, "share")
    return [
        observed("a translator: pronouns right", accuracy.mean(), spread(accuracy)),
        observed('a translator: sentences in which "it" attends more to the noun meant', share.mean(), spread(share)),
    ]


def _column(found: list[dict[str, Any]], name: str) -> np.ndarray:
    return np.array([result[name] for result in found])


def _hash(n: int) -> str:
    parts = make_pronoun_sentences(n, random_state=0)
    return hash_of(text for part in parts for sentence in part for text in (sentence.source, sentence.target))


def _figure(lecture: np.ndarray) -> str:
    """Draw the attention (sentences, nouns)."""
    figure, (ax,) = panels(width=5)
    places = np.arange(len(LECTURE))
    for i, noun in enumerate((LECTURE[0].actor, LECTURE[0].place)):
        ax.bar(places + 0.2 * (2 * i - 1), lecture[:, i], 0.36, color=THEME.color(i), label=noun)
    ax.set_xticks(places, [f"it was too {sentence.adjective}" for sentence in LECTURE])
    ax.set_ylim(0, 1)
    finish(ax, 'Attention from "it"', "", "weight")
    return svg(figure)
