"""Keeping NumPy's and torch's thread pools out of each other's way.

Two pools of two threads on two cores wait for each other: a pair of matrix products, one
by NumPy and one by torch, was measured 13 times slower than either pool alone.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import lru_cache

from threadpoolctl import ThreadpoolController


@lru_cache(maxsize=1)
def _controller() -> ThreadpoolController:
    return ThreadpoolController()


def one_blas_thread() -> AbstractContextManager:
    """Return a context in which NumPy's matrix products use one thread; torch keeps its own."""
    return _controller().limit(limits=1, user_api="blas")
