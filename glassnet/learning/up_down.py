"""The up-down algorithm, written out: how a deep belief network learns its layers together (2006).

A contrastive form of the wake-sleep algorithm. Each pair of layers below the top has two
weights: R[k] recognizes, upwards, G[k] generates, downwards. The top two layers are a
restricted Boltzmann machine, an associative memory of the last but one layer and the label:

    wake    s[0] = x,  s[k+1] ~ sigmoid(R[k] s[k] + r[k]);  G[k] learns to say s[k] from s[k+1]
    dream   from s[K] and the label, a Gibbs chain of a few steps in the memory, which learns
            by contrastive divergence
    sleep   t[K] from the chain's end,  t[k] ~ sigmoid(G[k]^T t[k+1] + g[k]),
            t[0] the mean;  R[k] learns to say t[k+1] from t[k]

"Learns to say" is the delta rule of one layer, the gradient of the log-likelihood of binary
units: dW ~ (state - mean) input^T.

Where we depart from the paper: hidden units enter the memory's statistics as probabilities,
as in `glassnet.learning.contrastive_divergence`, where theirs are states.

References
----------
G. E. Hinton, S. Osindero, Y.-W. Teh (2006). A fast learning algorithm for deep belief nets.
Neural Computation 18, appendix B.
G. E. Hinton, P. Dayan, B. J. Frey, R. M. Neal (1995). The wake-sleep algorithm for
unsupervised neural networks. Science 268.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from glassnet.learning.backprop import as_tensor
from glassnet.learning.contrastive_divergence import LARGEST_WEIGHT, Noise, split
from glassnet.learning.schedules import learning_rates
from glassnet.training.batches import Batches
from glassnet.training.state import TrainingState
from glassnet.training.threads import threads_for, torch_threads


@dataclass(frozen=True)
class UpDownRule:
    """How the layers learn together, as plain data.

    Parameters
    ----------
    n_gibbs_steps : int
        Steps of the memory's chain, at least 1.
    learning_rate : float
        Above 0; what the schedule scales.
    schedule : str
        See `glassnet.learning.schedules`.
    total_steps : int
        Length of the fit, for schedules that end.
    gaussian : bool
        Whether the visible units are Gaussian with variance 1.
    """

    n_gibbs_steps: int = 3
    learning_rate: float = 0.01
    schedule: str = "constant"
    total_steps: int = 1
    gaussian: bool = False


class Pair(NamedTuple):
    """Two neighbouring layers below the top, as arrays or tensors.

    Parameters
    ----------
    recognition : (n_above, n_below)
    recognition_bias : (n_above,)
    generative : (n_above, n_below)
    generative_bias : (n_below,)
    """

    recognition: Any
    recognition_bias: Any
    generative: Any
    generative_bias: Any


class Memory(NamedTuple):
    """The top machine, as arrays or tensors.

    Parameters
    ----------
    weight : (n_top, n_below + n_labels)
    hidden_bias : (n_top,)
    visible_bias : (n_below + n_labels,)
    """

    weight: Any
    hidden_bias: Any
    visible_bias: Any


def pairs_of(arrays: dict[str, Any]) -> list[Pair]:
    """Return views into a state's arrays: the pairs from the data up."""
    n_pairs = sum(name.startswith("recognition_bias") for name in arrays)
    return [Pair(*(arrays[f"{name}_{k}"] for name in Pair._fields)) for k in range(n_pairs)]


def memory_of(flat: Any, n_visible: int) -> Memory:
    """Return views into the memory's array."""
    return Memory(*split(flat, (len(flat) - n_visible) // (n_visible + 1), n_visible))


class UpDownEngine:
    """Makes the steps of the up-down algorithm.

    The loss of a batch is the mean squared difference of its samples and what the layer above
    them generates, per visible unit. It is infinite after a step that made the weights explode.

    Parameters
    ----------
    rule : UpDownRule
    X : ndarray of shape (n_samples, n_visible), float32 or float64
    labels : ndarray of shape (n_samples, n_labels)
        One 1 in each row.
    bfloat16 : bool
        Whether to multiply in bfloat16.
    """

    name = "formula"

    def __init__(self, rule: UpDownRule, X: np.ndarray, labels: np.ndarray, bfloat16: bool = False):
        self.rule, self.bfloat16 = rule, bfloat16
        self.X, self.labels = as_tensor(X), as_tensor(labels)

    @torch.inference_mode()
    def run(self, state: TrainingState, batches: Batches) -> np.ndarray:
        """Make one step per batch; see `glassnet.training.state.Engine`."""
        rule, n_steps = self.rule, len(batches)
        tensors = {name: torch.from_numpy(array) for name, array in state.arrays.items()}
        pairs = pairs_of(tensors)
        memory = memory_of(tensors["memory"], len(pairs[-1].recognition_bias) + self.labels.shape[1])
        rates = learning_rates(rule.schedule, rule.learning_rate, state.step, n_steps, rule.total_steps).tolist()
        losses, indices = np.empty(n_steps), torch.from_numpy(batches.indices)
        with torch_threads(threads_for(state.batch_size * memory.weight.numel())):
            for i, (start, stop) in enumerate(zip(batches.starts.tolist(), batches.stops.tolist(), strict=True)):
                rows = indices[start:stop]
                noise = Noise(state.seed, state.step + i)
                losses[i] = self._step(pairs, memory, self.X[rows], self.labels[rows], noise, rates[i])
        return losses

    def _step(self, pairs: list[Pair], memory: Memory, x: Tensor, labels: Tensor, noise: Noise, rate: float) -> float:
        """Make one step on a batch; return its mean loss."""
        awake = self.wake(pairs, x, noise)
        seen = torch.cat([awake[-1], labels], 1)
        hidden, dream, dreamt = self.dream(memory, seen, labels.shape[1], noise)
        asleep = self.sleep(pairs, dream[:, : awake[-1].shape[1]], noise)
        rate /= len(x)
        self.learn_memory(memory, seen, hidden, dream, dreamt, rate)
        loss = self.learn_pairs(pairs, awake, asleep, rate)
        size = memory.weight.norm().item() / memory.weight.numel() ** 0.5
        return loss if size <= LARGEST_WEIGHT else np.inf  # also if it is NaN

    def wake(self, pairs: list[Pair], x: Tensor, noise: Noise) -> list[Tensor]:
        """Go up: the samples, then the states that each layer draws."""
        states = [x]
        for pair in pairs:
            states.append(_fired(self._above(pair, states[-1]), noise))
        return states

    def dream(self, memory: Memory, seen: Tensor, n_labels: int, noise: Noise) -> tuple[Tensor, Tensor, Tensor]:
        """Run the chain; return P(h = 1) of the data, the chain's visible units and P(h = 1) of these."""
        hidden = dreamt = self._hidden(memory, seen)
        dream = seen
        for _ in range(self.rule.n_gibbs_steps):
            field = self._times(_fired(dreamt, noise), memory.weight) + memory.visible_bias
            units, labels = field.tensor_split([field.shape[1] - n_labels], dim=1)
            dream = torch.cat([_fired(units.sigmoid_(), noise), labels.softmax(1)], 1)
            dreamt = self._hidden(memory, dream)
        return hidden, dream, dreamt

    def sleep(self, pairs: list[Pair], top: Tensor, noise: Noise) -> list[Tensor]:
        """Go down: the mean of the visible units, then the states that each layer drew, the lowest first."""
        states = [top]
        for pair in reversed(pairs[1:]):
            states.insert(0, _fired(self._below(pair, states[0]).sigmoid_(), noise))
        return [self._visible_mean(pairs[0], states[0]), *states]

    def learn_memory(
        self, memory: Memory, seen: Tensor, hidden: Tensor, dream: Tensor, dreamt: Tensor, rate: float
    ) -> None:
        """Add ``rate`` times the statistics of the data, less those of the dream."""
        memory.weight.add_(self._times(hidden.T, seen) - self._times(dreamt.T, dream), alpha=rate)
        memory.hidden_bias.add_((hidden - dreamt).sum(0), alpha=rate)
        memory.visible_bias.add_((seen - dream).sum(0), alpha=rate)

    def learn_pairs(self, pairs: list[Pair], awake: list[Tensor], asleep: list[Tensor], rate: float) -> float:
        """Change both weights of each pair; return the mean squared error of the lowest."""
        loss = 0.0
        for k, pair in enumerate(pairs):
            mean = self._below(pair, awake[k + 1]).sigmoid_() if k else self._visible_mean(pair, awake[1])
            error, missed = awake[k] - mean, asleep[k + 1] - self._above(pair, asleep[k])
            loss = loss if k else error.square().mean().item()
            pair.generative.add_(self._times(awake[k + 1].T, error), alpha=rate)
            pair.generative_bias.add_(error.sum(0), alpha=rate)
            pair.recognition.add_(self._times(missed.T, asleep[k]), alpha=rate)
            pair.recognition_bias.add_(missed.sum(0), alpha=rate)
        return loss

    def _above(self, pair: Pair, below: Tensor) -> Tensor:
        """P(h = 1) of the layer above."""
        return self._times(below, pair.recognition.T).add_(pair.recognition_bias).sigmoid_()

    def _below(self, pair: Pair, above: Tensor) -> Tensor:
        """Return what enters the units of the layer below."""
        return self._times(above, pair.generative).add_(pair.generative_bias)

    def _visible_mean(self, pair: Pair, above: Tensor) -> Tensor:
        field = self._below(pair, above)
        return field if self.rule.gaussian else field.sigmoid_()

    def _hidden(self, memory: Memory, seen: Tensor) -> Tensor:
        return self._times(seen, memory.weight.T).add_(memory.hidden_bias).sigmoid_()

    def _times(self, a: Tensor, b: Tensor) -> Tensor:
        return (a.bfloat16() @ b.bfloat16()).to(a.dtype) if self.bfloat16 else a @ b


def _fired(mean: Tensor, noise: Noise) -> Tensor:
    """Draw 0 or 1 with these probabilities of 1."""
    return (mean > noise.uniform_(torch.empty_like(mean))).to(mean.dtype)
