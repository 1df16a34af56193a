"""The Transformer's three rooms: translating, what "it" refers to, writing."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.lab.exhibit import Frame
from glassnet.lab.exhibits import transformer as settings_of
from glassnet.lab.exhibits import transformer_scripts as scripts
from glassnet.lab.recording import Course
from glassnet.training.trained import WEIGHTS_FOLDER, load_trained

if TYPE_CHECKING:
    from collections.abc import Sequence

    from glassnet.estimators.language_model import LanguageModel, WrittenToken
    from glassnet.inspect.token_attention import TokenAttention
    from glassnet.lab.exhibits.transformer import TransformerSettings

N_ALTERNATIVES = 5
N_BARS = 12  # characters that could come next

# loaded once, for all visitors: nobody changes them
trained = lru_cache(maxsize=None)(load_trained)


class Room(ABC):
    """What one room shows."""

    history: Course | None = None

    @abstractmethod
    def frame(self, settings: TransformerSettings) -> Frame:
        """Return what is to be drawn."""

    @abstractmethod
    def python(self, settings: TransformerSettings) -> str:
        """Return the script."""


def chosen(attention: TokenAttention, layer: int, head: int) -> tuple[int, int | None]:
    """Return layer and head as `TokenAttention.head` takes them, the last where there are not so many."""
    return min(layer, attention.n_layers) - 1, min(head, attention.n_heads) - 1 if head else None


def heads(weights: np.ndarray) -> np.ndarray:
    """Return weights in [0, 1] for the colour map: uint8, 128 being 0."""
    return (128 + weights * 127).round().astype(np.uint8)


class Translate(Room):
    """A sentence and its translation, with the attention that made it."""

    def __init__(self, settings: TransformerSettings):
        translator: Any = trained("translator-multi30k")
        self.translation = translator.translate([settings.sentence], settings.beam_size)[0]
        self.attention = translator.attention(settings.sentence, self.translation)
        self.alternatives = translator.alternatives(settings.sentence, self.translation, N_ALTERNATIVES)

    def frame(self, settings: TransformerSettings) -> Frame:
        """Return the translation, one part's attention, and what else could stand at each place."""
        seen: TokenAttention = self._seen(settings)
        layer, head = chosen(seen, settings.layer, settings.head)
        written = [*self.attention.decoder.queries[1:], "<end>"]
        word = min(settings.word, len(seen.queries))
        return Frame(
            {
                "translation": self.translation,
                "queries": written if settings.part == "translation" else seen.queries,
                "keys": seen.keys,
                "written": written,
                "layers": seen.n_layers,
                "heads": seen.n_heads,
                "layer": layer + 1,
                "head": 0 if head is None else head + 1,
                "word": word,
                "alternatives": [[[token, round(p, 6)] for token, p in place] for place in self.alternatives],
            },
            {"weights": seen.head(layer, head).astype(np.float32), "heads": heads(seen.weights)},
        )

    def python(self, settings: TransformerSettings) -> str:
        """Return the translation and the attention looked at as a script."""
        seen = self._seen(settings)
        layer, head = chosen(seen, settings.layer, settings.head)
        return scripts.translation(settings, layer, head, min(settings.word, len(seen.queries)))

    def _seen(self, settings: TransformerSettings) -> TokenAttention:
        return getattr(self.attention, settings_of.PARTS[settings.part])


class Pronouns(Room):
    """Two sentences that differ in an adjective, and where a reader looks from "it"."""

    def __init__(self, settings: TransformerSettings):
        self.reader: Any = trained("pronouns")

    def frame(self, settings: TransformerSettings) -> Frame:
        """Return both sentences with the reader's answers, and its attention in each."""
        from glassnet.networks.pronoun_experiment import reader_picture
        from glassnet.networks.pronoun_reader import word_numbers

        pair = self._sentences(settings)
        seen = [reader_picture(self.reader, sentence) for sentence in pair]
        layer, head = chosen(seen[0], settings.it_layer, settings.it_head)
        probabilities = self.reader.predict_proba(word_numbers(pair))
        classes = self.reader.classes_.tolist()
        said = [
            {
                "words": sentence.words,
                "german": sentence.target,
                "meant": sentence.meant,
                "right": sentence.pronoun,
                "pronoun": classes[int(p.argmax())],
                "probabilities": {name: round(float(value), 6) for name, value in zip(classes, p, strict=True)},
            }
            for sentence, p in zip(pair, probabilities, strict=True)
        ]
        return Frame(
            {
                "sentences": said,
                "isLearned": (settings.actor, settings.place) in learned_pairs(),
                "layers": seen[0].n_layers,
                "heads": seen[0].n_heads,
                "layer": layer + 1,
                "head": 0 if head is None else head + 1,
                "word": settings.it_word,
            },
            {
                "weights": np.stack([picture.head(layer, head) for picture in seen]).astype(np.float32),
                "heads": np.stack([heads(picture.weights) for picture in seen]),
            },
        )

    @staticmethod
    def _sentences(settings: TransformerSettings) -> Sequence[Any]:
        from glassnet.data.pronouns import PronounSentence
        from glassnet.networks.pronoun_experiment import counterpart

        first = PronounSentence(settings.actor, settings.verb, settings.place, settings.adjective)
        return [first, counterpart(first)]

    def python(self, settings: TransformerSettings) -> str:
        """Return the answers and the attention from "it" as a script."""
        from glassnet.networks.pronoun_experiment import reader_picture

        first, second = self._sentences(settings)
        layer, head = chosen(reader_picture(self.reader, first), settings.it_layer, settings.it_head)
        return scripts.pronouns(settings, second.adjective, layer, head)


@lru_cache(maxsize=1)
def learned_pairs() -> frozenset[tuple[str, str]]:
    """Return the pairs of nouns that the reader has learned from."""
    from glassnet.data.pronouns import make_pronoun_sentences
    from glassnet.training.run_folder import read_config

    about = read_config(WEIGHTS_FOLDER / "pronouns")["metadata"]
    train, _ = make_pronoun_sentences(about["n_train"], random_state=about["seed"])
    return frozenset((sentence.actor, sentence.place) for sentence in train)


class Pen(Course):
    """Writes: a step is a token, which is drawn when the step is made for the first time."""

    def __init__(self, model: LanguageModel, settings: TransformerSettings):
        super().__init__(settings_of.MOST_WRITTEN)
        how = {"temperature": settings.temperature, "top_k": settings.top_k or None, "random_state": settings.seed}
        self._tokens = model.write(settings.prompt, **how)  # type: ignore[arg-type]
        self._written: list[WrittenToken] = []

    def advance(self, n: int) -> None:
        """Write ``n`` more tokens."""
        super().advance(n)
        self.token(self.step)

    def token(self, i: int) -> WrittenToken:
        """Return the token that step ``i + 1`` writes."""
        while len(self._written) <= i:
            self._written.append(next(self._tokens))
        return self._written[i]

    @property
    def text(self) -> str:
        """What was written up to the step that is shown."""
        return "".join(token.text for token in self._written[: self.step])


class Write(Room):
    """A text that grows by a character each step."""

    history: Pen

    def __init__(self, settings: TransformerSettings):
        self.model: Any = trained("gpt-shakespeare")
        self.history = Pen(self.model, settings)

    def frame(self, settings: TransformerSettings) -> Frame:
        """Return the text, what could come next, and where the network looks for it."""
        upcoming = self.history.token(self.history.step)
        text = settings.prompt + self.history.text
        seen = self.model.attention(text[-upcoming.n_read :])
        layer, head = chosen(seen, settings.text_layer, settings.text_head)
        bars = list(zip(upcoming.candidates, upcoming.probabilities.tolist(), strict=True))[:N_BARS]
        return Frame(
            {
                "text": text,
                "nPrompt": len(settings.prompt),
                "next": [[token, round(p, 6)] for token, p in bars],
                "drawn": upcoming.text,
                "nCandidates": len(upcoming.candidates),
                "layers": seen.n_layers,
                "heads": seen.n_heads,
                "layer": layer + 1,
                "head": 0 if head is None else head + 1,
            },
            {"weights": seen.head(layer, head)[-1].astype(np.float32)},
        )

    def python(self, settings: TransformerSettings) -> str:
        """Return the text and what could come next as a script."""
        return scripts.writing(settings, self.history.step)


ROOMS: dict[str, type[Any]] = {"translate": Translate, "pronouns": Pronouns, "write": Write}
