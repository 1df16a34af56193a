"""Dropout that draws from a stream of its own (Srivastava et al. 2014).

    h' = h mask / (1 - p),    mask = 1 with probability 1 - p, else 0

so that the expected h' is h and nothing is scaled in prediction (the paper scales the
weights by 1 - p there instead).

Torch's own dropout draws from torch's global generator. `global_stream` lets a module that
does so be stepped all the same: for a while the generator is at the start of a stream.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.dropout import _DropoutNd

from glassnet.errors import InvalidInputError
from glassnet.seeds import stream_key, torch_generator

# torch has one global generator: whoever borrows it does so alone
_global_generator = threading.RLock()


class Dropout(nn.Module):
    """Silence units at random in training.

    Parameters
    ----------
    p : float
        Probability in [0, 1) with which a unit is silenced.

    Attributes
    ----------
    generator : torch.Generator or None
        Where the mask comes from. `AutogradEngine` sets it before every step to the stream
        (seed, "dropout <address>", step, rank). None: torch's global generator.

    Raises
    ------
    InvalidInputError
        If p is out of its range.

    References
    ----------
    N. Srivastava et al. (2014). Dropout: a simple way to prevent neural networks from overfitting.

    Examples
    --------
    >>> layer = Dropout(0.5)
    >>> layer.generator = torch_generator(0, "example")
    >>> sorted(set(layer(torch.ones(50)).tolist()))
    [0.0, 2.0]
    >>> layer.eval()(torch.ones(3)).tolist()
    [1.0, 1.0, 1.0]
    """

    generator: torch.Generator | None

    def __init__(self, p: float = 0.5):
        super().__init__()
        if not 0 <= p < 1:
            raise InvalidInputError(f"Dropout takes a probability in [0, 1), got p={p!r}.")
        self.p, self.generator = p, None

    def forward(self, h: Tensor) -> Tensor:
        """Return h with some units at 0 and the others scaled up; h itself in prediction."""
        if not self.training or self.p == 0:
            return h
        factor = _mask(h.shape, self.p, self.generator).to(h.dtype).mul_(1 / (1 - self.p))
        return h * factor.to(h.device)

    def extra_repr(self) -> str:
        return f"p={self.p}"


def _mask(shape: torch.Size, p: float, generator: torch.Generator | None) -> Tensor:
    """Return uint8, 1 with probability 1 - p rounded to 1/65,536; drawn on the CPU, the same for every device.

    One seed comes from the generator; NumPy's fast generator makes two bytes a unit of it.
    """
    seed = int(torch.randint(2**63 - 1, (), generator=generator, device="cpu"))
    drawn = np.frombuffer(np.random.Generator(np.random.SFC64(seed)).bytes(2 * shape.numel()), np.uint16)
    return torch.from_numpy((drawn >= round(65536 * p)).view(np.uint8)).view(shape)


@contextmanager
def dropout_streams(layers: dict[str, Dropout], seed: int, step: int, rank: int = 0) -> Iterator[None]:
    """For a while, let each `Dropout` layer draw from the stream (seed, "dropout <address>", step, rank)."""
    try:
        for address, layer in layers.items():
            layer.generator = torch_generator(seed, f"dropout {address}", step, rank)
        yield
    finally:
        for layer in layers.values():
            layer.generator = None


@contextmanager
def global_stream(seed: int, purpose: str, step: int = 0, rank: int = 0) -> Iterator[None]:
    """For a while, put torch's global generators to the start of a stream; leave them as they were found.

    Only one thread of the process is inside at a time.

    Examples
    --------
    >>> with global_stream(0, "weights"):
    ...     a = torch.rand(3)
    >>> with global_stream(0, "weights"):
    ...     b = torch.rand(3)
    >>> bool((a == b).all())
    True
    """
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    key = int(stream_key(seed, purpose, step, rank).generate_state(1, "uint64")[0] >> 1)
    with _global_generator, torch.random.fork_rng(devices):
        torch.default_generator.manual_seed(key)
        for device in devices:
            with torch.cuda.device(device):
                torch.cuda.manual_seed(key)
        yield


def draws_globally(module: nn.Module) -> bool:
    """Return whether a training step of ``module`` may draw from torch's global generator.

    Only modules made of torch's and glassnet's own parts are known not to, and of these only
    those without torch's dropout.

    Examples
    --------
    >>> draws_globally(nn.Sequential(nn.Linear(2, 2), nn.Dropout()))
    True
    >>> draws_globally(nn.Sequential(nn.Linear(2, 2), Dropout()))
    False
    """
    return not all(_is_deterministic(part) for part in module.modules())


def _is_deterministic(part: nn.Module) -> bool:
    kind = type(part)
    if kind.__name__.startswith("FSDP"):  # torch's fully_shard has made a class of its own from the layer's
        kind = kind.__mro__[2]
    known = kind.__module__.partition(".")[0] in ("torch", "glassnet")
    random = isinstance(part, (_DropoutNd, nn.RReLU, nn.FractionalMaxPool2d, nn.FractionalMaxPool3d))
    inside = getattr(part, "dropout", 0.0)  # of recurrent and attention layers, a number
    return known and not random and not (isinstance(inside, (int, float)) and inside > 0)
