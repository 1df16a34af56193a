"""Traces of Hugging Face models, where that library is installed: randomly initialised, tiny, nothing is downloaded."""

from __future__ import annotations

import copy

import pytest
import torch

from glassnet.inspect.nested import tensors_in
from glassnet.inspect.trace import trace

transformers = pytest.importorskip("transformers")

TOKENS = torch.arange(12).reshape(2, 6)
SIZES = {"vocab_size": 40, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4}


def bert(attention):
    config = transformers.BertConfig(**SIZES, intermediate_size=24, attn_implementation=attention)
    return transformers.BertModel(config)


def gpt2(attention):
    config = transformers.GPT2Config(vocab_size=40, n_embd=16, n_layer=2, n_head=4, attn_implementation=attention)
    return transformers.GPT2LMHeadModel(config)


@pytest.mark.parametrize("make", [bert, gpt2])
def test_equals_hooks_and_shows_attention(make):
    torch.manual_seed(0)
    model = make("sdpa").eval()
    expected = {}

    def keep(address, _layer, _args, output):
        expected[address] = {name: value.clone() for name, value in tensors_in("output", output)}

    hooked = copy.deepcopy(model)
    for address, layer in hooked.named_modules():
        layer.register_forward_hook(lambda *call, address=address: keep(address, *call))
    with torch.no_grad():
        result = hooked(input_ids=TOKENS)
    seen = trace(model, kwargs={"input_ids": TOKENS})
    calls = {call.address: call for call in seen.calls if not call.is_operation}
    assert calls.keys() == expected.keys()
    for address, values in expected.items():
        for name, value in values.items():
            torch.testing.assert_close(calls[address].values[name], value)
    assert torch.equal(next(iter(seen.result.values())), next(iter(result.values())))
    eager = make("eager").eval()
    eager.load_state_dict(model.state_dict())
    with torch.no_grad():
        wanted = eager(input_ids=TOKENS, output_attentions=True).attentions
    found = [call.values["attention"] for call in seen.calls if "attention" in call.values and call.is_operation]
    assert len(found) == len(wanted) == 2
    for got, weights in zip(found, wanted, strict=True):
        torch.testing.assert_close(got, weights)
