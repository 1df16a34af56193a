"""`glassnet.trace` of the leaves of ResNet-20, a batch of 8 CIFAR-sized pictures, beside runs that show less or more.

"plain" is the forward pass under ``no_grad``; "with a graph" is ``model(x)`` as it is mostly written, which keeps
what a backward pass needs; "bare hooks" appends each leaf's input and output to a list, and so has nothing but
the cost of keeping all of them alive at once, in memory that the C library gives back after each pass and takes
anew, which glassnet has it keep (`glassnet.memory`). torchlens logs the same pass.
All must give the same scores.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.harness.workload import OURS, Check, Run, Workload

BATCH = 8


def model_and_input() -> tuple[Any, Any, list[str]]:
    """Return ResNet-20 in evaluation mode, a batch, and the addresses of its leaves."""
    import torch

    from glassnet.networks.resnet import ResNet

    torch.manual_seed(0)
    model = ResNet(20).eval()
    leaves = [address for address, layer in model.named_modules() if not layer._modules]
    return model, torch.randn(BATCH, 3, 32, 32), leaves


def checked(run: Run, scores: Callable[[Any], Any]) -> tuple[Run, Check]:
    """Return a run, and what must be equal: the shape and the sum of the scores that it came to."""

    def check(result: Any) -> dict[str, Any]:
        values = scores(result)
        return {"shape": list(values.shape), "scores": round(float(values.double().abs().sum()), 4)}

    return run, check


def ours() -> tuple[Run, Check]:
    from glassnet import trace

    model, x, leaves = model_and_input()
    return checked(lambda: trace(model, x, layers=leaves), lambda seen: seen.result)


def plain() -> tuple[Run, Check]:
    import torch

    model, x, _ = model_and_input()

    def run() -> Any:
        with torch.no_grad():
            return model(x)

    return checked(run, lambda z: z)


def with_graph() -> tuple[Run, Check]:
    model, x, _ = model_and_input()
    return checked(lambda: model(x), lambda z: z.detach())


def bare_hooks() -> tuple[Run, Check]:
    import torch

    model, x, _ = model_and_input()
    layers = [layer for layer in model.modules() if not layer._modules]

    def run() -> Any:
        kept: list[Any] = []
        handles = [layer.register_forward_hook(lambda *seen: kept.append(seen[1:])) for layer in layers]
        with torch.no_grad():
            z = model(x)
        for handle in handles:
            handle.remove()
        return z, kept

    return checked(run, lambda result: result[0])


def torchlens() -> tuple[Run, Check]:
    import torch
    import torchlens as lens

    model, x, _ = model_and_input()

    def run() -> Any:
        with torch.no_grad():
            return lens.trace(model, x)

    return checked(run, lambda log: log[log.output_layers[0]].out.detach())


WORKLOADS = [
    Workload(
        name="trace",
        title=f"trace() of ResNet-20's leaves, batch {BATCH}, beside a forward pass",
        peers={OURS: ours, "plain": plain, "with a graph": with_graph, "bare hooks": bare_hooks},
        tolerance={"scores": 0.01},
        at_least=1 / 1.5,
        aim=1 / 1.2,
        runs=10,
    ),
    Workload(
        name="trace torchlens",
        title=f"trace() of ResNet-20's leaves, batch {BATCH}, beside another tracer",
        peers={OURS: ours, "torchlens": torchlens},
        tolerance={"scores": 0.01},
        at_least=15,
        runs=1,
    ),
]
