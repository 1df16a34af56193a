"""Several processes train as one would. Run as a script, this file is one of the processes."""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path

import numpy as np
import pytest
from torch import nn

from glassnet import Layer, MLPClassifier
from glassnet.errors import DistributedError, InvalidInputError
from glassnet.estimators.module import ModuleClassifier, ModuleRegressor
from glassnet.learning.dropout import Dropout
from glassnet.training.checkpoint import checkpoints
from glassnet.training.distributed import ALONE, Group, check_shared, current, joined
from glassnet.training.observers import Observer
from glassnet.training.run_folder import load_run

RNG = np.random.default_rng(0)
PICTURES = RNG.integers(256, size=(45, 1, 12, 12)).astype(np.uint8)
PHOTOS = RNG.integers(256, size=(21, 3, 32, 32)).astype(np.uint8)
LABELS = RNG.integers(3, size=45)
SETTINGS = {"solver": "sgd", "learning_rate_init": 0.05, "max_iter": 2, "tol": None, "random_state": 3}


def convolutional(norm: type[nn.Module] = nn.Identity, **options) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), norm(4), nn.ReLU(), Dropout(0.2), nn.Dropout(0.2), nn.Flatten(), nn.Linear(400, 3)
    )


def normalized() -> nn.Module:
    return convolutional(nn.BatchNorm2d)


def plain_normalized() -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(400, 3))


def perceptron(n_features: int, n_outputs: int) -> nn.Module:
    return nn.Sequential(nn.Linear(n_features, 16), nn.Tanh(), nn.Linear(16, n_outputs))


# name -> how it is fitted; 45 samples in batches of 14 leave 3 for the last batch: fewer than four processes
FITS = {
    "mlp": lambda **o: ModuleRegressor(perceptron, batch_size=14, **SETTINGS, **o).fit(
        PICTURES.reshape(45, -1), LABELS, LABELS + 0.5
    ),
    "dense": lambda **o: MLPClassifier(
        (Layer(12, norm="batch"), 8), engine="formula", **SETTINGS | {"batch_size": 15}, **o
    ).fit(PICTURES.reshape(45, -1) / 255, LABELS),
    "dense-plain": lambda **o: MLPClassifier((12, 8), batch_size=14, alpha=1e-2, **SETTINGS, **o).fit(
        PICTURES.reshape(45, -1) / 255, LABELS, LABELS + 0.5
    ),
    "dropout": lambda **o: ModuleClassifier(
        convolutional, batch_size=14, alpha=1e-3, augment="crop-flip", label_smoothing=0.1, **SETTINGS, **o
    ).fit(PICTURES, LABELS),
    "sharded": lambda **o: ModuleClassifier(
        convolutional, batch_size=14, alpha=1e-2, clip_norm=0.5, **SETTINGS, **o
    ).fit(PICTURES, LABELS),
    "sharded-batch-norm": lambda **o: ModuleClassifier(normalized, batch_size=15, **SETTINGS, **o).fit(
        PICTURES, LABELS
    ),
    "early-stopping": lambda **o: ModuleClassifier(
        convolutional,
        batch_size=10,
        early_stopping=True,
        n_iter_no_change=2,
        **SETTINGS | {"max_iter": 20, "tol": 0},
        **o,
    ).fit(PICTURES, LABELS),
    "batch-norm": lambda **o: ModuleClassifier(normalized, batch_size=15, **SETTINGS, **o).fit(PICTURES, LABELS),
    "synchronized": lambda **o: ModuleClassifier(plain_normalized, batch_size=14, **SETTINGS, **o).fit(
        PICTURES, LABELS
    ),
    "lenet5": lambda **o: ModuleClassifier("lenet5", batch_size=10, **SETTINGS, **o).fit(PHOTOS[:, :1], LABELS[:21]),
    # in float64: rounding that puts one unit of twenty normalized layers on the other side of 0 grows a thousandfold
    "resnet20": lambda **o: ModuleClassifier(
        "resnet20", precision="float64", batch_size=12, **SETTINGS | {"max_iter": 1}, **o
    ).fit(PHOTOS, LABELS[:21]),
}
# what is asked for in several processes alone
IN_PROCESSES = {
    "synchronized": {"synchronize_batch_norm": True},
    "sharded": {"sharded": True},
    "sharded-batch-norm": {"sharded": True},
}


@pytest.fixture(scope="module", params=[2, 4])
def together(request, torchrun, tmp_path_factory):
    """The arrays of every fit in two and in four processes."""
    path = tmp_path_factory.mktemp("together") / "arrays.npz"
    run = torchrun(request.param, __file__, path)
    assert run.returncode == 0, run.stderr
    return request.param, np.load(path)


@pytest.mark.parametrize("name", [name for name in FITS if name != "synchronized" and "dense" not in name])
def test_n_processes_make_the_steps_of_one_that_takes_n_parts(together, name):
    n, found = together
    alone = FITS[name](accumulate=n)
    assert alone.engine_ == "autograd"
    for key in ("parameters", "velocity"):
        tolerance = {"rtol": 1e-8, "atol": 1e-9} if name == "resnet20" else {"rtol": 2e-4, "atol": 2e-5}
        np.testing.assert_allclose(found[f"{name}/{key}"], alone.state_.arrays[key], **tolerance)
    np.testing.assert_allclose(found[f"{name}/losses"], alone.loss_curve_, rtol=1e-4)


def test_without_parts_of_their_own_they_are_one_process_to_rounding(together):
    _, found = together
    alone = FITS["mlp"]()
    np.testing.assert_allclose(found["mlp/parameters"], alone.state_.arrays["parameters"], rtol=2e-5, atol=2e-6)


def test_a_dense_network_by_the_written_out_rule_is_that_of_one_process(together):
    _, found = together
    alone = FITS["dense-plain"](engine="formula")
    assert found["dense-plain/engine"] == "formula"
    np.testing.assert_allclose(found["dense-plain/parameters"], alone.state_.arrays["parameters"], rtol=2e-4, atol=2e-6)
    np.testing.assert_allclose(found["dense-plain/losses"], alone.loss_curve_, rtol=1e-5)
    assert np.isfinite(found["dense/parameters"]).all()


def test_synchronized_batch_norm_sees_the_whole_batch(together):
    n, found = together
    alone = FITS["synchronized"]()
    for key, array in alone.state_.arrays.items():
        np.testing.assert_allclose(found[f"synchronized/{key}"], array, rtol=2e-4, atol=2e-5, err_msg=f"{n} {key}")


def test_early_stopping_ends_all_processes_at_once(together):
    _, found = together
    assert 2 < len(found["early-stopping/losses"]) < 20


def test_two_torchruns_meet_as_two_nodes(torchrun, tmp_path):
    run = torchrun(1, __file__, tmp_path / "arrays.npz", "mlp", nodes=2)
    assert run.returncode == 0, run.stderr
    found, alone = np.load(tmp_path / "arrays.npz"), FITS["mlp"]()
    assert found["ranks"].tolist() == [0, 1]
    np.testing.assert_allclose(found["mlp/parameters"], alone.state_.arrays["parameters"], rtol=2e-5, atol=2e-6)


def test_running_statistics_are_the_mean_of_the_processes(together):
    n, found = together
    assert np.isfinite(found["batch-norm/buffer:1.running_var"]).all()
    assert found["batch-norm/buffer:1.running_var"].min() > 0
    assert found["ranks"].tolist() == list(range(n))  # each rank found the arrays of rank 0 to the bit


@pytest.mark.parametrize("sharded", [False, True])
def test_the_command_line_trains_in_two_processes_and_speaks_once(torchrun, tmp_path, sharded):
    settings = {"max_iter": 1, "tol": None, "sharded": sharded}
    options = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
    run = torchrun(2, "-m", "glassnet", "train", "lenet5", "--data", "mnist5k", *options, "--json", "--out", tmp_path)
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["epochs"] == 1
    assert load_run(tmp_path).module_.training is False
    parts = [f"part-{rank}-of-2" for rank in range(2)] if sharded else ["."]
    assert [len(checkpoints(tmp_path / "checkpoints" / part)) for part in parts] == [1] * len(parts)


def test_an_estimator_starts_its_own_processes(capsys):
    n_units = 5

    def network(n_features, n_outputs):  # as in a notebook: it cannot be imported, and knows a value from around it
        return nn.Sequential(nn.Linear(n_features, n_units), nn.Tanh(), nn.Linear(n_units, n_outputs))

    X, options = PICTURES.reshape(45, -1) / 255, SETTINGS | {"batch_size": 14}
    net = ModuleRegressor(network, processes=2, verbose=True, **options).fit(X, LABELS)
    alone = ModuleRegressor(network, **options).fit(X, LABELS)
    np.testing.assert_allclose(net.state_.arrays["parameters"], alone.state_.arrays["parameters"], rtol=2e-5, atol=2e-6)
    assert net.predict(X).shape == (45,)
    assert [line.split(" loss ")[0] for line in capsys.readouterr().out.splitlines()] == ["epoch 1/2", "epoch 2/2"]


def test_processes_that_fail_say_why():
    with pytest.raises(DistributedError, match=r"(?s)The 2 processes failed:.*DivergedError: The loss became"):
        ModuleRegressor(perceptron, processes=2, **SETTINGS | {"learning_rate_init": 1e30, "batch_size": 5}).fit(
            PICTURES.reshape(45, -1) * 1.0, LABELS
        )
    with pytest.raises(InvalidInputError, match="observers cannot watch 2 other processes"):
        ModuleRegressor(perceptron, processes=2).fit([[0.0], [1.0]], [0.0, 1.0], observers=[Observer()])
    with pytest.raises(InvalidInputError, match="processes must be a whole number from 1, got 0"):
        ModuleRegressor(perceptron, processes=0).fit([[0.0], [1.0]], [0.0, 1.0])


def alone_with(monkeypatch, **variables: str) -> None:
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


def test_a_missing_variable_is_named(monkeypatch):
    alone_with(monkeypatch, WORLD_SIZE="2", RANK="0", LOCAL_RANK="0")
    with pytest.raises(DistributedError, match=r"^MASTER_ADDR, MASTER_PORT not set\. Start .* with torchrun"), joined():
        pass


def test_a_master_that_does_not_answer_is_named_with_the_time(monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    alone_with(
        monkeypatch, WORLD_SIZE="2", RANK="1", LOCAL_RANK="1", MASTER_ADDR="127.0.0.1",
        MASTER_PORT=address.partition(":")[2], GLASSNET_RENDEZVOUS_SECONDS="2",
    )  # fmt: skip
    with (
        pytest.raises(DistributedError, match=rf"Rank 1 of 2 could not meet .* at {address} in \d+ s"),
        joined(),
    ):
        pass


def test_without_torchrun_a_process_is_alone():
    with joined() as group:
        assert group == ALONE == current()
        assert group.gather("x") == ["x"]


def test_a_batch_must_have_a_sample_for_every_process(monkeypatch):
    monkeypatch.setattr("glassnet.training.distributed.current", lambda: Group(0, 4))
    engine = type("Engine", (), {"name": "autograd", "group": None})
    with pytest.raises(InvalidInputError, match="batch_size=3 is smaller than the number of processes, 4"):
        check_shared(engine, 3)
    with pytest.raises(InvalidInputError, match="'kernel' works in one process, but 4 were started"):
        check_shared(type("Engine", (), {"name": "kernel"}), 8)


def _fit(path: Path, group: Group, names: list[str]) -> None:
    arrays = {}
    for name in names or FITS:
        net = FITS[name](**IN_PROCESSES.get(name, {}))
        arrays |= {f"{name}/{key}": array for key, array in net.state_.arrays.items()}
        arrays[f"{name}/losses"], arrays[f"{name}/engine"] = np.array(net.loss_curve_), np.array(net.engine_)
    told = group.gather({name: array.tobytes() for name, array in arrays.items()})
    arrays["ranks"] = np.array([rank for rank, each in enumerate(told) if each == told[0]])
    if group.leads:
        np.savez(path, **arrays)


def _main(path: str, *names: str) -> None:
    with joined() as group:
        _fit(Path(path), group, list(names))


if __name__ == "__main__":
    _main(*sys.argv[1:])
