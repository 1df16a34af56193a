from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.figure import Figure

from glassnet.errors import InvalidInputError
from glassnet.inspect.history import History
from glassnet.plots.training_curves import MAX_POINTS, TrainingCurvesDisplay


def history(losses, test_losses=()):
    made = History()
    made.record(0, np.asarray(losses, float))
    for step, loss in test_losses:
        made.add("test_loss", step, loss)
    return made


def test_every_loss_of_a_short_run():
    display = TrainingCurvesDisplay.from_history(history([4.0, 2.0, 1.0], [(0, 5.0), (2, 3.0)]))
    train, test = display.curves
    assert (train.part, train.x.tolist(), train.mean.tolist()) == ("training", [0, 1, 2], [4, 2, 1])
    assert (test.part, test.x.tolist(), test.mean.tolist()) == ("test", [0, 2], [5, 3])


@pytest.mark.parametrize("n", [MAX_POINTS, MAX_POINTS + 1, 1234, 5 * MAX_POINTS])
def test_long_runs_are_averaged_over_equal_stretches(n):
    losses = np.random.default_rng(0).random(n)
    (curve,) = TrainingCurvesDisplay.from_history(history(losses)).curves
    width = 1
    while n / width > MAX_POINTS:
        width += 1
    for i in range(n // width):
        stretch = slice(i * width, (i + 1) * width)
        assert curve.mean[i] == pytest.approx(losses[stretch].mean(), rel=1e-6)
        assert curve.x[i] == pytest.approx(np.arange(n)[stretch].mean())
    assert len(curve.x) == n // width <= MAX_POINTS


def test_spread_over_runs():
    runs = np.array([[3.0, 2.0, 1.0, 0.5], [4.0, 1.0, 1.0, np.nan]])
    display = TrainingCurvesDisplay.from_histories({"a": [history(runs[0]), history(runs[1, :3])]})
    (curve,) = display.curves
    assert curve.n_runs == 2
    assert np.allclose(curve.mean, runs[:, :3].mean(axis=0))
    assert np.allclose(curve.low, runs[:, :3].min(axis=0))
    assert np.allclose(curve.high, runs[:, :3].max(axis=0))


def test_other_quantities_are_those_that_were_measured():
    made = history([4.0, 2.0, 1.0], [(0, 5.0)])
    for step, wrong in ((0, 90.0), (2, 20.0)):
        made.add("training_error", step, wrong)
        made.add("test_error", step, wrong + 5)
    display = TrainingCurvesDisplay.from_history(made, quantity="error")
    assert [(c.part, c.x.tolist(), c.mean.tolist()) for c in display.curves] == [
        ("training", [0, 2], [90, 20]),
        ("test", [0, 2], [95, 25]),
    ]
    assert display.ylabel == "error"
    with pytest.raises(InvalidInputError, match="No run measured accuracy"):
        TrainingCurvesDisplay.from_history(made, quantity="accuracy")


def test_estimators_give_epochs():
    nets = [
        SimpleNamespace(loss_curve_=[3.0, 2.0], validation_loss_curve_=[4.0, 3.0]),
        SimpleNamespace(loss_curve_=[1.0, 0.0, 0.0], validation_loss_curve_=[2.0, 1.0, 0.0]),
    ]
    display = TrainingCurvesDisplay.from_estimators({"net": nets}, log=True)
    train, validation = display.curves
    assert (train.x.tolist(), train.mean.tolist()) == ([1, 2], [2, 1])
    assert (validation.part, validation.mean.tolist()) == ("validation", [3, 2])
    assert display.xlabel == "epoch"


def test_an_estimator_without_held_out_data_has_one_curve():
    net = SimpleNamespace(loss_curve_=[3.0, 2.0], validation_loss_curve_=[])
    assert [c.part for c in TrainingCurvesDisplay.from_estimator(net).curves] == ["training"]


def test_side_by_side_puts_held_out_data_into_a_panel_of_the_same_scale():
    histories = {n: [history([4.0, 2.0, 1.0], [(0, 9.0), (2, 3.0)])] for n in ("plain", "residual")}
    figure = Figure()
    TrainingCurvesDisplay.from_histories(histories, side_by_side=True).plot(figure.subplots())
    _, left, right = figure.axes
    assert (left.get_title(), right.get_title()) == ("training", "test")
    assert left.get_ylim() == right.get_ylim()
    assert [line.get_ydata().tolist() for line in right.lines] == [[9, 3], [9, 3]]
    assert left.lines[0].get_color() == right.lines[0].get_color() != right.lines[1].get_color()


def test_curves_that_do_not_fit_are_refused():
    with pytest.raises(InvalidInputError, match="no training curve"):
        TrainingCurvesDisplay.from_history(History())
    with pytest.raises(InvalidInputError, match="no loss_curve_"):
        TrainingCurvesDisplay.from_estimator(SimpleNamespace())
    with pytest.raises(InvalidInputError, match="different steps"):
        TrainingCurvesDisplay.from_histories({"a": [history([1, 2], [(0, 1)]), history([1, 2], [(1, 1)])]})
