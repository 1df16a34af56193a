"""Max pooling against torch's own layer."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from glassnet.learning.max_pooling import MaxPool2d

CASES = {
    "halved": ((2, 3, 6, 8), {"kernel_size": 2}),
    "one map": ((4, 6), {"kernel_size": (2, 2), "stride": 2}),
    "odd": ((2, 3, 7, 8), {"kernel_size": 2}),
    "overlapping": ((2, 3, 7, 8), {"kernel_size": 3, "stride": 2}),
    "padded": ((2, 3, 6, 8), {"kernel_size": 2, "padding": 1}),
    "dilated": ((2, 3, 6, 8), {"kernel_size": 2, "dilation": 2}),
}


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
@pytest.mark.parametrize("case", CASES)
def test_equals_torch(case, dtype):
    shape, options = CASES[case]
    generator = torch.Generator().manual_seed(0)
    shape = shape if len(shape) > 2 else (1, *shape)
    x = torch.randint(-2, 3, shape, generator=generator).to(dtype).requires_grad_()  # many are equal
    ours, theirs = MaxPool2d(**options)(x), nn.MaxPool2d(**options)(x)
    assert torch.equal(ours, theirs)
    g = torch.randn(ours.shape, generator=generator).to(dtype)
    assert torch.equal(torch.autograd.grad(ours, x, g)[0], torch.autograd.grad(theirs, x, g)[0])
    with torch.no_grad():
        assert torch.equal(MaxPool2d(**options)(x), theirs)


def test_channels_last_stays():
    x = torch.randn(2, 3, 6, 8).contiguous(memory_format=torch.channels_last)
    assert MaxPool2d(2)(x).is_contiguous(memory_format=torch.channels_last)


def test_too_small_a_picture_is_refused_as_torch_does():
    with pytest.raises(RuntimeError, match="too small"):
        MaxPool2d(2)(torch.zeros(1, 1, 1, 4))
