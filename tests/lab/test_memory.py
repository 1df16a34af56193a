"""What a visitor of each exhibit costs, after a long run of it."""

from __future__ import annotations

import gc
import tracemalloc

import pytest

from glassnet import registry

MOST_BYTES = 3e6
MODES = {  # settings that run longest or keep most; the other exhibits as they open
    "dbn": [{}, {"mode": "dream"}],
    "hopfield": [{}, {"mode": "tour"}],
    "lenet": [{"net": "live"}],
    "anyfunction": [{"mode": "learned"}],
    "resnet": [{}, {"mode": "depth"}],
    "transformer": [{"mode": "write"}],
}
STEPS = {"dbn": 4400, "resnet": 80, "lenet": 160, "transformer": 200}  # of the slow ones


def visit(name: str, settings: dict):
    exhibit_class = registry.resolve(registry.EXHIBITS, "exhibit", name)
    exhibit = exhibit_class(exhibit_class.Settings(**settings))
    exhibit.scene()
    for _ in range(STEPS.get(name, 2000) // 40 if exhibit.history else 0):
        exhibit.step(40)
    exhibit.frame()
    return exhibit


@pytest.mark.parametrize(
    ("name", "settings"), [(name, settings) for name in registry.EXHIBITS for settings in MODES.get(name, [{}])]
)
def test_a_visitor_takes_less_than_three_megabytes(name, settings):
    visit(name, settings)  # what all visitors share is loaded
    tracemalloc.start()
    try:
        exhibit = visit(name, settings)
        gc.collect()
        used = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert exhibit
    assert used < MOST_BYTES
