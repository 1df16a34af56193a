from __future__ import annotations

import base64
import io
import json
import re

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from PIL import Image

from glassnet import MLPClassifier
from glassnet.data import load
from glassnet.errors import InvalidInputError, UnknownNameError
from glassnet.inspect.history import History
from glassnet.networks.hopfield import HopfieldNetwork
from glassnet.plots.confusion_matrix import ConfusionMatrixDisplay
from glassnet.plots.decision_boundary import DecisionBoundaryDisplay
from glassnet.plots.energy import EnergyDisplay
from glassnet.plots.film import film_steps, hold_axes
from glassnet.plots.mapping_2d import Mapping2DDisplay
from glassnet.plots.style import THEMES, get_theme
from glassnet.plots.training_curves import TrainingCurvesDisplay
from glassnet.plots.weight_matrix import WeightMatrixDisplay


@pytest.fixture(scope="module")
def watched():
    d, history = load("gauss"), History(every=7)
    net = MLPClassifier((3,), activation="tanh", max_iter=3, tol=None, batch_size=50, random_state=0)
    return net.fit(d.X_train, d.y_train, observers=[history]), history, d


def pictures(path):
    """The frames of a GIF as arrays; equal ones in a row are one."""
    with Image.open(path) as film:
        frames = []
        for i in range(film.n_frames):
            film.seek(i)
            frames.append(np.array(film.convert("RGB")))
    return frames


def test_steps_are_densest_at_the_start_and_reach_the_end(watched):
    _, history, _ = watched
    steps = film_steps(history, 5)
    assert (steps[0], steps[-1]) == (0, history.end)
    assert steps == sorted(set(steps))
    assert steps[1] - steps[0] <= steps[-1] - steps[-2]


def test_a_boundary_over_training_is_that_of_fits_that_ended_there(watched):
    net, history, d = watched
    weights = [w.copy() for w in net.coefs_]
    film = DecisionBoundaryDisplay.over_training(net, history, d.X_test, d.y_test, n_frames=4, grid_resolution=9)
    assert all(np.array_equal(w, now) for w, now in zip(weights, net.coefs_, strict=True))
    assert net.state_.step == history.end
    steps_per_epoch = net.state_.steps_per_epoch
    epoch_ends = {f"step {n * steps_per_epoch}": n for n in (1, 2, 3)}
    compared = 0
    for said, frame in film.frames_:
        if said in epoch_ends:
            alone = MLPClassifier(**{**net.get_params(), "max_iter": epoch_ends[said]}).fit(d.X_train, d.y_train)
            made = DecisionBoundaryDisplay.from_estimator(alone, d.X_test, d.y_test, grid_resolution=9)
            assert np.array_equal(frame.values, made.values)
            compared += 1
    assert compared >= 1
    assert np.array_equal(film.values, film.frames_[-1][1].values)


@pytest.mark.parametrize("theme", THEMES)
def test_a_gif_holds_every_picture_at_one_size(watched, tmp_path, theme):
    net, history, d = watched
    film = ConfusionMatrixDisplay.over_training(net, history, d.X_test, d.y_test, n_frames=3)
    path = film.animate(tmp_path / "a.gif", theme=theme, dpi=40)
    frames = pictures(path)
    assert len(frames) == len(film.frames_)
    assert len({frame.shape for frame in frames}) == 1
    assert np.allclose(frames[0][0, 0] / 255, to_rgb(THEMES[theme].paper), atol=0.03)


def test_a_page_holds_the_pictures_and_asks_nobody_for_more(watched, tmp_path):
    net, history, d = watched
    film = ConfusionMatrixDisplay.over_training(net, history, d.X_test, d.y_test, n_frames=3)
    page = film.animate(tmp_path / "a.html", dpi=40).read_text()
    images = json.loads(re.search(r"images = (\[.*?\]), captions", page)[1])
    captions = json.loads(re.search(r"captions = (\[.*?\]);", page)[1])
    assert captions == [said for said, _ in film.frames_]
    assert len({Image.open(io.BytesIO(base64.b64decode(i.partition(",")[2]))).size for i in images}) == 1
    assert "http" not in page
    assert "src=" not in page


def test_curves_grow_on_axes_that_stay(tmp_path):
    history = History()
    history.record(0, np.linspace(4.0, 1.0, 60))
    display = TrainingCurvesDisplay.from_history(history, log=True)
    frames = display._frames()
    lengths = [len(frame.curves[0].x) for _, frame in frames]
    assert lengths == sorted(lengths)
    assert lengths[-1] == 60
    limits = {(*f.plot(Figure().subplots()).ax_.get_xlim(), *f.ax_.get_ylim()) for _, f in frames[::10]}
    assert len(limits) == 1
    assert np.array_equal(frames[-1][1].curves[0].mean, display.curves[0].mean)
    assert len(pictures(display.animate(tmp_path / "curves.gif", dpi=30))) > 20


def limits_of(figures):
    """The limits of every labelled axes, and of every picture that a colour bar speaks of."""
    return [
        [(*ax.get_xlim(), *ax.get_ylim(), *(image.get_clim() for image in ax.images)) for ax in figure.axes]
        for figure in figures
    ]


def test_axes_and_colours_do_not_change_from_frame_to_frame():
    d, history = load("circle"), History(every=7)
    net = MLPClassifier((3,), activation="tanh", max_iter=3, tol=None, batch_size=20, random_state=0)
    net.fit(d.X_train, d.y_train, observers=[history])
    how = {"n_frames": 4}
    for film in (
        Mapping2DDisplay.over_training(net, history, d.X_train, d.y_train, **how),
        WeightMatrixDisplay.over_training(net, history, **how),
    ):
        figures = [frame.to_figure(get_theme("light"), (4, 3)) for _, frame in film.frames_]
        before = limits_of(figures)
        assert not all(limits == before[0] for limits in before)
        hold_axes(figures)
        after = limits_of(figures)
        assert all(limits == after[0] for limits in after)
        for was, now in zip(before, after, strict=True):  # nothing that was seen is cut off
            for (a, b, c, d_, *_), (e, f, g, h, *_) in zip(was, now, strict=True):
                assert min(e, f) <= min(a, b) <= max(a, b) <= max(e, f)
                assert min(g, h) <= min(c, d_) <= max(c, d_) <= max(g, h)
                assert (e < f, g < h) == (a < b, c < d_)


def test_axes_that_mean_something_else_keep_their_own_limits():
    figures = [Figure(), Figure()]
    for i, figure in enumerate(figures):
        left, right = figure.subplots(1, 2)
        left.plot([0, 1 + i])
        left.set(xlabel=f"layer {i}", ylabel="h")
        right.plot([0, 1 + i])
        right.set(xlabel="PC 1 (35%)" if i else "PC 1 (20%)")
    hold_axes(figures)
    (a, b), (c, d) = (figure.axes for figure in figures)
    assert a.get_ylim()[1] < c.get_ylim()[1]
    assert b.get_ylim() == d.get_ylim()


def test_axes_stay_in_their_place_where_a_legend_grows():
    figures = [Figure(layout="constrained") for _ in range(2)]
    for figure, name in zip(figures, ("a", "a much longer name"), strict=True):
        ax = figure.subplots()
        ax.plot([0, 1], label=name)
        ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    places = []
    for figure in figures:
        figure.draw_without_rendering()
        places.append(figure.axes[0].get_position().x1)
    assert places[0] > places[1] + 0.1
    hold_axes(figures)
    for figure in figures:
        figure.draw_without_rendering()
        assert figure.axes[0].get_position().x1 == pytest.approx(places[1], abs=1e-3)


def test_a_film_over_depth_begins_and_ends_at_the_layers():
    X, y = np.random.default_rng(0).normal(size=(20, 2)), np.arange(20) % 2
    display = Mapping2DDisplay.from_functions({"double": lambda p: 2 * p, "square": np.square}, X, y)
    stages = [frame.stages[0] for _, frame in display._frames()]
    assert np.array_equal(stages[0].points, X)
    assert np.allclose(stages[-1].points, 4 * X**2)
    for stage in stages:  # every point is on its way between two layers
        first = any(np.allclose(stage.points, (1 + t) * X) for t in np.arange(13) / 12)
        second = any(np.allclose(stage.points, (1 - t) * 2 * X + t * 4 * X**2) for t in np.arange(13) / 12)
        assert first or second


def test_a_recall_shows_the_states_whose_energies_it_draws():
    rng = np.random.default_rng(0)
    patterns = np.where(rng.random((6, 60)) < 0.5, 1.0, -1.0)
    network = HopfieldNetwork(random_state=0).fit(patterns)
    probes = patterns[:3] * np.where(rng.random((3, 60)) < 0.35, -1, 1)
    display = EnergyDisplay.from_network(network, probes, image_shape=(6, 10))
    frames = display._frames()
    assert len(frames) == display.energies.shape[1] >= 3
    for n, (said, frame) in enumerate(frames):
        assert said == f"step {n}"
        assert np.allclose(network.energy(frame.states), display.energies[:, n])
        assert frame.energies.shape[1] == n + 1
    assert np.array_equal(frames[-1][1].states, display.states)


def test_what_cannot_be_filmed_is_named(watched, tmp_path):
    net, history, d = watched
    display = ConfusionMatrixDisplay.from_estimator(net, d.X_test, d.y_test)
    with pytest.raises(InvalidInputError, match="shows one moment; ConfusionMatrixDisplay"):
        display.animate(tmp_path / "a.gif")
    film = ConfusionMatrixDisplay.over_training(net, history, d.X_test, d.y_test, n_frames=2)
    with pytest.raises(UnknownNameError, match="film format: 'mp4'"):
        film.animate(tmp_path / "a.mp4")
    with pytest.raises(InvalidInputError, match="takes time"):
        film.animate(tmp_path / "a.gif", seconds=0)
    with pytest.raises(InvalidInputError, match="2 frames"):
        ConfusionMatrixDisplay.over_training(net, history, d.X_test, d.y_test, n_frames=1)
    with pytest.raises(InvalidInputError, match="cannot be made of"):
        EnergyDisplay.over_training(net, history)
    assert list(tmp_path.iterdir()) == []
