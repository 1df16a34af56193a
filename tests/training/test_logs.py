"""Logs hold the numbers that the fit itself keeps, epoch by epoch."""

from __future__ import annotations

import builtins
import json

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import nn

from glassnet import MLPClassifier, ModuleClassifier
from glassnet.errors import MissingDependencyError
from glassnet.training.checkpoint import Checkpoint
from glassnet.training.logs import JsonLog, TensorBoardLog

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 2)).astype(np.float32)
Y = (X[:, 0] > 0).astype(int)
OPTIONS = {"max_iter": 4, "tol": None, "batch_size": 10, "random_state": 0, "learning_rate": "cosine"}


def classifier(**options):
    return ModuleClassifier(nn.Linear(2, 2), **OPTIONS | {"learning_rate_init": 0.1} | options)


def rows(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_json_lines_hold_each_epoch(tmp_path):
    net = classifier().fit(X, Y, observers=[JsonLog(tmp_path / "logs" / "a.jsonl")])
    log = rows(tmp_path / "logs" / "a.jsonl")
    assert [(row["epoch"], row["step"]) for row in log] == [(1, 4), (2, 8), (3, 12), (4, 16)]
    np.testing.assert_allclose([row["loss"] for row in log], net.loss_curve_)
    assert all(0 <= row["accuracy"] <= 1 and row["samples_per_second"] > 0 for row in log)
    assert log[-1]["learning_rate"] == net.state_.engine.solver.rates(15, 1)[0]


def test_accuracy_is_that_of_the_weights_before_each_step(tmp_path):
    frozen = classifier(solver="sgd", learning_rate_init=1e-12, batch_size=40, max_iter=1)
    frozen.fit(X, Y, observers=[JsonLog(tmp_path / "a.jsonl")])
    assert rows(tmp_path / "a.jsonl")[0]["accuracy"] == pytest.approx(frozen.score(X, Y))


def test_a_resumed_run_goes_on_in_its_log(tmp_path):
    log = tmp_path / "a.jsonl"
    classifier(max_iter=2).fit(X, Y, observers=[Checkpoint(tmp_path), JsonLog(log)])
    classifier().fit(X, Y, observers=[Checkpoint(tmp_path), JsonLog(log)], resume=tmp_path)
    assert [row["epoch"] for row in rows(log)] == [1, 2, 3, 4]
    classifier(max_iter=1).fit(X, Y, observers=[JsonLog(log)])
    assert [row["epoch"] for row in rows(log)] == [1]


def test_validation_loss_is_logged(tmp_path):
    net = classifier(early_stopping=True, n_iter_no_change=9)
    log = JsonLog(tmp_path / "a.jsonl", lambda: net.validation_loss_curve_[-1])
    with pytest.warns(UserWarning, match="still falling"):
        net.set_params(tol=1e-9).fit(X, Y, observers=[log])
    assert [row["validation_loss"] for row in rows(log.path)] == net.validation_loss_curve_


def test_other_engines_have_no_accuracy(tmp_path):
    net = MLPClassifier((3,), **OPTIONS)
    net.fit(X, Y, observers=[JsonLog(tmp_path / "a.jsonl")])
    assert "accuracy" not in rows(tmp_path / "a.jsonl")[0]
    np.testing.assert_allclose([row["loss"] for row in rows(tmp_path / "a.jsonl")], net.loss_curve_, rtol=1e-5)


def test_tensorboard_reads_the_events(tmp_path):
    net = classifier().fit(X, Y, observers=[TensorBoardLog(tmp_path)])
    events = EventAccumulator(str(tmp_path)).Reload()
    assert {"loss", "accuracy", "learning_rate", "samples_per_second"} <= set(events.Tags()["scalars"])
    losses = events.Scalars("loss")
    assert [event.step for event in losses] == [1, 2, 3, 4]
    np.testing.assert_allclose([event.value for event in losses], net.loss_curve_, rtol=1e-6)


def test_missing_tensorboard_is_named(tmp_path, monkeypatch):
    found = builtins.__import__

    def without(name, *more, **options):
        if name == "torch.utils.tensorboard":
            raise ImportError(name)
        return found(name, *more, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingDependencyError, match=r"pip install 'glassnet\[tensorboard\]'"):
        TensorBoardLog(tmp_path)
