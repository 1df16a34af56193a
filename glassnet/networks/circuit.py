"""Threshold neurons wired one after another, then put into layers.

A ``Circuit`` grows neuron by neuron; any neuron may read any earlier one. ``layers()``
sorts them by depth and lets relay neurons (weight 1, threshold 1/2) carry every value
over the layers that it skips, so that layer after layer is all there is.

All thresholds lie halfway between two integers and all weights are integers: no sum ever
equals a threshold, so that firing at ">=" and at ">" is the same, a neuron is negated by
turning all its signs, and single precision computes it exactly.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

RELAY = "relay"


class Literal(NamedTuple):
    """A value or its negation; negating costs no neuron, the reader turns a sign."""

    node: int
    negated: bool = False

    def __invert__(self) -> Literal:
        return Literal(self.node, not self.negated)


class _Neuron(NamedTuple):
    weights: dict[int, float]  # node -> weight
    threshold: float
    label: str
    level: int


class LayerStack(NamedTuple):
    """Layers of neurons: weights (in, out), thresholds (out,) and labels, one entry per layer."""

    weights: tuple[NDArray[np.float64], ...]
    thresholds: tuple[NDArray[np.float64], ...]
    labels: tuple[tuple[str, ...], ...]


@dataclass
class Circuit:
    """A growing circuit; nodes 0 to ``n_inputs - 1`` are its inputs.

    Parameters
    ----------
    n_inputs : int
        Number of inputs.

    Examples
    --------
    >>> circuit = Circuit(2)
    >>> a, b = circuit.inputs
    >>> either = circuit.parity([a, b])
    >>> [w.tolist() for w in circuit.layers([either]).weights]
    [[[1.0, 1.0], [1.0, 1.0]], [[1.0], [-1.0]]]
    """

    n_inputs: int
    neurons: list[_Neuron] = field(default_factory=list)
    _known: dict[object, int] = field(default_factory=dict)

    @property
    def inputs(self) -> list[Literal]:
        """The inputs as literals."""
        return [Literal(node) for node in range(self.n_inputs)]

    def neuron(self, weights: dict[int, float], threshold: float, label: str) -> Literal:
        """Add a neuron that reads the given nodes; an equal one that exists is used again."""
        key = (tuple(sorted(weights.items())), threshold)
        if key not in self._known:
            level = 1 + max(map(self._level, weights), default=0)
            self.neurons.append(_Neuron(weights, threshold, label, level))
            self._known[key] = self.n_inputs + len(self.neurons) - 1
        return Literal(self._known[key])

    def at_least(self, count: int, literals: Sequence[Literal], label: str) -> Literal:
        """Add the neuron that fires when ``count`` or more of the literals are true."""
        weights: dict[int, float] = {}
        for literal in literals:
            weights[literal.node] = weights.get(literal.node, 0.0) + (-1.0 if literal.negated else 1.0)
        n_negated = sum(literal.negated for literal in literals)
        return self.neuron(weights, count - 0.5 - n_negated, label)

    def all_of(self, literals: Sequence[Literal]) -> Literal:
        """Return AND; of nothing it is always true."""
        return literals[0] if len(literals) == 1 else self.at_least(len(literals), literals, "and")

    def any_of(self, literals: Sequence[Literal]) -> Literal:
        """Return OR; of nothing it is never true."""
        return literals[0] if len(literals) == 1 else self.at_least(1, literals, "or")

    def parity(self, literals: Sequence[Literal]) -> Literal:
        """Return XOR in two layers: neurons that count to 1, 2, ..., n, then alternating signs."""
        counts = [self.at_least(k, literals, f"at least {k}") for k in range(1, len(literals) + 1)]
        signs = {count.node: (-1.0) ** k for k, count in enumerate(counts)}
        return self.neuron(signs, 0.5, "xor")

    def layers(self, outputs: Sequence[Literal]) -> LayerStack:
        """Return the layers that compute the outputs, with relays, without unused neurons."""
        nodes = [self._as_neuron(output) for output in outputs]
        depth = max(map(self._level, nodes))
        last_use = self._last_use(nodes, depth)
        above: Sequence[int] = range(self.n_inputs)
        built = []
        for level in range(1, depth + 1):
            here = nodes if level == depth else [n for n, use in last_use.items() if self._level(n) <= level < use]
            built.append(self._layer(level, above, here))
            above = here
        return LayerStack(*(tuple(part) for part in zip(*built, strict=True)))

    def _level(self, node: int) -> int:
        return 0 if node < self.n_inputs else self.neurons[node - self.n_inputs].level

    def _as_neuron(self, output: Literal) -> int:
        """Return a neuron with the literal's value: bare inputs and negations get their own."""
        if output.node < self.n_inputs:
            label = "not" if output.negated else RELAY
            return self.at_least(1, [output], label).node
        if not output.negated:
            return output.node
        neuron = self.neurons[output.node - self.n_inputs]
        turned = {node: -weight for node, weight in neuron.weights.items()}
        return self.neuron(turned, -neuron.threshold, f"not {neuron.label}").node

    def _last_use(self, outputs: Iterable[int], depth: int) -> dict[int, int]:
        """Return, for each node in use, the last level that reads it."""
        last_use = dict.fromkeys(outputs, depth + 1)
        for node in range(self.n_inputs + len(self.neurons) - 1, self.n_inputs - 1, -1):
            if node in last_use:
                neuron = self.neurons[node - self.n_inputs]
                for read in neuron.weights:
                    last_use[read] = max(last_use.get(read, 0), neuron.level)
        return dict(sorted(last_use.items()))

    def _layer(self, level: int, above: Sequence[int], here: Sequence[int]) -> tuple[NDArray, NDArray, tuple[str, ...]]:
        row = {node: index for index, node in enumerate(above)}
        units = [self._unit(node, level) for node in here]
        weights = np.zeros((len(above), len(here)))
        for column, unit in enumerate(units):
            for node, weight in unit.weights.items():
                weights[row[node], column] = weight
        return weights, np.array([unit.threshold for unit in units]), tuple(unit.label for unit in units)

    def _unit(self, node: int, level: int) -> _Neuron:
        """Return the neuron itself on its own level, and a relay of its value above."""
        if self._level(node) == level:
            return self.neurons[node - self.n_inputs]
        return _Neuron({node: 1.0}, 0.5, RELAY, level)
