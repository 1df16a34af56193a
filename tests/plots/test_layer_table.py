from __future__ import annotations

import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex, to_rgba
from matplotlib.figure import Figure
from matplotlib.offsetbox import TextArea
from torch import nn
from torch.nn import functional as F

from glassnet.errors import InvalidInputError
from glassnet.plots.layer_rows import HEIGHTS, ROWS, wiring
from glassnet.plots.layer_table import LayerTableDisplay
from glassnet.plots.style import THEMES

rng = np.random.default_rng(0)
X, Y = rng.normal(size=(40, 2)) * [2.0, 0.5] + [1.0, 3.0], np.arange(40) % 2


@pytest.fixture(scope="module")
def display():
    return LayerTableDisplay.from_data(X, Y, random_state=3)


def torch_layers(p):
    """The same layers as torch has them, with the same parameters."""
    d = len(p.bias)
    linear, norm, mix = (
        nn.Linear(d, d).double(),
        nn.BatchNorm1d(d).double().eval(),
        nn.Linear(d, d, bias=False).double(),
    )
    with torch.no_grad():
        linear.weight.copy_(torch.tensor(p.weight)), linear.bias.copy_(torch.tensor(p.bias))
        mix.weight.copy_(torch.tensor(p.weight_2))
        norm.running_mean.copy_(torch.tensor(p.mean)), norm.running_var.copy_(torch.tensor(p.variance))
    q, k, v, t = (torch.tensor(a) for a in (p.query, p.key, p.value, p.tokens))
    return {
        "linear": linear,
        "ReLU": nn.ReLU(),
        "sigmoid": nn.Sigmoid(),
        "tanh": nn.Tanh(),
        "softmax": nn.Softmax(-1),
        "normalization": norm,
        "residual": lambda x: x + mix(F.relu(linear(x))),
        "attention": lambda x: F.scaled_dot_product_attention(x @ q.T, t @ k.T, t @ v.T),
    }


def test_the_rows_are_the_eight_of_the_lecture(display):
    names = ["linear", "ReLU", "sigmoid", "tanh", "softmax", "normalization", "residual", "attention"]
    assert [row.name for row in display.rows] == names == list(ROWS)


@pytest.mark.parametrize("i", range(8))
def test_mappings_are_those_of_torch(display, i):
    row = display.rows[i]
    layer = torch_layers(display.parameters)[row.name]
    with torch.no_grad():
        assert np.allclose(row.points, layer(torch.tensor(X)), atol=1e-10)
        assert np.allclose(row.grid.reshape(-1, 2), layer(torch.tensor(display.grid.reshape(-1, 2))), atol=1e-10)
        x = torch.tensor(display.x[:, None])
        if row.name == "softmax":
            wanted = torch.stack([torch.sigmoid(x[:, 0]), torch.sigmoid(-x[:, 0])], 1)
        else:
            wanted = torch_layers(display.parameters.of_one_dimension())[row.name](x)
        assert np.allclose(row.outputs, wanted, atol=1e-10)


def test_the_normalization_is_over_the_data(display):
    points = display.rows[5].points
    assert np.allclose(points.mean(axis=0), 0)
    assert np.allclose(points.std(axis=0), 1, atol=1e-3)


@pytest.mark.parametrize("name", ROWS)
def test_wiring_shows_what_each_output_depends_on(name):
    """A change of one input must reach exactly the outputs that its lines lead to."""
    units, edges = wiring(name)
    assert all(start in units and end in units for start, end, _ in edges)
    reached = {place: {place[1]} if place[0] == 0 else set() for place in units}
    for start, end, _ in sorted(edges, key=lambda edge: edge[0][0]):
        reached[end] |= reached[start]
    mixes = {"linear", "softmax", "residual", "attention"}
    for y in HEIGHTS:
        assert reached[2.0, y] == (set(HEIGHTS) if name in mixes else {y})


@pytest.mark.parametrize("theme", THEMES)
def test_activations_and_parameters_have_their_colours(display, theme):
    figure = Figure()
    display.plot(figure.subplots(), theme=theme)
    assert len(figure.axes) == 1 + 9 * 5
    words = {}
    for area in figure.findobj(TextArea):
        words.setdefault(area.get_text().strip("$"), set()).add(to_hex(area._text.get_color()))
    look = THEMES[theme]
    assert words["W"] == words["b"] == words[r"\gamma"] == words["W_Q"] == {look.negative}
    assert words["h"] == words["x"] == words["Q K^T"] == {look.positive}
    linear_wiring = figure.axes[1 + 5 + 1]
    assert {patch.get_edgecolor() for patch in linear_wiring.patches} == {to_rgba(look.negative)}


def test_data_of_more_features_are_refused():
    with pytest.raises(InvalidInputError, match="two features"):
        LayerTableDisplay.from_data(np.ones((3, 3)), [0, 1, 2])
