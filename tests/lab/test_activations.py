from __future__ import annotations

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from glassnet.data import load
from glassnet.lab.exhibits.activations import (
    N_SAMPLES,
    NAMES,
    ActivationsExhibit,
    ActivationsSettings,
    _network,
    gradient_norms,
    saturated_shares,
)

FUNCTIONS = {"sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": torch.relu}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("settings", [{}, {"init": "old"}, {"gain": 2.0}])
def test_gradients_and_saturation_are_those_of_autograd(name, settings):
    net = _network(ActivationsSettings(depth=5, seed=3, **settings), name)
    data = load("digits")
    h = torch.tensor(data.X_train[:N_SAMPLES], dtype=torch.float64)
    pre_activations = []
    for weight, bias in zip(net.coefs_, net.intercepts_, strict=True):
        z = h @ torch.tensor(weight) + torch.tensor(bias)
        z.requires_grad_() if not pre_activations else z.retain_grad()
        pre_activations.append(z)
        h = FUNCTIONS[name](z)
    loss = torch.nn.functional.cross_entropy(pre_activations[-1], torch.tensor(data.y_train[:N_SAMPLES]))
    loss.backward()
    hidden = pre_activations[:-1]
    np.testing.assert_allclose(gradient_norms(net), [z.grad.sum(0).norm().item() for z in hidden], rtol=1e-8)
    flat = []
    for z in hidden:
        leaf = z.detach().requires_grad_()
        (slope,) = torch.autograd.grad(FUNCTIONS[name](leaf).sum(), leaf)
        flat.append((slope < 0.05).double().mean().item())
    np.testing.assert_allclose(saturated_shares(net), flat)


def test_sigmoids_gradient_vanishes_and_relus_arrives():
    ratios = ActivationsExhibit(ActivationsSettings(depth=20)).scene().values["ratios"]
    assert ratios["sigmoid"] < 1e-8
    assert 0.1 < ratios["relu"] < 10


def test_old_weights_have_the_old_spread():
    net = _network(ActivationsSettings(depth=4, init="old", gain=2.0), "relu")
    for weight in net.coefs_:
        assert weight.std() == pytest.approx(2 / np.sqrt(3 * len(weight)), rel=1e-6)


def test_the_step_sends_nothing_back():
    exhibit = ActivationsExhibit(ActivationsSettings(activation="step", z=0.0))
    assert exhibit.frame().values == {"value": 1.0, "derivative": 0.0, "product": 0.0}
    assert exhibit.scene().arrays["saturated"].min() == 1
    assert "MLPClassifier(" not in exhibit.python()
    assert exhibit.scene().arrays["gradients"].shape == (len(NAMES), 10)


@pytest.mark.parametrize("values", [{"depth": 1}, {"gain": 0}, {"z": 7}, {"activation": "prelu"}])
def test_settings_have_bounds(values):
    with pytest.raises(ValidationError):
        ActivationsSettings().changed(values)
