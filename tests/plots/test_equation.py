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
    assert "h_9 = h_3 + h_8" in display.text().split("\n")


def test_overlapping_windows_are_pooled_as_torch_does():
    model, x = nn.Sequential(nn.MaxPool2d(3, 2, 1), nn.ReLU()), torch.randn(1, 2, 7, 8)
    assert np.allclose(EquationDisplay.from_module(model, x).compose(x.numpy()), model(x).numpy())


def test_every_formula_has_its_latex_and_unknown_ones_are_named():
    for formula in FORMULAS.values():
        assert "x" in formula.latex(1, ["x"], True)
    display = EquationDisplay.from_module(LeNet5().eval(), torch.zeros(1, 1, 28, 28))
    assert display.text().split("\n")[0] == "h_1 = pad(x)"
    with pytest.raises(InvalidInputError, match="':pad'"):
        display.compose(np.zeros((1, 1, 28, 28)))
    display.plot(Figure().subplots())
    shifted = torch.nn.Sequential(OneMore())
    with pytest.raises(InvalidInputError, match="a constant"):
        EquationDisplay.from_module(shifted, torch.zeros(1, 2)).compose(np.zeros((1, 2)))


class OneMore(nn.Module):
    def forward(self, x):
        return x + 1


def test_layers_that_do_more_have_no_such_equation():
    net = glassnet.MLPClassifier((Layer(4, norm="layer"),), max_iter=1, tol=None).fit(X, Y)
    with pytest.raises(InvalidInputError, match="normalization"):
        EquationDisplay.from_estimator(net)
