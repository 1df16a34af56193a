"""Orders of predicates against a linear program in another basis and the theorem on symmetric ones."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from glassnet.errors import InvalidInputError
from glassnet.networks.predicate_order import connectedness, masks, predicate_order, vote_of_masks
from glassnet.networks.truth_tables import all_inputs, parity


def order_by_linear_program(table):
    """Smallest degree of a sign-representing polynomial over inputs of +-1."""
    n = int(np.log2(len(table)))
    spins, signs = 1 - 2 * all_inputs(n), 2 * np.asarray(table) - 1
    for degree in range(n + 1):
        subsets = [s for k in range(degree + 1) for s in combinations(range(n), k)]
        basis = np.column_stack([spins[:, list(s)].prod(axis=1) for s in subsets])
        if linprog(np.zeros(len(subsets)), -signs[:, None] * basis, -np.ones(len(table)), bounds=(None, None)).success:
            return degree
    raise AssertionError("degree n represents every predicate")


@pytest.mark.parametrize("n", range(1, 7))
def test_parity_has_to_see_all_inputs(n):
    assert predicate_order(parity(n)) == n


def test_all_functions_of_three_inputs():
    for number in range(128):  # the other half are their negations
        table = np.array([number >> row & 1 for row in range(8)])
        assert predicate_order(table) == order_by_linear_program(table) == predicate_order(1 - table)


@given(st.lists(st.integers(0, 1), min_size=2, max_size=7))
@settings(deadline=None)
def test_a_symmetric_predicate_s_order_is_its_number_of_changes(profile):
    n = len(profile) - 1
    table = np.array(profile)[all_inputs(n).sum(axis=1)]
    assert predicate_order(table) == np.count_nonzero(np.diff(profile))


def test_a_point_in_every_box():
    table = [int(all(row[i : i + 2].any() for i in (0, 2, 4))) for row in all_inputs(6)]
    assert predicate_order(table) == order_by_linear_program(table)


@pytest.mark.parametrize(("rows", "columns", "order"), [(2, 2, 2), (2, 3, 2), (3, 3, 3)])
def test_connectedness(rows, columns, order):
    table = connectedness(rows, columns)
    assert predicate_order(table) == order == order_by_linear_program(table)
    assert predicate_order(connectedness(columns, rows)) == order


def test_the_vote_is_a_vote_and_the_refusal_a_proof():
    table = connectedness(2, 3)
    vote = vote_of_masks(table, 2)
    seen = np.column_stack([all_inputs(6)[:, list(mask)].prod(axis=1) for mask in masks(6, 2)])
    assert ((seen @ vote.weight + vote.bias > 0) == table).all()
    assert vote_of_masks(table, 1).certificate.check(all_inputs(6), table)


def in_one_piece(figure):
    """Flood the figure from its first square."""
    squares = set(zip(*map(list, np.nonzero(figure)), strict=True))
    todo = [squares.pop()] if squares else []
    while todo:
        r, c = todo.pop()
        near = {(r + 1, c), (r - 1, c), (r, c + 1), (r, c - 1)} & squares
        squares -= near
        todo += near
    return not squares


@pytest.mark.parametrize(("rows", "columns", "connected"), [(1, 3, 7), (2, 2, 14), (2, 3, 41), (3, 3, 219)])
def test_connected_figures_are_those_a_flood_fills(rows, columns, connected):
    table = connectedness(rows, columns)
    figures = all_inputs(rows * columns).reshape(-1, rows, columns)
    assert table.tolist() == [int(in_one_piece(figure)) for figure in figures]
    assert table.sum() == connected  # connected induced subgraphs of the grid, and the empty one


def test_constants_need_no_mask():
    assert predicate_order([1, 1, 1, 1]) == predicate_order([0]) == 0


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: predicate_order(np.zeros((4, 2))), r"one predicate .* got shape \(4, 2\)"),
        (lambda: predicate_order(np.zeros(2**11)), "at most 10 inputs"),
        (lambda: predicate_order([0, 1, 1]), r"got \(3,\)"),
        (lambda: vote_of_masks([0, 1, 1, 0], 3), r"\[1, 2\].*got 3"),
        (lambda: vote_of_masks([0, 1, 1, 0], 0), "got 0"),
        (lambda: vote_of_masks([1, 1, 1, 1], 1), "exactly two classes"),
        (lambda: connectedness(0, 3), "got 0 x 3"),
        (lambda: connectedness(5, 4), "got 5 x 4"),
    ],
)
def test_what_has_no_order(call, words):
    with pytest.raises(InvalidInputError, match=words):
        call()
