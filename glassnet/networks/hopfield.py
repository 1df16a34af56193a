"""The Hopfield network (1982): a memory whose contents are the minima of an energy.

J. J. Hopfield, Neural networks and physical systems with emergent collective
computational abilities, Proceedings of the National Academy of Sciences 79, 1982.

N units with states s_i = -1 or +1 are joined by symmetric weights W_ij, W_ii = 0. A unit
looks at its field, the weighted sum of the other units' states, and takes its sign::

    s_i <- sign(sum over j of W_ij s_j + bias_i)
    E = -1/2 sum over i, j of W_ij s_i s_j - sum over i of bias_i s_i

One unit at a time (asynchronously), E never rises, so the network comes to rest in a
minimum. Patterns stored in W by Hebb's rule are minima, and recall is the way down from a
corrupted one. All units at once (synchronously), the network ends in a fixed point or in
a cycle of two states.

Where we depart from the paper: states are -1 and +1 where the paper has 0 and 1; weights
are divided by N; units are visited once per sweep, in a new random order each sweep,
where the paper lets each of them fire at random times; Storkey's rule and the
pseudo-inverse stand beside Hebb's. A unit whose field is zero keeps its state. Fields are
float32 sums, so one that is smaller than their rounding error counts as zero.
"""

from __future__ import annotations

import os
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from glassnet.errors import GlassnetWarning, InvalidInputError, UnknownNameError
from glassnet.learning.hebb import RULES, capacity
from glassnet.learning.kernels import hopfield_sweep
from glassnet.seeds import generator, resolve_seed
from glassnet.training.threads import one_blas_thread

UPDATES = ("asynchronous", "synchronous")
FLOATS: Any = (np.float64, np.float32)


def rounding_error(weight: np.ndarray, bias: np.ndarray | float = 0.0) -> np.ndarray:
    """Return the size below which a unit's computed field is indistinguishable from zero.

    Parameters
    ----------
    weight : ndarray of shape (n_units, n_units)
    bias : ndarray of shape (n_units,), or float

    Returns
    -------
    ndarray of shape (n_units,), the dtype of ``weight``

    Examples
    --------
    >>> bool(rounding_error(np.ones((4, 4), np.float32)).max() < 1e-5)
    True
    """
    largest = np.sqrt(len(weight) * np.einsum("ij,ij->i", weight, weight)) + np.abs(bias)
    return (8 * np.finfo(weight.dtype).eps * largest).astype(weight.dtype)


def asynchronous_sweep(
    weight: np.ndarray, states: np.ndarray, order: np.ndarray, bias: np.ndarray | float = 0.0
) -> np.ndarray:
    """Update every unit once, one after another: the formula, for a batch of states.

    `HopfieldNetwork` runs a compiled kernel that is tested equal to this.

    Parameters
    ----------
    weight : ndarray of shape (n_units, n_units)
        Symmetric, with a zero diagonal.
    states : ndarray of shape (n_probes, n_units)
        Values -1 and +1.
    order : ndarray of shape (n_units,), int
        The units in the order of their update.
    bias : ndarray of shape (n_units,), or float

    Returns
    -------
    ndarray of shape (n_probes, n_units)
        The new states; ``states`` is left as it is.

    Examples
    --------
    >>> weight = np.array([[0.0, 1.0], [1.0, 0.0]])
    >>> asynchronous_sweep(weight, np.array([[1.0, -1.0]]), np.array([0, 1]))
    array([[-1., -1.]])
    """
    states, bias = states.copy(), np.broadcast_to(bias, len(weight))
    zero = rounding_error(weight, bias)
    for unit in order:
        field = states @ weight[unit] + bias[unit]
        states[:, unit] = np.where(np.abs(field) > zero[unit], np.sign(field), states[:, unit])
    return states


def _energy(states: np.ndarray, fields: np.ndarray, bias: np.ndarray | float = 0.0) -> np.ndarray:
    """Return E = -1/2 s'Ws - bias's of each state s, given its fields Ws + bias."""
    return -0.5 * np.einsum("ij,ij->i", states, fields + bias, dtype=np.float64)


class Settled(NamedTuple):
    """How a batch of states came to rest: see `Recall` for the fields."""

    states: np.ndarray
    energies: np.ndarray
    cycle_length: np.ndarray
    n_iter: np.ndarray


def settle_asynchronously(
    weight: np.ndarray,
    states: np.ndarray,
    bias: np.ndarray | float = 0.0,
    *,
    max_iter: int = 100,
    seed: int = 0,
    zero: np.ndarray | None = None,
) -> Settled:
    """Sweep over the units in random order until no state changes.

    The fields are computed once and then kept up to date: only a unit that flips costs
    work. All probes share the orders, so what a probe recalls does not depend on the
    others. Probes are shared among threads.

    Parameters
    ----------
    weight : ndarray of shape (n_units, n_units), float32
        Symmetric, with a zero diagonal.
    states : ndarray of shape (n_probes, n_units), float32
        Values -1 and +1; left as it is.
    bias : ndarray of shape (n_units,) float32, or float
    max_iter : int
        Most sweeps to make.
    seed : int
    zero : ndarray of shape (n_units,) float32, or None
        What `rounding_error` gives, where it is known already.

    Returns
    -------
    Settled

    Examples
    --------
    >>> weight = np.array([[0, 1], [1, 0]], np.float32)
    >>> settle_asynchronously(weight, np.array([[1, 1]], np.float32)).energies
    array([[-1., -1.]])
    """
    zero = rounding_error(weight, bias) if zero is None else zero
    shares = np.array_split(states, min(len(states), os.cpu_count() or 1))
    with one_blas_thread(), ThreadPoolExecutor(len(shares)) as pool:
        work = [pool.submit(_descend, weight, share, bias, zero, max_iter, seed) for share in shares[1:]]
        parts = [_descend(weight, shares[0], bias, zero, max_iter, seed), *(future.result() for future in work)]
    n_columns = max(part.energies.shape[1] for part in parts)
    padded = [part._replace(energies=_widen(part.energies, n_columns)) for part in parts]
    return Settled(*(np.concatenate(field) for field in zip(*padded, strict=True)))


def _widen(energies: np.ndarray, n_columns: int) -> np.ndarray:
    """Repeat the last column until there are so many."""
    return np.pad(energies, ((0, 0), (0, n_columns - energies.shape[1])), "edge")


def _descend(
    weight: np.ndarray, states: np.ndarray, bias: np.ndarray | float, zero: np.ndarray, max_iter: int, seed: int
) -> Settled:
    """Let one thread's share of the probes settle."""
    states = states.copy()
    fields = states @ weight + np.float32(bias)
    energies = [_energy(states, fields, bias)]
    n_iter, moving = np.zeros(len(states), np.int64), np.arange(len(states))
    for sweep in range(max_iter):
        order, drop = generator(seed, "hopfield order", sweep).permutation(len(weight)), np.empty(len(moving))
        hopfield_sweep(weight, states, fields, moving, order, zero, drop)
        energies.append(energies[-1].copy())
        energies[-1][moving] -= drop
        n_iter[moving] += 1
        moving = moving[drop > 0]
        if not moving.size:
            break
    cycle_length = np.ones(len(states), np.int64)
    cycle_length[moving] = 0
    return Settled(states, np.stack(energies, axis=1), cycle_length, n_iter)


def settle_synchronously(
    weight: np.ndarray,
    states: np.ndarray,
    bias: np.ndarray | float = 0.0,
    *,
    max_iter: int = 100,
    zero: np.ndarray | None = None,
) -> Settled:
    """Update all units at once until a state repeats itself or the one before it.

    Parameters
    ----------
    weight : ndarray of shape (n_units, n_units), float32
        Symmetric, with a zero diagonal.
    states : ndarray of shape (n_probes, n_units), float32
        Values -1 and +1; left as it is.
    bias : ndarray of shape (n_units,) float32, or float
    max_iter : int
        Most updates to make.
    zero : ndarray of shape (n_units,) float32, or None
        What `rounding_error` gives, where it is known already.

    Returns
    -------
    Settled

    Examples
    --------
    >>> weight = np.array([[0, 1], [1, 0]], np.float32)
    >>> settle_synchronously(weight, np.array([[1, -1]], np.float32)).cycle_length
    array([2])
    """
    states, zero = states.copy(), rounding_error(weight, bias) if zero is None else zero
    before = np.zeros_like(states)
    energy, energies = np.zeros(len(states)), []
    cycle_length, n_iter = np.zeros((2, len(states)), np.int64)
    moving = np.arange(len(states))
    for _ in range(max_iter):
        now, earlier = states[moving], energy[moving]
        fields = now @ weight + np.float32(bias)
        energy[moving] = _energy(now, fields, bias)
        energies.append(energy.copy())
        new = np.where(np.abs(fields) > zero, np.sign(fields), now)
        fixed, back = (new == now).all(axis=1), (new == before[moving]).all(axis=1)
        energy[moving[back]] = earlier[back]
        before[moving], states[moving] = now, new
        cycle_length[moving] = np.where(fixed, 1, np.where(back, 2, 0))
        n_iter[moving] += 1
        moving = moving[~(fixed | back)]
        if not moving.size:
            break
    energy[moving] = _energy(states[moving], states[moving] @ weight + np.float32(bias), bias)
    return Settled(states, np.stack([*energies, energy], axis=1), cycle_length, n_iter)


def settle(
    weight: np.ndarray, states: np.ndarray, *, update: str, max_iter: int, seed: int, zero: np.ndarray | None = None
) -> Settled:
    """Let states settle by either kind of update; see the two functions above."""
    if update == "synchronous":
        return settle_synchronously(weight, states, max_iter=max_iter, zero=zero)
    return settle_asynchronously(weight, states, max_iter=max_iter, seed=seed, zero=zero)


@dataclass(frozen=True)
class Recall:
    """What a Hopfield network recalled from a batch of probes.

    Attributes
    ----------
    states : ndarray of shape (n_probes, n_units), float32
        The states at the end, -1 and +1; of a two-cycle, one of its two.
    energies : ndarray of shape (n_probes, n_steps + 1), float64
        The energy of the probe and after every step (a sweep over all units, or one
        synchronous update). A probe that has settled keeps its last value.
    cycle_length : ndarray of shape (n_probes,), int
        1 for a fixed point, 2 for a cycle of two states, 0 if ``max_iter`` came first.
    n_iter : ndarray of shape (n_probes,), int
        Steps made, the last of which found that nothing new comes.
    overlaps : ndarray of shape (n_probes, n_patterns), float32
        Mean product of state and stored pattern, in [-1, 1]; 1 is the pattern itself.
    """

    states: np.ndarray
    energies: np.ndarray
    cycle_length: np.ndarray
    n_iter: np.ndarray
    overlaps: np.ndarray

    @property
    def converged(self) -> np.ndarray:
        """Whether each probe ended in a fixed point or a two-cycle: (n_probes,) bool."""
        return self.cycle_length > 0


class HopfieldNetwork(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Associative memory: stores patterns, recalls them from corrupted probes.

    Parameters
    ----------
    rule : {"hebb", "storkey", "pseudo-inverse"}, default="hebb"
        How patterns become weights; see `glassnet.learning.hebb`.
    update : {"asynchronous", "synchronous"}, default="asynchronous"
        One unit at a time in seeded random order, or all units at once.
    max_iter : int, default=100
        Most steps of a recall: sweeps over all units, or synchronous updates.
    binarize : float or None, default=0.0
        Values above it become +1, the others -1; a warning says so when this changes
        the values. None refuses anything but -1 and +1, or 0 and 1 (read as -1 and +1).
    random_state : int, RandomState, Generator or None, default=None
        Order of the asynchronous updates. It is drawn on in `fit`, so that a fitted
        network always recalls the same from the same probe.

    Attributes
    ----------
    weight_ : ndarray of shape (n_units, n_units), float32
        Symmetric, with a zero diagonal.
    rounding_error_ : ndarray of shape (n_units,), float32
        A unit whose field is no larger keeps its state.
    patterns_ : ndarray of shape (n_patterns, n_units), float32
        The stored patterns, -1 and +1.
    load_ : float
        Patterns per unit.
    converted_ : bool
        Whether `fit` had to convert the patterns to -1 and +1.
    seed_ : int
        The seed of the orders of update.
    n_iter_ : int
        1: the rules see each pattern once.
    n_features_in_ : int
        Number of units.
    feature_names_in_ : ndarray of shape (n_units,)
        Names of the units, where the patterns had names.

    References
    ----------
    J. J. Hopfield, Neural networks and physical systems with emergent collective
    computational abilities, PNAS 79, 1982.

    Examples
    --------
    >>> patterns = np.array([[1, 1, 1, 1, -1, -1, -1, -1], [1, -1, 1, -1, 1, -1, 1, -1]])
    >>> network = HopfieldNetwork(rule="pseudo-inverse", random_state=0).fit(patterns)
    >>> probe = [[-1, 1, 1, 1, -1, -1, -1, -1]]
    >>> network.predict(probe)
    array([[ 1.,  1.,  1.,  1., -1., -1., -1., -1.]])
    >>> network.recall(probe).overlaps
    array([[1., 0.]], dtype=float32)
    """

    def __init__(self, rule="hebb", *, update="asynchronous", max_iter=100, binarize=0.0, random_state=None):
        self.rule = rule
        self.update = update
        self.max_iter = max_iter
        self.binarize = binarize
        self.random_state = random_state

    def fit(self, X: Any, y: object = None) -> HopfieldNetwork:
        """Store patterns, forgetting those stored before.

        Parameters
        ----------
        X : array-like of shape (n_patterns, n_units)
        y : ignored

        Returns
        -------
        HopfieldNetwork
            The network itself.

        Raises
        ------
        UnknownNameError
            If there is no such ``rule`` or ``update``.
        InvalidInputError
            If ``max_iter`` or ``binarize`` cannot be used, or if ``binarize`` is None and
            the patterns have other values than -1 and +1, or 0 and 1.
        """
        self._check_parameters()
        values = check_array(X, dtype=FLOATS, estimator=self, input_name="X")
        patterns, converted = _to_spins(values, self.binarize)
        validate_data(self, X, skip_check_array=True)  # notes number and names of the units
        self.patterns_, self.converted_ = patterns, converted
        if self.converted_:
            _say_converted(values, self.binarize, stacklevel=3)
        self.load_ = len(patterns) / patterns.shape[1]
        self._warn_of_overload()
        self.weight_ = RULES[self.rule](patterns)
        self.rounding_error_ = rounding_error(self.weight_)
        self.seed_ = resolve_seed(self.random_state)
        self.n_iter_ = 1
        return self

    def _check_parameters(self) -> None:
        check_names(self.rule, self.update)
        if not isinstance(self.max_iter, (int, np.integer)) or self.max_iter < 1:
            raise InvalidInputError(f"max_iter must be an integer, at least 1; got {self.max_iter!r}")
        if self.binarize is not None and not isinstance(self.binarize, Real):
            raise InvalidInputError(f"binarize must be a number or None; got {self.binarize!r}")

    def _warn_of_overload(self) -> None:
        n_patterns, n_units = self.patterns_.shape
        most = capacity(self.rule, n_units)
        if n_patterns > most:
            warnings.warn(
                f"{n_patterns} patterns in {n_units} units are a load of {self.load_:.3f}; the rule "
                f"{self.rule!r} holds up to about {most / n_units:.3f}. Not all will be recalled.",
                GlassnetWarning,
                stacklevel=3,
            )

    def _probes(self, X: Any) -> tuple[np.ndarray, np.dtype]:
        """Return probes as -1 and +1 in float32, and the floating-point type they came in."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=FLOATS, reset=False)
        probes, converted = _to_spins(X, self.binarize)
        if converted and not self.converted_:
            _say_converted(X, self.binarize, stacklevel=4)
        return probes, X.dtype

    def recall(self, X: Any) -> Recall:
        """Let the network come to rest from each probe.

        Parameters
        ----------
        X : array-like of shape (n_probes, n_units)

        Returns
        -------
        Recall
            States, energies of all steps, cycle lengths, steps made and overlaps. A
            `ConvergenceWarning` says how many probes had not settled in ``max_iter``.

        Raises
        ------
        ValueError
            If the probes have not as many values as the network has units.
        InvalidInputError
            If ``binarize`` is None and the probes are not -1 and +1, or 0 and 1.
        """
        return self._recall(self._probes(X)[0])

    def _recall(self, probes: np.ndarray) -> Recall:
        settled = settle(
            self.weight_,
            probes,
            update=self.update,
            max_iter=self.max_iter,
            seed=self.seed_,
            zero=self.rounding_error_,
        )
        overlaps = settled.states @ self.patterns_.T / np.float32(probes.shape[1])
        unsettled = int((settled.cycle_length == 0).sum())
        if unsettled:
            message = f"{unsettled} of {len(probes)} probes had not settled after max_iter={self.max_iter} steps"
            warnings.warn(message, ConvergenceWarning, stacklevel=3)
        return Recall(*settled, overlaps)

    def transform(self, X: Any) -> np.ndarray:
        """Return the states recalled from the probes.

        Parameters
        ----------
        X : array-like of shape (n_probes, n_units)

        Returns
        -------
        ndarray of shape (n_probes, n_units)
            Values -1 and +1; float32 for float32 probes, otherwise float64.
        """
        probes, dtype = self._probes(X)
        return self._recall(probes).states.astype(dtype)

    def predict(self, X: Any) -> np.ndarray:
        """Return the states recalled from the probes: the same as `transform`."""
        return self.transform(X)

    def energy(self, X: Any) -> np.ndarray:
        """Return the energy E = -1/2 s'Ws of each state.

        Parameters
        ----------
        X : array-like of shape (n_states, n_units)

        Returns
        -------
        ndarray of shape (n_states,), float64
        """
        states, _ = self._probes(X)
        return _energy(states, states @ self.weight_)


def check_names(rule: str, update: str) -> None:
    """Raise `UnknownNameError` for a rule or a kind of update that does not exist."""
    if rule not in RULES:
        raise UnknownNameError("rule", rule, RULES)
    if update not in UPDATES:
        raise UnknownNameError("update", update, UPDATES)


def _to_spins(X: np.ndarray, binarize: float | None) -> tuple[np.ndarray, bool]:
    """Return X as -1 and +1 in float32, and whether that changed it."""
    if binarize is None and not ((np.abs(X) == 1).all() or ((X == 0) | (X == 1)).all()):
        raise InvalidInputError(
            f"with binarize=None the values must be -1 and +1, or 0 and 1; got {np.unique(X)[:5]}. "
            "Give a number for binarize to make those above it +1 and the others -1."
        )
    threshold = binarize or 0.0
    spins = np.where(threshold < X, np.float32(1), np.float32(-1))
    return spins, bool((spins != X).any())


def _say_converted(X: np.ndarray, binarize: float | None, stacklevel: int) -> None:
    warnings.warn(
        f"the network's units are -1 or +1, but the values lie in [{X.min():g}, {X.max():g}]: those above "
        f"{binarize or 0.0:g} became +1, the others -1",
        GlassnetWarning,
        stacklevel=stacklevel,
    )
