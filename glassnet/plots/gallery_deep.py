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

    tokens = torch.tensor([[3, 4, 5]])
    return picture("module-graph").from_module(module("transformer", n_tokens=37_000), tokens, tokens, depth=3)


def equations() -> Display:
    """Write down a residual block with a projection."""
    import torch

    block = module("resnet20", shortcut="projection").layer2[0]
    return picture("equation").from_module(block, torch.zeros(1, 16, 32, 32))


PICTURES: dict[str, Callable[[], Display]] = {
    "equation-residual-block": equations,
    "module-graph-lenet5": lambda: graph(module("lenet5"), 1, 28, 28),
    "module-graph-resnet20": lambda: graph(module("resnet20"), 3, 32, 32),
    "module-graph-residual-block": lambda: graph(module("resnet20").layer2[0], 16, 32, 32),
    "module-graph-transformer": transformer_graph,
}
