"""What "it" refers to, read off from what "it" attends to.

A. Vaswani et al. (2017) and the blog post beside the paper show a Transformer's attention
from "it": to the animal that was too tired, to the street that was too wide. Attention need
not tell so much. A translator's decoder sees the nouns and the adjective by itself; and an
encoder that is asked at "it" gathers all three there, and its feed-forward net finds the
answer: such a network was right in all held-out sentences while its attention was at chance.

So in this one the answer must pass through attention:

- It is linear in what "it" gathers in the last layer, which has no feed-forward net.
- Before, the words of the second clause see each other, those of the first only themselves: "it"
  knows the adjective, the nouns do not, and no word beside a noun knows the noun.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from glassnet.data.pronouns import IT, WORDS, PronounSentence
from glassnet.networks.attention import MultiHeadAttention
from glassnet.networks.transformer import Embedding, Encoder, SinusoidalPositions


class PronounReader(nn.Module):
    """An encoder of the second clause, one more attention, and er, sie or es read off from what "it" gathers there.

    Parameters
    ----------
    n_classes : int, default=3
    n_tokens : int
        Size of the vocabulary; that of `glassnet.data.pronouns` if not given.
    d_model, n_heads, d_ff : int
    n_layers : int
        Of the encoder; the attention that is read comes on top.
    dropout : float

    Examples
    --------
    >>> reader = PronounReader()
    >>> tuple(reader(torch.zeros(2, 11)).shape)
    (2, 3)
    """

    def __init__(
        self,
        n_classes: int = 3,
        *,
        n_tokens: int = len(WORDS),
        d_model: int = 64,
        n_heads: int = 2,
        d_ff: int = 128,
        n_layers: int = 1,
        dropout: float = 0.1,
    ):
        super().__init__()
        positions = SinusoidalPositions(d_model)
        self.embedding = Embedding(n_tokens, d_model, positions, math.sqrt(d_model), d_model**-0.5, dropout)
        self.encoder = Encoder(n_layers, d_model, n_heads, d_ff, dropout)
        self.attention = MultiHeadAttention(d_model, n_heads)
        self.output = nn.Linear(d_model, n_classes)

    def forward(self, tokens: Tensor, weights: list[Tensor] | None = None) -> Tensor:
        """Return the scores of er, sie, es: (batch, 3), of tokens (batch, n_words).

        If ``weights`` is given, the attention (batch, heads, query, key) of each layer is appended.
        """
        x = self.encoder(self.embedding(tokens.long()), _visible_before(tokens), weights=weights)  # (B, T, d_model)
        return self.output(self.attention(x, weights=weights)[:, IT])


def _visible_before(tokens: Tensor) -> Tensor:
    """Return which words see each other before the last layer: (1, 1, n_words, n_words), bool."""
    second = torch.arange(tokens.shape[1], device=tokens.device) >= IT
    itself = torch.eye(tokens.shape[1], dtype=torch.bool, device=tokens.device)
    return (itself | (second[:, None] & second))[None, None]


def word_numbers(sentences: Sequence[PronounSentence]) -> np.ndarray:
    """Return each sentence as the places of its words in `WORDS`: (n_sentences, n_words), float32."""
    number = {word: float(i) for i, word in enumerate(WORDS)}
    return np.array([[number[word] for word in sentence.words] for sentence in sentences], np.float32)


def pronouns(sentences: Sequence[PronounSentence]) -> np.ndarray:
    """Return the German word for "it" in each sentence."""
    return np.array([sentence.pronoun for sentence in sentences])
