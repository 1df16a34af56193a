"""GPT (2018): the Transformer's decoder by itself, which continues a text.

A. Radford, K. Narasimhan, T. Salimans, I. Sutskever, "Improving Language Understanding by
Generative Pre-Training", OpenAI, 2018; in the form of its successor: A. Radford, J. Wu,
R. Child, D. Luan, D. Amodei, I. Sutskever, "Language Models are Unsupervised Multitask
Learners" (GPT-2), OpenAI, 2019.

    h_0 = W_e[tokens] + W_p,    h_l = block(h_{l-1}),    P(next token) = softmax(h_n W_e^T)

A decoder without an encoder has no attention to it; what is left is an encoder layer under
a causal mask, and that is what this file uses. Positions are learned, so a sequence cannot
be longer than they are. The defaults are GPT-2's smallest model, 124,439,808 parameters;
``norm_first=False, n_tokens=40_478, n_positions=512`` is GPT's, 116,534,784.

Where we depart: as elsewhere in glassnet there is no dropout on attention weights. Weights
start at a standard deviation of 0.02, and 0.02 / sqrt(2 n_layers) where a layer adds to the
residual path (GPT-2, section 2.3).
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from glassnet.networks.attention import DecodingCache
from glassnet.networks.transformer import Embedding, Encoder, LearnedPositions

INITIAL_STD = 0.02


class GPT(nn.Module):
    """A decoder-only Transformer with learned positions.

    Parameters
    ----------
    n_tokens : int, default=50257
        Size of the vocabulary.
    n_positions : int, default=1024
        Longest sequence.
    d_model, n_heads, n_layers : int
    d_ff : int, optional
        Inner width of the feed-forward nets; 4 d_model if not given.
    dropout : float, default=0.1
    norm_first : bool, default=True
        Normalise before the sub-layers (GPT-2) or after them (GPT).

    References
    ----------
    Radford et al., "Language Models are Unsupervised Multitask Learners", OpenAI, 2019.

    Examples
    --------
    >>> model = GPT(n_tokens=10, n_positions=8, d_model=8, n_heads=2, n_layers=1)
    >>> tuple(model(torch.tensor([[3, 4, 5]])).shape)
    (1, 3, 10)
    """

    def __init__(
        self,
        n_tokens: int = 50_257,
        n_positions: int = 1024,
        *,
        d_model: int = 768,
        n_heads: int = 12,
        n_layers: int = 12,
        d_ff: int | None = None,
        dropout: float = 0.1,
        norm_first: bool = True,
    ):
        super().__init__()
        positions = LearnedPositions(n_positions, d_model)
        nn.init.normal_(positions.weight, std=INITIAL_STD)
        self.n_positions = n_positions
        self.embedding = Embedding(n_tokens, d_model, positions, scale=1.0, std=INITIAL_STD, dropout=dropout)
        self.decoder = Encoder(n_layers, d_model, n_heads, d_ff or 4 * d_model, dropout, norm_first, "gelu")
        self._initialize()

    def forward(self, tokens: Tensor, return_attention: bool = False) -> Any:
        """Return the logits of the token that follows each token.

        Parameters
        ----------
        tokens : int64 Tensor of shape (batch, length)
            At most ``n_positions`` long; padded, if at all, at the end.
        return_attention : bool, default=False
            Return the attention weights that made these logits, too.

        Returns
        -------
        Tensor of shape (batch, length, n_tokens), or it and a list of one Tensor
        (batch, heads, query, key) per layer

        Raises
        ------
        InvalidInputError
            If there are more tokens than positions, or a token is outside the vocabulary.
        """
        weights: list[Tensor] | None = [] if return_attention else None
        logits = self.logits(self.decode(tokens, weights=weights))
        return logits if weights is None else (logits, weights)

    def decode(self, tokens: Tensor, cache: DecodingCache | None = None, weights: list[Tensor] | None = None) -> Tensor:
        """Return features (batch, length, d_model); with a cache, of the new tokens only."""
        x = self.embedding(tokens, start=cache.length if cache else 0)
        return self.decoder(x, causal=True, cache=cache, weights=weights)

    def logits(self, features: Tensor) -> Tensor:
        """Return (..., n_tokens) of features (..., d_model)."""
        return self.embedding.logits(features)

    def new_cache(self) -> DecodingCache:
        """Return an empty cache for :meth:`decode`."""
        return DecodingCache(len(self.decoder.layers))

    @torch.no_grad()
    def _initialize(self) -> None:
        residual = INITIAL_STD / math.sqrt(2 * len(self.decoder.layers))
        for name, parameter in self.decoder.named_parameters():
            if name.endswith(("output.weight", "linear2.weight")):
                parameter.normal_(std=residual)
            elif name.endswith(("qkv.weight", "linear1.weight")):
                parameter.normal_(std=INITIAL_STD)
