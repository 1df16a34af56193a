"""The deep belief network with labels: its probabilities by enumeration, its dreams, and where it goes on."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
from sklearn.datasets import load_digits, make_blobs
from sklearn.exceptions import NotFittedError
from sklearn.preprocessing import StandardScaler

from glassnet import GenerativeBeliefClassifier, advance
from glassnet.errors import InvalidInputError, UnknownNameError
from glassnet.learning.partition import states
from glassnet.training.observers import Observer
from glassnet.training.run_folder import load_run, save_run

DIGITS = load_digits()
X, y = np.float32(DIGITS.data[:1000] / 16), DIGITS.target[:1000]
unseen, answers = np.float32(DIGITS.data[1000:] / 16), DIGITS.target[1000:]
OPTIONS = {"hidden_layer_sizes": (30, 20, 40), "pretrain_iter": 3, "max_iter": 3, "batch_size": 20, "random_state": 0}


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
    return GenerativeBeliefClassifier(**OPTIONS).fit(X, y)


@pytest.fixture(scope="module")
def taught():
    """Three classes, learned well enough to be dreamt of."""
    options = {"pretrain_iter": 60, "max_iter": 30, "learning_rate_init": 0.05, "batch_size": 10, "random_state": 0}
    few = y < 3
    return GenerativeBeliefClassifier((60, 60, 100), **options).fit(X[few], y[few])


def test_class_probabilities_are_those_of_the_top_machine_by_enumeration():
    small = GenerativeBeliefClassifier((6, 5, 8), pretrain_iter=2, max_iter=2, random_state=0).fit(X[:200], y[:200] % 3)
    pairs, memory = small._pairs(), small._memory()
    below = X[:4].astype(float)
    for pair in pairs:
        below = 1 / (1 + np.exp(-below @ pair.recognition.T - pair.recognition_bias))
    hidden, weights = states(8), np.empty((4, 3))
    for k, label in enumerate(np.eye(3)):
        seen = np.hstack([below, np.tile(label, (4, 1))])
        energy = (
            -(seen @ memory.visible_bias)[:, None] - hidden @ memory.hidden_bias - seen @ memory.weight.T @ hidden.T
        )
        weights[:, k] = np.exp(-energy).sum(1)
    np.testing.assert_allclose(small.predict_proba(X[:4]), weights / weights.sum(1, keepdims=True), rtol=1e-5)


def test_it_reads_what_it_has_not_seen(taught):
    few = answers < 3
    assert taught.score(unseen[few], answers[few]) > 0.93


def test_standardized_samples_are_read_before_and_after_the_fine_tuning():
    """Three overlapping clouds, of which a linear rule tells 93% apart."""
    points, clouds = make_blobs(300, random_state=0)
    points = StandardScaler().fit_transform(points)
    options = {"visible": "gaussian", "pretrain_iter": 20, "pretrain_learning_rate": 0.05, "max_iter": 10}
    net = GenerativeBeliefClassifier((12, 20), **options, learning_rate_init=0.05, batch_size=10, random_state=0)
    assert net.pretrain(points, clouds).score(points, clouds) > 0.75
    assert net.fine_tune(points, clouds).score(points, clouds) > 0.88
    dreams = [net.dream(cloud, 50).mean(0) for cloud in range(3)]
    centres = np.array([points[clouds == cloud].mean(0) for cloud in range(3)])
    assert [((centres - dream) ** 2).sum(1).argmin() for dream in dreams] == [0, 1, 2]


def test_it_dreams_of_the_class_that_is_asked_for(taught):
    named, alike = [], []
    for label in range(3):
        dreams = taught.dream(label, 50, n_steps=100)
        assert dreams.shape == (50, 64)
        named.append((taught.predict(dreams) == label).mean())
        nearest = ((dreams[:, None] - X[y < 3][None]) ** 2).sum(2).argmin(1)
        alike.append((y[y < 3][nearest] == label).mean())
    assert min(*named, *alike) > 0.5  # by chance it is a third
    assert min(np.mean(named), np.mean(alike)) > 0.7
    np.testing.assert_array_equal(taught.dream(1, 5, 20), taught.dream(1, 5, 20))
    assert (taught.dream(1, 5, 20) != taught.dream(1, 5, 20, random_state=1)).any()


def test_layers_reconstruct_what_they_have_seen(taught):
    seen = X[y < 3]
    blank = ((seen - seen.mean(0)) ** 2).mean()
    errors = [((taught.reconstruct(seen, layer) - seen) ** 2).mean() for layer in range(3)]
    assert max(errors) < 0.8 * blank
    assert [taught.transform(seen, layer).shape[1] for layer in range(3)] == [60, 60, 100]


def test_fine_tuning_starts_from_the_machines_and_lets_the_two_ways_part():
    start = GenerativeBeliefClassifier(**OPTIONS).pretrain(X, y)
    still = GenerativeBeliefClassifier(**{**OPTIONS, "learning_rate_init": 1e-9}).fit(X, y)
    np.testing.assert_allclose(still._label_probabilities(still._up(X, 1)), start._label_probabilities(start._up(X, 1)))
    moved = start.fine_tune(X, y).state_.arrays
    assert (moved["recognition_0"] != moved["generative_0"]).mean() > 0.9


@pytest.mark.parametrize(("stage", "step"), [(0, 7), (2, 60), (3, 70)])
def test_an_interrupted_fit_goes_on_to_the_bit(net, tmp_path, stage, step):
    part = GenerativeBeliefClassifier(**OPTIONS, warm_start=True)
    with pytest.raises(KeyboardInterrupt):
        part.fit(X, y, observers=[Interrupt(stage, step)])
    again = load_run(save_run(tmp_path, part)).fit(X, y)
    np.testing.assert_array_equal(again.predict_proba(unseen), net.predict_proba(unseen))
    assert again.pretrain_loss_curves_ == net.pretrain_loss_curves_
    assert again.loss_curve_ == net.loss_curve_
    assert again.n_iter_ == 3


def test_together_is_one_after_the_other(net):
    apart = GenerativeBeliefClassifier(**OPTIONS).pretrain(X, y).fine_tune(X, y)
    np.testing.assert_array_equal(apart.predict_proba(X), net.predict_proba(X))


def test_what_cannot_be_done_is_said(net):
    with pytest.raises(InvalidInputError, match=r"no class 'ten' to dream of; allowed: \[0, 1, 2"):
        net.dream("ten")
    with pytest.raises(InvalidInputError, match="n >= 1, got 0"):
        net.dream(1, 0)
    with pytest.raises(InvalidInputError, match="n_steps >= 1, got 0"):
        net.dream(1, 1, n_steps=0)
    with pytest.raises(InvalidInputError, match="The label joins the last but one layer"):
        GenerativeBeliefClassifier((10,)).fit(X, y)
    with pytest.raises(UnknownNameError, match="schedule"):
        GenerativeBeliefClassifier(**OPTIONS, learning_rate="wild").fit(X, y)
    with pytest.raises(InvalidInputError, match=r"pretrained without the classes \[10\]"):
        GenerativeBeliefClassifier(**OPTIONS).pretrain(X, y).fine_tune(X, y + 1)
    with pytest.raises(NotFittedError):
        GenerativeBeliefClassifier(**OPTIONS).predict(X)
    begun = GenerativeBeliefClassifier(**OPTIONS)
    next(begun.stages(X, y))
    with pytest.raises(InvalidInputError, match="Layer 1 is not learned yet: pretraining has come to 1 of 3 layers"):
        begun.reconstruct(X, 1)


def test_a_fit_is_its_stages_one_after_the_other(net):
    part = GenerativeBeliefClassifier(**OPTIONS)
    states = []
    for state in part.stages(X, y):
        advance(state, 3 * state.steps_per_epoch)
        states.append(state)
        assert np.isfinite(part.reconstruct(unseen[:5], min(len(states), 3) - 1)).all()
    assert len(states) == 4
    np.testing.assert_array_equal(part.predict_proba(unseen), net.predict_proba(unseen))


def test_pretraining_alone_reads_too():
    few = y < 3
    start = GenerativeBeliefClassifier((40, 30, 60), pretrain_iter=30, batch_size=10, random_state=0)
    start.pretrain(X[few], y[few])
    assert start.score(unseen[answers < 3], answers[answers < 3]) > 0.6  # by chance it is a third
    assert start.dream(2, 3, 5).shape == (3, 64)


def test_a_dream_can_be_watched(net):
    watched = list(islice(net.dreaming(2, 4, random_state=1), 7))
    for step in (1, 6):
        np.testing.assert_array_equal(watched[step], net.dream(2, 4, step, random_state=1))


def test_filters_are_the_products_of_the_weights(net):
    arrays, memory = net.state_.arrays, net._memory()
    up = arrays["recognition_1"] @ arrays["recognition_0"]
    np.testing.assert_allclose(net.filters(0), arrays["recognition_0"])
    np.testing.assert_allclose(net.filters(-1), memory.weight[:, :20] @ up, rtol=1e-5)
