from __future__ import annotations

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from torch import nn

import glassnet
from glassnet.errors import InvalidInputError
from glassnet.networks.resnet import resnet20
from glassnet.plots.module_graph import ModuleGraphDisplay
from glassnet.plots.style import TIMES


class Skips(nn.Module):
    def forward(self, x):
        a = torch.relu(x)
        b = torch.tanh(a)
        return (b + a) * x


def texts(display):
    return [text.get_text() for text in display.ax_.texts]


def test_boxes_show_shapes_and_counts():
    display = ModuleGraphDisplay.from_module(resnet20(), torch.zeros(1, 3, 32, 32), depth=2).plot(Figure().subplots())
    assert display.ax_.get_title() == "269,722 parameters"
    assert {f"3 {TIMES} BasicBlock", f"3 {TIMES} 4,672", f"64 {TIMES} 8 {TIMES} 8", "650"} <= set(texts(display))
    assert len(display.ax_.patches) == len(display.nodes) + 3  # a second sheet behind each of three repeats


def test_connections_past_a_box_have_lanes_of_their_own():
    display = ModuleGraphDisplay.from_module(Skips(), torch.zeros(1, 2))
    assert [node.name for node in display.nodes] == ["input", "relu", "tanh", "add", "mul"]
    assert display.skips() == [(1, 3), (0, 4)]
    assert sorted(display._lanes().values()) == [0, 1]


def test_folding_goes_as_deep_as_can_be_read():
    display = ModuleGraphDisplay.from_module(resnet20(), torch.zeros(1, 3, 32, 32))
    assert display.depth == 2
    deep = nn.Sequential(*(layer for _ in range(45) for layer in (nn.Linear(2, 2), nn.ReLU())))
    with pytest.raises(InvalidInputError, match="91 boxes are too many"):
        ModuleGraphDisplay.from_module(deep, torch.zeros(1, 2))


def test_an_estimator_shows_its_module_and_one_without_is_refused():
    X, y = np.eye(4, dtype=np.float32), [0, 1, 0, 1]
    net = glassnet.ModuleClassifier(nn.Linear(4, 2), max_iter=1, tol=None).fit(X, y)
    assert ModuleGraphDisplay.from_module(net, X[:1]).n_parameters == 10
    with pytest.raises(InvalidInputError, match="WiringDisplay"):
        ModuleGraphDisplay.from_module(glassnet.Perceptron(), X)
