"""A killed run goes on as if nothing had happened. Run as a script, this file is the run that is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

from glassnet import MLPClassifier
from glassnet.errors import GlassnetWarning, InvalidInputError, RunFolderError
from glassnet.estimators.module import ModuleClassifier
from glassnet.learning.dropout import Dropout
from glassnet.training.checkpoint import BEST, Checkpoint, checkpoints, read, resume
from glassnet.training.loop import advance
from glassnet.training.observers import Observer

EPOCHS, STEPS_PER_EPOCH = 5, 5
RNG = np.random.default_rng(0)
X = RNG.integers(256, size=(66, 1, 8, 8)).astype(np.uint8)
Y = RNG.integers(3, size=66)


def network() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), Dropout(0.2), nn.Dropout(0.2), nn.Flatten(),
        nn.Linear(144, 3),
    )  # fmt: skip


def classifier(max_iter: int = EPOCHS) -> ModuleClassifier:
    return ModuleClassifier(
        network, solver="sgd", momentum=0.9, alpha=1e-3, learning_rate="cosine", learning_rate_init=0.05,
        augment="crop-flip", label_smoothing=0.1, batch_size=14, max_iter=max_iter, tol=None, random_state=7,
    )  # fmt: skip


class Signal(Observer):
    """Sends its own process a signal in the middle of the third epoch."""

    def __init__(self, number):
        self.number = number

    def next_event(self, step):
        middle = 2 * STEPS_PER_EPOCH + 2
        return middle if step < middle else None

    def observe(self, state):
        os.kill(os.getpid(), self.number)


@pytest.fixture
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize(
    ("number", "code", "kept"),
    [
        (signal.SIGKILL, -signal.SIGKILL, ["epoch-00001.safetensors", "epoch-00002.safetensors"]),
        (signal.SIGTERM, 143, ["epoch-00002.safetensors", "epoch-00002.step-0000002.safetensors"]),
    ],
)
def test_a_killed_fit_goes_on_to_the_same_bits(tmp_path, number, code, kept):
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    killed = subprocess.run([sys.executable, __file__, tmp_path, str(int(number))], env=environment, check=False)
    assert killed.returncode == code
    assert [path.name for path in checkpoints(tmp_path)] == kept
    straight = classifier().fit(X, Y)
    resumed = classifier().fit(X, Y, observers=[Checkpoint(tmp_path)], resume=tmp_path)
    assert_same(straight, resumed)
    assert read(checkpoints(tmp_path)[-1])[1]["losses"] == straight.loss_curve_


@pytest.mark.usefixtures("one_thread")
def test_ctrl_c_keeps_the_steps_of_the_epoch(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        classifier().fit(X, Y, observers=[Checkpoint(tmp_path), Signal(signal.SIGINT)])
    assert checkpoints(tmp_path)[-1].name == "epoch-00002.step-0000002.safetensors"
    assert_same(classifier().fit(X, Y), classifier().fit(X, Y, observers=[Checkpoint(tmp_path)], resume=tmp_path))


def assert_same(straight, resumed):
    assert {"parameters", "velocity", "buffer:1.running_var"} < set(straight.state_.arrays)
    for name, array in straight.state_.arrays.items():
        np.testing.assert_array_equal(array, resumed.state_.arrays[name])
    assert (straight.state_.step, straight.n_iter_) == (resumed.state_.step, resumed.n_iter_)
    assert straight.loss_curve_ == resumed.loss_curve_


def test_the_best_by_a_measure_is_kept_also_across_a_resume(tmp_path):
    values = iter([3.0, 1.0, 2.0, 5.0, 4.0])

    def watch():
        return Checkpoint(tmp_path, keep=1, measure=lambda: next(values))

    classifier(2).fit(X, Y, observers=[watch()])
    classifier().fit(X, Y, observers=[watch()], resume=tmp_path)
    assert read(tmp_path / BEST)[0]["epoch"] == 2
    assert [path.name for path in checkpoints(tmp_path)] == ["epoch-00005.safetensors"]
    assert read(tmp_path / "epoch-00005.safetensors")[1]["best"] == 1.0


def test_a_dense_network_is_checkpointed_too(tmp_path):
    rows = X.reshape(66, -1) / 255
    net = MLPClassifier((5,), max_iter=3, tol=None, random_state=0)
    net.fit(rows, Y, observers=[Checkpoint(tmp_path)])
    state = net.initialize(rows, Y)
    resume(tmp_path / "epoch-00002.safetensors", state)
    assert state.epoch == 2
    advance(state, state.steps_per_epoch)
    np.testing.assert_array_equal(
        state.arrays["parameters"], read(checkpoints(tmp_path)[-1])[0]["arrays"]["parameters"]
    )


def test_a_finished_fit_resumes_to_itself(tmp_path):
    first = classifier(2).fit(X, Y, observers=[Checkpoint(tmp_path)])
    again = classifier(2).fit(X, Y, resume=tmp_path)
    assert again.loss_curve_ == first.loss_curve_
    np.testing.assert_array_equal(again.predict_proba(X), first.predict_proba(X))


def test_what_cannot_be_resumed_says_why(tmp_path):
    with pytest.raises(RunFolderError, match="no checkpoint"):
        classifier().fit(X, Y, resume=tmp_path)
    classifier(1).fit(X, Y, observers=[Checkpoint(tmp_path)])
    with pytest.raises(RunFolderError, match="holds a run at step 5, this one is at step 0"):
        classifier(1).fit(X, Y, observers=[Checkpoint(tmp_path)])
    with pytest.raises(InvalidInputError, match="n_samples=66, but the run has 60"):
        classifier().fit(X[:60], Y[:60], resume=tmp_path)
    with pytest.raises(InvalidInputError, match="This state has arrays"):
        classifier().set_params(solver="adam").fit(X, Y, resume=tmp_path)
    with pytest.raises(InvalidInputError, match="keep=0"):
        Checkpoint(tmp_path, keep=0)
    newest = checkpoints(tmp_path)[-1]
    newest.write_bytes(newest.read_bytes()[:-9])
    with pytest.raises(RunFolderError, match="not a whole checkpoint"):
        classifier().fit(X, Y, resume=tmp_path)


@pytest.mark.usefixtures("one_thread")
def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(tmp_path):
    straight = classifier().fit(X, Y, observers=[Checkpoint(tmp_path)])
    newest = checkpoints(tmp_path)[-1]
    content = bytearray(newest.read_bytes())
    content[-1] ^= 1  # still a whole safetensors file
    newest.write_bytes(content)
    with pytest.warns(GlassnetWarning, match=r"epoch-00005\.safetensors is damaged: its checksum"):
        resumed = classifier().fit(X, Y, resume=tmp_path)
    np.testing.assert_array_equal(resumed.state_.arrays["parameters"], straight.state_.arrays["parameters"])


def test_a_disk_that_is_full_leaves_the_last_checkpoint(tmp_path, monkeypatch):
    classifier(1).fit(X, Y, observers=[Checkpoint(tmp_path)])
    before = checkpoints(tmp_path)[-1].read_bytes()

    def full(self, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        classifier(2).fit(X, Y, observers=[Checkpoint(tmp_path)], resume=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["epoch-00001.safetensors"]
    assert checkpoints(tmp_path)[-1].read_bytes() == before


if __name__ == "__main__":
    classifier().fit(X, Y, observers=[Checkpoint(sys.argv[1]), Signal(int(sys.argv[2]))])
