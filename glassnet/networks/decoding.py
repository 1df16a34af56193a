"""Writing with a Transformer, token by token: greedy, beam search, sampling.

Each step asks the model for the next token after all those written so far. The keys and
values of the earlier tokens do not change (the mask is causal), so they are cached, and a
step computes one token. ``cached=False`` computes everything anew and gives the same.

Beam search with the length penalty of Y. Wu et al., "Google's Neural Machine Translation
System", 2016, arXiv:1609.08144, section 7, as "Attention Is All You Need" uses it (section
6.1: beam of 4, alpha 0.6, at most 50 tokens longer than the source):

    score(Y) = log P(Y | X) / ((5 + |Y|) / 6)^alpha

|Y| counts the end token. The search goes on until no hypothesis that is still being written
could overtake the best finished one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial, reduce
from itertools import islice

import numpy as np
import torch
from torch import Tensor, nn

from glassnet.data.vocabulary import BEGIN, END, PADDING
from glassnet.errors import InvalidInputError
from glassnet.networks.attention import DecodingCache
from glassnet.networks.gpt import GPT
from glassnet.networks.transformer import Transformer
from glassnet.seeds import resolve_seed, torch_generator

EXTRA_LENGTH = 50


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Switch off dropout and gradients for a while; every module's mode is put back."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for module, mode in modes:
            module.training = mode


class NextToken:
    """Log-probabilities of the next token, of all tokens so far.

    Parameters
    ----------
    model : Transformer or GPT
    decode : callable
        (tokens, cache) -> features, (batch, n) -> (batch, n, d_model).
    cached : bool
    """

    def __init__(
        self, model: Transformer | GPT, decode: Callable[[Tensor, DecodingCache | None], Tensor], cached: bool = True
    ):
        weight = model.embedding.weight  # (n_tokens, d_model)
        # laid out by inputs, the product of few rows takes half the time: worth a copy for many of them
        self.output = weight.T.contiguous() if cached else weight.T
        self.decode = decode
        self.cache = model.new_cache() if cached else None

    def __call__(self, tokens: Tensor) -> Tensor:
        """Return (batch, n_tokens) of ``tokens`` (batch, n); cached are the first n - 1 or fewer."""
        return self.logits(tokens).log_softmax(dim=-1)

    def logits(self, tokens: Tensor) -> Tensor:
        """Return the logits, of the same shape."""
        new = tokens if self.cache is None else tokens[:, self.cache.length :]
        features = self.decode(new, self.cache)  # (B, new, d_model)
        return (features[:, -1] @ self.output).float()

    def reorder(self, rows: Tensor) -> None:
        """Continue from these rows of the batch."""
        if self.cache is not None:
            self.cache.reorder(rows)


def greedy(
    model: Transformer,
    source: Tensor,
    source_mask: Tensor | None = None,
    *,
    max_length: int | None = None,
    cached: bool = True,
) -> Tensor:
    """Return, for each source, the target made of the most probable next token at every step.

    Parameters
    ----------
    model : Transformer
    source : int64 Tensor of shape (batch, n_sources)
    source_mask : bool Tensor of shape (batch, n_sources), optional
        True for tokens, False for padding.
    max_length : int, optional
        Most tokens to write, the end token included; n_sources + 50 if not given.
    cached : bool, default=True

    Returns
    -------
    int64 Tensor of shape (batch, length)
        Without the begin token; after the end token (2) padding (0).
    """
    with evaluating(model):
        next_token = _next_target(model, source, source_mask, 1, cached)
        tokens = torch.full((len(source), 1), BEGIN, device=source.device)
        done = torch.zeros(len(source), dtype=torch.bool, device=source.device)
        for _ in range(_longest(source, max_length)):
            token = _highest(next_token.logits(tokens)).masked_fill(done, PADDING)  # (B,)
            tokens = torch.cat([tokens, token[:, None]], dim=1)
            done |= token == END
            if done.all():
                break
    return tokens[:, 1:]


def _highest(logits: Tensor) -> Tensor:
    """Return the place (batch,) of the highest logit; NumPy finds it twenty times as fast as torch."""
    if logits.device.type == "cpu":
        return torch.from_numpy(logits.numpy().argmax(axis=-1))
    return logits.argmax(dim=-1)


def beam_search(
    model: Transformer,
    source: Tensor,
    source_mask: Tensor | None = None,
    *,
    beam_size: int = 4,
    length_penalty: float = 0.6,
    max_length: int | None = None,
    cached: bool = True,
) -> tuple[Tensor, Tensor]:
    """Return, for each source, the best target that ``beam_size`` hypotheses at a time lead to.

    Parameters
    ----------
    model, source, source_mask, max_length, cached
        As for :func:`greedy`.
    beam_size : int, default=4
    length_penalty : float >= 0, default=0.6
        The exponent alpha; 0 compares bare probabilities, which favours short targets.

    Returns
    -------
    tokens : int64 Tensor of shape (batch, length)
        Without the begin token; after the end token (2) padding (0). A target that reached
        no end within ``max_length`` has none.
    scores : Tensor of shape (batch,)
        log P / ((5 + length) / 6)^alpha.

    Raises
    ------
    InvalidInputError
        If the beam is empty or the penalty negative.
    """
    if beam_size < 1 or not length_penalty >= 0:
        raise InvalidInputError(
            f"got beam_size={beam_size}, length_penalty={length_penalty}; allowed: at least 1, at least 0"
        )
    with evaluating(model):
        next_token = _next_target(model, source, source_mask, beam_size, cached)
        beam = _Beam(len(source), beam_size, length_penalty, _longest(source, max_length), source.device)
        while not beam.decided():
            beam.reorder_and_extend(*beam.candidates(next_token(beam.tokens)), next_token)
        return beam.best()


class _Beam:
    """The hypotheses still being written, and the best finished one of each source."""

    def __init__(self, batch: int, size: int, alpha: float, max_length: int, device: torch.device):
        self.size, self.alpha, self.max_length = size, alpha, max_length
        self.tokens = torch.full((batch * size, 1), BEGIN, device=device)
        self.scores = torch.full((batch, size), -torch.inf, device=device)  # log P of each hypothesis
        self.scores[:, 0] = 0.0  # at the start all are the same: only one counts
        self.first_row = size * torch.arange(batch, device=device)[:, None]  # (B, 1)
        self.finished = torch.full((batch, max_length), PADDING, device=device)
        self.finished_score = torch.full((batch,), -torch.inf, device=device)

    @property
    def length(self) -> int:
        return self.tokens.shape[1] - 1

    def penalty(self, length: int) -> float:
        return ((5 + length) / 6) ** self.alpha

    def decided(self) -> bool:
        """Tell whether no live hypothesis can overtake: log P only falls, the penalty only grows."""
        within_reach = self.scores.amax(dim=1) / self.penalty(self.max_length)
        return self.length == self.max_length or bool((self.finished_score >= within_reach).all())

    def candidates(self, log_p: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return score, row and token of the best 2 size extensions: at most half of them end."""
        n_tokens = log_p.shape[1]
        extended = (self.scores[:, :, None] + log_p.view(-1, self.size, n_tokens)).flatten(1)  # (B, size * V)
        scores, index = extended.topk(min(2 * self.size, extended.shape[1]))
        return scores, self.first_row + index // n_tokens, index % n_tokens  # each (B, 2 size)

    def reorder_and_extend(self, scores: Tensor, rows: Tensor, token: Tensor, next_token: NextToken) -> None:
        """Keep the best finished extension if it is a record, and the ``size`` best that go on."""
        ended = token == END
        self._finish(scores.masked_fill(~ended, -torch.inf) / self.penalty(self.length + 1), rows)
        self.scores, kept = scores.masked_fill(ended, -torch.inf).topk(self.size)  # (B, size)
        rows, token = rows.gather(1, kept).flatten(), token.gather(1, kept).flatten()  # (B * size,)
        self.tokens = torch.cat([self.tokens[rows], token[:, None]], dim=1)
        next_token.reorder(rows)

    def _finish(self, scores: Tensor, rows: Tensor) -> None:
        score, place = scores.max(dim=1)  # (B,)
        record = score > self.finished_score
        self.finished_score = torch.where(record, score, self.finished_score)
        written = self.tokens[rows.gather(1, place[:, None])[:, 0]][record, 1:]  # (records, length)
        self.finished[record] = PADDING
        self.finished[record, : self.length] = written
        self.finished[record, self.length] = END

    def best(self) -> tuple[Tensor, Tensor]:
        """Return the finished hypotheses; where there is none, the best unfinished one."""
        score, place = self.scores.max(dim=1)
        none = self.finished_score == -torch.inf
        self.finished[none, : self.length] = self.tokens[self.first_row[:, 0] + place][none, 1:]
        scores = torch.where(none, score / self.penalty(self.length), self.finished_score)
        used = (self.finished != PADDING).any(dim=0).nonzero()
        return self.finished[:, : int(used.max()) + 1 if len(used) else 0], scores


def _longest(source: Tensor, max_length: int | None) -> int:
    return source.shape[1] + EXTRA_LENGTH if max_length is None else max_length


def _next_target(model: Transformer, source: Tensor, mask: Tensor | None, copies: int, cached: bool) -> NextToken:
    """Encode each source once and repeat it for its hypotheses."""
    memory = model.encode(source, mask).repeat_interleave(copies, dim=0)
    repeated = None if mask is None else mask.repeat_interleave(copies, dim=0)
    return NextToken(model, lambda tokens, cache: model.decode(tokens, memory, repeated, cache), cached)


def sample(
    model: GPT,
    prompt: Tensor,
    n_tokens: int,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    random_state: int | np.random.RandomState | np.random.Generator | None = None,
    cached: bool = True,
) -> Tensor:
    """Continue a prompt with tokens drawn from the model's distribution.

    When the text outgrows the model's positions, the model goes on from the last half of
    them: it then sees between n_positions / 2 and n_positions tokens.

    Parameters
    ----------
    model : GPT
    prompt : int64 Tensor of shape (batch, length), length >= 1
    n_tokens : int
        Number of tokens to write.
    temperature : float >= 0, default=1.0
        Divides the logits; 0 takes the most probable token.
    top_k : int, optional
        Draw from the k most probable tokens only.
    random_state : int, RandomState, Generator or None
    cached : bool, default=True

    Returns
    -------
    int64 Tensor of shape (batch, length + n_tokens)
        The prompt and its continuation.

    Raises
    ------
    InvalidInputError
        If the prompt is empty, the temperature negative or ``top_k`` below 1.
    """
    options = {"temperature": temperature, "top_k": top_k, "random_state": random_state, "cached": cached}
    steps = islice(sample_steps(model, prompt, **options), n_tokens)  # type: ignore[arg-type]
    return reduce(lambda _, step: step[0], steps, prompt)


def sample_steps(
    model: GPT,
    prompt: Tensor,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    random_state: int | np.random.RandomState | np.random.Generator | None = None,
    cached: bool = True,
) -> Iterator[tuple[Tensor, Tensor, int]]:
    """Continue a prompt as `sample` does, token by token, without an end.

    Parameters
    ----------
    model, prompt, temperature, top_k, random_state, cached
        As for :func:`sample`.

    Yields
    ------
    tokens : int64 Tensor of shape (batch, length)
        All so far, one more each time.
    log_p : Tensor of shape (batch, n_tokens)
        The model's log-probabilities of the newest one.
    n_read : int
        Of how many tokens before it the model has computed them.

    Raises
    ------
    InvalidInputError
        As :func:`sample`.
    """
    if prompt.dim() != 2 or prompt.shape[1] == 0:
        raise InvalidInputError(f"prompt has shape {tuple(prompt.shape)}; allowed: (batch, length), length at least 1")
    if not temperature >= 0 or (top_k is not None and top_k < 1):
        raise InvalidInputError(
            f"got temperature={temperature}, top_k={top_k}; allowed: at least 0, None or at least 1"
        )
    noise = torch_generator(resolve_seed(random_state), "sample")
    return _steps(model, prompt, partial(_draw, temperature=temperature, top_k=top_k, noise=noise), cached)


def _steps(
    model: GPT, tokens: Tensor, draw: Callable[[Tensor], Tensor], cached: bool
) -> Iterator[tuple[Tensor, Tensor, int]]:
    start, next_token = 0, NextToken(model, model.decode, cached)
    while True:
        if tokens.shape[1] - start > model.n_positions:
            start = tokens.shape[1] - max(1, model.n_positions // 2)
            next_token = NextToken(model, model.decode, cached)
        n_read = tokens.shape[1] - start
        with evaluating(model):
            log_p = next_token(tokens[:, start:])
            tokens = torch.cat([tokens, draw(log_p)], dim=1)
        yield tokens, log_p, n_read


def chances(log_p: Tensor, temperature: float, top_k: int | None = None) -> tuple[Tensor, Tensor]:
    """Return the probabilities that tokens are drawn with, (B, k), the largest first, and which tokens these are.

    Examples
    --------
    >>> probability, token = chances(torch.tensor([[0.2, 0.5, 0.3]]).log(), temperature=1.0, top_k=2)
    >>> probability, token
    (tensor([[0.6250, 0.3750]]), tensor([[1, 2]]))
    """
    n_tokens = log_p.shape[1]
    top, token = log_p.topk(1 if temperature == 0 else min(top_k or n_tokens, n_tokens))
    return (top / (temperature or 1.0)).softmax(dim=-1).cpu(), token


def _draw(log_p: Tensor, temperature: float, top_k: int | None, noise: torch.Generator) -> Tensor:
    """Return one token per row, (B, 1)."""
    if temperature == 0:
        return log_p.argmax(dim=-1, keepdim=True)
    probability, token = chances(log_p, temperature, top_k)
    place = torch.multinomial(probability, 1, generator=noise)
    return token.gather(1, place.to(token.device))
