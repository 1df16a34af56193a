"""What ``glassnet train`` does for networks that remember: what they learn from, and how well they do."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from glassnet.data import Dataset

CORRUPTION, N_PROBES = 0.1, 10  # share of a probe's values turned over; probes of each pattern


def patterns_of(dataset: Dataset) -> Dataset:
    """Return the first sample of every class, which is what an associative memory can hold of a data set."""
    if dataset.kind != "classification":
        return dataset
    first = np.unique(dataset.y_train, return_index=True)[1]
    return replace(dataset, X_train=dataset.X_train[first], y_train=dataset.y_train[first])


def recalled(network: Any) -> dict[str, Any]:
    """Return how much of its patterns a Hopfield network recalls when a tenth of their values are turned over."""
    patterns = np.repeat(network.patterns_, N_PROBES, axis=0)
    recall = network.recall(corrupted(network))
    return {
        "patterns": len(network.patterns_),
        "load": round(network.load_, 6),
        "corruption": CORRUPTION,
        "bits_right": round(float((recall.states == patterns).mean()), 6),
        "recalled_exactly": round(float((recall.states == patterns).all(1).mean()), 6),
        "mean_steps": round(float(recall.n_iter.mean()), 3),
        "largest_rise_of_energy": float(np.diff(recall.energies, axis=1).max()),
    }


def corrupted(network: Any) -> np.ndarray:
    """Return ten probes of each stored pattern, a tenth of their values turned over."""
    from glassnet.seeds import generator

    patterns = np.repeat(network.patterns_, N_PROBES, axis=0)
    signs = np.ones_like(patterns)
    signs[:, : round(CORRUPTION * patterns.shape[1])] = -1
    return patterns * generator(network.seed_, "corruption").permuted(signs, axis=1)


def pseudo_likelihood(rbm: Any, dataset: Dataset) -> dict[str, float]:
    """Return the mean over the first thousand samples, estimated from a hundred units, in nats per sample."""
    options = {"n_units": min(100, dataset.X_train.shape[1])}
    parts = {"train": dataset.X_train[:1000], "test": dataset.X_test[:1000]}
    return {
        f"{part}_pseudo_likelihood": round(float(rbm.score_samples(X, **options).mean()), 3)
        for part, X in parts.items()
    }
