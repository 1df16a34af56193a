"""trace() against hooks written by hand, on small architectures of every awkward kind."""

from __future__ import annotations

import copy
import threading
import weakref
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from sklearn.linear_model import LinearRegression
from torch import nn
from torch.nn import functional as F

from glassnet.errors import ForwardError, InvalidInputError, UnknownNameError
from glassnet.inspect.nested import tensors_in
from glassnet.inspect.trace import trace
from glassnet.networks.lenet import LeNet5
from glassnet.networks.resnet import ResNet


class Functional(nn.Module):
    """Operations that no layer stands for."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(4, 6), nn.Linear(4, 6)

    def forward(self, x):
        h = F.relu(self.a(x)) + torch.tanh(self.b(x))
        return torch.cat([h, 2 * h], dim=1).softmax(-1)


class Shared(nn.Module):
    """One layer, called three times and known by two names."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(4, 4)
        self.again = self.first
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        return self.head(self.again(self.first(self.first(x)).relu()))


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(4, 5, num_layers=2)
        self.cell = nn.GRUCell(5, 3)

    def forward(self, x):
        sequence, _ = self.lstm(x)
        h = x.new_zeros(x.shape[1], 3)
        for step in sequence:
            h = self.cell(step, h)
        return h


class InPlace(nn.Module):
    """Everything that writes into what came before."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 4)
        self.relu, self.drop = nn.ReLU(inplace=True), nn.Dropout(0.5, inplace=True)
        self.norm = nn.BatchNorm1d(4)

    def forward(self, x):
        x += 1
        h = self.relu(self.norm(self.a(x)))
        h *= 2
        h[:, 0] = 7
        g = self.drop(self.b(h))
        g.T.add_(1)
        torch.mul(g, 3, out=g)
        F.leaky_relu(g, 0.1, True)
        k = self.c(g)
        k.data.zero_()
        return k + g


class DirtyFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.mark_dirty(x)
        return x.mul_(2)

    @staticmethod
    def backward(ctx, grad):
        return 2 * grad


class HiddenWrite(nn.Module):
    """A write inside a custom function, which no torch function shows."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 4)
        self.runs = 0

    def forward(self, x):
        self.runs += 1
        h = self.a(x)
        DirtyFunction.apply(h)
        return self.b(h)


@dataclass
class Answer:
    scores: torch.Tensor
    parts: list[torch.Tensor]
    name: str


class Nested(nn.Module):
    """Dicts, tuples, lists, data classes and keywords, in and out."""

    class Pair(nn.Module):
        def forward(self, both, *, scale, extra=None):
            return {"sum": both["x"] + both["y"], "all": (both["x"] * scale, [both["y"]])}

    def __init__(self):
        super().__init__()
        self.pair, self.head = self.Pair(), nn.Bilinear(4, 4, 2)

    def forward(self, x, y, scale):
        out = self.pair({"x": x, "y": y}, scale=scale)
        return Answer(self.head(out["sum"], out["all"][1][0]), [out["all"][0]], "an answer")


class Attention(nn.Module):
    """Attention whose weights the call does not return."""

    def __init__(self):
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.multi = nn.MultiheadAttention(8, 4, batch_first=True)

    def forward(self, x):
        h, _ = self.multi(self.layer(x), x, x, need_weights=False)
        return F.scaled_dot_product_attention(h, h, h, is_causal=True)


class Recovering(nn.Module):
    """A model that catches what its layer raises."""

    def __init__(self):
        super().__init__()
        self.wrong, self.right = nn.Linear(3, 2), nn.Linear(4, 2)

    def forward(self, x):
        try:
            return self.wrong(x)
        except RuntimeError:
            return self.right(x).relu()


class Caching(nn.Module):
    """A layer that returns a view of its buffer, which the next call changes."""

    def __init__(self):
        super().__init__()
        self.store = nn.Module()
        self.store.register_buffer("memory", torch.zeros(2, 4))
        self.store.forward = self.remember

    def remember(self, x):
        self.store.memory += x
        return self.store.memory[:]

    def forward(self, x):
        return self.store(x) * self.store(x)


def sample(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(3))


def plain(*layers):
    return nn.Sequential(*layers)


ARCHITECTURES = {
    "dense": (lambda: plain(nn.Linear(4, 8), nn.Tanh(), plain(nn.Linear(8, 3), nn.Softmax(1))), (sample(5, 4),)),
    "convolution": (lambda: LeNet5("1998"), (sample(2, 1, 28, 28),)),
    "residual": (lambda: ResNet(20), (sample(2, 3, 16, 16),)),
    "functional": (Functional, (sample(5, 4),)),
    "shared": (Shared, (sample(5, 4),)),
    "recurrent": (Recurrent, (sample(6, 2, 4),)),
    "in place": (InPlace, (sample(5, 4),)),
    "hidden write": (HiddenWrite, (sample(5, 4),)),
    "nested": (Nested, (sample(3, 4), sample(4, 3).T, 2.0)),
    "attention": (Attention, (sample(2, 5, 8),)),
    "recovering": (Recovering, (sample(2, 4),)),
    "caching": (Caching, (sample(2, 4),)),
    "embedding": (lambda: plain(nn.Embedding(9, 4), nn.LayerNorm(4), nn.Flatten()), (torch.arange(6).reshape(2, 3),)),
}


def build(name, training):
    torch.manual_seed(0)
    make, inputs = ARCHITECTURES[name]
    return make().train(training), inputs


def by_hooks(model, inputs):
    """Record copies of all inputs and outputs by hooks, as one would write them."""
    seen, numbers = {}, Counter()
    addresses = {layer: address for address, layer in model.named_modules()}

    def before(layer, args, kwargs):
        inside = args[0] if len(args) == 1 and not kwargs else args
        found = [*tensors_in("input", inside), *tensors_in("input", kwargs)]
        key = addresses[layer], numbers[layer]
        numbers[layer] += 1
        seen[key] = {name: tensor.clone() for name, tensor in found}
        open_calls.append(key)

    def after(layer, args, kwargs, output):
        key = open_calls.pop()
        while key[0] != addresses[layer]:
            key = open_calls.pop()
        seen[key] |= {name: tensor.clone() for name, tensor in tensors_in("output", output)}

    open_calls = []
    for layer in model.modules():
        layer.register_forward_pre_hook(before, with_kwargs=True)
        layer.register_forward_hook(after, with_kwargs=True)
    with torch.no_grad():
        result = model(*(x.clone() if isinstance(x, torch.Tensor) else x for x in inputs))
    return seen, result


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_equals_hand_written_hooks(name, training):
    model, inputs = build(name, training)
    torch.manual_seed(7)
    expected, result = by_hooks(copy.deepcopy(model), inputs)
    torch.manual_seed(7)
    seen = trace(model, *inputs)
    layers = {(c.address, c.number): c for c in seen.calls if not c.is_operation}
    assert list(layers) == list(expected)
    for key, values in expected.items():
        recorded = {q: t for q, t in layers[key].values.items() if q.split(".")[0] in ("input", "output")}
        assert list(recorded) == list(values)
        for quantity, tensor in values.items():
            close = name == "attention" and not training  # hooks leave the fused path of attention on
            assert torch.allclose(recorded[quantity], tensor, atol=1e-6 if close else 0, rtol=0), (key, quantity)
            assert layers[key].shapes[quantity] == tuple(tensor.shape)
            assert len(seen[(*key, quantity)].dims) == tensor.ndim
    for got, wanted in zip(tensors_in("", seen.result), tensors_in("", result), strict=True):
        assert torch.allclose(got[1], wanted[1], atol=1e-6 if name == "attention" else 0, rtol=0)


def test_hooks_of_the_user_come_first():
    model = plain(nn.Linear(4, 4))
    model[0].register_forward_pre_hook(lambda _layer, args: (args[0] + 1,))
    model[0].register_forward_hook(lambda _layer, _args, out: out * 10)
    x = sample(2, 4)
    seen = trace(model, x)
    assert torch.equal(seen["0", 0, "input"].tensor, x + 1)
    assert torch.equal(seen["0"].tensor, 10 * F.linear(x + 1, model[0].weight, model[0].bias))


def test_hooks_on_all_modules_are_seen_too():
    model, x = plain(nn.Linear(4, 4), nn.ReLU()), sample(2, 4)
    handle = nn.modules.module.register_module_forward_hook(lambda _layer, _args, out: out + 1)
    try:
        seen = trace(model, x)
    finally:
        handle.remove()
    assert torch.equal(seen["0"].tensor, model[0](x) + 1)
    assert torch.equal(seen["1", 0, "input"].tensor, seen["0"].tensor)


def test_functional_operations():
    model, (x,) = build("functional", True)
    seen = trace(model, x)
    operations = [(c.address, c.number) for c in seen.calls if c.is_operation]
    assert operations == [(":relu", 0), (":tanh", 0), (":add", 0), (":mul", 0), (":cat", 0), (":softmax", 0)]
    a, b = seen["a"].tensor, seen["b"].tensor
    assert torch.equal(seen[":add"].tensor, a.relu() + b.tanh())
    assert torch.equal(seen[":add", 0, "input.1"].tensor, b.tanh())
    assert torch.equal(seen[":softmax"].tensor, model(x))
    assert seen[":add", 0, "input.0"].tensor is seen[":relu"].tensor  # what flows where can be told by identity


def test_operations_that_write_keep_their_input():
    model, (x,) = build("in place", False)
    seen = trace(model, x)
    assert torch.equal(seen[":add", 0, "input.0"].tensor, x)
    assert torch.equal(seen[":add"].tensor, x + 1)
    assert torch.equal(seen[":setitem", 0, "input.0"].tensor, 2 * seen["relu"].tensor)
    assert torch.equal(seen[":setitem"].tensor[:, 0], torch.full((5,), 7.0))
    assert torch.equal(seen[":add", 1].tensor, seen["b"].tensor.T + 1)


def test_hidden_writes_repeat_the_pass_and_others_do_not():
    model, (x,) = build("hidden write", False)
    trace(model, x)
    assert model.runs == 2
    model = plain(nn.Linear(4, 4), nn.ReLU(inplace=True))
    runs = []
    model.register_forward_pre_hook(lambda *_: runs.append(1))
    trace(model, x)
    assert len(runs) == 1


def test_values_outlive_later_writes():
    model, (x,) = build("dense", False)
    seen = trace(model, x)
    expected = {key: seen[key].tensor.clone() for key in seen}
    with torch.no_grad():
        for tensor in (x, seen.result, *model.parameters()):
            tensor.fill_(9)
    assert all(torch.equal(seen[key].tensor, expected[key]) for key in seen)
    model = plain(nn.BatchNorm1d(4))
    model[0].forward = lambda _x: model[0].running_var
    seen = trace(model, x)
    model[0].running_var.zero_()
    assert torch.equal(seen["0"].tensor, torch.ones(4))


def test_shared_layers_have_one_record_and_all_their_names():
    model, (x,) = build("shared", True)
    seen = trace(model, x)
    assert [c.number for c in seen.calls if c.address == "first"] == [0, 1, 2]
    assert seen["again", 2].tensor is seen["first", 2].tensor
    assert seen.aliases == {"again": "first"}
    assert next(iter(trace(model, x, layers="again")))[0] == "first"


@pytest.mark.parametrize("name", ["dense", "residual", "shared", "recurrent", "in place", "hidden write", "attention"])
def test_gradients_equal_retained_ones(name):
    model, inputs = build(name, False)
    if name == "in place":
        model.forward = lambda x: model.b(model.relu(model.norm(model.a(x)))).add_(3)  # writes that autograd allows
    other, leaf = copy.deepcopy(model), inputs[0].clone().requires_grad_()
    if name == "in place":
        other.forward = lambda x: other.b(other.relu(other.norm(other.a(x)))).add_(3)
    gradients, numbers = {}, Counter()

    def keep(address, _layer, _args, output):
        tensor = output[0] if isinstance(output, tuple) else output
        key = address, numbers[address]
        numbers[address] += 1
        tensor.register_hook(lambda grad: gradients.update({key: grad}))

    for address, layer in other.named_modules():
        layer.register_forward_hook(lambda *a, address=address: keep(address, *a))
    other(leaf.clone()).sum().backward()
    seen = trace(model, *inputs, gradients=True)
    root = seen["", 0, "input.gradient"].tensor
    torch.testing.assert_close(root, leaf.grad)
    for (address, number), grad in gradients.items():
        quantity = next(q for q in ("output", "output.0") if (address, number, q) in seen)
        torch.testing.assert_close(seen[address, number, f"{quantity}.gradient"].tensor, grad)
    for address, layer in other.named_modules():
        for parameter, value in layer.named_parameters(recurse=False):
            if address in numbers:
                torch.testing.assert_close(seen[address, 0, f"{parameter}.gradient"].tensor, value.grad)
    assert all(p.grad is None for p in model.parameters())


def test_gradients_of_a_chosen_scalar():
    model, (x,) = build("dense", True)
    seen = trace(model, x, gradients=lambda scores: scores[0, 1])
    model(x)[0, 1].backward()
    assert torch.equal(seen["0", 0, "weight.gradient"].tensor, model[0].weight.grad)
    assert seen["0", 0, "weight.gradient"].dims == ("output", "input")
    with pytest.raises(InvalidInputError, match="gradients"):
        trace(plain(nn.Embedding(3, 2)).requires_grad_(False), torch.arange(3), gradients=True)


def test_names_of_axes():
    model, inputs = build("residual", False)
    seen = trace(model, *inputs)
    image = ("batch", "channel", "height", "width")
    assert seen["", 0, "input"].dims == seen["layer1.0:add"].dims == seen["layer2"].dims == image
    assert seen["fc"].dims == seen[""].dims == ("batch", "unit")
    assert seen["conv1", 0, "weight"].dims == ("output", "input", "height", "width")
    model, inputs = build("recurrent", False)
    seen = trace(model, *inputs)
    assert seen["", 0, "input"].dims == seen["lstm", 0, "output.0"].dims == ("position", "batch", "unit")
    assert seen["lstm", 0, "output.1.0"].dims == ("layer", "batch", "unit")
    model, inputs = build("embedding", False)
    seen = trace(model, *inputs)
    assert seen["1"].dims == ("batch", "position", "unit")
    assert seen["0", 0, "weight"].dims == ("token", "unit")
    assert repr(seen["1"]) == "NamedTensor(batch: 2, position: 3, unit: 4)"
    assert np.asarray(seen["1"]).shape == (2, 3, 4)


def test_chosen_layers():
    model, inputs = build("residual", False)
    seen = trace(model, *inputs, layers=["layer1.0:add", "fc"])
    assert {address for address, _, _ in seen} == {"layer1.0:add", "fc"}
    everything = trace(model, *inputs)
    assert torch.equal(seen["layer1.0:add"].tensor, everything["layer1.0:add"].tensor)
    outline = trace(model, *inputs, layers=())
    assert len(outline) == 0
    assert [(c.address, c.number, c.shapes) for c in outline.calls] == [
        (c.address, c.number, c.shapes) for c in everything.calls
    ]


def memory_of(seen):
    storages = {seen[key].tensor.untyped_storage().data_ptr(): seen[key].tensor.untyped_storage() for key in seen}
    return sum(storage.nbytes() for storage in storages.values())


@pytest.mark.parametrize("name", ["dense", "residual", "recurrent"])
def test_too_large_a_trace_says_how_much_it_would_take(name):
    model, inputs = build(name, False)
    needed = memory_of(trace(model, *inputs))
    assert memory_of(trace(model, *inputs, max_bytes=needed)) == needed
    with pytest.raises(InvalidInputError, match=f"would take {needed:,} bytes, more than max_bytes={needed - 1:,}"):
        trace(model, *inputs, max_bytes=needed - 1)
    few = memory_of(trace(model, *inputs, layers=""))
    assert memory_of(trace(model, *inputs, layers="", max_bytes=few)) == few


def test_nothing_is_kept_beyond_max_bytes():
    alive = []

    class Long(nn.Module):
        def forward(self, x):
            for _ in range(20):
                x = x * 1.01
                alive.append(weakref.ref(x))
            kept.append(sum(tensor() is not None for tensor in alive))
            return x

    kept = []
    with pytest.raises(InvalidInputError, match="max_bytes"):
        trace(Long(), torch.zeros(1000), max_bytes=10_000)
    assert kept == [1]


def test_a_raising_layer_is_named():
    model = plain(nn.Linear(4, 6), plain(nn.ReLU(), nn.Linear(5, 2)))
    with pytest.raises(
        ForwardError, match=r"layer '1\.1' \(Linear, call 0\) with input \(3, 6\), weight \(2, 5\)"
    ) as e:
        trace(model, sample(3, 4))
    assert e.value.address == "1.1"
    assert isinstance(e.value.__cause__, RuntimeError)
    seen = e.value.trace
    assert torch.equal(seen["1.0"].tensor, seen["0"].tensor.relu())
    assert ("1.1", 0, "input") in seen
    assert ("1.1", 0, "output") not in seen


def test_a_raising_operation_is_named():
    class Wrong(nn.Module):
        def forward(self, x):
            return x.relu() + torch.ones(7)

    with pytest.raises(ForwardError, match=r"operation 'inner:add' .* with input.0 \(3, 4\), input.1 \(7,\)"):
        trace(Outer(Wrong()), sample(3, 4))
    with pytest.raises(ForwardError, match=r"the model itself \(Outer\) with input \(3, 4\): ValueError: no"):
        trace(Outer(Identity(), error=ValueError("no")), sample(3, 4))


class Identity(nn.Module):
    def forward(self, x):
        return x


class Outer(nn.Module):
    def __init__(self, inner, error=None):
        super().__init__()
        self.inner, self.error = inner, error

    def forward(self, x):
        x = self.inner(x)
        if self.error:
            raise self.error
        return x


def test_other_threads_are_not_recorded():
    class Threaded(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.Linear(4, 4)

        def forward(self, x):
            worker = threading.Thread(target=self.a, args=(x,))
            worker.start()
            worker.join()
            return self.a(x)

    seen = trace(Threaded(), sample(2, 4))
    assert [c.address for c in seen.calls] == ["", "a"]


def test_unknown_addresses_offer_the_nearest():
    model, inputs = build("residual", False)
    with pytest.raises(UnknownNameError, match=r"Did you mean 'layer1\.0\.conv."):
        trace(model, *inputs, layers="layer1.0.conv")
    with pytest.raises(UnknownNameError, match=r"Did you mean 'layer1\.0:add'"):
        trace(model, *inputs, layers="layer1.0:sub")
    seen = trace(model, *inputs)
    with pytest.raises(UnknownNameError, match=r"Did you mean 'layer\d'"):
        seen["layer"]
    with pytest.raises(UnknownNameError, match=r"call of 'layer1\.0\.relu': 2\. Allowed: 0, 1"):
        seen["layer1.0.relu", 2]
    with pytest.raises(UnknownNameError, match=r"quantity of 'fc': 'gradient'\. Allowed: bias, input, output, weight"):
        seen["fc", 0, "gradient"]
    assert ("fc", 0, "gradient") not in seen


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_models_that_cannot_be_opened_are_refused():
    x = sample(2, 4)
    with pytest.raises(InvalidInputError, match=r"scripted model \(layer '0'\)"):
        trace(plain(torch.jit.trace(nn.Linear(4, 4), x)), x)
    compiled = plain(nn.Linear(4, 4))
    compiled[0]._compiled_call_impl = compiled[0]._call_impl  # what Module.compile sets
    with pytest.raises(InvalidInputError, match=r"compiled model \(layer '0'\)"):
        trace(compiled, x)
    with pytest.raises(InvalidInputError, match="call the model once"):
        trace(nn.LazyLinear(3), x)
    with pytest.raises(InvalidInputError, match="Cannot look inside LinearRegression"):
        trace(LinearRegression(), x)


def test_arrays_take_the_precision_of_the_model():
    model, x = plain(nn.Linear(4, 2)), np.ones((3, 4))
    assert trace(model, x)["0"].tensor.dtype == torch.float32
    assert trace(model.double(), x.astype(np.float32))["0"].tensor.dtype == torch.float64


def test_non_finite_values_are_found():
    class Logarithm(nn.Module):
        def forward(self, x):
            return x.log()

    seen = trace(plain(nn.Identity(), Logarithm()), torch.tensor([[1.0, -1.0]]))
    assert seen.non_finite() == [("", 0, "output"), ("1", 0, "output"), ("1:log", 0, "output")]


def test_estimators_that_hold_a_module():
    class Holder:
        module_ = plain(nn.Linear(4, 2))

    x = sample(3, 4)
    assert torch.equal(trace(Holder(), x)["0"].tensor, Holder.module_(x))
