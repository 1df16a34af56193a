"""LeNet-5 against the paper's counts and networks built here from bare torch.nn parts."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from glassnet.errors import InvalidInputError, UnknownNameError
from glassnet.networks.lenet import C3_CONNECTIONS, LeNet5, digit_codes, map_criterion, mse_criterion

PARAMETERS = {
    "1998": {"c1": 156, "s2": 12, "c3": 1516, "s4": 32, "c5": 48120, "f6": 10164, "output": 0},
    "modern": {"c1": 156, "s2": 0, "c3": 2416, "s4": 0, "c5": 48120, "f6": 10164, "output": 850},
}
SHAPES = {"c1": (6, 28, 28), "s2": (6, 14, 14), "c3": (16, 10, 10), "s4": (16, 5, 5), "c5": (120, 1, 1)}


def images(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(("variant", "total"), [("1998", 60_000), ("modern", 61_706)])
def test_parameters_of_each_layer(variant, total):
    model = LeNet5(variant)
    assert {name: sum(p.numel() for p in layer.parameters()) for name, layer in model.named_children()} == PARAMETERS[
        variant
    ]
    assert sum(p.numel() for p in model.parameters()) == total


@pytest.mark.parametrize("variant", ["1998", "modern"])
@pytest.mark.parametrize("side", [28, 32])
def test_shapes_of_each_layer(variant, side):
    model, seen = LeNet5(variant), {}
    for name, layer in model.named_children():
        layer.register_forward_hook(lambda _m, _x, out, name=name: seen.update({name: tuple(out.shape[1:])}))
    assert model(images(2, 1, side, side)).shape == (2, 10)
    assert seen == {**SHAPES, "f6": (1, 1, 84), "output": (1, 1, 10)}


def test_connections_of_c3_follow_the_table():
    assert [len(maps) for maps in C3_CONNECTIONS] == 6 * [3] + 9 * [4] + [6]
    assert len(set(C3_CONNECTIONS)) == 16
    absent = [sorted(set(range(6)) - set(maps)) for maps in C3_CONNECTIONS[6:15]]
    neighbours = [(b - a) % 6 in (1, 5) for a, b in absent]
    assert neighbours == 6 * [True] + 3 * [False]  # a run of four maps in a ring leaves out two neighbours
    assert all(sum(m in maps for maps in C3_CONNECTIONS) == 10 for m in range(6))


class Tanh1998(nn.Module):
    def forward(self, a):
        return 1.7159 * torch.tanh(a * 2 / 3)


def independent_1998(model: LeNet5) -> nn.Sequential:
    """The same network from dense and depthwise convolutions, ending with the features of f6."""
    c3 = nn.Conv2d(6, 16, 5)
    fields = iter(model.c3.weight.detach())
    for k in range(16):
        for m in range(6):
            c3.weight.data[k, m] = next(fields) if m in C3_CONNECTIONS[k] else 0
    c3.bias.data[:] = model.c3.bias
    halves = []
    for layer, maps in ((model.s2, 6), (model.s4, 16)):
        half = nn.Conv2d(maps, maps, 2, stride=2, groups=maps)
        half.weight.data[:] = layer.weight[:, None, None, None]
        half.bias.data[:] = layer.bias
        halves.append(half)
    dense = nn.Linear(400, 120)
    dense.weight.data[:] = model.c5.weight.flatten(1)
    dense.bias.data[:] = model.c5.bias
    parts = [nn.ZeroPad2d(2), model.c1, halves[0], c3, halves[1], nn.Flatten(), dense, model.f6]
    squashed = {1, 2, 3, 4, 6, 7}
    return nn.Sequential(*(nn.Sequential(p, Tanh1998()) if i in squashed else p for i, p in enumerate(parts)))


def test_1998_equals_an_independent_build():
    model = LeNet5("1998").double()
    x = images(3, 1, 28, 28).double()
    features = independent_1998(model).double()(x)
    distances = torch.cdist(features, digit_codes().double()) ** 2
    torch.testing.assert_close(model(x), -distances)


def test_modern_equals_an_independent_build():
    model = LeNet5("modern")
    dense = nn.Linear(400, 120)
    dense.load_state_dict({"weight": model.c5.weight.flatten(1), "bias": model.c5.bias})
    other = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), dense, nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )  # fmt: skip
    for i, layer in ((0, model.c1), (3, model.c3), (9, model.f6), (11, model.output)):
        other[i].load_state_dict(layer.state_dict())
    x = images(3, 1, 28, 28)
    torch.testing.assert_close(model(x), other(x))


@pytest.mark.parametrize("variant", ["1998", "modern"])
def test_slide_equals_forward_on_each_window(variant):
    model, strip = LeNet5(variant, background=-0.1).double(), images(2, 1, 40, 61).double()
    scores = model.slide(strip)
    assert scores.shape == (2, 3, 8, 10)
    for row in range(3):
        for column in range(8):
            window = strip[:, :, 4 * row : 4 * row + 32, 4 * column : 4 * column + 32]
            torch.testing.assert_close(scores[:, row, column], model(window))


def test_small_images_are_padded_with_the_background():
    model, x = LeNet5("1998", background=-0.1), images(2, 1, 28, 28)
    padded = torch.full((2, 1, 32, 32), -0.1)
    padded[:, :, 2:30, 2:30] = x
    assert torch.equal(model(x), model(padded))


def test_codes_are_fixed_and_further_classes_get_their_own():
    model = LeNet5("1998", n_classes=12)
    assert "output.codes" in model.state_dict()
    assert not model.output.codes.requires_grad
    assert set(model.output.codes.unique().tolist()) == {-1.0, 1.0}
    assert len(model.output.codes.unique(dim=0)) == 12
    assert torch.equal(model.output.codes[:10], digit_codes())
    assert model(images(1, 1, 32, 32)).shape == (1, 12)


def test_digit_codes_of_similar_characters_are_similar():
    different = (digit_codes()[:, None] != digit_codes()).sum(-1)
    assert different[3, 8] < different[3, 1]
    assert different[5, 6] < different[6, 7]


def test_1998_weights_start_within_the_papers_bounds():
    torch.manual_seed(0)
    model = LeNet5("1998")
    fan_in = {"c1": 25, "s2": 4, "s4": 4, "c5": 400, "f6": 120}
    for name, n in fan_in.items():
        for parameter in model.get_submodule(name).parameters():
            assert parameter.abs().max() <= 2.4 / n
    assert model.c5.weight.abs().max() > 0.99 * 2.4 / 400
    assert model.c5.weight.std().item() == pytest.approx(2.4 / 400 / math.sqrt(3), rel=0.02)
    start = 0
    for maps in C3_CONNECTIONS:
        fields = model.c3.weight[start : start + len(maps)].abs()
        assert 0.9 * 2.4 / (25 * len(maps)) < fields.max() <= 2.4 / (25 * len(maps))
        start += len(maps)


def test_criteria_equal_the_papers_sums():
    rng = np.random.default_rng(0)
    distances, targets, j = rng.uniform(0, 5, (6, 4)), rng.integers(0, 4, 6), 1.5
    right = distances[np.arange(6), targets]
    by_hand = np.mean(right + np.log(np.exp(-j) + np.exp(-distances).sum(1)))
    scores = torch.tensor(-distances)
    assert mse_criterion(scores, torch.tensor(targets)).item() == pytest.approx(right.mean())
    assert map_criterion(scores, torch.tensor(targets), rubbish=j).item() == pytest.approx(by_hand)


@pytest.mark.parametrize(
    ("variant", "criterion"),
    [("1998", mse_criterion), ("1998", map_criterion), ("modern", nn.functional.cross_entropy)],
)
def test_learns_ten_characters(variant, criterion):
    torch.manual_seed(0)
    bitmaps = nn.functional.interpolate(digit_codes().reshape(10, 1, 12, 7), (24, 14))
    x, y = nn.functional.pad(bitmaps, (7, 7, 2, 2), value=-1.0), torch.arange(10)
    model = LeNet5(variant, background=-1.0)
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    for _ in range(40):
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()
    assert torch.equal(model(x).argmax(1), y)


def test_bad_input_is_named():
    model = LeNet5()
    with pytest.raises(UnknownNameError, match="1998, modern"):
        LeNet5("1989")
    with pytest.raises(InvalidInputError, match=r"\(2, 1, 30, 30\)"):
        model(images(2, 1, 30, 30))
    with pytest.raises(InvalidInputError, match=r"\(2, 3, 28, 28\)"):
        model(images(2, 3, 28, 28))
    with pytest.raises(InvalidInputError, match=r"\(2, 1, 20, 40\)"):
        model.slide(images(2, 1, 20, 40))
    with pytest.raises(InvalidInputError, match="positive"):
        map_criterion(torch.zeros(1, 10), torch.zeros(1, dtype=torch.int64), rubbish=0)
