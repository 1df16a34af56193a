"""Optimizers: what is done with a gradient.

Each formula stands here once, on flat torch tensors, in place. `glassnet.learning.kernels`
holds SGD and Adam again for small networks, tested equal.

Three conventions of weight decay meet here, for a batch of n samples and mean losses:

- the lecture adds lambda ||W||^2 to the sum of the losses; this is alpha = 2 lambda here
  when the batch is the whole data set;
- scikit-learn, and here "sgd" and "adam": alpha / (2 n) ||W||^2 is added to the mean loss;
- "adamw" decays the weights apart from the gradient, W <- W - learning_rate alpha W. For
  plain SGD that is scikit-learn's with alpha n in place of alpha.

References
----------
B. T. Polyak (1964). Some methods of speeding up the convergence of iteration methods.
I. Sutskever et al. (2013). On the importance of initialization and momentum in deep
learning (Nesterov's momentum in the form used here).
D. P. Kingma and J. Ba (2015). Adam: a method for stochastic optimization.
I. Loshchilov and F. Hutter (2019). Decoupled weight decay regularization.
R. Pascanu, T. Mikolov and Y. Bengio (2013). On the difficulty of training recurrent
neural networks (clipping by the norm).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from glassnet.errors import InvalidInputError, UnknownNameError
from glassnet.learning.schedules import SCHEDULES, learning_rates

if TYPE_CHECKING:
    from torch import Tensor

# solver -> names of its slots, each of the parameters' shape
_MOMENTS = ("first_moment", "second_moment")
SLOTS: dict[str, tuple[str, ...]] = {"sgd": ("velocity",), "adam": _MOMENTS, "adamw": _MOMENTS}


@dataclass(frozen=True)
class Solver:
    """How a network descends, as plain data.

    Parameters
    ----------
    name : str
        "sgd", "adam", "adamw" or "lbfgs".
    learning_rate : float
        Above 0; what the schedule scales.
    momentum : float
        In [0, 1); of "sgd".
    nesterov : bool
        Whether the momentum is Nesterov's.
    beta_1, beta_2 : float
        In [0, 1); decay of Adam's moments.
    epsilon : float
        Above 0; keeps Adam's division finite.
    alpha : float
        L2 penalty on weights, not biases, at least 0; see the conventions above.
    l1 : float
        L1 penalty, at least 0: l1 / n times the sum of |W| is added to a batch's mean loss.
        Its step is the proximal one, which makes exact zeros.
    clip_norm : float or None
        Longest gradient; a longer one is shortened to it.
    schedule : str
        See `glassnet.learning.schedules`.
    power : float
        Of the schedule "invscaling".
    total_steps : int
        Length of the whole fit, for schedules that end.
    warmup_steps : int
        Of the schedule "warm-up".
    """

    name: str = "sgd"
    learning_rate: float = 1e-3
    momentum: float = 0.9
    nesterov: bool = True
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    alpha: float = 0.0
    l1: float = 0.0
    clip_norm: float | None = None
    schedule: str = "constant"
    power: float = 0.5
    total_steps: int = 1
    warmup_steps: int = 4000

    def __post_init__(self) -> None:
        if self.name not in (*SLOTS, "lbfgs"):
            raise UnknownNameError("solver", self.name, (*SLOTS, "lbfgs"))
        if self.schedule not in SCHEDULES:
            raise UnknownNameError("learning-rate schedule", self.schedule, SCHEDULES)
        if not self.learning_rate > 0:
            raise InvalidInputError(f"learning_rate_init must be above 0, got {self.learning_rate}.")
        for name in ("momentum", "beta_1", "beta_2"):
            if not 0 <= getattr(self, name) < 1:
                raise InvalidInputError(f"{name} must be in [0, 1), got {getattr(self, name)}.")
        for name in ("alpha", "l1"):
            if not getattr(self, name) >= 0:
                raise InvalidInputError(f"{name} must be at least 0, got {getattr(self, name)}.")
        for name in ("epsilon", "clip_norm"):
            if (value := getattr(self, name)) is not None and not value > 0:
                raise InvalidInputError(f"{name} must be above 0, got {value}.")

    @property
    def descends(self) -> bool:
        """Whether a step only takes the rate times the gradient away: each parameter's without the others'."""
        return self.name == "sgd" and not (self.momentum or self.alpha or self.l1 or self.clip_norm)

    def initial_slots(self, parameters: np.ndarray) -> dict[str, np.ndarray]:
        """Return the optimizer state before the first step: zeros."""
        if self.name == "lbfgs":
            from glassnet.learning.lbfgs import initial_slots

            return initial_slots(parameters)
        return {name: np.zeros_like(parameters) for name in SLOTS[self.name]}

    def rates(self, first_step: int, n_steps: int) -> np.ndarray:
        """Return the learning rates of ``n_steps`` steps from ``first_step`` (from 0) on."""
        shape = (self.total_steps, self.power, self.warmup_steps)
        return learning_rates(self.schedule, self.learning_rate, first_step, n_steps, *shape)

    def step(
        self,
        parameters: Tensor,
        gradient: Tensor,
        slots: dict[str, Tensor],
        step: int,
        rate: float,
        norm: float | None = None,
    ) -> None:
        """Make step number ``step`` (from 1) in place; ``gradient`` may be overwritten.

        ``norm`` is the length of the whole gradient, where ``gradient`` is a part of it.
        """
        if self.clip_norm is not None:
            norm = gradient.norm().item() if norm is None else norm
            gradient.mul_(min(1.0, self.clip_norm / max(norm, 1e-30)))
        if self.name == "sgd":
            sgd_step(parameters, gradient, slots["velocity"], rate, self)
        else:
            adam_step(parameters, gradient, slots["first_moment"], slots["second_moment"], step, rate, self)


def sgd_step(parameters: Tensor, gradient: Tensor, velocity: Tensor, rate: float, solver: Solver) -> None:
    """Make one step of stochastic gradient descent with momentum, in place.

    velocity <- momentum velocity - rate gradient, then
    parameters <- parameters + velocity, or with Nesterov's momentum
    parameters <- parameters + momentum velocity - rate gradient.
    Without momentum, no velocity is kept.
    """
    if not solver.momentum:
        parameters.sub_(gradient, alpha=rate)
        return
    velocity.mul_(solver.momentum).sub_(gradient, alpha=rate)
    if solver.nesterov:
        parameters.add_(velocity, alpha=solver.momentum).sub_(gradient, alpha=rate)
    else:
        parameters.add_(velocity)


def adam_step(
    parameters: Tensor, gradient: Tensor, m: Tensor, v: Tensor, step: int, rate: float, solver: Solver
) -> None:
    """Make one step of Adam (Algorithm 1 of the paper), in place; overwrites ``gradient``.

    m <- beta_1 m + (1 - beta_1) g,  v <- beta_2 v + (1 - beta_2) g^2,
    parameters <- parameters - rate m_hat / (sqrt(v_hat) + epsilon),
    where m_hat = m / (1 - beta_1^t) and v_hat = v / (1 - beta_2^t).
    """
    m.lerp_(gradient, 1 - solver.beta_1)
    v.mul_(solver.beta_2).addcmul_(gradient, gradient, value=1 - solver.beta_2)
    correction = (1 - solver.beta_2**step) ** 0.5
    denominator = gradient.copy_(v).sqrt_().div_(correction).add_(solver.epsilon)
    parameters.addcdiv_(m, denominator, value=-rate / (1 - solver.beta_1**step))


def soft_threshold(weight: Tensor, threshold: float) -> None:
    """Move every weight towards zero by ``threshold``, in place, and not past it: the step of an L1 penalty."""
    weight.copy_(weight.sign() * (weight.abs() - threshold).clamp_min(0))
