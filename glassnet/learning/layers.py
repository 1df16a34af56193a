"""What a dense layer does, forwards and backwards, written out on torch tensors.

A layer turns its input x into

    z = W (x + noise) + b          full or local connectivity
    z = scale z_hat + shift        where normalized, z_hat = (z - mean) / sqrt(variance + EPSILON)
    h = f(z) mask / (1 - dropout)  where units are dropped
    h = h + W_s x                  where residual

and back, from dL/dh, gives dL/dx and the gradient of its own parameters. (The lecture
prints the normalized value as divided by the variance; it is divided by the standard
deviation. EPSILON keeps a unit of zero variance finite: its z_hat is 0.)

References
----------
N. Srivastava et al. (2014). Dropout: a simple way to prevent neural networks from overfitting.
C. M. Bishop (1995). Training with noise is equivalent to Tikhonov regularization.
S. Ioffe and C. Szegedy (2015). Batch normalization.
J. L. Ba, J. R. Kiros and G. E. Hinton (2016). Layer normalization.
Y. Wu and K. He (2018). Group normalization.
K. He et al. (2016). Deep residual learning for image recognition.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from glassnet.learning.activations import LEAKY_SLOPE
from glassnet.learning.spec import EPSILON, Layer, receptive_fields
from glassnet.seeds import torch_generator

# share of the newest batch in the running statistics
STATISTICS_MOMENTUM = 0.1

Parameters = dict[str, Tensor]


def _tanh_delta(delta: Tensor, h: Tensor, scratch: Tensor) -> None:
    delta.addcmul_(torch.mul(delta, h, out=scratch), h, value=-1)  # delta (1 - h^2)


def _sigmoid_delta(delta: Tensor, h: Tensor, scratch: Tensor) -> None:
    delta.mul_(h).addcmul_(delta, h, value=-1)  # delta h (1 - h)


def _relu_delta(delta: Tensor, h: Tensor, scratch: Tensor) -> None:
    torch.ops.aten.threshold_backward.grad_input(delta, h, 0, grad_input=delta)  # delta where h > 0, else 0


def _leaky_relu_delta(delta: Tensor, h: Tensor, scratch: Tensor) -> None:
    delta.mul_(torch.gt(h, 0, out=scratch).mul_(1 - LEAKY_SLOPE).add_(LEAKY_SLOPE))


def _leaky_relu(z: Tensor) -> Tensor:
    return torch.nn.functional.leaky_relu_(z, LEAKY_SLOPE)


# activation -> (z to h, in place; delta times the derivative, in place, from h)
IN_PLACE: dict[str, tuple[Callable[[Tensor], Tensor], Callable[[Tensor, Tensor, Tensor], None]]] = {
    "identity": (lambda z: z, lambda delta, h, scratch: None),
    "tanh": (torch.tanh_, _tanh_delta),
    "sigmoid": (torch.sigmoid_, _sigmoid_delta),
    "relu": (torch.relu_, _relu_delta),
    "leaky_relu": (_leaky_relu, _leaky_relu_delta),
}


@dataclass
class Streams:
    """Names the random streams of one training step; None of it is used in prediction."""

    seed: int
    step: int
    rank: int = 0

    def generator(self, purpose: str) -> torch.Generator:
        return torch_generator(self.seed, purpose, self.step, self.rank)


class Dense:
    """z = x W^T + b, with arrays for each batch size allocated once."""

    def __init__(self, layer: Layer, n_in: int):
        self.n_in, self.units = n_in, layer.units
        self._buffers: dict[int, tuple[Tensor, Tensor]] = {}

    def forward(self, x: Tensor, p: Parameters) -> Tensor:
        if len(x) not in self._buffers:
            self._buffers[len(x)] = (x.new_empty(len(x), self.units), x.new_empty(len(x), self.n_in))
        return torch.addmm(p["bias"], x, p["weight"].t(), out=self._buffers[len(x)][0])

    def backward(self, delta: Tensor, x: Tensor, p: Parameters, g: Parameters, down: bool) -> Tensor | None:
        torch.mm(delta.t(), x, out=g["weight"])
        torch.sum(delta, 0, out=g["bias"])
        return self._below(delta, p) if down else None

    def descend(self, delta: Tensor, x: Tensor, p: Parameters, rate: float, down: bool) -> Tensor | None:
        """Take ``rate`` times the gradient off the parameters in the product that makes it: no array holds it."""
        below = self._below(delta, p) if down else None
        p["weight"].addmm_(delta.t(), x, alpha=-rate)
        p["bias"].sub_(delta.sum(0), alpha=rate)
        return below

    def _below(self, delta: Tensor, p: Parameters) -> Tensor:
        return torch.mm(delta, p["weight"], out=self._buffers[len(delta)][1])


class Local:
    """z[c, p] = sum over the field f of place p of W[c, p, f] x[f] + b; W[c, f] where weights are shared."""

    def __init__(self, layer: Layer, n_in: int):
        self.n_in, self.shared = n_in, layer.share_weights
        self.windows = torch.from_numpy(receptive_fields(layer, n_in).copy())  # (places, field)
        self.index = "cf" if layer.share_weights else "cpf"

    def _weight(self, weight: Tensor) -> Tensor:
        return weight if self.shared else weight.view(-1, *self.windows.shape)

    def forward(self, x: Tensor, p: Parameters) -> Tensor:
        z = torch.einsum(f"npf,{self.index}->ncp", x[:, self.windows], self._weight(p["weight"]))
        bias = p["bias"][:, None] if self.shared else p["bias"].view(-1, len(self.windows))
        return (z + bias).flatten(1)

    def backward(self, delta: Tensor, x: Tensor, p: Parameters, g: Parameters, down: bool) -> Tensor | None:
        delta = delta.view(len(x), -1, len(self.windows))
        gradient = torch.einsum(f"ncp,npf->{self.index}", delta, x[:, self.windows])
        g["weight"].copy_(gradient.reshape(g["weight"].shape))
        g["bias"].copy_(delta.sum((0, 2)) if self.shared else delta.sum(0).flatten())
        if not down:
            return None
        to_windows = torch.einsum(f"ncp,{self.index}->npf", delta, self._weight(p["weight"]))
        return x.new_zeros(x.shape).index_add_(1, self.windows.flatten(), to_windows.flatten(1))


class Normalize:
    """z = scale (z - mean) / sqrt(variance + EPSILON) + shift, over the batch or over groups of units."""

    def __init__(self, layer: Layer):
        self.over_batch = layer.norm == "batch"
        self.groups = 1 if layer.norm == "layer" else layer.groups
        self._z_hat = self._inverse_std = torch.empty(0)

    def _split(self, z: Tensor) -> Tensor:
        return z if self.over_batch else z.view(len(z), self.groups, -1)

    def _mean(self, z: Tensor) -> Tensor:
        return z.mean(0, keepdim=True) if self.over_batch else z.mean(-1, keepdim=True)

    def forward(self, z: Tensor, p: Parameters, statistics: tuple[Tensor, Tensor] | None) -> Tensor:
        parts = self._split(z)
        centered = parts - (mean := self._mean(parts))
        variance = self._mean(centered * centered)
        if statistics is not None:
            unbiased = variance * (len(z) / max(len(z) - 1, 1))
            for running, new in zip(statistics, (mean, unbiased), strict=True):
                running.lerp_(new.flatten(), STATISTICS_MOMENTUM)
        self._inverse_std = (variance + EPSILON).rsqrt()
        self._z_hat = centered * self._inverse_std
        return torch.addcmul(p["shift"], self._z_hat.reshape(z.shape), p["scale"])

    def backward(self, delta: Tensor, p: Parameters, g: Parameters) -> Tensor:
        torch.sum(delta * self._z_hat.reshape(delta.shape), 0, out=g["scale"])
        torch.sum(delta, 0, out=g["shift"])
        d = self._split(delta * p["scale"])  # dL/dz_hat
        return ((d - self._mean(d) - self._z_hat * self._mean(d * self._z_hat)) * self._inverse_std).reshape(
            delta.shape
        )


@dataclass
class LayerRule:
    """One layer of a network in training: `forward`, then `backward` of the same batch.

    Parameters
    ----------
    layer : Layer
    n_in : int
        Number of inputs.
    number : int
        Place of the layer in the network; names its random streams.
    """

    layer: Layer
    n_in: int
    number: int

    def __post_init__(self) -> None:
        self.x = self._input = self._h = self._z = self._mask = torch.empty(0)
        self.connect = (
            Dense(self.layer, self.n_in) if self.layer.receptive_field is None else Local(self.layer, self.n_in)
        )
        self.normalize = Normalize(self.layer) if self.layer.norm else None
        self._scratch: dict[int, Tensor] = {}

    def forward(self, x: Tensor, p: Parameters, statistics: tuple[Tensor, Tensor] | None, streams: Streams) -> Tensor:
        """Return the layer's output for a training batch x of shape (n, n_in)."""
        layer, self._input = self.layer, x
        if layer.noise:
            noise = torch.empty_like(x).normal_(0, layer.noise, generator=streams.generator(f"noise {self.number}"))
            x = x + noise
        self.x = x
        z = self.connect.forward(x, p)
        if self.normalize:
            z = self.normalize.forward(z, p, statistics)
        self._h = h = self._activate(z, p)
        if layer.dropout:
            keep = torch.empty_like(h).bernoulli_(
                1 - layer.dropout, generator=streams.generator(f"dropout {self.number}")
            )
            self._mask = keep.div_(1 - layer.dropout)
            h = h * self._mask
        if layer.residual:
            h = h + (self._input @ p["shortcut"].t() if "shortcut" in p else self._input)
        return h

    def backward(self, delta: Tensor, p: Parameters, g: Parameters, down: bool) -> Tensor | None:
        """Write the gradient of the layer's parameters; return dL/dx if ``down``. Overwrites delta."""
        past = self._backward_shortcut(delta, p, g) if self.layer.residual else None
        if self.layer.dropout:
            delta = delta * self._mask
        self._times_derivative(delta, p, g)
        if self.normalize:
            delta = self.normalize.backward(delta, p, g)
        below = self.connect.backward(delta, self.x, p, g, down)
        return below if past is None or below is None else below + past

    @property
    def descends(self) -> bool:
        """Whether all that the layer learns is the weight and bias of a dense connection, so that it can `descend`."""
        layer = self.layer
        return isinstance(self.connect, Dense) and not (layer.norm or layer.residual or layer.activation == "prelu")

    def descend(self, delta: Tensor, p: Parameters, rate: float, down: bool) -> Tensor | None:
        """Take ``rate`` times the gradient off the parameters; return dL/dx, of before, if ``down``."""
        assert isinstance(self.connect, Dense)
        if self.layer.dropout:
            delta = delta * self._mask
        self._times_derivative(delta, p, {})
        return self.connect.descend(delta, self.x, p, rate, down)

    def _activate(self, z: Tensor, p: Parameters) -> Tensor:
        if self.layer.activation == "prelu":
            self._z = z
            return torch.where(z > 0, z, p["slope"] * z)
        return IN_PLACE[str(self.layer.activation)][0](z)

    def _times_derivative(self, delta: Tensor, p: Parameters, g: Parameters) -> None:
        if self.layer.activation == "prelu":
            torch.sum(delta * self._z.clamp_max(0), 0, out=g["slope"])
            delta.mul_(torch.where(self._z > 0, 1, p["slope"]))
            return
        if len(delta) not in self._scratch:
            self._scratch[len(delta)] = torch.empty_like(delta)
        IN_PLACE[str(self.layer.activation)][1](delta, self._h, self._scratch[len(delta)])

    def _backward_shortcut(self, delta: Tensor, p: Parameters, g: Parameters) -> Tensor:
        if "shortcut" not in p:
            return delta.clone()
        torch.mm(delta.t(), self._input, out=g["shortcut"])
        return delta @ p["shortcut"]
