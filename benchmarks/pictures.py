"""Convolutional networks: LeNet-5 on MNIST and ResNet-20 on CIFAR-10 from files, and one picture predicted.

Everyone reads the same files, starts from the same weights, and sees the same batches in the
same order, without augmentation. The plain loops are what a tutorial has: a Dataset that gives one
picture and its label, a DataLoader, and torch's own optimizer, in float32. glassnet trains ResNet-20 in
bfloat16 where the machine does that faster (``precision="auto"``); its loss after the same steps must be
as low. The loops that PyTorch, Lightning and Keras allow at best stand beside these: whole batches cut from the
arrays, compiled, and torch's in bfloat16 with channels last where this machine is faster so. What is asked for is
asked beside the plain loops. An epoch is of a part of the pictures, so that a round takes seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.harness.workload import OURS, Check, PeerMissing, Run, Workload

BATCH = 128
OVERHEAD = "ms more than the bare module"
# network -> data, pictures of an epoch, solver, rate, precision
SETTINGS: dict[str, dict[str, Any]] = {
    "lenet5": {"data": "mnist", "n": 6_400, "solver": "adam", "rate": 1e-3, "precision": "float32"},
    "resnet20": {"data": "cifar10", "n": 2_560, "solver": "sgd", "rate": 0.05, "precision": "auto"},
}


@cache
def order(n: int) -> np.ndarray:
    """Return the order in which everyone sees the pictures."""
    return np.random.default_rng(0).permutation(n)


def read(network: str) -> tuple[np.ndarray, np.ndarray, tuple[int, ...]]:
    """Return pictures as uint8, labels, and the shape of a picture."""
    from glassnet.data import data_home, load, load_pictures

    data = load_pictures(data_home() / "mnist") if network == "lenet5" else load(SETTINGS[network]["data"])
    n = SETTINGS[network]["n"]
    rows = np.arange(n) if n == len(data.X_train) else np.random.default_rng(1).permutation(len(data.X_train))[:n]
    assert data.image_shape is not None
    return data.X_train[rows], data.y_train[rows], data.image_shape


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

    X, y, shape = read(network)
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
        X, y, shape = read(network)
        rows = order(len(X))
        return net.set_params(image_shape=shape).fit(X[rows], y[rows])

    return run, lambda net: done(net.module_, network, net.state_.step)


def pytorch(network: str, workers: int) -> tuple[Run, Check]:
    import torch
    from torch.utils.data import DataLoader, Dataset

    class Pictures(Dataset):
        def __init__(self) -> None:
            self.X, self.y, self.shape = read(network)

        def __len__(self) -> int:
            return len(self.X)

        def __getitem__(self, i: int) -> tuple[Any, int]:
            return torch.from_numpy(self.X[i]).reshape(self.shape).float() / 255, int(self.y[i])

    def run() -> Any:
        net, data = module(network), Pictures()
        optimizer, loss_of = torch_optimizer(net, SETTINGS[network]), torch.nn.CrossEntropyLoss()
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
        X, y, shape = read(network)
        rows = order(len(X))
        images = X[rows].reshape(-1, *shape).astype(np.float32) / 255
        net = NeuralNetClassifier(
            module(network), criterion=torch.nn.CrossEntropyLoss, max_epochs=1, lr=chosen["rate"], batch_size=BATCH,
            optimizer=torch.optim.Adam, train_split=None, iterator_train__shuffle=False, verbose=0,
        )  # fmt: skip
        return net.fit(images, y[rows]).module_

    return run, lambda net: done(net, network, -(-chosen["n"] // BATCH))


def whole_batches(network: str) -> tuple[Run, Check]:
    """PyTorch at its best here: a batch is cut from the array at once, the network is compiled."""
    import torch

    chosen, net, start, bfloat16 = SETTINGS[network], *compiled(network)
    layout = torch.channels_last if bfloat16 else torch.contiguous_format

    def run() -> Any:
        net.load_state_dict(start)
        optimizer, loss_of = torch_optimizer(net, chosen), torch.nn.CrossEntropyLoss()
        X, y, shape = read(network)
        rows = torch.from_numpy(order(len(X)))
        images, labels = torch.from_numpy(X).reshape(-1, *shape), torch.from_numpy(y)
        for batch in rows.split(BATCH):
            x = (images[batch].float() / 255).contiguous(memory_format=layout)
            optimizer.zero_grad()
            with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
                loss = loss_of(net(x), labels[batch])
            loss.backward()
            optimizer.step()
        return net

    return run, lambda net: done(net, network, -(-chosen["n"] // BATCH))


def lightning(network: str) -> tuple[Run, Check]:
    """Lightning's Trainer over the same compiled network, whole batches from the DataLoader, nothing logged."""
    import logging
    import warnings

    import lightning as L
    import torch
    from torch.utils.data import BatchSampler, DataLoader, TensorDataset

    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="lightning")
    chosen, net, start, bfloat16 = SETTINGS[network], *compiled(network)
    layout = torch.channels_last if bfloat16 else torch.contiguous_format

    class Learner(L.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.net, self.loss_of = net, torch.nn.CrossEntropyLoss()

        def training_step(self, batch: Any, _: int) -> Any:
            x, y = batch
            x = (x.float() / 255).contiguous(memory_format=layout)
            return self.loss_of(self.net(x), y)

        def configure_optimizers(self) -> Any:
            return torch_optimizer(self.net, chosen)

    def run() -> Any:
        net.load_state_dict(start)
        X, y, shape = read(network)
        data = TensorDataset(torch.from_numpy(X).reshape(-1, *shape), torch.from_numpy(y))
        batches = DataLoader(data, sampler=BatchSampler(order(len(X)).tolist(), BATCH, False), batch_size=None)
        precision = "bf16-mixed" if bfloat16 else "32-true"
        trainer = L.Trainer(max_epochs=1, accelerator="cpu", precision=precision, logger=False, barebones=True)
        trainer.fit(Learner(), batches)
        return net

    return run, lambda net: done(net, network, -(-chosen["n"] // BATCH))


def compiled(network: str) -> tuple[Any, dict[str, Any], bool]:
    """Return the network as torch runs it best, the weights of the start, and whether bfloat16 is faster here."""
    import torch

    from glassnet.learning.autograd import resolve_precision

    bfloat16 = resolve_precision("auto", "cpu") == "bfloat16"
    net = module(network).to(memory_format=torch.channels_last if bfloat16 else torch.contiguous_format)
    start = {name: value.clone() for name, value in net.state_dict().items()}
    net.compile()
    return net, start, bfloat16


def torch_optimizer(net: Any, chosen: dict[str, Any]) -> Any:
    """Return torch's own optimizer, fused."""
    import torch

    if chosen["solver"] == "adam":
        return torch.optim.Adam(net.parameters(), lr=chosen["rate"], fused=True)
    return torch.optim.SGD(net.parameters(), lr=chosen["rate"], momentum=0.9, fused=True)


def keras(network: str) -> tuple[Run, Check]:
    """LeNet-5 with Keras' own layers, channels last."""
    from benchmarks.harness import keras_peer

    library, chosen = keras_peer.library(), SETTINGS[network]
    layers, first = library.layers, module(network)
    net = library.Sequential([
        library.Input((28, 28, 1)), layers.ZeroPadding2D(2), layers.Conv2D(6, 5, activation="relu"),
        layers.MaxPooling2D(2), layers.Conv2D(16, 5, activation="relu"), layers.MaxPooling2D(2),
        layers.Conv2D(120, 5, activation="relu"), layers.Flatten(), layers.Dense(84, "relu"), layers.Dense(10),
    ])  # fmt: skip
    parts = [part.detach().numpy() for part in first.parameters()]
    net.set_weights([part.transpose(2, 3, 1, 0) if part.ndim == 4 else part.T for part in parts])

    def data() -> tuple[np.ndarray, np.ndarray]:
        X, y, _ = read(network)
        rows = order(len(X))
        return X[rows].reshape(-1, 28, 28, 1).astype(np.float32) / 255, y[rows]

    adam = library.optimizers.Adam(chosen["rate"], epsilon=1e-8)

    def check(net: Any) -> dict[str, Any]:
        learned = [part.transpose(3, 2, 0, 1) if part.ndim == 4 else part.T for part in net.get_weights()]
        return done(filled(first, learned), network, int(adam.iterations))

    return keras_peer.fit(net, adam, data, batch_size=BATCH, shuffle=False), check


def filled(net: Any, arrays: list[np.ndarray]) -> Any:
    """Return the network with these parameters."""
    import torch

    with torch.no_grad():
        for parameter, array in zip(net.parameters(), arrays, strict=True):
            parameter.copy_(torch.from_numpy(np.ascontiguousarray(array)))
    return net


def passes(network: str) -> tuple[Run, Check]:
    """Take an epoch's batches forwards and backwards through the network, as ours does, and no more.

    Nothing is read, gathered or learned: what is left of an epoch is torch's own time for this network.
    """
    import torch

    from glassnet.learning.autograd import resolve_precision
    from glassnet.memory import keep_freed_memory

    keep_freed_memory()
    _, y, shape = read(network)
    low = resolve_precision(SETTINGS[network]["precision"], "cpu") == "bfloat16"
    layout = torch.channels_last if low else torch.contiguous_format
    net = module(network).to(memory_format=layout)
    images, labels = torch.rand(BATCH, *shape).contiguous(memory_format=layout), torch.from_numpy(y[:BATCH])
    steps = -(-SETTINGS[network]["n"] // BATCH)

    def run() -> None:
        for _ in range(steps):
            with torch.autocast("cpu", torch.bfloat16, enabled=low):
                loss = torch.nn.functional.cross_entropy(net(images), labels)
            torch.autograd.grad(loss, [*net.parameters()])

    return run, lambda _: {"steps": steps}


def predicted(network: str) -> tuple[Callable[[], int], Callable[[], int]]:
    """Return what predicts one picture: the estimator, and its module alone."""
    import torch

    from glassnet import ModuleClassifier

    X, y, shape = read(network)
    net = ModuleClassifier(module(network), image_shape=shape, max_iter=1, tol=None, random_state=0)
    net.fit(X[:256], y[:256])
    picture = X[:1].astype(np.float32) / np.float32(255)
    image, alone = torch.from_numpy(picture).reshape(1, *shape), net.module_.eval()

    def bare() -> int:
        with torch.no_grad():
            return int(alone(image).argmax(1))

    return lambda: int(net.predict(picture)[0]), bare


def predicts(network: str, place: int) -> tuple[Run, Check]:
    """Predict one picture by the estimator, place 0, or by its module, place 1."""
    return predicted(network)[place], lambda label: {"label": label}


def predicts_beside() -> tuple[Run, Check]:
    """Predict one digit by the estimator; the check says how much longer that takes than by the module alone."""
    ways = predicted("lenet5")

    def check(label: int) -> dict[str, Any]:
        assert label == ways[1]()
        turns = [[_timed(way) for way in ways] for _ in range(100)]
        ours, bare = map(median, zip(*turns, strict=True))
        return {OVERHEAD: round(1e3 * (ours - bare), 4)}

    return ways[0], check


def _timed(run: Callable[[], Any]) -> float:
    start = perf_counter()
    run()
    return perf_counter() - start


def epoch(network: str, at_least: float, aim: float, tolerance: float, peers: dict[str, Any], flops: float) -> Workload:
    """Return the workload of an epoch from files; ``flops`` are those of one picture's step."""
    chosen = SETTINGS[network]
    return Workload(
        name=f"{network} epoch",
        quick=network == "lenet5",
        title=f"{network} from files, {chosen['solver']}, batches of {BATCH}: {chosen['n']:,} of {chosen['data']}",
        peers={OURS: partial(ours, network), **peers},
        tolerance={"loss": tolerance},
        at_least=at_least,
        aim=aim,
        against=tuple(_LOADERS),
        bounds={"forwards and backwards alone": partial(passes, network)},
        steps=-(-chosen["n"] // BATCH),
        flops=chosen["n"] * flops,
        rounds=5,
    )


_LOADERS = {f"PyTorch, DataLoader with {n} workers": n for n in (0, 2)}
_BEST = {"PyTorch, compiled, whole batches": whole_batches, "Lightning, compiled, whole batches": lightning}


def _peers(network: str, **others: Any) -> dict[str, Any]:
    """Return the loops of tutorials, then what PyTorch's users can do at best, then others."""
    peers = {name: partial(pytorch, network, n) for name, n in _LOADERS.items()}
    return peers | {name: partial(peer, network) for name, peer in {**_BEST, **others}.items()}


WORKLOADS = [
    epoch("lenet5", 1.5, 2.0, 0.05, _peers("lenet5", skorch=skorch, **{"Keras on JAX": keras}), 6 * 416_520),
    epoch("resnet20", 2.0, 2.5, 0.15, _peers("resnet20"), 6 * 40_551_808),
    Workload(
        name="lenet5 predict",
        title="lenet5: one picture predicted, a hundred times",
        peers={OURS: predicts_beside},
        at_most={OURS: 0.005},
        limits={OURS: {OVERHEAD: 0.2}},
        runs=100,
    ),
    Workload(
        name="resnet20 predict",
        title="resnet20: one picture predicted, a hundred times",
        peers={OURS: partial(predicts, "resnet20", 0), "the bare module": partial(predicts, "resnet20", 1)},
        at_least=1 / 1.2,
        runs=100,
    ),
]
