"""AlexNet against the paper's counts, torchvision's names, and builds from bare torch.nn parts."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import nn

from glassnet.errors import InvalidInputError, UnknownNameError
from glassnet.learning.dropout import Dropout, draws_globally
from glassnet.learning.response_normalization import LocalResponseNorm
from glassnet.networks.alexnet import AlexNet

# by the formula (inputs of a unit + 1) * maps, with half of the maps below where there are two groups
PARAMETERS_2012 = [
    (3 * 11 * 11 + 1) * 96, (48 * 5 * 5 + 1) * 256, (256 * 3 * 3 + 1) * 384, (192 * 3 * 3 + 1) * 384,
    (192 * 3 * 3 + 1) * 256, (256 * 6 * 6 + 1) * 4096, (4096 + 1) * 4096, (4096 + 1) * 1000,
]  # fmt: skip
SHAPES_2012 = [(96, 55, 55), (256, 27, 27), (384, 13, 13), (384, 13, 13), (256, 13, 13), (4096,), (4096,), (1000,)]
SHAPES_TORCHVISION = [(64, 55, 55), (192, 27, 27), (384, 13, 13), (256, 13, 13), (256, 13, 13), (4096,), (4096,)]


def weighted(model: nn.Module) -> list[nn.Module]:
    return [layer for layer in model.modules() if isinstance(layer, (nn.Conv2d, nn.Linear))]


def output_shapes(model: nn.Module, layers: list[nn.Module], side: int) -> list[tuple[int, ...]]:
    seen = []
    for layer in layers:
        layer.register_forward_hook(lambda _m, _x, out: seen.append(tuple(out.shape[1:])))
    model(torch.empty(2, 3, side, side, device="meta"))
    return seen


@pytest.mark.parametrize(("variant", "total"), [("2012", 60_965_224), ("torchvision", 61_100_840)])
def test_number_of_parameters(variant, total):
    with torch.device("meta"):
        model = AlexNet(variant)
    assert sum(p.numel() for p in model.parameters()) == total


def test_parameters_and_shapes_of_each_layer():
    with torch.device("meta"):
        model, padded, torchvision = AlexNet(), AlexNet(image_size=224), AlexNet("torchvision")
    assert [sum(p.numel() for p in layer.parameters()) for layer in weighted(model)] == PARAMETERS_2012
    assert output_shapes(model, weighted(model), 227) == SHAPES_2012
    assert output_shapes(padded, weighted(padded), 224) == SHAPES_2012
    assert output_shapes(torchvision, weighted(torchvision), 224) == [*SHAPES_TORCHVISION, (1000,)]


@pytest.mark.parametrize("overlapping", [True, False])
def test_pooling_brings_the_papers_sizes(overlapping):
    with torch.device("meta"):
        model = AlexNet(overlapping_pooling=overlapping)
    pools = [layer for layer in model.modules() if isinstance(layer, nn.MaxPool2d)]
    assert [layer.kernel_size for layer in pools] == 3 * [3 if overlapping else 2]
    assert output_shapes(model, pools, 227) == [(96, 27, 27), (256, 13, 13), (256, 6, 6)]


def test_torchvision_parameter_names():
    with torch.device("meta"):
        model = AlexNet("torchvision")
    layers = [f"features.{i}" for i in (0, 3, 6, 8, 10)] + [f"classifier.{i}" for i in (1, 4, 6)]
    assert list(model.state_dict()) == [f"{layer}.{part}" for layer in layers for part in ("weight", "bias")]


def respond(a: torch.Tensor) -> torch.Tensor:
    """The paper's local response normalization, map by map."""
    maps = a.shape[1]
    out = torch.empty_like(a)
    for i in range(maps):
        around = a[:, max(0, i - 2) : min(maps - 1, i + 2) + 1]
        out[:, i] = a[:, i] / (2 + 1e-4 * (around**2).sum(1)) ** 0.75
    return out


class TwoColumns(nn.Module):
    """The network as the paper draws it: each convolution runs on two devices, half of the maps each."""

    def __init__(self, source: AlexNet):
        super().__init__()
        conv = [layer for layer in source.modules() if isinstance(layer, nn.Conv2d)]
        self.columns = nn.ModuleList()
        for layer, crossing in zip(conv, (True, False, True, False, False), strict=True):
            inputs = layer.in_channels if crossing else layer.in_channels // 2
            k, stride, pad = layer.kernel_size, layer.stride, layer.padding
            pair = nn.ModuleList(nn.Conv2d(inputs, layer.out_channels // 2, k, stride, pad) for _ in range(2))
            for column, weight, bias in zip(pair, layer.weight.chunk(2), layer.bias.chunk(2), strict=True):
                column.weight.data.copy_(weight)
                column.bias.data.copy_(bias)
            self.columns.append(pair)
        self.dense = [layer for layer in source.modules() if isinstance(layer, nn.Linear)]

    def convolve(self, n, a, b):
        left, right = self.columns[n]
        if left.in_channels == a.shape[1]:
            return left(a).relu(), right(b).relu()
        both = torch.cat([a, b], 1)
        return left(both).relu(), right(both).relu()

    def forward(self, x):
        pool = nn.MaxPool2d(3, 2)
        a, b = (column(x).relu() for column in self.columns[0])
        a, b = pool(respond(torch.cat([a, b], 1))).chunk(2, 1)
        a, b = self.convolve(1, a, b)
        a, b = pool(respond(torch.cat([a, b], 1))).chunk(2, 1)
        for n in (2, 3, 4):
            a, b = self.convolve(n, a, b)
        h = pool(torch.cat([a, b], 1)).flatten(1)
        for layer in self.dense[:-1]:
            h = layer(h).relu()
        return self.dense[-1](h)


@torch.no_grad()
def test_2012_equals_two_columns():
    torch.manual_seed(0)
    model = AlexNet(n_classes=10).eval()
    for layer in weighted(model):  # larger than the paper's, so that normalization matters
        nn.init.normal_(layer.weight, std=layer.weight[0].numel() ** -0.5)
    x = 20 * torch.randn(1, 3, 227, 227)
    torch.testing.assert_close(model(x), TwoColumns(model)(x), rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_torchvision_form_loads_a_checkpoint_and_equals_a_bare_build(tmp_path):
    conv, relu, pool = nn.Conv2d, nn.ReLU, nn.MaxPool2d
    bare = nn.Module()
    bare.features = nn.Sequential(
        conv(3, 64, 11, 4, 2), relu(True), pool(3, 2), conv(64, 192, 5, 1, 2), relu(True), pool(3, 2),
        conv(192, 384, 3, 1, 1), relu(True), conv(384, 256, 3, 1, 1), relu(True), conv(256, 256, 3, 1, 1), relu(True),
        pool(3, 2),
    )  # fmt: skip
    bare.classifier = nn.Sequential(
        nn.Dropout(), nn.Linear(9216, 4096), relu(True), nn.Dropout(), nn.Linear(4096, 4096), relu(True),
        nn.Linear(4096, 7),
    ).eval()  # fmt: skip
    torch.save(bare.state_dict(), tmp_path / "alexnet.pth")
    with torch.device("meta"):
        model = AlexNet("torchvision", n_classes=7).eval()
    weights = torch.load(tmp_path / "alexnet.pth", weights_only=True, mmap=True)
    model.load_state_dict(weights, strict=True, assign=True)
    x = torch.randn(2, 3, 100, 90)
    h = nn.functional.adaptive_avg_pool2d(bare.features(x), 6)
    torch.testing.assert_close(model(x), bare.classifier(h.flatten(1)))


def test_2012_starts_as_in_the_paper():
    torch.manual_seed(0)
    layers = weighted(AlexNet())
    assert [layer.bias.unique().tolist() for layer in layers] == [[b] for b in (0.0, 1, 0, 1, 1, 1, 1, 0)]
    for layer in layers:
        assert layer.weight.std().item() == pytest.approx(0.01, rel=0.02)
        assert abs(layer.weight.mean().item()) < 2e-4


def test_parts_can_be_switched_off():
    with torch.device("meta"):
        kinds = {
            options: {type(layer) for layer in AlexNet(normalization=options[0], dropout=options[1]).modules()}
            for options in itertools.product((True, False), (0.5, 0.0))
        }
        dropped = [m.p for m in AlexNet(dropout=0.25).modules() if isinstance(m, Dropout)]
    assert all((LocalResponseNorm in kinds[n, d]) == n for n, d in kinds)
    assert dropped == [0.25, 0.25]


def test_bad_input_is_named():
    with torch.device("meta"):
        with pytest.raises(UnknownNameError, match="2012, torchvision"):
            AlexNet("2013")
        with pytest.raises(InvalidInputError, match="227 or 224"):
            AlexNet(image_size=256)
        for model, shape in ((AlexNet(), (2, 3, 224, 224)), (AlexNet("torchvision"), (2, 1, 224, 224))):
            with pytest.raises(InvalidInputError, match="got"):
                model(torch.empty(shape))
        with pytest.raises(InvalidInputError, match="63, 63\\) or larger"):
            AlexNet("torchvision")(torch.empty(2, 3, 62, 64))


def test_dropout_draws_from_a_stream_of_its_own():
    with torch.device("meta"):
        assert not any(draws_globally(AlexNet(variant)) for variant in ("2012", "torchvision"))
