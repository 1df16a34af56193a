"""The playground's next step, worked through in numbers for one weight."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from glassnet.lab.exhibit import Frame
from glassnet.learning import forward
from glassnet.learning.backprop import BackpropEngine
from glassnet.learning.backprop_numpy import adam_step, sgd_step
from glassnet.learning.optimizers import SLOTS
from glassnet.training.batches import plan
from glassnet.training.loop import advance
from glassnet.training.state import aligned

MOST_SAMPLES = 10  # of the batch that are written down


class NextUpdate:
    """What the next step will do to one weight or bias; the network stays as it is.

    Parameters
    ----------
    network : estimator
        Initialized.
    X : ndarray of shape (n_samples, n_inputs), float32
    y : ndarray of shape (n_samples,)
        Classes 0 and 1, or values.
    """

    def __init__(self, network: Any, X: np.ndarray, y: np.ndarray):
        self._network, self._X = network, X
        target = np.ascontiguousarray(y[:, None], X.dtype)
        self._solver = network.state_.engine.solver
        self._engine = BackpropEngine(network.spec_, self._solver, X, target, None)

    def place(self, address: tuple[int, ...]) -> int | None:
        """Return where a weight stands in the flat parameters.

        Parameters
        ----------
        address : (layer, from, unit)
            Counted from 1; from 0 is the bias.

        Returns
        -------
        int or None
            None if there is no such weight.
        """
        spec = self._network.spec_
        if len(address) != 3 or not 1 <= address[0] <= len(spec.layers):
            return None
        layer, source, unit = address
        places = spec.named(np.arange(spec.n_parameters))[layer - 1]
        if not 1 <= unit <= spec.layers[layer - 1].units or source > places["weight"].shape[1]:
            return None
        return int(places["weight"][unit - 1, source - 1] if source else places["bias"][unit - 1])

    def at(self, address: tuple[int, ...]) -> Frame:
        """Return the step in numbers.

        Returns
        -------
        Frame
            Empty if there is no such weight. Values: "terms" by name, the last of them the new
            weight; "n" samples of the batch. Array "updateSamples", of some samples the value that the
            weight multiplies, delta of its unit, and their product; where layers are
            normalized or drop units, samples do not stand alone and no row is given.
        """
        place = self.place(address)
        if place is None:
            return Frame()
        state = self._network.state_
        batch = plan(state, 1)
        rows = batch.indices[batch.starts[0] : batch.stops[0]]
        gradient = self._gradient(rows)[place]
        terms = self._terms(place, address[1] > 0, float(gradient), len(rows))
        return Frame(
            {"address": list(address), "n": len(rows), "solver": self._kind, "terms": terms},
            {"updateSamples": self._samples(address, place, rows[:MOST_SAMPLES])},
        )

    @property
    def _kind(self) -> str:
        return "momentum" if self._solver.momentum and self._solver.name == "sgd" else self._solver.name

    def _gradient(self, rows: np.ndarray) -> np.ndarray:
        """Return the gradient of a batch's mean loss as the step from here sees it."""
        state = self._network.state_
        copies = {name: array.copy() for name, array in state.arrays.items()}
        return self._engine.gradient(copies, rows, state.seed, state.step)[1]

    def _terms(self, place: int, is_weight: bool, gradient: float, n: int) -> dict[str, float]:
        state, solver = self._network.state_, self._solver
        weight = float(state.arrays["parameters"][place])
        decay = solver.alpha / n * weight if is_weight and solver.alpha else 0.0
        rate = float(solver.rates(state.step, 1)[0])
        slots = [np.array([state.arrays[name][place]], float) for name in SLOTS[solver.name]]
        before = [float(slot[0]) for slot in slots]
        moved = np.array([weight])
        descend = sgd_step if solver.name == "sgd" else adam_step
        descend(moved, np.array([gradient + decay]), slots, state.step + 1, rate, solver)
        terms = {"weight": weight, "gradient": gradient, "decay": decay, "rate": rate}
        if self._kind == "momentum":
            terms |= {"velocity": before[0], "newVelocity": float(slots[0][0])}
        if solver.name == "adam":
            m, v = (float(slot[0]) for slot in slots)
            corrections = 1 - solver.beta_1 ** (state.step + 1), 1 - solver.beta_2 ** (state.step + 1)
            terms |= {"firstMoment": m, "secondMoment": v, "mean": m / corrections[0], "square": v / corrections[1]}
        return {**terms, "change": float(moved[0]) - weight, "after": self._after(place)}

    def _after(self, place: int) -> float:
        """Return the weight after the step, made by the network's own engine on a copy."""
        state = self._network.state_
        copy = replace(state, arrays={name: aligned(array) for name, array in state.arrays.items()})
        advance(copy, 1)
        return float(copy.arrays["parameters"][place])

    def _samples(self, address: tuple[int, ...], place: int, rows: np.ndarray) -> np.ndarray:
        """Return (value below, delta, product) of each sample, (n, 3) float32."""
        spec, (layer, source, unit) = self._network.spec_, address
        if not spec.plain:
            return np.zeros((0, 3), np.float32)
        X = self._X[rows]
        below = [X, *forward.activations(spec, self._network.state_.arrays, X)][layer - 1]
        value = below[:, source - 1] if source else np.ones(len(rows))
        bias = self.place((layer, 0, unit))
        gradients = [self._gradient(row[None]) for row in rows]
        return np.array([(h, g[bias], g[place]) for h, g in zip(value, gradients, strict=True)], np.float32)
