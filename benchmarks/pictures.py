"""Convolutional networks: LeNet-5 on MNIST and ResNet-20 on CIFAR-10 from files, and one picture predicted.

Everyone reads the same files, starts from the same weights, and sees the same batches in the
same order, without augmentation. The plain loops are what a tutorial has: a Dataset that gives one
picture and its label, a DataLoader, and torch's own optimizer, in float32. glassnet multiplies in
bfloat16 where the machine does that faster (``precision="auto"``); its loss after the same steps must be
as low. An epoch is of a part of the pictures, so that a round takes seconds.
"""

from __future__ import annotations

from functools import cache, partial
from typing import Any

import numpy as np

from benchmarks.harness.workload import OURS, Check, PeerMissing, Run, Workload

BATCH = 128
# network -> data, pictures of an epoch, solver, rate, precision
SETTINGS: dict[str, dict[str, Any]] = {
    "lenet5": {"data": "mnist", "n": 6_400, "solver": "adam", "rate": 1e-3, "precision": "auto"},
    "resnet20": {"data": "cifar10", "n": 1_280, "solver": "sgd", "rate": 0.05, "precision": "auto"},
}


@cache
def order(n: int) -> np.ndarray:
    """Return the order in which everyone sees the pictures."""
    return np.random.default_rng(0).permutation(n)


def read(network: str) -> tuple[np.ndarray, np.ndarray, tuple[int, ...], np.ndarray, np.ndarray]:
    """Return pictures as uint8, labels, the shape of a picture, and the first 1,000 test pictures with labels."""
    from glassnet.data import data_home, load, load_pictures

    data = load_pictures(data_home() / "mnist") if network == "lenet5" else load(SETTINGS[network]["data"])
    n = SETTINGS[network]["n"]
    rows = np.arange(n) if n == len(data.X_train) else np.random.default_rng(1).permutation(len(data.X_train))[:n]
    assert data.image_shape is not None
    return data.X_train[rows], data.y_train[rows], data.image_shape, data.X_test[:1000], data.y_test[:1000]


def module(network: str) -> Any:
    """Return the network with the weights that everyone starts from."""
    import torch

    from glassnet.registry import MODULES, resolve

    torch.manual_seed(0)
    make = resolve(MODULES, "module", network)
    return make(in_channels=1) if network == "lenet5" else make()


def done(net: Any, network: str, steps: int) -> dict[str, Any]:
    """Return what must be equal: the steps, and nearly the loss on 256 training pictures."""
    import torch

    X, y, shape, *_ = read(network)
    images = torch.from_numpy(X[:256]).reshape(-1, *shape).float() / 255
    with torch.no_grad():
        loss = torch.nn.functional.cross_entropy(net.float().train()(images), torch.from_numpy(y[:256]))
    return {"steps": steps, "parameters": sum(p.numel() for p in net.parameters()), "loss": round(float(loss), 4)}


def ours(network: str) -> tuple[Run, Check]:
    from glassnet import ModuleClassifier

    chosen = SETTINGS[network]
    net = ModuleClassifier(
        module(network), solver=chosen["solver"], learning_rate_init=chosen["rate"], precision=chosen["precision"],
        batch_size=BATCH, max_iter=1, tol=None, shuffle=False, nesterovs_momentum=False, random_state=0,
    )  # fmt: skip

    def run() -> Any:
        X, y, shape, *_ = read(network)
        rows = order(len(X))
        return net.set_params(image_shape=shape).fit(X[rows], y[rows])

    return run, lambda net: done(net.module_, network, net.state_.step)


def pytorch(network: str, workers: int) -> tuple[Run, Check]:
    import torch
    from torch.utils.data import DataLoader, Dataset

    class Pictures(Dataset):
        def __init__(self) -> None:
            self.X, self.y, self.shape, *_ = read(network)

        def __len__(self) -> int:
            return len(self.X)

        def __getitem__(self, i: int) -> tuple[Any, int]:
            return torch.from_numpy(self.X[i]).reshape(self.shape).float() / 255, int(self.y[i])

    def run() -> Any:
        net, chosen, data = module(network), SETTINGS[network], Pictures()
        kind = {"adam": torch.optim.Adam, "sgd": partial(torch.optim.SGD, momentum=0.9)}[chosen["solver"]]
        optimizer, loss_of = kind(net.parameters(), lr=chosen["rate"]), torch.nn.CrossEntropyLoss()
        for x, y in DataLoader(data, BATCH, sampler=order(len(data)).tolist(), num_workers=workers):
            optimizer.zero_grad()
            loss_of(net(x), y).backward()
            optimizer.step()
        return net

    return run, lambda net: done(net, network, -(-SETTINGS[network]["n"] // BATCH))


def skorch(network: str) -> tuple[Run, Check]:
    import torch

    try:
        from skorch import NeuralNetClassifier
    except ImportError as error:
        raise PeerMissing("skorch is not installed: pip install 'glassnet[bench]'") from error
    chosen = SETTINGS[network]

    def run() -> Any:
        X, y, shape, *_ = read(network)
        rows = order(len(X))
        images = X[rows].reshape(-1, *shape).astype(np.float32) / 255
        net = NeuralNetClassifier(
            module(network), criterion=torch.nn.CrossEntropyLoss, max_epochs=1, lr=chosen["rate"], batch_size=BATCH,
            optimizer=torch.optim.Adam, train_split=None, iterator_train__shuffle=False, verbose=0,
        )  # fmt: skip
        return net.fit(images, y[rows]).module_

    return run, lambda net: done(net, network, -(-chosen["n"] // BATCH))


def predicted(network: str, bare: bool) -> tuple[Run, Check]:
    """Predict one picture, by the estimator or by its module alone."""
    import torch

    from glassnet import ModuleClassifier

    _, _, shape, X, y = read(network)
    net = ModuleClassifier(module(network), image_shape=shape, max_iter=1, tol=None, random_state=0)
    net.fit(X[:256], y[:256])
    picture = X[:1].astype(np.float32) / np.float32(255)
    image, alone = torch.from_numpy(picture).reshape(1, *shape), net.module_.eval()

    def forward() -> int:
        with torch.no_grad():
            return int(alone(image).argmax(1))

    return forward if bare else lambda: int(net.predict(picture)[0]), lambda label: {"label": int(label)}


def epoch(network: str, at_least: float, aim: float, tolerance: float, peers: dict[str, Any], flops: float) -> Workload:
    """Return the workload of an epoch from files; ``flops`` are those of one picture's step."""
    chosen = SETTINGS[network]
    return Workload(
        name=f"{network} epoch",
        title=f"{network} from files, {chosen['solver']}, batches of {BATCH}: {chosen['n']:,} of {chosen['data']}",
        peers={OURS: partial(ours, network), **peers},
        tolerance={"loss": tolerance},
        at_least=at_least,
        aim=aim,
        steps=-(-chosen["n"] // BATCH),
        flops=chosen["n"] * flops,
    )


def one(network: str, at_least: float | None) -> Workload:
    """Return the workload of one predicted picture."""
    return Workload(
        name=f"{network} predict",
        title=f"{network}: one picture predicted, a hundred times",
        peers={OURS: partial(predicted, network, False), "the bare module": partial(predicted, network, True)},
        at_least=at_least,
        runs=100,
        steps=1,
    )


_LOADERS = {f"PyTorch, DataLoader with {n} workers": n for n in (0, 2)}
WORKLOADS = [
    epoch(
        "lenet5", 1.5, 2.0, 0.05,
        {name: partial(pytorch, "lenet5", n) for name, n in _LOADERS.items()} | {"skorch": partial(skorch, "lenet5")},
        6 * 416_520,
    ),
    epoch(
        "resnet20", 2.0, 2.5, 0.15, {name: partial(pytorch, "resnet20", n) for name, n in _LOADERS.items()},
        6 * 40_551_808,
    ),
    one("lenet5", None),
    one("resnet20", 1 / 1.2),
]  # fmt: skip
