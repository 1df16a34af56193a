"""Texts in files, read in pieces: what is learned from them is what is learned from the whole."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from glassnet import Checkpoint, LanguageModel
from glassnet.data import text_files
from glassnet.data.text import hash_of, load_text
from glassnet.data.text_files import TextFiles
from glassnet.data.vocabulary import CharacterVocabulary
from glassnet.errors import CorruptFileError, DataNotFoundError, InvalidInputError
from glassnet.training.observers import Observer

LINES = [f"{i} Äpfel und {i * i} Birnen -- so heißt es.\n" for i in range(300)]
TEXT = "".join(LINES)
SMALL = {"n_positions": 16, "d_model": 16, "n_heads": 2, "n_layers": 1, "batch_size": 40, "max_iter": 2}


@pytest.fixture
def files(tmp_path, monkeypatch) -> TextFiles:
    """The text in three files, one of them packed, with line ends of both kinds; pieces of 100 bytes."""
    monkeypatch.setenv("GLASSNET_DATA", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    monkeypatch.setattr(text_files, "PIECE", 100)
    folder = tmp_path / "text"
    folder.mkdir()
    (folder / "0.txt").write_bytes("".join(LINES[:100]).replace("\n", "\r\n").encode("utf-8-sig"))
    (folder / "1.txt.gz").write_bytes(gzip.compress("".join(LINES[100:250]).encode()))
    (folder / "2.txt").write_bytes("".join(LINES[250:]).encode())
    return TextFiles.of(folder)


class Interrupt(Observer):
    """Ends the fit in the middle of the second epoch, as Ctrl-C would."""

    def next_event(self, step):
        return 14 if step < 14 else None

    def observe(self, state):
        assert 0 < state.position < state.steps_per_epoch
        raise KeyboardInterrupt


def test_pieces_are_the_text_and_end_with_lines(files):
    pieces = list(files.pieces())
    assert "".join(pieces) == TEXT
    assert len(pieces) > 50
    assert all(piece.endswith("\n") for piece in pieces)
    assert max(map(len, pieces)) < 200
    assert hash_of([files]) == hash_of([TEXT])


def test_tokens_are_those_of_the_text_and_follow_a_change(files):
    vocabulary = CharacterVocabulary(TEXT)
    np.testing.assert_array_equal(files.tokens(vocabulary), vocabulary.encode(TEXT))
    assert isinstance(files.tokens(vocabulary), np.memmap)
    files.paths[2].write_text("so", encoding="utf-8")
    assert len(files.tokens(vocabulary)) == sum(map(len, LINES[:250])) + 2


def test_a_model_learns_from_files_what_it_learns_from_the_text(files):
    from_text, from_files = (LanguageModel(**SMALL, random_state=0).fit(source) for source in (TEXT, files))
    np.testing.assert_array_equal(from_files.state_.arrays["parameters"], from_text.state_.arrays["parameters"])
    assert from_files.vocabulary_json_ == from_text.vocabulary_json_
    assert from_files.loss(files) == from_text.loss(TEXT)


def test_a_fit_goes_on_in_mid_epoch_where_it_stopped(files, tmp_path):
    straight, again = (LanguageModel(**SMALL, random_state=0) for _ in range(2))
    straight.fit(files)
    with pytest.raises(KeyboardInterrupt):
        again.fit(files, observers=[Checkpoint(tmp_path / "kept"), Interrupt()])
    again.fit(files, resume=tmp_path / "kept")
    np.testing.assert_array_equal(again.state_.arrays["parameters"], straight.state_.arrays["parameters"])
    assert again.loss_curve_ == straight.loss_curve_


def test_byte_pairs_are_learned_from_files(files):
    net = LanguageModel("byte-pairs", vocabulary_size=300, **SMALL, random_state=0).fit(files)
    assert net.vocabulary_json_ == LanguageModel("byte-pairs", vocabulary_size=300, **SMALL).fit(TEXT).vocabulary_json_


def test_a_folder_is_a_text_whose_last_file_is_held_out(files):
    text = load_text(str(files.paths[0].parent))
    assert text.train.paths == files.paths[:2]
    assert "".join(text.validation.pieces()) == "".join(LINES[250:])


def test_faults_name_the_file(files, tmp_path):
    files.paths[2].write_bytes(b"good\n" * 50 + b"\xff bad")
    with pytest.raises(CorruptFileError, match=r"2\.txt is not UTF-8 within the 100 bytes after offset 200: invalid"):
        list(files.pieces())
    files.paths[1].write_bytes(files.paths[1].read_bytes()[:-50])
    with pytest.raises(CorruptFileError, match=r"1\.txt\.gz does not decompress"):
        list(files.pieces())
    with pytest.raises(DataNotFoundError, match=r"there is no file .*none\.txt"):
        list(TextFiles((tmp_path / "none.txt",)).pieces())
    (tmp_path / "empty").mkdir()
    with pytest.raises(InvalidInputError, match=r"empty has 0 files \*\.txt or \*\.txt\.gz; allowed: at least 2"):
        TextFiles.of(tmp_path / "empty")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_does_not_grow_with_the_text(tmp_path):
    """Ten times the text, 40 MB, which in memory would take 800 MB as numbers."""
    command = [sys.executable, "-W", "ignore", __file__, str(tmp_path)]
    small, large = map(int, subprocess.check_output(command, text=True, env=None).split())
    assert large - small < 100e6


def _peaks(folder: Path) -> None:
    """Print the most memory that this process has used after tokens of 4 MB, then of 40 MB, were made and read."""
    import os
    import resource

    os.environ["GLASSNET_DATA"] = str(folder)
    for n in (1, 10):
        path = folder / f"{n}.txt"
        path.write_text("all work and no play\n" * (200_000 * n))
        tokens = TextFiles((path,)).tokens(CharacterVocabulary("all work and no play\n"))
        assert len(tokens) == 4_200_000 * n
        print(1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


if __name__ == "__main__":
    _peaks(Path(sys.argv[1]))
