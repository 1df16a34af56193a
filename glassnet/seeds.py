"""Random streams: one seed, and a separate stream for every purpose and step.

``random_state`` is the whole of glassnet's randomness. A stream is named by
(seed, purpose, step, rank) and made afresh where it is used, so no generator state
has to be saved: a resume in mid-epoch, a second thread or a second process draws the
same numbers. The global generators of NumPy and torch are neither read nor changed.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import numpy as np
from sklearn.utils import check_random_state

if TYPE_CHECKING:
    import torch


def resolve_seed(random_state: int | np.random.RandomState | np.random.Generator | None) -> int:
    """Return the integer seed that stands for ``random_state``.

    Parameters
    ----------
    random_state : int, RandomState, Generator or None
        An int is the seed itself; a generator gives its next number; None draws from
        the operating system's entropy.

    Returns
    -------
    int
        A seed in [0, 2**63).

    Examples
    --------
    >>> resolve_seed(7)
    7
    """
    if random_state is None:
        return int(np.random.SeedSequence().generate_state(1, np.uint64)[0] >> 1)
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(2**63))
    if isinstance(random_state, (int, np.integer)):
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31 - 1))


def stream_key(seed: int, purpose: str, step: int = 0, rank: int = 0) -> np.random.SeedSequence:
    """Return the seed sequence that names one stream."""
    return np.random.SeedSequence([seed % 2**64, zlib.crc32(purpose.encode()), step, rank])


def generator(seed: int, purpose: str, step: int = 0, rank: int = 0) -> np.random.Generator:
    """Return a NumPy generator at the start of the stream (seed, purpose, step, rank).

    Examples
    --------
    >>> a = generator(0, "shuffle", 3).permutation(5)
    >>> b = generator(0, "shuffle", 3).permutation(5)
    >>> bool((a == b).all())
    True
    """
    return np.random.default_rng(stream_key(seed, purpose, step, rank))


def torch_generator(seed: int, purpose: str, step: int = 0, rank: int = 0) -> torch.Generator:
    """Return a torch CPU generator at the start of the stream (seed, purpose, step, rank)."""
    import torch

    key = stream_key(seed, purpose, step, rank).generate_state(1, np.uint64)[0]
    return torch.Generator().manual_seed(int(key >> 1))
