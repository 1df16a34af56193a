"""Networks that come trained with glassnet, and how small a trained network can be written.

A compact run folder holds parameters and running statistics as float16, without the optimizer's
state; `load_run` gives float32 and an optimizer at its start. Those under ``glassnet/weights``
were written by ``glassnet export RUN glassnet/weights/NAME``.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from glassnet.errors import InvalidInputError, UnknownNameError
from glassnet.learning.averaging import without_average
from glassnet.learning.optimizers import SLOTS

WEIGHTS_FOLDER = Path(__file__).parents[1] / "weights"


def load_trained(name: str) -> Any:
    """Return a network that comes trained with glassnet.

    Parameters
    ----------
    name : str
        Such as "lenet5-mnist": network and data set.

    Returns
    -------
    estimator
        Ready to predict, to be looked into (``module_``), or to be fitted on.

    Raises
    ------
    UnknownNameError
        If there is none of this name; the message lists those there are.

    Examples
    --------
    >>> net = load_trained("lenet5-mnist")
    >>> net.module_.c1.weight.shape
    torch.Size([6, 1, 5, 5])
    """
    from glassnet.training.run_folder import load_run

    if name not in trained_names():
        raise UnknownNameError("trained network", name, trained_names())
    return load_run(WEIGHTS_FOLDER / name)


def trained_names() -> list[str]:
    """Return the names that `load_trained` knows."""
    return sorted(folder.name for folder in WEIGHTS_FOLDER.iterdir() if folder.is_dir())


def find_run(run: str | Path) -> Path:
    """Return a run folder: the one at this path, or the trained network of this name.

    Raises
    ------
    UnknownNameError
        If there is neither.
    """
    if Path(run).exists() or str(run) not in trained_names():
        return Path(run)
    return WEIGHTS_FOLDER / str(run)


def compacted(estimator: Any) -> Any:
    """Return a copy of a fitted estimator whose state is as small as predictions need it.

    Raises
    ------
    InvalidInputError
        If a number is beyond float16.
    """
    state = estimator.state_
    slots = {name for names in SLOTS.values() for name in names}
    arrays = {name: _halved(name, array) for name, array in without_average(state.arrays).items() if name not in slots}
    small = copy.copy(estimator)
    small.state_ = replace(state, arrays=arrays)
    return small


def expanded(estimator: Any) -> Any:
    """Give an estimator whose state was `compacted` float32 and an optimizer at its start; change no other."""
    arrays = getattr(getattr(estimator, "state_", None), "arrays", {})
    if any(array.dtype == np.float16 for array in arrays.values()):
        for name, array in arrays.items():
            arrays[name] = array.astype(np.float32) if array.dtype == np.float16 else array
        arrays |= estimator._solver().initial_slots(arrays["parameters"])
    return estimator


def _halved(name: str, array: np.ndarray) -> np.ndarray:
    if array.dtype != np.float32:
        return array
    if np.abs(array).max(initial=0) > np.finfo(np.float16).max:
        raise InvalidInputError(f"{name} holds numbers beyond those of float16.")
    return array.astype(np.float16)
