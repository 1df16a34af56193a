"""The gallery's pictures of deep networks: graphs and architectures, read off the networks themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from glassnet.plots.display import Display
from glassnet.plots.gallery_nets import picture
from glassnet.registry import MODULES, TEXT_MODULES, resolve


def module(name: str, **options: Any) -> Any:
    """Return the network of this name, to be looked at and not to be trained."""
    return resolve(MODULES | TEXT_MODULES, "network", name)(**options).eval()


def graph(model: Any, *shape: int, **how: Any) -> Display:
    """Draw a network that has seen one empty image."""
    import torch

    return picture("module-graph").from_module(model, torch.zeros(1, *shape), **how)


def transformer_graph() -> Display:
    """Draw the base model of the paper, whose layers are alike."""
    import torch

    source, target = torch.tensor([[3, 4, 5, 6, 7]]), torch.tensor([[1, 8, 9]])
    return picture("module-graph").from_module(base_transformer(), source, target, depth=3)


def equations(model: Any, *shape: int) -> Display:
    """Write down what a module does."""
    import torch

    return picture("equation").from_module(model, torch.zeros(1, *shape))


def encoder_layer() -> Any:
    """Return one layer of the Transformer's encoder, of torch's own making: attention by one formula."""
    from torch import nn

    return nn.TransformerEncoderLayer(512, 8, 2048, batch_first=True).eval()


def volumes(model: Any, *shape: int, **how: Any) -> Display:
    """Draw a convolutional network as volumes of feature maps."""
    import torch

    return picture("architecture").from_module(model, torch.zeros(1, *shape), **how)


def two_streams() -> Display:
    """Draw AlexNet as it ran on two GPUs."""
    model = module("alexnet")
    weighted = [name for name, layer in model.named_modules() if type(layer).__name__ in ("Conv2d", "Linear")]
    names = (*(f"convolution {i}" for i in range(1, 6)), "dense 6", "dense 7", "output")
    return volumes(model, 3, 227, 227, layers=dict(zip(weighted, names, strict=True)), streams=2)


def residual_block(shortcut: str) -> Display:
    """Draw a block of ResNet-20: one that halves its images, or the one after it."""
    import torch

    block = module("resnet20", shortcut=shortcut).layer2[0 if shortcut == "projection" else 1]
    return picture("block-diagram").from_residual_block(block, torch.zeros(1, block.conv1.in_channels, 16, 16))


def base_transformer() -> Any:
    """Return the base model of the paper."""
    return module("transformer", n_tokens=37_000)


PICTURES: dict[str, Callable[[], Display]] = {
    "architecture-lenet5": lambda: volumes(module("lenet5", variant="1998"), 1, 32, 32),
    "architecture-alexnet": two_streams,
    "architecture-transformer": lambda: picture("block-diagram").from_transformer(base_transformer()),
    "architecture-attention": lambda: picture("block-diagram").from_attention(
        base_transformer().encoder.layers[0].self_attention
    ),
    "architecture-residual-block": lambda: residual_block("identity"),
    "architecture-residual-block-projection": lambda: residual_block("projection"),
    "equation-residual-block": lambda: equations(module("resnet20", shortcut="projection").layer2[0], 16, 32, 32),
    "equation-lenet5": lambda: equations(module("lenet5"), 1, 28, 28),
    "equation-attention": lambda: equations(encoder_layer(), 5, 512),
    "module-graph-lenet5": lambda: graph(module("lenet5"), 1, 28, 28),
    "module-graph-resnet20": lambda: graph(module("resnet20"), 3, 32, 32),
    "module-graph-residual-block": lambda: graph(module("resnet20").layer2[0], 16, 32, 32),
    "module-graph-transformer": transformer_graph,
}
