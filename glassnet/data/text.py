"""Texts: pairs of sentences from line-aligned files, one long text, and batches of them.

Multi30k: D. Elliott, S. Frank, K. Sima'an, L. Specia, "Multi30K: Multilingual English-German
Image Descriptions", 2016, arXiv:1605.00459 (French: D. Elliott et al., 2017). Tiny
Shakespeare: 40,000 lines of his plays, collected by A. Karpathy, 2015.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from glassnet.data.home import DataFile, data_home, fetch, open_content
from glassnet.data.text_files import TextFiles, pieces_of
from glassnet.data.vocabulary import PADDING
from glassnet.errors import CorruptFileError, DataNotFoundError, InvalidInputError, UnknownNameError
from glassnet.registry import PAIRS, resolve
from glassnet.seeds import generator

_MULTI30K_HOME = "https://raw.githubusercontent.com/multi30k/dataset/master/data/task1/raw/"
_MULTI30K_SHA256 = {
    "train.de": "2c2b73fd2b548fbcde3a875e0a78d6ee94d498bfdee6bd3eae3945779e9ddf72",
    "train.en": "460a15fbd157e34a7a9957ee388c1ca247fe47af3ef25fb50442af6c274e0fc6",
    "train.fr": "5925a3c18f1587b6b54b87743106e6e8ab93618edb6f65d19eac0621f853a10d",
    "val.de": "660e09eb7e1da2f856ea13ee5ad3cf6d36b3d5b0b733c857e94c5747a3dfc660",
    "val.en": "1f2a23d992769b5b3d209b0a10dd0b77c08cceb1f20dfb97ed0aafa49d107227",
    "val.fr": "5304e444d842e962b2dda4d816b70b22a1765b15401642b7ca37a67477e708dc",
    "test_2016_flickr.de": "4be6b5b3236b79c25475c6bb829800a7ce559e9ba7a1f6c2394fe4d40be46d16",
    "test_2016_flickr.en": "399a4382932c1aadd3ceb9bef1008d388a64c76d4ae4e9d4728c6f4301cac182",
    "test_2016_flickr.fr": "cb3160d69b002bb638e66cc7612fcd56cb0af82eadc9c142dedc438afb885ef6",
}
_MULTI30K_LANGUAGES = ("en", "de", "fr")
_SHAKESPEARE = DataFile(
    "text/tinyshakespeare.txt",
    "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
    ("https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",),
)


@dataclass(frozen=True)
class SentencePairs:
    """Sentences and their translations: line i of a source part belongs to line i of its target part."""

    name: str
    source_language: str
    target_language: str
    source_train: list[str]
    target_train: list[str]
    source_validation: list[str]
    target_validation: list[str]
    source_test: list[str]
    target_test: list[str]

    @cached_property
    def sha256(self) -> str:
        """Hash of all sentences in their order."""
        parts = (self.source_train, self.target_train, self.source_validation, self.target_validation)
        return hash_of("\n".join(lines) for lines in (*parts, self.source_test, self.target_test))


@dataclass(frozen=True)
class Text:
    """One long text: its beginning to learn from, its end to be tested on."""

    name: str
    train: str | TextFiles
    validation: str | TextFiles

    @cached_property
    def sha256(self) -> str:
        """Hash of the text."""
        return hash_of((self.train, self.validation))


def hash_of(texts: Iterable[str | TextFiles]) -> str:
    """Return the SHA-256 of texts in their order."""
    digest = hashlib.sha256()
    for text in texts:
        for piece in pieces_of(text):
            digest.update(piece.encode())
        digest.update(b"\0")
    return digest.hexdigest()


def load_multi30k(source: str = "en", target: str = "de") -> SentencePairs:
    """Return descriptions of photographs and their translations.

    Parameters
    ----------
    source, target : {"en", "de", "fr"}

    Returns
    -------
    SentencePairs
        29,000 to learn from, 1,014 for validation, 1,000 (test 2016) to be tested on.

    Raises
    ------
    UnknownNameError
        If there is no such language.
    InvalidInputError
        If the two are the same.
    DataNotFoundError, CorruptFileError
        If a file is missing and cannot be downloaded, or holds something else.
    """
    for language in (source, target):
        if language not in _MULTI30K_LANGUAGES:
            raise UnknownNameError("language of multi30k", language, _MULTI30K_LANGUAGES)
    if source == target:
        raise InvalidInputError(f"source and target are both {source!r}; allowed: two different languages")
    parts = [_multi30k(part, source, target) for part in ("train", "val", "test_2016_flickr")]
    return SentencePairs("multi30k", source, target, *(lines for pair in parts for lines in pair))


def _multi30k(part: str, source: str, target: str) -> tuple[list[str], list[str]]:
    names = [f"{part}.{language}" for language in (source, target)]
    files = [DataFile(f"multi30k/{n}.gz", _MULTI30K_SHA256[n], (f"{_MULTI30K_HOME}{n}.gz",)) for n in names]
    return read_pairs(fetch(files[0]), fetch(files[1]))


def load_shakespeare() -> Text:
    """Return 1,115,394 characters of Shakespeare, the last tenth of them for validation.

    Raises
    ------
    DataNotFoundError, CorruptFileError
        If the file is missing and cannot be downloaded, or holds something else.
    """
    return _cut_off(_SHAKESPEARE.path, read_text(fetch(_SHAKESPEARE)))


def load_pairs(data: str | None, source: str, target: str, held_out: float = 0.05, seed: int = 0) -> SentencePairs:
    """Return pairs of sentences, by the name of a data set or from two files.

    Parameters
    ----------
    data : str or None
        "multi30k"; None: ``source`` and ``target`` are line-aligned files.
    source, target : str
        Languages of the data set, or paths.
    held_out : float
        Share of a file's pairs, drawn under the seed, for validation, and as much for the test; at
        least one pair and at most a thousand.
    seed : int

    Raises
    ------
    UnknownNameError
        If there is no such data set or language.
    InvalidInputError, DataNotFoundError, CorruptFileError
        As :func:`read_pairs`; or if there are less than three pairs.
    """
    if data is not None:
        return resolve(PAIRS, "set of sentence pairs", data)(source, target)
    pair = read_pairs(source, target)
    n = len(pair[0])
    if n < 3:
        raise InvalidInputError(f"{source} has {n} sentences; allowed: at least 3, to train, validate and test")
    order, size = generator(seed, "held out").permutation(n), min(1000, max(1, round(held_out * n)))
    parts = order[2 * size :], order[:size], order[size : 2 * size]
    chosen = [[lines[i] for i in rows] for rows in parts for lines in pair]
    return SentencePairs(f"{source}, {target}", source, target, *chosen)


def load_text(name: str) -> Text:
    """Return a text by its path, as given or in the data home; its last tenth is for validation.

    A folder is a text in several files (``*.txt``, ``*.txt.gz``), read in pieces: it may be larger than
    memory. Its last file is for validation.

    Raises
    ------
    DataNotFoundError, CorruptFileError
        If there is no such file, or it is not UTF-8.
    InvalidInputError
        If a folder has fewer than two files.
    """
    if name == _SHAKESPEARE.path and not os.path.exists(name):
        return load_shakespeare()
    home = data_home() / name
    if folder := next((path for path in (Path(name), home) if path.is_dir()), None):
        files = TextFiles.of(folder)
        return Text(name, TextFiles(files.paths[:-1]), TextFiles(files.paths[-1:]))
    text = read_text(name if os.path.exists(name) or not home.exists() else home)
    return _cut_off(name, text)


def _cut_off(name: str, text: str) -> Text:
    cut = len(text) * 9 // 10
    return Text(name, text[:cut], text[cut:])


def read_text(path: str | os.PathLike) -> str:
    """Return a UTF-8 file's text, decompressed if it is gzipped; line ends become "\\n".

    Raises
    ------
    DataNotFoundError
        If there is no such file.
    CorruptFileError
        If it is not UTF-8; the message names the first wrong byte and its offset.
    """
    try:
        with open_content(path) as file:
            content = file.read()
    except FileNotFoundError as error:
        raise DataNotFoundError(f"there is no file {os.fspath(path)}") from error
    try:
        return content.decode("utf-8").removeprefix("\ufeff").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        wrong = content[error.start]
        raise CorruptFileError(
            f"{os.fspath(path)} is not UTF-8: byte 0x{wrong:02x} at offset {error.start} ({error.reason})"
        ) from error


def read_pairs(source: str | os.PathLike, target: str | os.PathLike) -> tuple[list[str], list[str]]:
    """Return the sentences of two line-aligned files, plain or gzipped.

    Parameters
    ----------
    source, target : path
        Line i of the one is the translation of line i of the other.

    Returns
    -------
    tuple of two lists of str, equally long

    Raises
    ------
    InvalidInputError
        If the files have different numbers of lines, none, or an empty one.
    DataNotFoundError, CorruptFileError
        As :func:`read_text`.
    """
    pair = _lines(source), _lines(target)
    counts = [len(lines) for lines in pair]
    if counts[0] != counts[1]:
        raise InvalidInputError(
            f"the files are not line-aligned: {os.fspath(source)} has {counts[0]} lines, "
            f"{os.fspath(target)} has {counts[1]}"
        )
    for path, lines in zip((source, target), pair, strict=True):
        check_sentences(lines, os.fspath(path))
    return pair


def check_sentences(sentences: Sequence[str], name: str) -> None:
    """Raise InvalidInputError if there is no sentence, or an empty one; lines count from 1."""
    if not sentences:
        raise InvalidInputError(f"{name} has no sentences")
    empty = [number for number, sentence in enumerate(sentences, 1) if not sentence.strip()]
    if empty:
        more = f" and {len(empty) - 5} more" if len(empty) > 5 else ""
        raise InvalidInputError(f"{name} has empty sentences, in line {', '.join(map(str, empty[:5]))}{more}")


def _lines(path: str | os.PathLike) -> list[str]:
    """Cut at line feeds only: str.splitlines would also cut at U+2028 and shift the rest."""
    lines = read_text(path).split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def pad(sequences: Sequence[Sequence[int] | np.ndarray]) -> np.ndarray:
    """Return sequences as one array, filled up with padding at the end.

    Returns
    -------
    int64 ndarray of shape (n_sequences, longest)

    Examples
    --------
    >>> pad([[5, 6, 7], [8]]).tolist()
    [[5, 6, 7], [8, 0, 0]]
    """
    array = np.full((len(sequences), max(map(len, sequences), default=0)), PADDING, dtype=np.int64)
    for row, sequence in zip(array, sequences, strict=True):
        row[: len(sequence)] = sequence
    return array


def token_batches(lengths: np.ndarray, max_tokens: int, seed: int, epoch: int) -> list[np.ndarray]:
    """Return the batches of an epoch: sequences of like length, so that little is padding.

    The sequences are sorted by their longest side, then by their shortest, in random order
    where both are equal, and cut where a padded side would exceed ``max_tokens``; then the
    batches are shuffled. All of it depends on seed and epoch alone, and their number is the
    same in every epoch.

    Parameters
    ----------
    lengths : int ndarray of shape (n_sequences,) or (n_sequences, n_sides)
        Tokens of each sequence; for pairs, of both sides.
    max_tokens : int
        Largest rows x longest of a batch.
    seed, epoch : int

    Returns
    -------
    list of int64 ndarray
        Indices; each sequence is in exactly one batch.

    Raises
    ------
    InvalidInputError
        If one sequence alone is longer than ``max_tokens``.

    Examples
    --------
    >>> batches = token_batches(np.array([2, 9, 2, 3, 9]), max_tokens=9, seed=0, epoch=0)
    >>> sorted(len(batch) for batch in batches)
    [1, 1, 3]
    """
    sides = lengths.reshape(len(lengths), -1)
    longest, shortest = sides.max(axis=1), sides.min(axis=1)
    if len(longest) and longest.max() > max_tokens:
        raise InvalidInputError(
            f"sequence {longest.argmax()} has {longest.max()} tokens; a batch may have max_tokens={max_tokens}"
        )
    random = generator(seed, "batches", epoch)
    shuffled = random.permutation(len(longest))
    order = shuffled[np.lexsort((shortest[shuffled], longest[shuffled]))]
    batches = list(_cut(order, longest[order], max_tokens))
    return [batches[i] for i in random.permutation(len(batches))]


def _cut(order: np.ndarray, longest: np.ndarray, max_tokens: int) -> Iterator[np.ndarray]:
    """Cut an order of growing length into the largest batches that ``max_tokens`` allows."""
    start = 0
    for i, length in enumerate(longest):
        if (i + 1 - start) * length > max_tokens:
            yield order[start:i]
            start = i
    if start < len(order):
        yield order[start:]
