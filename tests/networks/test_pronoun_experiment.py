from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from glassnet.cli import main
from glassnet.data.pronouns import (
    ACTOR,
    ACTORS,
    IT,
    OF_ACTORS,
    OF_PLACES,
    PLACE,
    PLACES,
    PRONOUNS,
    PronounSentence,
    make_pronoun_sentences,
)
from glassnet.errors import InvalidInputError
from glassnet.networks import pronoun_experiment
from glassnet.networks.pronoun_experiment import (
    LECTURE,
    counterpart,
    measure_reader,
    pronoun_of,
    reader_attention,
    reader_picture,
)
from glassnet.networks.pronoun_reader import word_numbers
from glassnet.training.run_folder import load_run, read_config, save_run


def test_every_sentence_says_what_it_is():
    train, test = make_pronoun_sentences(500)
    for sentence in [*train, *test]:
        assert sentence.words[IT] == "it"
        assert sentence.words[sentence.place_meant] == sentence.meant
        assert {sentence.words[sentence.place_meant], sentence.words[sentence.place_other]} == {
            sentence.actor,
            sentence.place,
        }
        assert pronoun_of(sentence.target) == sentence.pronoun
        assert counterpart(sentence).meant != sentence.meant
        assert counterpart(counterpart(sentence)) == sentence


def test_pairs_held_out_are_new_but_their_words_are_not():
    train, test = make_pronoun_sentences(4000)
    together = {(s.actor, s.place) for s in train}
    assert not together & {(s.actor, s.place) for s in test}
    assert {s.actor for s in train} == set(ACTORS)
    assert {s.place for s in train} == set(PLACES)
    assert {s.adjective for s in train} == {*OF_ACTORS, *OF_PLACES}
    assert set(LECTURE) <= set(test)
    for nouns in (ACTORS, PLACES):  # no gender is more likely than another
        assert [sum(g == p for _, g in nouns.values()) for p in PRONOUNS] == [4, 4, 4]
    for wrong in ({"n_train": 0}, {"held_out": 0.0}, {"n_train": 10**6}):
        with pytest.raises(InvalidInputError, match="got n_train="):
            make_pronoun_sentences(**wrong)


def test_measures_by_hand(monkeypatch):
    """A reader that always attends to the noun meant, and one that always attends to the one who acts."""
    train, test = make_pronoun_sentences(200)

    class Reader:
        def predict(self, X):
            return np.array([s.pronoun for s in test])

    def knows(reader, sentences):
        seen = np.array([[0.9, 0.1] if s.meant == s.actor else [0.1, 0.9] for s in sentences])
        blind = np.tile([0.9, 0.1], (len(seen), 1))
        return np.stack([blind, seen], axis=1)[:, :, None]

    monkeypatch.setattr(pronoun_experiment, "reader_attention", knows)
    result = measure_reader(Reader(), train, test)  # type: ignore
    assert result == (1.0, 1, 0, 1.0, 1.0, 1.0)
    monkeypatch.setattr(pronoun_experiment, "reader_attention", lambda r, s: knows(r, s)[:, :1])
    blind = measure_reader(Reader(), train, test)  # type: ignore
    assert blind.share == pytest.approx(0.5, abs=0.02)
    assert blind.swap_share == 0


def test_words_of_the_first_clause_know_nothing_of_the_second():
    reader = pronoun_experiment.fit_reader(make_pronoun_sentences(200)[0], max_iter=1)
    tired, wide = reader_attention(reader, LECTURE)
    assert tired.shape == (2, 2, 2)
    assert (tired[0] == 0).all()  # before the last layer, "it" sees its own clause only
    assert (wide[0] == 0).all()
    assert (tired[1] != wide[1]).all()  # in the last, it looks from what the adjective told it


def test_a_reader_is_kept_in_a_run_folder_by_its_name(tmp_path):
    train, test = make_pronoun_sentences(200)
    reader = pronoun_experiment.fit_reader(train, max_iter=1)
    again = load_run(save_run(tmp_path / "reader", reader))
    assert again.module == "pronoun-reader"
    np.testing.assert_array_equal(again.predict_proba(word_numbers(test)), reader.predict_proba(word_numbers(test)))
    whole = reader_picture(again, LECTURE[0])
    assert whole.weights.shape == (2, 2, 11, 11)
    np.testing.assert_array_equal(
        whole.weights[:, :, IT][..., [ACTOR, PLACE]], reader_attention(reader, LECTURE[:1])[0]
    )


def test_the_command_keeps_picture_record_and_run(tmp_path, monkeypatch):
    fit = pronoun_experiment.fit_translator
    monkeypatch.setattr(pronoun_experiment, "fit_translator", lambda *a: fit(*a, max_iter=1, n_layers=1))
    monkeypatch.setattr(pronoun_experiment, "N_TRANSLATED", 10)
    out, record = tmp_path / "run", tmp_path / "record.json"
    words = ["pronouns", "--sentences", "150", "--seed", "2", "--out", out, "--record", record, "--json"]
    done = CliRunner().invoke(main.app, [*map(str, words), "--picture", str(tmp_path / "it.svg")])
    assert done.exception is None, done.output
    about = read_config(out)["metadata"]
    assert (about["n_train"], about["seed"]) == (150, 2)
    assert about["metrics"] == json.loads(done.stdout)["reader"]
    assert about["data_sha256"] == json.loads(record.read_text())["data_sha256"]
    assert "<svg" in (tmp_path / "it.svg").read_text()
    assert load_run(out).classes_.tolist() == ["er", "es", "sie"]


def test_pronoun_of_a_translation():
    assert pronoun_of(PronounSentence("cat", "see", "field", "wide").target) == "es"
    assert pronoun_of("Die Katze sah das Feld nicht.") is None
    assert pronoun_of("weil") is None
