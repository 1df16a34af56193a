"""The Transformer against torch's own layers with copied weights, and against the paper's counts."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from glassnet import registry
from glassnet.errors import InvalidInputError, UnknownNameError
from glassnet.learning.dropout import Dropout, draws_globally
from glassnet.networks.attention import (
    KeyValueCache,
    MultiHeadAttention,
    fused_attention,
    scaled_dot_product_attention,
)
from glassnet.networks.gpt import GPT
from glassnet.networks.transformer import (
    DecoderLayer,
    EncoderLayer,
    FeedForward,
    Transformer,
    sinusoidal_positions,
    transformer_base,
    transformer_big,
)

D_MODEL, HEADS, D_FF = 12, 3, 20
SMALL = {"d_model": D_MODEL, "n_heads": HEADS, "d_ff": D_FF, "n_layers": 2}
close = torch.testing.assert_close


@pytest.fixture(autouse=True)
def seeded():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def padding_mask(*lengths: int) -> torch.Tensor:
    return torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]


def randomized(module: nn.Module) -> nn.Module:
    """Give biases and norms values that a test can tell from their start."""
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.5)
    return module.eval()


def copy_attention(ours: MultiHeadAttention, theirs: nn.MultiheadAttention) -> None:
    state = {"in_proj_weight": ours.qkv.weight, "in_proj_bias": ours.qkv.bias}
    state |= {f"out_proj.{name}": value for name, value in ours.output.state_dict().items()}
    theirs.load_state_dict(state)


def copy_layer(ours: EncoderLayer | DecoderLayer, theirs: nn.Module) -> nn.Module:
    copy_attention(ours.self_attention, theirs.self_attn)
    if isinstance(ours, DecoderLayer):
        copy_attention(ours.cross_attention, theirs.multihead_attn)
        theirs.norm3.load_state_dict(ours.add_norm3.norm.state_dict())
    for name in ("linear1", "linear2"):
        getattr(theirs, name).load_state_dict(getattr(ours.feed_forward, name).state_dict())
    theirs.norm1.load_state_dict(ours.add_norm1.norm.state_dict())
    theirs.norm2.load_state_dict(ours.add_norm2.norm.state_dict())
    return theirs.eval()


# ---------------------------------------------------------------------------- equation 1


def attention_by_loops(query, key, value, visible):
    """Equation 1, one query at a time, in plain Python."""
    output = torch.zeros(*query.shape[:3], value.shape[-1], dtype=query.dtype)
    weights = torch.zeros(*query.shape[:3], key.shape[2], dtype=query.dtype)
    for b, h, i in torch.cartesian_prod(*map(torch.arange, query.shape[:3])).tolist():
        keys = [j for j in range(key.shape[2]) if visible[b, h, i, j]]
        exps = [math.exp(float(query[b, h, i] @ key[b, h, j]) / math.sqrt(query.shape[-1])) for j in keys]
        for j, e in zip(keys, exps, strict=True):
            weights[b, h, i, j] = e / sum(exps)
            output[b, h, i] += e / sum(exps) * value[b, h, j]
    return output, weights


@st.composite
def attention_inputs(draw):
    batch, heads, n_queries, n_keys, d = (draw(st.integers(1, top)) for top in (2, 2, 4, 5, 3))
    noise = torch.Generator().manual_seed(draw(st.integers(0, 1000)))
    query = torch.randn(batch, heads, n_queries, d, generator=noise, dtype=torch.float64)
    key, value = torch.randn(2, batch, heads, n_keys, d, generator=noise, dtype=torch.float64)
    shapes = {
        "none": None,
        "padding": (batch, n_keys),
        "full": (batch, heads, n_queries, n_keys),
        "per query": (1, 1, n_queries, n_keys),
    }
    shape = shapes[draw(st.sampled_from(sorted(shapes)))]
    mask = None if shape is None else torch.rand(shape, generator=noise) < 0.6
    return query, key, value, mask, draw(st.booleans())


@settings(max_examples=60, deadline=None)
@given(attention_inputs())
def test_formula_and_fused_path_equal_loops(inputs):
    query, key, value, mask, causal = inputs
    batch, heads, n_queries, n_keys = *query.shape[:3], key.shape[2]
    visible = torch.ones(batch, heads, n_queries, n_keys, dtype=torch.bool)
    if mask is not None:
        visible = visible & (mask[:, None, None] if mask.dim() == 2 else mask)
    if causal:  # the last query stands at the last key
        offset = n_keys - n_queries
        visible = visible & torch.tensor([[j <= i + offset for j in range(n_keys)] for i in range(n_queries)])
    expected, expected_weights = attention_by_loops(query, key, value, visible)
    output, weights = scaled_dot_product_attention(query, key, value, mask, causal)
    close(output, expected)
    close(weights, expected_weights)
    close(fused_attention(query, key, value, mask, causal), expected)


def test_formula_equals_torch():
    query, key, value = torch.randn(3, 2, 3, 5, 4)
    mask = torch.rand(2, 1, 5, 5) < 0.7
    mask[..., 0] = True
    close(
        scaled_dot_product_attention(query, key, value, mask)[0],
        F.scaled_dot_product_attention(query, key, value, mask),
    )


@pytest.mark.parametrize("n_keys", [20, 200])
def test_bfloat16_path_equals_float32_within_its_precision(n_keys):
    inputs = [torch.randn(2, 2, n_keys, 8, requires_grad=True) for _ in range(3)]
    rounded = [x.detach().bfloat16().requires_grad_() for x in inputs]
    mask = padding_mask(n_keys, n_keys - 7)
    exact = torch.autograd.grad(fused_attention(*inputs, mask).square().sum(), inputs)
    output = fused_attention(*rounded, mask)
    assert output.dtype == torch.bfloat16
    for got, expected in zip(torch.autograd.grad(output.float().square().sum(), rounded), exact, strict=True):
        assert float((got.float() - expected).norm() / expected.norm()) < 0.02


@pytest.mark.parametrize("attention", [scaled_dot_product_attention, fused_attention])
@pytest.mark.parametrize("shape", [(4, 5), (2, 4), (5,), (2, 2, 5, 5), (2, 5, 5)])
def test_wrong_mask_is_named(attention, shape):
    query = torch.randn(2, 3, 5, 4)
    with pytest.raises(InvalidInputError, match=r"mask has shape .*allowed: .*\(2, 5\).*\(2, 3, 5, 5\)"):
        attention(query, query, query, torch.ones(shape, dtype=torch.bool))
    with pytest.raises(InvalidInputError, match=r"torch\.float32"):
        attention(query, query, query, torch.ones(2, 5))


# --------------------------------------------------------------------- multi-head attention


@pytest.mark.parametrize("mask", [None, padding_mask(6, 4)])
@pytest.mark.parametrize("causal", [False, True])
def test_self_attention_equals_torch(mask, causal):
    ours = randomized(MultiHeadAttention(D_MODEL, HEADS))
    theirs = nn.MultiheadAttention(D_MODEL, HEADS, batch_first=True)
    copy_attention(ours, theirs)
    x = torch.randn(2, 6, D_MODEL)
    hidden = torch.ones(6, 6, dtype=torch.bool).triu(1) if causal else None
    expected, expected_weights = theirs(
        x, x, x, key_padding_mask=None if mask is None else ~mask, attn_mask=hidden, average_attn_weights=False
    )
    weights = []
    close(ours(x, mask=mask, causal=causal, weights=weights), expected)
    close(weights[0], expected_weights)
    close(ours(x, mask=mask, causal=causal), expected)


def test_attention_to_memory_equals_torch():
    ours = randomized(MultiHeadAttention(D_MODEL, HEADS))
    theirs = nn.MultiheadAttention(D_MODEL, HEADS, batch_first=True)
    copy_attention(ours, theirs)
    x, memory, mask = torch.randn(2, 4, D_MODEL), torch.randn(2, 6, D_MODEL), padding_mask(6, 3)
    expected = theirs(x, memory, memory, key_padding_mask=~mask)[0]
    close(ours(x, memory, mask), expected)
    cache = KeyValueCache()
    close(ours(x, memory, mask, cache=cache), expected)
    close(ours(x, torch.full_like(memory, torch.nan), mask, cache=cache), expected)  # memory is read once only


def test_gradients_equal_torch():
    ours = randomized(MultiHeadAttention(D_MODEL, HEADS)).double()
    theirs = nn.MultiheadAttention(D_MODEL, HEADS, batch_first=True).double()
    copy_attention(ours, theirs)
    x, memory = torch.randn(2, 4, D_MODEL).double(), torch.randn(2, 6, D_MODEL).double()
    ours(x, memory).square().sum().backward()
    theirs(x, memory, memory)[0].square().sum().backward()
    close(ours.qkv.weight.grad, theirs.in_proj_weight.grad)
    close(ours.qkv.bias.grad, theirs.in_proj_bias.grad)
    close(ours.output.weight.grad, theirs.out_proj.weight.grad)


def test_weights_are_those_that_made_the_output():
    layer = randomized(MultiHeadAttention(D_MODEL, HEADS))
    x, weights = torch.randn(2, 5, D_MODEL), []
    output = layer(x, causal=True, weights=weights)
    assert weights[0].shape == (2, HEADS, 5, 5)
    value = layer.qkv(x)[..., 2 * D_MODEL :].unflatten(-1, (HEADS, -1)).transpose(1, 2)
    close(layer.output((weights[0] @ value).transpose(1, 2).flatten(2)), output)


def test_heads_must_divide_width():
    with pytest.raises(InvalidInputError, match="n_heads=5 does not divide d_model=12"):
        MultiHeadAttention(12, 5)


# ------------------------------------------------------------------------- layers and models


@pytest.mark.parametrize("norm_first", [False, True])
def test_encoder_layer_equals_torch(norm_first):
    ours = randomized(EncoderLayer(D_MODEL, HEADS, D_FF, 0.1, norm_first))
    theirs = nn.TransformerEncoderLayer(D_MODEL, HEADS, D_FF, 0.1, batch_first=True, norm_first=norm_first)
    copy_layer(ours, theirs)
    x, mask = torch.randn(2, 6, D_MODEL), padding_mask(6, 4)
    close(ours(x, mask)[mask], theirs(x, src_key_padding_mask=~mask)[mask])


@pytest.mark.parametrize("norm_first", [False, True])
def test_decoder_layer_equals_torch(norm_first):
    ours = randomized(DecoderLayer(D_MODEL, HEADS, D_FF, 0.1, norm_first))
    theirs = nn.TransformerDecoderLayer(D_MODEL, HEADS, D_FF, 0.1, batch_first=True, norm_first=norm_first)
    copy_layer(ours, theirs)
    x, memory, mask = torch.randn(2, 4, D_MODEL), torch.randn(2, 6, D_MODEL), padding_mask(6, 4)
    hidden = torch.ones(4, 4, dtype=torch.bool).triu(1)
    close(ours(x, memory, mask), theirs(x, memory, tgt_mask=hidden, memory_key_padding_mask=~mask))


@pytest.mark.filterwarnings("ignore:enable_nested_tensor")
@pytest.mark.parametrize("norm_first", [False, True])
def test_whole_model_equals_torch(norm_first):
    ours = randomized(Transformer(11, norm_first=norm_first, **SMALL))
    theirs = nn.Transformer(D_MODEL, HEADS, 2, 2, D_FF, batch_first=True, norm_first=norm_first).eval()
    for stack in ("encoder", "decoder"):
        for layer, copy in zip(getattr(ours, stack).layers, getattr(theirs, stack).layers, strict=True):
            copy_layer(layer, copy)
        if norm_first:
            getattr(theirs, stack).norm.load_state_dict(getattr(ours, stack).norm.state_dict())
        else:
            getattr(theirs, stack).norm = None
    source, target, mask = torch.randint(11, (2, 6)), torch.randint(11, (2, 4)), padding_mask(6, 4)

    def embed(tokens):
        return ours.embedding.weight[tokens] * D_MODEL**0.5 + sinusoidal_positions(tokens.shape[1], D_MODEL)

    features = theirs(
        embed(source),
        embed(target),
        tgt_mask=torch.ones(4, 4, dtype=torch.bool).triu(1),
        src_key_padding_mask=~mask,
        memory_key_padding_mask=~mask,
    )
    close(ours(source, target, mask), features @ ours.embedding.weight.T)


@pytest.mark.parametrize(("build", "count"), [(transformer_base, 63_082_496), (transformer_big, 214_245_376)])
def test_counts_of_the_paper(build, count):
    with torch.device("meta"):
        assert sum(p.numel() for p in build().parameters()) == count


@pytest.mark.parametrize(
    ("options", "count"),
    [({}, 124_439_808), ({"n_tokens": 40_478, "n_positions": 512, "norm_first": False}, 116_534_784)],
)
def test_counts_of_gpt2_and_gpt(options, count):
    with torch.device("meta"):
        assert sum(p.numel() for p in GPT(**options).parameters()) == count


@pytest.mark.parametrize("name", registry.TEXT_MODULES)
def test_registered_modules_take_a_vocabulary(name):
    with torch.device("meta"):
        model = registry.resolve(registry.TEXT_MODULES, "network", name)(n_tokens=9)
        tokens = torch.zeros(2, 3, dtype=torch.int64)
        assert model(*[tokens] * (2 if name == "transformer" else 1)).shape == (2, 3, 9)


def test_positions_follow_the_paper():
    table = sinusoidal_positions(40, 6)
    for pos in (0, 1, 17, 39):
        for i in range(3):
            angle = pos / 10000 ** (2 * i / 6)
            assert table[pos, 2 * i] == pytest.approx(math.sin(angle), abs=1e-6)
            assert table[pos, 2 * i + 1] == pytest.approx(math.cos(angle), abs=1e-6)


def test_sinusoidal_positions_grow():
    model = Transformer(5, **SMALL).eval()
    tokens = torch.randint(5, (1, 300))
    close(model.embedding.positions(0, 300), sinusoidal_positions(300, D_MODEL))
    assert model(tokens, tokens[:, :2]).shape == (1, 2, 5)


@pytest.mark.parametrize("norm_first", [False, True])
def test_gradients_prove_the_causal_mask(norm_first):
    """d logits_i / d embedding_j is zero for every j > i, and not zero for every j <= i."""
    models = {
        "transformer": randomized(Transformer(11, norm_first=norm_first, **SMALL)),
        "gpt": randomized(GPT(11, 8, norm_first=norm_first, **SMALL)),
    }
    memory = torch.randn(1, 3, D_MODEL)
    for name, model in models.items():
        x = torch.randn(1, 5, D_MODEL, requires_grad=True)
        features = model.decoder(x, memory) if name == "transformer" else model.decoder(x, causal=True)
        for i in range(5):
            (gradient,) = torch.autograd.grad(model.logits(features[0, i]).square().sum(), x, retain_graph=True)
            reached = gradient[0].abs().sum(dim=-1)
            assert (reached[: i + 1] > 0).all()
            assert (reached[i + 1 :] == 0).all()


def test_padding_changes_nothing():
    model = randomized(Transformer(11, **SMALL))
    source, target = torch.randint(11, (1, 4)), torch.randint(11, (1, 3))
    padded_source, padded_target = F.pad(source, (0, 3), value=7), F.pad(target, (0, 2), value=9)
    mask = torch.arange(7)[None] < 4
    close(model(padded_source, padded_target, mask)[:, :3], model(source, target))


def test_attention_on_request_comes_with_the_same_logits():
    model = randomized(Transformer(11, **SMALL))
    source, target, mask = torch.randint(11, (2, 6)), torch.randint(11, (2, 4)), padding_mask(6, 4)
    logits, attention = model(source, target, mask, return_attention=True)
    close(logits, model(source, target, mask))
    for kind, shape in (("encoder", (6, 6)), ("decoder", (4, 4)), ("cross", (4, 6))):
        assert [w.shape for w in getattr(attention, kind)] == [(2, HEADS, *shape)] * 2
    for weights in (*attention.encoder, *attention.cross):
        close(weights.sum(-1), torch.ones(weights.shape[:3]))
        assert (weights[1, :, :, 4:] == 0).all()
    gpt = randomized(GPT(11, 8, **SMALL))
    logits, weights = gpt(target, return_attention=True)
    close(logits, gpt(target))
    assert [w.shape for w in weights] == [(2, HEADS, 4, 4)] * 2


def test_autocast_runs_in_bfloat16_and_keeps_float32_weights():
    model = Transformer(11, **SMALL)
    source, target = torch.randint(11, (2, 6)), torch.randint(11, (2, 4))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = model(source, target)
    assert logits.dtype == torch.bfloat16
    logits.float().square().mean().backward()
    assert all(p.grad.dtype == torch.float32 and p.grad.isfinite().all() for p in model.parameters())


def test_published_form_has_no_other_dropout_than_after_sublayers_and_embeddings():
    model = Transformer(11, **SMALL)
    dropouts = [name for name, module in model.named_modules() if isinstance(module, Dropout)]
    assert len(dropouts) == 1 + 2 * 2 + 2 * 3  # one embedding, shared; encoder layers; decoder layers
    assert all(name.startswith("embedding.") or ".add_norm" in name for name in dropouts)
    assert not draws_globally(model)


# ------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize("token", [-1, 11, 900])
def test_token_outside_the_vocabulary(token):
    source, target = torch.tensor([[3, token]]), torch.tensor([[1, 2]])
    for model, inputs in ((Transformer(11, **SMALL), (source, target)), (GPT(11, 8, **SMALL), (source,))):
        with pytest.raises(InvalidInputError, match=rf"token {token} is outside the vocabulary; allowed: 0 to 10"):
            model(*inputs)


def test_sequence_longer_than_learned_positions():
    model = GPT(11, 8, **SMALL)
    assert model(torch.randint(11, (1, 8))).shape == (1, 8, 11)
    with pytest.raises(InvalidInputError, match="the sequence has 9 tokens; allowed: at most 8"):
        model(torch.randint(11, (1, 9)))


def test_unusable_sizes():
    with pytest.raises(InvalidInputError, match="d_model=7"):
        Transformer(11, d_model=7, n_heads=1, d_ff=8, n_layers=1)
    with pytest.raises(UnknownNameError, match="gelu, relu"):
        FeedForward(4, 8, "tanh")
