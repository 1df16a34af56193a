"""Text to numbers and back: byte-pair encoding, or one number per character.

R. Sennrich, B. Haddow, A. Birch, "Neural Machine Translation of Rare Words with Subword
Units", ACL 2016, brought byte-pair encoding to translation: the most frequent pair of
neighbouring tokens becomes a token of its own, again and again. It starts from the 256
bytes here (GPT-2's variant), so that any text can be written: what the vocabulary does not
know is spelled in smaller pieces, in the end in single bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from glassnet.errors import CorruptFileError, InvalidInputError, MissingDependencyError

# the first tokens of a byte-pair vocabulary: they stand for no text
PADDING, BEGIN, END = 0, 1, 2
SPECIAL = ("<padding>", "<begin>", "<end>")


class Vocabulary(Protocol):
    """What a model of text needs of its vocabulary."""

    def __len__(self) -> int: ...
    def encode(self, text: str) -> list[int]: ...
    def decode(self, ids: Iterable[int]) -> str: ...
    def tokens(self, ids: Iterable[int]) -> list[str]: ...
    def to_json(self) -> str: ...


class BytePairVocabulary:
    """Byte-pair encoding by the `tokenizers` library; no text is outside it.

    Tokens 0, 1, 2 are padding, begin and end; they are never read out of a text.

    Examples
    --------
    >>> vocabulary = BytePairVocabulary.fit(["low lower lowest"] * 3, size=264)
    >>> vocabulary.tokens(vocabulary.encode("lower"))
    ['low', 'e', 'r']
    >>> vocabulary.decode(vocabulary.encode("Überall"))
    'Überall'
    """

    def __init__(self, tokenizer: Any):
        tokenizer.encode_special_tokens = True  # "<end>" in a text is five characters, not the end
        self._tokenizer = tokenizer

    @classmethod
    def fit(cls, texts: Iterable[str], size: int = 8000) -> BytePairVocabulary:
        """Learn the tokens of some texts.

        Parameters
        ----------
        texts : iterable of str
        size : int >= 259, default=8000
            Largest number of tokens, the special ones and the 256 bytes included.

        Raises
        ------
        InvalidInputError
            If the size does not hold the bytes.
        MissingDependencyError
            If `tokenizers` is not installed.
        """
        least = len(SPECIAL) + 256
        if size < least:
            raise InvalidInputError(f"got a vocabulary of size {size}; allowed: at least {least}, to hold every byte")
        library = _tokenizers()
        tokenizer = library.Tokenizer(library.models.BPE())
        tokenizer.pre_tokenizer = library.pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = library.decoders.ByteLevel()
        trainer = library.trainers.BpeTrainer(
            vocab_size=size,
            special_tokens=list(SPECIAL),
            initial_alphabet=sorted(library.pre_tokenizers.ByteLevel.alphabet()),
            show_progress=False,
        )
        tokenizer.train_from_iterator((_valid(text) for text in texts), trainer)
        return cls(tokenizer)

    def __len__(self) -> int:
        return self._tokenizer.get_vocab_size()

    def encode(self, text: str) -> list[int]:
        """Return the tokens of a text, without begin and end."""
        return self._tokenizer.encode(_valid(text)).ids

    def encode_all(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the tokens of each text."""
        return [encoding.ids for encoding in self._tokenizer.encode_batch([_valid(text) for text in texts])]

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of some tokens; special ones are left out, broken bytes become U+FFFD."""
        return self._tokenizer.decode(_inside(ids, len(self)), skip_special_tokens=True)

    def tokens(self, ids: Iterable[int]) -> list[str]:
        """Return each token's text by itself, the special ones by their names."""
        return [SPECIAL[i] if i < len(SPECIAL) else self._tokenizer.decode([i]) for i in _inside(ids, len(self))]

    def to_json(self) -> str:
        """Return all there is to it, for :func:`vocabulary_from_json`."""
        return json.dumps({"kind": "byte-pairs", "tokenizer": json.loads(self._tokenizer.to_str())})


class CharacterVocabulary:
    """One token per character, in the order of their code points.

    Parameters
    ----------
    characters : str
        All characters it knows; doubles count once.

    Examples
    --------
    >>> vocabulary = CharacterVocabulary("to be or not")
    >>> vocabulary.encode("robot")
    [5, 4, 1, 4, 6]
    >>> vocabulary.decode([5, 4, 1, 4, 6])
    'robot'
    """

    def __init__(self, characters: str):
        self.characters = "".join(sorted(set(characters)))
        self._index = {character: i for i, character in enumerate(self.characters)}

    def __len__(self) -> int:
        return len(self.characters)

    def encode(self, text: str) -> list[int]:
        """Return the number of each character.

        Raises
        ------
        InvalidInputError
            If the vocabulary does not know one of them.
        """
        try:
            return [self._index[character] for character in text]
        except KeyError:
            place, unknown = next((i, c) for i, c in enumerate(text) if c not in self._index)
        raise InvalidInputError(
            f"character {unknown!r} (place {place}) is outside the vocabulary; allowed: {self.characters!r}"
        )

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of some tokens."""
        return "".join(self.tokens(ids))

    def tokens(self, ids: Iterable[int]) -> list[str]:
        """Return each token's character."""
        return [self.characters[i] for i in _inside(ids, len(self))]

    def to_json(self) -> str:
        """Return all there is to it, for :func:`vocabulary_from_json`."""
        return json.dumps({"kind": "characters", "characters": self.characters})


def vocabulary_from_json(text: str) -> BytePairVocabulary | CharacterVocabulary:
    """Return the vocabulary that ``to_json`` wrote.

    Raises
    ------
    CorruptFileError
        If the text is no vocabulary.

    Examples
    --------
    >>> vocabulary_from_json(CharacterVocabulary("abc").to_json()).characters
    'abc'
    """
    try:
        record = json.loads(text)
        if record["kind"] == "characters":
            return CharacterVocabulary(record["characters"])
        if record["kind"] == "byte-pairs":
            return BytePairVocabulary(_tokenizers().Tokenizer.from_str(json.dumps(record["tokenizer"])))
    except MissingDependencyError:
        raise
    except Exception as error:  # what tokenizers raises is a bare Exception
        raise CorruptFileError(f"this is not a vocabulary: {error!r}") from error
    raise CorruptFileError(f"this is not a vocabulary: its kind is {record['kind']!r}; known: byte-pairs, characters")


def _tokenizers() -> Any:
    try:
        import tokenizers
        import tokenizers.decoders
        import tokenizers.models
        import tokenizers.pre_tokenizers
        import tokenizers.trainers
    except ImportError as error:
        raise MissingDependencyError(
            "byte-pair encoding needs tokenizers, which is not installed: pip install 'glassnet[text]'"
        ) from error
    return tokenizers


def _valid(text: str) -> str:
    """Return the text if it can be written in bytes."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidInputError(f"{error.object[error.start]!r} at place {error.start} is not a character") from error
    return text


def _inside(ids: Iterable[int], size: int) -> list[int]:
    ids = [int(i) for i in ids]
    for i in ids:
        if not 0 <= i < size:
            raise InvalidInputError(f"token {i} is outside the vocabulary; allowed: 0 to {size - 1}")
    return ids
