"""Decoding against brute force: every possible target of a tiny vocabulary, scored without a cache."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import nn

from glassnet.errors import InvalidInputError
from glassnet.learning.label_smoothing import tied_cross_entropy
from glassnet.networks.decoding import BEGIN, END, PADDING, NextToken, beam_search, evaluating, greedy, sample
from glassnet.networks.gpt import GPT
from glassnet.networks.transformer import Transformer

close = torch.testing.assert_close


def sharpened(model: nn.Module, seed: int, std: float = 0.4) -> nn.Module:
    """Give a model weights with which its answers differ from place to place."""
    noise = torch.Generator().manual_seed(seed)
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=std, generator=noise)
    return model.eval()


def translator(n_tokens: int = 5, seed: int = 0, **options) -> Transformer:
    return sharpened(Transformer(n_tokens, d_model=8, n_heads=2, d_ff=12, n_layers=2, **options), seed)


def writer(n_tokens: int = 7, n_positions: int = 10, seed: int = 0) -> GPT:
    return sharpened(GPT(n_tokens, n_positions, d_model=8, n_heads=2, n_layers=2), seed)


SOURCE = torch.tensor([[3, 4, 3, 0], [4, 0, 0, 0], [3, 3, 4, 4]])
MASK = SOURCE != 0


def log_probability(model, source, mask, target) -> float:
    """log P(target | source) of one target, by one pass over all of it."""
    given = torch.tensor([[BEGIN, *target[:-1]]])
    log_p = model(source[None], given, mask[None]).log_softmax(-1)[0]
    return float(log_p[torch.arange(len(target)), torch.tensor(target)].sum())


def best_by_brute_force(model, source, mask, max_length, alpha):
    """Score every target that ends, and only there, within ``max_length`` tokens."""
    n_tokens = len(model.embedding.weight)
    others = [token for token in range(n_tokens) if token != END]
    targets = [
        (*body, END) for length in range(max_length) for body in itertools.product(others, repeat=length)
    ]  # 1 + 4 + 16 + 64 of them for 5 tokens and length 4
    scores = {t: log_probability(model, source, mask, t) / ((5 + len(t)) / 6) ** alpha for t in targets}
    return max(scores.items(), key=lambda item: item[1])


def trimmed(row: torch.Tensor) -> tuple[int, ...]:
    tokens = row.tolist()
    return tuple(tokens[: tokens.index(END) + 1] if END in tokens else tokens)


@pytest.mark.parametrize("alpha", [0.0, 0.6, 2.0])
@pytest.mark.parametrize("seed", [0, 1])
def test_wide_beam_equals_brute_force(alpha, seed):
    model = translator(seed=seed)
    with torch.no_grad():
        expected = [best_by_brute_force(model, s, m, 4, alpha) for s, m in zip(SOURCE, MASK, strict=True)]
    tokens, scores = beam_search(model, SOURCE, MASK, beam_size=64, length_penalty=alpha, max_length=4)
    assert [trimmed(row) for row in tokens] == [target for target, _ in expected]
    close(scores, torch.tensor([score for _, score in expected]))


def test_length_penalty_prefers_longer_targets():
    lengths = []
    for alpha in (0.0, 3.0):
        tokens, _ = beam_search(translator(seed=1), SOURCE, MASK, beam_size=64, length_penalty=alpha, max_length=4)
        lengths.append(sum(len(trimmed(row)) for row in tokens))
    assert lengths[0] < lengths[1]


@pytest.mark.parametrize("beam_size", [1, 2, 4])
def test_score_of_a_narrow_beam_is_the_score_of_its_target(beam_size):
    model = translator(seed=3)
    tokens, scores = beam_search(model, SOURCE, MASK, beam_size=beam_size, max_length=9)
    for source, mask, row, score in zip(SOURCE, MASK, tokens, scores, strict=True):
        target = trimmed(row)
        assert target[-1] == END
        with torch.no_grad():
            expected = log_probability(model, source, mask, target) / ((5 + len(target)) / 6) ** 0.6
        assert float(score) == pytest.approx(expected, abs=1e-5)


def test_sources_of_a_batch_do_not_meet():
    model = translator(seed=4)
    tokens, scores = beam_search(model, SOURCE, MASK, max_length=8)
    for i in range(len(SOURCE)):
        length = int(MASK[i].sum())
        alone, score = beam_search(model, SOURCE[i : i + 1, :length], max_length=8)
        assert trimmed(alone[0]) == trimmed(tokens[i])
        close(score[0], scores[i])


def test_a_target_without_end_is_returned_whole():
    model = translator(20)
    with torch.no_grad():  # all features are 1, so token 3 always comes first and the end 20th
        model.decoder.layers[-1].add_norm3.norm.weight.fill_(0.0)
        model.decoder.layers[-1].add_norm3.norm.bias.fill_(1.0)
        model.embedding.weight[3], model.embedding.weight[END] = 5.0, -50.0
    tokens, scores = beam_search(model, SOURCE, MASK, beam_size=3, max_length=6)
    assert tokens.tolist() == [[3] * 6] * 3
    with torch.no_grad():
        expected = log_probability(model, SOURCE[0], MASK[0], [3] * 6) / ((5 + 6) / 6) ** 0.6
    assert float(scores[0]) == pytest.approx(expected, abs=1e-5)


def test_greedy_takes_the_most_probable_token_at_every_step():
    model = translator(9, seed=5)
    tokens = greedy(model, SOURCE, MASK, max_length=7)
    for source, mask, row in zip(SOURCE, MASK, tokens, strict=True):
        target = trimmed(row)
        given = torch.tensor([[BEGIN, *target[:-1]]])
        with torch.no_grad():
            assert model(source[None], given, mask[None])[0].argmax(-1).tolist() == list(target)
        assert (row[len(target) :] == PADDING).all()


@pytest.mark.parametrize("norm_first", [False, True])
def test_cached_equals_uncached(norm_first):
    model = translator(9, seed=6, norm_first=norm_first)
    options = {"source_mask": MASK, "max_length": 12}
    assert torch.equal(greedy(model, SOURCE, **options), greedy(model, SOURCE, cached=False, **options))
    cached, uncached = (beam_search(model, SOURCE, cached=c, **options) for c in (True, False))
    assert torch.equal(cached[0], uncached[0])
    close(cached[1], uncached[1])


def test_cached_log_probabilities_equal_uncached_step_by_step():
    model = writer()
    cached, uncached = (NextToken(model, model.decode, cached) for cached in (True, False))
    tokens = torch.randint(7, (2, 10), generator=torch.Generator().manual_seed(0))
    with evaluating(model):
        for length in (3, 4, 5, 8, 10):  # several tokens at once are causal among themselves
            close(cached(tokens[:, :length]), uncached(tokens[:, :length]))


def test_sampling_is_a_function_of_its_seed_and_needs_no_cache():
    model, prompt = writer(), torch.tensor([[1, 2], [3, 4]])
    torch.manual_seed(0)
    before = torch.get_rng_state()
    first = sample(model, prompt, 30, random_state=3)
    assert torch.equal(first, sample(model, prompt, 30, random_state=3, cached=False))
    assert not torch.equal(first, sample(model, prompt, 30, random_state=4))
    assert torch.equal(first[:, :2], prompt)
    assert first.shape == (2, 32)
    assert torch.equal(torch.get_rng_state(), before)


def test_text_longer_than_the_positions_goes_on_from_their_last_half():
    model = writer(n_positions=4)
    text = sample(model, torch.tensor([[1, 2, 3, 4, 5, 6]]), 4, temperature=0)[0]
    expected = [1, 2, 3, 4, 5, 6]
    for start in (4, 4, 4, 7):  # [4:] holds 2, 3, 4 tokens; the fifth does not fit, so 2 remain
        with torch.no_grad():
            expected.append(int(model(torch.tensor([expected[start:]]))[0, -1].argmax()))
    assert text.tolist() == expected


def test_sampled_frequencies_follow_the_model():
    model, n = writer(), 4000
    prompt = torch.tensor([[1, 2, 3]]).repeat(n, 1)
    with torch.no_grad():
        logits = model(prompt[:1])[0, -1]
    for temperature, top_k in ((1.0, None), (0.5, None), (1.0, 3)):
        probability = (logits / temperature).softmax(-1)
        if top_k:
            probability[logits.argsort(descending=True)[top_k:]] = 0
            probability /= probability.sum()
        drawn = sample(model, prompt, 1, temperature=temperature, top_k=top_k, random_state=0)[:, -1]
        frequency = drawn.bincount(minlength=7) / n
        error = (probability * (1 - probability) / n).sqrt()
        assert ((frequency - probability).abs() <= 4 * error).all()


def test_modes_are_put_back():
    model = translator().train()
    model.encoder.eval()
    modes = [module.training for module in model.modules()]
    greedy(model, SOURCE, MASK, max_length=3)
    assert [module.training for module in model.modules()] == modes
    with pytest.raises(InvalidInputError):
        greedy(model, SOURCE, MASK[:, :2], max_length=3)
    assert [module.training for module in model.modules()] == modes


def test_a_trained_model_writes_its_source_backwards():
    noise = torch.Generator().manual_seed(0)

    def batch(n):
        source = torch.randint(3, 9, (n, 4), generator=noise)
        return source, torch.cat([torch.full((n, 1), BEGIN), source.flip(1), torch.full((n, 1), END)], dim=1)

    model = Transformer(9, d_model=32, n_heads=4, d_ff=64, n_layers=1, dropout=0.0)
    for parameter in model.parameters():
        if parameter.dim() == 2:
            nn.init.xavier_uniform_(parameter, generator=noise)
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    for _ in range(250):
        source, target = batch(64)
        features = model.decode(target[:, :-1], model.encode(source)).flatten(0, 1)
        loss = tied_cross_entropy(features, model.embedding.weight, target[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    source, target = batch(200)
    written = greedy(model, source, max_length=5)
    assert (written == target[:, 1:]).all(dim=1).float().mean() > 0.97


@pytest.mark.parametrize("options", [{"temperature": -1}, {"temperature": float("nan")}, {"top_k": 0}])
def test_sampling_refuses(options):
    with pytest.raises(InvalidInputError, match=str(next(iter(options)))):
        sample(writer(), torch.tensor([[1]]), 1, **options)


def test_empty_prompt_and_empty_beam_are_refused():
    with pytest.raises(InvalidInputError, match=r"prompt has shape \(1, 0\)"):
        sample(writer(), torch.empty(1, 0, dtype=torch.int64), 1)
    with pytest.raises(InvalidInputError, match="beam_size=0"):
        beam_search(translator(), SOURCE, MASK, beam_size=0)
    with pytest.raises(InvalidInputError, match="length_penalty=-1"):
        beam_search(translator(), SOURCE, MASK, length_penalty=-1)
