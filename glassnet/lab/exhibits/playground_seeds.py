"""The playground's network from many seeds at once: how much of a run is luck."""

from __future__ import annotations

from typing import Any

import numpy as np

from glassnet.lab.recording import Curve
from glassnet.learning import forward


class Seeds:
    """Networks that differ in their seed only, and what their losses have been.

    Parameters
    ----------
    networks : list of estimator
        Initialized; whoever made them moves their states.
    train, test : (X, y)

    Attributes
    ----------
    values : dict
        The newest measurement: of the test errors (losses in regression) the median, lowest and highest.
    arrays : dict of str to ndarray
        The curve, rows of step and median, lowest, highest of train and of test loss; the newest errors.
    """

    def __init__(self, networks: list[Any], train: tuple[np.ndarray, np.ndarray], test: tuple[np.ndarray, np.ndarray]):
        self._networks, self._train, self._test = networks, train, test
        self._curve = Curve(width=6)
        self.values: dict[str, Any] = {}
        self.arrays: dict[str, np.ndarray] = {}

    def measure(self, step: int) -> None:
        """Take the losses of all networks at this step."""
        losses = np.array([[_loss(n, *data)[0] for n in self._networks] for data in (self._train, self._test)])
        errors = np.array([_loss(network, *self._test)[1] for network in self._networks])
        self._curve.add(step, *_summary(losses[0]), *_summary(losses[1]))
        names = ("median", "low", "high")
        self.values = {
            name: float(v) if np.isfinite(v) else None for name, v in zip(names, _summary(errors), strict=True)
        }
        self.arrays = {"seedCurve": self._curve.points, "seedErrors": errors.astype(np.float32)}


def _summary(values: np.ndarray) -> tuple[float, float, float]:
    return float(np.median(values)), float(values.min()), float(values.max())


def _loss(network: Any, X: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Return the mean loss, and the share of errors or, in regression, the mean loss again."""
    arrays, is_classifier = network.state_.arrays, hasattr(network, "classes_")
    z = forward.logits(network.spec_, arrays, X)[:, 0].astype(float)
    if not is_classifier:
        loss = float(np.mean((z - y) ** 2) / 2)
        return loss, loss
    return float(np.mean(np.logaddexp(0, z) - z * y)), float(np.mean((z > 0) != y))
