"""Arithmetic by neurons against Python's integers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from glassnet.errors import InvalidInputError
from glassnet.networks.arithmetic import add, multiplier, multiply, ripple_carry_adder, run_integers
from glassnet.networks.logic import LogicNetwork


def test_eight_bit_addition_exhaustively():
    a, b = np.meshgrid(np.arange(256), np.arange(256))
    assert (add(a, b) == a + b).all()


def test_eight_bit_multiplication_exhaustively():
    a, b = np.meshgrid(np.arange(256), np.arange(256))
    assert (multiply(a, b) == a * b).all()


@pytest.mark.parametrize("bits", [1, 2, 3, 5])
def test_other_widths_exhaustively(bits):
    a, b = np.meshgrid(np.arange(2**bits), np.arange(2**bits))
    assert (add(a, b, bits) == a + b).all()
    assert (multiply(a, b, bits) == a * b).all()


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_the_widest_adder(a, b):
    assert add(a, b, bits=32) == a + b


@given(st.integers(0, 2**16 - 1), st.integers(0, 2**16 - 1))
@settings(deadline=None)
def test_the_widest_multiplier(a, b):
    assert multiply(a, b, bits=16) == a * b


@pytest.mark.parametrize("bits", [1, 4, 8, 32])
def test_an_adder_is_two_neurons_a_bit_and_one_layer_a_carry(bits):
    adder = ripple_carry_adder(bits)
    assert adder.n_neurons - adder.n_relays == 2 * bits
    assert adder.depth == bits + 1
    assert adder.input_names[:1] + adder.input_names[bits : bits + 1] == ("a0", "b0")
    assert adder.output_names[-1] == f"s{bits}"


def test_the_carry_is_a_majority_gate():
    adder = ripple_carry_adder(2)
    layer, unit = next((i, row.index("carry")) for i, row in enumerate(adder.labels) if i == 1)
    neuron = adder.neuron(layer, unit)
    assert sorted(neuron.weights[neuron.weights != 0]) == [1, 1, 1]
    assert neuron.threshold == 1.5


@pytest.mark.parametrize("network", [ripple_carry_adder(8), multiplier(6)])
def test_torch_computes_the_same_bits(network):
    X = np.random.default_rng(0).integers(0, 2, (500, network.n_inputs))
    assert (network.to_torch()(torch.tensor(X, dtype=torch.float32)).numpy() == network(X)).all()


def test_shapes_broadcast_and_numbers_stay_numbers():
    assert add(200, 100) == 300
    assert type(add(200, 100)) is int
    assert multiply([[1], [2]], [3, 4, 5]).tolist() == [[3, 4, 5], [6, 8, 10]]


@pytest.mark.parametrize("value", [256, -1, 1.5, "7", True, [3, 300]])
def test_numbers_that_do_not_fit(value):
    with pytest.raises(InvalidInputError, match=r"b must hold integers from 0 to 255 \(8 bits\)"):
        add(1, value)


@pytest.mark.parametrize(("build", "most"), [(ripple_carry_adder, 32), (multiplier, 16)])
def test_widths_that_cannot_be_built(build, most):
    for bits in (0, -1, most + 1, 2.5):
        with pytest.raises(InvalidInputError, match=f"integer from 1 to {most}"):
            build(bits)


def test_only_two_numbers_of_equal_length_run():
    with pytest.raises(InvalidInputError, match="equal length, got 3 inputs"):
        run_integers(LogicNetwork.from_expression("a & b & c"), 1, 1)
