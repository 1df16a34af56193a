"""L-BFGS: descent along an estimate of Newton's direction, from the last few gradients.

With s_k = x_(k+1) - x_k and y_k = g_(k+1) - g_k of the last M steps, the two-loop recursion
turns the gradient g into the direction -H g without ever forming the inverse Hessian H. The
length of the step comes from a line search that ends in the strong Wolfe conditions
(SciPy's).

References
----------
D. C. Liu and J. Nocedal (1989). On the limited memory BFGS method for large scale
optimization. Mathematical Programming 45, 503-528.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import torch
from scipy.optimize import line_search
from torch import Tensor

# number of steps remembered
MEMORY = 10


def initial_slots(parameters: np.ndarray) -> dict[str, np.ndarray]:
    """Return an empty memory: rows of s and y, newest last, zero where not yet filled."""
    shape = (MEMORY, parameters.size)
    return {"s": np.zeros(shape, parameters.dtype), "y": np.zeros(shape, parameters.dtype)}


def lbfgs_step(arrays: dict[str, Tensor], evaluate: Callable[[], tuple[float, float, Tensor]]) -> float:
    """Make one step in place.

    Parameters
    ----------
    arrays : dict of str to Tensor
        "parameters" (n,), and the memory "s" and "y" of shape (MEMORY, n).
    evaluate : callable
        () -> (loss, objective, gradient of the objective) at the current parameters.

    Returns
    -------
    float
        The loss before the step.
    """
    x, s, y = arrays["parameters"], arrays["s"], arrays["y"]

    seen: dict[bytes, tuple[float, np.ndarray]] = {}  # the search asks for value and gradient apart

    def at(point: np.ndarray) -> tuple[float, np.ndarray]:
        x.copy_(torch.from_numpy(point))
        if point.tobytes() not in seen:
            _, objective, gradient = evaluate()
            seen[point.tobytes()] = objective, gradient.double().numpy().copy()
        return seen[point.tobytes()]

    loss, objective, gradient = evaluate()
    start, g = x.double().numpy().copy(), gradient.double().numpy().copy()
    direction = -inverse_hessian_times(g, s.double().numpy(), y.double().numpy())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # it says that it found no step; so does None
        length = line_search(lambda p: at(p)[0], lambda p: at(p)[1], start, direction, g, objective)[0]
    if length is None:  # no point satisfies the conditions: the memory misleads, or this is the minimum
        s.zero_()
        y.zero_()
        length = 1e-4 / max(float(np.abs(g).max()), 1.0)
        direction = -g
    new_gradient = at(start + length * direction)[1]
    _remember(s, length * direction)
    _remember(y, new_gradient - g)
    return loss


def inverse_hessian_times(g: np.ndarray, s: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return H g by the two-loop recursion; rows of s and y that are zero are skipped.

    Examples
    --------
    >>> inverse_hessian_times(np.array([1.0, 2.0]), np.zeros((3, 2)), np.zeros((3, 2)))
    array([1., 2.])
    """
    pairs = [(s_k, y_k, s_k @ y_k) for s_k, y_k in zip(s, y, strict=True) if s_k @ y_k > 1e-12]
    q, alphas = g.copy(), []
    for s_k, y_k, product in reversed(pairs):
        alphas.append(s_k @ q / product)
        q -= alphas[-1] * y_k
    if pairs:
        _, y_k, product = pairs[-1]
        q *= product / (y_k @ y_k)
    for (s_k, y_k, product), alpha in zip(pairs, reversed(alphas), strict=True):
        q += (alpha - y_k @ q / product) * s_k
    return q


def _remember(memory: Tensor, row: np.ndarray) -> None:
    memory[:-1] = memory[1:].clone()
    memory[-1] = torch.from_numpy(row)
