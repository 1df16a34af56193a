"""Arithmetic from threshold neurons: a ripple-carry adder and a multiplier.

W. S. McCulloch and W. Pitts (1943): "any arithmetic and logical function". A full adder
is two neurons. The carry is the majority of the three bits; the sum bit reads the same
bits and twice the carry, inhibiting:

    carry = [a + b + c >= 3/2]          sum = [a + b + c - 2 carry >= 1/2]

Bits are given least significant first: column i counts 2**i.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glassnet.errors import InvalidInputError
from glassnet.networks.circuit import Circuit, Literal
from glassnet.networks.logic import LogicNetwork

MAX_ADDER_BITS = 32
MAX_MULTIPLIER_BITS = 16


@cache
def ripple_carry_adder(bits: int) -> LogicNetwork:
    """Return the network that adds two numbers of ``bits`` bits.

    Parameters
    ----------
    bits : int
        1 to 32.

    Returns
    -------
    LogicNetwork
        Inputs a0, a1, ..., b0, b1, ... (least significant first), outputs s0, s1, ...;
        the last output is the carry. 2 neurons per bit, and relays; ``bits + 1`` layers.

    Raises
    ------
    InvalidInputError
        If ``bits`` is not an integer in that range.

    Examples
    --------
    >>> adder = ripple_carry_adder(8)
    >>> adder.depth, adder.n_neurons - adder.n_relays
    (9, 16)
    >>> run_integers(adder, 200, 100)
    300
    """
    _check_bits(bits, MAX_ADDER_BITS)
    circuit = Circuit(2 * bits)
    total = _ripple(circuit, circuit.inputs[:bits], circuit.inputs[bits:])
    return _network(circuit, bits, total, "s")


@cache
def multiplier(bits: int) -> LogicNetwork:
    """Return the network that multiplies two numbers of ``bits`` bits, as on paper.

    One neuron per pair of bits makes the partial products; ripple-carry adders sum them
    row by row.

    Parameters
    ----------
    bits : int
        1 to 16.

    Returns
    -------
    LogicNetwork
        Inputs a0, a1, ..., b0, b1, ... (least significant first), outputs p0, p1, ...
        (2 * bits of them).

    Raises
    ------
    InvalidInputError
        If ``bits`` is not an integer in that range.

    Examples
    --------
    >>> run_integers(multiplier(4), 13, 11)
    143
    """
    _check_bits(bits, MAX_MULTIPLIER_BITS)
    circuit = Circuit(2 * bits)
    a, b = circuit.inputs[:bits], circuit.inputs[bits:]
    rows = [[circuit.all_of([x, y]) for x in a] for y in b]
    product, running = [rows[0][0]], [*rows[0][1:], circuit.any_of([])]
    for row in rows[1:]:
        lowest, *running = _ripple(circuit, running, row)
        product.append(lowest)
    return _network(circuit, bits, product + running, "p")


def run_integers(network: LogicNetwork, a: ArrayLike, b: ArrayLike) -> int | NDArray[np.int64]:
    """Send integers through an adder or a multiplier.

    Parameters
    ----------
    network : LogicNetwork
        Its inputs are the bits of a, then as many bits of b, least significant first.
    a, b : int or array-like of int
        In [0, 2**bits); broadcast against each other.

    Returns
    -------
    int, or ndarray of int64 in the broadcast shape
        The number that the output bits spell.

    Raises
    ------
    InvalidInputError
        If a value is not an integer in that range.

    Examples
    --------
    >>> run_integers(ripple_carry_adder(2), [0, 1, 3], 3).tolist()
    [3, 4, 6]
    """
    bits, odd = divmod(network.n_inputs, 2)
    if odd:
        raise InvalidInputError(f"the network must read two numbers of equal length, got {network.n_inputs} inputs")
    left, right = np.broadcast_arrays(_checked_integers(a, bits, "a"), _checked_integers(b, bits, "b"))
    columns = np.hstack([_to_bits(left, bits), _to_bits(right, bits)])
    answers = network.predict(columns).reshape(len(columns), network.n_outputs)
    numbers = (answers << np.arange(network.n_outputs)).sum(axis=1).reshape(left.shape)
    return int(numbers) if numbers.ndim == 0 else numbers


def add(a: ArrayLike, b: ArrayLike, bits: int = 8) -> int | NDArray[np.int64]:
    """Add integers in [0, 2**bits) with neurons; see ``run_integers``.

    Examples
    --------
    >>> add(19, 23)
    42
    """
    return run_integers(ripple_carry_adder(bits), a, b)


def multiply(a: ArrayLike, b: ArrayLike, bits: int = 8) -> int | NDArray[np.int64]:
    """Multiply integers in [0, 2**bits) with neurons; see ``run_integers``.

    Examples
    --------
    >>> multiply(6, 7)
    42
    """
    return run_integers(multiplier(bits), a, b)


def _full_adder(circuit: Circuit, bits: Sequence[Literal]) -> tuple[Literal, Literal]:
    """Add two or three bits: the majority carries, the sum is inhibited by twice the carry."""
    carry = circuit.at_least(2, bits, "carry")
    weights = {bit.node: 1.0 for bit in bits}
    return circuit.neuron({**weights, carry.node: -2.0}, 0.5, "sum"), carry


def _ripple(circuit: Circuit, a: Sequence[Literal], b: Sequence[Literal]) -> list[Literal]:
    """Add two numbers of equal length; the carry of each column enters the next."""
    total, carry = [], []
    for pair in zip(a, b, strict=True):
        bit, carry_out = _full_adder(circuit, [*pair, *carry])
        total.append(bit)
        carry = [carry_out]
    return total + carry


def _network(circuit: Circuit, bits: int, outputs: Sequence[Literal], letter: str) -> LogicNetwork:
    inputs = [f"{name}{index}" for name in "ab" for index in range(bits)]
    return LogicNetwork.from_layers(circuit.layers(outputs), inputs, [f"{letter}{i}" for i in range(len(outputs))])


def _check_bits(bits: int, most: int) -> None:
    if isinstance(bits, bool) or not isinstance(bits, (int, np.integer)) or not 1 <= bits <= most:
        raise InvalidInputError(f"bits must be an integer from 1 to {most}, got {bits!r}")


def _checked_integers(values: ArrayLike, bits: int, name: str) -> NDArray[np.int64]:
    array = np.asarray(values)
    if array.dtype.kind not in "iu" or (array.size and (array.min() < 0 or array.max() >= 2**bits)):
        raise InvalidInputError(f"{name} must hold integers from 0 to {2**bits - 1} ({bits} bits), got {values!r}")
    return array.astype(np.int64)


def _to_bits(values: NDArray[np.int64], bits: int) -> NDArray[np.int64]:
    return (values.ravel()[:, None] >> np.arange(bits)) & 1
