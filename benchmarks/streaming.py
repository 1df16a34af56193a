"""Pictures that stay on disk, beside the same in memory: steps of ResNet-20 on CIFAR-10's JPEG files in a zip.

The zip is decoded once into a file, which is not timed; what is timed reads batch after batch from
there, from all over its 50,000 pictures in the order that the seed gives. The peer has the same
pixels in an array in memory.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from benchmarks.harness.workload import OURS, Check, PeerMissing, Run, Workload

BATCH, STEPS = 128, 20
OPTIONS: dict[str, Any] = {
    "solver": "sgd", "learning_rate_init": 0.01, "batch_size": BATCH, "max_iter": 1, "tol": None, "random_state": 0,
}  # fmt: skip


def pictures(in_memory: bool) -> tuple[Run, Check]:
    from glassnet import ModuleClassifier, advance
    from glassnet.data import data_home, load_pictures

    path = data_home() / "cifar10-images.zip"
    if not path.exists():
        raise PeerMissing(f"{path} is not there")
    data = load_pictures(path)
    X = np.array(data.X_train) if in_memory else data.X_train
    assert isinstance(X, np.memmap) is not in_memory

    def run() -> np.ndarray:
        net = ModuleClassifier("resnet20", image_shape=data.image_shape, **OPTIONS)
        return advance(net.initialize(X, data.y_train), STEPS)

    return run, lambda losses: {"steps": len(losses), "loss": float(losses.mean())}


WORKLOADS = [
    Workload(
        name="streaming",
        quick=False,
        title=f"ResNet-20, {STEPS} steps of {BATCH} pictures from a decoded zip; peer: from memory",
        peers={OURS: partial(pictures, False), "in memory": partial(pictures, True)},
        tolerance={"loss": 1e-6},
        at_least=1 / 1.2,
        steps=STEPS,
    ),
]
