from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from sklearn.linear_model import LinearRegression
from sklearn.neural_network import MLPClassifier as SklearnClassifier
from sklearn.neural_network import MLPRegressor as SklearnRegressor
from torch import nn

import glassnet
from glassnet.errors import InvalidInputError
from glassnet.learning.spec import Layer
from glassnet.networks.lenet import LeNet5
from glassnet.networks.resnet import resnet20
from glassnet.networks.transformer import EncoderLayer, Transformer
from glassnet.plots.equation import EquationDisplay
from glassnet.plots.layer_formulas import FORMULAS

rng = np.random.default_rng(0)
X = rng.normal(size=(30, 3))
Y = np.arange(30) % 3
MINUS = {"tanh": np.tanh, "sigmoid": lambda z: 1 / (1 + np.exp(-z)), "max": np.maximum}


def fitted(kind, target, **options):
    return kind(hidden_layer_sizes=(4,), max_iter=3, random_state=0, **options).fit(X, target)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic", "identity"])
@pytest.mark.parametrize("classes", [2, 3])
def test_composing_the_layers_gives_the_probabilities(activation, classes):
    for kind in (glassnet.MLPClassifier, SklearnClassifier):
        net = fitted(kind, Y % classes, activation=activation)
        made = EquationDisplay.from_estimator(net).compose(X)
        wanted = net.predict_proba(X)
        assert np.allclose(made, wanted if classes == 3 else wanted[:, 1:], atol=1e-6)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_composing_the_layers_gives_the_prediction():
    for kind in (glassnet.MLPRegressor, SklearnRegressor):
        net = fitted(kind, X[:, 0])
        assert np.allclose(EquationDisplay.from_estimator(net).compose(X)[:, 0], net.predict(X), atol=1e-6)
    linear = LinearRegression().fit(X, X[:, 0])
    assert np.allclose(EquationDisplay.from_estimator(linear).compose(X)[:, 0], linear.predict(X))


def test_the_printed_numbers_are_the_network():
    net = glassnet.MLPClassifier((2,), activation="tanh", max_iter=3, tol=None, random_state=0).fit(X, Y % 2)
    display = EquationDisplay.from_estimator(net, numbers=True)
    values = {f"x_{i + 1}": X[:, i] for i in range(3)}
    for line in display.text().split("\n"):  # evaluated as it stands
        name, _, right = line.partition(" = ")
        python = re.sub(r"(\d) (?=[hxy])", r"\1 * ", right).replace("10^", "10**")
        values[name] = eval(python, MINUS | values)
    assert list(values)[3:] == ["h_1_1", "h_1_2", "y"]
    assert np.allclose(values["y"], net.predict_proba(X)[:, 1], atol=0.02)


def test_small_and_long_sums_are_written_out_readably():
    net = LinearRegression()
    net.coef_, net.intercept_ = np.array([[1e-7, -2.0, *[1.0] * 8]]), np.array([0.5])
    text = EquationDisplay.from_estimator(net).text()
    assert text == "y = 1 * 10^-7 x_1 - 2 x_2 + 1 x_3 + 1 x_4 + 1 x_5 + 1 x_6 + 1 x_7 + 1 x_8 + ... + 0.5"


def test_symbols_stand_for_many_weights_and_their_shapes_are_drawn():
    net = glassnet.MLPClassifier((9,), max_iter=1, tol=None).fit(X, Y)
    display = EquationDisplay.from_estimator(net).plot(Figure().subplots())
    assert display.text() == "h_1 = max(0, W_1 x + b_1)\ny = softmax(W_2 h_1 + b_2)"
    texts = [text.get_text() for text in display.ax_.texts]
    assert any("$W_{1}$: 9" in text and "3" in text for text in texts)


def test_mathml_is_one_well_formed_element_per_equation():
    net = glassnet.MLPClassifier((9,), max_iter=1, tol=None).fit(X, Y)
    elements = [ET.fromstring(line) for line in EquationDisplay.from_estimator(net).mathml().split("\n")]
    assert [element.tag.partition("}")[2] for element in elements] == ["math", "math"]
    assert "softmax" in "".join(elements[1].itertext()).replace(" ", "")


SMALL = nn.Sequential(
    *(nn.Conv2d(2, 4, 3, stride=2, padding=1, groups=2), nn.BatchNorm2d(4), nn.Sigmoid(), nn.AvgPool2d(2, padding=1)),
    *(nn.Flatten(), nn.LazyLinear(6, bias=False), nn.LayerNorm(6), nn.Tanh(), nn.Dropout(0.5), nn.Softmax(-1)),
)


@pytest.mark.parametrize("training", [False, True])
def test_composing_a_module_by_formulas_that_call_no_layer(training):
    torch.manual_seed(0)
    x = torch.randn(3, 2, 9, 9, dtype=torch.float64)
    model = SMALL.double()
    model(x)
    model[0].train(training), model[1].train(training), model[-2].eval()
    display = EquationDisplay.from_module(model, x)
    wanted = model(x).detach().numpy()
    assert np.allclose(display.compose(x.numpy()), wanted, atol=1e-12)


def test_composing_a_residual_network():
    model, x = resnet20(shortcut="projection").double().eval(), torch.randn(2, 3, 32, 32, dtype=torch.float64)
    display = EquationDisplay.from_module(model, x)
    assert np.allclose(display.compose(x.numpy()), model(x).detach().numpy(), atol=1e-10)
    assert "h_9 = h_8 + h_3" in display.text().split("\n")


def test_overlapping_windows_are_pooled_as_torch_does():
    model, x = nn.Sequential(nn.MaxPool2d(3, 2, 1), nn.ReLU()), torch.randn(1, 2, 7, 8)
    assert np.allclose(EquationDisplay.from_module(model, x).compose(x.numpy()), model(x).numpy())


def same(model, *inputs, **kwargs):
    """Compose a module's equations on other inputs than they were recorded with; compare; return the equations."""
    model, inputs = model.double().eval(), [x.double() if x.is_floating_point() else x for x in inputs]
    display = EquationDisplay.from_module(model, *inputs, kwargs=kwargs)
    others = [x.flip(0) if x.ndim > 1 else x for x in inputs]
    wanted = model(*others, **kwargs)
    wanted = wanted[0] if isinstance(wanted, tuple) else wanted
    given = [*others, *(value for value in kwargs.values() if isinstance(value, torch.Tensor))]
    assert np.allclose(display.compose(*(x.numpy() for x in given)), wanted.detach().numpy(), atol=1e-10)
    return display


@pytest.mark.parametrize("variant", ["modern", "1998"])
def test_composing_lenet_as_a_module(variant):
    text = same(LeNet5(variant), torch.rand(3, 1, 28, 28)).text().split("\n")
    assert text[0] == "h_1 = pad(x)"
    assert text[1] == "h_2 = W_2 * h_1 + b_2"


CAUSAL = nn.Transformer.generate_square_subsequent_mask(5, dtype=torch.float64)


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("options", [{}, {"attn_mask": CAUSAL}, {"need_weights": False}, {"attn_mask": CAUSAL < 0}])
def test_composing_torchs_attention(options, first):
    torch.manual_seed(0)
    sides = torch.randn(5, 5, 8), torch.randn(5, 5, 6), torch.randn(5, 5, 4)
    model = nn.MultiheadAttention(8, 2, kdim=6, vdim=4, batch_first=first)
    display = same(model, *sides, **options)
    lines = display.text().split("\n")
    assert lines[0] == "Q_1 = W^Q_1 x_1 + b^Q_1"
    assert ("+ M" in lines[3]) == ("attn_mask" in options)
    assert {"W^Q_{1}", "W^K_{1}", "W^V_{1}", "W^O_{1}"} <= set(display.equations[0].parameters)


def test_attention_hides_padded_keys():
    x, hidden = torch.randn(2, 4, 8), torch.tensor([[False, False, True, True], [False] * 4])
    same(
        nn.MultiheadAttention(8, 2, batch_first=True), x, x.clone(), x.clone(), key_padding_mask=hidden.flip(0) & hidden
    )
    masked = nn.MultiheadAttention(8, 2, batch_first=True)
    masks = torch.rand(4, 4, 4) > 0.5
    masks[..., 0] = False
    same(masked, x, x.clone(), x.clone(), attn_mask=masks)
    y = x.double()
    once = EquationDisplay.from_module(masked, y, y, y)
    assert np.allclose(once.compose(y.numpy()), masked(y, y, y)[0].detach().numpy())


@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_composing_an_encoder_layer_of_torch(activation):
    layer = nn.TransformerEncoderLayer(8, 2, 16, activation=activation, batch_first=True)
    text = same(layer, torch.randn(2, 5, 8)).text()
    assert "head_1,i = softmax(Q_1,i K_1,i^T / sqrt(d)) V_1,i" in text


@pytest.mark.parametrize("causal", [False, True])
def test_composing_our_own_encoder_layer(causal):
    layer = EncoderLayer(8, 2, 16, dropout=0.1, norm_first=True)
    display = same(layer, torch.randn(3, 5, 8), causal=causal)
    [line] = [line for line in display.text().split("\n") if "softmax" in line]
    assert re.search(r"= softmax\((h_\S+) (h_\S+)\^T / sqrt\(d\)( \+ M)?\) (h_\S+)$", line)
    assert ("+ M" in line) == causal


def test_composing_a_whole_transformer():
    model = Transformer(n_tokens=11, d_model=8, n_heads=2, d_ff=16, n_layers=1)
    same(model, torch.randint(3, 11, (2, 6)), torch.randint(3, 11, (2, 4)))


class Arithmetic(nn.Module):
    def forward(self, x, y):
        h = 1 - (x - y) / 2
        h = (-h) ** 2 * y
        return h @ y.mT + x.square().sum()


def test_arithmetic_keeps_its_order_and_its_numbers():
    text = same(Arithmetic(), torch.randn(3, 3), torch.randn(3, 3)).text().split("\n")
    assert text[:5] == ["h_1 = x_1 - x_2", "h_2 = h_1 / 2", "h_3 = 1 - h_2", "h_4 = -h_3", "h_5 = h_4^2"]
    assert text[5:9] == ["h_6 = h_5 x_2", "h_7 = x_2^T", "h_8 = h_6 h_7", "h_9 = x_1^2"]


class Middle(nn.Module):
    def forward(self, x):
        a, b = x.chunk(2, 1)
        h = b * 3
        a.tanh()
        return h


def test_what_passes_on_what_it_gets_has_no_equation():
    net = nn.Sequential(nn.Identity(), nn.Linear(4, 3), nn.Dropout(0.5), nn.Tanh(), nn.Dropout(0.5))
    assert same(net, torch.randn(2, 4)).text() == "h_1 = W_1 x + b_1\nh_2 = tanh(h_1)"
    assert same(nn.Sequential(nn.Dropout(0.5)), torch.randn(2, 4)).text() == "y = x"
    with pytest.raises(InvalidInputError, match="draws at random"):
        EquationDisplay.from_module(net.train(), torch.ones(2, 4).double()).compose(np.ones((2, 4)))


def test_the_output_is_not_always_what_comes_last():
    assert same(Middle(), torch.randn(2, 4)).text().split("\n")[-1] == "y = h_2"


class Hidden(nn.Module):
    def __init__(self):
        super().__init__()
        self.drop = nn.Dropout(0.5)

    def forward(self, x):
        return self.drop(x) + torch.from_numpy(2 * x.numpy())


class Draws(nn.Module):
    def forward(self, x):
        return x + torch.rand_like(x)


def test_what_cannot_be_told_is_refused():
    with pytest.raises(InvalidInputError, match="takes 2 inputs, got 1"):
        EquationDisplay.from_module(Arithmetic(), torch.ones(2, 2), torch.ones(2, 2)).compose(np.ones((2, 2)))
    hidden, x = EquationDisplay.from_module(Hidden().eval(), torch.ones(1, 2)), np.zeros((1, 2))
    with pytest.raises(InvalidInputError, match="has not been recorded"):
        hidden.compose(x)
    with pytest.raises(InvalidInputError, match="draws at random"):
        EquationDisplay.from_module(Draws(), torch.ones(1, 2)).compose(x)
    with pytest.raises(InvalidInputError, match="LSTM"):
        EquationDisplay.from_module(nn.LSTM(2, 2), torch.ones(1, 2)).compose(x)


def test_every_formula_has_its_latex_and_can_be_drawn():
    for formula in FORMULAS.values():
        assert "x" in formula.latex(1, ["x"], True)
    EquationDisplay.from_module(EncoderLayer(8, 2, 16, 0.1, False), torch.zeros(1, 3, 8)).plot(Figure().subplots())


LAYERS = {
    "batch": ([Layer(4, norm="batch")], r"h_1 = max\(0, gamma_1 \(z_1 - mu_1\) / sqrt\(sigma_1\^2 \+ epsilon\)"),
    "layer": ([Layer(4, "tanh", norm="layer")], r"^z_1 = W_1 x \+ b_1\nh_1 = tanh\(gamma_1"),
    "group": ([Layer(4, norm="group", groups=2)], r"gamma_1 \(z_1 - mu\)"),
    "local": ([Layer(4, receptive_field=2)], r"h_1 = max\(0, W_1 x \+ b_1\)"),
    "shared": ([Layer(4, receptive_field=2, share_weights=True)], r"h_1 = max\(0, W_1 \* x \+ b_1\)"),
    "residual": ([Layer(4, residual=True), Layer(4, residual=True)], r"\+ W\^S_1 x\nh_2 = .* \+ h_1"),
    "prelu": ([Layer(4, "prelu")], r"\+ a_1 min\(0, W_1 x \+ b_1\)"),
}


@pytest.mark.parametrize("name", LAYERS)
def test_composing_layers_that_do_more(name):
    layers, line = LAYERS[name]
    net = glassnet.MLPClassifier(layers, max_iter=3, tol=None, random_state=0).fit(X, Y)
    display = EquationDisplay.from_estimator(net)
    assert np.allclose(display.compose(X), net.predict_proba(X), atol=1e-6)
    assert re.search(line, display.text()), display.text()
    if name == "local":  # by hand, from the matrix with its zeros
        matrix, bias = display.equations[0].parameters.values()
        assert (matrix != 0).sum() == 8
        wanted = np.maximum(X @ matrix.T + bias, 0)
        assert np.allclose(wanted, net.activations(X)[0], atol=1e-5)
    display.plot(Figure().subplots())
