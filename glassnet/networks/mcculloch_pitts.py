"""The McCulloch-Pitts neuron (1943): a weighted sum that reaches a threshold, or does not.

W. S. McCulloch and W. Pitts, "A logical calculus of the ideas immanent in nervous
activity", Bulletin of Mathematical Biophysics 5 (1943).

    output = 1  if  w_1 x_1 + ... + w_n x_n >= threshold,  else 0

or, with bias = -threshold and the pre-activation z = w . x + bias: 1 if z >= 0.

Where this departs from the paper: there every excitatory connection counts one and any
single active inhibitory connection forbids firing. Real weights of both signs, as taught
today, contain that neuron: an inhibitory weight below minus the number of excitatory
inputs forbids absolutely.

Where it departs from the lecture: its gates fire when the sum *reaches* the threshold,
while its later slides define the step as z > 0, under which its own AND (1 + 1 against a
threshold of 2) would never fire. Here the default is ">="; the other is ``convention=">"``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glassnet.errors import InvalidInputError, UnknownNameError
from glassnet.networks.truth_tables import all_inputs

Convention = Literal[">=", ">"]

# gate -> (weights, threshold), in the lecture's own numbers; NOT negates x1 and ignores x2
CLASSICAL_GATES: dict[str, tuple[tuple[float, ...], float]] = {
    "AND": ((1.0, 1.0), 2.0),
    "OR": ((1.0, 1.0), 0.5),
    "NOT": ((-0.6, 0.0), -0.5),
}


@dataclass(frozen=True, eq=False)
class McCullochPittsNeuron:
    """One threshold neuron.

    Parameters
    ----------
    weights : array-like of shape (inputs,)
        One finite weight per input.
    threshold : float
        The sum at which the neuron fires; the bias is its negative.
    convention : {">=", ">"}, default=">="
        Whether a sum equal to the threshold fires.

    Raises
    ------
    InvalidInputError
        If weights or threshold are not finite numbers, or X has another number of columns.
    UnknownNameError
        If the convention is unknown.

    References
    ----------
    W. S. McCulloch and W. Pitts (1943), Bulletin of Mathematical Biophysics 5.

    Examples
    --------
    >>> both = McCullochPittsNeuron(weights=(1, 1), threshold=2)
    >>> both([[0, 0], [0, 1], [1, 0], [1, 1]]).tolist()
    [0, 0, 0, 1]
    >>> int(McCullochPittsNeuron((1, 1), 2, convention=">")([1, 1]))
    0
    """

    weights: NDArray[np.float64]
    threshold: float
    convention: Convention = ">="

    def __post_init__(self) -> None:
        if self.convention not in (">=", ">"):
            raise UnknownNameError("convention", self.convention, (">=", ">"))
        weights = np.array(self.weights, dtype=np.float64)
        if weights.ndim != 1 or not np.isfinite(weights).all() or not np.isfinite(self.threshold):
            raise InvalidInputError(
                f"a neuron needs a flat list of finite weights and a finite threshold, "
                f"got weights {self.weights!r} and threshold {self.threshold!r}"
            )
        weights.flags.writeable = False
        object.__setattr__(self, "weights", weights)

    @property
    def bias(self) -> float:
        """The threshold moved to the other side: ``-threshold``."""
        return -self.threshold

    def weighted_sum(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return w . x for every row of X.

        Parameters
        ----------
        X : array-like of shape (..., inputs)
            Binary inputs in the paper; any real number is allowed.

        Returns
        -------
        ndarray of shape (...)
        """
        inputs = np.asarray(X, dtype=np.float64)
        if inputs.ndim == 0 or inputs.shape[-1] != len(self.weights):
            raise InvalidInputError(
                f"the neuron has {len(self.weights)} weights, so X needs {len(self.weights)} inputs in its last axis; "
                f"got shape {inputs.shape}"
            )
        if not np.isfinite(inputs).all():
            raise InvalidInputError("X must be finite, got NaN or infinity")
        return inputs @ self.weights

    def pre_activation(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return z = w . x + bias for every row of X, shape (...)."""
        return self.weighted_sum(X) + self.bias

    def __call__(self, X: ArrayLike) -> NDArray[np.int64]:
        """Return 1 where the neuron fires and 0 where it is silent.

        Parameters
        ----------
        X : array-like of shape (..., inputs)

        Returns
        -------
        ndarray of int64, shape (...)
            A single row gives a single number.
        """
        total = self.weighted_sum(X)
        fires = total >= self.threshold if self.convention == ">=" else total > self.threshold
        return fires.astype(np.int64)

    predict = __call__

    def truth_table(self) -> NDArray[np.int64]:
        """Return the answers to all binary inputs in counting order, shape (2**inputs,).

        Raises
        ------
        InvalidInputError
            If the neuron has more than 20 inputs.
        """
        return self(all_inputs(len(self.weights)))


def gate(name: str, convention: Convention = ">=") -> McCullochPittsNeuron:
    """Return one of the lecture's gates as a neuron of two inputs.

    Parameters
    ----------
    name : {"AND", "OR", "NOT"}
        NOT negates the first input; its weight on the second is 0.
    convention : {">=", ">"}, default=">="
        Under ">" the lecture's AND never fires: its sum reaches 2 and does not exceed it.

    Returns
    -------
    McCullochPittsNeuron

    Raises
    ------
    UnknownNameError
        If the name is not in ``CLASSICAL_GATES``.

    Examples
    --------
    >>> gate("NOT").truth_table().tolist()
    [1, 1, 0, 0]
    """
    if name not in CLASSICAL_GATES:
        raise UnknownNameError("gate", name, CLASSICAL_GATES)
    weights, threshold = CLASSICAL_GATES[name]
    return McCullochPittsNeuron(np.array(weights), threshold, convention)
