"""Sentences in which only the meaning tells what "it" is: English, and German, whose pronoun says so.

    The animal didn't cross the street because it was too tired.
    Das Tier überquerte die Straße nicht, weil es zu müde war.
    The animal didn't cross the street because it was too wide.
    Das Tier überquerte die Straße nicht, weil sie zu breit war.

After the two sentences of the Winograd kind with which J. Uszkoreit showed what the
Transformer attends to ("Transformer: A Novel Neural Network Architecture for Language
Understanding", 2017). One adjective fits who acts, the other what is acted on; German
"er", "sie" and "es" follow the gender of the noun meant. The sentences are made from lists
written for this package.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

from glassnet.errors import InvalidInputError
from glassnet.seeds import generator

PRONOUNS = ("er", "sie", "es")
_NOMINATIVE = {"er": "der", "sie": "die", "es": "das"}
_ACCUSATIVE = {"er": "den", "sie": "die", "es": "das"}

# English -> German and its pronoun; those who act
ACTORS = {
    "animal": ("Tier", "es"), "horse": ("Pferd", "es"), "sheep": ("Schaf", "es"), "pig": ("Schwein", "es"),
    "dog": ("Hund", "er"), "bear": ("Bär", "er"), "donkey": ("Esel", "er"), "fox": ("Fuchs", "er"),
    "cat": ("Katze", "sie"), "cow": ("Kuh", "sie"), "goat": ("Ziege", "sie"), "mouse": ("Maus", "sie"),
}  # fmt: skip
# what is acted on
PLACES = {
    "street": ("Straße", "sie"), "bridge": ("Brücke", "sie"), "wall": ("Mauer", "sie"), "meadow": ("Wiese", "sie"),
    "river": ("Fluss", "er"), "ditch": ("Graben", "er"), "path": ("Weg", "er"), "stream": ("Bach", "er"),
    "field": ("Feld", "es"), "valley": ("Tal", "es"), "swamp": ("Moor", "es"), "yard": ("Gelände", "es"),
}  # fmt: skip
VERBS = {
    "cross": "überquerte", "enter": "betrat", "leave": "verließ", "reach": "erreichte", "see": "sah",
    "visit": "besuchte", "avoid": "mied", "like": "mochte",
}  # fmt: skip
OF_ACTORS = {
    "tired": "müde", "weak": "schwach", "hungry": "hungrig", "lazy": "faul", "afraid": "ängstlich",
    "sick": "krank", "young": "jung", "shy": "scheu",
}  # fmt: skip
OF_PLACES = {
    "wide": "breit", "narrow": "schmal", "steep": "steil", "wet": "nass", "long": "lang",
    "flat": "flach", "dark": "dunkel", "muddy": "schlammig",
}  # fmt: skip
ADJECTIVES = OF_ACTORS | OF_PLACES
# every English word
WORDS = ("The", "the", "didn't", "because", "it", "was", "too", *ACTORS, *PLACES, *VERBS, *ADJECTIVES)
# words of the English sentence, at which place they stand
ACTOR, PLACE, IT, ADJECTIVE = 1, 5, 7, 10


@dataclass(frozen=True)
class PronounSentence:
    """One sentence and what it is about.

    Parameters
    ----------
    actor, verb, place, adjective : str
        English words of the lists above.

    Examples
    --------
    >>> sentence = PronounSentence("animal", "cross", "street", "wide")
    >>> sentence.target, sentence.meant, sentence.pronoun
    ('Das Tier überquerte die Straße nicht, weil sie zu breit war.', 'street', 'sie')
    >>> sentence.words[ACTOR], sentence.words[PLACE], sentence.words[IT], sentence.words[ADJECTIVE]
    ('animal', 'street', 'it', 'wide')
    """

    actor: str
    verb: str
    place: str
    adjective: str

    @property
    def words(self) -> list[str]:
        """The English sentence, word by word."""
        return f"The {self.actor} didn't {self.verb} the {self.place} because it was too {self.adjective}".split()

    @property
    def source(self) -> str:
        """The English sentence."""
        return " ".join(self.words) + "."

    @property
    def target(self) -> str:
        """The German sentence."""
        (actor, he), (place, she) = ACTORS[self.actor], PLACES[self.place]
        return (
            f"{_NOMINATIVE[he].capitalize()} {actor} {VERBS[self.verb]} {_ACCUSATIVE[she]} {place} nicht, "
            f"weil {self.pronoun} zu {ADJECTIVES[self.adjective]} war."
        )

    @property
    def meant(self) -> str:
        """The noun that "it" stands for."""
        return self.actor if self.adjective in OF_ACTORS else self.place

    @property
    def pronoun(self) -> str:
        """The German word for "it"."""
        return (ACTORS | PLACES)[self.meant][1]

    @property
    def place_meant(self) -> int:
        """Where the noun that "it" stands for is in ``words``."""
        return ACTOR if self.adjective in OF_ACTORS else PLACE

    @property
    def place_other(self) -> int:
        """Where the other noun is in ``words``."""
        return ACTOR + PLACE - self.place_meant


def make_pronoun_sentences(
    n_train: int = 4000, held_out: float = 0.25, random_state: int = 0
) -> tuple[list[PronounSentence], list[PronounSentence]]:
    """Return sentences to learn from, and sentences whose two nouns were never together in those.

    Parameters
    ----------
    n_train : int
        So many are drawn of all that may be learned from.
    held_out : float
        Share in (0, 1) of the 144 pairs of nouns that are held out; "animal" and "street" are among them.
    random_state : int

    Returns
    -------
    train, test : list of PronounSentence
        The test has every sentence of the pairs held out.

    Raises
    ------
    InvalidInputError
        If nothing is held out, or so many sentences are not there.

    Examples
    --------
    >>> train, test = make_pronoun_sentences(100)
    >>> len(train), len(test), PronounSentence("animal", "cross", "street", "tired") in test
    (100, 4608, True)
    """
    pairs = [pair for pair in product(ACTORS, PLACES) if pair != ("animal", "street")]
    order = generator(random_state, "pairs of nouns").permutation(len(pairs))
    n_held = round(held_out * (len(pairs) + 1))
    kept = [pairs[i] for i in order[n_held - 1 :]] if n_held else []
    every = [PronounSentence(a, v, p, adjective) for (a, p), v, adjective in product(kept, VERBS, ADJECTIVES)]
    if not 0 < n_train <= len(every):
        raise InvalidInputError(
            f"got n_train={n_train}, held_out={held_out}; allowed: 1 to {len(every)}, above 0 and below 1"
        )
    train = [every[i] for i in generator(random_state, "sentences").permutation(len(every))[:n_train]]
    apart = [("animal", "street"), *(pairs[i] for i in order[: n_held - 1])]
    return train, [PronounSentence(a, v, p, adjective) for (a, p), v, adjective in product(apart, VERBS, ADJECTIVES)]
