"""The deep belief network: what pretraining hands to fine-tuning, and where it goes on after an interruption."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError

from glassnet import RBM, DeepBeliefClassifier, MLPClassifier
from glassnet.errors import DivergedError, GlassnetWarning, InvalidInputError, UnknownNameError
from glassnet.learning.activations import sigmoid
from glassnet.training.observers import Observer, StopTraining

DIGITS = load_digits()
X, y = np.float32(DIGITS.data[:600] / 16), DIGITS.target[:600]
OPTIONS = {"hidden_layer_sizes": (30, 20), "pretrain_iter": 3, "max_iter": 4, "random_state": 0}


class Interrupt(Observer):
    """Ends the run of one stage at a step, as Ctrl-C would."""

    def __init__(self, stage: int, step: int):
        self.stage, self.step, self.begun = stage, step, 0

    def next_event(self, step):
        self.begun += step == 0
        return self.step if step < self.step and self.begun == self.stage + 1 else None

    def observe(self, state):
        raise KeyboardInterrupt


@pytest.fixture(scope="module")
def net():
    return DeepBeliefClassifier(**OPTIONS).fit(X, y)


def test_the_machines_are_learned_one_on_top_of_the_other():
    net = DeepBeliefClassifier(**OPTIONS).pretrain(X)
    first, second = net.rbms_
    options = {"max_iter": 3, "momentum": 0.5, "weight_decay": 2e-4}
    alone = RBM(30, **options, random_state=first.random_state).fit(X)
    above = RBM(20, **options, random_state=second.random_state).fit(alone.transform(X))
    np.testing.assert_array_equal(first.components_, alone.components_)
    np.testing.assert_array_equal(second.components_, above.components_)
    assert first.random_state != second.random_state
    assert net.pretrain_loss_curves_ == [alone.loss_curve_, above.loss_curve_]


def test_fine_tuning_starts_where_the_machines_have_brought_the_weights():
    net = DeepBeliefClassifier(**OPTIONS, solver="sgd", learning_rate_init=1e-12).fit(X, y)
    for rbm, weight, bias in zip(net.rbms_, net.network_.coefs_, net.network_.intercepts_, strict=False):
        np.testing.assert_allclose(weight, rbm.components_.T, atol=1e-6)
        np.testing.assert_allclose(bias, rbm.intercept_hidden_, atol=1e-6)
    hidden = X
    for layer, rbm in enumerate(net.rbms_):
        hidden = sigmoid(hidden @ rbm.components_.T + rbm.intercept_hidden_)
        np.testing.assert_allclose(net.transform(X, layer=layer), hidden, atol=1e-5)


def test_together_is_one_after_the_other(net):
    apart = DeepBeliefClassifier(**OPTIONS).pretrain(X).fine_tune(X, y)
    np.testing.assert_array_equal(apart.predict_proba(X), net.predict_proba(X))
    assert apart.loss_curve_ == net.loss_curve_
    assert net.n_iter_ == len(net.loss_curve_) == 4


def test_pretraining_gives_a_deep_network_a_start():
    """Three sigmoid layers on unseen digits: after four epochs of backpropagation the pretrained one is far ahead."""
    sizes, options, unseen = (64, 64, 64), {"batch_size": 20, "max_iter": 4, "random_state": 0}, slice(600, None)
    pretrained = DeepBeliefClassifier(sizes, pretrain_iter=50, **options).fit(X, y)
    at_random = MLPClassifier(sizes, "sigmoid", alpha=0, tol=None, **options).fit(X, y)
    scores = [net.score(DIGITS.data[unseen] / 16, DIGITS.target[unseen]) for net in (pretrained, at_random)]
    assert scores[0] > scores[1] + 0.2


@pytest.mark.parametrize(("stage", "step"), [(0, 7), (1, 4), (2, 9)])
def test_an_interrupted_fit_goes_on_to_the_bit(net, stage, step):
    part = DeepBeliefClassifier(**OPTIONS, warm_start=True)
    with pytest.raises(KeyboardInterrupt):
        part.fit(X, y, observers=[Interrupt(stage, step)])
    assert len(part.rbms_) == min(stage, 1) + 1
    assert hasattr(part, "network_") == (stage == 2)
    stopped = part.network_ if stage == 2 else part.rbms_[stage]
    assert stopped.state_.step == step
    part.fit(X, y)
    np.testing.assert_array_equal(part.predict_proba(X), net.predict_proba(X))
    assert part.pretrain_loss_curves_ == net.pretrain_loss_curves_
    assert part.loss_curve_ == net.loss_curve_


def test_more_epochs_can_be_asked_for(net):
    more = DeepBeliefClassifier(**{**OPTIONS, "max_iter": 2}, warm_start=True).fit(X, y)
    more.set_params(max_iter=4).fit(X, y)
    np.testing.assert_array_equal(more.predict_proba(X), net.predict_proba(X))
    with pytest.raises(InvalidInputError, match=r"pretrained layers have \[30, 20\] units"):
        more.set_params(hidden_layer_sizes=(31, 20)).fit(X, y)


def test_layers_reconstruct_what_they_have_seen():
    net = DeepBeliefClassifier((60, 60), pretrain_iter=60, random_state=0).pretrain(X)
    blank = ((X - X.mean(0)) ** 2).mean()
    errors = [((net.reconstruct(X, layer) - X) ** 2).mean() for layer in (0, 1)]
    assert errors[0] < errors[1] < 0.8 * blank
    np.testing.assert_array_equal(net.reconstruct(X), net.reconstruct(X, layer=1))


def test_it_dreams_on_from_samples_in_its_top_machine():
    net = DeepBeliefClassifier((40, 30), pretrain_iter=20, random_state=0).pretrain(X)
    bottom, top = net.rbms_
    expected = bottom.inverse_transform(top.gibbs(bottom.transform(X), 3))
    np.testing.assert_array_equal(net.gibbs(X, 3), expected)
    assert (net.gibbs(X, 3) != net.gibbs(X, 3, random_state=1)).any()


def test_what_is_not_there_yet_is_said():
    net = DeepBeliefClassifier(**OPTIONS)
    with pytest.raises(NotFittedError):
        net.fine_tune(X, y)
    with pytest.raises(NotFittedError):
        net.pretrain(X).predict(X)
    assert not hasattr(net, "classes_")
    with pytest.raises(InvalidInputError, match=r"2 hidden layers, 0..1; got layer=2"):
        net.transform(X, layer=2)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"hidden_layer_sizes": ()}, InvalidInputError, "one size or more"),
        ({"pretrain_iter": 0}, InvalidInputError, "pretrain_iter must be a whole number above 0"),
        ({"batch_size": 0}, InvalidInputError, "batch_size must be a whole number above 0"),
        ({"solver": "newton"}, UnknownNameError, "solver"),
        ({"precision": "float16"}, UnknownNameError, "precision"),
        ({"visible": "real"}, UnknownNameError, "kind of visible unit"),
    ],
)
def test_a_parameter_that_cannot_be_used_is_named(options, error, message):
    with pytest.raises(error, match=message):
        DeepBeliefClassifier(**{**OPTIONS, **options}).fit(X, y)


def test_a_wrong_parameter_of_fine_tuning_is_said_before_pretraining():
    class Never(Observer):
        def next_event(self, step):
            raise StopTraining("pretraining has begun")

    with pytest.raises(UnknownNameError, match="solver"):
        DeepBeliefClassifier(**OPTIONS, solver="newton").fit(X, y, observers=[Never()])


def test_exploding_weights_are_named():
    with pytest.raises(DivergedError, match="The loss became inf at step"):
        DeepBeliefClassifier(**OPTIONS, pretrain_learning_rate=1e6).fit(X, y)


def test_grey_values_are_clipped_once():
    with pytest.warns(GlassnetWarning, match=r"lie in \[0, 16\]") as said:
        net = DeepBeliefClassifier(**OPTIONS).fit(16 * X, y)
    assert len(said) == 1
    np.testing.assert_array_equal(net.predict(16 * X), net.predict(np.clip(16 * X, 0, 1)))
