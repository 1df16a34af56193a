"""Logical formulas read by recursive descent: ``"a & ~b | c"`` becomes a small tree.

Nothing is evaluated as Python. From the loosest to the tightest operator:

    ->   implies (groups to the right)
    |    or
    ^    xor
    &    and
    ~    not

The words may be written in any case and bind like their signs, so ``not a & b`` means
``(~a) & b`` (Python's own ``not`` would bind loosest). ``0`` and ``1`` are constants.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple, NoReturn

from glassnet.errors import InvalidInputError

WORDS = {"and": "&", "or": "|", "xor": "^", "not": "~"}
MAX_NESTING = 64  # parentheses inside parentheses; keeps the descent far from Python's recursion limit
_LOOSEST_FIRST = ("->", "|", "^", "&")
_BINARY = "& and, | or, ^ xor, ->"
_TOKEN = re.compile(r"\s*(?:(?P<operator>->|[&|^~()])|(?P<name>[A-Za-z_]\w*)|(?P<constant>[01])(?!\w)|(?P<unknown>\S))")


class Formula(NamedTuple):
    """A node of the tree: an operator over operands, or a leaf that has a name.

    ``operator`` is one of ``& | ^ ~ name constant``; ``name`` holds a leaf's text.
    """

    operator: str
    operands: tuple[Formula, ...] = ()
    name: str = ""


class _Token(NamedTuple):
    kind: str
    text: str
    position: int


@dataclass
class _Parser:
    text: str
    tokens: list[_Token]
    index: int = 0
    nesting: int = 0

    def fail(self, message: str, token: _Token) -> NoReturn:
        raise InvalidInputError(
            f"formula, column {token.position + 1}: {message}\n    {self.text}\n    {' ' * token.position}^"
        )

    def take(self) -> _Token:
        self.index += 1
        return self.tokens[self.index - 1]

    def accept(self, operator: str) -> bool:
        token = self.tokens[self.index]
        found = token.kind == "operator" and token.text == operator
        self.index += found
        return found

    def formula(self, level: int = 0) -> Formula:
        """Read operands joined by the operator of this level, tighter levels first."""
        if level == len(_LOOSEST_FIRST):
            return self.negation()
        operands = [self.formula(level + 1)]
        while self.accept(_LOOSEST_FIRST[level]):
            operands.append(self.formula(level + 1))
        return _join(_LOOSEST_FIRST[level], operands)

    def negation(self) -> Formula:
        negations = 0
        while self.accept("~"):
            negations += 1
        operand = self.atom()
        return _negate(operand) if negations % 2 else operand

    def atom(self) -> Formula:
        token = self.take()
        if token.kind in ("name", "constant"):
            return Formula(token.kind, name=token.text)
        if (token.kind, token.text) == ("operator", "("):
            return self.parenthesis(token)
        self.fail(f"expected a name, 0, 1, ~ or (, got {_describe(token)}", token)

    def parenthesis(self, opening: _Token) -> Formula:
        self.nesting += 1
        if self.nesting > MAX_NESTING:
            self.fail(f"more than {MAX_NESTING} parentheses inside one another", opening)
        inside = self.formula()
        self.nesting -= 1
        if not self.accept(")"):
            token = self.tokens[self.index]
            self.fail(
                f"expected an operator ({_BINARY}) or the ) that closes column {opening.position + 1}, "
                f"got {_describe(token)}",
                token,
            )
        return inside


def parse_formula(text: str) -> tuple[Formula, tuple[str, ...]]:
    """Read a formula.

    Parameters
    ----------
    text : str
        Names (letters, digits, underscore), ``0``, ``1``, parentheses and the operators
        ``& | ^ ~ ->`` or the words ``and or xor not``.

    Returns
    -------
    formula : Formula
        The tree.
    names : tuple of str
        The names in it, in the order of first appearance.

    Raises
    ------
    InvalidInputError
        If the text is not a formula; the message shows the column with a caret.

    Examples
    --------
    >>> parse_formula("a & ~b")[1]
    ('a', 'b')
    >>> parse_formula("a & | b")
    Traceback (most recent call last):
        ...
    glassnet.errors.InvalidInputError: formula, column 5: expected a name, 0, 1, ~ or (, got '|'
        a & | b
            ^
    """
    if not isinstance(text, str):
        raise InvalidInputError(f"a formula must be a string, got {type(text).__name__}")
    text = re.sub(r"\s", " ", text)  # one line, so that the caret stands below its column
    parser = _Parser(text, [])
    parser.tokens = _tokens(parser)
    formula = parser.formula()
    last = parser.tokens[parser.index]
    if last.kind != "end":
        parser.fail(f"expected an operator ({_BINARY}) or the end, got {_describe(last)}", last)
    return formula, tuple(dict.fromkeys(token.text for token in parser.tokens if token.kind == "name"))


def _tokens(parser: _Parser) -> list[_Token]:
    tokens = []
    for match in _TOKEN.finditer(parser.text):
        kind = str(match.lastgroup)
        token = _Token(kind, match[kind], match.start(kind))
        if kind == "unknown":
            parser.fail(f"unknown operator or name {token.text!r}; operators: {_BINARY}, ~ not, ( )", token)
        if kind == "name" and token.text.lower() in WORDS:
            token = _Token("operator", WORDS[token.text.lower()], token.position)
        tokens.append(token)
    return [*tokens, _Token("end", "", len(parser.text))]


def _describe(token: _Token) -> str:
    return "the end of the formula" if token.kind == "end" else repr(token.text)


def _negate(operand: Formula) -> Formula:
    return operand.operands[0] if operand.operator == "~" else Formula("~", (operand,))


def _join(operator: str, operands: list[Formula]) -> Formula:
    """Join operands under one operator, taking in operands that are joined by it already."""
    if len(operands) == 1:
        return operands[0]
    if operator == "->":  # a -> b -> c  =  ~a | (~b | c)
        return _join("|", [*map(_negate, operands[:-1]), operands[-1]])
    flat: list[Formula] = []
    for operand in operands:
        flat.extend(operand.operands if operand.operator == operator else [operand])
    return Formula(operator, tuple(flat))
