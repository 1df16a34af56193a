from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glassnet import DeepBeliefClassifier, MLPClassifier, MLPRegressor, advance
from glassnet.errors import DivergedError, InvalidInputError
from glassnet.lab.recording import Curve, Recording, Together
from glassnet.lab.stages import Stages

X = np.random.default_rng(0).normal(size=(40, 2)).astype(np.float32)
Y = (X[:, 0] * X[:, 1] > 0).astype(int)


def fresh_state():
    network = MLPClassifier((5,), "tanh", solver="adam", batch_size=7, random_state=3)
    return network.initialize(X, Y)


def parameters_after(step):
    state = fresh_state()
    advance(state, step)
    return state.arrays["parameters"]


@pytest.mark.parametrize("max_bytes", [300_000, 4_000])
def test_every_recorded_moment_is_shown_as_it_was(max_bytes):
    state = fresh_state()
    recording = Recording(state, max_bytes)
    for n in (1, 99, 7, 400):
        recording.advance(n)
    for step in (0, 1, 63, 64, 65, 300, 507):
        recording.seek(step)
        assert recording.step == state.step == step
        np.testing.assert_array_equal(state.arrays["parameters"], parameters_after(step))
    assert recording.history.nbytes <= max_bytes


def test_going_on_from_the_past_repeats_it_and_keeps_the_record():
    state = fresh_state()
    recording = Recording(state)
    recording.advance(200)
    recording.seek(50)
    recording.advance(100)
    assert (recording.step, recording.last) == (150, 200)
    recording.advance(100)
    assert (recording.step, recording.last) == (250, 250)
    np.testing.assert_array_equal(state.arrays["parameters"], parameters_after(250))


@pytest.mark.parametrize("step", [-1, 31])
def test_what_was_not_recorded_is_refused(step):
    recording = Recording(fresh_state())
    recording.advance(30)
    with pytest.raises(InvalidInputError, match=f"Step {step} is not recorded; the record holds steps 0 to 30"):
        recording.seek(step)
    assert recording.step == 30


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 60), min_size=1, max_size=200), st.integers(4, 20))
def test_a_curve_keeps_its_ends_its_order_and_its_bound(gaps, max_points):
    curve = Curve(width=1, max_points=max_points)
    steps = np.cumsum([0, *gaps])
    for step in steps:
        curve.add(int(step), 2.0 * step)
    points = curve.points
    assert points[0, 0] == 0
    assert points[-1, 0] == steps[-1]
    assert len(points) <= max_points
    assert (np.diff(points[:, 0]) > 0).all()
    assert set(points[:, 0]) <= set(steps)
    np.testing.assert_array_equal(points[:, 1], 2 * points[:, 0])


def test_a_curve_knows_its_past():
    curve = Curve(width=2)
    curve.add(0, 1.0, 2.0)
    curve.add(10, 3.0, 4.0)
    curve.add(5, 9.0, 9.0)
    np.testing.assert_array_equal(curve.points, [[0, 1, 2], [10, 3, 4]])


def test_together_stops_together_where_one_diverges():
    X, y = np.array([[0.0], [1.0], [2.0], [30.0]]), np.array([0.0, 1.0, 2.0, 30.0])
    states = []
    for rate in (1e-4, 1e6):
        net = MLPRegressor((), "identity", solver="sgd", momentum=0.0, learning_rate_init=rate, random_state=0)
        states.append(net.initialize(X, y))
    together = Together(states)
    together.advance(1)
    with pytest.raises(DivergedError):
        together.advance(50)
    assert {state.step for state in states} == {together.step}
    together.seek(0)
    together.advance(1)
    assert {state.step for state in states} == {1}


def stages() -> Stages:
    net = DeepBeliefClassifier((4, 3), batch_size=10, random_state=0)
    return Stages(net.stages((X > 0).astype(np.float32), Y), lengths=(5, 70, 6))


def test_stages_follow_one_another_and_are_shown_as_they_were():
    time = stages()
    time.advance(1000)
    assert (time.step, time.last, time.stage, time.epoch) == (81, 81, 2, 1 + 17 + 1)
    for step, stage, within in ((0, 0, 0), (5, 0, 5), (6, 1, 1), (75, 1, 70), (76, 2, 1), (81, 2, 6), (3, 0, 3)):
        time.seek(step)
        assert (time.stage, time.here.step, time.step, time.last) == (stage, within, step, 81)
        fresh = stages()
        fresh.advance(step)
        for name, array in fresh.here.state.arrays.items():
            np.testing.assert_array_equal(time.here.state.arrays[name], array)
    time.advance(4)
    assert (time.stage, time.here.step) == (1, 2)
