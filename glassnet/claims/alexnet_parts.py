"""What normalization, overlapping pooling and dropout do for AlexNet (Krizhevsky, Sutskever and Hinton 2012)."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from torch import nn

from glassnet import ModuleClassifier
from glassnet.claims.claim import Claim, Scale, at_least, observed, spread
from glassnet.claims.error_curves import Curves, error_curves
from glassnet.claims.picture import bars, finish, panels, svg
from glassnet.data import load
from glassnet.data.dataset import Dataset
from glassnet.learning.dropout import Dropout
from glassnet.learning.response_normalization import LocalResponseNorm

# each without one of the paper's parts
VARIANTS: dict[str, dict[str, Any]] = {
    "all parts": {},
    "no response normalization": {"normalization": False},
    "no overlap of the pools": {"overlap": False},
    "no dropout": {"dropout": 0.0},
}
FAILS_HERE = (
    " In full the claim fails: on so few pictures dropout narrows the gap between training and test error and leaves "
    "the test error where it was; overlapping pools lower it, normalization by less than seeds differ."
)
CLOSED = 0.02  # of the gap between training and test error
TOO_SHORT = (
    "Which part lowers the error takes more pictures and epochs, --full. Here is decided only that dropout closes a "
    "part of the gap between training and test error."
)


def alexnet_parts(scale: Scale) -> Claim:
    """Local response normalization, overlapping pooling and dropout each lower AlexNet's error on small data."""
    data = load("cifar10", resize=16, per_class=scale.pick(60, 500))
    seeds = range(scale.pick(2, 3))
    found = {name: np.array([_end(scale, data, name, seed) for seed in seeds]) for name in VARIANTS}  # (seeds, 2)
    tests, gaps = ({name: pick(ends) for name, ends in found.items()} for pick in (_test_error, _gap))
    lowered = {name: errors - tests["all parts"] for name, errors in tests.items() if name != "all parts"}
    closed = gaps["no dropout"] - gaps["all parts"]
    side = data.image_shape[-1] if data.image_shape else 0
    return Claim(
        source="A. Krizhevsky, I. Sutskever and G. Hinton (2012), ImageNet classification with deep convolutional "
        "neural networks, sections 3.3, 3.4 and 4.2",
        measured=(
            *(
                (at_least if scale.full else _seen)(f"test error, {name}, over that of all", d.mean(), 0, spread(d))
                for name, d in lowered.items()
            ),
            at_least("gap between training and test error that dropout closes", closed.mean(), CLOSED, spread(closed)),
            *(observed(f"test error, {name}", errors.mean(), spread(errors)) for name, errors in tests.items()),
        ),
        figure=_figure(tests),
        seeds=seeds,
        data={data.name: data.sha256},
        note=f"{len(data.X_train):,} pictures of {side} x {side} ({data.note or 'lossless'}) and a network of the same "
        "make as AlexNet but smaller: five convolutions, the first two normalized, three pools, three dense layers. "
        f"{_epochs(scale)} epochs of one cycle. The network of the paper, at 227 x 227, takes minutes an epoch here: "
        "`glassnet train alexnet` runs it." + scale.pick("", FAILS_HERE),
        undecided="" if scale.full or closed.mean() < CLOSED else TOO_SHORT,
        expected_verdict=scale.pick("undecided", "fails"),
    )


def small_alexnet(
    image_shape: tuple[int, ...],
    n_classes: int,
    normalization: bool = True,
    overlap: bool = True,
    dropout: float = 0.5,
    maps: tuple[int, ...] = (24, 48, 64, 64, 48),
    n_hidden: int = 256,
) -> nn.Sequential:
    """Return AlexNet's layers for pictures of 16 x 16 and more."""

    def rest(normalized: bool, pooled: bool) -> list[nn.Module]:
        norm = [LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=2.0)] if normalized and normalization else []
        pool = nn.MaxPool2d(3, stride=2, padding=1) if overlap else nn.MaxPool2d(2)
        return [nn.ReLU(), *norm, *([pool] if pooled else [])]

    a, b, c, d, e = maps
    side = image_shape[-1] // 8
    dense = [(e * side**2, n_hidden), (n_hidden, n_hidden)]
    layers = [
        *(nn.Conv2d(image_shape[0], a, 5, padding=2), *rest(True, True)),
        *(nn.Conv2d(a, b, 5, padding=2), *rest(True, True)),
        *(nn.Conv2d(b, c, 3, padding=1), *rest(False, False)),
        *(nn.Conv2d(c, d, 3, padding=1), *rest(False, False)),
        *(nn.Conv2d(d, e, 3, padding=1), *rest(False, True), nn.Flatten()),
        *(layer for sizes in dense for layer in (nn.Linear(*sizes), nn.ReLU(), Dropout(dropout))),
        nn.Linear(n_hidden, n_classes),
    ]
    for layer in layers:
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(layer.weight)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    return nn.Sequential(*layers)


def _epochs(scale: Scale) -> int:
    """Return how long a fit is; the full one allows for dropout, which takes about twice as long (section 4.2)."""
    return scale.pick(12, 60)


def _end(scale: Scale, data: Dataset, name: str, seed: int) -> tuple[float, float]:
    """Return training and test error after the last epoch, from the fit's file where there is one."""
    net = ModuleClassifier(
        small_alexnet, module_options=VARIANTS[name], image_shape=data.image_shape, solver="sgd", batch_size=64,
        learning_rate="one-cycle", learning_rate_init=0.02, alpha=64 * 5e-4, max_iter=_epochs(scale), tol=None,
        augment=scale.pick(None, "flip"), random_state=seed, precision=scale.pick("float32", "auto"),
    )  # fmt: skip
    curves: Curves = scale.piece(f"{name} {seed}", partial(error_curves, net, data))
    return curves["training error"][-1], curves["test error"][-1]


def _test_error(ends: np.ndarray) -> np.ndarray:
    return ends[:, 1]


def _gap(ends: np.ndarray) -> np.ndarray:
    return ends[:, 1] - ends[:, 0]


def _seen(what: str, value: float, _bound: float, spread: float) -> Any:
    return observed(what, value, spread)


def _figure(tests: dict[str, np.ndarray]) -> str:
    figure, (ax,) = panels(width=7)
    bars(ax, [name.replace(" ", "\n", 1) for name in tests], [100 * e.mean() for e in tests.values()],
         [100 * spread(e) for e in tests.values()])  # fmt: skip
    finish(ax, "A small AlexNet without one of its parts", "", "test error, per cent")
    return svg(figure)
