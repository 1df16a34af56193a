"""`glassnet train transformer` and `gpt`, `translate`, `generate`, `pronouns`."""

from __future__ import annotations

import json
from itertools import product

import pytest
from typer.testing import CliRunner

from glassnet.cli import main
from glassnet.errors import GlassnetError
from glassnet.training.run_folder import load_run

NOUNS = {"dog": "Hund", "cat": "Katze", "horse": "Pferd", "bird": "Vogel"}
VERBS = {"runs": "rennt", "sleeps": "schläft", "eats": "frisst", "barks": "bellt", "sees me": "sieht mich"}
SMALL = ("d_model=16", "n_heads=2", "n_layers=1", "max_iter=3")


def glassnet(*words, stdin=None):
    done = CliRunner().invoke(main.app, [str(word) for word in words], input=stdin)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.stdout


def settings(*pairs):
    return [word for pair in pairs for word in ("--set", pair)]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pairs")
    pairs = [(f"a {n} {v}.", f"ein {m} {w}.") for (n, m), (v, w) in product(NOUNS.items(), VERBS.items())]
    for name, lines in zip(("a.en", "a.de"), zip(*pairs, strict=True), strict=True):
        (folder / name).write_text("\n".join(lines) + "\n")
    (folder / "a.txt").write_text("to be or not to be. " * 40)
    return folder


@pytest.fixture(scope="module")
def translator(files):
    words = ("train", "transformer", "--source", files / "a.en", "--target", files / "a.de", "--json")
    out = files / "translator"
    made = settings(*SMALL, "vocabulary_size=300", "max_tokens=100")
    return out, json.loads(glassnet(*words, *made, "--out", out, "--record", out / "record.json"))


@pytest.fixture(scope="module")
def writer(files):
    out, made = files / "writer", settings(*SMALL, "n_positions=16", "batch_size=4")
    return out, json.loads(glassnet("train", "gpt", "--data", files / "a.txt", *made, "--out", out, "--json"))


def test_two_line_aligned_files_are_data(translator):
    out, result = translator
    assert result["epochs"] == 3
    assert 0 <= result["test_bleu"] <= 100
    assert {path.name for path in out.iterdir()} >= {
        "model.safetensors",
        "attention.svg",
        "training.svg",
        "checkpoints",
    }
    record = json.loads((out / "record.json").read_text())
    assert record["metrics"]["validation_loss"] == result["validation_loss"]
    assert record["parameters"]["vocabulary_size"] == 300


def test_translate(translator, tmp_path):
    out, _ = translator
    net, sentences = load_run(out), ["a dog runs.", "a cat eats."]
    assert glassnet("translate", out, *sentences).splitlines() == net.translate(sentences)
    assert glassnet("translate", out, stdin="a dog runs.\n\na cat eats.\n").splitlines() == net.translate(sentences)
    shown = json.loads(glassnet("translate", out, sentences[0], "--beam-size", 1, "--json"))
    assert shown == [{"source": sentences[0], "target": net.translate(sentences[:1], 1)[0]}]
    glassnet("translate", out, sentences[0], "--attention", tmp_path / "a.svg")
    assert "layer 0, head 1" in (tmp_path / "a.svg").read_text()


def test_a_text_is_data_and_its_writer_writes(writer):
    out, result = writer
    held_out = ("to be or not to be. " * 40)[720:]
    assert result["validation_perplexity"] == pytest.approx(load_run(out).perplexity(held_out), abs=1e-2)
    options = ("--prompt", "to be", "--tokens", 20, "--temperature", 0.5, "--top-k", 3, "--seed", 7)
    expected = load_run(out).generate("to be", 20, temperature=0.5, top_k=3, random_state=7)
    assert glassnet("generate", out, *options) == expected + "\n"
    assert json.loads(glassnet("generate", out, *options, "--json"))["text"] == expected


def test_a_small_run_reads_alike(translator, writer, tmp_path):
    for (out, _), texts in ((translator, (["a dog runs."], ["ein Hund rennt."])), (writer, ("to be",))):
        small = tmp_path / out.name
        glassnet("export", out, small)
        assert (small / "model.safetensors").stat().st_size < (out / "model.safetensors").stat().st_size / 5
        assert load_run(small).loss(*texts) == pytest.approx(load_run(out).loss(*texts), rel=1e-2)


def test_a_run_goes_on(files, tmp_path):
    words = ("train", "gpt", "--data", files / "a.txt", "--out", tmp_path / "run", "--json")
    short = settings("d_model=16", "n_heads=2", "n_layers=1", "n_positions=16", "learning_rate=constant")
    glassnet(*words, *short, "--set", "max_iter=1")
    assert json.loads(glassnet(*words, *short, "--set", "max_iter=2", "--resume"))["epochs"] == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("train", "transformer", "--data", "multi30k"), "give --source and --target"),
        (("train", "transformer", "--data", "multi31k", "--source", "en", "--target", "de"), "Did you mean 'multi30k'"),
        (("train", "transformer", "--data", "multi30k", "--source", "en", "--target", "cs"), "Allowed: de, en, fr"),
        (("train", "gpt"), "gpt learns one text"),
        (("train", "gpt", "--data", "nowhere.txt"), "there is no file nowhere.txt"),
        (("train", "mlp", "--data", "circle", "--source", "en"), "--source and --target are for the transformer"),
        (("train", "mlp"), "give --data"),
        (("translate", "nowhere", "a"), "There is no run folder nowhere"),
    ],
)
def test_wrong_words_are_answered(words, message):
    with pytest.raises(GlassnetError, match=message):
        glassnet(*words)


def test_wrong_files_and_runs_are_answered(files, translator, writer, tmp_path):
    (tmp_path / "short").write_text("one\n")
    (tmp_path / "latin").write_bytes(b"gr\xfcn")
    with pytest.raises(GlassnetError, match=r"a\.en has 20 lines, .*short has 1"):
        glassnet("train", "transformer", "--source", files / "a.en", "--target", tmp_path / "short")
    with pytest.raises(GlassnetError, match="byte 0xfc at offset 2"):
        glassnet("train", "gpt", "--data", tmp_path / "latin")
    with pytest.raises(GlassnetError, match="holds a LanguageModel, which cannot translate"):
        glassnet("translate", writer[0], "a")
    with pytest.raises(GlassnetError, match="prompt has 40 tokens; allowed: at most n_positions=16"):
        glassnet("generate", writer[0], "--prompt", "to be or not to be. " * 2)
    with pytest.raises(GlassnetError, match="picture of one sentence, got 2"):
        glassnet("translate", translator[0], "a", "b", "--attention", tmp_path / "a.svg")
    with pytest.raises(GlassnetError, match="sentences has empty sentences"):
        glassnet("translate", translator[0], " ")
