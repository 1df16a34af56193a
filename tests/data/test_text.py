from __future__ import annotations

import gzip
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glassnet.data.text import (
    check_sentences,
    load_multi30k,
    load_shakespeare,
    pad,
    read_pairs,
    read_text,
    token_batches,
)
from glassnet.errors import CorruptFileError, DataNotFoundError, InvalidInputError, UnknownNameError


def written(path, content: bytes):
    path.write_bytes(content)
    return path


def test_pairs_from_plain_and_gzipped_files(tmp_path):
    source = written(tmp_path / "a.en", "one\ntwo, grün\r\nthree".encode())
    target = written(tmp_path / "a.de", gzip.compress("\ufeffeins\nzwei\ndrei\n".encode()))
    assert read_pairs(source, target) == (["one", "two, grün", "three"], ["eins", "zwei", "drei"])


def test_only_a_line_feed_ends_a_line(tmp_path):
    """str.splitlines would make five lines of these two, and shift every pair after them."""
    text = "one\u2028two\x85three\x0bfour\nfive\n"
    source = written(tmp_path / "a", text.encode())
    assert read_pairs(source, source)[0] == ["one\u2028two\x85three\x0bfour", "five"]


def test_unequal_line_counts_are_named(tmp_path):
    source, target = written(tmp_path / "a.en", b"1\n2\n3\n"), written(tmp_path / "a.de", b"1\n2")
    with pytest.raises(InvalidInputError, match=r"a\.en has 3 lines, .*a\.de has 2"):
        read_pairs(source, target)


def test_empty_sentences_are_named_by_line(tmp_path):
    full, holes = written(tmp_path / "a", b"x\n" * 9), written(tmp_path / "b", b"x\n\n \t\nx\n" + b"\n" * 5)
    with pytest.raises(InvalidInputError, match=r"b has empty sentences, in line 2, 3, 5, 6, 7 and 2 more$"):
        read_pairs(full, holes)
    with pytest.raises(InvalidInputError, match="has no sentences"):
        read_pairs(*[written(tmp_path / "c", b"")] * 2)
    with pytest.raises(InvalidInputError, match=r"source has empty sentences, in line 1$"):
        check_sentences(["", "x"], "source")


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_not_utf8_is_named_with_its_offset(tmp_path, pack):
    path = written(tmp_path / "latin1", pack("ä".encode() + "grün\n".encode("latin-1")))
    with pytest.raises(CorruptFileError, match=r"latin1 is not UTF-8: byte 0xfc at offset 4"):
        read_text(path)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(DataNotFoundError, match=r"there is no file .*nowhere\.en"):
        read_text(tmp_path / "nowhere.en")


@pytest.mark.data
@pytest.mark.parametrize(("source", "target"), [("en", "de"), ("de", "en"), ("en", "fr")])
def test_multi30k(source, target):
    pairs = load_multi30k(source, target)
    assert (pairs.source_language, pairs.target_language) == (source, target)
    for part, count in (("train", 29_000), ("validation", 1_014), ("test", 1_000)):
        assert len(getattr(pairs, f"source_{part}")) == len(getattr(pairs, f"target_{part}")) == count
    first = {
        "en": "Two young, White males are outside near many bushes.",
        "de": "Zwei junge weiße Männer sind im Freien in der Nähe vieler Büsche.",
    }
    assert pairs.source_train[0] == first[source]
    assert pairs.target_train[0] == first.get(target, pairs.target_train[0])


def test_multi30k_names_its_languages():
    with pytest.raises(UnknownNameError, match=r"'cs'\. Allowed: de, en, fr"):
        load_multi30k("en", "cs")
    with pytest.raises(InvalidInputError, match="both 'de'"):
        load_multi30k("de", "de")


@pytest.mark.data
def test_shakespeare():
    text = load_shakespeare()
    assert len(text.train) + len(text.validation) == 1_115_394
    assert len(text.validation) == 111_540
    assert text.train.startswith("First Citizen:\n")
    assert len(set(text.train + text.validation)) == 65


def test_files_come_from_the_data_home(tmp_path, monkeypatch):
    monkeypatch.setenv("GLASSNET_DATA", str(tmp_path))
    (tmp_path / "text").mkdir()
    written(tmp_path / "text" / "tinyshakespeare.txt", b"First Citizen")
    with pytest.raises(CorruptFileError, match=r"tinyshakespeare\.txt does not hold"):
        load_shakespeare()


def test_pad():
    assert pad([[5], [6, 7], []]).tolist() == [[5, 0], [6, 7], [0, 0]]
    assert pad([]).shape == (0, 0)
    assert pad([[1]]).dtype == np.int64


lengths = st.lists(st.tuples(st.integers(1, 30), st.integers(1, 30)), min_size=1, max_size=80)


@settings(max_examples=80, deadline=None)
@given(lengths, st.integers(30, 200), st.integers(0, 5), st.integers(0, 5))
def test_token_batches(pairs, max_tokens, seed, epoch):
    pairs = np.array(pairs)
    batches = token_batches(pairs, max_tokens, seed, epoch)
    assert sorted(np.concatenate(batches)) == list(range(len(pairs)))
    assert all(len(batch) * pairs[batch].max() <= max_tokens for batch in batches)
    assert len(batches) == len(token_batches(pairs, max_tokens, seed, epoch + 1))
    again = token_batches(pairs, max_tokens, seed, epoch)
    assert all(np.array_equal(a, b) for a, b in zip(batches, again, strict=True))
    # one more sequence, of the next longer batch, would not have fitted
    sides = [pairs[batch].max(axis=1) for batch in batches]
    in_order = sorted(sides, key=lambda side: (side.max(), side.min(), -len(side)))
    for side, longer in itertools.pairwise(in_order):
        assert (len(side) + 1) * longer.min() > max_tokens


def test_batches_differ_between_epochs_and_seeds():
    sizes = np.full(50, 3)
    orders = {tuple(np.concatenate(token_batches(sizes, 12, s, e))) for s in range(3) for e in range(3)}
    assert len(orders) == 9


def test_sorting_saves_padding():
    random = np.random.default_rng(0)
    sizes = random.integers(5, 40, 2000)

    def computed(batches):
        return sum(len(batch) * sizes[batch].max() for batch in batches)

    as_they_come = np.array_split(random.permutation(2000), len(token_batches(sizes, 1000, 0, 0)))
    assert computed(token_batches(sizes, 1000, 0, 0)) < 1.05 * sizes.sum() < 0.8 * computed(as_they_come)


def test_a_sequence_that_fits_no_batch_is_named():
    with pytest.raises(InvalidInputError, match=r"sequence 1 has 12 tokens; .*max_tokens=10"):
        token_batches(np.array([3, 12]), 10, 0, 0)
