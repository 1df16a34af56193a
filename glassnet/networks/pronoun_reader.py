"""What "it" refers to: an encoder that is asked at one word, and the attention with which it finds out.

A. Vaswani et al. (2017) and the blog post beside the paper show a Transformer's attention
from "it": to the animal that was too tired, to the street that was too wide. A translator
can find the German pronoun without ever looking from "it", as its decoder sees the nouns
and the adjective by itself. So here the answer is read off at "it" alone: what the nouns
and the adjective have to say must come there by attention.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from glassnet.data.pronouns import IT, WORDS, PronounSentence
from glassnet.networks.transformer import Embedding, Encoder, SinusoidalPositions


class PronounReader(nn.Module):
    """An encoder, and er, sie or es read off from what it makes of the word "it".

    Parameters
    ----------
    n_tokens : int
        Size of the vocabulary.
    n_classes : int, default=3
    d_model, n_heads, d_ff, n_layers : int
    dropout : float

    Examples
    --------
    >>> reader = PronounReader(90)
    >>> tuple(reader(torch.zeros(2, 11)).shape)
    (2, 3)
    """

    def __init__(
        self,
        n_tokens: int,
        n_classes: int = 3,
        *,
        d_model: int = 64,
        n_heads: int = 2,
        d_ff: int = 128,
        n_layers: int = 2,
        dropout: float = 0.1,
    ):
        super().__init__()
        positions = SinusoidalPositions(d_model)
        self.embedding = Embedding(n_tokens, d_model, positions, math.sqrt(d_model), d_model**-0.5, dropout)
        self.encoder = Encoder(n_layers, d_model, n_heads, d_ff, dropout)
        self.output = nn.Linear(d_model, n_classes)

    def forward(self, tokens: Tensor, weights: list[Tensor] | None = None) -> Tensor:
        """Return the scores of er, sie, es: (batch, 3), of tokens (batch, n_words).

        If ``weights`` is given, the attention (batch, heads, query, key) of each layer is appended.
        """
        features = self.encoder(self.embedding(tokens.long()), weights=weights)  # (B, T, d_model)
        return self.output(features[:, IT])


def word_numbers(sentences: Sequence[PronounSentence]) -> np.ndarray:
    """Return each sentence as the places of its words in `WORDS`: (n_sentences, n_words), float32."""
    number = {word: float(i) for i, word in enumerate(WORDS)}
    return np.array([[number[word] for word in sentence.words] for sentence in sentences], np.float32)


def pronouns(sentences: Sequence[PronounSentence]) -> np.ndarray:
    """Return the German word for "it" in each sentence."""
    return np.array([sentence.pronoun for sentence in sentences])


@torch.no_grad()
def attention_from_it(module: Any, X: np.ndarray) -> np.ndarray:
    """Return how much "it" attends to each word: (n_sentences, layers, heads, n_words).

    Parameters
    ----------
    module : PronounReader
        In evaluation mode.
    X : ndarray of shape (n_sentences, n_words)
        As `word_numbers` gives it.
    """
    weights: list[Tensor] = []
    module(torch.from_numpy(X), weights)
    return torch.stack([layer[:, :, IT] for layer in weights], dim=1).numpy()


def share_on_the_noun_meant(attention: np.ndarray, sentences: Sequence[PronounSentence]) -> np.ndarray:
    """Return, for each layer and head, in which share of the sentences "it" attends more to the noun that is meant.

    Parameters
    ----------
    attention : ndarray of shape (n_sentences, layers, heads, n_words)
    sentences : sequence of PronounSentence

    Returns
    -------
    ndarray of shape (layers, heads)
        In [0, 1]; chance is 0.5.
    """
    rows = np.arange(len(sentences))
    meant, other = (
        attention[rows, :, :, [getattr(sentence, name) for sentence in sentences]]
        for name in ("place_meant", "place_other")
    )
    return (meant > other).mean(axis=0)
