"""The Hopfield network's two rooms: the memory and the tour."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from glassnet import HopfieldNetwork
from glassnet.errors import GlassnetWarning
from glassnet.lab.exhibit import Frame
from glassnet.lab.exhibits import hopfield as settings_of
from glassnet.lab.recording import Course
from glassnet.networks.energy_problems import travelling_salesman, watch_tour
from glassnet.networks.hopfield import asynchronous_sweep, settle_synchronously
from glassnet.seeds import generator

if TYPE_CHECKING:
    from glassnet.lab.exhibits.hopfield import HopfieldSettings

MOST_SWEEPS = 30


class Room:
    """What one room shows."""

    history: Course

    def scene(self) -> Frame:
        """Return what stays."""
        raise NotImplementedError

    def frame(self) -> Frame:
        """Return what changes."""
        raise NotImplementedError

    def python(self, settings: HopfieldSettings) -> str:
        """Return the script."""
        raise NotImplementedError


class Memory(Room):
    """Recall, one unit or one round at a time."""

    def __init__(self, settings: HopfieldSettings):
        self.patterns = np.array([settings_of.from_hex(text) for text in settings.patterns])
        self.network = HopfieldNetwork(settings.rule, update=settings.update, random_state=settings.seed)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", GlassnetWarning)
            self.network.fit(self.patterns)
        self._warning = str(caught[0].message) if caught else None
        self._is_single = settings.update == "asynchronous"
        way = self._one_by_one if self._is_single else self._all_at_once
        self.units, states = way(settings.corrupted())
        self.states = np.array(states)
        self.energies = self.network.energy(self.states)
        self._is_cycle = not self._is_single and not (states[-1] == states[-2]).all()
        self.history = Course(len(states) - 1, settings_of.N_UNITS if self._is_single else 1)

    def _one_by_one(self, state: np.ndarray) -> tuple[list[int], list[np.ndarray]]:
        """Return the units in the order of their update, and all states; the last sweep changes nothing."""
        network, units, states = self.network, [], [state]
        for sweep in range(MOST_SWEEPS):
            before = states[-1]
            for unit in generator(network.seed_, "hopfield order", sweep).permutation(len(state)):
                units.append(int(unit))
                states.append(asynchronous_sweep(network.weight_, states[-1][None], np.array([unit]))[0])
            if (states[-1] == before).all():
                break
        return units, states

    def _all_at_once(self, state: np.ndarray) -> tuple[list[int], list[np.ndarray]]:
        """Return no units, and all states up to a fixed point or once around a cycle."""
        states = [state]
        for _ in range(MOST_SWEEPS):
            states.append(settle_synchronously(self.network.weight_, states[-1][None], max_iter=1).states[0])
            if any((states[-1] == earlier).all() for earlier in states[-3:-1]):
                break
        return [], states

    def scene(self) -> Frame:
        """Return the stored patterns, uint8 (n, 100), and what the network says of its load."""
        values = {"load": self.network.load_, "warning": self._warning, "side": settings_of.SIDE}
        return Frame(values, {"patterns": (self.patterns > 0).astype(np.uint8)})

    def frame(self) -> Frame:
        """Return the state, its energy and overlaps, the unit just visited, and the energies so far."""
        step, state = self.history.step, self.states[self.history.step]
        overlaps = (self.patterns @ state / len(state)).tolist()
        unit = self.units[step - 1] if self.units and step else None
        return Frame(
            {
                "energy": float(self.energies[step]),
                "overlaps": overlaps,
                "unit": unit,
                "isFlipped": bool(step and (self.states[step] != self.states[step - 1]).any()),
                "isOver": self.history.is_over,
                "isCycle": self._is_cycle and self.history.is_over,
            },
            {
                "state": (state > 0).astype(np.uint8),
                "energies": self.energies[: self.history.last + 1].astype(np.float32),
            },
        )

    def python(self, settings: HopfieldSettings) -> str:
        """Return the recall as a script."""
        state = settings_of.to_hex(self.states[self.history.step])
        script = _RECALL.format(
            patterns="\n".join(f'    "{text}",' for text in settings.patterns),
            probe=settings_of.to_hex(settings.corrupted()), rule=settings.rule, update=settings.update,
            seed=settings.seed, state=state, step=self.history.step,
        )  # fmt: skip
        return script


class Tour(Room):
    """A round trip, found by energy."""

    def __init__(self, settings: HopfieldSettings):
        self.places = settings.places()
        self._options = {"restarts": settings_of.RESTARTS, "n_steps": settings_of.N_STEPS}
        distances = self._distances()
        self.way = watch_tour(distances, settings.restart - 1, random_state=settings.seed, **self._options)
        self.best = travelling_salesman(distances, random_state=settings.seed, **self._options)
        self.history = Course(settings_of.N_STEPS - 1, settings_of.N_STEPS)

    def _distances(self) -> np.ndarray:
        return np.linalg.norm(self.places[:, None] - self.places, axis=2)

    def scene(self) -> Frame:
        """Return the cities, and the lengths that all restarts come to."""
        return Frame(
            {"shortest": self.best.cost, "strength": self.way.strength},
            {"cities": self.places.astype(np.float32), "lengths": self.best.costs.astype(np.float32)},
        )

    def frame(self) -> Frame:
        """Return the units' outputs, uint8 (city, place) from 128, the tour read off them, and the energies so far."""
        step, n = self.history.step, len(self.places)
        output, order = self.way.outputs[step], self.way.tour(step)
        active = output > 0.5
        return Frame(
            {
                "order": order.tolist(),
                "length": float(self._distances()[order, np.roll(order, -1)].sum()),
                "energy": float(self.way.energies[step]),
                "isDecided": bool((active.sum(0) == 1).all() and (active.sum(1) == 1).all()),
                "n": n,
            },
            {
                "outputs": (128 + output * 127).round().astype(np.uint8),
                "energies": self.way.energies[: self.history.last + 1].astype(np.float32),
            },
        )

    def python(self, settings: HopfieldSettings) -> str:
        """Return the descent as a script."""
        return _TOUR.format(
            places=self.places.tolist(), restart=settings.restart - 1, seed=settings.seed, step=self.history.step,
            **self._options,
        )  # fmt: skip


ROOMS = {"memory": Memory, "tour": Tour}

_RECALL = """\
import numpy as np

from glassnet import HopfieldNetwork
from glassnet.lab.exhibits.hopfield import from_hex

patterns = np.array([from_hex(text) for text in (
{patterns}
)])
network = HopfieldNetwork("{rule}", update="{update}", random_state={seed}).fit(patterns)
probe = from_hex("{probe}")
recall = network.recall(probe[None])
print(f"energy at first {{network.energy(probe[None])[0]:.2f}}")
print(f"energy at rest {{recall.energies[0, -1]:.2f}}")
print(f"overlaps at rest {{recall.overlaps[0].astype(float).round(2).tolist()}}")

state = from_hex("{state}")  # after {step} steps
print(f"energy {{network.energy(state[None])[0]:.2f}}")
print(f"overlaps {{(patterns @ state / len(state)).astype(float).round(2).tolist()}}")
"""

_TOUR = """\
import numpy as np

from glassnet.networks.energy_problems import travelling_salesman, watch_tour

places = np.array({places})
distances = np.linalg.norm(places[:, None] - places, axis=2)
way = watch_tour(distances, {restart}, restarts={restarts}, n_steps={n_steps}, random_state={seed})
order = way.tour({step})
print(f"length {{distances[order, np.roll(order, -1)].sum():.3f}}")
print(f"energy {{way.energies[{step}]:.3f}}")

best = travelling_salesman(distances, restarts={restarts}, n_steps={n_steps}, random_state={seed})
print(f"shortest of all runs {{best.cost:.3f}}")
"""
