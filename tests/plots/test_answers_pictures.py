"""Pictures of what a network answers: confusion, probabilities, histograms, signal, recall."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from sklearn.metrics import accuracy_score, confusion_matrix, log_loss
from sklearn.neural_network import MLPClassifier

from glassnet.errors import InvalidInputError
from glassnet.networks.hopfield import HopfieldNetwork
from glassnet.networks.recall_curve import recall_curve
from glassnet.plots.activation_histogram import ActivationHistogramDisplay
from glassnet.plots.class_probabilities import MAX_CLASSES, ClassProbabilitiesDisplay
from glassnet.plots.confusion_matrix import ConfusionMatrixDisplay
from glassnet.plots.energy import EnergyDisplay
from glassnet.plots.recall_curve import RecallCurveDisplay
from glassnet.plots.signal import SignalDisplay

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 4))
Y = np.array(["cat", "dog", "owl"])[np.arange(60) % 3]


@pytest.fixture(scope="module")
def net():
    return MLPClassifier((5,), max_iter=5000, tol=1e-2, random_state=0).fit(X, Y)


def test_confusions_are_those_of_scikit_learn(net):
    display = ConfusionMatrixDisplay.from_estimator(net, X, Y)
    predicted = net.predict(X)
    assert np.array_equal(display.counts, confusion_matrix(Y, predicted))
    assert display.accuracy == pytest.approx(accuracy_score(Y, predicted))
    display.plot(Figure().subplots())
    assert [t.get_text() for t in display.ax_.texts] == [str(n) for n in display.counts.ravel()]
    assert display.ax_.get_title() == f"{np.sum(predicted == Y)} of 60 right ({accuracy_score(Y, predicted):.1%})"


def test_labels_that_were_never_predicted_have_a_row():
    display = ConfusionMatrixDisplay.from_predictions([2, 2, 5], [2, 7, 7], class_names="abc")
    assert display.counts.tolist() == [[1, 0, 1], [0, 0, 1], [0, 0, 0]]
    display.plot(Figure().subplots())


def test_confusions_that_cannot_be_counted_are_refused():
    for pair in (([], []), ([1, 2], [1]), ([[1]], [[1]])):
        with pytest.raises(InvalidInputError, match="one label per sample"):
            ConfusionMatrixDisplay.from_predictions(*pair)
    with pytest.raises(InvalidInputError, match="3 labels, but 2"):
        ConfusionMatrixDisplay.from_predictions([0, 1], [1, 2], class_names="ab")


@pytest.mark.parametrize("i", [0, 1, 2])
def test_probability_of_the_label_is_exp_of_minus_the_loss(net, i):
    display = ClassProbabilitiesDisplay.from_estimator(net, X[i], Y[i])
    assert display.loss == pytest.approx(log_loss([Y[i]], net.predict_proba(X[[i]]), labels=net.classes_))
    assert display.probabilities[display.label] == pytest.approx(np.exp(-display.loss))
    assert display.classes[display.label] == Y[i]


def test_of_many_classes_the_likeliest_and_the_label_are_shown():
    p = rng.dirichlet(np.ones(40))
    label = int(np.argmin(p))
    display = ClassProbabilitiesDisplay(p, tuple(map(str, range(40))), label)
    assert set(display.shown()) == {label, *np.argsort(p)[-MAX_CLASSES + 1 :]}
    display.plot(Figure().subplots())
    assert f"{MAX_CLASSES} of 40 classes shown" in display.ax_.get_title()


def test_a_picture_is_shown_beside_its_probabilities(net):
    figure = Figure()
    display = ClassProbabilitiesDisplay.from_estimator(net, X[0], Y[0], image_shape=(2, 2))
    display.plot(figure.subplots())
    assert np.array_equal(figure.axes[1].images[0].get_array(), X[0].reshape(2, 2))
    assert [bar.get_width() for bar in figure.axes[2].containers[1]] == pytest.approx(display.probabilities)


def test_a_certain_mistake_has_infinite_loss():
    assert ClassProbabilitiesDisplay(np.array([1.0, 0.0]), ("a", "b"), 1).loss == np.inf


def test_probabilities_that_are_none_are_refused(net):
    with pytest.raises(InvalidInputError, match="sum to 1"):
        ClassProbabilitiesDisplay(np.array([0.5, 0.6]), ("a", "b"), 0)
    with pytest.raises(InvalidInputError, match="0 to 1, got 2"):
        ClassProbabilitiesDisplay(np.array([0.5, 0.5]), ("a", "b"), 2)
    with pytest.raises(InvalidInputError, match="got 'cow'"):
        ClassProbabilitiesDisplay.from_estimator(net, X[0], "cow")


def test_histograms_count_every_value(net):
    display = ActivationHistogramDisplay.from_estimator(net, X, n_bins=9)
    (z, logits), (h, output) = display.rows
    values = X @ net.coefs_[0] + net.intercepts_[0]
    for histogram, expected in ((z, values), (h, np.maximum(values, 0)), (output, net.predict_proba(X))):
        bins = [
            np.sum((expected >= a) & (expected < b)) for a, b in zip(histogram.edges, histogram.edges[1:], strict=False)
        ]
        bins[-1] += np.sum(expected == histogram.edges[-1])
        assert histogram.counts.tolist() == bins
        assert histogram.counts.sum() == expected.size
        assert (histogram.mean, histogram.std) == pytest.approx((expected.mean(), expected.std()))
    assert logits.n_units == 3


def test_silent_units_and_broken_values_are_said():
    values = np.array([[0.0, 1.0, np.nan], [0.0, 2.0, 1.0], [0.0, np.inf, 1.0]])
    display = ActivationHistogramDisplay.from_arrays({"h": values})
    (histogram,) = display.rows[0]
    assert (histogram.n_units, histogram.n_silent, histogram.n_not_finite) == (3, 1, 2)
    figure = Figure()
    display.plot(figure.subplots())
    assert "1 of 3 units silent, 2 not finite" in figure.axes[1].get_xlabel()
    with pytest.raises(InvalidInputError, match="no finite value"):
        ActivationHistogramDisplay.from_arrays({"h": np.full((2, 2), np.nan)})
    with pytest.raises(InvalidInputError, match="one row of values per sample"):
        ActivationHistogramDisplay.from_arrays({"h": np.ones(3)})


def test_the_signal_is_what_torch_computes(net):
    display = SignalDisplay.from_estimator(net, X[0])
    h = torch.tensor(X[0])
    for i, (weight, bias) in enumerate(zip(net.coefs_, net.intercepts_, strict=True)):
        z = h @ torch.tensor(weight) + torch.tensor(bias)
        h = torch.relu(z) if i == 0 else torch.softmax(z, 0)
        assert np.allclose(display.pre_activations[i], z)
        assert np.allclose(display.activations[i + 1], h)
    figure = Figure()
    display.plot(figure.subplots())
    assert sum(len(ax.patches) for ax in figure.axes) == 4 + 2 * 5 + 2 * 3
    with pytest.raises(InvalidInputError, match="one input"):
        SignalDisplay.from_estimator(net, X)


def test_broken_values_of_a_signal_are_marked():
    figure = Figure()
    SignalDisplay(["input"], [], [np.array([1.0, np.nan])]).plot(figure.subplots())
    assert figure.axes[2].get_xlabel() == "1 not finite (dotted)"


def test_energy_of_a_recall_by_hand():
    patterns = np.where(rng.random((2, 30)) < 0.5, 1.0, -1.0)
    network = HopfieldNetwork(random_state=0).fit(patterns)
    probes = patterns * np.where(rng.random((2, 30)) < 0.2, -1, 1)
    display = EnergyDisplay.from_network(network, probes, image_shape=(5, 6))
    weight = network.weight_
    for i in range(2):
        first, last = (-0.5 * sum(weight[a, b] * s[a] * s[b] for a in range(30) for b in range(30))
                       for s in (probes[i], display.states[i]))  # fmt: skip
        assert display.energies[i, [0, -1]] == pytest.approx([first, last], rel=1e-5)
        assert display.overlaps[i] == pytest.approx(max(patterns @ display.states[i]) / 30)
    assert np.all(np.diff(display.energies) <= 1e-9)
    figure = Figure()
    display.plot(figure.subplots())
    pictures = [ax.images[0].get_array() for ax in figure.axes if ax.images]
    assert len(pictures) == 4
    assert np.array_equal(pictures[0], probes[0].reshape(5, 6))
    with pytest.raises(InvalidInputError, match="do not fill"):
        EnergyDisplay.from_network(network, probes, image_shape=(5, 5))


def test_recall_curves_and_their_breakdown():
    measured = recall_curve([0.05, 0.3], n_units=60, n_trials=3)
    hand_made = SimpleNamespace(
        load=np.array([0.1, 0.2]), mean=np.array([1.0, 1.0]), spread=np.zeros(2), breakdown=np.nan
    )
    display = RecallCurveDisplay.from_curves({"Hebb": measured, "ideal": hand_made}).plot(Figure().subplots())
    assert np.allclose(display.ax_.lines[0].get_ydata(), measured.bits_right.mean(axis=1))
    vertical = [line for line in display.ax_.lines if line.get_linestyle() == ":"]
    assert [line.get_xdata()[0] for line in vertical] == pytest.approx([measured.breakdown])
    with pytest.raises(InvalidInputError, match="at least one"):
        RecallCurveDisplay.from_curves({})
