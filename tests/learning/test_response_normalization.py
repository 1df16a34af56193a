"""Local response normalization against torch's own layer and against numerical differences."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from glassnet.errors import InvalidInputError
from glassnet.learning.response_normalization import LocalResponseNorm

SIZES = [(2, 7, 3, 3), (2, 2, 3, 3), (3, 1, 2, 2), (4, 9)]


@pytest.mark.parametrize("shape", SIZES)
@pytest.mark.parametrize("size", [1, 3, 5])
def test_equals_torch(shape, size):
    generator = torch.Generator().manual_seed(size)
    a = torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_()
    g = torch.randn(shape, generator=generator, dtype=torch.float64)
    ours = LocalResponseNorm(size, alpha=0.3, beta=0.75, k=2.0)
    theirs = nn.LocalResponseNorm(size, alpha=0.3 * size, beta=0.75, k=2.0)
    if len(shape) == 2:
        theirs = nn.Sequential(nn.Unflatten(1, (-1, 1)), theirs, nn.Flatten())
    b, expected = ours(a), theirs(a)
    torch.testing.assert_close(b, expected, rtol=1e-12, atol=1e-12)
    (down,), (expected_down,) = torch.autograd.grad(b, a, g), torch.autograd.grad(expected, a, g)
    torch.testing.assert_close(down, expected_down, rtol=1e-10, atol=1e-12)
    with torch.no_grad():
        assert torch.equal(ours(a), b)


def test_gradient_equals_differences():
    a = torch.randn(2, 6, 2, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    assert torch.autograd.gradcheck(LocalResponseNorm(5, alpha=0.5), (a,))


def test_bfloat16_sums_in_single_precision():
    a = torch.rand(1, 8, 4, 4, generator=torch.Generator().manual_seed(0)).mul(30).bfloat16()
    layer = LocalResponseNorm(5, alpha=0.1)
    assert layer(a).dtype == torch.bfloat16
    torch.testing.assert_close(layer(a), layer(a.float()).bfloat16(), rtol=0, atol=0)


def test_an_even_size_is_refused():
    with pytest.raises(InvalidInputError, match="odd, so that each map has as many on either side, got 4"):
        LocalResponseNorm(4)
