"""Attention (2017): each position asks all the others, and takes a weighted mean of their answers.

Section 3.2 of A. Vaswani et al., "Attention Is All You Need", NeurIPS 2017,
arXiv:1706.03762; the rest of the paper is in ``glassnet.networks.transformer``.

    Attention(Q, K, V) = softmax(Q K^T / sqrt(d_k)) V                            (eq. 1)
    MultiHead(Q, K, V) = Concat(head_1, ..., head_h) W^O,                   (sec. 3.2.2)
               head_i  = Attention(Q W_i^Q, K W_i^K, V W_i^V)

Where we depart, or the paper leaves it open: the projections W^Q, W^K, W^V and W^O have
biases, and those of all heads are rows of one matrix, so that one product computes them.

Masks are True where a token may be attended to, as in
``torch.nn.functional.scaled_dot_product_attention``.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glassnet.errors import InvalidInputError

SHORT = 128  # keys up to which the open formula is the fastest in bfloat16 on a CPU


def scaled_dot_product_attention(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None, causal: bool = False
) -> tuple[Tensor, Tensor]:
    """Return softmax(Q K^T / sqrt(d_k)) V and the softmax: equation 1, as it is written.

    Parameters
    ----------
    query : Tensor of shape (batch, heads, n_queries, d_k)
    key : Tensor of shape (batch, heads, n_keys, d_k)
    value : Tensor of shape (batch, heads, n_keys, d_v)
    mask : bool Tensor, optional
        True where a query may look: (batch, n_keys), or four dimensions that broadcast to
        (batch, heads, n_queries, n_keys).
    causal : bool, default=False
        No query looks past its own place. The last query stands at the last key.

    Returns
    -------
    output : Tensor of shape (batch, heads, n_queries, d_v)
    weights : Tensor of shape (batch, heads, n_queries, n_keys)
        Each row sums to 1; it is 0 where the mask hides every key.

    Raises
    ------
    InvalidInputError
        If the mask is not of bool type or has another shape.

    Examples
    --------
    >>> key = torch.eye(2).reshape(1, 1, 2, 2)
    >>> output, weights = scaled_dot_product_attention(1000 * key, key, key)
    >>> weights[0, 0].tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])  # (B, heads, Tq, Tk)
    visible = visible_keys(query, key, mask, causal)
    if visible is not None:
        scores = scores.masked_fill(~visible, -math.inf)
    weights = scores.softmax(dim=-1)
    if visible is not None:
        weights = weights.masked_fill(~visible, 0.0)  # a row without any key is 0, not 0/0
    return weights @ value, weights  # (B, heads, Tq, d), (B, heads, Tq, Tk)


def fused_attention(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None, causal: bool = False
) -> Tensor:
    """Return the output of equation 1 without holding the weights in memory.

    The fast path of :func:`scaled_dot_product_attention`, with the same arguments.
    """
    if query.dtype == torch.bfloat16 and query.device.type == "cpu" and query.requires_grad:
        return _bfloat16_attention(query, key, value, mask, causal)
    if causal and mask is None and query.shape[-2] == key.shape[-2]:
        return F.scaled_dot_product_attention(query, key, value, is_causal=True)
    return F.scaled_dot_product_attention(query, key, value, visible_keys(query, key, mask, causal))


def _bfloat16_attention(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, causal: bool) -> Tensor:
    """Go round a slow kernel: on a CPU the fused bfloat16 backward pass takes 2 to 4 times the float32 one.

    For sentences the open formula is faster than either; its weights are small then.
    """
    if key.shape[-2] <= SHORT:
        return scaled_dot_product_attention(query, key, value, mask, causal)[0]
    with torch.autocast("cpu", enabled=False):
        return fused_attention(query.float(), key.float(), value.float(), mask, causal).to(query.dtype)


def visible_keys(query: Tensor, key: Tensor, mask: Tensor | None, causal: bool) -> Tensor | None:
    """Return the mask of what each query sees, broadcastable to (B, heads, Tq, Tk); None: all."""
    n_queries, n_keys = query.shape[-2], key.shape[-2]
    if mask is not None:
        mask = _checked_mask(mask, (*query.shape[:2], n_queries, n_keys))
    if not causal or n_queries == 1:
        return mask
    past = torch.ones(n_queries, n_keys, dtype=torch.bool, device=query.device).tril(n_keys - n_queries)
    return past if mask is None else mask & past


def _checked_mask(mask: Tensor, shape: tuple[int, ...]) -> Tensor:
    batch, _, _, n_keys = shape
    if mask.dtype != torch.bool:
        raise InvalidInputError(f"mask is of type {mask.dtype}; allowed: torch.bool, True where a key may be seen")
    if tuple(mask.shape) == (batch, n_keys):
        return mask[:, None, None, :]
    if mask.dim() == 4 and all(got in (1, full) for got, full in zip(mask.shape, shape, strict=True)):
        return mask
    raise InvalidInputError(
        f"mask has shape {tuple(mask.shape)}; allowed: (batch, keys) = {(batch, n_keys)}, "
        f"or broadcastable to (batch, heads, queries, keys) = {shape}"
    )


class KeyValueCache:
    """Keys and values that one attention has computed, kept from one decoding step to the next.

    They lie in memory with room for more, twice as much whenever it is full, so that a new
    token's are written and the others stay where they are.

    Attributes
    ----------
    length : int
        Number of keys.
    """

    def __init__(self) -> None:
        self.length = 0
        self._room: Tensor | None = None  # (keys and values, B, heads, room, d_k)

    @property
    def key(self) -> Tensor | None:
        """Keys of shape (batch, heads, length, d_k), or None at the start."""
        return None if self._room is None else self._room[0, :, :, : self.length]

    @property
    def value(self) -> Tensor | None:
        """Values of shape (batch, heads, length, d_k), or None at the start."""
        return None if self._room is None else self._room[1, :, :, : self.length]

    def extend(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Add the keys and values of new tokens; return all."""
        old, self.length = self.length, self.length + key.shape[2]
        if self._room is None or self.length > self._room.shape[3]:
            room = key.new_empty(2, *key.shape[:2], max(self.length, 2 * old), key.shape[3])
            if self._room is not None:
                room[:, :, :, :old] = self._room[:, :, :, :old]
            self._room = room
        self._room[0, :, :, old : self.length] = key
        self._room[1, :, :, old : self.length] = value
        return self._room[0, :, :, : self.length], self._room[1, :, :, : self.length]

    def select(self, rows: Tensor) -> None:
        """Keep these rows of the batch, in this order; a row may come twice."""
        if self._room is not None:
            self._room = self._room[:, rows]


class DecodingCache:
    """Keys and values of all layers of a decoder, for the tokens written so far.

    Parameters
    ----------
    n_layers : int

    Attributes
    ----------
    own : list of KeyValueCache
        Of the self-attention of each layer.
    memory : list of KeyValueCache
        Of each layer's attention to the encoder's output, if it has one.
    """

    def __init__(self, n_layers: int):
        self.own = [KeyValueCache() for _ in range(n_layers)]
        self.memory = [KeyValueCache() for _ in range(n_layers)]

    @property
    def length(self) -> int:
        """Number of tokens written so far."""
        return self.own[0].length

    def reorder(self, rows: Tensor) -> None:
        """Continue from these rows; each must have the same source as the row it replaces."""
        for cache in self.own:
            cache.select(rows)


class MultiHeadAttention(nn.Module):
    """Multi-head attention: h attentions side by side, each in its own projection.

    Parameters
    ----------
    d_model : int
        Width of inputs and output.
    n_heads : int
        Number h of heads; d_k = d_v = d_model / h.

    Attributes
    ----------
    qkv : nn.Linear
        W^Q, W^K and W^V of all heads, below each other: weight (3 d_model, d_model).
    output : nn.Linear
        W^O.
    """

    def __init__(self, d_model: int, n_heads: int):
        super().__init__()
        if n_heads < 1 or d_model % n_heads:
            raise InvalidInputError(f"n_heads={n_heads} does not divide d_model={d_model}")
        self.n_heads = n_heads
        self.qkv = nn.Linear(d_model, 3 * d_model)
        self.output = nn.Linear(d_model, d_model)
        for weight in (*self.qkv.weight.chunk(3), self.output.weight):
            nn.init.xavier_uniform_(weight)
        nn.init.zeros_(self.qkv.bias)
        nn.init.zeros_(self.output.bias)

    def forward(
        self,
        x: Tensor,
        memory: Tensor | None = None,
        mask: Tensor | None = None,
        causal: bool = False,
        cache: KeyValueCache | None = None,
        weights: list[Tensor] | None = None,
    ) -> Tensor:
        """Return what each position of ``x`` gathers from ``memory``, or from ``x`` itself.

        Parameters
        ----------
        x : Tensor of shape (batch, n_queries, d_model)
        memory : Tensor of shape (batch, n_keys, d_model), optional
        mask, causal
            As in :func:`scaled_dot_product_attention`; a mask covers the cached keys too.
        cache : KeyValueCache, optional
            Self-attention adds the keys and values of ``x`` to it and looks at all of them;
            attention to ``memory`` projects it once and then reads the cache.
        weights : list, optional
            If given, the attention weights (batch, heads, query, key) that made this output
            are computed by the open formula and appended.

        Returns
        -------
        Tensor of shape (batch, n_queries, d_model)
        """
        query, key, value = self._project_self(x, cache) if memory is None else self._project(x, memory, cache)
        if weights is None:
            heads = fused_attention(query, key, value, mask, causal)  # (B, heads, T, d)
        else:
            heads, attention = scaled_dot_product_attention(query, key, value, mask, causal)
            weights.append(attention)
        return self.output(heads.transpose(1, 2).flatten(2))  # (B, T, d_model)

    def _project_self(self, x: Tensor, cache: KeyValueCache | None) -> tuple[Tensor, Tensor, Tensor]:
        query, key, value = self._split(self.qkv(x), 3)
        if cache is not None:
            key, value = cache.extend(key, value)
        return query, key, value

    def _project(self, x: Tensor, memory: Tensor, cache: KeyValueCache | None) -> tuple[Tensor, Tensor, Tensor]:
        d_model = x.shape[-1]
        w_q, w_kv = self.qkv.weight.split((d_model, 2 * d_model))
        b_q, b_kv = self.qkv.bias.split((d_model, 2 * d_model))
        (query,) = self._split(F.linear(x, w_q, b_q), 1)
        if cache is not None and cache.key is not None and cache.value is not None:
            return query, cache.key, cache.value
        key, value = self._split(F.linear(memory, w_kv, b_kv), 2)
        if cache is not None:
            cache.extend(key, value)
        return query, key, value

    def _split(self, projected: Tensor, parts: int) -> tuple[Tensor, ...]:
        """Cut (B, T, parts * heads * d) into ``parts`` tensors (B, heads, T, d)."""
        return projected.unflatten(-1, (parts, self.n_heads, -1)).permute(2, 0, 3, 1, 4).unbind(0)
