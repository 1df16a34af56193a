"""Run a model and leave it as it was: mode, buffers, chosen parameters, and every random generator."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from glassnet.inspect.recorder import version_of
from glassnet.inspect.watch import is_closed


@contextmanager
def left_as_found(layers: Collection[nn.Module], copies: Iterable[tuple[Tensor, Tensor]] = ()) -> Iterator[None]:
    """Restore after the block what a forward pass may change.

    That is: training modes; buffers, such as running means; generators that layers own; the global generators
    of torch, NumPy and Python.

    Parameters
    ----------
    layers : collection of Module
        A model and all its parts.
    copies : iterable of (Tensor, Tensor)
        Parameters to restore as well, each with a copy of its values.
    """
    modes = [(layer, layer.training) for layer in layers]
    restless = [layer for layer in layers if layer.training or not is_closed(layer)]
    buffers = [(layer, name, b) for layer in restless for name, b in layer._buffers.items() if b is not None]
    saved: list[tuple[Tensor, Tensor, int | None]] = [(t, copy, version_of(t)) for t, copy in copies]
    saved += [(buffer, buffer.clone(), None) for _, _, buffer in buffers]
    own = [g for layer in restless for g in vars(layer).values() if type(g) is torch.Generator]
    states = [(g, g.get_state()) for g in own]
    with _generators_left_alone():
        try:
            yield
        finally:
            for layer, mode in modes:
                if layer.training != mode:
                    layer.training = mode
            for layer, name, buffer in buffers:
                if layer._buffers.get(name) is not buffer:
                    setattr(layer, name, buffer)
            for generator, state in states:
                generator.set_state(state)
            _restore(saved)


@contextmanager
def _generators_left_alone() -> Iterator[None]:
    python, numpy, cpu = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    others = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002
        torch.set_rng_state(cpu)
        if others:
            torch.cuda.set_rng_state_all(others)


@torch.no_grad()
def _restore(saved: list[tuple[Tensor, Tensor, int | None]]) -> None:
    """Undo changes; a parameter's show in its version, a running mean's do not."""
    for tensor, copy, version in saved:
        if not torch.equal(tensor, copy) if version is None else version != version_of(tensor):
            tensor.copy_(copy)
