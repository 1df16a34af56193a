"""Freed memory is taken again without asking the system, shown by the page faults of a process of its own."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

FAULTS = """
import resource
import numpy as np
from glassnet.memory import keep_freed_memory
{0}

def work():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    kept = [np.ones(1 << 16) for _ in range(40)]  # 20 MB in blocks of 512 kB
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

work(), work()
print(work())
"""


def faults(first: str) -> int:
    return int(subprocess.check_output([sys.executable, "-c", FAULTS.format(first)], text=True))


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have their own ways")
def test_blocks_that_were_freed_are_kept_for_the_next_time():
    assert faults("") > 10 * max(1, faults("keep_freed_memory()"))
