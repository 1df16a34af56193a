"""Attention weights that a call does not return, against calls that do."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from glassnet.inspect.trace import trace


def sample(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(3))


class Attention(nn.Module):
    """Attention whose weights the call does not return."""

    def __init__(self):
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.multi = nn.MultiheadAttention(8, 4, batch_first=True)

    def forward(self, x):
        h, _ = self.multi(self.layer(x), x, x, need_weights=False)
        return F.scaled_dot_product_attention(h, h, h, is_causal=True)


@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("training", [True, False])
def test_attention_of_multihead_attention(batch_first, training):
    torch.manual_seed(0)
    layer, x = nn.MultiheadAttention(8, 2, dropout=0.3, batch_first=batch_first).train(training), sample(3, 3, 8)
    mask = torch.ones(3, 3).triu(1).bool()
    seen = trace(layer, x, x, x, kwargs={"attn_mask": mask, "need_weights": False})
    _, expected = layer.eval()(x, x, x, attn_mask=mask, average_attn_weights=False)
    got = seen["", 0, "attention"]
    torch.testing.assert_close(got.tensor, expected)
    assert got.dims == ("batch", "head", "query", "key")
    assert seen["", 0, "in_proj_weight"].shape == (24, 8)
    assert seen["", 0, "out_proj.weight"].shape == (8, 8)


def test_attention_that_the_fast_path_hides():
    torch.manual_seed(0)
    model, x = Attention().eval(), sample(2, 5, 8)
    with torch.no_grad():
        fast = model(x)
    seen = trace(model, x)
    torch.testing.assert_close(seen.result, fast)
    inner = model.layer.self_attn
    _, expected = inner(x, x, x, average_attn_weights=False)
    torch.testing.assert_close(seen["layer.self_attn", 0, "attention"].tensor, expected)
    assert seen["multi", 0, "attention"].shape == (2, 4, 5, 5)


@pytest.mark.parametrize("mask", [None, "bool", "float", "causal"])
def test_attention_of_the_fused_function(mask):
    q, k, v = sample(2, 3, 4, 8), sample(2, 3, 4, 8) + 1, torch.eye(4).expand(2, 3, 4, 4)
    given = {"bool": sample(4, 4) > -1, "float": sample(2, 1, 4, 4)}.get(mask)

    class Net(nn.Module):
        def forward(self, q, k, v):
            return F.scaled_dot_product_attention(q, k, v, attn_mask=given, is_causal=mask == "causal", scale=0.7)

    seen = trace(Net(), q, k, v)
    weights = seen[":scaled_dot_product_attention", 0, "attention"].tensor
    torch.testing.assert_close(weights, seen.result)  # the values are unit vectors
    assert seen["", 0, "attention"].tensor is weights
