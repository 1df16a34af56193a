"""What "it" refers to, shown by attention (Vaswani et al. 2017; Uszkoreit 2017)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from glassnet.claims.claim import Claim, Scale, at_least, fresh_seeds, observed, spread
from glassnet.claims.picture import THEME, finish, panels, svg
from glassnet.data.pronouns import ACTOR, PronounSentence, make_pronoun_sentences
from glassnet.data.text import hash_of
from glassnet.estimators.module import ModuleClassifier
from glassnet.networks.pronoun_experiment import (
    LECTURE,
    counterpart,
    fit_reader,
    fit_translator,
    measure_reader,
    measure_translator,
    reader_attention,
)


def antecedent(scale: Scale) -> Claim:
    """Attention finds the antecedent of "it": the animal that was too tired, the street that was too wide."""
    n, seeds = scale.pick(2000, 4000), fresh_seeds(scale.pick(2, 10))
    readers = [scale.piece(f"reader {seed}", partial(_reader, n, seed)) for seed in seeds]
    accuracy, finds, turns, alone = (_column(readers, name) for name in ("accuracy", "finds", "turns", "share"))
    translators = [scale.piece(f"translator {seed}", partial(_translator, n, seed)) for seed in seeds if scale.full]
    return Claim(
        source="A. Vaswani et al. (2017), Attention is all you need; J. Uszkoreit (2017), Transformer: a novel neural "
        "network architecture for language understanding",
        measured=(
            at_least("pronouns right, of nouns never seen together", accuracy.mean(), 0.95, spread(accuracy)),
            at_least('sentences in which "it" attends most to the noun meant', finds.mean(), 0.95, spread(finds)),
            at_least("sentences in which it turns with the adjective", turns.mean(), 0.9, spread(turns)),
            observed(
                "the first of the two by one head alone, chosen on the training sentences", alone.mean(), spread(alone)
            ),
            *_of_translators(translators),
        ),
        figure=_figure(np.mean([reader["lecture"] for reader in readers], axis=0)),
        seeds=seeds,
        data={f"sentences of seed {seeds[0]}": _hash(n, seeds[0])},
        note=f"{n:,} sentences made from lists of words, and an encoder that is asked at the word it, so built that "
        "its answer must pass through attention from there. Counted is the attention of both heads together: from some "
        "initial weights they share the work, one for who acts and one for what is acted on. A translator is right as "
        "often without looking from the word: its attention, measured by --full, decides nothing.",
    )


def _reader(n: int, seed: int) -> dict[str, Any]:
    """Return what a reader does, and the attention from "it" to both nouns in the lecture's sentences."""
    train, test = make_pronoun_sentences(n, random_state=seed)
    reader, held_out = fit_reader(train, seed), [*LECTURE, *test[::10]]
    finds = _finds(reader, held_out)
    turns = finds & _finds(reader, [counterpart(sentence) for sentence in held_out])
    shares = {
        "finds": float(finds.mean()),
        "turns": float(turns.mean()),
        "lecture": _attention(reader, LECTURE).tolist(),
    }
    return measure_reader(reader, train, test)._asdict() | shares


def _attention(reader: ModuleClassifier, sentences: Sequence[PronounSentence]) -> np.ndarray:
    """Return the last layer's attention from "it" to both nouns, mean of its heads: (sentences, nouns)."""
    return reader_attention(reader, sentences)[:, -1].mean(1).astype(float)


def _finds(reader: ModuleClassifier, sentences: Sequence[PronounSentence]) -> np.ndarray:
    """Return for each sentence whether the noun meant has more attention than the other."""
    meant = [int(sentence.place_meant != ACTOR) for sentence in sentences]
    return _attention(reader, sentences).argmax(1) == meant


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


def _hash(n: int, seed: int) -> str:
    parts = make_pronoun_sentences(n, random_state=seed)
    return hash_of(text for part in parts for sentence in part for text in (sentence.source, sentence.target))


def _figure(lecture: np.ndarray) -> str:
    """Draw the attention (sentences, nouns)."""
    figure, (ax,) = panels(width=5)
    places = np.arange(len(LECTURE))
    for i, noun in enumerate((LECTURE[0].actor, LECTURE[0].place)):
        ax.bar(places + 0.2 * (2 * i - 1), lecture[:, i], 0.36, color=THEME.color(i), label=noun)
    ax.set_xticks(places, [f"it was too {sentence.adjective}" for sentence in LECTURE])
    ax.set_ylim(0, 1.05)
    finish(ax, 'Attention from "it"', "", "weight")
    return svg(figure)
