"""The pictures of networks that read and write."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from glassnet.data.pronouns import PronounSentence, make_pronoun_sentences
from glassnet.estimators.translator import Translator
from glassnet.plots.display import Display
from glassnet.plots.gallery_nets import picture

TIRED = PronounSentence("dog", "cross", "river", "tired")


@cache
def translator() -> Any:
    """Return a small translator of sentences with "it"."""
    train, _ = make_pronoun_sentences(600)
    options: dict[str, Any] = {"d_ff": 128, "n_layers": 2, "dropout": 0.0, "max_tokens": 1000, "max_iter": 15}
    net = Translator(
        1000, d_model=64, learning_rate="one-cycle", learning_rate_init=4e-3, random_state=0, average_last=1, **options
    )
    return net.fit([sentence.source for sentence in train], [sentence.target for sentence in train])


def attention(part: str, style: str) -> Display:
    """Draw what the translator looks at."""
    return picture("attention").from_translator(translator(), TIRED.source, TIRED.target, part, style=style)


PICTURES: dict[str, Callable[[], Display]] = {
    "attention-matrix": lambda: attention("cross", "matrix"),
    "attention-lines": lambda: attention("encoder", "lines"),
}
