"""Logic networks against their own truth tables, their neurons one by one, and torch."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from glassnet.errors import InvalidInputError
from glassnet.networks.logic import LogicNetwork, xor_by_hand
from glassnet.networks.mcculloch_pitts import McCullochPittsNeuron
from glassnet.networks.truth_tables import all_inputs, parity

tables = st.integers(1, 4).flatmap(lambda n: arrays(np.int64, (2**n, 3), elements=st.integers(0, 1)))


def test_all_256_functions_of_three_inputs():
    for number in range(256):
        table = [number >> row & 1 for row in range(8)]
        network = LogicNetwork.from_truth_table(table, names=("a", "b", "c"))
        assert network.truth_table().tolist() == table
        assert network.depth <= 2
        assert network.n_neurons <= 5  # at most half of the eight rows, and the output


@given(tables)
@settings(deadline=None)
def test_tables_of_several_outputs(table):
    network = LogicNetwork.from_truth_table(table)
    assert network.n_outputs == 3
    assert (network.truth_table() == table).all()
    assert (network.to_torch()(torch.tensor(all_inputs(network.n_inputs), dtype=torch.float32)).numpy() == table).all()


def test_xor_by_hand_is_the_lecture_s():
    network = xor_by_hand()
    assert network.truth_table().tolist() == [0, 1, 1, 0]
    hidden, output = network.activations(all_inputs(2))
    assert hidden.tolist() == [[0, 0], [0, 1], [1, 0], [0, 0]]  # h1 = x1 and not x2, h2 = not x1 and x2
    assert output.ravel().tolist() == [0, 1, 1, 0]
    assert {abs(w) for weight in network.weights for w in weight.ravel()} == {1.0}
    assert {t for threshold in network.thresholds for t in threshold} == {0.5}


@pytest.mark.parametrize(
    ("formula", "depth", "n_neurons", "n_relays"),
    [
        ("a", 1, 1, 1),
        ("~a", 1, 1, 0),
        ("a & ~b & c", 1, 1, 0),
        ("~(a | b)", 1, 1, 0),
        ("a -> b", 1, 1, 0),
        ("1", 1, 1, 0),
        ("a & ~b | c", 2, 3, 1),
        ("a ^ b", 2, 3, 0),
        ("~(a ^ b)", 2, 3, 0),
        ("a ^ b ^ c ^ d ^ e", 2, 6, 0),
        ("(a & b) | (a & b & c)", 2, 3, 0),
        ("(a ^ b) & (a ^ b)", 3, 4, 0),
        ("((a | b) & c | d) & e", 4, 4 + 3 + 2 + 1, 3 + 2 + 1),
    ],
)
def test_depth_and_size(formula, depth, n_neurons, n_relays):
    network = LogicNetwork.from_expression(formula)
    assert (network.depth, network.n_neurons, network.n_relays) == (depth, n_neurons, n_relays)


@pytest.mark.parametrize("n", range(1, 9))
def test_parity_takes_two_layers_and_one_neuron_per_input(n):
    network = LogicNetwork.from_expression(" ^ ".join(f"x{i}" for i in range(n)))
    assert (network.truth_table() == parity(n)).all()
    assert (network.depth, network.n_neurons) == ((2, n + 1) if n > 1 else (1, 1))


@pytest.mark.parametrize("formula", ["(a ^ b) & c -> ~d | a", "~(a & (b | ~c) ^ d)", "a & ~a | (b ^ b ^ c)"])
def test_neuron_by_neuron_in_both_conventions(formula):
    network = LogicNetwork.from_expression(formula)
    values = all_inputs(network.n_inputs)
    for layer, expected in enumerate(network.activations(values)):
        for unit in range(expected.shape[1]):
            neuron = network.neuron(layer, unit)
            strict = McCullochPittsNeuron(neuron.weights, neuron.threshold, ">")
            assert (neuron(values) == expected[:, unit]).all()
            assert (strict(values) == expected[:, unit]).all()  # no sum ever equals a threshold
        values = expected
    assert (values[:, 0] == network.truth_table()).all()


def test_torch_gets_the_same_weights_and_bias_is_minus_threshold():
    network = LogicNetwork.from_expression("a & (b | ~c) ^ d")
    module = network.to_torch()
    linears = [part for part in module if isinstance(part, torch.nn.Linear)]
    assert len(linears) == network.depth
    for linear, weight, threshold in zip(linears, network.weights, network.thresholds, strict=True):
        assert (linear.weight.detach().numpy() == weight.T).all()
        assert (linear.bias.detach().numpy() == -threshold).all()
    X = all_inputs(4)
    assert (module(torch.tensor(X, dtype=torch.float32))[:, 0].numpy() == network(X)).all()


def test_torch_in_double_precision_and_the_global_generator_is_left_alone():
    before = torch.get_rng_state()
    network = LogicNetwork((np.array([[-0.6], [0.3]]),), (np.array([-0.5]),))
    module = network.to_torch(torch.float64)
    assert torch.equal(torch.get_rng_state(), before)
    X = all_inputs(2)
    assert (module(torch.tensor(X, dtype=torch.float64))[:, 0].numpy() == network(X)).all()


def test_names_give_the_order_and_may_be_more():
    network = LogicNetwork.from_expression("b & ~a", names=("a", "unused", "b"))
    assert network.input_names == ("a", "unused", "b")
    assert network.output_names == ("b & ~a",)
    assert network.truth_table().tolist() == [int(b and not a) for a, _, b in all_inputs(3)]
    assert LogicNetwork.from_truth_table([0, 1, 1, 0]).input_names == ("x1", "x2")


def test_no_inputs_at_all():
    network = LogicNetwork.from_expression("0 | 1")
    assert (network.n_inputs, network.truth_table().tolist()) == (0, [1])


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: LogicNetwork.from_expression("a & b", names=("a",)), r"\['b'\], which names=\['a'\] lacks"),
        (lambda: LogicNetwork.from_expression("a & b", names=("a", "b", "a")), "3 different names"),
        (lambda: LogicNetwork.from_truth_table([0, 1, 1, 0], names=("a",)), "2 different names"),
        (lambda: LogicNetwork.from_truth_table([0, 1, 1]), r"got \(3,\)"),
        (lambda: LogicNetwork.from_truth_table(np.zeros((4, 0))), "at least one output"),
        (lambda: LogicNetwork((), ()), "got 0 and 0"),
        (lambda: LogicNetwork((np.ones((2, 1)),), ()), "got 1 and 0"),
        (lambda: LogicNetwork((np.ones((2, 2)),), (np.ones(1),)), r"layer 0 needs weights of shape \(2, 1\)"),
        (lambda: LogicNetwork((np.ones((2, 3)), np.ones((2, 1))), (np.ones(3), np.ones(1))), "layer 1"),
        (lambda: LogicNetwork((np.full((2, 1), np.nan),), (np.ones(1),)), "NaN"),
        (lambda: LogicNetwork((np.ones((2, 1)),), (np.ones(1),), labels=(("a", "b"),)), r"name \[1\] neurons"),
    ],
)
def test_what_makes_no_network(make, words):
    with pytest.raises(InvalidInputError, match=words):
        make()


@pytest.mark.parametrize(("X", "words"), [([[0, 1, 1]], r"\(n, 2\), got \(1, 3\)"), ([0, 1], "n, 2"), ([[0, 2]], "2$")])
def test_inputs_that_do_not_fit(X, words):
    with pytest.raises(InvalidInputError, match=words):
        xor_by_hand().predict(X)


def test_importing_logic_loads_no_torch():
    code = "import sys, glassnet.networks.arithmetic; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
