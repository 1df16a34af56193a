from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure
from sklearn.decomposition import PCA
from sklearn.neural_network import MLPClassifier, MLPRegressor

from glassnet.errors import InvalidInputError, UnknownNameError
from glassnet.plots.dense import layer_activations
from glassnet.plots.mapping_1d import N_ARROWS, Mapping1DDisplay
from glassnet.plots.mapping_2d import Mapping2DDisplay

rng = np.random.default_rng(0)
X, Y = rng.normal(size=(50, 2)), np.arange(50) % 3


@pytest.fixture(scope="module")
def net():
    return MLPClassifier((2, 4), activation="tanh", max_iter=5000, tol=1e-2, random_state=0).fit(X, Y)


def test_curves_of_functions():
    display = Mapping1DDisplay.from_functions({"sin": np.sin, "both": lambda x: np.stack([x, x**2], 1)}, n_points=7)
    assert np.allclose(display.outputs[0][:, 0], np.sin(display.x))
    figure = Figure()
    display.plot(figure.subplots())
    _, one, two = figure.axes
    assert (one.get_title(), len(one.lines), len(two.lines)) == ("sin", 1, 2)
    assert np.allclose(two.lines[1].get_ydata(), display.x**2)


def test_arrows_go_from_input_to_output():
    display = Mapping1DDisplay.from_functions({"cube": lambda x: x**3}, reach=2.0, n_points=201, form="arrows")
    figure = Figure()
    display.plot(figure.subplots())
    arrows = [(a.xyann, a.xy) for a in figure.axes[1].texts]
    assert len(arrows) == N_ARROWS
    for (x, below), (y, above) in arrows:
        assert (below, above) == (0.0, 1.0)
        assert y == pytest.approx(x**3)


def test_each_unit_has_arrows_of_its_own():
    display = Mapping1DDisplay.from_functions(
        {"two": lambda x: np.stack([x, -x], 1), "many": lambda x: np.stack([x] * 9, 1)}, reach=1.0, form="arrows"
    )
    figure = Figure()
    display.plot(figure.subplots())
    titles = [ax.get_title() for ax in figure.axes[1:] if ax.axison]
    assert titles == ["two, unit 1", "two, unit 2", *(f"many, unit {i + 1} of 9" for i in range(6))]
    assert [arrow.xy[0] for arrow in figure.axes[2].texts] == [-arrow.xyann[0] for arrow in figure.axes[2].texts]


def test_layers_of_a_network_over_its_one_input():
    x = np.linspace(-2, 2, 40)[:, None]
    net = MLPRegressor(hidden_layer_sizes=(3,), activation="tanh", max_iter=5000, random_state=0).fit(x, x[:, 0] ** 2)
    display = Mapping1DDisplay.from_estimator(net, -2, 2, n_points=11)
    assert display.names == ["layer 1", "output"]
    assert np.allclose(display.outputs[0], np.tanh(display.x[:, None] @ net.coefs_[0] + net.intercepts_[0]))
    assert np.allclose(display.outputs[1][:, 0], net.predict(display.x[:, None]))


def test_1d_mappings_that_cannot_be_drawn_are_refused(net):
    with pytest.raises(InvalidInputError, match="one feature, got 2"):
        Mapping1DDisplay.from_estimator(net, 0, 1)
    with pytest.raises(UnknownNameError, match="arrows"):
        Mapping1DDisplay.from_functions({"sin": np.sin}, form="dots")


def test_the_grid_covers_the_data_with_straight_lines():
    grid = Mapping2DDisplay.from_functions({}, X, Y, n_lines=5).stages[0].grid
    horizontal, vertical = grid
    assert grid.shape == (2, 5, 101, 2)
    assert np.all(np.ptp(horizontal[..., 1], axis=1) == 0)
    assert np.all(np.ptp(vertical[..., 0], axis=1) == 0)
    for lines in grid:
        assert np.allclose(lines.reshape(-1, 2).min(axis=0), X.min(axis=0))
        assert np.allclose(lines.reshape(-1, 2).max(axis=0), X.max(axis=0))


def test_functions_are_applied_one_after_the_other():
    display = Mapping2DDisplay.from_functions({"double": lambda p: 2 * p, "square": np.square}, X, Y)
    start, double, square = display.stages
    assert np.allclose(double.points, 2 * X)
    assert np.allclose(square.points, 4 * X**2)
    assert np.allclose(square.grid, 4 * start.grid**2)


def test_layers_of_a_network(net):
    display = Mapping2DDisplay.from_estimator(net, X, Y)
    h = layer_activations(net, X)
    names = [stage.name for stage in display.stages]
    assert names == ["input", "layer 1", "layer 2: 4 units", "output: 3 units"]
    assert np.allclose(display.stages[1].points, h[0])
    flat = display.stages[0].grid.reshape(-1, 2)
    assert np.allclose(display.stages[1].grid.reshape(-1, 2), layer_activations(net, flat)[0])


def test_wide_layers_are_seen_on_their_principal_plane(net):
    stage, h = Mapping2DDisplay.from_estimator(net, X, Y).stages[2], layer_activations(net, X)[1]
    pca = PCA(2).fit(h)
    assert np.allclose(np.abs(stage.points), np.abs(pca.transform(h)))
    assert f"({pca.explained_variance_ratio_[1]:.0%})" in stage.axes[1]


def test_a_single_unit_is_a_line():
    two = MLPClassifier((3,), max_iter=5000, tol=1e-2, random_state=0).fit(X, Y > 0)
    stage = Mapping2DDisplay.from_estimator(two, X, Y > 0).stages[-1]
    assert np.allclose(stage.points[:, 0], two.predict_proba(X)[:, 1])
    assert np.all(stage.points[:, 1] == 0)
    assert np.all(stage.grid[..., 1] == 0)


def test_the_classes_on_a_line_are_drawn_beside_each_other():
    display = Mapping2DDisplay.from_functions({"sum": lambda p: p.sum(axis=1, keepdims=True)}, X, Y)
    figure = Figure()
    display.plot(figure.subplots())
    ax = figure.axes[2]
    for i, collection in enumerate(ax.collections[2:]):
        offsets = collection.get_offsets()
        assert np.allclose(offsets[:, 0], X[i == Y].sum(axis=1))
        assert np.all(offsets[:, 1] == i + 1)
    assert [t.get_text() for t in ax.get_yticklabels()] == ["all", "class 0", "class 1", "class 2"]


def test_every_stage_is_drawn_with_every_class(net):
    figure = Figure()
    Mapping2DDisplay.from_estimator(net, X, Y).plot(figure.subplots())
    assert len(figure.axes) == 5
    for ax in figure.axes[1:]:
        lines, points = ax.collections[:2], ax.collections[2:]
        assert [len(c.get_segments()) for c in lines] == [17, 17]
        assert sum(len(c.get_offsets()) for c in points) == len(X)


def test_data_of_more_features_are_refused(net):
    with pytest.raises(InvalidInputError, match="two features"):
        Mapping2DDisplay.from_functions({}, np.ones((3, 3)), [0, 1, 2])
