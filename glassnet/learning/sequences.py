"""Learning from sequences of tokens: what `AutogradEngine` minimizes for translation and for writing.

Both are the cross-entropy of the next token, -log P(y_t | y_<t), summed over the tokens of
a batch and divided by their number; a translator's P is given the source, too.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from glassnet.data.text import pad, token_batches
from glassnet.data.vocabulary import BEGIN, END, PADDING
from glassnet.learning.autograd import AutogradEngine
from glassnet.learning.label_smoothing import tied_cross_entropy
from glassnet.learning.supervised import as_tensor
from glassnet.networks.gpt import GPT
from glassnet.networks.transformer import Transformer
from glassnet.training.batches import Batches
from glassnet.training.state import TrainingState


class Translation:
    """The cross-entropy of every token of the targets, the end token included.

    Parameters
    ----------
    sources, targets : sequence of list of int
        Tokens of each pair, without begin and end.
    label_smoothing : float
        In [0, 1).
    device : str

    Attributes
    ----------
    lengths : int64 ndarray of shape (n_pairs, 2)
        What each side takes in a batch: the source with its end token, the target with begin or end.
    """

    def __init__(
        self,
        sources: Sequence[list[int]],
        targets: Sequence[list[int]],
        label_smoothing: float = 0.0,
        device: str = "cpu",
    ):
        self.sources = [np.array([*tokens, END]) for tokens in sources]
        self.targets = [np.array([BEGIN, *tokens, END]) for tokens in targets]
        self.label_smoothing, self.device = label_smoothing, device
        sides = [(len(s), len(t) - 1) for s, t in zip(self.sources, self.targets, strict=True)]
        self.lengths = np.array(sides, np.int64).reshape(-1, 2)

    @property
    def data(self) -> tuple[np.ndarray, ...]:
        """All that is learned, by which processes find out that their data differ."""
        return np.concatenate(self.sources), np.concatenate(self.targets), self.lengths

    def total(self, module: Transformer, rows: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Return the sum of the losses of the tokens of these pairs; see `Objective`."""
        source, mask = padded([self.sources[i] for i in rows.tolist()], self.device)
        target, real = padded([self.targets[i] for i in rows.tolist()], self.device)
        features = module.decode(target[:, :-1], module.encode(source, mask), mask)  # (B, T, d_model)
        predicted = slice(None) if real is None else real[:, 1:]
        return summed_cross_entropy(module, features[predicted], target[:, 1:][predicted], self.label_smoothing)

    def weight(self, rows: Tensor) -> float:
        """Return the number of target tokens; see `Objective`."""
        return float(self.lengths[rows.numpy(), 1].sum())


class Continuation:
    """The cross-entropy of every token of a text, seen through windows.

    Window i begins at token i n_positions + shift, where each step draws a new shift in
    [0, n_positions) for each of its windows: an epoch reads about the whole text once, cut anew.

    Parameters
    ----------
    tokens : int ndarray of shape (n,)
        At least two. Only read, window by window: it may be a memory map.
    n_positions : int
        Length of the windows; a shorter text is one window.
    shifted : bool
        Whether windows are shifted; without, they lie side by side.
    device : str
    """

    def __init__(self, tokens: np.ndarray, n_positions: int, shifted: bool = True, device: str = "cpu"):
        self.tokens, self.shifted, self.device = as_tensor(tokens), shifted, device
        self.length = min(n_positions, len(tokens) - 1)
        self.n_windows = (len(tokens) - 1) // self.length

    @property
    def data(self) -> tuple[np.ndarray, ...]:
        """All that is learned, by which processes find out that their data differ."""
        return (self.tokens.numpy(),)

    def total(self, module: GPT, rows: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Return the sum of the losses of the tokens in these windows; see `Objective`."""
        start = rows * self.length
        if self.shifted:
            start += torch.randint(self.length, (len(rows),), generator=generator)
            start.clamp_(max=len(self.tokens) - 1 - self.length)
        window = self.tokens[start[:, None] + torch.arange(self.length + 1)].long().to(self.device)  # (B, T + 1)
        return summed_cross_entropy(module, module.decode(window[:, :-1]), window[:, 1:])

    def weight(self, rows: Tensor) -> float:
        """Return the number of tokens to be predicted; see `Objective`."""
        return float(len(rows) * self.length)


class TokenBatchEngine:
    """Makes steps of batches with about equally many tokens, where a batch's size is not a number of samples.

    To the `TrainingState` each batch is one sample: its ``n_samples`` is the number of batches
    of an epoch, its ``batch_size`` is 1, and the order is that of `token_batches`.

    Parameters
    ----------
    engine : AutogradEngine
        Its objective is a `Translation`.
    lengths : int ndarray of shape (n_pairs, 2)
    max_tokens : int
        Most tokens of a padded side of a batch.
    """

    def __init__(self, engine: AutogradEngine, lengths: np.ndarray, max_tokens: int):
        self.engine, self.lengths, self.max_tokens = engine, lengths, max_tokens
        self.name, self.group = engine.name, engine.group
        self._key: tuple[int, int] | None = None

    def run(self, state: TrainingState, batches: Batches) -> np.ndarray:
        """Make one step per batch; see `glassnet.training.state.Engine`."""
        chosen = [self._batch(state, i) for i in range(len(batches))]
        stops = np.cumsum([len(batch) for batch in chosen])
        starts = stops - [len(batch) for batch in chosen]
        return self.engine.run(state, Batches(np.concatenate(chosen), starts, stops))

    def _batch(self, state: TrainingState, ahead: int) -> np.ndarray:
        epoch, position = divmod(state.position + ahead, state.steps_per_epoch)
        key = (state.seed, state.epoch + epoch)
        if self._key != key:
            self._key, self._batches = key, token_batches(self.lengths, self.max_tokens, *key)
        return self._batches[position]


def padded(sequences: Sequence[np.ndarray], device: str) -> tuple[Tensor, Tensor | None]:
    """Return sequences as one array, and where it holds tokens; None if everywhere.

    Examples
    --------
    >>> [part.tolist() for part in padded([np.array([5, 6]), np.array([7])], "cpu")]
    [[[5, 6], [7, 0]], [[True, True], [True, False]]]
    """
    tokens = torch.from_numpy(pad(sequences)).to(device)
    mask = tokens != PADDING
    return tokens, None if mask.all() else mask


def summed_cross_entropy(module: Transformer | GPT, features: Tensor, target: Tensor, smoothing: float = 0.0) -> Tensor:
    """Return the sum over all positions of the cross-entropy, in nats, of features (..., d_model)."""
    features, target = features.reshape(-1, features.shape[-1]), target.reshape(-1)
    return tied_cross_entropy(features, module.embedding.weight, target, smoothing) * len(target)
