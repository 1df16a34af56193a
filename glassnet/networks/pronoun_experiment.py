"""The experiment with "it": who is right about the pronoun, and does the attention from "it" show why?

Two networks learn from the same sentences (`glassnet.data.pronouns`) and are asked about
pairs of nouns that they have never seen together: a translator, whose German pronoun is
read from its translation, and a reader that is asked at "it" alone
(`glassnet.networks.pronoun_reader`). For each, one encoder layer and head is chosen on the
training sentences: the one in which "it" attends most often more to the noun meant than to
the other. Reported is that head on the held-out sentences.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from glassnet.data.pronouns import (
    ACTOR,
    IT,
    OF_ACTORS,
    OF_PLACES,
    PLACE,
    PRONOUNS,
    PronounSentence,
    make_pronoun_sentences,
)
from glassnet.estimators.module import ModuleClassifier
from glassnet.estimators.translator import Translator
from glassnet.inspect.token_attention import TokenAttention
from glassnet.networks.pronoun_reader import pronouns, word_numbers
from glassnet.seeds import generator

# so many held-out sentences are translated
N_TRANSLATED = 400
COUNTERPART = dict(zip((*OF_ACTORS, *OF_PLACES), (*OF_PLACES, *OF_ACTORS), strict=True))
LECTURE = tuple(PronounSentence("animal", "cross", "street", adjective) for adjective in ("tired", "wide"))


class PronounResult(NamedTuple):
    """What one network did.

    Parameters
    ----------
    accuracy : float
        Share of the held-out sentences with the right pronoun.
    layer, head : int
        Chosen on the training sentences.
    train_share : float
        There, the share of them in which "it" attends more to the noun meant.
    share : float
        The same of the held-out sentences; chance is 0.5.
    swap_share : float
        Share of the held-out sentences in which the adjective's counterpart turns the attention to the
        other noun.
    """

    accuracy: float
    layer: int
    head: int
    train_share: float
    share: float
    swap_share: float


def fit_reader(train: Sequence[PronounSentence], random_state: int = 0, **options: Any) -> ModuleClassifier:
    """Return a `PronounReader` that has learned these sentences."""
    given: dict[str, Any] = {"batch_size": 100, "learning_rate": "one-cycle", "learning_rate_init": 3e-3}
    given |= {"max_iter": 15, "tol": None}
    reader = ModuleClassifier("pronoun-reader", random_state=random_state, **(given | options))
    return reader.fit(word_numbers(train), pronouns(train))


def fit_translator(train: Sequence[PronounSentence], random_state: int = 0, **options: Any) -> Translator:
    """Return a small `Translator` that has learned these sentences."""
    given: dict[str, Any] = {"d_model": 64, "d_ff": 128, "n_heads": 2, "n_layers": 2, "average_last": 1, "max_iter": 15}
    given |= {"learning_rate": "one-cycle", "learning_rate_init": 3e-3, "max_tokens": 2000, "dropout": 0.1}
    translator = Translator(1000, random_state=random_state, **(given | options))
    return translator.fit([sentence.source for sentence in train], [sentence.target for sentence in train])


def measure_reader(reader: ModuleClassifier, train: Sequence, test: Sequence) -> PronounResult:
    """Return what the reader does."""
    right = reader.predict(word_numbers(test)) == pronouns(test)
    return _result(right, lambda sentences: reader_attention(reader, sentences), train, test)


def measure_translator(translator: Translator, train: Sequence, test: Sequence, random_state: int = 0) -> PronounResult:
    """Return what the translator does; of the held-out sentences a part is translated."""
    rows = generator(random_state, "translated").permutation(len(test))[:N_TRANSLATED]
    written = translator.translate([test[i].source for i in rows], beam_size=1)
    right = np.array([pronoun_of(text) == test[i].pronoun for i, text in zip(rows, written, strict=True)])
    return _result(right, lambda sentences: translator_attention(translator, sentences), train, test)


def pronoun_of(translation: str) -> str | None:
    """Return the pronoun after "weil"; None if there is none.

    Examples
    --------
    >>> pronoun_of("Das Tier überquerte die Straße nicht, weil sie zu breit war.")
    'sie'
    """
    after = translation.partition(" weil ")[2].partition(" ")[0]
    return after if after in PRONOUNS else None


@torch.no_grad()
def reader_attention(reader: ModuleClassifier, sentences: Sequence[PronounSentence]) -> np.ndarray:
    """Return the attention from "it" to both nouns: (n_sentences, layers, heads, 2), first the one who acts."""
    weights: list[Tensor] = []
    reader.module_.eval()(torch.from_numpy(word_numbers(sentences)), weights)
    return torch.stack([layer[:, :, IT] for layer in weights], dim=1)[..., [ACTOR, PLACE]].numpy()


def translator_attention(translator: Translator, sentences: Sequence[PronounSentence]) -> np.ndarray:
    """Return the same of a translator's encoder, which may have cut words into pieces: their attention is added."""
    found = []
    for sentence in sentences:
        attention = translator.attention(sentence.source, sentence.target).encoder
        words = np.cumsum([token.startswith(" ") for token in attention.keys])  # of which word each token is a piece
        it = int(np.flatnonzero(words == IT)[0])
        found.append([attention.weights[:, :, it, words == place].sum(-1) for place in (ACTOR, PLACE)])
    return np.moveaxis(np.array(found), 1, -1)


def reader_picture(reader: ModuleClassifier, sentence: PronounSentence) -> TokenAttention:
    """Return the attention of all layers and heads of the reader in one sentence."""
    weights: list[Tensor] = []
    with torch.no_grad():
        reader.module_.eval()(torch.from_numpy(word_numbers([sentence])), weights)
    return TokenAttention(sentence.words, sentence.words, torch.cat(weights).numpy())


def counterpart(sentence: PronounSentence) -> PronounSentence:
    """Return the sentence with an adjective that means the other noun.

    Examples
    --------
    >>> counterpart(PronounSentence("animal", "cross", "street", "tired")).adjective
    'wide'
    """
    return PronounSentence(sentence.actor, sentence.verb, sentence.place, COUNTERPART[sentence.adjective])


def _result(right: np.ndarray, attend: Any, train: Sequence, test: Sequence) -> PronounResult:
    """Choose the head on some training sentences, and measure it on the held-out ones."""
    train, test = train[:N_TRANSLATED], _spread(test)
    on_train = _looks_right(attend(train), train)
    layer, head = np.unravel_index(on_train.mean(axis=0).argmax(), on_train.shape[1:])
    looks = _looks_right(attend(test), test)[:, layer, head]
    turned = [counterpart(sentence) for sentence in test]
    swaps = looks & _looks_right(attend(turned), turned)[:, layer, head]
    train_share = round(float(on_train[:, layer, head].mean()), 4)
    shares = round(float(looks.mean()), 4), round(float(swaps.mean()), 4)
    return PronounResult(round(float(right.mean()), 4), int(layer), int(head), train_share, *shares)


def _spread(test: Sequence) -> list:
    """Return every so many-th of the held-out sentences, the two of the lecture among them."""
    step = max(1, len(test) // (2 * N_TRANSLATED))
    return [*LECTURE, *test[::step]]


def _looks_right(attention: np.ndarray, sentences: Sequence[PronounSentence]) -> np.ndarray:
    """Return whether "it" attends more to the noun meant: (n_sentences, layers, heads)."""
    acts = np.array([sentence.place_meant == ACTOR for sentence in sentences])
    more = attention[..., 0] > attention[..., 1]
    return more == acts[:, None, None]


def run_experiment(n_train: int = 4000, random_state: int = 0) -> tuple[dict[str, Any], ModuleClassifier]:
    """Train both networks and measure them.

    Parameters
    ----------
    n_train : int
        Sentences to learn from.
    random_state : int

    Returns
    -------
    results : dict
        Network -> the fields of its `PronounResult`; and the numbers of sentences.
    reader : ModuleClassifier
        The fitted reader, for its picture.
    """
    train, test = make_pronoun_sentences(n_train, random_state=random_state)
    translator, reader = fit_translator(train, random_state), fit_reader(train, random_state)
    results: dict[str, Any] = {"n_train": len(train), "n_held_out": len(test)}
    results["translator"] = measure_translator(translator, train, test, random_state)._asdict()
    results["reader"] = measure_reader(reader, train, test)._asdict()
    return results, reader
