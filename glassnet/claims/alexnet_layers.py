"""What AlexNet is made of (Krizhevsky, Sutskever and Hinton 2012)."""

from __future__ import annotations

import torch
from torch import nn

from glassnet.claims.claim import Claim, Scale, exactly, observed
from glassnet.claims.picture import bars, finish, panels, svg
from glassnet.networks.alexnet import AlexNet

# top-5 error on ILSVRC-2012 in per cent, of the paper's best entry and of the best by other means
QUOTED = {"AlexNet, seven nets averaged": 15.3, "the runner-up, without one": 26.2}


def alexnet_layers(scale: Scale) -> Claim:
    """AlexNet has five convolutional and three fully connected layers, and sixty million parameters."""
    del scale
    with torch.device("meta"):  # the numbers of the parameters, not the parameters
        net = AlexNet(variant="2012")
    convolutional = [part for part in net.modules() if isinstance(part, nn.Conv2d)]
    connected = [part for part in net.modules() if isinstance(part, nn.Linear)]
    counts = {name: sum(p.numel() for p in layer.parameters()) for name, layer in _layers(net).items()}
    total = sum(counts.values())
    return Claim(
        source="A. Krizhevsky, I. Sutskever and G. Hinton (2012), ImageNet classification with deep convolutional "
        "neural networks",
        measured=(
            exactly("convolutional layers", len(convolutional), 5),
            exactly("fully connected layers", len(connected), 3),
            exactly("parameters", sum(p.numel() for p in net.parameters()), 60_965_224),
            exactly("convolutional layers in two groups", sum(c.groups == 2 for c in convolutional), 3),
            observed("share of the parameters in the fully connected layers", sum(counts[n] for n in FULL) / total),
            *(observed(f"top-5 error, {who}, per cent: quoted, not run", error) for who, error in QUOTED.items()),
        ),
        figure=_figure(counts),
        note="Counted on the network as glassnet builds it. The errors on ImageNet are the paper's: the pictures are "
        "not at hand, so nothing of it was run, and they decide nothing here.",
    )


FULL = ("fc6", "fc7", "fc8")


def _layers(net: nn.Module) -> dict[str, nn.Module]:
    parts = [part for part in net.modules() if isinstance(part, (nn.Conv2d, nn.Linear))]
    return dict(zip(("conv1", "conv2", "conv3", "conv4", "conv5", *FULL), parts, strict=True))


def _figure(counts: dict[str, int]) -> str:
    figure, (ax,) = panels(width=6)
    bars(ax, list(counts), [count / 1e6 for count in counts.values()])
    finish(ax, "Parameters of AlexNet's layers", "layer", "million parameters")
    return svg(figure)
