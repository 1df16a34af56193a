"""Keeping NumPy's and torch's thread pools out of each other's way.

Two pools of two threads on two cores wait for each other: a pair of matrix products, one
by NumPy and one by torch, takes many times as long as either alone. Inside
`one_blas_thread`, NumPy's use one thread; torch keeps its own.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from threadpoolctl import ThreadpoolController

# a product of this many terms (samples x inputs x units) is worth waking a second thread for
THREADS_FROM = 10_000_000

_lock = threading.Lock()
_inside = 0
_limiter: Any = None


@lru_cache(maxsize=1)
def _controller() -> ThreadpoolController:
    return ThreadpoolController()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Limit NumPy's matrix products to one thread until the last fit that asked for it ends."""
    global _inside, _limiter
    with _lock:
        if _inside == 0:
            _limiter = _controller().limit(limits=1, user_api="blas")
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                _limiter.restore_original_limits()


@contextmanager
def torch_threads(n: int | None) -> Iterator[None]:
    """Let torch's operations in this thread use n threads; None leaves them as they are."""
    import torch

    before = torch.get_num_threads()
    if n is None or n == before:
        yield
        return
    torch.set_num_threads(n)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def threads_for(n_terms: int) -> int | None:
    """Return how many threads, for `torch_threads`, steps take whose largest product has so many terms.

    Examples
    --------
    >>> threads_for(100 * 64 * 128), threads_for(128 * 784 * 256)
    (1, None)
    """
    return 1 if n_terms < THREADS_FROM else None
