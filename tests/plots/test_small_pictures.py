"""Pictures of single functions, neurons and gates."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from sklearn.linear_model import LogisticRegression

import glassnet
from glassnet.errors import InvalidInputError, UnknownNameError
from glassnet.learning.activations import ACTIVATIONS
from glassnet.plots.activation_functions import ActivationDisplay
from glassnet.plots.gates_panel import GatesDisplay
from glassnet.plots.neuron_diagram import NeuronDisplay

TORCH = {"identity": lambda z: z, "sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": torch.relu}
CORNERS = np.array(list(product([0, 1], repeat=2)))


@pytest.mark.parametrize("name", TORCH)
def test_curves_and_slopes_are_those_of_autograd(name):
    display = ActivationDisplay.from_names([name], reach=4.0, n_points=100)
    z = torch.linspace(-4, 4, 100, dtype=torch.float64, requires_grad=True)
    h = TORCH[name](z)
    h.sum().backward()
    assert np.allclose(display.values[0], h.detach())
    assert np.allclose(display.derivatives[0], z.grad)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_saturation_is_where_little_is_learned(name):
    display = ActivationDisplay.from_names([name], n_points=1000)
    assert np.array_equal(display.saturated[0], display.derivatives[0] < 0.05)


def test_a_step_is_drawn_without_a_vertical_line():
    figure = Figure()
    ActivationDisplay.from_names(("step", "sigmoid"), show_derivatives=False).plot(figure.subplots())
    step, sigmoid = (next(line for line in ax.lines if line.get_label() == "h") for ax in figure.axes[1:])
    assert np.isnan(step.get_ydata()).sum() == 1
    assert not np.isnan(sigmoid.get_ydata()).any()
    assert set(step.get_ydata()[~np.isnan(step.get_ydata())]) == {0.0, 1.0}


def test_functions_that_cannot_be_drawn_are_refused():
    with pytest.raises(UnknownNameError, match="sigmoid"):
        ActivationDisplay.from_names(["sigmoidal"])
    for how in ({"names": []}, {"reach": 0.0}):
        with pytest.raises(InvalidInputError, match="at least one name"):
            ActivationDisplay.from_names(**({"names": ["tanh"]} | how))


@pytest.mark.parametrize("form", ["mcculloch-pitts", "perceptron"])
def test_a_neuron_shows_its_weights_and_threshold(form):
    display = NeuronDisplay.from_weights([1.0, -0.25], 0.5, form=form).plot(Figure().subplots())
    texts = {text.get_text() for text in display.ax_.texts}
    assert {"1", "\N{MINUS SIGN}0.25", r"$\theta$ = 0.5", "$x_{1}$", "$x_{2}$", "$y$"} <= texts
    assert display.fires(CORNERS).tolist() == [1 * a - 0.25 * b >= 0.5 for a, b in CORNERS]


def test_inhibition_ends_in_an_open_circle():
    kinds = [len(NeuronDisplay.from_weights(w, 1, form="mcculloch-pitts").plot(Figure().subplots()).ax_.patches)
             for w in ([1, 1], [1, -1])]  # fmt: skip
    assert kinds[1] == kinds[0] + 1


def test_a_fitted_neuron_fires_as_it_predicts():
    net = LogisticRegression(C=100).fit(CORNERS, [0, 0, 0, 1])
    assert NeuronDisplay.from_estimator(net).fires(CORNERS).tolist() == net.predict(CORNERS).astype(bool).tolist()
    net = glassnet.Perceptron(random_state=0).fit(CORNERS, [0, 1, 1, 1])
    assert NeuronDisplay.from_estimator(net).fires(CORNERS).tolist() == net.predict(CORNERS).astype(bool).tolist()


def test_neurons_that_cannot_be_drawn_are_refused():
    with pytest.raises(InvalidInputError, match="WiringDisplay"):
        NeuronDisplay.from_estimator(LogisticRegression().fit(CORNERS, [0, 1, 2, 2]))
    with pytest.raises(InvalidInputError, match="finite"):
        NeuronDisplay.from_weights([1.0, np.nan], 0.0)
    with pytest.raises(InvalidInputError, match="2 weights, but 1"):
        NeuronDisplay.from_weights([1.0, 1.0], 0.0, input_names=["a"])
    with pytest.raises(UnknownNameError, match="mcculloch-pitts"):
        NeuronDisplay.from_weights([1.0], 0.0, form="brain")


class Always:
    def __init__(self, answer, n_inputs=2):
        self.answer, self.n_features_in_ = answer, n_inputs

    def predict(self, X):
        return np.full(len(X), self.answer)


def test_truth_tables():
    tables = {"AND": "0001", "OR": "0111", "NOT": "1100", "XOR": "0110", "NAND": "1110", "NOR": "1000"}
    display = GatesDisplay.from_estimators({name: Always(1) for name in tables})
    for gate in display.gates:
        assert np.array_equal(gate.inputs, CORNERS)
        assert "".join(str(int(t)) for t in gate.truth) == tables[gate.name]
        assert gate.n_wrong == tables[gate.name].count("0")


def test_not_of_a_single_input():
    (gate,) = GatesDisplay.from_estimators({"NOT": Always(0, n_inputs=1)}).gates
    assert gate.inputs.tolist() == [[0], [1]]
    assert (gate.truth.tolist(), gate.n_wrong) == ([True, False], 1)


def test_gates_show_where_the_estimator_fires_and_what_it_gets_wrong():
    nets = {n: LogisticRegression(C=100).fit(CORNERS, y) for n, y in {"AND": [0, 0, 0, 1], "XOR": [0, 1, 1, 0]}.items()}
    figure = Figure()
    display = GatesDisplay.from_estimators(nets)
    display.plot(figure.subplots())
    for gate, net, ax in zip(display.gates, nets.values(), figure.axes[1:], strict=True):
        ticks = np.linspace(*ax.get_xlim(), len(gate.score))
        for i, j in ((0, 0), (150, 20), (40, 180), (190, 190)):
            assert (gate.score[i, j] > 0) == (net.predict([[ticks[j], ticks[i]]])[0] == 1)
        assert gate.n_wrong == np.sum(net.predict(CORNERS) != gate.truth)
    assert display.gates[0].n_wrong == 0
    assert figure.axes[1].get_title() == "AND"
    assert figure.axes[2].get_title() == f"XOR: {display.gates[1].n_wrong} of 4 wrong"


def test_an_unknown_gate_is_named():
    with pytest.raises(UnknownNameError, match="XOR"):
        GatesDisplay.from_estimators({"XAND": Always(1)})
