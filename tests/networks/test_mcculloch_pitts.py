"""The neuron against Python's operators and a plain loop; both conventions of the step."""

from __future__ import annotations

import operator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glassnet.errors import InvalidInputError, UnknownNameError
from glassnet.networks.mcculloch_pitts import CLASSICAL_GATES, McCullochPittsNeuron, gate
from glassnet.networks.truth_tables import all_inputs

PYTHON = {"AND": operator.and_, "OR": operator.or_, "NOT": lambda a, b: 1 - a}


@pytest.mark.parametrize("name", CLASSICAL_GATES)
def test_lecture_gates_answer_as_python_does(name):
    expected = [PYTHON[name](int(a), int(b)) for a, b in all_inputs(2)]
    assert gate(name).truth_table().tolist() == expected


def test_lecture_numbers():
    assert CLASSICAL_GATES == {"AND": ((1, 1), 2), "OR": ((1, 1), 0.5), "NOT": ((-0.6, 0), -0.5)}


def test_step_above_zero_silences_the_lecture_and_only_it():
    answers = {name: gate(name, convention=">").truth_table().tolist() for name in CLASSICAL_GATES}
    assert answers == {"AND": [0, 0, 0, 0], "OR": [0, 1, 1, 1], "NOT": [1, 1, 0, 0]}


weights = st.lists(st.integers(-4, 4), min_size=1, max_size=5)


@given(weights, st.integers(-6, 6), st.sampled_from([">=", ">"]))
@settings(deadline=None)
def test_against_a_loop(weights, threshold, convention):
    neuron = McCullochPittsNeuron(weights, threshold, convention)
    compare = operator.ge if convention == ">=" else operator.gt
    expected = [
        int(compare(sum(w * int(x) for w, x in zip(weights, row, strict=True)), threshold))
        for row in all_inputs(len(weights))
    ]
    assert neuron.truth_table().tolist() == expected
    z = neuron.pre_activation(all_inputs(len(weights)))
    assert (compare(z, 0) == np.array(expected)).all()  # bias = -threshold moves the step to 0


@given(st.integers(1, 4), st.integers(1, 3))
@settings(deadline=None)
def test_the_paper_s_absolute_inhibition_is_a_large_negative_weight(n_excitatory, threshold):
    neuron = McCullochPittsNeuron([1.0] * n_excitatory + [-n_excitatory - 1.0], threshold)
    rows = all_inputs(n_excitatory + 1)
    expected = (rows[:, :-1].sum(axis=1) >= threshold) & (rows[:, -1] == 0)
    assert (neuron(rows) == expected).all()


def test_one_row_gives_one_number_and_leading_axes_are_kept():
    neuron = gate("AND")
    assert neuron([1, 1]) == 1
    assert neuron(np.ones((3, 4, 2))).shape == (3, 4)


def test_no_single_neuron_computes_xor():
    grid = np.arange(-2, 2.5, 0.5)
    tables = {
        tuple(McCullochPittsNeuron((a, b), threshold).truth_table()) for a in grid for b in grid for threshold in grid
    }
    assert (0, 1, 1, 0) not in tables
    assert len(tables) == 14  # of the 16 functions of two inputs, all but XOR and its negation


def test_weights_and_inputs_of_unequal_length():
    with pytest.raises(InvalidInputError, match=r"2 weights.*got shape \(4, 3\)"):
        gate("AND")(np.zeros((4, 3)))
    with pytest.raises(InvalidInputError, match=r"2 weights.*got shape \(\)"):
        gate("AND")(1)


def test_weights_cannot_be_changed_behind_its_back():
    given_weights = np.ones(2)
    neuron = McCullochPittsNeuron(given_weights, 2)
    given_weights[:] = 0
    assert neuron([1, 1]) == 1
    with pytest.raises(ValueError, match="read-only"):
        neuron.weights[0] = 0


@pytest.mark.parametrize(
    ("weights", "threshold"), [((1, np.nan), 1), ((1, 1), np.inf), (((1, 1),), 1), (1.0, 1), ((1, 1), np.nan)]
)
def test_numbers_that_make_no_neuron(weights, threshold):
    with pytest.raises(InvalidInputError, match="finite"):
        McCullochPittsNeuron(weights, threshold)


def test_inputs_must_be_finite():
    with pytest.raises(InvalidInputError, match="finite"):
        gate("OR")([1, np.nan])


def test_unknown_names():
    with pytest.raises(UnknownNameError, match=r"gate: 'NAND'. Allowed: AND, NOT, OR"):
        gate("NAND")
    with pytest.raises(UnknownNameError, match=r"convention: '=='"):
        McCullochPittsNeuron((1, 1), 1, convention="==")  # pyright: ignore[reportArgumentType]
