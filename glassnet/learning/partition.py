"""The partition function of a restricted Boltzmann machine: exactly, or by annealed importance sampling.

P(v) = exp(-F(v)) / Z with the free energy F(v) = -b . v - sum_j log(1 + exp(z_j)), z = W v + c,
for binary visible units, and with 1/2 |v - b|^2 in place of -b . v for Gaussian ones. Z sums
exp(-F) over all v. It factorizes over the units of one side once the other side is fixed, so
the exact sum runs over the states of the smaller side only.

References
----------
R. M. Neal (2001). Annealed importance sampling. Statistics and Computing 11.
R. Salakhutdinov and I. Murray (2008). On the quantitative analysis of deep belief networks. ICML.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp

from glassnet.errors import InvalidInputError
from glassnet.learning.activations import sigmoid
from glassnet.seeds import generator

# the exact sum has 2 ** n terms
MOST_UNITS = 22
_BLOCK = 12


class Machine(NamedTuple):
    """A restricted Boltzmann machine as plain arrays.

    Parameters
    ----------
    weight : ndarray of shape (n_hidden, n_visible)
    hidden_bias : ndarray of shape (n_hidden,)
    visible_bias : ndarray of shape (n_visible,)
    gaussian : bool
        Whether the visible units are Gaussian with variance 1.
    """

    weight: np.ndarray
    hidden_bias: np.ndarray
    visible_bias: np.ndarray
    gaussian: bool = False


def softplus(z: np.ndarray) -> np.ndarray:
    """log(1 + exp(z)), computed so that it does not overflow."""
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))


def free_energy(machine: Machine, v: np.ndarray, beta: float = 1.0) -> np.ndarray:
    """Return F(v), with the hidden units' input scaled by ``beta``.

    Parameters
    ----------
    machine : Machine
    v : ndarray of shape (n_samples, n_visible)
    beta : float
        1 is the machine; at 0 its visible units are independent.

    Returns
    -------
    ndarray of shape (n_samples,)
    """
    z = v @ machine.weight.T + machine.hidden_bias
    bias = machine.visible_bias
    own = 0.5 * ((v - bias) ** 2).sum(1) if machine.gaussian else -(v @ bias)
    return own - softplus(beta * z).sum(1)


def exact_log_partition(machine: Machine) -> float:
    """Return log Z by summing over all states of the smaller side; of Gaussian units, the hidden side.

    Raises
    ------
    InvalidInputError
        If that side has more than 22 units.
    """
    n_hidden, n_visible = machine.weight.shape
    over_visible = n_visible < n_hidden and not machine.gaussian
    n_units = n_visible if over_visible else n_hidden
    if n_units > MOST_UNITS:
        raise InvalidInputError(
            f"The exact sum has 2^{n_units} terms; it is made up to 2^{MOST_UNITS}. Use method='ais'."
        )
    log_weight = _log_weight_of_visible if over_visible else _log_weight_of_hidden
    low = states(min(n_units, _BLOCK))
    terms = []
    for high in states(n_units - low.shape[1]):
        block = np.hstack([low, np.broadcast_to(high, (len(low), len(high)))])
        terms.append(logsumexp(log_weight(machine, block)))
    return float(logsumexp(terms))


def states(n_units: int) -> np.ndarray:
    """Return all states of binary units, shape (2 ** n_units, n_units).

    Examples
    --------
    >>> states(2).tolist()
    [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]
    """
    return (np.arange(2**n_units)[:, None] >> np.arange(n_units) & 1).astype(float)


def _log_weight_of_visible(machine: Machine, v: np.ndarray) -> np.ndarray:
    return -free_energy(machine, v)


def _log_weight_of_hidden(machine: Machine, h: np.ndarray) -> np.ndarray:
    """Return the logarithm of exp(-E(v, h)) summed or integrated over all v."""
    field = h @ machine.weight
    if machine.gaussian:
        over_v = 0.5 * field**2 + field * machine.visible_bias + 0.5 * np.log(2 * np.pi)
    else:
        over_v = softplus(field + machine.visible_bias)
    return h @ machine.hidden_bias + over_v.sum(1)


def annealed_log_partition(machine: Machine, n_chains: int, n_temperatures: int, seed: int) -> tuple[float, float]:
    """Estimate log Z by annealed importance sampling.

    Each chain starts from independent visible units (beta = 0), whose Z is known, and makes
    one Gibbs step at every beta on the way to the machine itself (beta = 1). What it gains in
    weight on the way estimates the ratio of the two partition functions without bias.

    Parameters
    ----------
    machine : Machine
    n_chains : int
        At least 2.
    n_temperatures : int
        Steps from 0 to 1; with more of them the chains agree better.
    seed : int

    Returns
    -------
    log_partition : float
    standard_error : float
        Of the estimate, from how much the chains differ (in Z, relative to it). It knows
        nothing of modes that no chain has found.
    """
    rng = generator(seed, "annealing")
    n_hidden, n_visible = machine.weight.shape
    start = np.full((n_chains, n_visible), machine.visible_bias)
    v = start + rng.standard_normal(start.shape) if machine.gaussian else _fire(sigmoid(start), rng)
    log_ratio, beta = np.zeros(n_chains), 0.0
    for warmer in np.linspace(0, 1, n_temperatures + 1)[1:]:
        z = v @ machine.weight.T + machine.hidden_bias
        log_ratio += (softplus(warmer * z) - softplus(beta * z)).sum(1)
        beta = float(warmer)
        h = _fire(sigmoid(beta * z), rng)
        v = _visible(machine, beta * (h @ machine.weight), rng)
    known = 0.5 * n_visible * np.log(2 * np.pi) if machine.gaussian else softplus(machine.visible_bias).sum()
    ratios = np.exp(log_ratio - log_ratio.max())
    error = ratios.std(ddof=1) / ratios.mean() / np.sqrt(n_chains)
    return float(known + n_hidden * np.log(2) + logsumexp(log_ratio) - np.log(n_chains)), float(error)


def _visible(machine: Machine, field: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    mean = field + machine.visible_bias
    return mean + rng.standard_normal(mean.shape) if machine.gaussian else _fire(sigmoid(mean), rng)


def _fire(mean: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return (rng.random(mean.shape) < mean).astype(float)


def log_pseudo_likelihood(machine: Machine, v: np.ndarray, units: np.ndarray) -> np.ndarray:
    """Return the mean of log P(v_i | all other visible units) over some visible units i.

    Of a binary unit, the other value of v_i is 1 - v_i. Of a Gaussian one, P(v_i | others) is
    a mixture of normal densities of variance 1, whose integral the trapezoidal rule with a
    spacing of at most 1 gives to 1e-8.

    Parameters
    ----------
    machine : Machine
    v : ndarray of shape (n_samples, n_visible)
    units : ndarray of shape (n_units,), int

    Returns
    -------
    ndarray of shape (n_samples,)
    """
    z = v @ machine.weight.T + machine.hidden_bias
    conditional = _log_normal_conditional if machine.gaussian else _log_binary_conditional
    total = np.zeros(len(v))
    for unit in units:
        total += conditional(machine.weight[:, unit], float(machine.visible_bias[unit]), z, v[:, unit])
    return total / len(units)


def _log_binary_conditional(weight: np.ndarray, bias: float, z: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Return log P(value | others): the log sigmoid of what flipping the unit adds to the free energy."""
    flip = 1 - 2 * value
    flipped = flip * bias + softplus(z + flip[:, None] * weight).sum(1)
    return -softplus(flipped - softplus(z).sum(1))


def _log_normal_conditional(weight: np.ndarray, bias: float, z: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Return log P(value | others), normalized over a grid that covers the mixture's components."""
    low, high = bias + weight.clip(max=0).sum() - 7, bias + weight.clip(min=0).sum() + 7
    points, spacing = np.linspace(low, high, int(high - low) + 2, retstep=True)
    rest = z - value[:, None] * weight
    terms = [softplus(rest + point * weight).sum(1) - 0.5 * (point - bias) ** 2 for point in points]
    here = softplus(z).sum(1) - 0.5 * (value - bias) ** 2
    return here - logsumexp(terms, axis=0) - np.log(spacing)
