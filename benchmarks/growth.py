"""How time grows with the size of the work: with samples, features, width, depth, and the length of a sequence.

One size at a time grows, the others stay; every size is a workload of its own, beside the same peers. The page
states the exponent from size to size: 1 where twice the size takes twice the time, 2 where it takes four times.
How the lab bears more visitors is measured by its own tests.
"""

from __future__ import annotations

import warnings
from functools import partial
from typing import Any

from benchmarks import mlp_step
from benchmarks.harness.dense import shapes
from benchmarks.harness.workload import OURS, Check, Run, Workload
from benchmarks.mlp_step import Steps

ROWS, WIDTH, HEADS = 4, 256, 4  # of the attention
BY_TORCH = 256  # width from which glassnet has torch make the products; below, its own kernels are faster
SAMPLES_TOLERANCE = 0.15  # the initial weights are drawn by each library itself


def fitted(work: Steps, ours: bool) -> tuple[Run, Check]:
    """Fit one epoch, by the estimator's own `fit`: its checks, its initial weights, its order."""
    import glassnet
    from glassnet.learning import kernel_engine

    kernel_engine.compile_kernels()
    import sklearn.neural_network

    kind = glassnet.MLPClassifier if ours else sklearn.neural_network.MLPClassifier
    options: dict[str, Any] = {"solver": "sgd", "momentum": 0, "alpha": 0, "learning_rate_init": mlp_step.RATE}
    net = kind(work.sizes[1:-1], batch_size=work.batch, max_iter=1, random_state=0, **options)

    def run() -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that one epoch is not enough
            return net.fit(*work.data)

    def check(net: Any) -> dict[str, Any]:
        weights = [*zip(net.coefs_, net.intercepts_, strict=True)]
        return {**work.done(weights, work.steps), "shapes": shapes(weights)}

    return run, check


def attention(length: int, ours: bool) -> tuple[Run, Check]:
    """Self-attention of a few sentences, forwards and backwards, with the same weights."""
    import torch

    from glassnet.networks.attention import MultiHeadAttention

    torch.manual_seed(0)
    mine, theirs = MultiHeadAttention(WIDTH, HEADS), torch.nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)
    x = torch.randn(ROWS, length, WIDTH, requires_grad=True)
    with torch.no_grad():
        for name, value in (("in_proj_weight", mine.qkv.weight), ("in_proj_bias", mine.qkv.bias)):
            getattr(theirs, name).copy_(value)
        theirs.out_proj.load_state_dict(mine.output.state_dict())

    def run() -> Any:
        x.grad = None
        y = mine(x) if ours else theirs(x, x, x, need_weights=False)[0]
        y.square().mean().backward()
        return y

    def check(y: Any) -> dict[str, Any]:
        assert x.grad is not None
        return {
            "shape": list(y.shape),
            "output": float(y.detach().abs().mean()),
            "gradient": float(1e6 * x.grad.abs().mean()),
        }

    return run, check


def dense(what: str, size: int, sizes: tuple[int, ...]) -> Workload:
    """Return the workload of 100 steps of a network of these sizes."""
    work = Steps(sizes, batch=100, steps=100)
    peers = {name: partial(mlp_step.PEERS[name], work) for name in (OURS, "JAX jit", "PyTorch")}
    said = (
        "-".join(map(str, sizes)) if len(sizes) < 6 else f"{sizes[0]}, {len(sizes) - 2} times {sizes[1]}, {sizes[-1]}"
    )
    title = f"MLP {said}, ReLU, batches of 100: 100 steps"
    return Workload(
        name=f"growth {what} {size}",
        quick=False,
        title=title,
        peers=peers,
        tolerance={"loss": 0.01},
        at_least=1,
        bounds={"its products alone, by torch": partial(mlp_step.products, work)}
        if min(sizes[1:-1]) >= BY_TORCH
        else {},
        steps=work.steps,
        grows=(what, size),
    )


def samples(n: int) -> Workload:
    """Return the workload of one epoch of n samples."""
    work = Steps((64, 100, 10), batch=200, steps=n // 200)
    return Workload(
        name=f"growth samples {n}",
        quick=False,
        title=f"MLP 64-100-10, ReLU, batches of 200: fit, an epoch of {n:,}",
        peers={OURS: partial(fitted, work, True), "scikit-learn": partial(fitted, work, False)},
        tolerance={"loss": SAMPLES_TOLERANCE},
        at_least=1,
        steps=work.steps,
        grows=("samples", n),
    )


def sequence(length: int) -> Workload:
    """Return the workload of attention among so many positions."""
    return Workload(
        name=f"growth length {length}",
        quick=False,
        title=f"Self-attention, width {WIDTH}, {HEADS} heads, {ROWS} x {length} positions: forwards and backwards",
        peers={OURS: partial(attention, length, True), "nn.MultiheadAttention": partial(attention, length, False)},
        tolerance={"output": 1e-4, "gradient": 1e-2},
        at_least=1,
        runs=4,
        grows=("length", length),
    )


WORKLOADS = [
    *(samples(n) for n in (1_000, 10_000, 100_000)),
    *(dense("features", n, (n, 64, 10)) for n in (16, 128, 1024)),
    *(dense("width", n, (64, n, n, 10)) for n in (16, 64, 256, 1024)),
    *(dense("depth", n, (64, *[64] * n, 10)) for n in (1, 4, 16)),
    *(sequence(n) for n in (64, 256, 1024)),
]
