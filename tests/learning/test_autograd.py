"""The autograd engine against plain torch loops, and its state against interruption."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from glassnet.errors import InvalidInputError, UnknownNameError
from glassnet.learning import autograd
from glassnet.learning.autograd import AutogradEngine, resolve_device, resolve_precision
from glassnet.learning.dropout import Dropout, draws_globally, global_stream
from glassnet.learning.module_arrays import ModuleArrays, initial_arrays, named_trainable
from glassnet.learning.optimizers import Solver
from glassnet.learning.supervised import Supervised
from glassnet.training.batches import epoch_order
from glassnet.training.loop import advance
from glassnet.training.state import TrainingState

RNG = np.random.default_rng(0)
N, BATCH = 50, 16
X = RNG.normal(size=(N, 3, 6, 6)).astype(np.float32)
Y = RNG.integers(4, size=N)
WEIGHT = RNG.uniform(0.5, 2, size=N).astype(np.float32)


def network(dropout: nn.Module | None = None) -> nn.Module:
    """Return a small network with the same weights at every call."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(
            nn.Conv2d(3, 5, 3, padding=1, bias=False), nn.BatchNorm2d(5), nn.ReLU(), nn.Flatten(),
            dropout or nn.Identity(), nn.Linear(5 * 36, 4),
        )  # fmt: skip


def start(module=None, solver=None, accumulate=1, shared=None, seed=1, precision="float32", **options) -> TrainingState:
    module, solver = module or network(), solver or Solver("sgd", 0.05)
    arrays = initial_arrays(module)
    arrays |= solver.initial_slots(arrays["parameters"])
    home = ModuleArrays(module, arrays, shared=shared)
    objective = Supervised(X, Y, **options)
    engine = AutogradEngine(home, solver, objective, accumulate=accumulate, precision=precision)
    return TrainingState(arrays, engine, seed, N, BATCH)


def weights_of(state):
    return state.engine.home.module.state_dict()


def assert_close(ours, theirs, rtol=1e-5, atol=1e-6):
    assert ours.keys() == theirs.keys()
    for name in ours:
        torch.testing.assert_close(ours[name], theirs[name], rtol=rtol, atol=atol)


ALPHA = 0.16
OPTIMIZERS = {
    "sgd": (
        Solver("sgd", 0.05, momentum=0.9, nesterov=False, alpha=ALPHA),
        lambda groups: torch.optim.SGD(groups, 0.05, momentum=0.9),
    ),
    "clipped nesterov": (
        Solver("sgd", 0.05, momentum=0.8, alpha=ALPHA, clip_norm=0.5),
        lambda groups: torch.optim.SGD(groups, 0.05, momentum=0.8, nesterov=True),
    ),
    "adam": (Solver("adam", 0.01, alpha=ALPHA), lambda groups: torch.optim.Adam(groups, 0.01)),
    "adamw": (Solver("adamw", 0.01, alpha=ALPHA), lambda groups: torch.optim.AdamW(groups, 0.01)),
}


@pytest.mark.parametrize(("solver", "make_optimizer"), OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_steps_equal_those_of_a_plain_torch_loop(solver, make_optimizer):
    state, module = start(solver=solver, label_smoothing=0.1), network()
    losses = advance(state, 6)
    weights = [p for p in module.parameters() if p.ndim > 1]
    others = [p for p in module.parameters() if p.ndim <= 1]
    decay = ALPHA if solver.name == "adamw" else 0.0
    optimizer = make_optimizer([{"params": weights, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}])
    expected = []
    for step in range(6):
        order = epoch_order(1, step // 4, N, True)
        rows = order[step % 4 * BATCH : (step % 4 + 1) * BATCH]
        loss = F.cross_entropy(module(torch.from_numpy(X[rows])), torch.from_numpy(Y[rows]), label_smoothing=0.1)
        expected.append(loss.item())
        penalty = 0 if decay else 0.5 * ALPHA / len(rows) * sum(w.square().sum() for w in weights)
        optimizer.zero_grad()
        (loss + penalty).backward()
        if solver.clip_norm:
            assert nn.utils.clip_grad_norm_(module.parameters(), solver.clip_norm) > solver.clip_norm
        optimizer.step()
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    assert_close(weights_of(state), module.state_dict(), rtol=1e-4, atol=1e-5)


def test_sample_weights_are_those_of_the_weighted_sum():
    state = start(sample_weight=WEIGHT)
    loss = advance(state, 1)[0]
    rows = epoch_order(1, 0, N, True)[:BATCH]
    each = F.cross_entropy(network()(torch.from_numpy(X[rows])), torch.from_numpy(Y[rows]), reduction="none")
    expected = (each * torch.from_numpy(WEIGHT[rows])).sum() / (BATCH * WEIGHT.mean())
    assert loss == pytest.approx(expected.item(), rel=1e-6)


def test_squared_error_is_half_the_sum_over_outputs():
    target = RNG.normal(size=(N, 4)).astype(np.float32)
    objective = Supervised(X, target)
    rows, module = torch.arange(7), network()
    z = module(torch.from_numpy(X[:7])).detach().numpy()
    total = objective.total(module, rows, torch.Generator())
    assert total.item() == pytest.approx(0.5 * ((z - target[:7]) ** 2).sum(), rel=1e-5)


def test_accumulation_makes_the_same_step_without_batch_normalization():
    def plain():
        with torch.random.fork_rng():
            torch.manual_seed(0)
            return nn.Sequential(nn.Flatten(), nn.Linear(108, 4))

    whole, parts = start(plain()), start(plain(), accumulate=5)
    np.testing.assert_allclose(advance(whole, 5), advance(parts, 5), rtol=1e-5)
    np.testing.assert_allclose(whole.arrays["parameters"], parts.arrays["parameters"], atol=1e-6)


class Foreign(nn.Module):
    """Somebody's layer: torch's dropout, and a buffer that is replaced, not written into."""

    def __init__(self):
        super().__init__()
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x):
        self.calls = self.calls + 1
        return F.dropout(x, 0.3, self.training)


RANDOM = {"own dropout": lambda: Dropout(0.3), "torch's dropout": lambda: nn.Dropout(0.3), "foreign": Foreign}


@pytest.mark.parametrize("dropout", RANDOM.values(), ids=RANDOM)
@pytest.mark.parametrize("shared", [True, False])
def test_a_state_resumes_in_mid_epoch_to_the_bit(dropout, shared):
    solver = Solver("adam", 0.01, schedule="cosine", total_steps=12)
    straight, broken, resumed = (start(network(dropout()), solver, shared=shared) for _ in range(3))
    advance(straight, 9)
    advance(broken, 6)
    assert broken.position not in (0, broken.steps_per_epoch)
    before = torch.get_rng_state()
    resumed.load_state_dict(broken.state_dict())
    for _ in range(3):
        advance(resumed, 1)
    assert torch.equal(before, torch.get_rng_state())
    for name, array in straight.arrays.items():
        np.testing.assert_array_equal(array, resumed.arrays[name])
    assert "buffer:1.running_mean" in straight.arrays


def test_module_reads_the_live_arrays():
    state = start()
    module = state.engine.home.module
    state.arrays["parameters"][:] = 0
    assert all(not p.any() for p in module.parameters())
    data, grads = [p.data_ptr() for p in module.parameters()], [p.grad.data_ptr() for p in module.parameters()]
    advance(state, 3)
    assert data == [p.data_ptr() for p in module.parameters()]
    assert grads == [p.grad.data_ptr() for p in module.parameters()]
    assert state.arrays["parameters"].any()
    assert state.arrays["buffer:1.num_batches_tracked"] == 3


def test_arrays_that_are_not_aligned_are_replaced():
    arrays = initial_arrays(network())
    size = arrays["parameters"].size
    arrays["parameters"] = np.ones(size + 1, np.float32)[1:]
    home = ModuleArrays(network(), arrays)
    assert arrays["parameters"].ctypes.data % 64 == 0
    arrays["parameters"][0] = 7
    assert home.parameters[0] == next(iter(named_trainable(home.module).values())).flatten()[0] == 7


def test_frozen_parameters_stay_and_tied_ones_count_once():
    module = network()
    module[0].requires_grad_(False)
    before = module[0].weight.clone()
    state = start(module)
    advance(state, 3)
    assert torch.equal(module[0].weight, before)
    assert "frozen:0.weight" in state.arrays
    tied = nn.Sequential(nn.Linear(4, 4, bias=False), nn.Linear(4, 4, bias=False))
    tied[1].weight = tied[0].weight
    assert initial_arrays(tied)["parameters"].shape == (16,)


def test_weights_stand_before_what_is_not_decayed():
    dimensions = [p.ndim > 1 for p in named_trainable(network()).values()]
    assert dimensions == sorted(dimensions, reverse=True)
    assert start().engine.home.n_decayed == 5 * 27 + 4 * 180


def test_l1_penalty_makes_zeros_in_weights_only():
    state = start(solver=Solver("sgd", 0.05, l1=20.0))
    advance(state, 30)
    n = state.engine.home.n_decayed
    assert (state.arrays["parameters"][:n] == 0).mean() > 0.5
    assert (state.arrays["parameters"][n:] != 0).all()


def test_bfloat16_learns_what_float32_learns():
    exact, rounded = start(), start(precision="bfloat16", channels_last=True)
    a, b = advance(exact, 12), advance(rounded, 12)
    assert rounded.arrays["parameters"].dtype == np.float32
    assert not np.array_equal(a, b)
    np.testing.assert_allclose(a, b, rtol=0.05)


def test_who_draws_from_the_global_generator():
    assert not draws_globally(network())
    assert not draws_globally(nn.Sequential(Dropout(0.2), nn.LSTM(3, 3)))
    assert not draws_globally(nn.Sequential(OrderedDict(dropout=Dropout(0.2))))
    assert not draws_globally(nn.MultiheadAttention(4, 2))
    assert draws_globally(nn.MultiheadAttention(4, 2, dropout=0.1))
    assert draws_globally(nn.Sequential(nn.Dropout2d(0.2)))
    assert draws_globally(nn.LSTM(3, 3, 2, dropout=0.1))
    assert draws_globally(Foreign())


def test_dropout_keeps_the_mean_and_its_share():
    layer = Dropout(0.25)
    with global_stream(0, "test"):
        h = layer(torch.ones(40_000))
    assert h.mean().item() == pytest.approx(1, abs=0.02)
    assert (h == 0).float().mean().item() == pytest.approx(0.25, abs=0.02)
    with pytest.raises(InvalidInputError, match=r"\[0, 1\), got p=1"):
        Dropout(1)


def test_wrong_names_and_modules_are_refused(monkeypatch):
    with pytest.raises(UnknownNameError, match="solver of a module: 'lbfgs'"):
        start(solver=Solver("lbfgs"))
    with pytest.raises(UnknownNameError, match="device: 'tpu'"):
        resolve_device("tpu")
    with pytest.raises(UnknownNameError, match="precision: 'float8'"):
        resolve_precision("float8", "cpu")
    with pytest.raises(InvalidInputError, match="no trainable"):
        initial_arrays(nn.ReLU())
    with pytest.raises(InvalidInputError, match="are not those of Linear"):
        ModuleArrays(nn.Linear(2, 2), initial_arrays(nn.Linear(3, 2)))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InvalidInputError, match="device='cuda'"):
        resolve_device("cuda")
    assert resolve_device("auto") == "cpu"


@pytest.mark.parametrize(("seconds", "chosen"), [((1.0, 0.5), "bfloat16"), ((1.0, 0.9), "float32")])
def test_auto_takes_bfloat16_where_it_is_clearly_faster(monkeypatch, seconds, chosen):
    monkeypatch.setattr(autograd, "_probe", lambda device, bfloat16: seconds[bfloat16])
    autograd._faster_precision.cache_clear()
    assert resolve_precision("auto", "cpu") == chosen
    autograd._faster_precision.cache_clear()


def test_the_probe_measures_a_time():
    assert 0 < autograd._probe("cpu", False) < 60
    assert 0 < autograd._probe("cpu", True) < 60
