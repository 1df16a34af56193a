"""Pictures that stay on disk: what a fit holds in memory does not grow with the set.

Run as a script, this file is the process that is measured.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from torch import nn

from glassnet import ModuleClassifier
from glassnet.training.observers import Observer

pytestmark = pytest.mark.filterwarnings("ignore:The loss was still falling")
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def own_memory():
    """Return the bytes that this process has asked for, mapped files apart."""
    return 1024 * int(re.search(r"VmData:\s+(\d+)", Path("/proc/self/status").read_text())[1])


class Most(Observer):
    """The most memory of its own that the process has asked for at any step."""

    def __init__(self):
        self.bytes = own_memory()

    def next_event(self, step):
        return step + 1

    def observe(self, state):
        self.bytes = max(self.bytes, own_memory())


def on_disk(path, n):
    images = np.lib.format.open_memmap(path, "w+", np.uint8, (n, 3 * 64 * 64))
    images[:] = np.arange(n, dtype=np.uint8)[:, None]
    images.flush()
    return np.load(path, mmap_mode="r"), np.arange(n) % 3


def module():
    return nn.Sequential(nn.AvgPool2d(16), nn.Flatten(), nn.Linear(48, 3))


def net(**options):
    return ModuleClassifier(
        module, image_shape=(3, 64, 64), batch_size=64, max_iter=1, tol=None, random_state=0, **options
    )


def growth(folder, early_stopping):
    """Fit and score 100 MB of pictures; return by how much the process has grown."""
    X, y = on_disk(Path(folder, "x.npy"), 8192)
    net(early_stopping=early_stopping).fit(X[:256], y[:256]).score(X[:256], y[:256])  # what is loaded at first use
    before, most = own_memory(), Most()
    fitted = net(early_stopping=early_stopping).fit(X, y, observers=[most])
    fitted.score(X, y)
    return max(most.bytes, own_memory()) - before


@LINUX
@pytest.mark.parametrize("early_stopping", ["", "yes"])
def test_memory_does_not_grow_with_the_set(tmp_path, early_stopping):
    command = [sys.executable, "-W", "ignore", __file__, tmp_path, early_stopping]
    assert int(subprocess.check_output(command, text=True)) < 30e6


def test_early_stopping_sees_the_rows_that_were_held_out(tmp_path):
    X, y = on_disk(tmp_path / "x.npy", 300)
    on = {"early_stopping": True, "n_iter_no_change": 1}
    mapped, copied = net(**on).fit(X, y), net(**on).fit(np.array(X), y)
    assert mapped.validation_loss_curve_ == copied.validation_loss_curve_
    np.testing.assert_array_equal(mapped.state_.arrays["parameters"], copied.state_.arrays["parameters"])


if __name__ == "__main__":
    print(growth(sys.argv[1], bool(sys.argv[2])))
