"""Optimizers and schedules against torch.optim, SciPy and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from sklearn.datasets import make_regression

from glassnet import MLPClassifier, MLPRegressor, advance
from glassnet.errors import InvalidInputError, UnknownNameError
from glassnet.learning.optimizers import Solver
from glassnet.learning.schedules import SCHEDULES, learning_rates

RNG = np.random.default_rng(0)
START = RNG.normal(size=7)
GRADIENTS = RNG.normal(size=(30, 7))

PEERS = {
    "sgd": (Solver("sgd", 0.1, momentum=0.9, nesterov=False), lambda p: torch.optim.SGD(p, 0.1, momentum=0.9)),
    "nesterov": (Solver("sgd", 0.1, momentum=0.9), lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, nesterov=True)),
    "adam": (Solver("adam", 0.1), lambda p: torch.optim.Adam(p, 0.1)),
}


@pytest.mark.parametrize("name", PEERS)
def test_steps_equal_torchs(name):
    solver, peer = PEERS[name]
    parameters, peer_parameters = torch.tensor(START), torch.nn.Parameter(torch.tensor(START))
    slots = {name: torch.from_numpy(a) for name, a in solver.initial_slots(START).items()}
    optimizer = peer([peer_parameters])
    for t, gradient in enumerate(GRADIENTS):
        solver.step(parameters, torch.tensor(gradient), slots, t + 1, 0.1)
        peer_parameters.grad = torch.tensor(gradient)
        optimizer.step()
    np.testing.assert_allclose(parameters, peer_parameters.detach(), rtol=1e-10)


def test_clipping_equals_torchs():
    solver = Solver("sgd", 1.0, momentum=0.0, nesterov=False, clip_norm=0.5)
    parameters, gradient = torch.zeros(7, dtype=torch.float64), torch.tensor(GRADIENTS[0])
    peer = torch.nn.Parameter(torch.zeros(7, dtype=torch.float64))
    peer.grad = gradient.clone()
    torch.nn.utils.clip_grad_norm_([peer], 0.5)
    solver.step(parameters, gradient, {"velocity": torch.zeros_like(parameters)}, 1, 1.0)
    np.testing.assert_allclose(-parameters, peer.grad, rtol=1e-5)


def test_decoupled_decay_of_a_network_equals_torchs_adamw_with_biases_excluded():
    X, y = RNG.normal(size=(20, 4)), RNG.normal(size=(20, 1))
    net = MLPRegressor((), solver="adamw", alpha=0.3, learning_rate_init=0.05, batch_size=20, precision="float64")
    state = net.initialize(X, y)
    peer = torch.nn.Linear(4, 1, dtype=torch.float64)
    with torch.no_grad():
        peer.weight.copy_(torch.tensor(net.coefs_[0].T))
        peer.bias.zero_()
    groups = [{"params": [peer.weight], "weight_decay": 0.3}, {"params": [peer.bias], "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=0.05)
    for _ in range(15):
        optimizer.zero_grad()
        (0.5 * (peer(torch.tensor(X)) - torch.tensor(y)) ** 2).sum(1).mean().backward()
        optimizer.step()
    advance(state, 15)
    np.testing.assert_allclose(net.coefs_[0].T, peer.weight.detach(), rtol=1e-9)
    np.testing.assert_allclose(net.intercepts_[0], peer.bias.detach(), rtol=1e-9)


def test_lbfgs_finds_the_minimum_that_scipy_finds():
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(60, 4)), rng.integers(3, size=60)
    net = MLPClassifier((), solver="lbfgs", alpha=1.0, precision="float64", max_iter=200, tol=1e-12, random_state=0)
    net.fit(X, y)
    one_hot = np.eye(3)[y]

    def objective(flat):
        weight, bias = flat[:12].reshape(4, 3), flat[12:]
        z = X @ weight + bias
        log_p = z - np.log(np.exp(z).sum(1, keepdims=True))
        return -(one_hot * log_p).sum() / 60 + 0.5 / 60 * (weight**2).sum()

    best = minimize(objective, np.zeros(15), method="BFGS", options={"gtol": 1e-9})
    got = objective(np.concatenate([net.coefs_[0].ravel(), net.intercepts_[0]]))
    assert got == pytest.approx(best.fun, abs=1e-9)


def test_lbfgs_resumes_to_the_bit_and_needs_full_batches():
    X, y = RNG.normal(size=(30, 4)), RNG.normal(size=30)
    fits = [MLPRegressor((5,), "tanh", solver="lbfgs", random_state=0).initialize(X, y) for _ in range(3)]
    advance(fits[0], 20)
    advance(fits[1], 8)
    fits[2].load_state_dict(fits[1].state_dict())
    advance(fits[2], 12)
    np.testing.assert_array_equal(fits[0].arrays["parameters"], fits[2].arrays["parameters"])
    with pytest.raises(InvalidInputError, match="one batch"):
        MLPRegressor((5,), solver="lbfgs", batch_size=7).fit(X, y)


def test_l1_makes_zeros_and_l2_does_not():
    X, y = make_regression(80, 20, n_informative=3, random_state=0, noise=1.0)
    X, y = X / X.std(0), y / y.std()
    options = {"solver": "sgd", "learning_rate_init": 0.02, "batch_size": 80, "max_iter": 3000, "tol": None}
    sparse = MLPRegressor((), l1=8.0, alpha=0, random_state=0, precision="float64", **options).fit(X, y)
    shrunk = MLPRegressor((), alpha=8.0, random_state=0, precision="float64", **options).fit(X, y)
    assert (sparse.coefs_[0] == 0).sum() >= 12
    assert (shrunk.coefs_[0] == 0).sum() == 0


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_schedules_continue_where_they_stopped(schedule):
    whole = learning_rates(schedule, 0.1, 0, 100, 100)
    np.testing.assert_array_equal(whole[37:], learning_rates(schedule, 0.1, 37, 63, 100))
    assert (whole > 0).all()
    assert whole.max() <= 0.1


def test_schedules_equal_torchs():
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    peers = {
        "cosine": torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 100),
        "step": torch.optim.lr_scheduler.MultiStepLR(torch.optim.SGD([torch.zeros(1)], lr=0.1), [50, 75]),
    }
    for name, scheduler in peers.items():
        expected = []
        for _ in range(100):
            expected.append(scheduler.get_last_lr()[0])
            scheduler.optimizer.step()
            scheduler.step()
        np.testing.assert_allclose(learning_rates(name, 0.1, 0, 100, 100), expected, rtol=1e-9)


@pytest.mark.parametrize("engine", ["kernel", "formula"])
def test_engines_follow_the_schedule(engine):
    """With no momentum and a constant gradient, the weight moves by the sum of the rates."""
    net = MLPRegressor((), solver="sgd", momentum=0.0, nesterovs_momentum=False, learning_rate="cosine", alpha=0,
                       learning_rate_init=1e-6, max_iter=50, tol=None, engine=engine, precision="float64")  # fmt: skip
    state = net.initialize([[1.0]], [1e6])
    start = float(net.coefs_[0][0, 0])
    advance(state, 50)
    moved = float(net.coefs_[0][0, 0]) - start
    assert moved == pytest.approx(1e6 * learning_rates("cosine", 1e-6, 0, 50, 50).sum(), rel=1e-3)


@pytest.mark.parametrize("engine", ["kernel", "formula"])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_sum_of_the_losses_takes_the_mean_s_steps_at_the_rate_over_n(engine, weighted):
    X, y = RNG.normal(size=(24, 3)), RNG.normal(size=24)
    weight = RNG.random(24) if weighted else None
    options = {"solver": "sgd", "batch_size": 8, "precision": "float64", "engine": engine, "random_state": 0}
    mean = MLPRegressor((4,), "tanh", learning_rate_init=0.08, alpha=0.5, **options).initialize(X, y, weight)
    total = MLPRegressor((4,), "tanh", learning_rate_init=0.01, alpha=0.5, reduction="sum", **options)
    total = total.initialize(X, y, weight)
    np.testing.assert_allclose(advance(total, 30), advance(mean, 30), rtol=1e-9)
    np.testing.assert_allclose(total.arrays["parameters"], mean.arrays["parameters"], rtol=1e-9)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"name": "newton"}, UnknownNameError),
        ({"learning_rate": 0.0}, InvalidInputError),
        ({"learning_rate": float("nan")}, InvalidInputError),
        ({"momentum": 1.0}, InvalidInputError),
        ({"alpha": -1.0}, InvalidInputError),
        ({"clip_norm": 0.0}, InvalidInputError),
        ({"schedule": "linear"}, UnknownNameError),
    ],
)
def test_a_solver_says_what_it_cannot_be(options, error):
    with pytest.raises(error):
        Solver(**options)
