"""ResNet against the paper's counts, torchvision's names, and builds from bare torch.nn parts."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from glassnet import registry
from glassnet.errors import UnknownNameError
from glassnet.networks import resnet
from glassnet.networks.resnet import BasicBlock, Bottleneck, ResNet

CIFAR = {20: 269_722, 32: 464_154, 44: 658_586, 56: 853_018, 110: 1_727_962}
IMAGENET = {18: 11_689_512, 34: 21_797_672, 50: 25_557_032, 101: 44_549_160, 152: 60_192_808}
BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}


def on_meta(depth: int, **options) -> ResNet:
    with torch.device("meta"):
        return ResNet(depth, **options)


def count(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize(("depth", "total"), [*CIFAR.items(), *IMAGENET.items()])
def test_number_of_parameters_and_layers(depth, total):
    with torch.device("meta"):
        model = getattr(resnet, f"resnet{depth}")()
    assert count(model) == total
    on_path = [n for n, m in model.named_modules() if isinstance(m, (nn.Conv2d, nn.Linear)) and "downsample" not in n]
    assert len(on_path) == depth


@pytest.mark.parametrize("depth", CIFAR)
def test_cifar_parameters_of_each_stage(depth):
    n = (depth - 2) // 6
    model = on_meta(depth)
    conv = {w: 9 * w * w + 2 * w for w in (16, 32, 64)}  # a 3 x 3 convolution and its normalization
    wider = {w: 9 * w * w // 2 + 2 * w for w in (32, 64)}
    assert count(model.layer1) == 2 * n * conv[16]
    assert count(model.layer2) == (2 * n - 1) * conv[32] + wider[32]
    assert count(model.layer3) == (2 * n - 1) * conv[64] + wider[64]
    assert count(model.fc) == 650


def test_plain_networks_and_shortcuts_differ_only_in_the_projections():
    assert count(on_meta(20, residual=False)) == CIFAR[20]
    assert count(on_meta(20, shortcut="projection")) == CIFAR[20] + (16 * 32 + 64) + (32 * 64 + 128)
    assert count(on_meta(18, shortcut="identity")) == IMAGENET[18] - sum(w * w // 2 + 2 * w for w in (128, 256, 512))
    plain = on_meta(34, residual=False)
    assert all(block.downsample is None for block in plain.modules() if isinstance(block, BasicBlock))
    assert count(plain) == count(on_meta(34, shortcut="identity"))


@pytest.mark.parametrize(("depth", "side"), [(20, 32), (18, 224), (50, 224)])
def test_shapes_of_each_stage(depth, side):
    model, seen = on_meta(depth), {}
    for name, layer in model.named_children():
        layer.register_forward_hook(lambda _m, _x, out, name=name: seen.update({name: tuple(out.shape[1:])}))
    model(torch.empty(2, 3, side, side, device="meta"))
    if depth == 20:
        expected = {"conv1": (16, 32, 32), "layer1": (16, 32, 32), "layer2": (32, 16, 16), "layer3": (64, 8, 8)}
    else:
        e = 4 if depth == 50 else 1
        expected = {"conv1": (64, 112, 112), "maxpool": (64, 56, 56)}
        expected |= {f"layer{i + 1}": (64 * 2**i * e, 56 // 2**i, 56 // 2**i) for i in range(4)}
    assert {name: seen[name] for name in expected} == expected
    assert seen["fc"] == ((10,) if depth == 20 else (1000,))


def torchvision_names(depth: int) -> list[str]:
    """The parameter and buffer names of torchvision's ResNets, by rule."""

    def norm(name: str) -> list[str]:
        return [f"{name}.{p}" for p in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")]

    convolutions = 3 if depth >= 50 else 2
    names = ["conv1.weight", *norm("bn1")]
    for stage, n_blocks in enumerate(BLOCKS[depth], start=1):
        for b in range(n_blocks):
            block = f"layer{stage}.{b}"
            for i in range(1, convolutions + 1):
                names += [f"{block}.conv{i}.weight", *norm(f"{block}.bn{i}")]
            if b == 0 and (stage > 1 or depth >= 50):
                names += [f"{block}.downsample.0.weight", *norm(f"{block}.downsample.1")]
    return [*names, "fc.weight", "fc.bias"]


@pytest.mark.parametrize("depth", IMAGENET)
def test_torchvision_names(depth):
    assert sorted(on_meta(depth).state_dict()) == sorted(torchvision_names(depth))


def independent(model: ResNet, x: torch.Tensor, residual: bool = True) -> torch.Tensor:
    """Evaluate a network in eval mode from its state dict alone, by the paper's formulas."""
    s = model.state_dict()

    def conv(name, h, stride=1):
        return F.conv2d(h, s[name], stride=stride, padding=s[name].shape[-1] // 2)

    def norm(name, h):
        w, b, mean, var = (s[f"{name}.{p}"][:, None, None] for p in ("weight", "bias", "running_mean", "running_var"))
        return (h - mean) / (var + 1e-5).sqrt() * w + b

    def block(name, h, stride):
        n = 3 if f"{name}.conv3.weight" in s else 2
        z = h
        for i in range(1, n + 1):
            here = stride if i == n - 1 else 1  # the 3 x 3 convolution that may halve the image
            z = norm(f"{name}.bn{i}", conv(f"{name}.conv{i}.weight", z, here))
            z = z.clamp(min=0) if i < n else z
        if not residual:
            return z.clamp(min=0)
        if f"{name}.downsample.0.weight" in s:
            h = norm(f"{name}.downsample.1", conv(f"{name}.downsample.0.weight", h, stride))
        elif h.shape != z.shape:
            small = h[:, :, ::stride, ::stride]
            h = torch.cat([small, small.new_zeros(len(h), z.shape[1] - h.shape[1], *small.shape[2:])], 1)
        return (z + h).clamp(min=0)

    cifar = s["conv1.weight"].shape[-1] == 3
    h = norm("bn1", conv("conv1.weight", x, 1 if cifar else 2)).clamp(min=0)
    h = h if cifar else F.max_pool2d(h, 3, 2, 1)
    for name in sorted({".".join(key.split(".")[:2]) for key in s if key.startswith("layer")}, key=_order):
        stage, b = _order(name)
        h = block(name, h, 2 if stage > 1 and b == 0 else 1)
    return h.mean((2, 3)) @ s["fc.weight"].T + s["fc.bias"]


def _order(name: str) -> tuple[int, int]:
    stage, b = name.removeprefix("layer").split(".")
    return int(stage), int(b)


@torch.no_grad()
@pytest.mark.parametrize(
    ("depth", "options"),
    [
        (20, {}),
        (20, {"residual": False}),
        (20, {"shortcut": "projection"}),
        (56, {}),
        (18, {}),
        (18, {"shortcut": "identity"}),
        (50, {}),
        (50, {"residual": False}),
        (50, {"shortcut": "identity"}),
    ],
)
def test_equals_an_independent_evaluation(depth, options):
    torch.manual_seed(0)
    model = ResNet(depth, n_classes=10, **options).double()
    x = torch.randn(2, 3, 32, 32).double()
    for _ in range(3):
        model(x)  # so that the running statistics are those of data
    model.eval()
    torch.testing.assert_close(model(x), independent(model, x, options.get("residual", True)))


class BareBlock(nn.Module):
    """The bottleneck written out with in-place rectification, as torchvision has it."""

    def __init__(self, inputs: int, width: int, stride: int):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inputs, width, 1, bias=False), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = nn.Conv2d(width, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width)
        self.conv3, self.bn3 = nn.Conv2d(width, 4 * width, 1, bias=False), nn.BatchNorm2d(4 * width)
        self.relu = nn.ReLU(inplace=True)
        down = nn.Sequential(nn.Conv2d(inputs, 4 * width, 1, stride, bias=False), nn.BatchNorm2d(4 * width))
        self.downsample = down if inputs != 4 * width or stride > 1 else None

    def forward(self, x):
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        out += x if self.downsample is None else self.downsample(x)
        return self.relu(out)


def bare_resnet50() -> nn.Module:
    model, inputs = nn.Module(), 64
    model.conv1, model.bn1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64)
    for i, n in enumerate(BLOCKS[50]):
        blocks = [BareBlock(inputs if b == 0 else 256 * 2**i, 64 * 2**i, 2 if i and not b else 1) for b in range(n)]
        inputs = 256 * 2**i
        model.add_module(f"layer{i + 1}", nn.Sequential(*blocks))
    model.fc = nn.Linear(2048, 1000)
    return model


def test_a_checkpoint_of_a_bare_resnet50_loads_and_trains_alike(tmp_path):
    torch.manual_seed(0)
    bare = bare_resnet50()
    torch.save(bare.state_dict(), tmp_path / "resnet50.pth")
    model = on_meta(50)
    model.load_state_dict(torch.load(tmp_path / "resnet50.pth", weights_only=True), strict=True, assign=True)
    x = torch.randn(2, 3, 64, 64)
    h = F.max_pool2d(F.relu(bare.bn1(bare.conv1(x))), 3, 2, 1)
    for i in range(1, 5):
        h = bare.get_submodule(f"layer{i}")(h)
    expected = bare.fc(h.mean((2, 3)))
    torch.testing.assert_close(model(x), expected, rtol=1e-4, atol=1e-4)
    loss = torch.nn.CrossEntropyLoss()
    labels = torch.tensor([1, 2])
    loss(model(x), labels).backward()
    loss(expected, labels).backward()
    torch.testing.assert_close(model.conv1.weight.grad, bare.conv1.weight.grad, rtol=1e-2, atol=1e-4)


def test_old_checkpoints_without_batch_counters_load(tmp_path):
    weights = {k: v for k, v in ResNet(18).state_dict().items() if "num_batches_tracked" not in k}
    torch.save(dict(weights), tmp_path / "resnet18.pth")
    model = ResNet(18)
    model.load_state_dict(torch.load(tmp_path / "resnet18.pth", weights_only=True), strict=True)
    assert torch.equal(model.fc.weight, weights["fc.weight"])


def test_starts_as_he_et_al():
    torch.manual_seed(0)
    model = ResNet(18)
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d):
            fan_out = layer.out_channels * math.prod(layer.kernel_size)
            assert layer.weight.std().item() == pytest.approx(math.sqrt(2 / fan_out), rel=0.05)
        elif isinstance(layer, nn.BatchNorm2d):
            assert torch.equal(layer.weight, torch.ones_like(layer.weight))
            assert torch.equal(layer.bias, torch.zeros_like(layer.bias))


def test_blocks_by_depth():
    assert any(isinstance(m, Bottleneck) for m in on_meta(50).modules())
    assert not any(isinstance(m, Bottleneck) for m in on_meta(34).modules())


def test_bad_input_is_named():
    with pytest.raises(UnknownNameError, match="20, 32"):
        ResNet(21)
    with pytest.raises(UnknownNameError, match="identity, projection"):
        ResNet(20, shortcut="A")


@pytest.mark.parametrize("name", registry.MODULES)
def test_registered_modules_map_images_to_classes(name):
    with torch.device("meta"):
        model = registry.resolve(registry.MODULES, "network", name)(n_classes=5)
        shape = {"lenet5": (1, 28, 28), "alexnet": (3, 227, 227)}.get(name, (3, 64, 64))
        assert model(torch.empty(2, *shape)).shape == (2, 5)
