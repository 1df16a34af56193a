"""Contrastive divergence, written out: how a restricted Boltzmann machine learns.

The log-likelihood of a visible vector v rises along the difference of two means of one
statistic, h v^T: over the data, where h follows from v, and over the model's own dreams.
The second is estimated by a Gibbs chain of k steps, hidden -> visible -> hidden:

    P(h_j = 1 | v) = sigmoid(W v + c)_j      P(v_i = 1 | h) = sigmoid(W^T h + b)_i
    dW ~ <P(h | v) v^T>_data - <P(h | v') v'^T>_chain
    dc ~ <P(h | v)>_data - <P(h | v')>_chain,   db ~ <v>_data - <v'>_chain

The chain starts at the data's own h in each step (CD-k), or goes on where it stood in the
last step (persistent CD), which follows the likelihood's gradient more closely. Gaussian
visible units are v = W^T h + b plus noise of variance 1. Data of variance 1, as standardized
data are, are then explained by the noise alone, and the weights stay near 0; a chain whose
units are their means, v = W^T h + b, finds what is in them (Hinton 2012, section 13.2).

Some of the visible units may be a label, of which one is on: a softmax group. Its units in
the chain are probabilities, not states (Hinton, Osindero and Teh 2006).

torch does the matrix products into arrays that are allocated once. A random number has 16
bits, so a probability below 1 / 131,072 is taken as 0. In "bfloat16" the factors of the
products are rounded to 8 bits, which 0 and 1 survive; sums, probabilities and parameters
stay float32.

References
----------
G. E. Hinton (2002). Training products of experts by minimizing contrastive divergence.
Neural Computation 14.
G. E. Hinton, S. Osindero, Y.-W. Teh (2006). A fast learning algorithm for deep belief nets.
Neural Computation 18.
T. Tieleman (2008). Training restricted Boltzmann machines using approximations to the
likelihood gradient. ICML.
G. E. Hinton (2012). A practical guide to training restricted Boltzmann machines (the
sparsity target: q - p is added to the input of every hidden unit).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from glassnet.errors import InvalidInputError, UnknownNameError
from glassnet.learning.backprop import as_tensor
from glassnet.seeds import stream_key
from glassnet.training.batches import Batches
from glassnet.training.state import TrainingState
from glassnet.training.threads import threads_for, torch_threads

VISIBLE_UNITS = ("binary", "gaussian")
# weights whose root mean square is above this make steps of all units: the fit has exploded
LARGEST_WEIGHT = 100.0


@dataclass(frozen=True)
class DivergenceRule:
    """How a restricted Boltzmann machine learns, as plain data.

    Parameters
    ----------
    visible : {"binary", "gaussian"}
    n_gibbs_steps : int
        k of CD-k, at least 1.
    persistent : bool
        Whether the chains go on from step to step.
    learning_rate : float
        Above 0.
    momentum : float
        In [0, 1).
    weight_decay : float
        At least 0; a step takes learning_rate weight_decay W away from the weights W.
    sparsity_target : float or None
        In (0, 1): the mean activation that every hidden unit is drawn to.
    sparsity_cost : float
        At least 0: how strongly.
    sparsity_decay : float
        In [0, 1): share of the old in the running mean of the activations.
    n_labels : int
        The last so many visible units are a softmax group.
    noise_free : bool
        Whether Gaussian units in the chain are their means.
    """

    visible: str = "binary"
    n_gibbs_steps: int = 1
    persistent: bool = False
    learning_rate: float = 0.1
    momentum: float = 0.0
    weight_decay: float = 0.0
    sparsity_target: float | None = None
    sparsity_cost: float = 0.1
    sparsity_decay: float = 0.9
    n_labels: int = 0
    noise_free: bool = False

    def __post_init__(self) -> None:
        if self.visible not in VISIBLE_UNITS:
            raise UnknownNameError("kind of visible unit", self.visible, VISIBLE_UNITS)
        if not self.learning_rate > 0:
            raise InvalidInputError(f"learning_rate_init must be above 0, got {self.learning_rate}.")
        for name in ("momentum", "sparsity_decay"):
            if not 0 <= getattr(self, name) < 1:
                raise InvalidInputError(f"{name} must be in [0, 1), got {getattr(self, name)}.")
        for name in ("weight_decay", "sparsity_cost"):
            if not getattr(self, name) >= 0:
                raise InvalidInputError(f"{name} must be at least 0, got {getattr(self, name)}.")
        if self.sparsity_target is not None and not 0 < self.sparsity_target < 1:
            raise InvalidInputError(f"sparsity_target must be in (0, 1) or None, got {self.sparsity_target}.")


def split(flat: Any, n_hidden: int, n_visible: int) -> tuple[Any, Any, Any]:
    """Return weight (n_hidden, n_visible), hidden bias and visible bias as views into a flat array or tensor.

    Examples
    --------
    >>> weight, hidden_bias, visible_bias = split(np.arange(11), 2, 3)
    >>> weight.shape, hidden_bias, visible_bias
    ((2, 3), array([6, 7]), array([ 8,  9, 10]))
    """
    n = n_hidden * n_visible
    return flat[:n].reshape(n_hidden, n_visible), flat[n : n + n_hidden], flat[n + n_hidden :]


def initial_arrays(
    n_hidden: int, n_visible: int, n_chains: int, rule: DivergenceRule, rng: np.random.Generator, dtype: str
) -> dict[str, np.ndarray]:
    """Return the arrays before the first step: weights normal with standard deviation 0.01, biases 0."""
    parameters = np.zeros(n_hidden * n_visible + n_hidden + n_visible, dtype)
    split(parameters, n_hidden, n_visible)[0][...] = rng.normal(0, 0.01, (n_hidden, n_visible))
    arrays = {"parameters": parameters}
    if rule.momentum:
        arrays["velocity"] = np.zeros_like(parameters)
    if rule.persistent:
        arrays["chains"] = rng.integers(0, 2, (n_chains, n_hidden)).astype(dtype)
    if rule.sparsity_target is not None:
        arrays["mean_activation"] = np.full(n_hidden, rule.sparsity_target, dtype)
    return arrays


class Noise:
    """Random numbers of one step of the fit, all from one stream."""

    def __init__(self, seed: int, step: int):
        self._bits = np.random.SFC64(stream_key(seed, "gibbs", step))

    def uniform_(self, out: Tensor) -> Tensor:
        """Fill with numbers (u + 1/2) / 65,536, u = 0..65,535: four from each word of the stream."""
        words = self._bits.random_raw(-(-out.numel() // 4))
        numbers = torch.from_numpy(words.view(np.int16)[: out.numel()]).view(out.shape)
        return torch.add(torch.tensor(0.5 + 2.0**-17, dtype=out.dtype), out.copy_(numbers), alpha=2.0**-16, out=out)

    def normal(self, like: Tensor) -> Tensor:
        """Return standard normal numbers."""
        numbers = np.random.Generator(self._bits).standard_normal(like.shape, dtype=np.float32)
        return torch.from_numpy(numbers).to(like.dtype)


class _Buffers:
    """Arrays of one batch: n samples of the data above m samples of the chain."""

    def __init__(self, n: int, m: int, n_hidden: int, n_visible: int, dtype: torch.dtype):
        self.visible = torch.empty(n + m, n_visible, dtype=dtype)  # data, then chain
        self.hidden = torch.empty(n + m, n_hidden, dtype=dtype)  # P(h = 1) of both
        self.seen = torch.empty(max(n, m), n_visible, dtype=dtype)  # mean of the visible units
        self.fired = torch.empty(m, n_hidden, dtype=dtype)  # the chain's hidden units
        self.scratch = torch.empty(max(n, m) * max(n_hidden, n_visible), dtype=dtype)
        self.sign = torch.cat([torch.ones(n, dtype=dtype), torch.full((m,), -n / m, dtype=dtype)])

    def scratch_like(self, tensor: Tensor) -> Tensor:
        return self.scratch[: tensor.numel()].view(tensor.shape)


class ContrastiveDivergenceEngine:
    """Makes the steps of a restricted Boltzmann machine by the written-out rule.

    The loss of a batch is the mean squared difference of its samples and their
    reconstructions, per visible unit. It is infinite after a step that made the weights
    explode.

    Parameters
    ----------
    rule : DivergenceRule
    n_hidden : int
    X : ndarray of shape (n_samples, n_visible), float32 or float64
    bfloat16 : bool
        Whether to multiply in bfloat16.
    """

    name = "formula"

    def __init__(self, rule: DivergenceRule, n_hidden: int, X: np.ndarray, bfloat16: bool = False):
        self.rule, self.n_hidden, self.n_visible = rule, n_hidden, X.shape[1]
        self.X, self.bfloat16 = as_tensor(X), bfloat16
        self._buffers: dict[tuple[int, int], _Buffers] = {}
        self._halves: dict[tuple, Tensor] = {}

    @torch.inference_mode()
    def run(self, state: TrainingState, batches: Batches) -> np.ndarray:
        """Make one step per batch; see `glassnet.training.state.Engine`."""
        arrays = {name: torch.from_numpy(array) for name, array in state.arrays.items()}
        indices = torch.from_numpy(batches.indices)
        losses = np.empty(len(batches))
        with torch_threads(threads_for(state.batch_size * self.n_hidden * self.n_visible)):
            for i, (start, stop) in enumerate(zip(batches.starts.tolist(), batches.stops.tolist(), strict=True)):
                losses[i] = self._step(arrays, indices[start:stop], Noise(state.seed, state.step + i))
        return losses

    def _step(self, arrays: dict[str, Tensor], rows: Tensor, noise: Noise) -> float:
        """Make one step on the batch ``rows``; return its mean loss."""
        n, chains = len(rows), arrays.get("chains")
        buffers = self._batch_buffers(n, n if chains is None else len(chains))
        factors = self._factors(arrays["parameters"])
        data, dream = slice(0, n), slice(n, None)
        torch.index_select(self.X, 0, rows, out=buffers.visible[data])
        self._hide(buffers, data, factors)
        if chains is None:
            self._fire(buffers, buffers.hidden[data], noise, out=buffers.fired)
            loss = self._dream(buffers, n, factors, noise, reconstructs=True)
        else:
            loss = self._reconstruct(buffers, n, factors)
            buffers.fired.copy_(chains)
            self._dream(buffers, n, factors, noise)
        if chains is not None:
            self._fire(buffers, buffers.hidden[dream], noise, out=chains)
        self._draw_to_target(buffers.hidden[data], arrays)
        self._climb(arrays, buffers, n)
        weight = self._split(arrays["parameters"])[0].reshape(-1)
        size = (weight.dot(weight).item() / len(weight)) ** 0.5
        return loss if size <= LARGEST_WEIGHT else np.inf  # also if it is NaN

    def _dream(self, buffers: _Buffers, n: int, factors: tuple, noise: Noise, reconstructs: bool = False) -> float:
        """Make the chain's k steps from its hidden units; return the error of the first if it ``reconstructs``."""
        dream, loss = slice(n, None), np.nan
        for step in range(self.rule.n_gibbs_steps):
            if step:
                self._fire(buffers, buffers.hidden[dream], noise, out=buffers.fired)
            self._see(buffers, factors, noise, out=buffers.visible[dream])
            if reconstructs and not step:
                loss = self._error(buffers, n)
            self._hide(buffers, dream, factors)
        return loss

    def _reconstruct(self, buffers: _Buffers, n: int, factors: tuple) -> float:
        """Return the error of the data's means, seen from the probabilities of the hidden units."""
        self.visible_mean(buffers.hidden[:n], factors, out=buffers.seen[:n])
        return self._error(buffers, n)

    def _error(self, buffers: _Buffers, n: int) -> float:
        """Return the mean squared difference of the data and what was seen of it."""
        difference = buffers.scratch_like(buffers.seen[:n])
        flat = torch.sub(buffers.seen[:n], buffers.visible[:n], out=difference).view(-1)
        return flat.dot(flat).item() / len(flat)

    def _hide(self, buffers: _Buffers, rows: slice, factors: tuple) -> None:
        """Compute P(h = 1 | v) of the data or the chain."""
        self.hidden_mean(buffers.visible[rows], factors, out=buffers.hidden[rows])

    def _fire(self, buffers: _Buffers, mean: Tensor, noise: Noise, out: Tensor) -> None:
        """Draw 0 or 1 with these probabilities of 1."""
        torch.gt(mean, noise.uniform_(buffers.scratch_like(mean)), out=out)

    def _see(self, buffers: _Buffers, factors: tuple, noise: Noise, out: Tensor) -> None:
        """Draw the chain's visible units from its hidden ones."""
        mean = self.visible_mean(buffers.fired, factors, out=buffers.seen[: len(out)])
        if self.rule.visible == "binary":
            self._fire(buffers, mean, noise, out)
        else:
            out.copy_(mean if self.rule.noise_free else mean + noise.normal(mean))
        if k := self.rule.n_labels:
            out[:, -k:] = mean[:, -k:]

    def hidden_mean(self, visible: Tensor, factors: tuple, out: Tensor) -> Tensor:
        """P(h = 1 | v) = sigmoid(W v + c)."""
        weight, hidden_bias, _ = factors
        return self._product(hidden_bias, visible, weight.T, out).sigmoid_()

    def visible_mean(self, hidden: Tensor, factors: tuple, out: Tensor) -> Tensor:
        """Mean of v given h: sigmoid(W^T h + b), or W^T h + b of Gaussian units; softmax of a label."""
        weight, _, visible_bias = factors
        self._product(visible_bias, hidden, weight, out)
        units, labels = out.tensor_split([out.shape[1] - self.rule.n_labels], dim=1)
        if self.rule.n_labels:
            labels.copy_(labels.softmax(1))
        if self.rule.visible == "binary":
            units.sigmoid_()
        return out

    def _product(self, bias: Tensor, rows: Tensor, weight: Tensor, out: Tensor) -> Tensor:
        """Write bias + rows @ weight into ``out``."""
        if self.bfloat16:
            product = self._half("product", out.shape)
            return torch.add(torch.mm(self._rounded("rows", rows), weight, out=product), bias, out=out)
        return torch.addmm(bias, rows, weight, out=out)

    def _draw_to_target(self, hidden: Tensor, arrays: dict[str, Tensor]) -> None:
        """Add sparsity_cost (target - running mean) to the data's share of each hidden unit's gradient."""
        if self.rule.sparsity_target is not None:
            mean = arrays["mean_activation"]
            mean.lerp_(hidden.mean(0), 1 - self.rule.sparsity_decay)
            hidden.add_((self.rule.sparsity_target - mean).mul_(self.rule.sparsity_cost))

    def _climb(self, arrays: dict[str, Tensor], buffers: _Buffers, n: int) -> None:
        """velocity <- momentum velocity + learning_rate (gradient - weight_decay W); parameters += velocity."""
        rule, parameters = self.rule, arrays["parameters"]
        velocity = arrays["velocity"].mul_(rule.momentum) if rule.momentum else parameters
        if rule.weight_decay:
            self._split(velocity)[0].sub_(self._split(parameters)[0], alpha=rule.learning_rate * rule.weight_decay)
        self._add_gradient(velocity, buffers, rule.learning_rate / n)
        if rule.momentum:
            parameters.add_(velocity)

    def _add_gradient(self, to: Tensor, buffers: _Buffers, rate: float) -> None:
        """Add ``rate`` times the data's statistics, less those of the chain, in n-ths."""
        weight, hidden_bias, visible_bias = self._split(to)
        visible_bias.addmv_(buffers.visible.T, buffers.sign, alpha=rate)
        hidden_bias.addmv_(buffers.hidden.T, buffers.sign, alpha=rate)
        buffers.hidden.mul_(buffers.sign[:, None])
        if self.bfloat16:
            factors = self._rounded("hidden", buffers.hidden).T, self._rounded("visible", buffers.visible)
            weight.add_(torch.mm(*factors, out=self._half("gradient", weight.shape)), alpha=rate)
        else:
            weight.addmm_(buffers.hidden.T, buffers.visible, alpha=rate)

    def _factors(self, parameters: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the weight, in the type in which it is multiplied, and the biases."""
        weight, hidden_bias, visible_bias = self._split(parameters)
        return self._rounded("weight", weight) if self.bfloat16 else weight, hidden_bias, visible_bias

    def _rounded(self, name: str, values: Tensor) -> Tensor:
        """Return the values in bfloat16, in memory that is kept: fresh memory costs more than the product."""
        return self._half(name, values.shape).copy_(values)

    def _half(self, name: str, shape: torch.Size) -> Tensor:
        if (name, shape) not in self._halves:
            self._halves[name, shape] = torch.empty(shape, dtype=torch.bfloat16)
        return self._halves[name, shape]

    def _split(self, flat: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return split(flat, self.n_hidden, self.n_visible)

    def _batch_buffers(self, n: int, m: int) -> _Buffers:
        if (n, m) not in self._buffers:
            self._buffers[n, m] = _Buffers(n, m, self.n_hidden, self.n_visible, self.X.dtype)
        return self._buffers[n, m]
