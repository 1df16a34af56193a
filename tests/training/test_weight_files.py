"""Weights read from files: by name, never by running what a pickle holds, and every mismatch listed."""

from __future__ import annotations

import os
import pickle

import pytest
import torch
from torch import nn

from glassnet.errors import CorruptFileError, DataNotFoundError, InvalidInputError
from glassnet.training.weight_files import Mismatch, load_weights, save_weights


def network(width=3):
    return nn.Sequential(nn.Conv2d(1, width, 3), nn.BatchNorm2d(width), nn.Flatten(), nn.Linear(width * 4, 2))


def same(first, second):
    return all(
        torch.equal(a, b) for a, b in zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    )


@pytest.mark.parametrize("suffix", ["safetensors", "pth", "pt"])
def test_weights_come_back(tmp_path, suffix):
    first, second = network(), network()
    assert not same(first, second)
    assert load_weights(second, save_weights(first, tmp_path / f"w.{suffix}")) == Mismatch((), ())
    assert same(first, second)


@pytest.mark.parametrize("wrap", [lambda w: {"state_dict": w, "epoch": 3}, lambda w: {"model": w}])
def test_a_checkpoint_of_torch_s_own_kind(tmp_path, wrap):
    first, second = network(), network()
    parallel = {f"module.{name}": value for name, value in first.state_dict().items()}
    torch.save(wrap(parallel), tmp_path / "w.pth")
    load_weights(second, tmp_path / "w.pth")
    assert same(first, second)


def test_weights_of_another_network_are_listed_and_change_nothing(tmp_path):
    net, before = network(), network()
    before.load_state_dict(net.state_dict())
    save_weights(nn.Sequential(nn.Linear(2, 2)), tmp_path / "a.pth")
    with pytest.raises(
        InvalidInputError, match=r"missing: 1\.weight, .*of another shape: 0\.weight \(2, 2\) instead of"
    ):
        load_weights(net, tmp_path / "a.pth")
    save_weights(network(4), tmp_path / "b.pth")
    with pytest.raises(
        InvalidInputError, match=r"0\.weight \(4, 1, 3, 3\) instead of \(3, 1, 3, 3\), .* and 1 more|3\.w"
    ):
        load_weights(net, tmp_path / "b.pth")
    more = {**net.state_dict(), "head.weight": torch.zeros(1)}
    del more["3.bias"]
    torch.save(more, tmp_path / "c.pth")
    with pytest.raises(InvalidInputError, match=r"missing: 3\.bias; unknown: head\.weight\."):
        load_weights(net, tmp_path / "c.pth")
    assert same(net, before)
    assert load_weights(net, tmp_path / "c.pth", strict=False) == Mismatch(("3.bias",), ("head.weight",))


class Evil:
    def __reduce__(self):
        return os.system, ("touch was_run",)


def test_a_pickle_that_is_not_weights_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"weight": Evil()}, "a.pth")
    (tmp_path / "b.pth").write_bytes(pickle.dumps(Evil(), protocol=2))
    torch.save({"weight": [1, 2]}, "c.pth")
    for name in ("a.pth", "b.pth", "c.pth"):
        with pytest.raises(CorruptFileError, match=name):
            load_weights(network(), name)
    assert not (tmp_path / "was_run").exists()


@pytest.mark.parametrize("suffix", ["safetensors", "pth"])
def test_a_truncated_file_is_named(tmp_path, suffix):
    path = save_weights(network(), tmp_path / f"w.{suffix}")
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CorruptFileError, match=f"w.{suffix}"):
        load_weights(network(), path)


def test_what_is_no_file_of_weights(tmp_path):
    with pytest.raises(DataNotFoundError, match="no file"):
        load_weights(network(), tmp_path / "w.pth")
    (tmp_path / "w.txt").write_text("1")
    with pytest.raises(InvalidInputError, match="safetensors"):
        load_weights(network(), tmp_path / "w.txt")
