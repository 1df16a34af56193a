"""The block computes its formula and nothing else."""

from __future__ import annotations

import pytest
import torch

from glassnet import ResidualBlock
from glassnet.errors import InvalidInputError


@pytest.mark.parametrize("n_out", [5, 2])
def test_the_output_is_the_formula_of_the_weights(n_out):
    block = ResidualBlock(5, 7, n_out).double()
    x = torch.randn(11, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    w1, w2 = block.weight_1.weight, block.weight_2.weight
    past = x if n_out == 5 else x @ block.shortcut.weight.T
    torch.testing.assert_close(block(x), (x @ w1.T).clamp_min(0) @ w2.T + past)
    n_shortcut = 0 if n_out == 5 else 5 * n_out
    assert sum(p.numel() for p in block.parameters()) == 5 * 7 + 7 * n_out + n_shortcut


def test_with_zero_weights_the_block_is_the_identity():
    block = ResidualBlock(4, 6, 4)
    torch.nn.init.zeros_(block.weight_2.weight)
    x = torch.randn(3, 4, generator=torch.Generator().manual_seed(0))
    assert torch.equal(block(x), x)


def test_dimensions_below_one_are_refused():
    with pytest.raises(InvalidInputError, match="at least 1"):
        ResidualBlock(3, 0, 3)
