"""Integrate-and-fire neurons (Lapicque 1907): input raises a potential, a spike leaves at the threshold.

L. Lapicque, "Recherches quantitatives sur l'excitation electrique des nerfs traitee comme
une polarisation", Journal de Physiologie et de Pathologie Generale 9 (1907).

    v_t = (1 - leak) v_(t-1) + input_t + sum_i w_ij spike_i(t-1)
    spike_t = [v_t >= threshold];   v_t = 0 after a spike

Where this departs from the paper: time comes in steps, the membrane's capacity is the unit
of potential, and its resistance is ``leak``, the part of the potential lost in one step.

``leak=0`` is the perfect integrator: its firing rate rises almost linearly with the input, as
ReLU does. ``leak=1`` forgets everything at once: it fires exactly when the weighted sum of
this step reaches the threshold, which is the McCulloch-Pitts neuron.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glassnet.errors import InvalidInputError


class SpikeRecord(NamedTuple):
    """What a simulation saw.

    Attributes
    ----------
    potentials : ndarray of shape (steps, neurons)
        v_t as it met the threshold, before the reset.
    spikes : ndarray of bool, shape (steps, neurons)
    """

    potentials: NDArray[np.float64]
    spikes: NDArray[np.bool_]


@dataclass(frozen=True)
class IntegrateAndFireNeuron:
    """One neuron that adds up its input until it fires.

    Parameters
    ----------
    threshold : float, default=1.0
        Potential at which a spike leaves; above 0, where the potential is reset to.
    leak : float in [0, 1], default=0.0
        Part of the potential lost in each step.
    refractory : int, default=0
        Steps after a spike in which the potential stays at 0 and input is lost.

    Raises
    ------
    InvalidInputError
        If a parameter is out of its range.

    References
    ----------
    L. Lapicque (1907), Journal de Physiologie et de Pathologie Generale 9.

    Examples
    --------
    >>> neuron = IntegrateAndFireNeuron(threshold=1.0)
    >>> neuron.simulate(0.25, 8).spikes[:, 0].nonzero()[0].tolist()
    [3, 7]
    >>> float(neuron.firing_rate(0.25))
    0.25
    """

    threshold: float = 1.0
    leak: float = 0.0
    refractory: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.threshold < np.inf:
            raise InvalidInputError(f"threshold must be a positive number, got {self.threshold!r}")
        if not 0 <= self.leak <= 1:
            raise InvalidInputError(f"leak must lie in [0, 1], got {self.leak!r}")
        if self.refractory != int(self.refractory) or self.refractory < 0:
            raise InvalidInputError(f"refractory must be an integer >= 0, got {self.refractory!r}")

    def simulate(self, inputs: ArrayLike, n_steps: int | None = None) -> SpikeRecord:
        """Run this neuron alone, from rest.

        Parameters
        ----------
        inputs : float or array-like of shape (steps,)
            A constant current, or the current of each step.
        n_steps : int, optional
            Needed for a constant current.

        Returns
        -------
        SpikeRecord
            Of one neuron.
        """
        current = np.asarray(inputs, dtype=np.float64)
        columns = current[:, None] if current.ndim == 1 else current.reshape(-1)
        return IntegrateAndFireNetwork([[0.0]], self).simulate(columns, n_steps)

    def firing_rate(self, current: ArrayLike) -> NDArray[np.float64]:
        """Return the spikes per step under a constant current, in closed form.

        After n steps from rest the potential is current * (1 - (1 - leak)**n) / leak, or
        current * n without a leak. The rate is 1 / (n + refractory) for the first n at
        which it reaches the threshold, and 0 where it never does: for a current below
        leak * threshold.

        Parameters
        ----------
        current : array-like
            Input per step, any shape.

        Returns
        -------
        ndarray of the same shape
            In [0, 1]. At the few currents where the potential meets the threshold in
            exact numbers only, rounding in a simulation may need one step more or less.
        """
        current = np.asarray(current, dtype=np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(current > 0, self.threshold / current, np.inf)  # of threshold to one step's rise
            if 0 < self.leak < 1:
                ratio = np.where(self.leak * ratio < 1, np.log1p(-self.leak * ratio) / np.log1p(-self.leak), np.inf)
        steps = np.maximum(np.ceil(ratio), 1)
        if self.leak == 1:
            steps = np.where(ratio <= 1, 1, np.inf)
        return 1 / (steps + self.refractory)

    def measured_rate(self, current: ArrayLike, n_steps: int = 1000) -> NDArray[np.float64]:
        """Return the spikes per step that a simulation counts.

        Parameters
        ----------
        current : array-like
            Input per step, any shape.
        n_steps : int, default=1000
            Length of the simulation; the count is exact to one spike.

        Returns
        -------
        ndarray of the same shape
        """
        current = np.asarray(current, dtype=np.float64)
        apart = np.zeros((current.size, current.size))
        spikes = IntegrateAndFireNetwork(apart, self).simulate(current.ravel(), n_steps).spikes
        return spikes.mean(axis=0).reshape(current.shape)


@dataclass(frozen=True, eq=False)
class IntegrateAndFireNetwork:
    """Equal neurons that send their spikes to one another.

    Parameters
    ----------
    weights : array-like of shape (neurons, neurons)
        ``weights[i, j]`` is what a spike of neuron i adds to neuron j one step later.
    neuron : IntegrateAndFireNeuron, optional
        The kind of neuron they all are.

    Raises
    ------
    InvalidInputError
        If the weights are not a finite square matrix.

    References
    ----------
    L. Lapicque (1907), Journal de Physiologie et de Pathologie Generale 9.

    Examples
    --------
    A spike travels down a chain, one neuron a step:

    >>> chain = IntegrateAndFireNetwork([[0, 1, 0], [0, 0, 1], [0, 0, 0]])
    >>> chain.simulate([[1, 0, 0], [0, 0, 0], [0, 0, 0]]).spikes.astype(int).tolist()
    [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    """

    weights: ArrayLike
    neuron: IntegrateAndFireNeuron = IntegrateAndFireNeuron()

    def __post_init__(self) -> None:
        weights = np.array(self.weights, dtype=np.float64)
        if weights.ndim != 2 or weights.shape[0] != weights.shape[1] or not np.isfinite(weights).all():
            raise InvalidInputError(f"weights must be a finite square matrix, got shape {weights.shape}")
        weights.flags.writeable = False
        object.__setattr__(self, "weights", weights)

    def simulate(self, inputs: ArrayLike, n_steps: int | None = None) -> SpikeRecord:
        """Run the network from rest.

        Parameters
        ----------
        inputs : array-like of shape (neurons,) or (steps, neurons)
            A constant current for each neuron, or the currents of each step.
        n_steps : int, optional
            Needed for constant currents; at most the number of rows otherwise.

        Returns
        -------
        SpikeRecord

        Raises
        ------
        InvalidInputError
            If inputs have another shape, are not finite, or n_steps is missing or too large.
        """
        currents = self._currents(inputs, n_steps)
        weights, neuron = np.asarray(self.weights), self.neuron
        potentials, spikes = np.empty(currents.shape), np.zeros(currents.shape, dtype=bool)
        potential, arriving = np.zeros(len(weights)), np.zeros(len(weights))
        rest = np.zeros(len(weights), dtype=np.int64)  # refractory steps still to come
        for step, current in enumerate(currents):
            potential = np.where(rest > 0, 0.0, (1 - neuron.leak) * potential + current + arriving)
            fired = potential >= neuron.threshold
            potentials[step], spikes[step] = potential, fired
            potential = np.where(fired, 0.0, potential)
            rest = np.where(fired, neuron.refractory, np.maximum(rest - 1, 0))
            arriving = fired @ weights
        return SpikeRecord(potentials, spikes)

    def _currents(self, inputs: ArrayLike, n_steps: int | None) -> NDArray[np.float64]:
        currents, n_neurons = np.asarray(inputs, dtype=np.float64), len(np.asarray(self.weights))
        if currents.ndim not in (1, 2) or currents.shape[-1] != n_neurons or not np.isfinite(currents).all():
            raise InvalidInputError(
                f"inputs must be finite, of shape ({n_neurons},) or (steps, {n_neurons}); got {currents.shape}"
            )
        if currents.ndim == 1:
            if n_steps is None or n_steps < 0:
                raise InvalidInputError(f"a constant input needs n_steps >= 0, got {n_steps}")
            return np.broadcast_to(currents, (n_steps, n_neurons))
        if n_steps is not None and not 0 <= n_steps <= len(currents):
            raise InvalidInputError(f"n_steps must lie in [0, {len(currents)}], the rows of inputs; got {n_steps}")
        return currents[:n_steps]
