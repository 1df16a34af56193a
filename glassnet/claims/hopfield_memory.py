"""The Hopfield network as a memory (Hopfield 1982; Amit, Gutfreund and Sompolinsky 1985)."""

from __future__ import annotations

import numpy as np

from glassnet import HopfieldNetwork
from glassnet.claims.claim import Claim, Scale, about, at_least, at_most
from glassnet.claims.picture import curve, finish, limit, panels, svg
from glassnet.networks.recall_curve import RecallCurve, recall_curve
from glassnet.seeds import generator

THEORY = 0.138


def hopfield_memory(scale: Scale) -> Claim:
    """A Hopfield network's energy never rises, and its memory breaks down near 0.138 N patterns."""
    seeds, n_units = range(scale.pick(10, 100)), scale.pick(1000, 4000)
    energies = [_energies(seed) for seed in seeds]
    rise = max(float(np.diff(energy, axis=1).max()) for energy in energies)
    loads = np.arange(0.10, 0.1801, scale.pick(0.01, 0.005))
    measured = recall_curve(loads, n_units, scale.pick(4, 10), corruption=0.02, n_probes=scale.pick(50, 100))
    far = recall_curve([0.10], n_units, scale.pick(4, 10), corruption=0.1, n_probes=scale.pick(50, 100))
    return Claim(
        source="J. J. Hopfield (1982); D. J. Amit, H. Gutfreund and H. Sompolinsky (1985)",
        measured=(
            at_most(f"largest rise of the energy in a step, of {len(energies) * 50} recalls", rise, 0),
            about("load at which less than 95% of the bits come back", measured.breakdown, THEORY, 0.012),
            at_least("share of bits recalled at a load of 0.10", measured.mean[0], 0.98, measured.spread[0]),
            at_least("the same, from probes with 10% of the bits flipped", far.mean[0], 0.95, far.spread[0]),
            at_most("share of bits recalled at a load of 0.18", measured.mean[-1], 0.8, measured.spread[-1]),
        ),
        figure=_figure(energies[0], measured),
        seeds=seeds,
        note=f"Memory of {n_units} units, Hebb's rule, probes with 2% of the bits flipped. "
        "Theory puts the fall at 0.138 for an infinite network.",
    )


def _energies(seed: int) -> np.ndarray:
    """Return the energies of 50 recalls from random states, shape (50, n_steps + 1)."""
    rng = generator(seed, "energy")
    patterns, probes = rng.choice([-1.0, 1.0], (2, 50, 400))
    network = HopfieldNetwork(random_state=seed).fit(patterns)
    return network.recall(probes).energies


def _figure(energies: np.ndarray, measured: RecallCurve) -> str:
    figure, (left, right) = panels(2)
    for i, energy in enumerate(energies[:8]):
        curve(left, i, range(len(energy)), energy)
    finish(left, "The way down", "sweep", "energy")
    curve(right, 1, measured.load, measured.mean, f"{measured.n_units} units", measured.spread)
    limit(right, THEORY, "0.138, N → ∞", vertical=True)
    limit(right, 0.95)
    finish(right, "Recall over load", "patterns per unit", "share of bits recalled")
    return svg(figure)
