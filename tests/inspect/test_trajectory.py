"""The recorded path is the path that was taken."""

from __future__ import annotations

import numpy as np
import pytest

from glassnet import Perceptron, Trajectory
from glassnet.errors import UnknownNameError
from glassnet.training.batches import epoch_order

X = np.random.default_rng(0).normal(size=(30, 2))
Y = (X[:, 0] + 0.3 * X[:, 1] > 0.2).astype(int)


def test_every_change_of_the_weights_is_a_mistake_times_the_input():
    path = Trajectory("weight", "bias")
    unit = Perceptron(random_state=0, precision="float64").fit(X, Y, observers=[path])
    assert path.steps == list(range(unit.state_.step + 1))
    order = np.concatenate([epoch_order(0, epoch, 30, True) for epoch in range(unit.n_iter_)])
    changes = np.diff(path["weight"][:, 0], axis=0)
    signs = np.diff(path["bias"][:, 0])
    np.testing.assert_allclose(changes, signs[:, None] * X[order], atol=1e-12)
    np.testing.assert_array_equal(np.abs(signs), path.losses)
    assert path.losses.sum() == unit.n_mistakes_
    np.testing.assert_array_equal(path["weight"][-1], unit.coef_)


def test_watching_changes_nothing_and_unknown_names_are_refused():
    watched = Perceptron(random_state=0).fit(X, Y, observers=[Trajectory("weight", every=7)])
    np.testing.assert_array_equal(watched.coef_, Perceptron(random_state=0).fit(X, Y).coef_)
    with pytest.raises(UnknownNameError, match="bias, counts"):
        Perceptron().fit(X, Y, observers=[Trajectory("threshold")])
    with pytest.raises(UnknownNameError, match="weight"):
        Trajectory("weight")["bias"]
