from __future__ import annotations

import json
import multiprocessing
import signal
import time
import warnings

import numpy as np
import pytest
from sklearn.base import is_classifier

from glassnet import Layer, MLPClassifier, MLPRegressor
from glassnet.errors import InvalidInputError, RunFolderError
from glassnet.registry import NETWORKS, resolve
from glassnet.training.loop import advance
from glassnet.training.run_folder import CONFIG, NEXT_CONFIG, WEIGHTS, load_run, read_config, save_run

X = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)
labels = np.where(X[:, 0] > 0, "right", "left")


@pytest.fixture(scope="module")
def net():
    return MLPClassifier((5, Layer(3, "tanh")), max_iter=4, tol=None, random_state=0).fit(X, labels)


@pytest.fixture
def run(net, tmp_path):
    return save_run(tmp_path / "run", net, {"data": "ours", "metrics": {"accuracy": 0.5}})


def test_loaded_network_predicts_the_same(net, run):
    same = load_run(run)
    np.testing.assert_array_equal(same.predict_proba(X), net.predict_proba(X))
    np.testing.assert_array_equal(same.predict(X), net.predict(X))
    assert same.get_params() == net.get_params()
    assert same.loss_curve_ == net.loss_curve_


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_that_has_a_name(name, tmp_path):
    net = resolve(NETWORKS, "network", name)(random_state=0, max_iter=3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # three epochs are too few
        net.fit(X, labels if is_classifier(net) else X[:, 0])
    same = load_run(save_run(tmp_path, net))
    assert type(same) is type(net)
    answer = "predict" if hasattr(net, "predict") else "transform"
    np.testing.assert_array_equal(getattr(same, answer)(X), getattr(net, answer)(X))
    assert vars(same).keys() == vars(net).keys()


def test_regressor_with_tuples_and_infinite_values(tmp_path):
    net = MLPRegressor((4,), max_iter=3, tol=-np.inf, random_state=0, n_iter_no_change=99)
    net.set_params(tol=None).fit(X, X[:, :2])
    net.set_params(tol=float("inf"))
    same = load_run(save_run(tmp_path, net))
    assert same.tol == float("inf")
    np.testing.assert_array_equal(same.predict(X), net.predict(X))


def test_feature_names_are_kept(tmp_path):
    import pandas as pd

    table = pd.DataFrame(X, columns=["a", "b", "c"])
    net = MLPClassifier((4,), max_iter=2, tol=None, random_state=0).fit(table, labels)
    same = load_run(save_run(tmp_path, net))
    assert same.feature_names_in_.dtype == object
    np.testing.assert_array_equal(same.predict(table), net.predict(table))
    with pytest.raises(ValueError, match="feature names"):
        same.predict(table.rename(columns={"a": "z"}))


def test_fit_goes_on_as_if_it_had_not_been_saved(run, net):
    """One more epoch after loading equals one more epoch without: the optimizer state is kept."""
    import copy

    went_on = copy.deepcopy(net).partial_fit(X, labels)
    np.testing.assert_array_equal(load_run(run).partial_fit(X, labels).predict_proba(X), went_on.predict_proba(X))


def test_state_without_its_data_refuses_to_advance(run):
    with pytest.raises(InvalidInputError, match="partial_fit"):
        advance(load_run(run).state_, 1)


def test_config_says_what_was_saved(run):
    config = read_config(run)
    assert config["network"] == "mlp"
    assert config["parameters"]["random_state"] == 0
    assert config["metadata"] == {"data": "ours", "metrics": {"accuracy": 0.5}}
    assert {"glassnet", "python", "torch"} <= set(config["versions"])


def test_run_has_two_files_and_no_pickle(run):
    assert sorted(path.name for path in run.iterdir()) == [CONFIG, WEIGHTS]
    json.loads((run / CONFIG).read_text(), parse_constant=pytest.fail)


def test_what_is_not_plain_data_is_refused_and_nothing_written(net, tmp_path):
    odd = MLPClassifier(max_iter=1, tol=None, random_state=np.random.RandomState(0)).fit(X, labels)
    with pytest.raises(InvalidInputError, match="random_state is a RandomState"):
        save_run(tmp_path / "run", odd)
    assert not (tmp_path / "run").exists()


def test_other_estimators_are_refused(tmp_path):
    from sklearn.linear_model import Perceptron

    with pytest.raises(InvalidInputError, match=r"knows by name.*linear_model"):
        save_run(tmp_path, Perceptron())


def test_folder_that_is_a_file(net, tmp_path):
    (tmp_path / "taken").write_text("x")
    with pytest.raises(RunFolderError, match="is a file"):
        save_run(tmp_path / "taken", net)


def test_missing_folder(tmp_path):
    with pytest.raises(RunFolderError, match="There is no run folder"):
        load_run(tmp_path / "nowhere")


@pytest.mark.parametrize("name", [CONFIG, WEIGHTS])
def test_half_written(run, name):
    (run / name).unlink()
    with pytest.raises(RunFolderError, match=f"{name} missing"):
        load_run(run)


@pytest.mark.parametrize("position", [10, -10])
def test_damaged_weights(run, position):
    content = bytearray((run / WEIGHTS).read_bytes())
    content[position] ^= 1
    (run / WEIGHTS).write_bytes(content)
    with pytest.raises(RunFolderError, match="is not the file"):
        load_run(run)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "null"])
def test_config_that_is_none(run, text):
    (run / CONFIG).write_text(text)
    with pytest.raises(RunFolderError, match="not the config"):
        load_run(run)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("network", "skynet"),
        ("parameters", {"no_such": 1}),
        ("fitted", {"state_": {"NoSuchClass": {}}}),
        ("fitted", {"state_": {"array": "no such array"}}),
        ("fitted", None),
    ],
)
def test_config_that_does_not_fit(run, key, value):
    config = json.loads((run / CONFIG).read_text())
    (run / CONFIG).write_text(json.dumps(config | {key: value}))
    with pytest.raises(RunFolderError, match="damaged"):
        load_run(run)


def test_other_format(run):
    config = json.loads((run / CONFIG).read_text())
    (run / CONFIG).write_text(json.dumps(config | {"format": 99}))
    with pytest.raises(RunFolderError, match=r"format 99; this glassnet .* reads format 1"):
        load_run(run)


@pytest.mark.parametrize("first", [True, False])
def test_killed_between_weights_and_config(run, net, tmp_path, first):
    """The one moment at which two files do not fit: the next config stands in for the old."""
    other = MLPClassifier((2,), max_iter=1, tol=None, random_state=1).fit(X, labels)
    newer = save_run(tmp_path / "newer", other)
    (newer / CONFIG).rename(run / NEXT_CONFIG)
    (newer / WEIGHTS).rename(run / WEIGHTS)
    if first:
        (run / CONFIG).unlink()
    np.testing.assert_array_equal(load_run(run).predict_proba(X), other.predict_proba(X))


def save_for_ever(folder, nets, saving):
    while True:
        for seed, net in enumerate(nets):
            save_run(folder, net, {"seed": seed})
        saving.set()


def test_kill_while_saving_leaves_a_whole_run(tmp_path):
    nets = [
        MLPClassifier((50,), max_iter=1, tol=None, random_state=seed).fit(np.eye(99), np.arange(99) % 2)
        for seed in (0, 1)
    ]
    rng, fork = np.random.default_rng(0), multiprocessing.get_context("fork")
    for _ in range(20):
        saving = fork.Event()
        process = fork.Process(target=save_for_ever, args=(tmp_path, nets, saving))
        process.start()
        assert saving.wait(30)
        time.sleep(rng.uniform(0, 0.01))
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL
        net = load_run(tmp_path)
        seed = read_config(tmp_path)["metadata"]["seed"]
        np.testing.assert_array_equal(net.predict_proba(np.eye(99)), nets[seed].predict_proba(np.eye(99)))
