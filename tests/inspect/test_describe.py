"""The table of layers against counts made by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.neural_network import MLPClassifier
from torch import nn

from glassnet.errors import ForwardError
from glassnet.inspect.describe import LayerRow, describe
from glassnet.networks.lenet import LeNet5
from glassnet.networks.resnet import ResNet


def test_lenet_as_the_paper_counts_it():
    table = describe(LeNet5("1998"), torch.zeros(2, 1, 28, 28))
    assert list(table) == [
        LayerRow("c1", "Conv2d", (2, 6, 28, 28), 156, 1),
        LayerRow("s2", "Subsampling", (2, 6, 14, 14), 12, 1),
        LayerRow("c3", "PartialConv2d", (2, 16, 10, 10), 1516, 1),
        LayerRow("s4", "Subsampling", (2, 16, 5, 5), 32, 1),
        LayerRow("c5", "WindowConv2d", (2, 120, 1, 1), 48120, 1),
        LayerRow("f6", "Linear", (2, 1, 1, 84), 10164, 1),
        LayerRow("output", "RBFOutput", (2, 1, 1, 10), 0, 1),
    ]
    assert table.parameters == 60_000
    lines = str(table).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert lines[4].split() == ["c3", "PartialConv2d", "2", "x", "16", "x", "10", "x", "10", "1,516"]
    assert lines[-1].split() == ["total", "60,000"]


def test_rows_of_a_deep_network_add_up():
    model = ResNet(20)
    table = describe(model, torch.zeros(1, 3, 32, 32))
    assert sum(row.parameters for row in table) == table.parameters == 269_722
    assert {row.address for row in table} == {n for n, m in model.named_modules() if not list(m.children())}
    assert next(row for row in table if row.address == "layer1.0.relu").calls == 2


class Odd(nn.Module):
    """A parameter of its own, a shared layer, and one that is never called."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(3))
        self.never = nn.Linear(2, 2)
        self.b = nn.Linear(3, 3)
        self.a = nn.Linear(3, 3, bias=False)
        self.a.weight = self.b.weight

    def forward(self, x):
        return (self.b(self.a(self.a(x))) * self.scale, x)


def test_own_shared_and_uncalled_parameters():
    table = describe(Odd(), torch.zeros(5, 3))
    assert list(table) == [
        LayerRow("", "Odd", (5, 3), 3, 1),
        LayerRow("a", "Linear", (5, 3), 9, 2),
        LayerRow("b", "Linear", (5, 3), 12, 1),
        LayerRow("never", "Linear", None, 6, 0),
    ]
    assert table.parameters == 3 + 12 + 6
    assert "not called" in str(table)
    assert "(model)" in str(table)


@pytest.mark.filterwarnings("ignore:lbfgs failed to converge")
def test_estimators():
    X = np.random.default_rng(0).normal(size=(12, 4))
    net = MLPClassifier((5, 2), max_iter=2, solver="lbfgs", random_state=0).fit(X, np.arange(12) % 3)
    table = describe(net, X)
    assert [(r.address, r.output_shape, r.parameters) for r in table] == [
        ("hidden1", (12, 5), 25),
        ("hidden2", (12, 2), 12),
        ("output", (12, 3), 9),
    ]


def test_a_wrong_shape_is_named():
    with pytest.raises(ForwardError, match=r"layer '1' \(Linear"):
        describe(nn.Sequential(nn.Linear(3, 4), nn.Linear(2, 2)), torch.zeros(1, 3))
