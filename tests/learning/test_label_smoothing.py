"""The smoothed cross-entropy against torch's, and the path without logits against the formula."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from glassnet.learning import label_smoothing
from glassnet.learning.label_smoothing import smoothed_cross_entropy, tied_cross_entropy

close = torch.testing.assert_close


@pytest.fixture
def batch():
    noise = torch.Generator().manual_seed(0)
    features = torch.randn(7, 4, generator=noise, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(5, 4, generator=noise, dtype=torch.float64, requires_grad=True)
    return features, weight, torch.randint(5, (7,), generator=noise)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.9])
@pytest.mark.parametrize("piece", [1, 10, 1000])  # 1 row, 2 rows, all rows at once
def test_both_paths_equal_torch(batch, smoothing, piece, monkeypatch):
    monkeypatch.setattr(label_smoothing, "PIECE", piece)
    features, weight, target = batch
    expected = F.cross_entropy(features @ weight.T, target, label_smoothing=smoothing)
    expected_gradients = torch.autograd.grad(3 * expected, (features, weight))
    for loss in (
        smoothed_cross_entropy(features @ weight.T, target, smoothing),
        tied_cross_entropy(features, weight, target, smoothing),
    ):
        close(loss.double(), expected, rtol=1e-6, atol=1e-6)
        for got, wanted in zip(torch.autograd.grad(3 * loss, (features, weight)), expected_gradients, strict=True):
            close(got, wanted, rtol=1e-5, atol=1e-7)


def test_without_gradients_the_loss_is_the_same(batch):
    with torch.no_grad():
        loss = tied_cross_entropy(*batch, 0.1)
    assert not loss.requires_grad
    close(loss, tied_cross_entropy(*batch, 0.1).detach())


def test_autocast_is_near_and_gradients_stay_float32(batch):
    features, weight, target = (x.float() if x.is_floating_point() else x for x in batch)
    features, weight = features.detach().requires_grad_(), weight.detach().requires_grad_()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = tied_cross_entropy(features, weight, target, 0.1)
    expected = smoothed_cross_entropy(features @ weight.T, target, 0.1)
    assert loss.item() == pytest.approx(expected.item(), rel=0.02)
    pairs = zip(*(torch.autograd.grad(x, (features, weight)) for x in (loss, expected)), strict=True)
    for got, wanted in pairs:
        assert got.dtype == torch.float32
        assert float((got - wanted).norm() / wanted.norm()) < 0.03
