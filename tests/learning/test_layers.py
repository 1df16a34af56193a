"""Every part of a layer against torch.nn with autograd, in training and in prediction."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from glassnet import Layer, MLPClassifier, MLPRegressor, advance
from glassnet.errors import InvalidInputError, UnknownNameError
from glassnet.learning import forward
from glassnet.learning.backprop import BackpropEngine
from glassnet.learning.layers import Streams
from glassnet.learning.optimizers import Solver
from glassnet.learning.spec import NetworkSpec, receptive_fields
from glassnet.training.batches import plan

RNG = np.random.default_rng(0)
X = RNG.normal(size=(19, 12))
TARGET = RNG.normal(size=(19, 2))
OUTPUT = Layer(2, "identity")

LAYERS = {
    "batch norm": Layer(6, "tanh", norm="batch"),
    "layer norm": Layer(6, "relu", norm="layer"),
    "group norm": Layer(6, "sigmoid", norm="group", groups=3),
    "prelu": Layer(6, "prelu"),
    "residual": Layer(12, "tanh", residual=True),
    "residual, projected": Layer(7, "relu", norm="batch", residual=True),
    "local, 1-D": Layer(2 * 10, "tanh", receptive_field=3),
    "shared, 1-D": Layer(2 * 10, "tanh", receptive_field=3, share_weights=True),
    "local, 2-D": Layer(3 * 6, "relu", receptive_field=(2, 2), input_shape=(3, 4)),
    "shared, 2-D": Layer(3 * 6, "tanh", receptive_field=(2, 2), input_shape=(3, 4), share_weights=True),
    "dropout and noise": Layer(6, "leaky_relu", dropout=0.4, noise=0.3),
    "all": Layer(18, "prelu", "group", 2, 0.3, 0.1, (2, 2), (3, 4), True, True),
}


def by_torch(layer: Layer, p: dict, x: torch.Tensor, streams: Streams, number: int) -> torch.Tensor:
    """The layer as a user of torch would build it."""
    entering = x
    if layer.noise:
        x = x + torch.empty_like(x).normal_(0, layer.noise, generator=streams.generator(f"noise {number}"))
    if layer.receptive_field is None:
        z = nn.functional.linear(x, p["weight"], p["bias"])
    elif layer.share_weights and layer.input_shape:
        kernel = p["weight"].view(-1, 1, *layer.receptive_field)
        z = nn.functional.conv2d(x.view(-1, 1, *layer.input_shape), kernel, p["bias"]).flatten(1)
    elif layer.share_weights:
        z = nn.functional.conv1d(x[:, None], p["weight"][:, None], p["bias"]).flatten(1)
    else:
        z = nn.functional.linear(x, as_sparse_matrix(layer, p["weight"]), p["bias"])
    if layer.norm == "batch":
        z = nn.functional.batch_norm(z, None, None, p["scale"], p["shift"], training=True)
    elif layer.norm:
        z = nn.functional.group_norm(z, 1 if layer.norm == "layer" else layer.groups, p["scale"], p["shift"])
    h = {
        "tanh": torch.tanh,
        "relu": torch.relu,
        "sigmoid": torch.sigmoid,
        "identity": lambda z: z,
        "leaky_relu": lambda z: nn.functional.leaky_relu(z, 0.02),
        "prelu": lambda z: nn.functional.prelu(z, p["slope"]),
    }[layer.activation](z)
    if layer.dropout:
        keep = torch.empty_like(h).bernoulli_(1 - layer.dropout, generator=streams.generator(f"dropout {number}"))
        h = h * keep / (1 - layer.dropout)
    if layer.residual:
        h = h + (nn.functional.linear(entering, p["shortcut"]) if "shortcut" in p else entering)
    return h


def as_sparse_matrix(layer: Layer, weight: torch.Tensor) -> torch.Tensor:
    """Local connectivity is full connectivity with zeros: build that matrix entry by entry."""
    fields = receptive_fields(layer, 12)
    rows = []
    for unit in range(layer.units):
        row = torch.zeros(12, dtype=weight.dtype)
        rows.append(row.scatter(0, torch.tensor(fields[unit % len(fields)]), weight[unit]))
    return torch.stack(rows)


@pytest.mark.parametrize("name", LAYERS)
def test_written_out_gradient_equals_autograd(name):
    spec = NetworkSpec(12, (Layer(12, "tanh"), LAYERS[name], OUTPUT), "squared_error")
    flat = spec.initial_parameters(np.random.default_rng(2), "float64") + 0.1
    arrays = {"parameters": flat, **spec.initial_statistics("float64")}
    loss, gradient = BackpropEngine(spec, Solver(), X, TARGET, None).gradient(arrays, np.arange(19), seed=5)
    parameters = torch.tensor(flat, requires_grad=True)
    h, streams = torch.tensor(X), Streams(5, 0)
    for number, (layer, p) in enumerate(zip(spec.layers, spec.named(parameters), strict=True)):
        h = by_torch(layer, p, h, streams, number)
    expected = 0.5 * ((h - torch.tensor(TARGET)) ** 2).sum(1).mean()
    expected.backward()
    assert loss == pytest.approx(expected.item(), rel=1e-10)
    np.testing.assert_allclose(gradient, parameters.grad.numpy(), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize(
    "name", sorted(set(LAYERS) - {"dropout and noise", "all", "batch norm", "residual, projected"})
)
def test_prediction_equals_torch(name):
    spec = NetworkSpec(12, (LAYERS[name], OUTPUT), "squared_error")
    flat = spec.initial_parameters(np.random.default_rng(2), "float64") + 0.1
    h = torch.tensor(X)
    for number, (layer, p) in enumerate(zip(spec.layers, spec.named(torch.tensor(flat)), strict=True)):
        h = by_torch(layer, p, h, Streams(0, 0), number)
    np.testing.assert_allclose(forward.logits(spec, {"parameters": flat}, X), h.numpy(), rtol=1e-10, atol=1e-12)


def test_running_statistics_equal_torchs_batch_norm():
    net = MLPRegressor((Layer(6, "tanh", norm="batch"),), batch_size=5, precision="float64", random_state=0)
    state = net.initialize(X, TARGET)
    peer = nn.BatchNorm1d(6, dtype=torch.float64)
    for _ in range(9):
        batches = plan(state, 1)
        rows = batches.indices[batches.starts[0] : batches.stops[0]]
        weight, bias = net.spec_.views(state.arrays["parameters"])[0]
        peer(torch.tensor(X[rows] @ weight.T + bias))
        advance(state, 1)
    np.testing.assert_allclose(state.arrays["running_mean"], peer.running_mean, rtol=1e-10)
    np.testing.assert_allclose(state.arrays["running_variance"], peer.running_var, rtol=1e-10)
    p = net.spec_.named(state.arrays["parameters"])
    with torch.no_grad():
        peer.weight.copy_(torch.tensor(p[0]["scale"])), peer.bias.copy_(torch.tensor(p[0]["shift"]))
        hidden = torch.tanh(peer.eval()(torch.tensor(X @ p[0]["weight"].T + p[0]["bias"])))
    np.testing.assert_allclose(net.predict(X), hidden.numpy() @ p[1]["weight"].T + p[1]["bias"], rtol=1e-8)


@pytest.mark.parametrize("norm", ["batch", "layer", "group"])
def test_a_unit_without_variance_is_normalized_to_its_shift(norm):
    net = MLPRegressor((Layer(4, "identity", norm=norm, groups=2 if norm == "group" else 1),), random_state=0)
    constant = np.full((8, 3), 2.0)
    state = net.initialize(constant, np.arange(8.0))
    assert np.isfinite(advance(state, 20)).all()
    assert np.isfinite(net.predict(constant)).all()


def test_normalization_is_invariant_to_scale_and_shift_of_its_input():
    options = {"batch_size": 19, "random_state": 0, "precision": "float64", "max_iter": 30, "tol": None, "alpha": 0}
    layer = Layer(6, "tanh", norm="batch")
    plain = MLPRegressor((layer,), **options).initialize(X, TARGET)
    weight = MLPRegressor((layer,), **options)
    scaled = weight.initialize(X * 1.0, TARGET)
    weight.coefs_[0][...] *= 1000
    np.testing.assert_allclose(advance(plain, 1), advance(scaled, 1), rtol=1e-6)


def test_dropout_of_a_seed_is_the_same_and_absent_from_prediction():
    fits = [MLPClassifier((Layer(20, "relu", dropout=0.5),), max_iter=5, tol=None, random_state=1) for _ in range(2)]
    for net in fits:
        net.fit(X, X[:, 0] > 0)
    np.testing.assert_array_equal(fits[0].coefs_[0], fits[1].coefs_[0])
    np.testing.assert_array_equal(fits[0].predict_proba(X), fits[0].predict_proba(X))


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"norm": "weight"}, UnknownNameError),
        ({"dropout": 1.0}, InvalidInputError),
        ({"noise": -1.0}, InvalidInputError),
        ({"groups": 5}, InvalidInputError),
    ],
)
def test_a_layer_says_what_it_cannot_be(options, error):
    with pytest.raises(error):
        Layer(6, "relu", **options)


@pytest.mark.parametrize(
    "layer",
    [Layer(7, receptive_field=3), Layer(10, receptive_field=13), Layer(6, receptive_field=(2, 2), input_shape=(4, 4))],
)
def test_a_receptive_field_that_does_not_fit_is_refused_with_numbers(layer):
    with pytest.raises(InvalidInputError, match="12 inputs"):
        MLPRegressor((layer,)).initialize(X, TARGET)


def test_the_kernel_refuses_what_it_cannot_run():
    with pytest.raises(InvalidInputError, match="normalization"):
        MLPRegressor((Layer(4, norm="batch"),), engine="kernel").initialize(X, TARGET)
    with pytest.raises(InvalidInputError, match="lbfgs"):
        MLPRegressor((4,), solver="lbfgs", engine="kernel").initialize(X, TARGET)


def test_a_step_function_is_refused_with_the_reason():
    with pytest.raises(InvalidInputError, match="derivative 0"):
        MLPClassifier((4,), "step").fit(X, X[:, 0] > 0)
