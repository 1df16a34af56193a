"""Pictures of traces: tensors, maps, filters, signals, histograms, against hooks and slices written by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from torch import nn
from torch.nn import functional as F

from glassnet.errors import InvalidInputError, UnknownNameError
from glassnet.inspect.trace import trace
from glassnet.networks.lenet import LeNet5
from glassnet.plots.activation_histogram import ActivationHistogramDisplay
from glassnet.plots.feature_maps import FeatureMapsDisplay
from glassnet.plots.filters import FiltersDisplay
from glassnet.plots.layer_tensors import LayerTensorsDisplay
from glassnet.plots.sheet import as_sheet, draw_cells
from glassnet.plots.signal import SignalDisplay
from glassnet.plots.style import THEMES
from glassnet.plots.traced import shown_calls, spread_over

TIMES = "\N{MULTIPLICATION SIGN}"


class Net(nn.Module):
    """Maps, normalization, functional and module activations, views, and a branch."""

    def __init__(self, bad=False):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.bend, self.skip, self.head = nn.Tanh(), nn.Identity(), nn.Linear(4 * 36, 5)
        self.bad = bad

    def forward(self, x):
        h = F.relu(self.norm(self.conv(x)))
        if self.bad:
            h = torch.where(torch.arange(6) == 2, torch.nan, h)
        return self.head(self.bend(self.skip(h) + h).flatten(1))


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return Net()


X = torch.randn(8, 3, 6, 6, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def seen(model):
    return trace(model, X)


def texts(figure):
    return " ".join(text.get_text() for ax in figure.axes for text in (*ax.texts, ax.title, ax.xaxis.label))


def drawn(display, theme="light"):
    figure = Figure(figsize=display._size(), layout="constrained")
    display.plot(figure.subplots(), theme=theme)
    figure.canvas.draw()
    return figure


def test_what_only_reshapes_is_not_shown(seen):
    assert [call.address for call in shown_calls(seen)] == ["conv", "norm", ":relu", ":add", "bend", "head"]
    assert [call.address for call in shown_calls(seen, "skip")] == ["skip"]
    with pytest.raises(UnknownNameError, match="Did you mean 'conv'"):
        shown_calls(seen, "con")
    assert spread_over(70, 3) == [0, 34, 69]


def test_tensors_of_three_samples(model, seen):
    display = LayerTensorsDisplay.from_trace(seen)
    rows = {row.name: row for row in display.rows}
    assert list(rows) == ["conv", "norm", "relu", "add", "bend", "head"]
    with torch.no_grad():
        z = model.conv(X)
    np.testing.assert_allclose(rows["conv"].activation, z[:3].numpy(), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(rows["head"].parameters["weight"], model.head.weight.detach().double().numpy())
    assert list(rows["norm"].parameters) == ["weight", "bias"]
    assert "weight 5 x 144, bias 5" in str(display).replace(TIMES, "x")
    figure = drawn(display, "dark")
    assert "weight 4 x 3 x 3 x 3" in texts(figure).replace(TIMES, "x")
    small = LayerTensorsDisplay.from_trace(seen, max_layers=2)
    assert [row.name for row in small.rows] == ["conv", "head"]
    assert "2 of 6 layers" in texts(drawn(small))
    with pytest.raises(InvalidInputError, match="no outputs"):
        LayerTensorsDisplay.from_trace(trace(model, X, layers=()))


def test_sheets_keep_every_number_in_its_place():
    values = np.arange(2 * 3 * 4 * 5.0).reshape(2, 3, 4, 5)
    sheet, note = as_sheet(values, max_planes=2)
    assert note == "2 of 3 planes"
    for n, m, i, j in np.ndindex(2, 2, 4, 5):
        assert sheet[n * 4 + i, m * 5 + j] == values[n, m, i, j]
    assert as_sheet(np.zeros((1, 7)))[0].shape == (1, 7)
    assert as_sheet(np.zeros((3, 120, 1, 1)))[0].shape == (3, 120)
    assert as_sheet(np.zeros((1024, 600)))[1] == "one cell in 4"


def test_cells_show_their_numbers_where_there_is_room():
    ax = Figure().subplots()
    draw_cells(ax, THEMES["light"], np.array([[10.4, -0.04, np.nan]]), 10.4, numbers=3)
    assert [text.get_text() for text in ax.texts] == ["10.4", "0.0", "nan"]
    draw_cells(crowded := Figure().subplots(), THEMES["dark"], np.ones((2, 4)), 1.0, numbers=3)
    assert len(crowded.texts) == 0


def test_feature_maps_are_the_channels_of_one_sample(model, seen):
    display = FeatureMapsDisplay.from_trace(seen, sample=2, max_maps=3)
    assert [layer.name for layer in display.layers] == ["conv", "norm", "relu", "add", "bend"]
    with torch.no_grad():
        np.testing.assert_allclose(display.layers[0].maps, model.conv(X)[2, :3].numpy(), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(display.layers[2].maps, np.maximum(display.layers[1].maps, 0))
    assert display.layers[0].n_channels == 4
    assert display.picture.shape == (6, 6, 3)
    assert (display.picture.min(), display.picture.max()) == (0, 1)
    figure = drawn(display)
    limit = np.abs(display.layers[0].maps).max()
    shown = [image for image in figure.axes[0].images if image.get_array().ndim == 2]
    assert [np.ptp(image.get_extent()[:2]) for image in shown] == pytest.approx([0.9] * 15)
    np.testing.assert_array_equal(shown[1].get_array(), display.layers[0].maps[1])
    assert shown[1].get_clim() == (-limit, limit)
    assert "3 of 4" in texts(figure)
    with pytest.raises(InvalidInputError, match="no feature maps"):
        FeatureMapsDisplay.from_trace(seen, "head")
    with pytest.raises(InvalidInputError, match="batch of 8, got 8"):
        FeatureMapsDisplay.from_trace(seen, sample=8)


def test_values_that_are_not_finite_are_drawn_and_counted():
    torch.manual_seed(0)
    seen = trace(Net(bad=True), X)
    display = FeatureMapsDisplay.from_trace(seen, ":where", max_maps=4)
    figure = drawn(display)
    assert "24 not finite" in texts(figure)  # a column of six in four maps
    image = next(i for i in figure.axes[0].images if i.get_array().ndim == 2)
    assert np.array_equal(np.argwhere(image.get_array().mask)[:, 1], [2] * 6)
    assert tuple(image.cmap.get_bad()[:3]) == pytest.approx(
        [int(THEMES["light"].ink[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    )
    assert "not finite" in texts(drawn(LayerTensorsDisplay.from_trace(seen)))
    assert "where" in {key[0].strip(":") for key in seen.non_finite()}


def test_filters_of_convolutions(model, seen):
    display = FiltersDisplay.from_trace(seen)
    weight = model.conv.weight.detach().double().numpy()
    np.testing.assert_array_equal(display.filters, weight.transpose(0, 2, 3, 1))
    assert "grey is 0" in texts(drawn(display))
    torch.manual_seed(0)
    lenet = LeNet5()
    display = FiltersDisplay.from_trace(trace(lenet, torch.zeros(1, 1, 28, 28)), "c3", max_filters=8)
    assert display.names[6:] == ("2, input 1", "2, input 2")
    np.testing.assert_array_equal(display.filters[7], lenet.c3.weight[1, 1].detach().numpy())
    assert display.n_units == 96
    with pytest.raises(InvalidInputError, match=r"Layer 'head' \(Linear\) has no filters"):
        FiltersDisplay.from_trace(seen, "head")
    with pytest.raises(InvalidInputError, match="This trace has no filters"):
        FiltersDisplay.from_trace(trace(nn.Linear(2, 3), torch.ones(1, 2)))


def test_the_signal_before_and_after_each_activation_function(model, seen):
    display = SignalDisplay.from_trace(seen, sample=1)
    assert display.names == ["input", "relu", "bend"]
    with torch.no_grad():
        z = model.norm.eval()(model.conv(X)) if not model.training else None
    before, after = seen["norm"].numpy()[1], seen[":relu"].numpy()[1]
    assert z is None
    np.testing.assert_allclose(display.pre_activations[0], before.mean((1, 2)), rtol=1e-5)
    np.testing.assert_allclose(display.activations[1], np.maximum(before, 0).mean((1, 2)), rtol=1e-5)
    np.testing.assert_allclose(display.activations[1], after.mean((1, 2)), rtol=1e-5)
    np.testing.assert_allclose(display.activations[0], X[1].flatten().numpy(), rtol=1e-6)
    figure = drawn(display)
    theme, bars = THEMES["light"], figure.axes[-2].patches
    assert len(bars) == 4
    assert theme.signed(-1) != theme.signed(1)
    with pytest.raises(InvalidInputError, match="no signal"):
        SignalDisplay.from_trace(trace(nn.Linear(2, 3), torch.ones(1, 2)))
    with pytest.raises(InvalidInputError, match="batch of 8, got 9"):
        SignalDisplay.from_trace(seen, sample=9)


def test_histograms_before_and_after_normalization(model, seen):
    display = ActivationHistogramDisplay.from_trace(seen, n_bins=20)
    ((before,), (after,)) = display.rows
    with torch.no_grad():
        z = model.conv(X).numpy()
    assert before.mean == pytest.approx(z.mean(), abs=1e-6)
    assert before.std == pytest.approx(z.std(), rel=1e-5)
    np.testing.assert_array_equal(before.counts, np.histogram(seen["conv"].numpy().ravel().astype(float), 20)[0])
    assert after.mean == pytest.approx(0, abs=1e-6)
    assert after.std == pytest.approx(1, rel=1e-3)
    assert (before.name, after.name) == ("before norm", "after norm")
    with pytest.raises(InvalidInputError, match="No layer of this trace normalizes"):
        ActivationHistogramDisplay.from_trace(trace(nn.Linear(2, 3), torch.ones(4, 2)))


def test_a_dense_estimator_is_shown_by_the_same_pictures():
    from glassnet.networks.mlp import MLPClassifier

    points = np.random.default_rng(0).normal(size=(20, 3))
    net = MLPClassifier((4,), max_iter=3, tol=None, random_state=0).fit(points, np.arange(20) % 2)
    seen = trace(net, points)
    display = SignalDisplay.from_trace(seen)
    expected = SignalDisplay.from_estimator(net, points[0])
    for got, wanted in zip(display.pre_activations + display.activations,
                           expected.pre_activations + expected.activations, strict=True):  # fmt: skip
        np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-6)
    rows = LayerTensorsDisplay.from_trace(seen).rows
    assert [row.name for row in rows] == ["hidden1", "output"]
    assert list(rows[0].parameters) == ["weight", "bias"]
