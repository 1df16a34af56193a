"""A traced model is left as it was: state, modes, hooks, gradients and random generators."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from torch import nn

from glassnet.errors import ForwardError
from glassnet.inspect.trace import trace


def sample(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(3))


def random_states():
    return random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()  # noqa: NPY002


def condition(model):
    layers = list(model.modules())
    return (
        {name: tensor.clone() for name, tensor in model.state_dict().items()},
        [layer.training for layer in layers],
        [(dict(layer._forward_hooks), dict(layer._forward_pre_hooks)) for layer in layers],
        [sorted(vars(layer)) for layer in layers],
        [p.grad for p in model.parameters()],
        [p.requires_grad for p in model.parameters()],
        [id(b) for b in model.buffers()],
        random_states(),
    )


class Restless(nn.Module):
    """Changes everything that a forward pass can change, then raises if asked to."""

    def __init__(self):
        super().__init__()
        self.norm, self.table, self.drop = nn.BatchNorm1d(4), nn.Embedding(5, 4, max_norm=0.1), nn.Dropout(0.5)
        self.noise = torch.Generator().manual_seed(1)
        self.register_buffer("calls", torch.zeros(1))

    def forward(self, x, broken=False):
        self.calls = self.calls + 1
        h = self.drop(self.norm(x)) + torch.randn(4, generator=self.noise) + random.random()
        h = h + float(np.random.rand()) + self.table(torch.arange(2))  # noqa: NPY002
        self.drop.eval()
        return h.reshape(-1, 3) if broken else h


@pytest.mark.parametrize("broken", [False, True])
@pytest.mark.parametrize("gradients", [False, True])
def test_the_model_is_left_as_found(broken, gradients):
    model = Restless()
    hook = model.norm.register_forward_hook(lambda *_: None)
    model.table.weight.requires_grad_(False)
    x, noise = sample(2, 4), model.noise.get_state()
    kept = x.clone()
    before = condition(model)
    try:
        trace(model, x, gradients=gradients, kwargs={"broken": broken})
    except ForwardError:
        assert broken
    after = condition(model)
    assert all(torch.equal(before[0][name], after[0][name]) for name in before[0])
    assert before[1:] == after[1:]
    assert torch.equal(model.noise.get_state(), noise)
    assert torch.equal(x, kept)
    assert hook.id in model.norm._forward_hooks


class Outer(nn.Module):
    def __init__(self, inner, error=None):
        super().__init__()
        self.inner, self.error = inner, error

    def forward(self, x):
        x = self.inner(x)
        if self.error:
            raise self.error
        return x


def test_an_interrupt_passes_and_leaves_nothing_behind():
    model = Outer(nn.Linear(4, 4), error=KeyboardInterrupt())
    model.inner.register_forward_hook(lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        trace(model, sample(2, 4))
    assert not model._forward_hooks
    assert len(model.inner._forward_hooks) == 1
    assert "forward" not in vars(model.inner)
    assert torch.overrides.has_torch_function((sample(2),)) is False
    assert not torch.overrides._is_torch_function_mode_enabled()
    assert list(trace(Outer(nn.ReLU()), sample(2)))  # torch functions are shown again
