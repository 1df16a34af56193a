from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import tracemalloc
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glassnet import MLPClassifier
from glassnet.errors import CorruptFileError, GlassnetWarning, InvalidInputError, RunFolderError
from glassnet.inspect.history import History
from glassnet.inspect.history_parts import Layout
from glassnet.training.loop import advance, run
from glassnet.training.state import TrainingState


class Walk:
    """An engine with a momentum: cheap, and it depends on all that came before."""

    name = "walk"

    def run(self, state, batches):
        losses = np.empty(len(batches))
        for i, (a, b) in enumerate(zip(batches.starts, batches.stops, strict=True)):
            weight, velocity = state.arrays["weight"], state.arrays["velocity"]
            losses[i] = np.sum(weight**2)
            velocity *= 0.9
            velocity -= 1e-3 * weight * batches.indices[a:b].sum()
            weight += velocity
        return losses


def make_state(n_weights=5, seed=0):
    weight = np.random.default_rng(seed).normal(size=n_weights).astype(np.float32)
    arrays = {"weight": weight, "velocity": np.zeros_like(weight)}
    return TrainingState(arrays, Walk(), seed=seed, n_samples=10, batch_size=3)


def same(a, b):
    return a["step"] == b["step"] and all(np.array_equal(a["arrays"][n], b["arrays"][n]) for n in a["arrays"])


def net(**options):
    return MLPClassifier((8,), **({"random_state": 3, "max_iter": 40, "batch_size": 16, "tol": None} | options))


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 2)).astype(np.float32)
    return X, (X[:, 0] * X[:, 1] > 0).astype(int)


def test_every_loss_and_the_snapshots_of_a_run():
    history, state, alone = History(every=7), make_state(), make_state()
    run(state, 30, [history])
    assert np.array_equal(history.losses, advance(alone, 30).astype(np.float32))
    assert history.steps.tolist() == list(range(30))
    assert history.snapshot_steps.tolist() == [0, 7, 14, 21, 28]
    assert history.end == 30


@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_watching_changes_nothing(data, solver):
    watched, alone = net(solver=solver), net(solver=solver)
    history = History(every=13, measures={"norm": lambda s: np.linalg.norm(s.arrays["parameters"])}, measure_every=5)
    watched.fit(*data, observers=[history])
    alone.fit(*data)
    assert same(watched.state_.state_dict(), alone.state_.state_dict())
    assert watched.loss_curve_ == alone.loss_curve_
    assert len(history.losses) == watched.state_.step
    assert history.scalars["norm"].steps[:3].tolist() == [0, 5, 10]


def test_restore_is_bit_equal_at_every_step(data):
    history, states = History(every=25), []
    state = net().initialize(*data)
    for step in range(80):
        states.append(state.state_dict())
        run(state, step + 1, [history])
    assert history.snapshot_steps.tolist() == [0, 25, 50, 75]
    for step in (79, 0, 25, 26, 49, 51):
        history.restore(state, step)
        assert same(state.state_dict(), states[step])


def test_restore_refuses_what_it_does_not_hold():
    history, state = History(), make_state()
    with pytest.raises(InvalidInputError, match="no snapshots"):
        history.restore(state, 0)
    run(state, 10, [history])
    with pytest.raises(InvalidInputError, match="steps 0 to 10"):
        history.restore(state, 11)
    with pytest.raises(InvalidInputError, match="arrays"):
        history.restore(make_state(n_weights=6), 5)
    assert state.step == 10


def test_going_back_overwrites_what_came_after():
    history, state = History(every=10), make_state()
    history.add("test_loss", 5, 0.5)
    run(state, 40, [history])
    history.add("test_loss", 40, 0.25)
    history.restore(state, 15)
    state.arrays["weight"] *= 2  # the run takes another way from here
    branch = state.state_dict()
    run(state, 32, [history])
    assert history.snapshot_steps.tolist() == [0, 10, 15, 20, 30]
    assert history.steps.tolist() == list(range(32))
    assert history.scalars["test_loss"].steps.tolist() == [5]
    history.restore(state, 15)
    assert same(state.state_dict(), branch)


def test_a_new_run_replaces_the_old_one():
    history = History(every=10)
    run(make_state(seed=1), 10, [history])
    state = make_state(n_weights=7, seed=2)
    start = state.state_dict()
    run(state, 5, [history])
    history.restore(state, 0)
    assert same(state.state_dict(), start)
    assert history.end == 5


def test_a_gap_is_refused():
    history, state = History(), make_state()
    run(state, 5, [history])
    advance(state, 5)
    with pytest.raises(InvalidInputError, match="ends at step 5"):
        run(state, 20, [history])


def test_a_history_can_begin_late():
    history, state = History(every=10), make_state()
    advance(state, 13)
    run(state, 35, [history])
    assert history.steps[0] == 13
    assert history.snapshot_steps.tolist() == [13, 20, 30]


@settings(max_examples=40, deadline=None)
@given(
    budget=st.integers(1, 20_000), stops=st.lists(st.integers(1, 400), min_size=1, max_size=6), every=st.integers(1, 9)
)
def test_the_budget_holds_and_what_is_left_is_true(budget, stops, every):
    history, state = History(budget, every=every, quiet=True), make_state()
    for stop in np.cumsum(stops):
        run(state, int(stop), [history])
        history.add("test_loss", int(stop), stop)
        assert history.nbytes <= max(budget, 400)  # 400: the empty containers themselves
    alone, losses = make_state(), advance(make_state(), state.step).astype(np.float32)
    assert np.array_equal(history.losses, losses[history.steps])
    assert np.array_equal(history.scalars["test_loss"].values, history.scalars["test_loss"].steps)
    for step in history.snapshot_steps:
        advance(alone, int(step) - alone.step)
        history.restore(state, int(step))
        assert same(state.state_dict(), alone.state_dict())


def test_memory_is_counted_honestly():
    state = make_state(n_weights=300)
    gc.collect()
    tracemalloc.start()
    try:
        history = History(10_000_000, every=2)
        run(state, 3000, [history])
        for step in range(3000):
            history.add("test_loss", step, 0.0)
        gc.collect()
        traces = (
            tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(True, "*/glassnet/*")]).statistics("filename")
        )
    finally:
        tracemalloc.stop()
    assert 3_000_000 < history.nbytes < 10_000_000
    used = sum(trace.size for trace in traces)
    assert abs(used - history.nbytes) < 0.02 * history.nbytes


def test_thinning_is_said_once():
    state, history = make_state(), History(4000, every=1)
    with pytest.warns(GlassnetWarning, match="thinned") as said:
        run(state, 3000, [history])
    assert len(said) == 1
    assert history.snapshot_steps[0] == 0
    assert len(set(np.diff(history.snapshot_steps))) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run(make_state(), 3000, [History(4000, every=1, quiet=True)])


def test_a_state_larger_than_the_budget_leaves_the_losses():
    state, history = make_state(n_weights=5000), History(30_000, quiet=True)
    run(state, 2000, [history])
    assert len(history.snapshot_steps) == 0
    assert len(history.losses) == 2000
    with pytest.raises(InvalidInputError, match="no snapshots"):
        history.restore(state, 3)


@pytest.mark.parametrize("option", ["max_bytes", "every", "measure_every"])
def test_options_below_one_are_refused(option):
    with pytest.raises(InvalidInputError, match=option):
        History(**{option: 0})


def test_layout_refuses_nothing_and_loses_nothing():
    saved = make_state().state_dict() | {"seed": 2**62}
    saved["arrays"]["scale"] = np.array(0.5)
    saved["arrays"]["empty"] = np.empty((0, 3), np.uint8)
    layout = Layout.of(saved)
    back = layout.unpack(layout.pack(saved))
    assert list(back) == [*layout.counters, "arrays"]
    assert all(back[name] == saved[name] for name in layout.counters)
    for name, array in saved["arrays"].items():
        assert back["arrays"][name].dtype == array.dtype
        assert np.array_equal(back["arrays"][name], array)


@pytest.fixture
def saved(tmp_path):
    history, state = History(6000, every=3, measures={"test_loss": lambda s: s.step / 2}, quiet=True), make_state()
    run(state, 500, [history])
    history.save(tmp_path / "run")
    return history, state, tmp_path / "run"


def test_save_and_load(saved):
    history, state, folder = saved
    back = History.load(folder, quiet=True)
    for name in ("steps", "losses", "snapshot_steps"):
        assert np.array_equal(getattr(back, name), getattr(history, name))
    assert np.array_equal(back.scalars["test_loss"].values, history.scalars["test_loss"].values)
    history.restore(state, 321)
    expected = state.state_dict()
    back.restore(state, 321)
    assert same(state.state_dict(), expected)


def test_a_loaded_history_goes_on(saved):
    history, state, folder = saved
    back = History.load(folder, quiet=True)
    middle = state.state_dict()
    for h in (history, back):
        state.load_state_dict(middle)
        run(state, 900, [h])
    assert np.array_equal(back.losses, history.losses)
    assert np.array_equal(back.steps, history.steps)


def test_an_empty_history_is_saved(tmp_path):
    History().save(tmp_path)
    back = History.load(tmp_path)
    assert len(back.losses) == len(back.snapshot_steps) == 0


def test_saving_again_leaves_one_record(saved):
    history, state, folder = saved
    run(state, 600, [history])
    history.save(folder)
    assert sorted(p.suffix for p in folder.iterdir()) == [".json", ".safetensors"]
    assert History.load(folder).end == 600


def damage_table(folder, **changes):
    table = json.loads((folder / "history.json").read_text()) | changes
    (folder / "history.json").write_text(json.dumps({k: v for k, v in table.items() if v is not None}))


def cut(folder, pattern):
    (path,) = folder.glob(pattern)
    path.write_bytes(path.read_bytes()[:-7])


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: cut(folder, "*.safetensors"),
        lambda folder: cut(folder, "*.json"),
        lambda folder: next(folder.glob("*.safetensors")).unlink(),
        lambda folder: damage_table(folder, every=None),
        lambda folder: damage_table(folder, every="three"),
        lambda folder: damage_table(folder, scalars=["loss of another"]),
        lambda folder: damage_table(folder, counters=["step"]),
        lambda folder: (folder / "history.json").write_text("[]"),
    ],
)
def test_damage_is_named(saved, damage):
    folder = saved[2]
    damage(folder)
    with pytest.raises(CorruptFileError, match="run"):
        History.load(folder)


def test_a_folder_without_history_and_one_of_another_version(saved, tmp_path):
    with pytest.raises(RunFolderError, match="no history"):
        History.load(tmp_path)
    damage_table(saved[2], version=99)
    with pytest.raises(RunFolderError, match="99"):
        History.load(saved[2])


KILLED_WHILE_SAVING = """
import os, signal, sys
from glassnet.inspect.history import History
history = History.load(sys.argv[1])
history.add("test_loss", 10**6, 1.0)
made, kill_at = 0, int(sys.argv[2])
replace = os.replace
def replace_or_die(a, b):
    global made
    if made == kill_at:
        os.kill(os.getpid(), signal.SIGKILL)
    made += 1
    replace(a, b)
os.replace = replace_or_die
history.save(sys.argv[1])
"""


@pytest.mark.parametrize("kill_at", [0, 1])
def test_killed_while_saving_leaves_the_old_record(saved, kill_at):
    history, _, folder = saved
    done = subprocess.run([sys.executable, "-c", KILLED_WHILE_SAVING, str(folder), str(kill_at)], env=os.environ)
    assert done.returncode == -signal.SIGKILL
    back = History.load(folder)
    assert np.array_equal(back.losses, history.losses)
    assert back.scalars["test_loss"].steps.max() < 10**6
