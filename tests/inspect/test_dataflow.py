from __future__ import annotations

import pytest
import torch
from torch import nn

from glassnet.errors import InvalidInputError
from glassnet.inspect.dataflow import dataflow, fold_repeats
from glassnet.inspect.trace import trace
from glassnet.networks.lenet import LeNet5
from glassnet.networks.resnet import resnet20
from glassnet.networks.transformer import Transformer

IMAGE = torch.zeros(1, 3, 32, 32)


class Shared(nn.Module):
    """One layer called twice, a sum, and a product with a parameter of its own."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 4)
        self.scale = nn.Linear(4, 2, bias=False)

    def forward(self, x):
        h = torch.relu(self.linear(x))
        return self.linear(h) + self.scale(h).repeat(1, 2) + x


def edges(nodes):
    return [(node.name, [nodes[s].name for s in node.sources]) for node in nodes]


def test_edges_of_shared_layers_and_functional_operations():
    nodes = dataflow(trace(Shared(), torch.ones(1, 4)))
    assert edges(nodes) == [
        ("input", []),
        ("linear", ["input"]),
        ("relu", ["linear"]),
        ("linear", ["relu"]),
        ("scale", ["relu"]),
        ("repeat", ["scale"]),
        ("add", ["linear", "repeat"]),
        ("add", ["input", "add"]),
    ]
    assert [node.parameters for node in nodes] == [0, 20, 0, 0, 8, 0, 0, 0]
    assert nodes[3].shared == 20


def test_the_shortcut_of_a_residual_block_goes_round_it():
    nodes = dataflow(trace(resnet20().eval(), IMAGE), depth=3)
    add = next(i for i, node in enumerate(nodes) if node.name == "layer2.0:add")
    assert [nodes[s].name for s in nodes[add].sources] == ["layer2.0.bn2", "layer2.0.downsample"]
    assert nodes[add].output_shape == (1, 32, 16, 16)


@pytest.mark.parametrize("depth", [None, 1, 2, 3])
@pytest.mark.parametrize("make", [resnet20, LeNet5, lambda: LeNet5("1998")])
def test_every_parameter_is_counted_once_at_every_depth(make, depth):
    model = make().eval()
    image = IMAGE if make is resnet20 else torch.zeros(1, 1, 32, 32)
    nodes = fold_repeats(dataflow(trace(model, image), depth))
    assert sum(node.times * node.parameters for node in nodes) == sum(p.numel() for p in model.parameters())


def test_repeats_are_folded_and_named():
    nodes = fold_repeats(dataflow(trace(resnet20().eval(), IMAGE), depth=2))
    folded = [(node.name, node.times) for node in nodes if node.times > 1]
    assert folded == [("layer1.0 … layer1.2", 3), ("layer2.1 … layer2.2", 2), ("layer3.1 … layer3.2", 2)]
    assert [node.sources for node in nodes] == [[], *([i] for i in range(len(nodes) - 1))]


def test_both_inputs_of_a_transformer_and_the_memory_that_all_decoder_layers_see():
    model = Transformer(20, d_model=8, n_heads=2, d_ff=16, n_layers=3).eval()
    seen = trace(model, torch.tensor([[3, 4, 5]]), torch.tensor([[1, 6]]))
    nodes = fold_repeats(dataflow(seen, 3, model))
    decoder = next(node for node in nodes if node.kind == "DecoderLayer")
    assert decoder.times == 3
    assert {nodes[s].name for s in decoder.sources} == {"encoder.norm", "embedding"}
    assert [node.output_shape for node in nodes[:2]] == [(1, 3), (1, 2)]
    assert sum(node.times * node.parameters for node in nodes) == sum(p.numel() for p in model.parameters())


def test_what_shows_no_flow_is_refused():
    with pytest.raises(InvalidInputError, match="holds no values"):
        dataflow(trace(nn.Linear(2, 2), torch.ones(1, 2), layers=()))
    with pytest.raises(InvalidInputError, match="depth is at least 1"):
        dataflow(trace(nn.Linear(2, 2), torch.ones(1, 2)), depth=0)
