"""ResNet, networks of a hundred layers that train (2015).

K. He, X. Zhang, S. Ren, J. Sun, "Deep residual learning for image recognition", CVPR 2016
(arXiv:1512.03385), section 3.

A block learns a residual F instead of the mapping itself, and a shortcut carries the input past it
(equations 1 and 2)::

    y = relu(F(x, {W_i}) + x)          where the dimensions stay
    y = relu(F(x, {W_i}) + W_s x)      where they change

with F two 3 x 3 convolutions, or a 1 x 1, 3 x 3, 1 x 1 bottleneck, each followed by batch normalization. Where the
dimensions change the shortcut is the paper's option A, ``shortcut="identity"`` (every second pixel, zeros for
the new maps, no parameters), or option B, ``shortcut="projection"`` (W_s, a 1 x 1 convolution). ``residual=False``
leaves all shortcuts out: the paper's *plain* networks.

Two forms, told apart by the depth:

- CIFAR form, 32 x 32 images: 6n + 2 layers, n blocks each of 16, 32 and 64 maps; option A.
- ImageNet form, 224 x 224 images: four stages of 64, 128, 256 and 512 maps; option B.

Parameter names are torchvision's, so that its checkpoints load with ``strict=True``.

Where we depart from the paper:

- A bottleneck halves the image in its 3 x 3 convolution, as torchvision does, and not in its first 1 x 1 one.
- The last layer keeps torch's initialisation; convolutions have He et al.'s, by the number of outputs.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from glassnet.errors import InvalidInputError, UnknownNameError

# depth -> blocks in each stage
CIFAR_STAGES = {depth: 3 * ((depth - 2) // 6,) for depth in (20, 32, 44, 56, 110)}
IMAGENET_STAGES = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}


class ZeroPadShortcut(nn.Module):
    """Option A: every `stride`-th pixel, and zeros for the maps that the input does not have."""

    def __init__(self, in_channels: int, out_channels: int, stride: int):
        super().__init__()
        self.stride, self.new_channels = stride, out_channels - in_channels

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, in_channels, H, W) to (batch, out_channels, ceil(H / stride), ceil(W / stride))."""
        return F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.new_channels))


class ProjectionShortcut(nn.Sequential):
    """Option B: ``W_s x``, a 1 x 1 convolution and batch normalization."""

    def __init__(self, in_channels: int, out_channels: int, stride: int):
        super().__init__(
            nn.Conv2d(in_channels, out_channels, 1, stride=stride, bias=False), nn.BatchNorm2d(out_channels)
        )


SHORTCUTS: dict[str, type[nn.Module]] = {"identity": ZeroPadShortcut, "projection": ProjectionShortcut}


class _Block(nn.Module):
    """What both blocks share: the shortcut, and ``y = relu(F(x) + shortcut(x))``."""

    expansion: int

    def __init__(self, in_channels: int, width: int, stride: int, residual: bool, shortcut: str):
        super().__init__()
        out_channels = width * self.expansion
        changes = stride != 1 or in_channels != out_channels
        self.residual = residual
        self.relu = nn.ReLU()
        self.downsample = SHORTCUTS[shortcut](in_channels, out_channels, stride) if residual and changes else None

    def branch(self, x: Tensor) -> Tensor:
        """Return F(x), before the last rectification."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, in_channels, H, W) to (batch, width * expansion, H / stride, W / stride)."""
        z = self.branch(x)
        if self.residual:
            z = z + (x if self.downsample is None else self.downsample(x))
        return self.relu(z)


class BasicBlock(_Block):
    """Two 3 x 3 convolutions past which the shortcut goes."""

    expansion = 1

    def __init__(self, in_channels: int, width: int, stride: int, residual: bool, shortcut: str):
        super().__init__(in_channels, width, stride, residual, shortcut)
        self.conv1 = nn.Conv2d(in_channels, width, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)

    def branch(self, x: Tensor) -> Tensor:
        """Return F(x) = bn(W_2 relu(bn(W_1 x)))."""
        return self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))


class Bottleneck(_Block):
    """A 1 x 1, a 3 x 3 and a 1 x 1 convolution to four times the width, past which the shortcut goes."""

    expansion = 4

    def __init__(self, in_channels: int, width: int, stride: int, residual: bool, shortcut: str):
        super().__init__(in_channels, width, stride, residual, shortcut)
        self.conv1 = nn.Conv2d(in_channels, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)

    def branch(self, x: Tensor) -> Tensor:
        """Return F(x) = bn(W_3 relu(bn(W_2 relu(bn(W_1 x)))))."""
        h = self.relu(self.bn1(self.conv1(x)))
        h = self.relu(self.bn2(self.conv2(h)))
        return self.bn3(self.conv3(h))


class ResNet(nn.Sequential):
    """A residual network of the paper, or its plain counterpart.

    Parameters
    ----------
    depth : {20, 32, 44, 56, 110} or {18, 34, 50, 101, 152}
        Layers with weights; the first set has the CIFAR form, the second the ImageNet form.
    n_classes : int, optional
        10 in the CIFAR form and 1000 in the ImageNet form unless given.
    in_channels : int
        Image channels.
    residual : bool
        False leaves all shortcuts out.
    shortcut : {"identity", "projection"}, optional
        The paper's option A or B where dimensions change; A in the CIFAR form and B in the ImageNet form
        unless given.

    Attributes
    ----------
    conv1, bn1, relu, maxpool, layer1, layer2, layer3, layer4, avgpool, flatten, fc : Module
        torchvision's names; the CIFAR form has neither ``maxpool`` nor ``layer4``.

    Raises
    ------
    UnknownNameError
        If the depth or the shortcut is another.

    Notes
    -----
    Takes images of shape (batch, in_channels, H, W), 32 x 32 in the CIFAR form and 224 x 224 in the ImageNet form
    (others work too), and returns the logits, shape (batch, n_classes).

    References
    ----------
    K. He, X. Zhang, S. Ren, J. Sun, "Deep residual learning for image recognition", CVPR 2016.

    Examples
    --------
    >>> import torch
    >>> model = ResNet(20)
    >>> sum(p.numel() for p in model.parameters())
    269722
    >>> model(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 10])
    """

    def __init__(
        self,
        depth: int,
        n_classes: int | None = None,
        in_channels: int = 3,
        residual: bool = True,
        shortcut: str | None = None,
    ) -> None:
        if depth not in CIFAR_STAGES and depth not in IMAGENET_STAGES:
            raise UnknownNameError("depth of a ResNet", depth, map(str, [*CIFAR_STAGES, *IMAGENET_STAGES]))
        cifar = depth in CIFAR_STAGES
        shortcut = shortcut or ("identity" if cifar else "projection")
        if shortcut not in SHORTCUTS:
            raise UnknownNameError("shortcut", shortcut, SHORTCUTS)
        layers = _cifar_stem(in_channels) if cifar else _imagenet_stem(in_channels)
        block = Bottleneck if depth in (50, 101, 152) else BasicBlock
        channels = width = 16 if cifar else 64
        for i, n_blocks in enumerate(CIFAR_STAGES[depth] if cifar else IMAGENET_STAGES[depth]):
            layers[f"layer{i + 1}"], channels = _stage(block, n_blocks, channels, width << i, i > 0, residual, shortcut)
        layers["avgpool"] = nn.AdaptiveAvgPool2d(1)
        layers["flatten"] = nn.Flatten()
        layers["fc"] = nn.Linear(channels, n_classes or (10 if cifar else 1000))
        super().__init__(layers)
        self.depth = depth
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all weights anew: He et al. for convolutions, ones and zeros for normalizations."""
        _draw_weights(self)


def narrow_resnet(
    depth: int = 20, width: int = 8, n_classes: int = 10, in_channels: int = 1, residual: bool = True
) -> nn.Sequential:
    """Return a deep and narrow relative of the CIFAR form, for small pictures: one stage, which halves nothing.

    Parameters
    ----------
    depth : int
        Layers with weights: even, at least 4.
    width : int
        Maps of every layer.
    n_classes, in_channels : int
    residual : bool
        False leaves all shortcuts out.

    Raises
    ------
    InvalidInputError
        If there is no such depth.

    Examples
    --------
    >>> sum(p.numel() for p in narrow_resnet(56).parameters())
    32146
    """
    if depth < 4 or depth % 2:
        raise InvalidInputError(f"depth is an even number from 4 on, two layers a block and two besides; got {depth}.")
    layers = _cifar_stem(in_channels, width)
    layers["layer1"], _ = _stage(BasicBlock, (depth - 2) // 2, width, width, False, residual, "identity")
    layers |= {"avgpool": nn.AdaptiveAvgPool2d(1), "flatten": nn.Flatten(), "fc": nn.Linear(width, n_classes)}
    net = nn.Sequential(layers)
    _draw_weights(net)
    return net


def _draw_weights(net: nn.Module) -> None:
    for layer in net.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(layer, (nn.BatchNorm2d, nn.Linear)):
            layer.reset_parameters()


def _cifar_stem(in_channels: int, width: int = 16) -> OrderedDict[str, nn.Module]:
    return OrderedDict(
        conv1=nn.Conv2d(in_channels, width, 3, padding=1, bias=False), bn1=nn.BatchNorm2d(width), relu=nn.ReLU()
    )


def _imagenet_stem(in_channels: int) -> OrderedDict[str, nn.Module]:
    return OrderedDict(
        conv1=nn.Conv2d(in_channels, 64, 7, stride=2, padding=3, bias=False),  # 112 x 112
        bn1=nn.BatchNorm2d(64),
        relu=nn.ReLU(),
        maxpool=nn.MaxPool2d(3, stride=2, padding=1),  # 56 x 56
    )


def _stage(
    block: type[_Block], n_blocks: int, channels: int, width: int, halve: bool, residual: bool, shortcut: str
) -> tuple[nn.Sequential, int]:
    """Return `n_blocks` blocks, the first of which may halve the image, and the channels that they give."""
    first = block(channels, width, 2 if halve else 1, residual, shortcut)
    channels = width * block.expansion
    return nn.Sequential(first, *(block(channels, width, 1, residual, shortcut) for _ in range(n_blocks - 1))), channels


def resnet20(**options: Any) -> ResNet:
    """Return the CIFAR form with 20 layers; `options` are those of `ResNet`."""
    return ResNet(20, **options)


def resnet32(**options: Any) -> ResNet:
    """Return the CIFAR form with 32 layers; `options` are those of `ResNet`."""
    return ResNet(32, **options)


def resnet44(**options: Any) -> ResNet:
    """Return the CIFAR form with 44 layers; `options` are those of `ResNet`."""
    return ResNet(44, **options)


def resnet56(**options: Any) -> ResNet:
    """Return the CIFAR form with 56 layers; `options` are those of `ResNet`."""
    return ResNet(56, **options)


def resnet110(**options: Any) -> ResNet:
    """Return the CIFAR form with 110 layers; `options` are those of `ResNet`."""
    return ResNet(110, **options)


def resnet18(**options: Any) -> ResNet:
    """Return the ImageNet form with 18 layers; `options` are those of `ResNet`."""
    return ResNet(18, **options)


def resnet34(**options: Any) -> ResNet:
    """Return the ImageNet form with 34 layers; `options` are those of `ResNet`."""
    return ResNet(34, **options)


def resnet50(**options: Any) -> ResNet:
    """Return the ImageNet form with 50 layers; `options` are those of `ResNet`."""
    return ResNet(50, **options)


def resnet101(**options: Any) -> ResNet:
    """Return the ImageNet form with 101 layers; `options` are those of `ResNet`."""
    return ResNet(101, **options)


def resnet152(**options: Any) -> ResNet:
    """Return the ImageNet form with 152 layers; `options` are those of `ResNet`."""
    return ResNet(152, **options)
