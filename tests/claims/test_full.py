"""The full scale's own ways through claims, on data so small that they cost nothing."""

from __future__ import annotations

import numpy as np
import pytest

from glassnet.claims import layers_separate, plain_residual, pretraining, relu_faster
from glassnet.claims.claim import Scale
from glassnet.data import load
from glassnet.data.dataset import Dataset, pixel_names


def pictures(n: int = 40, side: int = 16) -> Dataset:
    """Return coloured noise in two classes, of which one is darker."""
    rng = np.random.default_rng(0)
    y = np.arange(n) % 2
    X = (rng.integers(256, size=(n, 3 * side * side)) // (1 + y[:, None])).astype(np.uint8)
    return Dataset("noise", X, y, X, y, pixel_names(side, side, 3), ("a", "b"), "classification", (3, side, side))


@pytest.fixture
def full(tmp_path):
    return Scale(True, tmp_path)


def test_plain_and_residual_nets_are_kept_piece_by_piece(full, monkeypatch):
    how = plain_residual.FULL | {"max_iter": 2, "batch_size": 20, "precision": "float32"}
    monkeypatch.setattr(plain_residual, "FULL", how)
    monkeypatch.setattr(plain_residual, "load", lambda name, **options: pictures())
    claim = plain_residual.plain_residual(full)
    assert claim.expected_verdict == "holds"
    assert claim.undecided == ""
    assert set(claim.curves) == {"plain 20", "plain 56", "residual 20", "residual 56"}
    assert claim.curves["plain 20"]["epoch"] == [1, 2]
    assert {path.stem for path in full.folder.glob("*.json")} == {f"{name} 0" for name in claim.curves}
    monkeypatch.setattr(plain_residual, "error_curves", lambda *_: pytest.fail("all is there, but it learns again"))
    assert plain_residual.plain_residual(full).curves == claim.curves


def test_activations_are_compared_at_the_rate_that_is_best_for_each(full, monkeypatch):
    monkeypatch.setattr(relu_faster, "load", lambda name, **options: pictures())
    monkeypatch.setattr(relu_faster, "_until_reached", lambda net, data: errors[net.learning_rate_init])
    errors = {0.01: [0.9, 0.5, 0.2], 0.03: [0.8, 0.25], 0.1: [0.9] * 60}
    claim = relu_faster.relu_faster(full)
    found = {m.what: m.value for m in claim.measured}
    assert found["epochs, relu"] == found["epochs, tanh"] == 2
    assert found["learning rate, tanh"] == 0.03
    assert found["epochs to 25% training error, tanh over ReLU"] == 1
    assert claim.verdict == "fails"


def test_four_layers_learn_and_stop_at_the_target(monkeypatch):
    data = pictures(100)
    monkeypatch.setattr(relu_faster, "load", lambda name, **options: data)
    errors = relu_faster._errors(Scale(), data, "relu", 0.01, 0, 30)
    assert errors[-1] <= 0.25 < min(errors[:-1], default=1)
    layers = relu_faster.four_layers((3, 16, 16), 2, "tanh", (4, 4, 8))
    assert [type(layer).__name__ for layer in layers].count("Tanh") == 3


@pytest.mark.data
def test_classes_of_photographs_are_looked_for_in_the_residual_net(monkeypatch):
    monkeypatch.setattr(layers_separate, "load", lambda name, **options: load(name, per_class=10))
    monkeypatch.setattr(layers_separate, "N_DRAWN", 50)
    subject = layers_separate.photographs()
    names = np.array(subject.data.target_names)[subject.data.y_test]
    assert set(names[subject.coarse == 0]) == {"airplane", "automobile", "ship", "truck"}
    seen = layers_separate._look(subject, 40, range(2))
    assert list(seen["values"]) == ["input", "layer2", "layer3", "avgpool"]
    assert np.shape(seen["values"]["avgpool"]) == (2, 4)
    gain = layers_separate._measured(subject, seen)[0]
    assert gain.value > 0.2, "ResNet-20 knows CIFAR-10, pixels do not"


def test_fits_of_deep_nets_are_kept_one_by_one(full):
    seen = []

    def accuracy(data, depth, seed, epochs):
        seen.append(seed)
        return 0.5

    for _ in range(2):
        assert pretraining._kept(full, accuracy, pictures(), 1, 0, 1) == 0.5
    assert seen == [0]
