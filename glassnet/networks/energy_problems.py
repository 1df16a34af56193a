"""Optimising computing power: hard problems solved by a network's way down its energy.

J. J. Hopfield, D. W. Tank, "Neural" computation of decisions in optimization problems,
Biological Cybernetics 52, 1985.

A network that lowers E = -1/2 s'Ws - bias's searches for a good answer to any question
whose cost can be written that way. `minimize` takes the cost x'Qx + b'x of binary x,
`max_cut` writes the cut of a graph as such a cost; both let many random starts come to
rest, as the network of 1982 does, and give the best. A minimum is local: nothing says
that the best of all was found.

`travelling_salesman` is the paper's network. Unit (X, i) says that city X is visited i-th;
its input u follows ``du/dt = -u - dE/dV``, its output is ``V = (1 + tanh(u / u0)) / 2``, and

::

    E = 1/2 sum over X of (row sum of V - 1)^2 + 1/2 sum over i of (column sum of V - 1)^2
        + 1/2 sum over X, i of V_Xi (1 - V_Xi) + D sum over X, Y, i of d_XY V_Xi V_Y,i+1

Where we depart from the paper: u0 falls slowly (the gain is annealed) where the paper
holds it; each row and column is drawn to one active unit, where the paper has terms
against two in a row, two in a column and a wrong total; distances are divided by their
mean, and D differs between restarts. The paper's network often ends without a valid tour;
here the tour that agrees best with the outputs is read off, so that it is always valid.
"""

from __future__ import annotations

import os
import warnings
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import linear_sum_assignment
from sklearn.exceptions import ConvergenceWarning

from glassnet.errors import InvalidInputError
from glassnet.networks.hopfield import settle_asynchronously
from glassnet.seeds import generator, resolve_seed


@dataclass(frozen=True)
class Minimum:
    """The best answer found by `minimize`.

    Attributes
    ----------
    x : ndarray of shape (n,), int
        The best answer.
    cost : float
        Its cost x'Qx + b'x.
    costs : ndarray of shape (restarts,), float64
        The cost that each restart came to rest at.
    trace : ndarray of shape (restarts, n_steps + 1), float64
        The cost of each random start and after every sweep; it never rises.
    """

    x: np.ndarray
    cost: float
    costs: np.ndarray
    trace: np.ndarray


def minimize(
    Q: ArrayLike,
    b: ArrayLike | None = None,
    *,
    values: tuple[int, int] = (0, 1),
    restarts: int = 100,
    max_iter: int = 1000,
    random_state: int | None = None,
) -> Minimum:
    """Look for the binary x that makes x'Qx + b'x small, by descent from random starts.

    Parameters
    ----------
    Q : array-like of shape (n, n)
        Need not be symmetric.
    b : array-like of shape (n,), or None for zeros
    values : (0, 1) or (-1, 1), default=(0, 1)
        The two values that the elements of x can take.
    restarts : int, default=100
        Random starts, shared among threads.
    max_iter : int, default=1000
        Most sweeps over all elements in a restart.
    random_state : int or None

    Returns
    -------
    Minimum
        Flipping any one element of x does not lower its cost by more than rounding. A
        `ConvergenceWarning` says how many restarts ``max_iter`` cut short.

    Raises
    ------
    InvalidInputError
        If Q is not square, b does not fit it, a number is not finite, or another
        argument cannot be used.

    Examples
    --------
    >>> found = minimize([[-1, 3], [0, -2]], random_state=0)
    >>> found.x, found.cost
    (array([0, 1]), -2.0)
    """
    Q = _square("Q", Q)
    linear = np.zeros(len(Q)) if b is None else np.asarray(b, np.float64)
    if linear.shape != (len(Q),) or not np.isfinite(linear).all():
        raise InvalidInputError(f"b must hold {len(Q)} finite numbers; got shape {linear.shape}")
    if tuple(values) not in ((0, 1), (-1, 1)):
        raise InvalidInputError(f"values must be (0, 1) or (-1, 1); got {values!r}")
    _check_count("restarts", restarts)
    _check_count("max_iter", max_iter)
    weight, bias, scale = _as_network(Q, linear, spins=values[0] == -1)
    seed = resolve_seed(random_state)
    starts = generator(seed, "starts").choice(np.array([-1, 1], np.float32), (restarts, len(Q)))
    states, energies, settled, _ = settle_asynchronously(weight, starts, bias, max_iter=max_iter, seed=seed)
    if not settled.all():
        message = f"{(settled == 0).sum()} of {restarts} restarts had not settled after max_iter={max_iter} sweeps"
        warnings.warn(message, ConvergenceWarning, stacklevel=2)
    answers = np.where(states > 0, 1, values[0])
    costs = np.einsum("ri,ri->r", answers @ Q + linear, answers)
    best = int(costs.argmin())
    trace = costs[:, None] + scale * (energies - energies[:, -1:])
    return Minimum(answers[best], float(costs[best]), costs, trace)


def _as_network(Q: np.ndarray, b: np.ndarray, spins: bool) -> tuple[np.ndarray, np.ndarray, float]:
    """Return weight, bias, scale of the network with scale * E = cost - constant.

    With x = (s + 1) / 2 and x^2 = x, the diagonal of Q is a linear term of 0/1 problems;
    with s^2 = 1 it is a constant of -1/+1 problems.
    """
    couplings = (Q + Q.T) / 2
    linear = b if spins else b + np.diag(Q)
    np.fill_diagonal(couplings, 0)
    weight = -2 * couplings if spins else -couplings / 2
    bias = -linear if spins else -(couplings.sum(axis=1) + linear) / 2
    scale = float(max(np.abs(weight).max(), np.abs(bias).max())) or 1.0
    return (weight / scale).astype(np.float32), (bias / scale).astype(np.float32), scale


@dataclass(frozen=True)
class Cut:
    """The best cut found by `max_cut`.

    Attributes
    ----------
    side : ndarray of shape (n,), int
        The side, 0 or 1, of each vertex.
    weight : float
        Summed weight of the edges between the two sides.
    weights : ndarray of shape (restarts,), float64
        The cut that each restart came to rest at.
    """

    side: np.ndarray
    weight: float
    weights: np.ndarray


def max_cut(adjacency: ArrayLike, *, restarts: int = 100, random_state: int | None = None) -> Cut:
    """Part the vertices of a graph in two, so that much weight lies on the edges between.

    With s = -1 and +1 for the two sides, the cut is the sum over edges of w (1 - s_i s_j) / 2,
    and the s that make s'As small make it large.

    Parameters
    ----------
    adjacency : array-like of shape (n, n)
        Symmetric; weights of the edges, 0 where there is none. The diagonal is not used.
    restarts : int, default=100
    random_state : int or None

    Returns
    -------
    Cut

    Raises
    ------
    InvalidInputError
        If the matrix is not square, not symmetric or not finite.

    Examples
    --------
    >>> square = np.array([[0, 1, 0, 1], [1, 0, 1, 0], [0, 1, 0, 1], [1, 0, 1, 0]])
    >>> max_cut(square, random_state=0).weight
    4.0
    """
    edges = _square("adjacency", adjacency)
    if not np.array_equal(edges, edges.T):
        raise InvalidInputError("adjacency must be symmetric: edges have no direction in a cut")
    np.fill_diagonal(edges, 0)
    found = minimize(edges, values=(-1, 1), restarts=restarts, random_state=random_state)
    weights = (edges.sum() - found.costs) / 4
    return Cut((found.x > 0).astype(int), float(weights.max()), weights)


@dataclass(frozen=True)
class Tour:
    """The shortest tour found by `travelling_salesman`.

    Attributes
    ----------
    order : ndarray of shape (n,), int
        The cities in the order of the visit, the first of them city 0.
    cost : float
        Length of the closed tour.
    costs : ndarray of shape (restarts,), float64
        The length that each restart came to.
    settled : ndarray of shape (restarts,), bool
        Whether the units themselves came to a valid tour; the others were read off as
        the tour that agrees best with them.
    """

    order: np.ndarray
    cost: float
    costs: np.ndarray
    settled: np.ndarray


def travelling_salesman(
    distances: ArrayLike, *, restarts: int = 100, n_steps: int = 1000, random_state: int | None = None
) -> Tour:
    """Look for a short closed tour through all cities with a Hopfield-Tank network.

    Parameters
    ----------
    distances : array-like of shape (n, n)
        Not negative; row: from, column: to. Need not be symmetric.
    restarts : int, default=100
        Runs from different small random inputs, shared among threads.
    n_steps : int, default=1000
        Euler steps of a run, over which the gain rises.
    random_state : int or None

    Returns
    -------
    Tour
        Always valid; the shortest of the restarts.

    Raises
    ------
    InvalidInputError
        If the matrix is not square or has negative distances or numbers that are not finite.

    Examples
    --------
    >>> corners = np.array([[0, 0], [1, 1], [0, 1], [1, 0]])
    >>> distances = np.linalg.norm(corners[:, None] - corners, axis=2)
    >>> travelling_salesman(distances, restarts=4, random_state=0).cost
    4.0
    """
    d, mean = _distances(distances)
    _check_count("restarts", restarts)
    _check_count("n_steps", n_steps)
    outputs = _run_in_threads((d / mean).astype(np.float32), restarts, n_steps, resolve_seed(random_state))
    tours = np.array([_read_tour(output) for output in outputs])
    costs = d[tours, np.roll(tours, -1, axis=1)].sum(axis=1)
    active = outputs > 0.5
    settled = (active.sum(axis=1) == 1).all(axis=1) & (active.sum(axis=2) == 1).all(axis=1)
    best = int(costs.argmin())
    return Tour(tours[best], float(costs[best]), costs, settled)


# gain 1 / u0: from above the temperature at which the units decide, to nearly a step
FIRST_WIDTH, LAST_WIDTH = 0.3, 0.02
RATE = 0.1
# standard deviation of the first inputs u: without it the units could not choose among
# the n turns and two directions of the same tour
START = 0.2
# strength D of the distances against the constraints, lowest and highest of the restarts
WEAKEST, STRONGEST = 0.25, 0.45


def _distances(distances: ArrayLike) -> tuple[np.ndarray, float]:
    """Return checked distances with a zero diagonal, and their mean."""
    d = _square("distances", distances)
    if (d < 0).any():
        raise InvalidInputError(f"distances must not be negative; got {d.min():g}")
    np.fill_diagonal(d, 0)
    return d, d.sum() / max(1, len(d) * (len(d) - 1)) or 1.0


def _start(seed: int, restart: int, n: int) -> np.ndarray:
    """Return the first inputs u of a restart, (city, position)."""
    return np.float32(START) * generator(seed, "tour", rank=restart).standard_normal((n, n), np.float32)


def _run_in_threads(d: np.ndarray, restarts: int, n_steps: int, seed: int) -> np.ndarray:
    """Return the outputs (restarts, city, position) after all runs; d is in units of its mean."""
    n = len(d)
    strength = np.linspace(WEAKEST, STRONGEST, restarts, dtype=np.float32)

    def work(runs: np.ndarray) -> np.ndarray:
        u = np.stack([_start(seed, r, n) for r in runs])
        return _run(u, strength[runs, None, None], d, n_steps)

    n_tasks = max(os.cpu_count() or 1, restarts * n * n // 16384)  # a task's arrays stay in the cache
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        tasks = np.array_split(np.arange(restarts), min(n_tasks, restarts))
        return np.concatenate(list(pool.map(work, tasks)))


def _run(u: np.ndarray, strength: np.ndarray, d: np.ndarray, n_steps: int) -> np.ndarray:
    """Return the outputs at the end; u is (runs, city, position)."""
    return deque(_descent(u, strength, d, n_steps), maxlen=1)[0]


def _descent(u: np.ndarray, strength: np.ndarray, d: np.ndarray, n_steps: int) -> Iterator[np.ndarray]:
    """Follow du/dt = -u - dE/dV while u0 falls, and yield the outputs V of every step."""
    for width in np.geomspace(FIRST_WIDTH, LAST_WIDTH, n_steps, dtype=np.float32):
        output = (1 + np.tanh(u / width)) / 2
        yield output
        row, column = output.sum(axis=2, keepdims=True), output.sum(axis=1, keepdims=True)
        far = d @ np.roll(output, -1, axis=2) + d.T @ np.roll(output, 1, axis=2)
        slope = (row - 1) + (column - 1) + (0.5 - output) + strength * far
        u = u - np.float32(RATE) * (u + slope)


@dataclass(frozen=True)
class TourDescent:
    """One restart of `travelling_salesman`, step by step: the answer of `watch_tour`.

    Attributes
    ----------
    outputs : ndarray of shape (n_steps, n, n), float32
        V of every step; row: city, column: place in the tour.
    energies : ndarray of shape (n_steps,), float64
        E of every step.
    strength : float
        D, the weight of the distances in E.
    """

    outputs: np.ndarray
    energies: np.ndarray
    strength: float

    def tour(self, step: int = -1) -> np.ndarray:
        """Return the tour that agrees best with the outputs of a step: the cities, 0 first."""
        return _read_tour(self.outputs[step])


def watch_tour(
    distances: ArrayLike,
    restart: int = 0,
    *,
    restarts: int = 100,
    n_steps: int = 1000,
    random_state: int | None = None,
) -> TourDescent:
    """Follow one restart of `travelling_salesman` with the same arguments.

    Parameters
    ----------
    distances : array-like of shape (n, n)
    restart : int, default=0
        Which one, from 0 to ``restarts - 1``.
    restarts, n_steps, random_state
        As in `travelling_salesman`.

    Returns
    -------
    TourDescent

    Raises
    ------
    InvalidInputError
        If the distances cannot be used, or there is no such restart.

    Examples
    --------
    >>> corners = np.array([[0, 0], [1, 1], [0, 1], [1, 0]])
    >>> distances = np.linalg.norm(corners[:, None] - corners, axis=2)
    >>> way = watch_tour(distances, restarts=4, random_state=0)
    >>> way.outputs.shape, way.tour().tolist()
    ((1000, 4, 4), [0, 2, 1, 3])
    """
    d, mean = _distances(distances)
    _check_count("n_steps", n_steps)
    if not 0 <= restart < restarts:
        raise InvalidInputError(f"restart must lie in [0, {restarts - 1}]; got {restart}")
    strength = np.linspace(WEAKEST, STRONGEST, restarts, dtype=np.float32)[restart]
    u = _start(resolve_seed(random_state), restart, len(d))
    scaled = (d / mean).astype(np.float32)
    outputs = np.concatenate(list(_descent(u[None], strength, scaled, n_steps)))
    return TourDescent(outputs, _tour_energy(outputs.astype(np.float64), float(strength), d / mean), float(strength))


def _tour_energy(output: np.ndarray, strength: float, d: np.ndarray) -> np.ndarray:
    """Return E of outputs (n, city, position), as the head of this file writes it."""
    rows = ((output.sum(axis=2) - 1) ** 2).sum(axis=1)
    columns = ((output.sum(axis=1) - 1) ** 2).sum(axis=1)
    undecided = (output * (1 - output)).sum(axis=(1, 2))
    length = np.einsum("nxi,xy,nyi->n", output, d, np.roll(output, -1, axis=2))
    return 0.5 * (rows + columns + undecided) + strength * length


def _read_tour(output: np.ndarray) -> np.ndarray:
    """Return the tour with the largest summed output, turned so that city 0 comes first."""
    position = linear_sum_assignment(-output)[1]
    tour = np.argsort(position)
    return np.roll(tour, -int(position[0]))


def _square(name: str, matrix: ArrayLike) -> np.ndarray:
    """Return a float64 copy of a finite square matrix."""
    copy = np.array(matrix, dtype=np.float64)
    if copy.ndim != 2 or copy.shape[0] != copy.shape[1] or not copy.size:
        raise InvalidInputError(f"{name} must be a square matrix; got shape {copy.shape}")
    if not np.isfinite(copy).all():
        raise InvalidInputError(f"{name} must hold finite numbers; got NaN or infinity")
    return copy


def _check_count(name: str, value: int) -> None:
    if not isinstance(value, (int, np.integer)) or value < 1:
        raise InvalidInputError(f"{name} must be an integer, at least 1; got {value!r}")
