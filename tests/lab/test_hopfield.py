from __future__ import annotations

import itertools
import subprocess
import sys

import numpy as np
import pytest
from pydantic import ValidationError

from glassnet.lab.exhibits.hopfield import HopfieldExhibit, HopfieldSettings, from_hex, to_hex
from glassnet.networks.energy_problems import travelling_salesman, watch_tour


def exhibit(step: int = 0, **settings) -> HopfieldExhibit:
    made = HopfieldExhibit(HopfieldSettings(**settings))
    if step:
        made.step(step)
    return made


def test_pictures_are_written_and_read():
    state = np.random.default_rng(0).choice([-1, 1], 100)
    np.testing.assert_array_equal(from_hex(to_hex(state)), state)


@pytest.mark.parametrize("settings", [{"corruption": 45}, {"rule": "storkey", "seed": 4}, {"update": "synchronous"}])
def test_the_way_is_that_of_recall(settings):
    shown = exhibit(10_000, **settings)
    recall = shown.room.network.recall(shown.settings.corrupted()[None])
    n = shown.history._steps_per_epoch
    np.testing.assert_array_equal(shown.room.states[-1], recall.states[0])
    assert shown.history.step == n * recall.n_iter[0]
    np.testing.assert_allclose(shown.room.energies[::n], recall.energies[0], rtol=1e-5)
    assert shown.frame().values["overlaps"] == pytest.approx(recall.overlaps[0].tolist())


def test_no_single_update_raises_the_energy_which_is_half_the_products_of_pairs():
    shown = exhibit(10_000, corruption=50, seed=3)
    assert (np.diff(shown.room.energies) <= 1e-4).all()
    weight, state = shown.room.network.weight_.astype(float), shown.room.states[17]
    assert shown.room.energies[17] == pytest.approx(-0.5 * state @ weight @ state, rel=1e-5)
    shown.seek(17)
    assert shown.frame().values["unit"] == shown.room.units[16]
    changed = (shown.room.states[17] != shown.room.states[16]).nonzero()[0].tolist()
    assert changed in ([], [shown.room.units[16]])


def test_opposite_units_swing_when_all_change_at_once():
    left = to_hex(np.tile([1] * 5 + [-1] * 5, 10))
    probe = from_hex(left)
    probe[:50] = 1
    shown = exhibit(100, patterns=(left, to_hex(np.ones(100))), update="synchronous", probe=to_hex(probe))
    recall = shown.room.network.recall(probe[None])
    assert shown.frame().values["isCycle"] == (recall.cycle_length[0] == 2)


def test_an_overload_is_told_in_words():
    patterns = tuple(to_hex(row) for row in np.random.default_rng(1).choice([-1, 1], (12, 100)))
    assert exhibit(patterns=patterns).scene().values["warning"] is None
    assert exhibit(patterns=patterns).scene().values["load"] == 0.12


def test_the_tour_is_one_restart_of_travelling_salesman():
    shown = exhibit(1000, mode="tour", n_cities=7, restart=3, seed=2)
    places = shown.settings.places()
    distances = np.linalg.norm(places[:, None] - places, axis=2)
    found = travelling_salesman(distances, restarts=20, n_steps=400, random_state=2)
    assert shown.frame().values["length"] == pytest.approx(found.costs[2])
    assert shown.scene().values["shortest"] == found.cost
    best = min(
        sum(distances[a, b] for a, b in itertools.pairwise((0, *order, 0)))
        for order in itertools.permutations(range(1, 7))
    )
    assert found.cost >= best - 1e-9


def test_the_energy_of_a_tour_is_the_papers_sum():
    distances = np.random.default_rng(0).random((5, 5))
    np.fill_diagonal(distances, 0)
    way = watch_tour(distances, 1, restarts=3, n_steps=50, random_state=0)
    d, V = distances / (distances.sum() / 20), way.outputs[20].astype(float)
    energy = 0.5 * sum((V[x].sum() - 1) ** 2 for x in range(5)) + 0.5 * sum((V[:, i].sum() - 1) ** 2 for i in range(5))
    energy += 0.5 * sum(V[x, i] * (1 - V[x, i]) for x in range(5) for i in range(5))
    energy += way.strength * sum(
        d[x, y] * V[x, i] * V[y, (i + 1) % 5] for x in range(5) for y in range(5) for i in range(5)
    )
    assert way.energies[20] == pytest.approx(energy)


@pytest.mark.parametrize(
    "values",
    [{"patterns": ["0"]}, {"patterns": []}, {"source": 4}, {"cities": [0.1, 0.2]}, {"cities": [2, 0, 1, 1, 0, 1]},
     {"probe": "x" * 25}, {"patterns": ["0" * 25] * 13}],
)  # fmt: skip
def test_settings_have_bounds(values):
    with pytest.raises(ValidationError):
        HopfieldSettings().changed(values)


def test_the_script_prints_the_numbers_of_the_page():
    shown = exhibit(57, seed=5, corruption=35)
    values = shown.frame().values
    run = subprocess.run([sys.executable, "-c", shown.python()], capture_output=True, text=True, check=True)
    lines = run.stdout.splitlines()
    assert lines[3] == f"energy {values['energy']:.2f}"
    assert lines[0] == f"energy at first {shown.room.energies[0]:.2f}"
    assert run.stderr == ""
