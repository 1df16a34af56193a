"""Several processes learn texts as one would. Run as a script, this file is one of the processes."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from glassnet import LanguageModel, Translator
from glassnet.errors import InvalidInputError
from glassnet.training.distributed import Group, joined
from glassnet.training.run_folder import load_run

# lengths differ, so that shares of a batch with equally many pairs have unequally many tokens
PAIRS = [("one " * n + "dog", "ein " * (1 + n % 4) + "Hund") for n in range(13)] + [("two cats", "zwei Katzen")] * 8
SOURCE, TARGET = map(list, zip(*PAIRS, strict=True))
TEXT = "to be or not to be, that is the question: " * 20
NET = {"d_model": 16, "n_heads": 2, "n_layers": 1, "random_state": 4, "max_iter": 2}
PLAIN = NET | {"solver": "sgd", "learning_rate": "constant", "learning_rate_init": 0.2, "dropout": 0.0}


def translator(**options) -> Translator:
    return Translator(300, d_ff=32, max_tokens=70, **options).fit(SOURCE, TARGET)


def model(**options) -> LanguageModel:
    return LanguageModel(n_positions=16, batch_size=7, **options).fit(TEXT)


# name -> how it is fitted; the last batch of the model's 52 windows has three: fewer than four processes
FITS = {
    "translator": lambda **o: translator(**PLAIN | {"dropout": 0.1} | o),
    "translator-plain": lambda **o: translator(**PLAIN, **o),
    "translator-adam": lambda **o: translator(**NET, warmup_steps=20, **o),
    "model": lambda **o: model(**PLAIN | {"dropout": 0.1} | o),
    "model-adamw": lambda **o: model(**NET, **o),
}


@pytest.fixture(scope="module", params=[2, 4])
def together(request, torchrun, tmp_path_factory):
    """What every fit left behind in two and in four processes."""
    path = tmp_path_factory.mktemp("together") / "arrays.npz"
    run = torchrun(request.param, __file__, "fit", path)
    assert run.returncode == 0, run.stderr
    return request.param, np.load(path)


@pytest.mark.parametrize("name", FITS)
def test_n_processes_make_the_steps_of_one_that_takes_n_parts(together, name):
    n, found = together
    alone = FITS[name](accumulate=n)
    if "adam" not in name:  # which divides by the gradient's size: where that is rounding alone, so is its step
        for key in ("parameters", "average"):
            np.testing.assert_allclose(found[f"{name}/{key}"], alone.state_.arrays[key], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found[f"{name}/losses"], alone.loss_curve_, rtol=1e-4)
    assert found[f"{name}/steps"] == alone.state_.step
    assert found[f"{name}/ranks"].tolist() == list(range(n))  # each has the arrays of the first to the bit


def test_a_share_counts_by_its_tokens(together):
    """One process that takes each batch whole divides the sum over all tokens by their number."""
    _, found = together
    alone = FITS["translator-plain"]()
    np.testing.assert_allclose(
        found["translator-plain/parameters"], alone.state_.arrays["parameters"], rtol=1e-4, atol=1e-6
    )
    np.testing.assert_allclose(found["translator-plain/losses"], alone.loss_curve_, rtol=1e-5)


def test_dropout_matters_in_what_was_compared(together):
    _, found = together
    assert abs(found["translator/parameters"] - found["translator-plain/parameters"]).max() > 1e-3


def test_processes_that_do_not_agree_all_say_so(torchrun, tmp_path):
    run = torchrun(2, __file__, "disagree", tmp_path)
    assert run.returncode != 0
    assert run.stderr.count("DistributedError: The processes do not agree on the texts (rank 0: ") == 2


def test_a_language_model_starts_its_own_processes():
    net = LanguageModel(n_positions=16, batch_size=7, processes=2, **PLAIN).fit(TEXT, validation=TEXT[:90])
    assert len(net.validation_loss_curve_) == 2
    alone = model(**PLAIN, accumulate=2)
    np.testing.assert_allclose(net.loss_curve_, alone.loss_curve_, rtol=1e-5)
    assert net.loss(TEXT) == pytest.approx(alone.loss(TEXT), rel=1e-5)


def test_a_batch_must_have_a_window_for_every_process(monkeypatch):
    monkeypatch.setattr("glassnet.training.distributed.current", lambda: Group(0, 4))
    with pytest.raises(InvalidInputError, match="batch_size=3 is smaller than the number of processes, 4"):
        LanguageModel(n_positions=16, batch_size=3, **PLAIN).fit(TEXT)


def test_the_command_line_trains_in_two_processes_and_speaks_once(torchrun, tmp_path):
    text = tmp_path / "text.txt"
    text.write_text(TEXT)
    settings = [f"--set={name}={value}" for name, value in {**PLAIN, "n_positions": 16}.items()]
    train = ["train", "gpt", "--data", text, *settings, "--json", "--out", tmp_path / "run"]
    run = torchrun(2, "-m", "glassnet", *train)
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["epochs"] == 2
    assert len(load_run(tmp_path / "run").generate("to", 3)) == 5


def _fit(path: Path, group: Group) -> None:
    arrays = {}
    for name, fit in FITS.items():
        net = fit()
        kept = {"losses": np.array(net.loss_curve_), "steps": np.array(net.state_.step), **net.state_.arrays}
        told = group.gather({key: array.tobytes() for key, array in kept.items()})
        kept["ranks"] = np.array([rank for rank, each in enumerate(told) if each == told[0]])
        arrays |= {f"{name}/{key}": array for key, array in kept.items()}
    if group.leads:
        np.savez(path, **arrays)


def _main(what: str, path: str) -> None:
    with joined() as group:
        if what == "fit":
            _fit(Path(path), group)
        else:
            LanguageModel(n_positions=16, **PLAIN).fit(TEXT[group.rank :])


if __name__ == "__main__":
    _main(*sys.argv[1:])
