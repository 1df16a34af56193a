"""The commands on pictures: train from a path, evaluate, predict, export."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
from PIL import Image

from glassnet import registry
from glassnet.cli import main as cli
from glassnet.cli.recipes import RECIPES
from glassnet.training.checkpoint import checkpoints

QUICK = [word for value in ("max_iter=1", "batch_size=8", "tol=None", "precision=float32") for word in ("--set", value)]


@pytest.fixture(scope="module")
def shapes(tmp_path_factory):
    """A folder of coloured pictures, 28 x 28: red ones and blue ones."""
    folder, rng = tmp_path_factory.mktemp("data") / "shapes", np.random.default_rng(0)
    for part, n in (("train", 12), ("test", 4)):
        for label, channel in (("red", 0), ("blue", 2)):
            (folder / part / label).mkdir(parents=True)
            for i in range(n):
                picture = rng.integers(60, size=(28, 28, 3), dtype=np.uint8)
                picture[..., channel] += 150
                Image.fromarray(picture).save(folder / part / label / f"{i}.png")
    return folder


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GLASSNET_DATA", str(tmp_path))


def call(monkeypatch, *words):
    monkeypatch.setattr(sys, "argv", ["glassnet", *map(str, words)])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    return stop.value.code or 0


@pytest.fixture
def glassnet(monkeypatch, capsys):
    """Run the command line in this process; return its exit code and what it printed."""

    def run(*words):
        code = call(monkeypatch, *words)
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


@pytest.fixture(scope="module")
def run(shapes, tmp_path_factory):
    """A run folder, and what the command recorded about it."""
    folder = tmp_path_factory.mktemp("runs")
    words = ("train", "lenet5", "--data", shapes, "--out", folder / "run", "--record", folder / "record.json", "--json")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GLASSNET_DATA", str(folder))
        assert call(patch, *words, *QUICK, "--set", "max_iter=6", "--set", "learning_rate_init=0.01") == 0
    return folder / "run", json.loads((folder / "record.json").read_text())


def test_a_network_learns_from_a_folder_and_is_evaluated(glassnet, run, shapes):
    folder, result = run
    assert str(shapes) in result["command"]
    assert result["metrics"]["test_accuracy"] == 1.0
    code, out, _ = glassnet("evaluate", folder, "--json")
    assert code == 0
    evaluated = json.loads(out)
    assert evaluated["samples"] == 8
    assert evaluated["accuracy_by_class"] == {"blue": 1.0, "red": 1.0}
    assert "test accuracy  100.00%" in glassnet("evaluate", folder, "--data", shapes)[1]


@pytest.mark.filterwarnings("default::glassnet.errors.GlassnetWarning")
def test_a_photo_of_any_size_is_named(glassnet, run, tmp_path):
    photo = np.zeros((50, 90, 3), np.uint8)
    photo[..., 2] = 180
    Image.fromarray(photo).save(tmp_path / "photo.png")
    code, out, err = glassnet("predict", run[0], tmp_path / "photo.png", "--top", 1)
    assert code == 0
    assert "photo.png: blue (blue " in out
    assert "red" not in out
    assert "photo.png is 50 x 90 pixels; its middle was scaled to 28 x 28" in err
    assert "red" in glassnet("predict", run[0], tmp_path / "photo.png", "--top", 5)[1]
    assert glassnet("predict", run[0], tmp_path / "photo.png", "--top", 0)[0] == 2


def test_evaluate_matches_classes_by_name(glassnet, run, shapes, tmp_path):
    (tmp_path / "other").mkdir()
    for part in ("train", "test"):
        (tmp_path / "other" / part).symlink_to(shapes / part)
    other = tmp_path / "third"
    for label in ("blue", "red", "green"):
        (other / "train" / label).mkdir(parents=True)
        (other / "test" / label).mkdir(parents=True)
        source = shapes / "test" / ("red" if label == "green" else label) / "0.png"
        for part in ("train", "test"):
            (other / part / label / "0.png").write_bytes(source.read_bytes())
    code, _, err = glassnet("evaluate", run[0], "--data", other)
    assert code == 2
    assert "The network knows blue, red; the test part also has green." in err
    assert "100.00%" in glassnet("evaluate", run[0], "--data", tmp_path / "other")[1]
    code, _, err = glassnet("evaluate", run[0], "--data", shapes, "--resize", 16)
    assert "takes pictures of shape (3, 28, 28), these have (3, 16, 16)" in err


@pytest.mark.parametrize("name", ["net.onnx", "net.safetensors", "net.pth", "small"])
def test_export(glassnet, run, tmp_path, name):
    code, out, _ = glassnet("export", run[0], tmp_path / name)
    assert code == 0
    assert f"{name}  " in out
    assert (tmp_path / name).exists()
    if name == "small":
        assert json.loads(glassnet("evaluate", tmp_path / name, "--json")[1])["test_accuracy"] == 1.0


def test_export_to_another_kind_is_refused(glassnet, run, tmp_path):
    assert "writes .onnx, .safetensors, .pth files" in glassnet("export", run[0], tmp_path / "net.h5")[2]


def test_a_run_is_interrupted_and_resumed(glassnet, shapes, tmp_path, monkeypatch):
    from glassnet.training.checkpoint import Checkpoint

    words = ("train", "lenet5", "--data", shapes, *QUICK, "--set", "max_iter=3", "--json")
    whole = json.loads(glassnet(*words, "--out", tmp_path / "whole")[1])
    observe = Checkpoint.observe

    def interrupt(self, state):
        observe(self, state)
        if state.epoch == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(Checkpoint, "observe", interrupt)
    code, out, err = glassnet(*words, "--out", tmp_path / "cut")
    assert (code, out) == (130, "")
    assert "interrupted" in err
    assert "--resume" in err
    assert len(checkpoints(tmp_path / "cut" / "checkpoints")) == 1
    monkeypatch.undo()
    monkeypatch.setenv("GLASSNET_DATA", str(tmp_path))
    again = json.loads(glassnet(*words, "--out", tmp_path / "cut", "--resume")[1])
    assert again["train_accuracy"] == whole["train_accuracy"]


def test_a_run_that_diverges_keeps_the_best_weights(glassnet, shapes, tmp_path):
    words = ("train", "lenet5", "--data", shapes, *QUICK, "--set", "solver=sgd", "--set", "learning_rate_init=1e30")
    code, out, err = glassnet(*words, "--set", "max_iter=9", "--out", tmp_path / "run")
    assert (code, out) == (1, ""), err
    assert "The loss became" in err
    assert "Try a smaller learning_rate_init" in err
    assert "test accuracy" in glassnet("evaluate", tmp_path / "run")[1]


def test_options_for_picture_files_are_refused_elsewhere(glassnet):
    code, _, err = glassnet("train", "mlp", "--data", "digits", "--resize", 16)
    assert (code, "--resize is for picture files, not for digits" in err) == (2, True)
    assert "There is no folder or file nowhere/at/all" in glassnet("train", "mlp", "--data", "nowhere/at/all")[2]


def test_dense_networks_learn_pictures_too(glassnet, shapes):
    code, out, _ = glassnet("train", "mlp", "--data", shapes, "--set", "max_iter=20", "--set", "tol=None", "--json")
    assert code == 0
    assert json.loads(out)["test_accuracy"] == 1.0


def test_logs(glassnet, shapes, tmp_path):
    words = ("train", "lenet5", "--data", shapes, *QUICK, "--set", "max_iter=2", "--json")
    assert glassnet(*words, "--jsonl", tmp_path / "log.jsonl")[0] == 0
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in rows] == [1, 2]
    assert {"step", "loss", "accuracy", "samples_per_second", "learning_rate"} <= set(rows[0])


@pytest.mark.parametrize(("network", "data"), RECIPES)
def test_recipes_set_parameters_that_there_are(network, data):
    texts, tables = registry.TEXT_ESTIMATORS, registry.NETWORKS | registry.TEXT_ESTIMATORS
    assert network in tables | registry.MODULES
    assert data == "pictures" or data in registry.DATA or network in texts
    made = network if network in tables else "module"
    estimator = registry.resolve(tables | registry.MODULE_ESTIMATORS, "network", made)
    assert set(RECIPES[network, data]) <= set(estimator().get_params(deep=False))
