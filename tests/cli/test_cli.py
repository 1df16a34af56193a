from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from glassnet import __version__, registry
from glassnet.cli import main as cli
from glassnet.data import load
from glassnet.training.run_folder import CONFIG, WEIGHTS, load_run, read_config

QUICK = ["--set", "max_iter=3", "--set", "hidden_layer_sizes=8"]


@pytest.fixture
def glassnet(monkeypatch, capsys):
    """Run the command line in this process; return its exit code and what it printed."""

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["glassnet", *map(str, words)])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        printed = capsys.readouterr()
        return stop.value.code or 0, printed.out, printed.err

    return run


@pytest.fixture(scope="module")
def digits_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "digits"
    command = [sys.executable, "-m", "glassnet", "train", "mlp", "--data", "digits", "--out", folder, "--json"]
    return folder, json.loads(subprocess.check_output(command, text=True))


@pytest.fixture
def picture(tmp_path):
    """Write a held-out digit as a PNG; return its path and what it shows."""
    digits = load("digits")
    path = tmp_path / "digit.png"
    Image.fromarray((digits.X_test[0].reshape(8, 8) * 255).round().astype(np.uint8)).save(path)
    return path, digits.target_names[digits.y_test[0]]


def test_version(glassnet):
    assert glassnet("--version") == (0, f"glassnet {__version__}\n", "")


def test_help_names_every_command(glassnet):
    code, out, _ = glassnet("--help")
    assert code == 0
    assert all(f"\n  {name} " in out for name in ("list", "train", "predict", "lab"))


@pytest.mark.parametrize("words", [(), ("fly",), ("train",), ("train", "mlp"), ("lab", "--port", "many"), ("--fly",)])
def test_wrong_use_exits_with_2(glassnet, words):
    assert glassnet(*words)[0] == 2


def test_list_shows_every_name_with_a_line_of_its_own(glassnet):
    code, out, _ = glassnet("list")
    assert code == 0
    for table in (registry.NETWORKS, registry.DATA, registry.EXHIBITS):
        for name in table:
            assert sum(line.startswith(f"  {name} ") and len(line.split()) > 2 for line in out.splitlines()) >= 1


def test_list_as_json(glassnet):
    code, out, _ = glassnet("list", "data", "--json")
    assert code == 0
    assert list(json.loads(out)) == ["data"]
    assert set(json.loads(out)["data"]) == {*registry.DATA, *registry.PAIRS}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("list", "cats"), "Unknown list: 'cats'. Allowed: data, exhibits, history, networks."),
        (("train", "skynet", "--data", "digits"), "Unknown network: 'skynet'. Allowed: "),
        (("train", "mlp", "--data", "digit"), "Did you mean 'digits'?"),
        (("train", "mlp", "--data", "circle", "--set", "layers=3"), "Unknown parameter of MLPClassifier: 'layers'"),
        (("train", "mlp", "--data", "circle", "--set", "max_iter"), "--set takes NAME=VALUE"),
        (("train", "mlp", "--data", "circle", "--set", "max_iter=many"), "max_iter must be"),
        (("train", "mlp", "--data", "circle", "--set", "activation=rleu"), "Did you mean 'relu'?"),
        (("train", "mlp", "--data", "reg-plane"), "mlp learns classification, but reg-plane is a regression set"),
        (("train", "mlp-regressor", "--data", "circle"), "mlp-regressor learns regression, but circle is"),
    ],
)
def test_wrong_words_are_answered_with_the_right_ones(glassnet, words, message):
    code, out, err = glassnet(*words)
    assert (code, out) == (2, "")
    assert message in err
    assert err.startswith("glassnet: ")


def test_digits_reach_97_percent_on_held_out_data(digits_run):
    folder, result = digits_run
    digits = load("digits")
    assert result["test_accuracy"] >= 0.97
    assert load_run(folder).score(digits.X_test, digits.y_test) == pytest.approx(result["test_accuracy"], abs=1e-6)


def test_run_folder_says_what_was_done(digits_run):
    folder, result = digits_run
    about = read_config(folder)["metadata"]
    assert about["data"] == "digits"
    assert about["data_sha256"] == load("digits").sha256
    assert about["metrics"]["test_accuracy"] == result["test_accuracy"]
    assert {CONFIG, WEIGHTS, "training.svg", "confusion.svg"} == {path.name for path in folder.iterdir()}


def test_same_seed_same_network_another_seed_another(glassnet):
    def losses(*words):
        code, out, _ = glassnet("train", "mlp", "--data", "circle", *QUICK, "--json", *words)
        assert code == 0
        return {name: value for name, value in json.loads(out).items() if name not in ("seconds", "seed")}

    assert losses("--seed", "3") == losses("--seed", "3")
    assert losses("--seed", "3") != losses("--seed", "4")


def test_set_has_the_last_word(glassnet, tmp_path):
    code, *_ = glassnet("train", "mlp", "--data", "digits", *QUICK, "--set", "activation=tanh", "--out", tmp_path)
    assert code == 0
    net = load_run(tmp_path)
    assert (net.hidden_layer_sizes, net.activation, net.n_iter_, net.verbose) == (8, "tanh", 3, False)


@pytest.mark.parametrize(
    ("network", "data", "measure"),
    [("mlp", "spiral", "accuracy"), ("perceptron", "gate-and", "accuracy"), ("mlp-regressor", "reg-plane", "r2")],
)
def test_every_kind_of_network_in_the_plane(glassnet, tmp_path, network, data, measure):
    code, out, _ = glassnet("train", network, "--data", data, "--set", "max_iter=30", "--out", tmp_path)
    assert code == 0
    assert f"test {measure}" in out
    assert (tmp_path / "decision_boundary.svg").stat().st_size > 1000
    assert load_run(tmp_path).predict([[0.0, 1.0]]).shape == (1,)


def test_progress_is_silent_where_there_is_no_terminal(glassnet):
    code, out, _ = glassnet("train", "mlp", "--data", "circle", *QUICK)
    assert code == 0
    assert "epoch " not in out
    assert "\x1b" not in out


def test_out_that_is_a_file_is_refused_before_training(glassnet, tmp_path):
    (tmp_path / "taken").write_text("x")
    code, _, err = glassnet("train", "mlp", "--data", "mnist", "--out", tmp_path / "taken")
    assert code == 1
    assert "taken is a file" in err


def test_diverged_training_exits_with_1_and_keeps_the_best_weights(glassnet, tmp_path):
    words = ("--set", "solver=sgd", "--set", "learning_rate_init=1e30", "--set", "activation=relu")
    code, _, err = glassnet("train", "mlp-regressor", "--data", "reg-plane", *words, "--out", tmp_path / "run")
    assert code == 1
    assert "loss became" in err
    kept = load_run(tmp_path / "run")
    assert all(np.isfinite(array).all() for array in kept.state_.arrays.values())


def test_predict(glassnet, digits_run, picture):
    path, shown = picture
    code, out, _ = glassnet("predict", digits_run[0], path, path)
    assert code == 0
    assert out.count(f"{path}: {shown} ({shown} ") == 2


def test_predict_as_json(glassnet, digits_run, picture):
    path, shown = picture
    code, out, _ = glassnet("predict", digits_run[0], path, "--json")
    assert code == 0
    (answer,) = json.loads(out)
    assert (answer["image"], answer["prediction"]) == (str(path), shown)
    assert list(answer["probabilities"]) == [str(digit) for digit in range(10)]
    assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-5)


def test_predict_without_probabilities(glassnet, tmp_path, picture):
    code, *_ = glassnet("train", "perceptron", "--data", "digits", "--set", "max_iter=20", "--out", tmp_path / "run")
    assert code == 0
    path, shown = picture
    assert glassnet("predict", tmp_path / "run", path) == (0, f"{path}: {shown}\n", "")


def test_predict_refuses_what_is_no_picture_of_that_size(glassnet, digits_run, tmp_path):
    Image.new("L", (9, 8)).save(tmp_path / "wide.png")
    (tmp_path / "text.png").write_text("no picture")
    code, _, err = glassnet("predict", digits_run[0], tmp_path / "wide.png")
    assert code == 2
    assert "8" in err
    assert "9" in err
    assert glassnet("predict", digits_run[0], tmp_path / "wide.png", "--resize")[0] == 0
    assert glassnet("predict", digits_run[0], tmp_path / "text.png")[0] == 1
    assert glassnet("predict", digits_run[0], tmp_path / "nowhere.png")[0] == 1


def test_predict_refuses_a_folder_that_holds_no_run(glassnet, tmp_path, picture):
    code, out, err = glassnet("predict", tmp_path, picture[0])
    assert (code, out) == (1, "")
    assert f"{CONFIG} and {WEIGHTS} missing" in err


def test_predict_refuses_a_run_on_other_data(glassnet, tmp_path, picture):
    assert glassnet("train", "perceptron", "--data", "gate-or", "--out", tmp_path / "or")[0] == 0
    code, _, err = glassnet("predict", tmp_path / "or", picture[0])
    assert code == 2
    assert "'gate-or', whose samples are not pictures" in err


def test_the_lab_takes_a_network_of_ones_own(glassnet, tmp_path):
    from glassnet.lab import shown_networks

    link = ("--export", str(tmp_path / "own.html"), "--link", "resnet#network=own")
    try:
        code, _, err = glassnet("lab", "--network", "nowhere", *link)
        assert code == 1
        assert "no run folder nowhere" in err
        assert glassnet("lab", "--network", "resnet20-cifar10", *link)[0] == 0
        assert (tmp_path / "own.html").stat().st_size > 100_000
    finally:
        shown_networks._offered.clear()


def test_lab_refuses_an_address_that_is_not_ours(glassnet):
    code, _, err = glassnet("lab", "--host", "192.0.2.1", "--no-browser")
    assert code == 2
    assert "Cannot listen at 192.0.2.1" in err


@pytest.mark.data
@pytest.mark.slow
def test_mnist_reaches_98_percent(glassnet):
    code, out, _ = glassnet("train", "mlp", "--data", "mnist", "--json")
    assert code == 0
    assert json.loads(out)["test_accuracy"] >= 0.98


def test_a_network_that_learns_without_answers(glassnet, tmp_path, picture):
    words = ("--set", "n_components=16", "--set", "max_iter=2")
    code, out, _ = glassnet("train", "rbm", "--data", "digits", *words, "--out", tmp_path / "run", "--json")
    assert code == 0
    result = json.loads(out)
    digits, rbm = load("digits"), load_run(tmp_path / "run")
    expected = rbm.score_samples(digits.X_test).mean()  # 64 units: none is left out
    assert result["test_pseudo_likelihood"] == pytest.approx(expected, abs=1e-3)
    drawn = {"training.svg", "filters.svg", "reconstructions.svg", "dreams.svg"}
    assert {CONFIG, WEIGHTS, *drawn} == {path.name for path in (tmp_path / "run").iterdir()}
    code, _, err = glassnet("predict", tmp_path / "run", picture[0])
    assert code != 0
    assert "learned without answers" in err


def test_a_module_s_training_goes_on_from_the_last_epoch(glassnet, tmp_path):
    def train(folder, *words):
        options = ["--set", "learning_rate=constant", "--set", "batch_size=500", "--out", folder, "--json"]
        code, out, err = glassnet("train", "lenet5", "--data", "mnist5k", "--set", "tol=None", *options, *words)
        return (code, json.loads(out)) if code == 0 else (code, err)

    straight, broken = tmp_path / "straight", tmp_path / "broken"
    assert train(straight, "--set", "max_iter=2")[1]["epochs"] == 2
    assert train(broken, "--set", "max_iter=1")[0] == 0
    code, err = train(broken, "--set", "max_iter=2")
    assert code == 1
    assert "holds a run: add --resume" in err
    assert train(broken, "--set", "max_iter=2", "--resume")[1]["epochs"] == 2
    a, b = load_run(straight), load_run(broken)
    np.testing.assert_allclose(a.state_.arrays["parameters"], b.state_.arrays["parameters"], atol=1e-4)
    assert a.loss_curve_ == pytest.approx(b.loss_curve_, rel=1e-4)
    assert a.module == "lenet5"


def test_resume_needs_a_folder_and_a_network_that_keeps_epochs(glassnet, tmp_path):
    assert "give that folder" in glassnet("train", "lenet5", "--data", "mnist5k", "--resume")[2]
    code, _, err = glassnet("train", "mlp", "--data", "circle", "--resume", "--out", tmp_path)
    assert code == 2
    assert "--resume is for networks that keep every epoch: lenet5" in err


def test_record_says_all_that_is_needed_to_run_it_again(glassnet, tmp_path):
    path = tmp_path / "results" / "circle.json"
    words = ("train", "mlp", "--data", "circle", *QUICK, "--seed", "3", "--record", path)
    code, out, _ = glassnet(*words, "--json")
    assert code == 0
    record, result = json.loads(path.read_text()), json.loads(out)
    assert record["command"] == " ".join(["glassnet", *map(str, words[:-2]), "--json"])  # not where it went
    assert record["data_sha256"] == load("circle").sha256
    assert (record["seed"], record["parameters"]["max_iter"]) == (3, 3)
    assert record["metrics"] == {name: result[name] for name in ("epochs", "train_accuracy", "test_accuracy")}
    assert record["seconds"] == pytest.approx(result["seconds"], abs=0.06)
    assert record["peak_memory_mb"] > 50
    assert {"glassnet", "torch", "python"} <= set(record["versions"])


@pytest.mark.filterwarnings("default")
def test_a_hopfield_network_recalls_the_first_picture_of_every_class(glassnet, tmp_path):
    code, out, err = glassnet("train", "hopfield", "--data", "digits", "--out", tmp_path / "run", "--json")
    assert code == 0
    assert "those above 0.5 became +1" in err
    result, network = json.loads(out), load_run(tmp_path / "run")
    digits = load("digits")
    first = [np.flatnonzero(digits.y_train == k)[0] for k in range(10)]
    np.testing.assert_array_equal(network.patterns_, np.where(digits.X_train[first] > 0.5, 1, -1))
    assert (result["patterns"], result["load"]) == (10, 10 / 64)
    assert result["bits_right"] > 0.95
    assert result["largest_rise_of_energy"] <= 0
    assert {CONFIG, WEIGHTS, "energy.svg", "recall.svg"} == {path.name for path in (tmp_path / "run").iterdir()}


@pytest.mark.parametrize("network", ["dbn", "dbn-generative"])
def test_a_deep_belief_network_goes_on_where_it_stopped(glassnet, tmp_path, network):
    def train(folder, *words):
        sizes = ("--set", "hidden_layer_sizes=20,15", "--set", "pretrain_iter=2", "--set", "batch_size=50")
        code, out, err = glassnet("train", network, "--data", "digits", *sizes, "--out", folder, "--json", *words)
        return (code, json.loads(out)) if code == 0 else (code, err)

    straight, broken = tmp_path / "straight", tmp_path / "broken"
    assert train(straight, "--set", "max_iter=3")[1]["epochs"] == 3
    assert train(broken, "--set", "max_iter=1")[0] == 0
    code, err = train(broken, "--set", "max_iter=3")
    assert code == 1
    assert "holds a run: add --resume" in err
    assert train(broken, "--set", "max_iter=3", "--resume")[1]["epochs"] == 3
    a, b = load_run(straight), load_run(broken)
    np.testing.assert_array_equal(a.predict_proba(load("digits").X_test), b.predict_proba(load("digits").X_test))
    drawn = {"training.svg", "confusion.svg", "filters.svg", "reconstructions.svg", "dreams.svg"}
    assert {CONFIG, WEIGHTS, *drawn} == {path.name for path in straight.iterdir()}
