"""The restricted Boltzmann machine against scikit-learn's, exact likelihoods and itself."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pytest
from sklearn.neural_network import BernoulliRBM

from glassnet import RBM, advance
from glassnet.errors import DivergedError, GlassnetWarning, InvalidInputError, UnknownNameError
from glassnet.learning.partition import states
from glassnet.training.loop import run
from glassnet.training.observers import Observer, StopTraining

RNG = np.random.default_rng(0)
# bars and stripes: every row, or every column, of a 3 x 3 picture is on or off as a whole
PATTERNS = np.unique(
    [picture.ravel() for s in states(3) for picture in (np.tile(s, (3, 1)), np.tile(s[:, None], (1, 3)))], axis=0
)
X = np.repeat(PATTERNS, 20, axis=0)


@pytest.fixture(scope="module")
def fitted():
    return RBM(16, persistent=True, n_gibbs_steps=5, batch_size=70, max_iter=1500, random_state=0).fit(X)


def sklearns(rbm: RBM) -> BernoulliRBM:
    other = BernoulliRBM(rbm.n_components, random_state=0)
    other.components_, other.intercept_hidden_ = rbm.components_, rbm.intercept_hidden_
    other.intercept_visible_, other.n_features_in_ = rbm.intercept_visible_, rbm.n_features_in_
    return other


def test_it_learns_the_distribution_of_bars_and_stripes(fitted):
    log_likelihood = -fitted.free_energy(PATTERNS) - fitted.log_partition()
    assert np.exp(log_likelihood).sum() > 0.5  # of all 512 pictures, the 14 that it has seen
    everything = -fitted.free_energy(states(9)) - fitted.log_partition("exact")
    assert np.exp(everything).sum() == pytest.approx(1, abs=1e-10)


def test_it_dreams_what_it_has_learned(fitted):
    dreams = fitted.sample(400, n_steps=200)
    seen = (dreams[:, None] == PATTERNS).all(2).any(1).mean()
    learned = np.exp(-fitted.free_energy(PATTERNS) - fitted.log_partition()).sum()
    assert seen == pytest.approx(learned, abs=0.1)
    np.testing.assert_array_equal(dreams, fitted.sample(400, n_steps=200))
    assert (dreams != fitted.sample(400, n_steps=200, random_state=1)).any()


def test_gibbs_steps_keep_the_distribution(fitted):
    everything = states(9)
    p = np.exp(-fitted.free_energy(everything) - fitted.log_partition())
    drawn = everything[RNG.choice(512, 20_000, p=p / p.sum())]
    after = fitted.gibbs(drawn, n_steps=2)
    counts = np.bincount((after @ 2 ** np.arange(9)).astype(int), minlength=512)
    assert 0.5 * np.abs(counts / 20_000 - p).sum() < 0.08


def test_free_energy_and_hidden_units_are_scikit_learns(fitted):
    other = sklearns(fitted)
    np.testing.assert_allclose(fitted.transform(X), other.transform(X), rtol=1e-5)
    np.testing.assert_allclose(fitted.free_energy(X), other._free_energy(X), rtol=1e-5)


def test_pseudo_likelihood_is_the_mean_of_scikit_learns(fitted):
    many = np.tile(PATTERNS, (2000, 1))
    theirs = sklearns(fitted).score_samples(many).reshape(2000, -1)
    error = theirs.std(0) / np.sqrt(2000)
    assert (np.abs(theirs.mean(0) - fitted.score_samples(PATTERNS)) < 5 * error + 1e-3).all()


def test_pseudo_likelihood_from_some_units_is_near_that_of_all(fitted):
    exact = fitted.score_samples(X).mean()
    assert fitted.score_samples(X, n_units=9).mean() == pytest.approx(exact)
    assert fitted.score_samples(X, n_units=5).mean() == pytest.approx(exact, rel=0.5)


def test_annealing_agrees_with_the_sum_after_a_fit(fitted):
    assert fitted.log_partition("ais") == pytest.approx(fitted.log_partition("exact"), abs=0.3)


def test_gaussian_units_learn_two_clusters():
    centres = RNG.choice([-2.0, 2.0], (300, 1))
    data = centres * [1, 1, -1, 0] + RNG.normal(size=(300, 4))
    rbm = RBM(4, visible="gaussian", learning_rate_init=0.01, max_iter=200, random_state=0)
    before = rbm.fit(data[:1]).log_partition(), rbm.free_energy(data).mean()
    rbm.fit(data)
    independent = -0.5 * ((data - data.mean(0)) ** 2 / data.var(0) + np.log(2 * np.pi * data.var(0))).sum(1)
    assert -rbm.free_energy(data).mean() - rbm.log_partition() > max(independent.mean(), -sum(before))
    dreams = rbm.sample(500, n_steps=100)
    assert np.corrcoef(dreams.T)[0, 1] > 0.5
    assert np.corrcoef(dreams.T)[0, 2] < -0.5


def test_reconstruction_goes_there_and_back(fitted):
    back = fitted.inverse_transform(fitted.transform(PATTERNS))
    assert ((back > 0.5) == PATTERNS).mean() > 0.95
    with pytest.raises(InvalidInputError, match="H has 9 columns, but there are 16 hidden units"):
        fitted.inverse_transform(PATTERNS)


@pytest.mark.parametrize("options", [{}, {"persistent": True, "momentum": 0.5}, {"sparsity_target": 0.1}])
def test_an_interrupted_fit_goes_on_to_the_bit(options):
    class Stop(Observer):
        def next_event(self, step):
            return 11

        def observe(self, state):
            raise StopTraining

    options = {"n_components": 5, "batch_size": 32, "max_iter": 4, "random_state": 3, **options}
    whole, part = RBM(**options).fit(X), RBM(**options).fit(X, observers=[Stop()])
    assert part.state_.step == 11
    again = RBM(**options)
    state = again.initialize(X)
    state.load_state_dict(pickle.loads(pickle.dumps(part.state_.state_dict())))
    run(state, whole.state_.step)
    for name, array in whole.state_.arrays.items():
        np.testing.assert_array_equal(array, state.arrays[name])


def test_bfloat16_learns_as_well_as_float32():
    scores = {}
    for precision in ("float32", "bfloat16"):
        options = {"persistent": True, "n_gibbs_steps": 2, "max_iter": 250, "batch_size": 20, "random_state": 0}
        rbm = RBM(16, precision=precision, **options).fit(X)
        scores[precision] = rbm.score_samples(PATTERNS).mean()
        assert rbm.components_.dtype == np.float32
    assert scores["bfloat16"] == pytest.approx(scores["float32"], abs=0.2)
    assert scores["bfloat16"] > RBM(16, max_iter=1, random_state=0).fit(X).score_samples(PATTERNS).mean() + 1


def test_steps_made_at_once_or_one_by_one_are_the_same():
    one, many = RBM(5, batch_size=32, random_state=0), RBM(5, batch_size=32, random_state=0)
    one.initialize(X)
    many.initialize(X)
    losses = [advance(one.state_, 1)[0] for _ in range(20)]
    np.testing.assert_array_equal(losses, advance(many.state_, 20))
    np.testing.assert_array_equal(one.components_, many.components_)


def test_partial_fit_and_warm_start_go_on():
    whole = RBM(5, max_iter=2, shuffle=False, random_state=0).fit(X)
    parts = RBM(5, shuffle=False, random_state=0).partial_fit(X).partial_fit(X)
    warm = RBM(5, max_iter=1, shuffle=False, random_state=0, warm_start=True).fit(X).fit(X)
    for other in (parts, warm):
        np.testing.assert_array_equal(whole.components_, other.components_)
    assert parts.n_iter_ == 2
    assert parts.loss_curve_ == whole.loss_curve_
    with pytest.raises(InvalidInputError, match="has 5 hidden units; it cannot go on with 6"):
        warm.set_params(n_components=6).fit(X)


def test_values_outside_the_range_are_clipped_and_said_once():
    with pytest.warns(GlassnetWarning, match=r"in \[0, 1\], but the values lie in \[0, 255\]") as said:
        rbm = RBM(3, max_iter=1, random_state=0).fit(255 * X)
    assert len(said) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(rbm.transform(255 * X), rbm.transform(X))
    clean = RBM(3, max_iter=1, random_state=0).fit(X)
    np.testing.assert_array_equal(rbm.components_, clean.components_)
    with pytest.warns(GlassnetWarning, match="were clipped"):
        clean.transform(-X)


@pytest.mark.parametrize(
    "options",
    [
        {"learning_rate_init": 1e6},
        {"learning_rate_init": 1.0, "weight_decay": 10.0},
        {"visible": "gaussian", "learning_rate_init": 10.0},
    ],
)
def test_exploding_weights_stop_the_fit_and_the_last_good_ones_are_kept(options):
    rbm = RBM(5, max_iter=50, random_state=0, **options)
    with pytest.raises(DivergedError, match=r"The loss became inf at step \d+.*smaller learning_rate_init"):
        rbm.fit(X)
    assert np.isfinite(rbm.components_).all()
    assert np.abs(rbm.components_).max() < 100


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"visible": "real"}, UnknownNameError, "Allowed: binary, gaussian"),
        ({"precision": "float16"}, UnknownNameError, "precision"),
        ({"n_components": 0}, InvalidInputError, "n_components must be a whole number above 0, got 0"),
        ({"n_gibbs_steps": 1.5}, InvalidInputError, "n_gibbs_steps must be a whole number"),
        ({"batch_size": "all"}, InvalidInputError, "batch_size must be a whole number"),
    ],
)
def test_a_parameter_that_cannot_be_used_is_named(options, error, message):
    with pytest.raises(error, match=message):
        RBM(**options).fit(X)


def test_words_for_what_cannot_be_asked(fitted):
    with pytest.raises(UnknownNameError, match="Allowed: ais, auto, exact"):
        fitted.log_partition("guess")
    with pytest.raises(InvalidInputError, match="n >= 1"):
        fitted.sample(0)
    with pytest.raises(InvalidInputError, match=r"n_units must be in 1..9, got 10"):
        fitted.score_samples(X, n_units=10)
    assert not hasattr(RBM(), "components_")
