"""Stopping anywhere and going on changes nothing, to the bit."""

from __future__ import annotations

import signal
import threading
import time
from itertools import count
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glassnet import MLPClassifier, MLPRegressor, advance
from glassnet.errors import DivergedError, InvalidInputError
from glassnet.training import loop
from glassnet.training.batches import plan
from glassnet.training.loop import run
from glassnet.training.observers import Observer, StopTraining
from glassnet.training.state import TrainingState

RNG = np.random.default_rng(0)
X = RNG.normal(size=(53, 5)).astype(np.float32)
Y = (X[:, 0] * X[:, 1] > 0).astype(int)


def start(engine: str, solver: str = "sgd", **options):
    """Return the state of a net whose epochs are shuffled and end in a smaller batch."""
    net = MLPClassifier((7, 3), "tanh", solver=solver, batch_size=8, random_state=3, engine=engine, **options)
    return net.initialize(X, Y)


def assert_equal_states(a, b):
    a, b = a.state_dict(), b.state_dict()
    assert {k: v for k, v in a.items() if k != "arrays"} == {k: v for k, v in b.items() if k != "arrays"}
    for name in a["arrays"]:
        np.testing.assert_array_equal(a["arrays"][name], b["arrays"][name])


@pytest.mark.parametrize("engine", ["kernel", "formula"])
@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_save_and_load_in_mid_epoch_go_on_to_the_bit(engine, solver):
    whole = start(engine, solver)
    advance(whole, 45)
    stopped = start(engine, solver)
    advance(stopped, 17)  # the third step of the third epoch
    assert stopped.position == 3
    saved = stopped.state_dict()
    advance(stopped, 9)  # a copy is a copy
    resumed = start(engine, solver)
    resumed.load_state_dict(saved)
    advance(resumed, 28)
    assert_equal_states(resumed, whole)


@pytest.mark.parametrize("engine", ["kernel", "formula"])
def test_a_second_fit_in_another_thread_changes_nothing(engine):
    alone = [start(engine, s) for s in ("sgd", "adam")]
    for state in alone:
        advance(state, 300)
    together = [start(engine, s) for s in ("sgd", "adam")]
    threads = [threading.Thread(target=advance, args=(state, 300)) for state in together]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for a, b in zip(alone, together, strict=True):
        assert_equal_states(a, b)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 30), min_size=1, max_size=5))
def test_pieces_of_any_size_make_the_same_steps(pieces):
    whole, pieced = start("kernel"), start("kernel")
    losses = advance(whole, sum(pieces))
    np.testing.assert_array_equal(np.concatenate([advance(pieced, n) for n in pieces]), losses)
    assert_equal_states(whole, pieced)


def test_every_epoch_visits_every_sample_once_in_a_new_order():
    state = start("kernel")
    batches = plan(state, 3 * state.steps_per_epoch)
    visited = [batches.indices[a:b] for a, b in zip(batches.starts, batches.stops, strict=True)]
    epochs = np.concatenate(visited).reshape(3, len(X))
    assert (np.sort(epochs, axis=1) == np.arange(len(X))).all()
    assert not (epochs[0] == epochs[1]).all()


def test_full_batch_equals_batch_size_n_to_the_bit_whatever_shuffle_says():
    fits = []
    for batch_size, shuffle in ((len(X), True), (len(X), False)):
        state = MLPRegressor((4,), batch_size=batch_size, shuffle=shuffle, random_state=0).initialize(X, Y)
        advance(state, 20)
        fits.append(state.arrays["parameters"])
    np.testing.assert_array_equal(*fits)


def test_a_state_that_does_not_fit_is_refused_and_nothing_changes():
    state = start("kernel")
    before = state.state_dict()
    other = MLPClassifier((7, 4), "tanh", solver="sgd", batch_size=8).initialize(X, Y).state_dict()
    with pytest.raises(InvalidInputError, match="arrays"):
        state.load_state_dict(other)
    with pytest.raises(InvalidInputError, match="batch_size"):
        state.load_state_dict({**before, "batch_size": 9})
    np.testing.assert_array_equal(state.arrays["parameters"], before["arrays"]["parameters"])


class Recorder(Observer):
    def __init__(self, every: int, stop_at: int | None = None):
        self.every, self.stop_at, self.seen, self.losses = every, stop_at, [], []

    def next_event(self, step):
        return step - step % self.every + self.every

    def record(self, first_step, losses):
        assert first_step == sum(map(len, self.losses))
        self.losses.append(losses)

    def observe(self, state):
        self.seen.append(state.step)
        if state.step == self.stop_at:
            raise StopTraining


def test_observers_see_their_steps_and_all_losses_and_change_nothing():
    watched, unwatched = start("kernel"), start("kernel")
    fives, sevens = Recorder(5), Recorder(7, stop_at=35)
    run(watched, 100, [fives, sevens])
    assert fives.seen == [5, 10, 15, 20, 25, 30, 35]
    assert sevens.seen == [7, 14, 21, 28, 35]
    np.testing.assert_array_equal(np.concatenate(fives.losses), advance(unwatched, 35))
    assert_equal_states(watched, unwatched)


@pytest.mark.parametrize("engine", ["kernel", "formula"])
def test_a_diverging_fit_stops_names_the_step_and_keeps_finite_weights(engine):
    net = MLPRegressor((), solver="sgd", learning_rate_init=50.0, batch_size=8, engine=engine, random_state=0)
    with pytest.raises(DivergedError, match=r"at step \d+.*learning_rate_init"):
        net.fit(X * 100, X[:, 0])
    assert np.isfinite(net.predict(X)).all()


@pytest.mark.parametrize("engine", ["kernel", "formula"])
def test_after_divergence_come_the_weights_with_the_lowest_loss(engine, monkeypatch):
    """With a clock that runs fast, every state between two pieces is looked at."""
    clock = count(0, 2)
    monkeypatch.setattr(loop, "time", SimpleNamespace(monotonic=lambda: next(clock), perf_counter=time.perf_counter))
    net = MLPRegressor((), solver="sgd", learning_rate_init=3.0, momentum=0, batch_size="all", engine=engine,
                       alpha=0, max_iter=1000, tol=None, random_state=0)  # fmt: skip
    target = X[:, 0] * 5 + 1
    losses = advance(net.initialize(X, target), 60)
    assert losses[0] < losses[1] < losses[20]  # it grows from the start
    start = net.initialize(X, target).arrays["parameters"].copy()
    with pytest.raises(DivergedError, match="those of step 0,"):
        net.fit(X, target)
    np.testing.assert_array_equal(net.state_.arrays["parameters"], start)


def looks(monkeypatch, seconds):
    """Return what the looks for the best state have filled in 40 pieces, where a copy takes so many seconds."""
    clock, spent, filled, copy = count(0, 2), [0.0], [], TrainingState.state_dict

    def state_dict(state, into=None):
        spent[0] += seconds
        made = copy(state, into)
        filled.append(made["arrays"]["parameters"])
        return made

    net = MLPRegressor((), solver="sgd", momentum=0, learning_rate_init=1e-3, engine="formula", random_state=0)
    state = net.initialize(X, X[:, 0])
    with monkeypatch.context() as patch:
        patch.setattr(TrainingState, "state_dict", state_dict)
        patch.setattr(loop, "time", SimpleNamespace(monotonic=lambda: next(clock), perf_counter=lambda: spent[0]))
        run(state, 40, [Recorder(1)])
    return filled


def test_looking_for_the_best_state_takes_two_copies_and_little_time(monkeypatch):
    filled = looks(monkeypatch, 0.0)
    assert len(filled) == 41  # at the start, and after each step
    assert len({id(array) for array in filled}) == 2
    assert len(looks(monkeypatch, 0.1)) == 15  # after the first step, then not before 5 seconds more: every third


class PressCtrlC(Observer):
    """Presses Ctrl-C during the fit."""

    def next_event(self, step):
        return 50 if step < 50 else None

    def observe(self, state):
        signal.raise_signal(signal.SIGINT)


def test_ctrl_c_ends_between_two_steps_and_the_network_stays_usable():
    net = MLPClassifier((7, 3), "tanh", solver="sgd", batch_size=8, random_state=3, tol=None, engine="formula")
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        net.fit(X, Y, observers=[PressCtrlC()])
    assert signal.getsignal(signal.SIGINT) is handler
    expected = start("formula")
    advance(expected, net.state_.step)
    assert_equal_states(net.state_, expected)
    assert net.predict(X).shape == (53,)
