"""The written-out rule against autograd, the compiled kernel against the written-out rule."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numba import njit
from sklearn.neural_network import MLPClassifier as ScikitMLP

from glassnet import MLPClassifier
from glassnet.learning import backprop, kernels
from glassnet.learning.activations import ACTIVATIONS
from glassnet.learning.backprop import BackpropEngine
from glassnet.learning.backprop_numpy import NumpyEngine
from glassnet.learning.compiled import ACTIVATION_CODES
from glassnet.learning.kernel_engine import DenseKernelEngine
from glassnet.learning.layers import IN_PLACE
from glassnet.learning.losses import LOSSES
from glassnet.learning.optimizers import Solver
from glassnet.learning.spec import Layer, NetworkSpec
from glassnet.training.batches import Batches
from glassnet.training.loop import advance
from glassnet.training.state import TrainingState

HIDDEN = ("identity", "sigmoid", "tanh", "relu", "leaky_relu")
TORCH_ACTIVATIONS = {
    "identity": lambda z: z,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "leaky_relu": lambda z: torch.nn.functional.leaky_relu(z, 0.02),
}
TORCH_LOSSES = {
    "squared_error": lambda z, t: 0.5 * ((z - t) ** 2).sum(1),
    "binary_cross_entropy": lambda z, t: torch.nn.functional.binary_cross_entropy_with_logits(
        z, t, reduction="none"
    ).sum(1),
    "cross_entropy": lambda z, t: torch.nn.functional.cross_entropy(z, t, reduction="none"),
}
SGD = Solver("sgd", 0.02, momentum=0.9, nesterov=True, alpha=0.3)
PLAIN = Solver("sgd", 0.02, momentum=0)
SOLVERS = [SGD, PLAIN, Solver("sgd", 0.02, momentum=0.8, nesterov=False), Solver("adam", 0.01, alpha=0.1)]


def problem(activation: str, loss: str, depth: int = 2, dtype: str = "float64", weighted: bool = False):
    """Return spec, X, target, sample_weight and initial parameters of a small random task."""
    rng = np.random.default_rng(1)
    n_out = 3 if loss == "cross_entropy" else 2
    layers = (*(Layer(5 + k, activation) for k in range(depth)), Layer(n_out, "identity"))
    spec = NetworkSpec(4, layers, loss)
    X = rng.normal(size=(23, 4)).astype(dtype)
    labels = rng.integers(n_out, size=23)
    target = rng.normal(size=(23, n_out)) if loss == "squared_error" else np.eye(n_out)[labels]
    weight = rng.random(23).astype(dtype) if weighted else None
    parameters = (rng.normal(size=spec.n_parameters) * 0.5).astype(dtype)
    return spec, X, target.astype(dtype), weight, parameters


def autograd(spec, X, target, weight, parameters):
    """Return loss and gradient by torch's autograd on the plain definition."""
    flat = torch.tensor(parameters, requires_grad=True)
    h = torch.tensor(X)
    for (w, b), name in zip(spec.views(flat), spec.activations, strict=True):
        h = TORCH_ACTIVATIONS[name](h @ w.T + b)
    losses = TORCH_LOSSES[spec.loss](h, torch.tensor(target))
    weights = torch.ones(len(X), dtype=flat.dtype) if weight is None else torch.tensor(weight)
    loss = (losses * weights).sum() / weights.sum()  # the batch is the whole data set
    loss.backward()
    return loss.item(), flat.grad.numpy()


def run_engine(kind, solver, spec, X, target, weight, parameters, n_steps):
    engine = kind(spec, solver, X, target, weight)
    arrays = {"parameters": parameters.copy(), **solver.initial_slots(parameters)}
    state = TrainingState(arrays, engine, seed=0, n_samples=len(X), batch_size=6)
    return advance(state, n_steps), state.arrays


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", HIDDEN)
@pytest.mark.parametrize("weighted", [False, True])
def test_written_out_rule_equals_autograd(activation, loss, weighted):
    spec, *data, parameters = problem(activation, loss, weighted=weighted)
    got = BackpropEngine(spec, SGD, *data).gradient({"parameters": parameters}, np.arange(23))
    expected = autograd(spec, *data, parameters)
    assert got[0] == pytest.approx(expected[0], rel=1e-12)
    np.testing.assert_allclose(got[1], expected[1], rtol=1e-10, atol=1e-12)


def flipped_tanh_delta(delta, h, scratch):
    delta.addcmul_(torch.mul(delta, h, out=scratch), h, value=+1)


def flipped_cross_entropy(z, target):
    loss, delta = backprop.cross_entropy_delta(z, target)
    return loss, -delta


@pytest.mark.parametrize(
    ("table", "key", "wrong"),
    [
        (IN_PLACE, "tanh", (torch.tanh_, flipped_tanh_delta)),
        (backprop.LOSS_DELTAS, "cross_entropy", flipped_cross_entropy),
    ],
)
def test_the_comparison_fails_when_a_sign_is_flipped(monkeypatch, table, key, wrong):
    monkeypatch.setitem(table, key, wrong)
    with pytest.raises(AssertionError):
        test_written_out_rule_equals_autograd("tanh", "cross_entropy", False)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("activation", HIDDEN)
def test_plain_descent_takes_the_gradient_away_without_holding_it(activation, weighted):
    _, X, target, weight, _ = problem(activation, "cross_entropy", weighted=weighted)
    layers = (Layer(6, activation, noise=0.3), Layer(5, activation, dropout=0.4), Layer(3, "identity"))
    spec = NetworkSpec(4, layers, "cross_entropy")
    parameters = np.random.default_rng(2).normal(size=spec.n_parameters)
    engine = BackpropEngine(spec, PLAIN, X, target, weight)
    loss, gradient = engine.gradient({"parameters": parameters}, np.arange(23), seed=5, step=7)
    engine._gradient.fill_(np.nan)  # nobody reads it
    state = TrainingState({"parameters": parameters.copy()}, engine, seed=5, n_samples=23, batch_size=23, step=7)
    losses = engine.run(state, Batches(np.arange(23), np.array([0]), np.array([23])))
    assert losses == pytest.approx([loss], rel=1e-12)
    step = state.arrays["parameters"] - parameters
    np.testing.assert_allclose(step, -PLAIN.learning_rate * gradient, rtol=1e-10, atol=1e-14)
    assert (step != 0).mean() > 0.5  # the others are of units that dropout or ReLU left out


@pytest.mark.parametrize(
    ("solver", "last"),
    [
        (SGD, Layer(3, "identity")),
        (Solver("sgd", 0.02, momentum=0, alpha=0.1), Layer(3, "identity")),
        (Solver("sgd", 0.02, momentum=0, l1=0.1), Layer(3, "identity")),
        (Solver("sgd", 0.02, momentum=0, clip_norm=0.1), Layer(3, "identity")),
        (Solver("adam"), Layer(3, "identity")),
        (PLAIN, Layer(3, "prelu")),
        (PLAIN, Layer(3, "identity", norm="batch")),
        (PLAIN, Layer(3, "identity", residual=True)),
    ],
)
def test_what_needs_the_gradient_whole_gets_it(solver, last):
    _, *data, _ = problem("tanh", "cross_entropy")
    first = Layer(5, "tanh")
    assert BackpropEngine(NetworkSpec(4, (first, Layer(3, "identity")), "cross_entropy"), PLAIN, *data)._descends
    assert not BackpropEngine(NetworkSpec(4, (first, last), "cross_entropy"), solver, *data)._descends


@pytest.mark.parametrize("solver", SOLVERS, ids=lambda s: f"{s.name}-{s.momentum}-{s.alpha}")
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", HIDDEN)
@pytest.mark.parametrize("depth", [0, 1, 3])
def test_kernel_and_numpy_equal_written_out_rule(activation, loss, solver, depth):
    task = problem(activation, loss, depth, weighted=depth == 1)
    losses, arrays = run_engine(BackpropEngine, solver, *task, n_steps=50)
    for kind in (DenseKernelEngine, NumpyEngine):
        other_losses, other_arrays = run_engine(kind, solver, *task, n_steps=50)
        np.testing.assert_allclose(other_losses, losses, rtol=1e-10)
        for name, array in arrays.items():
            np.testing.assert_allclose(other_arrays[name], array, rtol=1e-8, atol=1e-10, err_msg=name)


def test_kernel_in_float32_follows_the_rule_within_its_precision():
    task = problem("tanh", "cross_entropy", dtype="float32")
    losses, _ = run_engine(BackpropEngine, SGD, *task, n_steps=50)
    kernel_losses, _ = run_engine(DenseKernelEngine, SGD, *task, n_steps=50)
    np.testing.assert_allclose(kernel_losses, losses, rtol=2e-4)


def test_engines_name_themselves():
    X, y = np.eye(4), [0, 1, 1, 0]
    for engine, name in (("kernel", "kernel"), ("formula", "formula")):
        assert MLPClassifier((3,), engine=engine, max_iter=2, tol=None).fit(X, y).engine_ == name
    large = MLPClassifier((400, 400), max_iter=1, tol=None).fit(np.eye(8), [0, 1] * 4)
    assert large.engine_ == "formula"


def on_lanes(z):
    """Return z as one row of units, with room for whole lanes."""
    return np.pad(z, (0, -len(z) % kernels.LANES))[None]


def test_rational_tanh_has_float32_accuracy():
    z = np.linspace(-12, 12, 200_001, dtype=np.float32)
    h = on_lanes(z)
    kernels.activate(ACTIVATION_CODES["tanh"], h, 0, 1, len(z))
    assert np.abs(h[0, : len(z)] - np.tanh(z.astype(np.float64))).max() < 5e-7


@njit
def exponential(z, h):
    for b in range(0, z.shape[1], kernels.LANES):
        kernels.store(h, 0, b, kernels.exp(kernels.load(z, 0, b)))


def test_polynomial_exponential_has_float32_accuracy():
    z = np.linspace(-86, 0, 200_001, dtype=np.float32)
    h = on_lanes(z)
    exponential(on_lanes(z), h)
    exact = np.exp(z.astype(np.float64))
    assert np.all(np.abs(h[0, : len(z)] - exact) <= (3e-7 + 1e-7 * np.abs(z)) * exact)


@pytest.mark.parametrize("where", ["nan", "inf"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", HIDDEN)
def test_nan_is_not_hidden_by_an_activation(name, dtype, where):
    z = np.full(3, where, dtype)
    h = on_lanes(z)
    kernels.activate(ACTIVATION_CODES[name], h, 0, 1, 3)
    np.testing.assert_allclose(h[0, :3], ACTIVATIONS[name].value(z), rtol=1e-6)


@pytest.mark.parametrize("name", HIDDEN)
def test_kernel_and_torch_activations_equal_the_formula(name):
    z = np.linspace(-5, 5, 101)
    activation = ACTIVATIONS[name]
    kernel, code = on_lanes(z), ACTIVATION_CODES[name]
    kernels.activate(code, kernel, 0, 1, len(z))
    h = IN_PLACE[name][0](torch.tensor(z))
    np.testing.assert_allclose(kernel[0, :101], activation.value(z), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(h.numpy(), activation.value(z), rtol=1e-12, atol=1e-15)
    delta, slope = torch.ones(101, dtype=torch.float64), np.ones_like(kernel)
    IN_PLACE[name][1](delta, h, torch.empty(101, dtype=torch.float64))
    kernels.times_derivative(code, slope, kernel, 0, 1, len(z))
    np.testing.assert_allclose(delta.numpy(), activation.derivative(z), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(slope[0, :101], activation.derivative(z), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("solver", ["sgd", "adam"])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_weights_equal_scikit_learns_after_the_same_steps(solver, n_classes):
    """From the same start, full-batch, in float64; Adam's epsilon is made too small to matter."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 4)), rng.integers(n_classes, size=40)
    options = {"solver": solver, "learning_rate_init": 0.01, "alpha": 0.5, "batch_size": 40, "epsilon": 1e-30}
    peer = ScikitMLP((6, 5), "tanh", max_iter=1, random_state=0, shuffle=False, tol=0, **options)
    ours = MLPClassifier((6, 5), "tanh", precision="float64", engine="formula", random_state=0, **options)
    state = ours.initialize(X, y)
    peer.partial_fit(X, y, classes=np.unique(y))
    for ours_coef, ours_bias, coef, bias in zip(
        ours.coefs_, ours.intercepts_, peer.coefs_, peer.intercepts_, strict=True
    ):
        ours_coef[...], ours_bias[...] = coef, bias
    for name in state.arrays.keys() - {"parameters"}:
        state.arrays[name][...] = 0
    peer_slots = peer._optimizer
    for array in [
        *getattr(peer_slots, "velocities", []),
        *getattr(peer_slots, "ms", []),
        *getattr(peer_slots, "vs", []),
    ]:
        array[...] = 0
    if solver == "adam":
        peer_slots.t = 0
    for _ in range(25):
        peer.partial_fit(X, y)
    advance(state, 25)
    for a, b in zip(ours.coefs_ + ours.intercepts_, peer.coefs_ + peer.intercepts_, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)
