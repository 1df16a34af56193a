"""The formula reader against Python's own evaluation, and where it says a formula is wrong."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glassnet.errors import InvalidInputError
from glassnet.networks.formula import MAX_NESTING, parse_formula
from glassnet.networks.logic import LogicNetwork
from glassnet.networks.truth_tables import all_inputs

NAMES = ("a", "b", "c", "d")
spaces = st.sampled_from(["", " ", "\n"])
formulas = st.recursive(
    st.sampled_from([*NAMES, "0", "1"]),
    lambda inner: (
        st.tuples(inner, spaces, st.sampled_from("&|^"), spaces, inner).map("".join)
        | inner.map(lambda text: f"({text})")
        | inner.map(lambda text: f"~{text}")
    ),
    max_leaves=20,
)


def by_python(formula: str) -> list[int]:
    """Evaluate the formula on every row with Python's operators on one-bit integers."""
    code = compile(formula.replace("\n", " "), "formula", "eval")
    return [eval(code, {}, dict(zip(NAMES, map(int, row), strict=True))) & 1 for row in all_inputs(4)]


@given(formulas)
@settings(deadline=None)
def test_symbols_mean_what_they_mean_in_python(formula):
    network = LogicNetwork.from_expression(formula, names=NAMES)
    assert network.truth_table().tolist() == by_python(formula)


@pytest.mark.parametrize(
    ("formula", "same"),
    [
        ("a and b or not c", "a & b | ~c"),
        ("a XOR b Or c", "(a ^ b) | c"),
        ("not a & b", "(~a) & b"),
        ("a -> b", "~a | b"),
        ("a -> b -> c", "~a | (~b | c)"),
        ("(a -> b) -> c", "(a & ~b) | c"),
        ("a | b -> c ^ d", "~(a | b) | (c ^ d)"),
        ("a\t&\r\n b", "a & b"),
        ("~~~a", "~a"),
        ("(~a)", "~a"),
        ("~(~a)", "a"),
    ],
)
def test_words_and_implication(formula, same):
    assert LogicNetwork.from_expression(formula, NAMES).truth_table().tolist() == by_python(same)


def test_names_come_in_order_of_appearance():
    assert parse_formula("order & nothing | _x1 & order")[1] == ("order", "nothing", "_x1")


@pytest.mark.parametrize(
    ("formula", "column", "words"),
    [
        ("", 1, "got the end"),
        ("a &", 4, "got the end"),
        ("a & | b", 5, r"expected a name, 0, 1, ~ or \(, got '\|'"),
        ("a b", 3, "expected an operator .* or the end, got 'b'"),
        ("a nand b", 3, "expected an operator .* got 'nand'"),
        ("a + b", 3, r"unknown operator or name '\+'"),
        ("a && b", 4, "got '&'"),
        ("(a | b", 7, r"the \) that closes column 1, got the end"),
        ("a | (b & (c)", 13, "closes column 5"),
        ("a)", 2, r"got '\)'"),
        ("2a", 1, "'2'"),
        ("10", 1, "'1'"),
        ("a - > b", 3, "'-'"),
        ("__import__(os)", 11, r"expected an operator .* got '\('"),
        ("__import__('os')", 12, "unknown operator or name"),
        ("a &\n| b", 5, "got '|'"),
    ],
)
def test_says_where_a_formula_is_wrong(formula, column, words):
    with pytest.raises(InvalidInputError, match=words) as caught:
        parse_formula(formula)
    message, text, caret = str(caught.value).split("\n")
    assert message.startswith(f"formula, column {column}: ")
    assert text == "    " + formula.replace("\n", " ")
    assert caret == " " * (4 + column - 1) + "^"


def test_nesting_is_bounded_before_python_s_stack_is():
    inside = "~a ^ b & c | d -> a"
    deep = "~(0 ^ 1 & 1 | " * MAX_NESTING + inside + ")" * MAX_NESTING
    assert LogicNetwork.from_expression(deep, NAMES).truth_table().tolist() == by_python(
        deep.replace(inside, "~(~a ^ b & c | d) | a")
    )
    with pytest.raises(InvalidInputError, match=f"column {MAX_NESTING + 1}: more than {MAX_NESTING} parentheses"):
        parse_formula("(" * 100_000 + "a")


def test_long_formulas_do_not_nest():
    for operator in ("&", "|", "->"):
        assert LogicNetwork.from_expression(f" {operator} ".join(["a"] * 5000)).depth == 1
    assert LogicNetwork.from_expression("~" * 5001 + "a").truth_table().tolist() == [1, 0]


def test_a_formula_is_a_string():
    with pytest.raises(InvalidInputError, match="must be a string, got int"):
        parse_formula(3)  # pyright: ignore[reportArgumentType]
