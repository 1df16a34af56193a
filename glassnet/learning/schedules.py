"""Learning-rate schedules: the rate of every step as a function of its number.

With rate_0 the initial rate, t = 0, 1, ... the step and T the number of steps in all:

    constant     rate_0
    step         rate_0, a tenth of it after T/2, a hundredth after 3T/4 (He et al. 2016)
    invscaling   rate_0 / (t + 1)^power (Robbins and Monro 1951 for power in (1/2, 1])
    cosine       rate_0 (1 + cos(pi t / T)) / 2 (Loshchilov and Hutter 2017)
    one-cycle    up from rate_0/25 to rate_0 in the first 30% of T, down to rate_0/10,000,
                 both along a cosine (Smith and Topin 2019)
    warm-up      up to rate_0 along a line in the first T_w steps, then rate_0 sqrt(T_w / (t + 1))
                 (Vaswani et al. 2017, eq. 3, whose rate_0 is 1 / sqrt(d_model T_w))
"""

from __future__ import annotations

import numpy as np

from glassnet.errors import UnknownNameError


def _cosine_between(start: float, stop: float, part: np.ndarray) -> np.ndarray:
    return stop + (start - stop) * (1 + np.cos(np.pi * part)) / 2


def _one_cycle(part: np.ndarray) -> np.ndarray:
    up = _cosine_between(1 / 25, 1.0, np.minimum(part / 0.3, 1))
    down = _cosine_between(1.0, 1e-4, np.maximum(part - 0.3, 0) / 0.7)
    return np.where(part < 0.3, up, down)


# schedule -> factor of the initial rate, from t (steps), t / T, the power and T_w
SCHEDULES = {
    "constant": lambda t, part, power, warmup: np.ones_like(part),
    "step": lambda t, part, power, warmup: 0.1 ** ((part >= 0.5).astype(int) + (part >= 0.75)),
    "invscaling": lambda t, part, power, warmup: (t + 1.0) ** -power,
    "cosine": lambda t, part, power, warmup: _cosine_between(1.0, 0.0, part),
    "one-cycle": lambda t, part, power, warmup: _one_cycle(part),
    "warm-up": lambda t, part, power, warmup: np.minimum((t + 1) / warmup, (warmup / (t + 1)) ** 0.5),
}


def learning_rates(
    schedule: str,
    initial: float,
    first_step: int,
    n_steps: int,
    total_steps: int,
    power: float = 0.5,
    warmup_steps: int = 4000,
) -> np.ndarray:
    """Return the learning rate of each of ``n_steps`` steps from ``first_step`` on.

    Parameters
    ----------
    schedule : {"constant", "step", "invscaling", "cosine", "one-cycle", "warm-up"}
    initial : float
        The rate that the schedule scales.
    first_step, n_steps : int
        Steps count from 0; those past ``total_steps`` have the last step's rate.
    total_steps : int
        Length of the whole fit, at least 1.
    power : float
        Of "invscaling".
    warmup_steps : int
        T_w of "warm-up", at least 1.

    Returns
    -------
    ndarray of shape (n_steps,)

    Raises
    ------
    UnknownNameError
        If there is no such schedule.

    Examples
    --------
    >>> learning_rates("cosine", 1.0, 0, 5, total_steps=4).round(3).tolist()
    [1.0, 0.854, 0.5, 0.146, 0.146]
    """
    if schedule not in SCHEDULES:
        raise UnknownNameError("learning-rate schedule", schedule, SCHEDULES)
    t = np.arange(first_step, first_step + n_steps)
    part = np.minimum(t, total_steps - 1) / total_steps
    return initial * SCHEDULES[schedule](t, part, power, warmup_steps)
