from __future__ import annotations

import json
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glassnet.data.vocabulary import (
    BEGIN,
    END,
    PADDING,
    SPECIAL,
    BytePairVocabulary,
    CharacterVocabulary,
    vocabulary_from_json,
)
from glassnet.errors import CorruptFileError, InvalidInputError, MissingDependencyError

TEXTS = ["A man is riding a bike.", "Ein Mann fährt Fahrrad.", "Zwei Männer fahren Rad."] * 3
VOCABULARY = BytePairVocabulary.fit(TEXTS, size=300)


@settings(max_examples=200, deadline=None)
@given(st.text() | st.sampled_from([*SPECIAL, "\x00\n ", " <end> ", "\U0001d518", "日本語"]))
def test_any_text_comes_back_whole(text):
    ids = VOCABULARY.encode(text)
    assert VOCABULARY.decode(ids) == text
    assert all(len(SPECIAL) <= i < len(VOCABULARY) for i in ids)  # text never becomes a special token


@settings(max_examples=50, deadline=None)
@given(st.text(alphabet="Adefhikmnrz .\n"))
def test_tokens_join_to_the_text_and_survive_json(text):
    assert "".join(VOCABULARY.tokens(VOCABULARY.encode(text))) == text
    assert vocabulary_from_json(VOCABULARY.to_json()).encode(text) == VOCABULARY.encode(text)


def test_first_merge_is_the_most_frequent_pair():
    vocabulary = BytePairVocabulary.fit(["ababab cab"], size=len(SPECIAL) + 257)
    assert vocabulary.tokens([len(vocabulary) - 1]) == ["ab"]
    assert vocabulary.tokens(vocabulary.encode("cab")) == ["c", "ab"]


def test_frequent_words_are_one_token():
    assert VOCABULARY.tokens(VOCABULARY.encode("Ein Mann")) == ["Ein", " Mann"]
    assert len(VOCABULARY) <= 300


def test_fit_is_reproducible():
    assert BytePairVocabulary.fit(TEXTS, size=300).to_json() == VOCABULARY.to_json()


def test_special_tokens():
    assert VOCABULARY.tokens([PADDING, BEGIN, END]) == list(SPECIAL)
    ids = VOCABULARY.encode("Mann")
    assert VOCABULARY.decode([BEGIN, *ids, END, PADDING]) == "Mann"
    restored = vocabulary_from_json(VOCABULARY.to_json())
    assert restored.decode(restored.encode("<end>")) == "<end>"


def test_broken_bytes_are_shown_not_fatal():
    first_byte_of_two = VOCABULARY.encode("Ф")[:1]
    assert VOCABULARY.decode(first_byte_of_two) == "\ufffd"


def test_encode_all_equals_encode():
    assert VOCABULARY.encode_all(TEXTS) == [VOCABULARY.encode(text) for text in TEXTS]


def test_characters():
    vocabulary = CharacterVocabulary("hello world")
    assert len(vocabulary) == 8
    assert vocabulary.decode(vocabulary.encode("low hole")) == "low hole"
    assert vocabulary_from_json(vocabulary.to_json()).characters == vocabulary.characters
    with pytest.raises(InvalidInputError, match=r"character 'x' \(place 2\) is outside the vocabulary"):
        vocabulary.encode("wox")


@pytest.mark.parametrize("vocabulary", [VOCABULARY, CharacterVocabulary("abc")])
def test_token_outside_the_vocabulary(vocabulary):
    for token in (-1, len(vocabulary)):
        with pytest.raises(InvalidInputError, match=f"token {token} is outside the vocabulary"):
            vocabulary.decode([token])


def test_half_a_surrogate_pair_is_no_text():
    with pytest.raises(InvalidInputError, match="at place 1 is not a character"):
        VOCABULARY.encode("a\ud800")


def test_size_must_hold_the_bytes():
    with pytest.raises(InvalidInputError, match="size 258; allowed: at least 259"):
        BytePairVocabulary.fit(TEXTS, size=258)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"kind": "runes"}', '{"kind": "byte-pairs", "tokenizer": {"a": 1}}'])
def test_what_is_no_vocabulary_is_refused(text):
    with pytest.raises(CorruptFileError, match="not a vocabulary"):
        vocabulary_from_json(text)


def test_missing_library_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'glassnet\[text\]'"):
        BytePairVocabulary.fit(TEXTS)
    with pytest.raises(MissingDependencyError):
        vocabulary_from_json(json.dumps({"kind": "byte-pairs", "tokenizer": {}}))
