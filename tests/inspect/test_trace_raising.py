"""Traces of models that raise: equal to hooks written by hand up to the error, which names where."""

from __future__ import annotations

import copy
from collections import Counter

import pytest
import torch
from torch import nn

from glassnet.errors import ForwardError
from glassnet.inspect.trace import trace


class InALayer(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Sequential(nn.Linear(4, 6), nn.ReLU()), nn.Linear(5, 2)

    def forward(self, x):
        return self.second(self.first(x))


class InTheSecondCall(nn.Module):
    """A shared layer that takes its own output no more."""

    def __init__(self):
        super().__init__()
        self.shared = nn.Linear(4, 3)

    def forward(self, x):
        return self.shared(self.shared(x))


class InAnOperation(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(4, 3), nn.Linear(4, 2)

    def forward(self, x):
        return self.a(x) + self.b(x)


class InOwnCode(nn.Module):
    """Raises where no torch function is to blame, after writing in place."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(4)

    def forward(self, x):
        h = self.norm(x)
        h.mul_(2)
        raise KeyError("scores")


class InARecurrence(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell, self.head = nn.GRUCell(4, 4), nn.Linear(4, 1)

    def forward(self, x):
        h = torch.zeros(len(x), 4)
        for step in range(3):
            h = self.cell(x, h)
            if step == 2:
                h = h[:, :3]
        return self.head(h)


RAISING = {
    InALayer: ("second", r"layer 'second' \(Linear, call 0\) with input \(3, 6\), weight \(2, 5\)"),
    InTheSecondCall: ("shared", r"layer 'shared' \(Linear, call 1\) with input \(3, 3\), weight \(3, 4\)"),
    InAnOperation: (":add", r"operation ':add' \(add, call 0\) with input\.0 \(3, 3\), input\.1 \(3, 2\)"),
    InOwnCode: ("", r"the model itself \(InOwnCode\).*KeyError: 'scores'"),
    InARecurrence: ("head", r"layer 'head' \(Linear, call 0\) with input \(3, 3\), weight \(1, 4\)"),
}


def until_it_raises(model, x):
    """Record outputs by hooks, and the error."""
    seen, numbers = {}, Counter()

    def keep(address, _layer, _args, output):
        seen[address, numbers[address]] = output.clone()
        numbers[address] += 1

    for address, layer in model.named_modules():
        layer.register_forward_hook(lambda *call, address=address: keep(address, *call))
    with torch.no_grad(), pytest.raises((RuntimeError, KeyError)) as caught:
        model(x.clone())
    return seen, caught.value


@pytest.mark.parametrize("make", RAISING)
def test_the_trace_until_the_error_equals_hooks(make):
    torch.manual_seed(0)
    model, x = make(), torch.randn(3, 4, generator=torch.Generator().manual_seed(1))
    expected, error = until_it_raises(copy.deepcopy(model), x)
    before, random = copy.deepcopy(model.state_dict()), torch.get_rng_state()
    address, message = RAISING[make]
    with pytest.raises(ForwardError, match=message) as caught:
        trace(model, x)
    assert type(caught.value.__cause__) is type(error)
    assert caught.value.address == address
    seen = caught.value.trace
    outputs = {
        (c.address, c.number): c.values["output"] for c in seen.calls if not c.is_operation and "output" in c.values
    }
    assert outputs.keys() == expected.keys()
    assert all(torch.equal(outputs[key], expected[key]) for key in expected)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), random)
    assert not any(layer._forward_hooks or "forward" in vars(layer) for layer in model.modules())
