"""Contrastive divergence, written out: how a restricted Boltzmann machine learns.

The log-likelihood of a visible vector v rises along the difference of two means of one
statistic, h v^T: over the data, where h follows from v, and over the model's own dreams.
The second is estimated by a Gibbs chain of k steps, hidden -> visible -> hidden:

    P(h_j = 1 | v) = sigmoid(W v + c)_j      P(v_i = 1 | h) = sigmoid(W^T h + b)_i
    dW ~ <P(h | v) v^T>_data - <P(h | v') v'^T>_chain
    dc ~ <P(h | v)>_data - <P(h | v')>_chain,   db ~ <v>_data - <v'>_chain

The chain starts at the data's own h in each step (CD-k), or goes on where it stood in the
last step (persistent CD), which follows the likelihood's gradient more closely. Gaussian
visible units are v = W^T h + b plus noise of variance 1.

torch does the matrix products into arrays that are allocated once. A random number has 16
bits, so a probability below 1 / 131,072 is taken as 0.

References
----------
G. E. Hinton (2002). Training products of experts by minimizing contrastive divergence.
Neural Computation 14.
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
from glassnet.learning.backprop import _as_tensor
from glassnet.seeds import generator
from glassnet.training.batches import Batches
from glassnet.training.state import TrainingState

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
    arrays = {"parameters": parameters, "velocity": np.zeros_like(parameters)}
    if rule.persistent:
        arrays["chains"] = rng.integers(0, 2, (n_chains, n_hidden)).astype(dtype)
    if rule.sparsity_target is not None:
        arrays["mean_activation"] = np.full(n_hidden, rule.sparsity_target, dtype)
    return arrays


class Noise:
    """Random numbers of one step of the fit, all from one stream."""

    def __init__(self, seed: int, step: int):
        self._stream = generator(seed, "gibbs", step)

    def uniform_(self, out: Tensor) -> Tensor:
        """Fill with numbers (u + 1/2) / 65,536, u = 0..65,535: four from each word of the stream."""
        words = self._stream.bit_generator.random_raw(-(-out.numel() // 4))
        numbers = torch.from_numpy(words.view(np.int16)[: out.numel()]).view(out.shape)
        return out.copy_(numbers).add_(32768.5).mul_(2.0**-16)

    def normal(self, like: Tensor) -> Tensor:
        """Return standard normal numbers."""
        return torch.from_numpy(self._stream.standard_normal(like.shape, dtype=np.float32)).to(like.dtype)


class _Buffers:
    """Arrays of one batch: n samples of the data above m samples of the chain."""

    def __init__(self, n: int, m: int, n_hidden: int, n_visible: int, dtype: torch.dtype):
        self.visible = torch.empty(n + m, n_visible, dtype=dtype)  # data, then chain
        self.hidden = torch.empty(n + m, n_hidden, dtype=dtype)
        self.mean = torch.empty(max(n, m), n_visible, dtype=dtype)  # of the visible units
        self.state = torch.empty(m, n_hidden, dtype=dtype)  # of the chain's hidden units
        self.noise = torch.empty(m, max(n_hidden, n_visible), dtype=dtype)
        self.share = torch.cat([torch.full((n,), 1 / n, dtype=dtype), torch.full((m,), -1 / m, dtype=dtype)])

    def noise_like(self, tensor: Tensor) -> Tensor:
        return self.noise.view(-1)[: tensor.numel()].view(tensor.shape)


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
    """

    name = "formula"

    def __init__(self, rule: DivergenceRule, n_hidden: int, X: np.ndarray):
        self.rule, self.n_hidden, self.n_visible = rule, n_hidden, X.shape[1]
        self.X = _as_tensor(X)
        self._buffers: dict[tuple[int, int], _Buffers] = {}

    @torch.inference_mode()
    def run(self, state: TrainingState, batches: Batches) -> np.ndarray:
        """Make one step per batch; see `glassnet.training.state.Engine`."""
        arrays = {name: torch.from_numpy(array) for name, array in state.arrays.items()}
        indices = torch.from_numpy(batches.indices)
        losses = np.empty(len(batches))
        for i, (start, stop) in enumerate(zip(batches.starts.tolist(), batches.stops.tolist(), strict=True)):
            losses[i] = self._step(arrays, indices[start:stop], Noise(state.seed, state.step + i))
        return losses

    def _step(self, arrays: dict[str, Tensor], rows: Tensor, noise: Noise) -> float:
        """Make one step on the batch ``rows``; return its mean loss."""
        n, chains = len(rows), arrays.get("chains")
        buffers = self._batch_buffers(n, n if chains is None else len(chains))
        parameters = self._split(arrays["parameters"])
        data, dream = buffers.visible[:n], buffers.visible[n:]
        torch.index_select(self.X, 0, rows, out=data)
        self.hidden_mean(data, parameters, out=buffers.hidden[:n])
        if chains is None:
            loss = self._chain_from_data(buffers, n, parameters, noise)
        else:
            loss = self._chain_goes_on(buffers, n, chains, parameters, noise)
        self.hidden_mean(dream, parameters, out=buffers.hidden[n:])
        if chains is not None:
            self._fire(buffers, buffers.hidden[n:], noise, out=chains)
        self._draw_to_target(buffers.hidden[:n], arrays)
        self._climb(arrays, buffers)
        size = parameters[0].norm().item() / parameters[0].numel() ** 0.5
        return loss if size <= LARGEST_WEIGHT else np.inf  # also if it is NaN

    def _chain_from_data(self, buffers: _Buffers, n: int, parameters: tuple, noise: Noise) -> float:
        """Run k steps of the chain from the data's hidden units (CD-k); return the reconstruction's error."""
        data, dream = buffers.visible[:n], buffers.visible[n:]
        self._fire(buffers, buffers.hidden[:n], noise, out=buffers.state)
        self._see(buffers, parameters, noise, out=dream)
        loss = torch.nn.functional.mse_loss(buffers.mean[:n], data).item()
        self._walk(buffers, n, parameters, noise, self.rule.n_gibbs_steps - 1)
        return loss

    def _chain_goes_on(self, buffers: _Buffers, n: int, chains: Tensor, parameters: tuple, noise: Noise) -> float:
        """Run k steps of the chain from where it stood (persistent CD); return the reconstruction's error."""
        self.visible_mean(buffers.hidden[:n], parameters, out=buffers.mean[:n])
        loss = torch.nn.functional.mse_loss(buffers.mean[:n], buffers.visible[:n]).item()
        buffers.state.copy_(chains)
        self._see(buffers, parameters, noise, out=buffers.visible[n:])
        self._walk(buffers, n, parameters, noise, self.rule.n_gibbs_steps - 1)
        return loss

    def _walk(self, buffers: _Buffers, n: int, parameters: tuple, noise: Noise, n_steps: int) -> None:
        """Make Gibbs steps from the chain's visible units."""
        dream, dreamt = buffers.visible[n:], buffers.hidden[n:]
        for _ in range(n_steps):
            self.hidden_mean(dream, parameters, out=dreamt)
            self._fire(buffers, dreamt, noise, out=buffers.state)
            self._see(buffers, parameters, noise, out=dream)

    def _fire(self, buffers: _Buffers, mean: Tensor, noise: Noise, out: Tensor) -> None:
        """Draw 0 or 1 with these probabilities of 1."""
        torch.gt(mean, noise.uniform_(buffers.noise_like(mean)), out=out)

    def _see(self, buffers: _Buffers, parameters: tuple, noise: Noise, out: Tensor) -> None:
        """Draw the chain's visible units from its hidden ones."""
        mean = self.visible_mean(buffers.state, parameters, out=buffers.mean[: len(out)])
        if self.rule.visible == "binary":
            self._fire(buffers, mean, noise, out)
        else:
            torch.add(mean, noise.normal(mean), out=out)

    def hidden_mean(self, visible: Tensor, parameters: tuple, out: Tensor) -> Tensor:
        """P(h = 1 | v) = sigmoid(W v + c)."""
        weight, hidden_bias, _ = parameters
        return torch.addmm(hidden_bias, visible, weight.T, out=out).sigmoid_()

    def visible_mean(self, hidden: Tensor, parameters: tuple, out: Tensor) -> Tensor:
        """Mean of v given h: sigmoid(W^T h + b), or W^T h + b of Gaussian units."""
        weight, _, visible_bias = parameters
        torch.addmm(visible_bias, hidden, weight, out=out)
        return out.sigmoid_() if self.rule.visible == "binary" else out

    def _draw_to_target(self, hidden: Tensor, arrays: dict[str, Tensor]) -> None:
        """Add sparsity_cost (target - running mean) to the data's share of each hidden unit's gradient."""
        if self.rule.sparsity_target is not None:
            mean = arrays["mean_activation"]
            mean.lerp_(hidden.mean(0), 1 - self.rule.sparsity_decay)
            hidden.add_((self.rule.sparsity_target - mean).mul_(self.rule.sparsity_cost))

    def _climb(self, arrays: dict[str, Tensor], buffers: _Buffers) -> None:
        """velocity <- momentum velocity + learning_rate (gradient - weight_decay W); parameters += velocity."""
        rule, velocity = self.rule, arrays["velocity"]
        weight, hidden_bias, visible_bias = self._split(velocity)
        options = {"beta": rule.momentum, "alpha": rule.learning_rate}
        visible_bias.addmv_(buffers.visible.T, buffers.share, **options)
        hidden_bias.addmv_(buffers.hidden.T, buffers.share, **options)
        buffers.hidden.mul_(buffers.share[:, None])
        weight.addmm_(buffers.hidden.T, buffers.visible, **options)
        if rule.weight_decay:
            weight.sub_(self._split(arrays["parameters"])[0], alpha=rule.learning_rate * rule.weight_decay)
        arrays["parameters"].add_(velocity)

    def _split(self, flat: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return split(flat, self.n_hidden, self.n_visible)

    def _batch_buffers(self, n: int, m: int) -> _Buffers:
        if (n, m) not in self._buffers:
            self._buffers[n, m] = _Buffers(n, m, self.n_hidden, self.n_visible, self.X.dtype)
        return self._buffers[n, m]
