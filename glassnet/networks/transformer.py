"""The Transformer (2017): sequences without recurrence, by attention alone.

A. Vaswani, N. Shazeer, N. Parmar, J. Uszkoreit, L. Jones, A. N. Gomez, L. Kaiser,
I. Polosukhin, "Attention Is All You Need", NeurIPS 2017, arXiv:1706.03762.

    FFN(x)             = max(0, x W_1 + b_1) W_2 + b_2                           (eq. 2)
    a sub-layer        = LayerNorm(x + Dropout(Sublayer(x)))               (sec. 3.1, 5.4)
    PE(pos, 2i)        = sin(pos / 10000^(2i / d_model)),  PE(pos, 2i+1) = cos   (sec. 3.5)

Attention (section 3.2) is in ``glassnet.networks.attention``, to be read first; writing
with a trained model in ``glassnet.networks.decoding``; the decoder alone in
``glassnet.networks.gpt``.

Where we depart, or the paper leaves it open:

- The projections of attention have biases, the output's logits have none, and no
  normalisation follows the last layer. So the base model has 63,082,496 parameters and the
  big one 214,245,376, with 37,000 shared tokens (the paper prints 65 and 213 million).
- One vocabulary and one embedding matrix serve source, target and output (sec. 3.4). The
  matrix starts at a standard deviation of d_model^-1/2, the projections at Glorot's.
- ``norm_first=True`` moves the normalisation before the sub-layer and adds one at the end
  of each stack; deep nets then train without warm-up.
- As in the paper there is no dropout on attention weights or inside the feed-forward net.

Masks are True where a token may be attended to. Targets are padded at their end, where the
causal mask already hides the padding from every real token.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glassnet.errors import InvalidInputError, UnknownNameError
from glassnet.learning.autocast import in_working_precision
from glassnet.learning.dropout import Dropout
from glassnet.networks.attention import DecodingCache, KeyValueCache, MultiHeadAttention

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": F.relu,
    "gelu": lambda x: F.gelu(x, approximate="tanh"),
}

# ------------------------------------------- feed-forward net and layers (sections 3.1, 3.3)


class FeedForward(nn.Module):
    """FFN(x) = max(0, x W_1 + b_1) W_2 + b_2 at each position by itself (equation 2).

    Parameters
    ----------
    d_model, d_ff : int
        Width outside and inside.
    activation : {"relu", "gelu"}
        "gelu" is GPT's, by its tanh formula.
    """

    def __init__(self, d_model: int, d_ff: int, activation: str = "relu"):
        super().__init__()
        if activation not in ACTIVATIONS:
            raise UnknownNameError("activation", activation, ACTIVATIONS)
        self.activation = activation
        self.linear1 = nn.Linear(d_model, d_ff)
        self.linear2 = nn.Linear(d_ff, d_model)
        for linear in (self.linear1, self.linear2):
            nn.init.xavier_uniform_(linear.weight)
            nn.init.zeros_(linear.bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear2(ACTIVATIONS[self.activation](self.linear1(x)))  # (B, T, d_model)


class AddAndNorm(nn.Module):
    """The frame round every sub-layer: LayerNorm(x + Dropout(Sublayer(x))).

    With ``norm_first`` x + Dropout(Sublayer(LayerNorm(x))).
    """

    def __init__(self, d_model: int, dropout: float, norm_first: bool):
        super().__init__()
        self.norm_first = norm_first
        self.norm = nn.LayerNorm(d_model)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, sublayer: Callable[[Tensor], Tensor]) -> Tensor:
        if self.norm_first:
            return x + self.dropout(sublayer(self.norm(x)))
        return self.norm(x + self.dropout(sublayer(x)))


class EncoderLayer(nn.Module):
    """Self-attention, then the feed-forward net; with ``causal`` a layer of GPT."""

    def __init__(
        self, d_model: int, n_heads: int, d_ff: int, dropout: float, norm_first: bool, activation: str = "relu"
    ):
        super().__init__()
        self.self_attention = MultiHeadAttention(d_model, n_heads)
        self.feed_forward = FeedForward(d_model, d_ff, activation)
        self.add_norm1 = AddAndNorm(d_model, dropout, norm_first)
        self.add_norm2 = AddAndNorm(d_model, dropout, norm_first)

    def forward(self, x: Tensor, mask: Tensor | None = None, **attention: Any) -> Tensor:
        """Return (batch, n_tokens, d_model); keywords go to the attention."""
        x = self.add_norm1(x, lambda x: self.self_attention(x, mask=mask, **attention))
        return self.add_norm2(x, self.feed_forward)


class AttentionWeights(NamedTuple):
    """Attention weights of one pass: one tensor per layer, (batch, heads, query, key).

    ``encoder``: source to source, ``decoder``: target to target, ``cross``: target to source.
    """

    encoder: list[Tensor]
    decoder: list[Tensor]
    cross: list[Tensor]


class DecoderLayer(nn.Module):
    """Causal self-attention, attention to the encoder's output, the feed-forward net."""

    def __init__(self, d_model: int, n_heads: int, d_ff: int, dropout: float, norm_first: bool):
        super().__init__()
        self.self_attention = MultiHeadAttention(d_model, n_heads)
        self.cross_attention = MultiHeadAttention(d_model, n_heads)
        self.feed_forward = FeedForward(d_model, d_ff)
        self.add_norm1 = AddAndNorm(d_model, dropout, norm_first)
        self.add_norm2 = AddAndNorm(d_model, dropout, norm_first)
        self.add_norm3 = AddAndNorm(d_model, dropout, norm_first)

    def forward(
        self,
        x: Tensor,
        memory: Tensor,
        memory_mask: Tensor | None = None,
        cache: tuple[KeyValueCache, KeyValueCache] | tuple[None, None] = (None, None),
        weights: AttentionWeights | None = None,
    ) -> Tensor:
        """Return (batch, n_targets, d_model), from ``memory`` (batch, n_sources, d_model)."""
        own, cross = cache
        seen, read = (weights.decoder, weights.cross) if weights else (None, None)
        x = self.add_norm1(x, lambda x: self.self_attention(x, causal=True, cache=own, weights=seen))
        x = self.add_norm2(x, lambda x: self.cross_attention(x, memory, memory_mask, cache=cross, weights=read))
        return self.add_norm3(x, self.feed_forward)


class Encoder(nn.Module):
    """N encoder layers, and with ``norm_first`` a last normalisation."""

    def __init__(
        self,
        n_layers: int,
        d_model: int,
        n_heads: int,
        d_ff: int,
        dropout: float = 0.1,
        norm_first: bool = False,
        activation: str = "relu",
    ):
        super().__init__()
        sizes = (d_model, n_heads, d_ff, dropout, norm_first, activation)
        self.layers = nn.ModuleList(EncoderLayer(*sizes) for _ in range(n_layers))
        self.norm = nn.LayerNorm(d_model) if norm_first else nn.Identity()

    def forward(
        self,
        x: Tensor,
        mask: Tensor | None = None,
        causal: bool = False,
        cache: DecodingCache | None = None,
        weights: list[Tensor] | None = None,
    ) -> Tensor:
        """Return (batch, n_tokens, d_model); arguments as in MultiHeadAttention."""
        for i, layer in enumerate(self.layers):
            x = layer(x, mask, causal=causal, cache=cache.own[i] if cache else None, weights=weights)
        return self.norm(x)


class Decoder(nn.Module):
    """N decoder layers, and with ``norm_first`` a last normalisation."""

    def __init__(
        self, n_layers: int, d_model: int, n_heads: int, d_ff: int, dropout: float = 0.1, norm_first: bool = False
    ):
        super().__init__()
        sizes = (d_model, n_heads, d_ff, dropout, norm_first)
        self.layers = nn.ModuleList(DecoderLayer(*sizes) for _ in range(n_layers))
        self.norm = nn.LayerNorm(d_model) if norm_first else nn.Identity()

    def forward(
        self,
        x: Tensor,
        memory: Tensor,
        memory_mask: Tensor | None = None,
        cache: DecodingCache | None = None,
        weights: AttentionWeights | None = None,
    ) -> Tensor:
        """Return (batch, n_targets, d_model), from ``memory`` (batch, n_sources, d_model)."""
        for i, layer in enumerate(self.layers):
            kept = (cache.own[i], cache.memory[i]) if cache else (None, None)
            x = layer(x, memory, memory_mask, kept, weights)
        return self.norm(x)


# --------------------------------------------- embeddings and positions (sections 3.4, 3.5)


def sinusoidal_positions(length: int, d_model: int) -> Tensor:
    """Return the paper's position encodings: a clock with d_model / 2 hands of falling speed.

    Returns
    -------
    Tensor of shape (length, d_model)
        sin(pos / 10000^(2i / d_model)) in column 2i, the cosine in column 2i + 1.

    Examples
    --------
    >>> sinusoidal_positions(2, 4)[0].tolist()
    [0.0, 1.0, 0.0, 1.0]
    """
    position = torch.arange(length, dtype=torch.float64)[:, None]  # (T, 1)
    speed = 10000.0 ** (-torch.arange(0, d_model, 2, dtype=torch.float64) / d_model)  # (d_model / 2,)
    angle = position * speed  # (T, d_model / 2)
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1).float()  # (T, d_model)


class SinusoidalPositions(nn.Module):
    """The table of :func:`sinusoidal_positions`, which grows as longer sequences come."""

    def __init__(self, d_model: int, length: int = 256):
        super().__init__()
        if d_model % 2:
            raise InvalidInputError(f"d_model={d_model}; sinusoidal positions need an even width")
        self.register_buffer("table", sinusoidal_positions(length, d_model), persistent=False)

    def forward(self, start: int, stop: int) -> Tensor:
        """Return the encodings of positions start, ..., stop - 1: (stop - start, d_model)."""
        table: Tensor = self.table
        if stop > len(table):
            table = self.table = sinusoidal_positions(2 * stop, table.shape[1]).to(table)
        return table[start:stop]


class LearnedPositions(nn.Embedding):
    """One learned vector for each of ``n_positions`` positions (table 3, row E; GPT)."""

    def forward(self, start: int, stop: int) -> Tensor:  # type: ignore[override]
        """Return the vectors of positions start, ..., stop - 1: (stop - start, d_model)."""
        if stop > self.num_embeddings:
            raise InvalidInputError(
                f"the sequence has {stop} tokens; allowed: at most {self.num_embeddings}, the learned positions"
            )
        return self.weight[start:stop]


class Embedding(nn.Module):
    """Tokens to vectors and back: one matrix for the embedding and for the output's logits.

    Parameters
    ----------
    n_tokens, d_model : int
    positions : nn.Module
        Called with (start, stop), it returns (stop - start, d_model).
    scale : float
        Factor on the token's vector; sqrt(d_model) in section 3.4.
    std : float
        Standard deviation of the matrix at the start.
    dropout : float
    """

    def __init__(self, n_tokens: int, d_model: int, positions: nn.Module, scale: float, std: float, dropout: float):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_tokens, d_model).normal_(std=std))
        self.positions = positions
        self.scale = scale
        self.dropout = Dropout(dropout)

    def forward(self, tokens: Tensor, start: int = 0) -> Tensor:
        """Return (batch, n_tokens, d_model) of int64 ``tokens`` that stand from ``start`` on."""
        place = self.positions(start, start + tokens.shape[1])  # (T, d_model)
        try:
            vectors = F.embedding(tokens, self.weight)  # (B, T, d_model)
        except IndexError as error:
            raise InvalidInputError(self._outside(tokens)) from error
        return self.dropout(in_working_precision(vectors * self.scale + place))

    def logits(self, features: Tensor) -> Tensor:
        """Return (..., n_tokens): the features (..., d_model) times the same matrix."""
        return F.linear(features, self.weight)

    def _outside(self, tokens: Tensor) -> str:
        n_tokens = len(self.weight)
        outside = tokens[(tokens < 0) | (tokens >= n_tokens)]
        return f"token {outside[0]} is outside the vocabulary; allowed: 0 to {n_tokens - 1}"


# ------------------------------------------------------------------------------ the models


class Transformer(nn.Module):
    """The encoder-decoder of the paper. The defaults are its base model.

    Parameters
    ----------
    n_tokens : int, default=37000
        Size of the vocabulary that source and target share.
    d_model, n_heads, d_ff, n_layers : int
        Width, heads, inner width of the feed-forward nets, layers of each stack (table 3).
    dropout : float, default=0.1
        Probability to drop, after every sub-layer and after the embeddings.
    norm_first : bool, default=False
        Normalise before the sub-layers and not, as published, after them.

    References
    ----------
    Vaswani et al., "Attention Is All You Need", 2017, arXiv:1706.03762.

    Examples
    --------
    >>> model = Transformer(n_tokens=10, d_model=8, n_heads=2, d_ff=16, n_layers=1)
    >>> source, target = torch.tensor([[3, 4, 5]]), torch.tensor([[1, 6]])
    >>> tuple(model(source, target).shape)
    (1, 2, 10)
    >>> logits, attention = model(source, target, return_attention=True)
    >>> tuple(attention.cross[0].shape)
    (1, 2, 2, 3)
    """

    def __init__(
        self,
        n_tokens: int = 37_000,
        *,
        d_model: int = 512,
        n_heads: int = 8,
        d_ff: int = 2048,
        n_layers: int = 6,
        dropout: float = 0.1,
        norm_first: bool = False,
    ):
        super().__init__()
        sizes = (n_layers, d_model, n_heads, d_ff, dropout, norm_first)
        positions = SinusoidalPositions(d_model)
        self.embedding = Embedding(n_tokens, d_model, positions, math.sqrt(d_model), d_model**-0.5, dropout)
        self.encoder = Encoder(*sizes)
        self.decoder = Decoder(*sizes)

    def forward(
        self, source: Tensor, target: Tensor, source_mask: Tensor | None = None, return_attention: bool = False
    ) -> Any:
        """Return the logits of the token that follows each target token.

        Parameters
        ----------
        source : int64 Tensor of shape (batch, n_sources)
        target : int64 Tensor of shape (batch, n_targets)
            Begins with the begin token; padded at the end.
        source_mask : bool Tensor of shape (batch, n_sources), optional
            True for tokens, False for padding.
        return_attention : bool, default=False
            Return the attention weights that made these logits, too.

        Returns
        -------
        Tensor of shape (batch, n_targets, n_tokens), or (Tensor, AttentionWeights)

        Raises
        ------
        InvalidInputError
            If a token is outside the vocabulary or the mask has another shape.
        """
        weights = AttentionWeights([], [], []) if return_attention else None
        memory = self.encode(source, source_mask, weights)
        logits = self.logits(self.decode(target, memory, source_mask, weights=weights))
        return logits if weights is None else (logits, weights)

    def encode(
        self, source: Tensor, source_mask: Tensor | None = None, weights: AttentionWeights | None = None
    ) -> Tensor:
        """Return the memory of a source: (batch, n_sources, d_model)."""
        return self.encoder(self.embedding(source), source_mask, weights=weights.encoder if weights else None)

    def decode(
        self,
        target: Tensor,
        memory: Tensor,
        source_mask: Tensor | None = None,
        cache: DecodingCache | None = None,
        weights: AttentionWeights | None = None,
    ) -> Tensor:
        """Return features (batch, n_targets, d_model); with a cache, of the new tokens only."""
        x = self.embedding(target, start=cache.length if cache else 0)
        return self.decoder(x, memory, source_mask, cache, weights)

    def logits(self, features: Tensor) -> Tensor:
        """Return (..., n_tokens) of features (..., d_model)."""
        return self.embedding.logits(features)

    def new_cache(self) -> DecodingCache:
        """Return an empty cache for :meth:`decode`."""
        return DecodingCache(len(self.decoder.layers))


def transformer_base(n_tokens: int = 37_000) -> Transformer:
    """Return the paper's base model (table 3)."""
    return Transformer(n_tokens)


def transformer_big(n_tokens: int = 37_000) -> Transformer:
    """Return the paper's big model (table 3; dropout as for English to German)."""
    return Transformer(n_tokens, d_model=1024, n_heads=16, d_ff=4096, dropout=0.3)
