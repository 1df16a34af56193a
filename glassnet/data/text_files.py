"""A text that may be larger than memory: files that are read in pieces, and their tokens on disk.

A text is turned into tokens once, a piece at a time. The tokens are written front to back as
they come and memory-mapped from then on, so that what is learned next, whatever the seed and
the epoch choose, is read from its place.
"""

from __future__ import annotations

import codecs
import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from glassnet.data.home import cache_home, open_content, write_header, written_beside
from glassnet.data.vocabulary import Vocabulary
from glassnet.errors import CorruptFileError, DataNotFoundError, InvalidInputError

# bytes that are read at a time
PIECE = 1 << 20
TOKEN = np.dtype(np.int32)


@dataclass(frozen=True)
class TextFiles:
    """The text of some files, one after the other.

    Parameters
    ----------
    paths : tuple of path
        UTF-8, plain or gzipped.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     for name, text in (("0.txt", "to be\\n"), ("1.txt", "or not\\n")):
    ...         _ = Path(folder, name).write_text(text)
    ...     list(TextFiles.of(folder).pieces())
    ['to be\\n', 'or not\\n']
    """

    paths: tuple[Path, ...]

    @classmethod
    def of(cls, folder: str | os.PathLike) -> TextFiles:
        """Return the ``*.txt`` and ``*.txt.gz`` in a folder, in the order of their names.

        Raises
        ------
        InvalidInputError
            If there are fewer than two.
        """
        found = sorted(path for path in Path(folder).iterdir() if path.name.endswith((".txt", ".txt.gz")))
        if len(found) < 2:
            raise InvalidInputError(f"{folder} has {len(found)} files *.txt or *.txt.gz; allowed: at least 2.")
        return cls(tuple(found))

    def pieces(self) -> Iterator[str]:
        """Yield the text in pieces that end with a line, or with a file; line ends become "\\n".

        Raises
        ------
        DataNotFoundError, CorruptFileError
            If there is no such file, or it is not UTF-8; the message names it and the place.
        """
        for path in self.paths:
            yield from _lines_together(_decoded(Path(path)))

    @property
    def stamp(self) -> str:
        """A hash that changes when a file comes, goes or is changed."""
        about = [(Path(path).resolve(), Path(path).stat()) for path in self.paths]
        text = "".join(f"{path} {stat.st_size} {stat.st_mtime_ns}\n" for path, stat in about)
        return hashlib.sha256(text.encode()).hexdigest()

    def tokens(self, vocabulary: Vocabulary) -> np.ndarray:
        """Return the tokens of the whole text, int32 of shape (n,), memory-mapped and read-only."""
        key = hashlib.sha256(f"{self.stamp} {vocabulary.to_json()}".encode()).hexdigest()[:16]
        path = cache_home() / "decoded" / f"tokens-{key}.npy"
        if not path.exists():
            _write(path, (np.array(vocabulary.encode(piece), TOKEN) for piece in self.pieces()))
        return np.load(path, mmap_mode="r", allow_pickle=False)


def pieces_of(text: str | TextFiles) -> Iterable[str]:
    """Return a text in pieces; one that is in memory is one piece."""
    return [text] if isinstance(text, str) else text.pieces()


def _write(path: Path, parts: Iterable[np.ndarray]) -> None:
    n = 0
    with written_beside(path) as out:
        write_header(out, TOKEN, (n,))
        for part in parts:
            out.write(part.data)
            n += len(part)
        write_header(out, TOKEN, (n,))


def _decoded(path: Path) -> Iterator[str]:
    """Yield the text of a file as it is read."""
    decode, done = codecs.getincrementaldecoder("utf-8-sig")(), 0
    try:
        with open_content(path) as file:
            while True:
                content = file.read(PIECE)
                yield decode.decode(content, final=not content)
                if not content:
                    return
                done += len(content)
    except FileNotFoundError as error:
        raise DataNotFoundError(f"there is no file {path}") from error
    except UnicodeDecodeError as error:
        place = f"within the {PIECE:,} bytes after offset {done}"
        raise CorruptFileError(f"{path} is not UTF-8 {place}: {error.reason}") from error


def _lines_together(parts: Iterator[str]) -> Iterator[str]:
    """Yield texts cut anew, behind a line end."""
    rest = ""
    for part in parts:
        whole, end, rest = (rest + part).rpartition("\n")
        if end:
            yield (whole + end).replace("\r\n", "\n")
    if rest:
        yield rest
