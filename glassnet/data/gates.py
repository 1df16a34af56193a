"""Truth tables: the data of the oldest questions put to a neuron.

McCulloch and Pitts (1943) answer AND, OR and NOT with one neuron each; that no single
neuron answers XOR is the best-known result in Minsky and Papert's *Perceptrons* (1969).
"""

from __future__ import annotations

from functools import partial
from itertools import product

import numpy as np

from glassnet.data.dataset import Dataset
from glassnet.errors import UnknownNameError

# the output column, for inputs counted up in binary: 00, 01, 10, 11
_OUTPUTS: dict[str, tuple[int, ...]] = {
    "and": (0, 0, 0, 1),
    "or": (0, 1, 1, 1),
    "xor": (0, 1, 1, 0),
    "not": (1, 0),
}


def load_gate(name: str, random_state: int | None = 0) -> Dataset:
    """Return the truth table of a logic gate.

    The table is all there is to know, so the train and the test part are both the whole of it.

    Parameters
    ----------
    name : {"and", "or", "not", "xor"}
    random_state : int or None
        Without effect; every loader takes it.

    Returns
    -------
    Dataset
        X of shape (4, 2), for "not" (2, 1), with values 0 and 1.

    Raises
    ------
    UnknownNameError
        If there is no such gate.

    Examples
    --------
    >>> load_gate("not").X_train.tolist(), load_gate("not").y_train.tolist()
    ([[0.0], [1.0]], [1, 0])
    """
    if name not in _OUTPUTS:
        raise UnknownNameError("gate", name, _OUTPUTS)
    outputs = _OUTPUTS[name]
    n_inputs = len(outputs).bit_length() - 1
    X = np.array(list(product((0, 1), repeat=n_inputs)), np.float32)
    y = np.array(outputs, np.int64)
    inputs = tuple(f"x{i}" for i in range(1, n_inputs + 1))
    return Dataset(f"gate-{name}", X, y, X.copy(), y.copy(), inputs, ("0", "1"), "classification")


load_and = partial(load_gate, "and")
"""1 where both inputs are 1."""
load_or = partial(load_gate, "or")
"""1 where at least one input is 1."""
load_not = partial(load_gate, "not")
"""1 where the one input is 0."""
load_xor = partial(load_gate, "xor")
"""1 where exactly one of two inputs is 1: no single unit can learn it."""
