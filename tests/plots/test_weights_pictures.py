"""Pictures of weights: wiring, filters, weight matrices."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

from glassnet import MLPClassifier as MLP
from glassnet.errors import InvalidInputError
from glassnet.learning.spec import Layer
from glassnet.plots.dense import layer_activations
from glassnet.plots.filters import FiltersDisplay
from glassnet.plots.style import THEMES, number
from glassnet.plots.weight_matrix import WeightMatrixDisplay, convolution_matrix
from glassnet.plots.wiring import WIDEST, WiringDisplay

rng = np.random.default_rng(0)
X, Y = rng.normal(size=(40, 6)), np.arange(40) % 3


@pytest.fixture(scope="module")
def net():
    return MLPClassifier((5, 4), max_iter=5000, tol=1e-2, random_state=0).fit(X, Y)


def lines(display):
    """All drawn weights as (start, end) -> (width, colour)."""
    found = {}
    for collection in display.ax_.collections:
        assert isinstance(collection, LineCollection)
        for segment, width, color in zip(
            collection.get_segments(), collection.get_linewidths(), collection.get_colors(), strict=True
        ):
            found[tuple(map(tuple, segment))] = width, color
    return found


def test_every_weight_is_a_line_of_its_sign_and_strength(net):
    display = WiringDisplay.from_estimator(net).plot(Figure().subplots())
    assert display.sizes == (6, 5, 4, 3)
    assert display.n_weights == len(lines(display)) == 6 * 5 + 5 * 4 + 4 * 3
    theme, drawn = THEMES["light"], lines(display)
    for layer, weight in enumerate(net.coefs_):
        for i, start in enumerate(display.positions(layer)):
            for j, end in enumerate(display.positions(layer + 1)):
                width, color = drawn[tuple(start), tuple(end)]
                assert width == pytest.approx(WIDEST * abs(weight[i, j]) / np.abs(weight).max())
                assert np.allclose(color[:3], to_rgb(theme.negative if weight[i, j] < 0 else theme.positive))


def test_units_show_the_activations_of_a_sample(net):
    display = WiringDisplay.from_estimator(net, sample=X[0])
    assert np.allclose(display.values[0], X[0])
    for shown, h in zip(display.values[1:], layer_activations(net, X[:1]), strict=True):
        assert np.allclose(shown, h[0])
    display.plot(Figure().subplots(), theme="dark")
    assert len(display.ax_.patches) == sum(display.sizes)


def test_long_columns_say_what_they_leave_out(net):
    display = WiringDisplay.from_estimator(net, max_units=4).plot(Figure().subplots())
    assert len(lines(display)) == 4 * 4 + 4 * 4 + 4 * 3
    texts = [text.get_text() for text in display.ax_.texts]
    assert "and 2 more" in texts
    assert "and 1 more" in texts
    assert display.n_weights == 62


def test_names_of_inputs_and_outputs():
    binary = LogisticRegression().fit(X, Y > 0)
    display = WiringDisplay.from_estimator(binary, feature_names=list("abcdef"), target_names=["no", "yes"])
    assert (display.input_names, display.output_names) == (tuple("abcdef"), ("yes",))
    with pytest.raises(InvalidInputError, match="6 inputs and 1 outputs"):
        WiringDisplay.from_estimator(binary, feature_names=["a"])
    with pytest.raises(InvalidInputError, match="max_units"):
        WiringDisplay.from_estimator(binary, max_units=0)


def test_small_networks_show_their_numbers():
    binary = LogisticRegression().fit(X, Y > 0)
    display = WiringDisplay.from_estimator(binary).plot(Figure().subplots())
    texts = [text.get_text() for text in display.ax_.texts]
    assert {number(w) for w in binary.coef_[0]} | {number(binary.intercept_[0])} <= set(texts)
    hidden = WiringDisplay.from_estimator(binary, show_numbers=False).plot(Figure().subplots())
    assert len(hidden.ax_.texts) == len(texts) - 6 - 1


def test_filters_are_the_rows_of_the_first_layer(net):
    display = FiltersDisplay.from_estimator(net, (2, 3), max_filters=4)
    for i in range(4):
        assert np.array_equal(display.filters[i], net.coefs_[0][:, i].reshape(2, 3))
    assert display.n_units == 5


def test_filters_share_one_scale_with_zero_in_the_middle(net):
    figure = Figure()
    FiltersDisplay.from_estimator(net, (2, 3)).plot(figure.subplots())
    limits = {image.get_clim() for ax in figure.axes for image in ax.images}
    largest = np.abs(net.coefs_[0]).max()
    assert limits == {(-largest, largest)}
    assert sum(len(ax.images) for ax in figure.axes) == 5


def test_colour_filters_keep_their_channels():
    weights = rng.normal(size=(2, 3, 4, 5))
    display = FiltersDisplay.from_weights(weights, (3, 4, 5))
    assert display.filters.shape == (2, 4, 5, 3)
    assert np.array_equal(display.filters[1, :, :, 2], weights[1, 2])
    figure = Figure()
    display.plot(figure.subplots())
    shown = figure.axes[1].images[0].get_array()
    assert shown.min() >= 0
    assert shown.max() <= 1


@pytest.mark.parametrize("shape", [(2, 2), (6,), (2, 3, 1), (1, 1, 2, 3)])
def test_filters_of_another_shape_are_refused(net, shape):
    with pytest.raises(InvalidInputError, match="6 weights cannot be drawn"):
        FiltersDisplay.from_estimator(net, shape)


@pytest.mark.parametrize(("kernel", "image"), [((3, 3), (6, 6)), ((1, 2), (4, 5)), ((4, 3), (4, 3))])
def test_convolution_matrix_does_what_torch_does(kernel, image):
    weight, picture = rng.normal(size=kernel), rng.normal(size=image)
    theirs = torch.conv2d(torch.tensor(picture)[None, None], torch.tensor(weight)[None, None])
    assert np.allclose(convolution_matrix(weight, image) @ picture.ravel(), theirs.flatten())


def test_zeros_and_shared_weights_are_counted():
    shared = convolution_matrix([[1.0, 2.0], [3.0, 2.0]], (3, 3))
    display = WeightMatrixDisplay.from_matrices({"shared": shared})
    assert display.n_zeros("shared") == 4 * 9 - 4 * 4
    assert display.n_distinct("shared") == 3
    figure = Figure()
    display.plot(figure.subplots())
    image = figure.axes[1].images[0]
    assert np.array_equal(image.get_array().mask, shared == 0)
    assert "16 of 36 connections" in figure.axes[1].get_title()


def test_matrices_of_a_network(net):
    display = WeightMatrixDisplay.from_estimator(net)
    assert list(display.matrices) == ["layer 1", "layer 2", "output"]
    assert np.array_equal(display.matrices["layer 2"], net.coefs_[1].T)


@pytest.mark.parametrize("share_weights", [False, True])
def test_local_layers_show_where_they_are_not_connected(share_weights):
    layer = Layer(2 * 3, "identity", receptive_field=(2, 2), input_shape=(2, 4), share_weights=share_weights)
    images = rng.normal(size=(20, 8)).astype(np.float32)
    net = MLP((layer,), max_iter=2, tol=None, random_state=0).fit(images, np.arange(20) % 2)
    display = WeightMatrixDisplay.from_estimator(net)
    matrix = display.matrices["layer 1"]
    zero = net.activations(np.zeros((1, 8), np.float32))[0]
    assert np.allclose(images @ matrix.T + zero, net.activations(images)[0], atol=1e-5)
    assert matrix.shape == (6, 8)
    assert display.n_zeros("layer 1") == 6 * 4
    assert display.n_distinct("layer 1") == (2 * 4 if share_weights else 6 * 4)


def test_matrices_that_cannot_be_drawn_are_refused():
    for bad in ([1.0], [[np.inf]], np.empty((0, 2))):
        with pytest.raises(InvalidInputError, match="not a matrix"):
            WeightMatrixDisplay.from_matrices({"a": bad})
    with pytest.raises(InvalidInputError, match="does not fit"):
        convolution_matrix(np.ones((3, 3)), (2, 5))
