from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.exceptions import ConvergenceWarning

from glassnet.errors import InvalidInputError
from glassnet.networks.energy_problems import max_cut, minimize, travelling_salesman

VALUES = [(0, 1), (-1, 1)]


def brute_force_minimum(Q: np.ndarray, b: np.ndarray, values: tuple[int, int]) -> float:
    return min(x @ Q @ x + b @ x for x in map(np.array, product(values, repeat=len(Q))))


def brute_force_cut(edges: np.ndarray) -> float:
    n = len(edges)
    sides = product((0, 1), repeat=n)
    return max(sum(edges[i, j] for i in range(n) for j in range(i) if side[i] != side[j]) for side in sides)


def brute_force_tour(distances: np.ndarray) -> float:
    n = len(distances)
    tours = np.array([(0, *rest) for rest in permutations(range(1, n))])
    return distances[tours, np.roll(tours, -1, axis=1)].sum(axis=1).min()


def cities(n: int, seed: int) -> np.ndarray:
    points = np.random.default_rng(seed).random((n, 2))
    return np.linalg.norm(points[:, None] - points, axis=2)


@pytest.mark.parametrize("values", VALUES)
@pytest.mark.parametrize("n", [1, 2, 5, 12])
def test_small_problems_are_solved_as_by_brute_force(values, n):
    rng = np.random.default_rng(n)
    Q, b = rng.standard_normal((n, n)), rng.standard_normal(n)
    found = minimize(Q, b, values=values, random_state=0)
    assert found.cost == pytest.approx(brute_force_minimum(Q, b, values))
    assert found.cost == pytest.approx(found.x @ Q @ found.x + b @ found.x)
    assert set(found.x) <= set(values)


@settings(deadline=None)
@given(st.integers(1, 15), st.sampled_from(VALUES), st.sampled_from([1e-9, 1.0, 1e12]), st.integers(0, 999))
def test_costs_fall_to_where_no_single_flip_lowers_them(n, values, size, seed):
    rng = np.random.default_rng(seed)
    Q, b = size * rng.standard_normal((n, n)), size * rng.standard_normal(n)
    found = minimize(Q, b, values=values, restarts=5, random_state=seed)
    assert (np.diff(found.trace, axis=1) <= 0).all()
    assert found.cost == found.costs.min()
    np.testing.assert_array_equal(found.trace[:, -1], found.costs)
    for i in range(n):
        other = found.x.copy()
        other[i] = sum(values) - other[i]
        assert other @ Q @ other + b @ other >= found.cost - 1e-5 * size * n


def test_trace_starts_at_the_cost_of_the_random_start():
    """With no couplings the first sweep ends the descent, so the trace has two known ends."""
    found = minimize(np.diag([1.0, -2.0]), restarts=50, random_state=0)
    assert set(found.trace[:, 0].round(6)) == {0.0, 1.0, -2.0, -1.0}
    assert found.costs.tolist() == [-2.0] * 50


def test_a_cost_that_prefers_nothing_keeps_the_start():
    found = minimize(np.zeros((3, 3)), restarts=40, random_state=0)
    assert found.cost == 0
    assert found.trace.tolist() == [[0.0, 0.0]] * 40


def test_one_seed_gives_one_answer():
    Q = np.random.default_rng(0).standard_normal((30, 30))
    first, again = (minimize(Q, restarts=3, random_state=7) for _ in range(2))
    np.testing.assert_array_equal(first.trace, again.trace)


def test_restarts_cut_short_are_said():
    Q = np.random.default_rng(0).standard_normal((40, 40))
    with pytest.warns(ConvergenceWarning, match="of 10 restarts had not settled after max_iter=1"):
        minimize(Q, restarts=10, max_iter=1, random_state=0)


@pytest.mark.parametrize("n", [1, 2, 6, 11])
def test_cuts_are_those_of_brute_force(n):
    rng = np.random.default_rng(n)
    edges = np.triu(rng.integers(0, 5, (n, n)), 1)
    edges = edges + edges.T
    cut = max_cut(edges, random_state=0)
    assert cut.weight == brute_force_cut(edges)
    assert cut.weight == edges[cut.side == 0][:, cut.side == 1].sum()
    assert cut.weights.max() == cut.weight


def test_an_even_ring_is_cut_at_every_edge_and_loops_do_not_count():
    ring = np.roll(np.eye(10), 1, axis=0)
    cut = max_cut(ring + ring.T + 3 * np.eye(10), random_state=0)
    assert cut.weight == 10
    assert cut.side.tolist() in ([0, 1] * 5, [1, 0] * 5)


def test_edges_may_repel():
    assert max_cut([[0, -1], [-1, 0]], random_state=0).weight == 0


@pytest.mark.parametrize("n", [4, 7, 9])
def test_tours_are_within_three_percent_of_brute_force(n):
    for seed in range(2):
        distances = cities(n, seed)
        tour = travelling_salesman(distances, random_state=0)
        shortest = brute_force_tour(distances)
        assert shortest - 1e-9 <= tour.cost <= 1.03 * shortest


def test_one_way_roads_are_followed_the_right_way():
    distances = np.ones((6, 6))
    distances[np.arange(6), (np.arange(6) + 1) % 6] = 0.1
    tour = travelling_salesman(distances, random_state=0)
    assert tour.order.tolist() == [0, 1, 2, 3, 4, 5]
    assert tour.cost == pytest.approx(0.6)


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 8), st.sampled_from(["none", "equal", "wild", "one-way"]), st.integers(1, 10), st.integers(0, 99))
def test_whatever_the_distances_the_tour_is_valid_and_its_cost_true(n, kind, restarts, seed):
    rng = np.random.default_rng(seed)
    distances = {
        "none": np.zeros((n, n)),
        "equal": np.ones((n, n)),
        "wild": 10 ** rng.uniform(-8, 8, (n, n)),
        "one-way": rng.random((n, n)),
    }[kind]
    tour = travelling_salesman(distances, restarts=restarts, n_steps=50, random_state=seed)
    assert sorted(tour.order) == list(range(n))
    assert tour.order[0] == 0
    legs = [distances[a, b] for a, b in zip(tour.order, np.roll(tour.order, -1), strict=True) if a != b]
    assert tour.cost == pytest.approx(sum(legs))
    assert tour.costs.shape == tour.settled.shape == (restarts,)
    assert tour.cost == tour.costs.min()


def test_runs_settle_on_a_tour_by_themselves_unless_they_are_too_short():
    distances = cities(9, 0)
    assert travelling_salesman(distances, random_state=0).settled.sum() > 20
    assert not travelling_salesman(distances, n_steps=2, random_state=0).settled.any()


def test_a_run_does_not_depend_on_the_runs_beside_it():
    first, again = (travelling_salesman(cities(7, 1), restarts=20, n_steps=100, random_state=3) for _ in range(2))
    np.testing.assert_array_equal(first.costs, again.costs)


@pytest.mark.parametrize("solve", [minimize, max_cut, travelling_salesman])
@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (np.ones((2, 3)), r"square matrix; got shape \(2, 3\)"),
        (np.ones(4), r"square matrix; got shape \(4,\)"),
        (np.ones((0, 0)), r"square matrix; got shape \(0, 0\)"),
        ([[0, np.nan], [np.nan, 0]], "finite numbers; got NaN or infinity"),
        ([[0, np.inf], [np.inf, 0]], "finite numbers; got NaN or infinity"),
    ],
)
def test_matrices_that_are_no_problem_are_refused(solve, matrix, message):
    with pytest.raises(InvalidInputError, match=message):
        solve(matrix)


def test_negative_distances_are_refused():
    with pytest.raises(InvalidInputError, match="distances must not be negative; got -1"):
        travelling_salesman([[0, -1], [1, 0]])


def test_edges_with_a_direction_are_refused():
    with pytest.raises(InvalidInputError, match="adjacency must be symmetric"):
        max_cut([[0, 1], [0, 0]])


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"b": [1, 2, 3]}, r"b must hold 2 finite numbers; got shape \(3,\)"),
        ({"b": [1, np.nan]}, "b must hold 2 finite numbers"),
        ({"values": (1, 2)}, r"values must be \(0, 1\) or \(-1, 1\); got \(1, 2\)"),
        ({"restarts": 0}, "restarts must be an integer, at least 1; got 0"),
        ({"max_iter": 0}, "max_iter must be an integer, at least 1; got 0"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(parameters, message):
    with pytest.raises(InvalidInputError, match=message):
        minimize(np.eye(2), **parameters)


@pytest.mark.parametrize("parameters", [{"restarts": 1.5}, {"n_steps": 0}])
def test_a_tour_needs_whole_numbers_of_runs_and_steps(parameters):
    with pytest.raises(InvalidInputError, match=f"{next(iter(parameters))} must be an integer"):
        travelling_salesman(np.ones((3, 3)), **parameters)
