"""Optimization by a Hopfield network (Hopfield and Tank 1985)."""

from __future__ import annotations

from itertools import permutations

import numpy as np

from glassnet.claims.claim import Claim, Scale, at_least, at_most, observed, spread
from glassnet.claims.picture import THEME, finish, panels, svg
from glassnet.networks.energy_problems import Tour, max_cut, travelling_salesman
from glassnet.networks.truth_tables import all_inputs
from glassnet.seeds import generator

N_VERTICES, N_CITIES = 16, 8


def hopfield_optimizes(scale: Scale) -> Claim:
    """A Hopfield network finds good answers to max-cut and the travelling salesman's problem."""
    seeds = range(scale.pick(10, 100))
    cut_gaps, random_gaps = np.array([_cut_gaps(seed) for seed in seeds]).T
    cities = [generator(seed, "cities").random((N_CITIES, 2)) for seed in seeds]
    tours = [
        travelling_salesman(_distances(c), restarts=50, random_state=s) for s, c in zip(seeds, cities, strict=True)
    ]
    shortest = np.array([_shortest(_distances(c)) for c in cities])
    tour_gaps = np.array([tour.cost for tour in tours]) / shortest - 1
    one_run = np.array([tour.costs.mean() for tour in tours]) / shortest - 1
    return Claim(
        source="J. J. Hopfield and D. W. Tank (1985), Biological Cybernetics 52",
        measured=(
            at_most("max-cut: mean gap to the optimum, best of 100 starts", cut_gaps.mean(), 0.001, spread(cut_gaps)),
            at_least("max-cut: mean gap of a random cut", random_gaps.mean(), 0.1, spread(random_gaps)),
            at_most("tour: mean gap to the optimum, best of 50 starts", tour_gaps.mean(), 0.03, spread(tour_gaps)),
            observed("tour: mean gap of a single start", one_run.mean(), spread(one_run)),
        ),
        figure=_figure(cut_gaps, tour_gaps, one_run, cities[0], tours[0]),
        seeds=seeds,
        note=f"{N_VERTICES} vertices, edges with probability 1/2, and {N_CITIES} cities, so that the optimum is found "
        "by trying all answers. A minimum is local: nothing says that the best was found.",
    )


def _cut_gaps(seed: int) -> tuple[float, float]:
    """Return the gaps to the best cut of the network's cut and of the mean random cut."""
    edges = np.triu(generator(seed, "graph").integers(2, size=(N_VERTICES, N_VERTICES)), 1)
    edges = edges + edges.T
    signs = 2 * all_inputs(N_VERTICES - 1) - 1
    signs = np.column_stack([np.ones(len(signs), int), signs])  # the first vertex's side is free to choose
    best = (edges.sum() - np.einsum("ri,ri->r", signs @ edges, signs)).max() / 4
    return 1 - max_cut(edges, random_state=seed).weight / best, 1 - edges.sum() / 4 / best


def _distances(cities: np.ndarray) -> np.ndarray:
    return np.linalg.norm(cities[:, None] - cities, axis=2)


def _shortest(distances: np.ndarray) -> float:
    """Return the length of the shortest of all tours."""
    tours = np.array([(0, *rest) for rest in permutations(range(1, len(distances)))])
    return float(distances[tours, np.roll(tours, -1, axis=1)].sum(axis=1).min())


def _figure(cut: np.ndarray, tour: np.ndarray, one: np.ndarray, cities: np.ndarray, found: Tour) -> str:
    figure, (left, right) = panels(2)
    for i, gaps in enumerate((cut, tour, one)):
        left.scatter(np.full(len(gaps), i), 100 * gaps, s=16, color=THEME.color(i))
    left.set_xticks(range(3), ["max-cut", "tour", "tour, one start"])
    finish(left, "Gap to the optimum", "", "%")
    x, y = cities[np.append(found.order, found.order[0])].T
    right.plot(x, y, "o-", color=THEME.color(1))
    right.set_aspect("equal")
    finish(right, "A tour found")
    return svg(figure)
