"""Depth harms plain networks and serves residual ones (He, Zhang, Ren and Sun 2016, Figs. 1 and 6)."""

from __future__ import annotations

from functools import partial

import numpy as np

from glassnet import ModuleClassifier
from glassnet.claims.claim import Claim, Measured, Scale, at_least, at_most, observed, spread
from glassnet.claims.error_curves import Curves, error_curves
from glassnet.claims.picture import curve, finish, panels, svg
from glassnet.data import load
from glassnet.data.augment import Flip, PadCrop
from glassnet.data.dataset import Dataset

NETS = {f"{kind} {depth}": (kind == "residual", depth) for kind in ("plain", "residual") for depth in (20, 56)}
QUICK = {"batch_size": 50, "max_iter": 5, "learning_rate": "one-cycle", "learning_rate_init": 0.05}
FULL = {
    "batch_size": 128, "max_iter": 20, "learning_rate": "one-cycle", "learning_rate_init": 0.1, "alpha": 128e-4,
    "augment": [PadCrop(2), Flip()], "precision": "auto",
}  # fmt: skip
TOO_SHORT = (
    "Whether 56 residual layers end better than 20 takes a long training, --full. Here is decided only that depth "
    "harms plain networks, and residual ones less."
)


def plain_residual(scale: Scale) -> Claim:
    """Plain networks of 56 layers train worse than those of 20, residual ones of 56 better than those of 20."""
    data = load("cifar10", resize=16) if scale.full else load("digits")
    seeds = range(1)
    found = {name: [_curves(scale, data, name, seed) for seed in seeds] for name in NETS}
    ends = {name: np.array([_end(curves) for curves in runs]) for name, runs in found.items()}  # (seeds, 2)
    harm = {kind: ends[f"{kind} 56"] - ends[f"{kind} 20"] for kind in ("plain", "residual")}
    plain, residual = harm["plain"], harm["residual"]
    short = () if scale.full else (_less("residual less plain: the same", residual[:, 0] - plain[:, 0], -0.05),)
    better = _less if scale.full else _seen
    measured = (
        _more("plain: training error of 56 layers less that of 20", plain[:, 0], scale.pick(0.1, 0.01)),
        _more("plain: the same of the test error", plain[:, 1], 0.0),
        better("residual: training error of 56 layers less that of 20", residual[:, 0], 0.0),
        better("residual: the same of the test error", residual[:, 1], 0.0),
        *short,
        *(_seen(f"test error, {name}", end[:, 1]) for name, end in ends.items()),
    )
    decided = scale.full or not all(m.holds for m in measured if m.expected)
    return Claim(
        source="K. He, X. Zhang, S. Ren and J. Sun (2016), Deep residual learning for image recognition, Figs. 1, 6",
        measured=measured,
        figure=_figure(found),
        seeds=seeds,
        data={data.name: data.sha256},
        note=f"{len(data.X_train):,} pictures of {_shape(data)} pixels{data.note and ', ' + data.note}; "
        f"{scale.pick(QUICK, FULL)['max_iter']} epochs, the last of which is measured. The paper has CIFAR-10's 50,000 "
        "of 32 x 32 and 64,000 steps. Training errors are counted while the epoch is learned.",
        undecided="" if decided else TOO_SHORT,
        expected_verdict="holds" if scale.full else "undecided",
        curves={name: _mean(runs) for name, runs in found.items()},
    )


def _curves(scale: Scale, data: Dataset, name: str, seed: int) -> Curves:
    """Return the errors of one fit, from its file where there is one."""
    residual, depth = NETS[name]
    net = ModuleClassifier(
        f"resnet{depth}", module_options={"residual": residual}, image_shape=data.image_shape, solver="sgd", tol=None,
        random_state=seed, **scale.pick(QUICK, FULL),
    )  # fmt: skip
    piece = f"{name} {seed}"
    return scale.piece(piece, partial(error_curves, net, data, scale.folder and scale.folder / f"run {piece}"))


def _shape(data: Dataset) -> str:
    """Return height and width in words."""
    return " x ".join(map(str, (data.image_shape or ())[-2:]))


def _end(curves: Curves) -> tuple[float, float]:
    """Return training and test error after the last epoch."""
    return curves["training error"][-1], curves["test error"][-1]


def _mean(runs: list[Curves]) -> Curves:
    """Return the mean over seeds of all but the number of the epoch."""
    mean = {key: np.mean([run[key] for run in runs], axis=0).round(4).tolist() for key in runs[0]}
    return mean | {"epoch": runs[0]["epoch"]}


def _spread(values: np.ndarray) -> float | None:
    return spread(values) if len(values) > 1 else None


def _more(what: str, values: np.ndarray, low: float) -> Measured:
    return at_least(what, values.mean(), low, _spread(values))


def _less(what: str, values: np.ndarray, high: float) -> Measured:
    return at_most(what, values.mean(), high, _spread(values))


def _seen(what: str, values: np.ndarray, _bound: float | None = None) -> Measured:
    return observed(what, values.mean(), _spread(values))


def _figure(found: dict[str, list[Curves]]) -> str:
    figure, axes = panels(2)
    for ax, kind in zip(axes, ("plain", "residual"), strict=True):
        for i, depth in enumerate((20, 56)):
            mean = _mean(found[f"{kind} {depth}"])
            curve(ax, i, mean["epoch"], mean["test error"], f"{depth} layers, test")
            curve(ax, i, mean["epoch"], mean["training error"], f"{depth} layers, training", linestyle=":")
        ax.set_ylim(0, 1)
        finish(ax, kind, "epoch", "error")
    return svg(figure)
