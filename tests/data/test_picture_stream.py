"""Pictures decoded as they are needed are those decoded once; fits on them are the same and go on in mid-epoch."""

from __future__ import annotations

import tarfile
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from glassnet import Checkpoint, ModuleClassifier
from glassnet.data import load_pictures, picture_stream
from glassnet.data.picture_stream import MIXED, shard_order
from glassnet.errors import CorruptFileError, InvalidInputError
from glassnet.learning.dropout import Dropout
from glassnet.training.observers import Observer

pytestmark = pytest.mark.filterwarnings("ignore:The loss was still falling")
N, SHARD = 60, 6
IMAGES = np.random.default_rng(0).integers(256, size=(N, 4, 5, 3), dtype=np.uint8)
LABELS = ["cat", "dog", "owl"] * (N // 3)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GLASSNET_DATA", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()


def encoded(image: np.ndarray) -> bytes:
    file = BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def folder(tmp_path) -> Path:
    for i, (image, label) in enumerate(zip(IMAGES, LABELS, strict=True)):
        file = tmp_path / "folder" / ("train" if i < N - 6 else "test") / label / f"{i:03d}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(encoded(image))
    return tmp_path / "folder"


@pytest.fixture
def shards(tmp_path) -> Path:
    """Ten shards of six pictures, the last of which is to be tested on."""
    for start in range(0, N, SHARD):
        part = "train" if start < N - SHARD else "test"
        (tmp_path / "shards").mkdir(exist_ok=True)
        with tarfile.open(tmp_path / "shards" / f"{part}-{start:03d}.tar", "w") as tar:
            for i in range(start, start + SHARD):
                about, content = tarfile.TarInfo(f"{LABELS[i]}/{i:03d}.png"), encoded(IMAGES[i])
                about.size = len(content)
                tar.addfile(about, BytesIO(content))
    return tmp_path / "shards"


def network() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(60, 8), nn.ReLU(), Dropout(0.2), nn.Linear(8, 3))


def net(**options) -> ModuleClassifier:
    options = {"batch_size": 8, "max_iter": 2, "tol": None, "random_state": 0} | options
    return ModuleClassifier(network, image_shape=(3, 4, 5), **options)


class Seen(Observer):
    """Ends the fit in the middle of the second epoch, as Ctrl-C would."""

    def next_event(self, step):
        return 10 if step < 10 else None

    def observe(self, state):
        assert 0 < state.position < state.steps_per_epoch
        raise KeyboardInterrupt


@pytest.mark.parametrize("place", ["folder", "shards"])
def test_rows_are_those_that_are_decoded_once(place, request):
    path = request.getfixturevalue(place)
    once, stream = load_pictures(path), load_pictures(path, stream=True)
    assert stream.X_train.shape == once.X_train.shape
    assert stream.image_shape == once.image_shape
    np.testing.assert_array_equal(np.asarray(stream.X_train), once.X_train)
    np.testing.assert_array_equal(stream.X_train[3:5], once.X_train[3:5])
    np.testing.assert_array_equal(stream.X_train.index_select(0, torch.tensor([7, 2, 7])), once.X_train[[7, 2, 7]])
    np.testing.assert_array_equal(stream.y_test, once.y_test)
    assert stream.sha256 == load_pictures(path, stream=True).sha256


@pytest.mark.parametrize("options", [{}, {"accumulate": 3}, {"early_stopping": True, "n_iter_no_change": 1}])
def test_a_fit_is_that_on_pixels(folder, options):
    once, stream = load_pictures(folder), load_pictures(folder, stream=True)
    fits = [net(**options).fit(data.X_train, data.y_train) for data in (once, stream)]
    np.testing.assert_array_equal(*(fit.state_.arrays["parameters"] for fit in fits))
    assert fits[0].loss_curve_ == fits[1].loss_curve_
    np.testing.assert_array_equal(fits[1].predict_proba(stream.X_test), fits[0].predict_proba(once.X_test))


def test_a_fit_on_shards_goes_on_at_the_sample_where_it_stopped(shards, tmp_path):
    data = load_pictures(shards, stream=True)
    straight, again = net().fit(data.X_train, data.y_train), net()
    with pytest.raises(KeyboardInterrupt):
        again.fit(data.X_train, data.y_train, observers=[Checkpoint(tmp_path / "kept"), Seen()])
    data = load_pictures(shards, stream=True)  # as another process would
    again.fit(data.X_train, data.y_train, resume=tmp_path / "kept")
    np.testing.assert_array_equal(again.state_.arrays["parameters"], straight.state_.arrays["parameters"])


def test_an_epoch_decodes_every_picture_once_and_goes_from_shard_to_shard(shards, monkeypatch):
    decoded: list[str] = []
    true = picture_stream.decoded_picture
    monkeypatch.setattr(picture_stream, "decoded_picture", lambda s, f, m: (decoded.append(f.name), true(s, f, m))[1])
    data = load_pictures(shards, stream=True, workers=1)
    net(max_iter=1).fit(data.X_train, data.y_train)
    n = len(data.X_train)
    assert len(set(decoded[:n])) == n == N - SHARD
    assert n <= len(decoded) <= n + 8  # the first batch of an epoch that does not come was announced
    shard_of = [name.split("/")[2] for name in decoded[:n]]
    for start in range(0, n, MIXED * SHARD):
        assert len(set(shard_of[start : start + MIXED * SHARD])) <= MIXED
    assert shard_of[:SHARD] != sorted(shard_of[:SHARD])


def test_the_order_is_drawn_by_seed_and_epoch_alone():
    shards = np.repeat(np.arange(10), 7)
    orders = [shard_order(shards, seed, epoch) for seed, epoch in ((0, 0), (0, 1), (1, 0), (0, 0))]
    for order in orders:
        np.testing.assert_array_equal(np.sort(order), np.arange(70))
    np.testing.assert_array_equal(orders[0], orders[3])
    assert (orders[0] != orders[1]).any()
    assert (orders[0] != orders[2]).any()
    first = [shards[shard_order(shards, 0, epoch)[0]] for epoch in range(40)]
    assert len(set(first)) > 5


def test_what_does_not_decode_is_named(folder):
    bad = folder / "train" / "cat" / "bad.png"
    bad.write_bytes(b"no picture")
    data = load_pictures(folder, stream=True)
    with pytest.raises(CorruptFileError, match=r"train/cat/bad\.png in .*folder does not decode"):
        net().fit(data.X_train, data.y_train)
    with pytest.raises(InvalidInputError, match="corrupt='skip' takes no stream"):
        load_pictures(folder, stream=True, corrupt="skip")
    with pytest.raises(InvalidInputError, match="X has 55 samples, but y has 9"):
        net().fit(data.X_train, data.y_train[:9])
