"""Optimizers: what is done with a gradient.

Each formula stands here once, on flat torch tensors, in place. `glassnet.learning.kernels`
holds the same for tiny networks, tested equal.

References
----------
B. T. Polyak (1964). Some methods of speeding up the convergence of iteration methods.
I. Sutskever et al. (2013). On the importance of initialization and momentum in deep
learning (Nesterov's momentum in the form used here).
D. P. Kingma and J. Ba (2015). Adam: a method for stochastic optimization.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from glassnet.errors import InvalidInputError, UnknownNameError

if TYPE_CHECKING:
    from torch import Tensor

# solver -> names of its slots, each of the parameters' shape
SLOTS: dict[str, tuple[str, ...]] = {"sgd": ("velocity",), "adam": ("first_moment", "second_moment")}


@dataclass(frozen=True)
class Solver:
    """How a network descends, as plain data.

    Parameters
    ----------
    name : str
        "sgd" or "adam".
    learning_rate : float
        Above 0.
    momentum : float
        In [0, 1); of "sgd".
    nesterov : bool
        Whether the momentum is Nesterov's.
    beta_1, beta_2 : float
        In [0, 1); decay of Adam's moments.
    epsilon : float
        Above 0; keeps Adam's division finite.
    alpha : float
        L2 penalty, at least 0: alpha / (2 n) times the sum of the squared weights, biases
        excluded, is added to a batch's mean loss, where n is the batch's total weight.
    """

    name: str = "sgd"
    learning_rate: float = 1e-3
    momentum: float = 0.9
    nesterov: bool = True
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    alpha: float = 0.0

    def __post_init__(self) -> None:
        if self.name not in SLOTS:
            raise UnknownNameError("solver", self.name, SLOTS)
        if not self.learning_rate > 0:
            raise InvalidInputError(f"learning_rate_init must be above 0, got {self.learning_rate}.")
        for name in ("momentum", "beta_1", "beta_2"):
            if not 0 <= getattr(self, name) < 1:
                raise InvalidInputError(f"{name} must be in [0, 1), got {getattr(self, name)}.")
        if not self.epsilon > 0 or not self.alpha >= 0:
            raise InvalidInputError(f"epsilon must be > 0 and alpha >= 0, got {self.epsilon} and {self.alpha}.")

    def initial_slots(self, parameters: np.ndarray) -> dict[str, np.ndarray]:
        """Return the optimizer state before the first step: zeros."""
        return {name: np.zeros_like(parameters) for name in SLOTS[self.name]}

    def step(self, parameters: Tensor, gradient: Tensor, slots: dict[str, Tensor], step: int) -> None:
        """Make step number ``step`` (from 1) in place; ``gradient`` may be overwritten."""
        if self.name == "sgd":
            sgd_step(parameters, gradient, slots["velocity"], self)
        else:
            adam_step(parameters, gradient, slots["first_moment"], slots["second_moment"], step, self)


def sgd_step(parameters: Tensor, gradient: Tensor, velocity: Tensor, solver: Solver) -> None:
    """Make one step of stochastic gradient descent with momentum, in place.

    velocity <- momentum velocity - learning_rate gradient, then
    parameters <- parameters + velocity, or with Nesterov's momentum
    parameters <- parameters + momentum velocity - learning_rate gradient.
    """
    velocity.mul_(solver.momentum).sub_(gradient, alpha=solver.learning_rate)
    if solver.nesterov:
        parameters.add_(velocity, alpha=solver.momentum).sub_(gradient, alpha=solver.learning_rate)
    else:
        parameters.add_(velocity)


def adam_step(parameters: Tensor, gradient: Tensor, m: Tensor, v: Tensor, step: int, solver: Solver) -> None:
    """Make one step of Adam (Algorithm 1 of the paper), in place; overwrites ``gradient``.

    m <- beta_1 m + (1 - beta_1) g,  v <- beta_2 v + (1 - beta_2) g^2,
    parameters <- parameters - learning_rate m_hat / (sqrt(v_hat) + epsilon),
    where m_hat = m / (1 - beta_1^t) and v_hat = v / (1 - beta_2^t).
    """
    m.lerp_(gradient, 1 - solver.beta_1)
    v.mul_(solver.beta_2).addcmul_(gradient, gradient, value=1 - solver.beta_2)
    correction = (1 - solver.beta_2**step) ** 0.5
    denominator = gradient.copy_(v).sqrt_().div_(correction).add_(solver.epsilon)
    parameters.addcdiv_(m, denominator, value=-solver.learning_rate / (1 - solver.beta_1**step))
