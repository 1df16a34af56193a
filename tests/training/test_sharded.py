"""Parameters shared out among processes. Run as a script, this file is one of the processes."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from torch import nn

from glassnet.errors import InvalidInputError
from glassnet.estimators.module import ModuleClassifier
from glassnet.learning.dropout import Dropout
from glassnet.learning.module_arrays import initial_arrays
from glassnet.learning.sharded import parts_of, wholes_of
from glassnet.training.checkpoint import Checkpoint
from glassnet.training.distributed import Group, joined
from glassnet.training.observers import Observer

RNG = np.random.default_rng(0)
PICTURES, LABELS = RNG.integers(256, size=(40, 1, 8, 8)).astype(np.uint8), RNG.integers(3, size=40)
SETTINGS = {"batch_size": 10, "solver": "adam", "max_iter": 3, "tol": None, "random_state": 3, "sharded": True}


def network() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 5, 3), nn.BatchNorm2d(5), nn.ReLU(), Dropout(0.2), nn.Flatten(), nn.Linear(180, 3)
    )


class Stop(Observer):
    """Ends the fit in mid-epoch as Ctrl-C would, and looks at how much this process holds."""

    n_held = 0

    def next_event(self, step):
        return 6 if step < 6 else None

    def observe(self, state):
        assert state.position == 2
        self.n_held = len(state.arrays["parameters"])
        assert len(state.arrays["first_moment"]) == self.n_held
        raise KeyboardInterrupt


def test_parts_make_the_whole_again(monkeypatch):
    module = network()
    arrays = initial_arrays(module)
    arrays["velocity"] = np.arange(len(arrays["parameters"]), dtype=np.float32)
    parts = [parts_of(arrays, module, Group(rank, 4)) for rank in range(4)]
    assert sum(len(part["parameters"]) for part in parts) == len(arrays["parameters"])
    assert max(len(part["parameters"]) for part in parts) < 0.4 * len(arrays["parameters"])  # three rows of four
    numbers = {"parameters": np.arange(len(arrays["parameters"]))}
    places = [parts_of(numbers, module, Group(rank, 4))["parameters"] for rank in range(4)]
    cut = [{name: part[name] for name in ("parameters", "velocity")} for part in parts]
    monkeypatch.setattr(Group, "gather", lambda self, value: list(zip(places, cut, strict=True)))
    whole = wholes_of(parts[1], module, Group(1, 4))
    assert list(whole) == list(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(whole[name], array)


def test_an_interrupted_fit_goes_on_to_the_bit_and_each_process_holds_a_part(torchrun, tmp_path):
    run = torchrun(2, __file__, tmp_path)
    assert run.returncode == 0, run.stderr
    for rank in range(2):
        told = json.loads((tmp_path / f"{rank}.json").read_text())
        assert told["equal"]
        assert told["steps"] == 12
        assert told["held"] < 0.7 * told["n"]
    with pytest.raises(InvalidInputError, match="This state has arrays"):
        ModuleClassifier(network, **SETTINGS).fit(PICTURES, LABELS, resume=tmp_path / "0")


def _main(folder: Path) -> None:
    with joined() as group:
        straight, again = (ModuleClassifier(network, **SETTINGS) for _ in range(2))
        straight.fit(PICTURES, LABELS)
        kept, stop = folder / str(group.rank), Stop()
        try:
            again.fit(PICTURES, LABELS, observers=[Checkpoint(kept), stop])
        except KeyboardInterrupt:
            again.fit(PICTURES, LABELS, resume=kept)
        arrays = straight.state_.arrays
        equal = all(np.array_equal(array, again.state_.arrays[name]) for name, array in arrays.items())
        told = {"equal": equal, "steps": again.state_.step, "held": stop.n_held, "n": len(arrays["parameters"])}
        (folder / f"{group.rank}.json").write_text(json.dumps(told))


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
