"""Who looks at whom: attention weights together with the tokens that they lie between."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from glassnet.errors import InvalidInputError


@dataclass(frozen=True)
class TokenAttention:
    """The attention of all layers and heads of one stack, for one text.

    Parameters
    ----------
    queries : list of str
        The tokens that look.
    keys : list of str
        The tokens that are looked at.
    weights : ndarray of shape (layers, heads, query, key)
        In [0, 1]; each row sums to 1.

    Examples
    --------
    >>> attention = TokenAttention(["it"], ["animal", "street"], np.array([[[[0.75, 0.25]]]]))
    >>> attention.head(layer=0, head=0).tolist()
    [[0.75, 0.25]]
    """

    queries: list[str]
    keys: list[str]
    weights: np.ndarray

    @property
    def n_layers(self) -> int:
        """Number of layers."""
        return self.weights.shape[0]

    @property
    def n_heads(self) -> int:
        """Number of heads in each layer."""
        return self.weights.shape[1]

    def head(self, layer: int, head: int | None = None) -> np.ndarray:
        """Return the weights of one head, or the mean over the heads of a layer: (query, key).

        Raises
        ------
        InvalidInputError
            If there is no such layer or head.
        """
        for name, got, count in (("layer", layer, self.n_layers), ("head", head or 0, self.n_heads)):
            if not -count <= got < count:
                raise InvalidInputError(f"there is no {name} {got}; allowed: 0 to {count - 1}, or from the end -1 on")
        return self.weights[layer].mean(axis=0) if head is None else self.weights[layer, head]


class TranslationAttention(NamedTuple):
    """The three attentions of an encoder-decoder in one translation.

    Parameters
    ----------
    encoder : TokenAttention
        Of the source to itself.
    decoder : TokenAttention
        Of the target to itself.
    cross : TokenAttention
        Of the target to the source. A query is the token that stands at a position; what is
        written from there is the token after it.
    """

    encoder: TokenAttention
    decoder: TokenAttention
    cross: TokenAttention
