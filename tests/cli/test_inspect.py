"""``glassnet inspect`` of runs, named networks and a user's own file."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from glassnet.cli import main as cli
from glassnet.cli.lab import _build as script_for
from glassnet.cli.subject import random_input, subject_of
from glassnet.data import load
from glassnet.errors import DataNotFoundError, InvalidInputError, UnknownNameError
from glassnet.estimators.module import ModuleClassifier
from glassnet.networks.mlp import MLPClassifier
from glassnet.training.run_folder import save_run
from glassnet.training.trained import load_trained

FILE = """
import helper_beside_it
from torch import nn

def make_model():
    return nn.Sequential(nn.Flatten(), nn.Linear(helper_beside_it.N, 2))

def wants(n):
    return n

def number():
    return 3
"""


@pytest.fixture
def own_file(tmp_path):
    (tmp_path / "helper_beside_it.py").write_text("N = 48\n")
    (tmp_path / "mine.py").write_text(FILE)
    return str(tmp_path / "mine.py")


@pytest.fixture(scope="module")
def digits_run(tmp_path_factory):
    d = load("digits")
    net = MLPClassifier((6,), max_iter=2, tol=None, random_state=0).fit(d.X_train, d.y_train)
    about = {"data": "digits", "target_names": list(d.target_names), "image_shape": d.image_shape}
    return save_run(tmp_path_factory.mktemp("runs") / "digits", net, about)


def test_a_function_in_a_users_file(own_file, tmp_path, monkeypatch, capsys):
    out = tmp_path / "out"
    words = ["inspect", f"{own_file}:make_model", "--input", "1x3x4x4", "--out", out, "--only", "layer-tensors"]
    monkeypatch.setattr(sys, "argv", ["glassnet", *map(str, words)])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert not stop.value.code
    assert capsys.readouterr().out == f"{out / 'index.html'}\n"
    assert "Sequential: 98 parameters." in (out / "index.html").read_text()
    monkeypatch.setattr(sys, "argv", ["glassnet", *map(str, words[:-1]), "attention"])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 2
    assert "'attention' does not apply" in capsys.readouterr().err


def test_the_seed_decides_weights_and_input(own_file):
    one, same, other = (subject_of(f"{own_file}:make_model", None, ["1x3x4x4"], False, seed) for seed in (0, 0, 1))
    assert torch.equal(one.model[1].weight, same.model[1].weight)
    assert torch.equal(one.inputs[0], same.inputs[0])
    assert not torch.equal(one.model[1].weight, other.model[1].weight)
    assert not one.model.training


def test_pictures_and_arrays_for_a_module(own_file, tmp_path):
    Image.fromarray(np.full((4, 4, 3), 51, np.uint8)).save(tmp_path / "grey.png")
    subject = subject_of(f"{own_file}:make_model", tmp_path / "grey.png", ["1x3x4x4"], False, 0)
    assert subject.inputs[0].shape == (1, 3, 4, 4)
    assert subject.inputs[0].unique().tolist() == pytest.approx([0.2])
    np.save(tmp_path / "x.npy", np.ones((2, 48)))
    assert subject_of(f"{own_file}:make_model", tmp_path / "x.npy", [], False, 0).inputs[0].dtype == torch.float32
    with pytest.raises(InvalidInputError, match="say how large it is"):
        subject_of(f"{own_file}:make_model", tmp_path / "grey.png", [], False, 0)
    (tmp_path / "bad.npy").write_text("no")
    with pytest.raises(InvalidInputError, match="no array"):
        subject_of(f"{own_file}:make_model", tmp_path / "bad.npy", [], False, 0)


def test_runs_take_pictures_or_their_own_data(digits_run, tmp_path):
    d = load("digits")
    subject = subject_of(str(digits_run), None, [], False, 0)
    np.testing.assert_array_equal(subject.rows, d.X_test[:300])
    np.testing.assert_array_equal(subject.labels, d.y_test[:300])
    picture = tmp_path / "digit.png"
    Image.fromarray((d.X_test[0].reshape(8, 8) * 255).round().astype(np.uint8)).save(picture)
    subject = subject_of(str(digits_run), picture, [], False, 0)
    np.testing.assert_allclose(subject.rows, d.X_test[:1], atol=1 / 255)
    assert subject.labels is None
    with pytest.raises(InvalidInputError, match="a run knows its input's shape"):
        subject_of(str(digits_run), None, ["1x64"], False, 0)


def test_runs_of_modules_are_traced_in_the_shape_of_their_pictures(tmp_path):
    d = load("digits")
    net = ModuleClassifier("lenet5", image_shape=(1, 28, 28), max_iter=1, tol=None, random_state=0)
    net.fit(np.repeat(np.repeat(d.X_train[:40].reshape(-1, 1, 8, 8), 4, 2), 4, 3)[:, :, 2:30, 2:30], d.y_train[:40])
    np.save(tmp_path / "x.npy", np.zeros((3, 784)))
    save_run(tmp_path / "run", net, {"data": "own", "target_names": list(d.target_names), "image_shape": (28, 28)})
    subject = subject_of(str(tmp_path / "run"), tmp_path / "x.npy", [], False, 0)
    assert subject.inputs[0].shape == (3, 1, 28, 28)
    assert isinstance(subject.module, nn.Module)
    with pytest.raises(InvalidInputError, match="not known by name"):
        subject_of(str(tmp_path / "run"), None, [], False, 0)


def test_a_network_that_comes_trained_is_inspected_by_name(tmp_path):
    np.save(tmp_path / "blank.npy", np.zeros((1, 784), np.float32))
    subject = subject_of("lenet5-mnist", tmp_path / "blank.npy", [], False, 0)
    assert subject.inputs[0].shape == (1, 1, 28, 28)
    made: dict[str, Any] = {}
    exec(script_for("lenet5-mnist", 0), made)
    assert made["model"].get_params() == load_trained("lenet5-mnist").get_params()


def test_mistakes_are_named(own_file, tmp_path):
    for what, error, message in (
        (f"{own_file}:make_mode", UnknownNameError, "Did you mean 'make_model'"),
        (f"{own_file}:wants", InvalidInputError, "it needs n"),
        (f"{own_file}:number", InvalidInputError, "returned int, not a torch module"),
        (f"{tmp_path / 'none.py'}:f", DataNotFoundError, "There is no file"),
        ("resnet21", UnknownNameError, "Did you mean 'resnet"),
        ("resnet20", InvalidInputError, "has to be given something"),
    ):
        with pytest.raises(error, match=message):
            subject_of(what, None, [] if what == "resnet20" else ["1x48"], False, 0)
    (tmp_path / "broken.py").write_text("1 / 0")
    with pytest.raises(InvalidInputError, match="cannot be imported: ZeroDivisionError"):
        subject_of(f"{tmp_path / 'broken.py'}:f", None, ["1x48"], False, 0)
    for shape in ("1x", "axb", "0x3", "3:0"):
        with pytest.raises(InvalidInputError, match="--input takes a shape"):
            random_input(shape, 0)
