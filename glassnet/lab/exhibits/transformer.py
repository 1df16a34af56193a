"""The Transformer: who looks at whom (2017).

Three rooms. Translate: a sentence is typed, translated, and every head of every layer shows
where it looks. "It": the animal that was too tired, the street that was too wide, read by a
network in which the answer must pass through attention. Write: a small language model goes on
with a text, character by character. All three networks come trained.

References
----------
A. Vaswani et al. (2017). Attention is all you need. NIPS 30.
A. Radford et al. (2019). Language models are unsupervised multitask learners.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from glassnet.data.pronouns import ACTORS, ADJECTIVES, PLACES, VERBS
from glassnet.lab.exhibit import Exhibit, Frame, Settings

if TYPE_CHECKING:
    from glassnet.lab.exhibits.transformer_rooms import Room
    from glassnet.lab.recording import Course

MOST_WRITTEN = 1000  # characters
MOST_LAYERS, MOST_HEADS = 6, 8  # that a link may name; a network with fewer shows its last
MOST_TOKENS = 160
PARTS = {"translation": "cross", "source": "encoder", "target": "decoder"}  # of `TranslationAttention`


class TransformerSettings(Settings):
    """What a visitor can change."""

    mode: Literal["translate", "pronouns", "write"] = "translate"
    # translate
    sentence: str = Field("A man is riding a bike.", min_length=1, max_length=120, pattern=r"\S")
    beam_size: int = Field(4, ge=1, le=8)
    part: Literal["translation", "source", "target"] = "translation"
    layer: int = Field(3, ge=1, le=MOST_LAYERS)
    head: int = Field(0, ge=0, le=MOST_HEADS)  # 0: the mean of all
    word: int = Field(0, ge=0, le=MOST_TOKENS)  # that looks, counted from 1; 0: all of them
    # pronouns
    actor: Literal[tuple(ACTORS)] = "animal"  # type: ignore[valid-type]
    verb: Literal[tuple(VERBS)] = "cross"  # type: ignore[valid-type]
    place: Literal[tuple(PLACES)] = "street"  # type: ignore[valid-type]
    adjective: Literal[tuple(ADJECTIVES)] = "tired"  # type: ignore[valid-type]
    it_layer: int = Field(2, ge=1, le=MOST_LAYERS)
    it_head: int = Field(1, ge=0, le=MOST_HEADS)
    it_word: int = Field(8, ge=0, le=11)
    # write
    prompt: str = Field("ROMEO:", min_length=1, max_length=100)
    temperature: float = Field(0.8, ge=0, le=2)
    top_k: int = Field(0, ge=0, le=65)  # 0: any character
    seed: int = Field(0, ge=0, le=2**31 - 1)
    text_layer: int = Field(4, ge=1, le=MOST_LAYERS)
    text_head: int = Field(0, ge=0, le=MOST_HEADS)


class TransformerExhibit(Exhibit):
    """A translator, a reader of "it", and a writer.

    Examples
    --------
    >>> exhibit = TransformerExhibit(TransformerSettings(mode="pronouns"))
    >>> [sentence["pronoun"] for sentence in exhibit.frame().values["sentences"]]
    ['es', 'sie']
    """

    Settings = TransformerSettings
    views = frozenset(
        {"part", "layer", "head", "word", "it_layer", "it_head", "it_word", "text_layer", "text_head"}
        | {"actor", "verb", "place", "adjective"}
    )
    export = "replay"

    settings: TransformerSettings
    history: Course | None

    def __init__(self, settings: TransformerSettings):
        from glassnet.lab.exhibits.transformer_rooms import ROOMS

        super().__init__(settings)
        self.room: Room = ROOMS[settings.mode](settings)
        self.history = self.room.history

    def frame(self) -> Frame:
        """Return what the room shows."""
        return self.room.frame(self.settings)

    def python(self) -> str:
        """Return the room's numbers as a script."""
        return self.room.python(self.settings)
