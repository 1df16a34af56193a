"""Have memory that was freed kept for the next time."""

from __future__ import annotations

from functools import cache


@cache
def keep_freed_memory() -> None:
    """Have this process keep up to some 60 MB of what it frees, for whatever comes next.

    The C library gives what is freed at the end of its heap back to the system, and every page of it has to be
    cleared when it is taken again: in a forward pass whose activations are kept, as long as computing them.
    Up to which amount it keeps it is twice the largest block freed so far (``M_TRIM_THRESHOLD`` of glibc's mallopt(3),
    which stops at blocks of 32 MB). So one such block is freed here, which nobody has written into, and which
    therefore never was in memory. Other systems' libraries take no notice.
    """
    import numpy as np

    np.empty(31 << 20, np.uint8)
