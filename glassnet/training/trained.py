"""Networks that come trained with glassnet, and how small a trained network can be written.

A compact run folder holds parameters and running statistics as float16, without the optimizer's
state; `load_run` gives float32 and an optimizer at its start. Those under ``glassnet/weights``
were written by ``glassnet export RUN glassnet/weights/NAME``.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from glassnet.errors import InvalidInputError, UnknownNameError
from glassnet.learning.averaging import without_average
from glassnet.learning.optimizers import SLOTS
from glassnet.training.state import TrainingState

WEIGHTS_FOLDER = Path(__file__).parents[1] / "weights"
# what an optimizer keeps beside the parameters, of their shape and zero at its start; empty in a compact run
_SLOTS = {name for names in SLOTS.values() for name in names}


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
    """Return a copy of a fitted estimator whose states are as small as predictions need them.

    Raises
    ------
    InvalidInputError
        If a number is beyond float16, or the estimator has no weights that were learned step by step.
    """
    small = _smaller(estimator)
    if not list(_states(small)):
        raise InvalidInputError(f"{type(estimator).__name__} holds no weights of its own to write.")
    return small


def expanded(estimator: Any) -> Any:
    """Give the states that were `compacted` float32 and an optimizer at its start; change no other."""
    for state in _states(estimator):
        for name, array in state.arrays.items():
            state.arrays[name] = array.astype(np.float32) if array.dtype == np.float16 else array
        for name in _SLOTS & state.arrays.keys():
            if not state.arrays[name].size:
                state.arrays[name] = np.zeros_like(state.arrays["parameters"])
    return estimator


def _smaller(value: Any) -> Any:
    """Return a copy with small states in the place of all states, however deep in lists and estimators."""
    if isinstance(value, list):
        return [_smaller(part) for part in value]
    if isinstance(value, TrainingState):
        arrays = without_average(value.arrays)
        kept = {name: array[:0] if name in _SLOTS else array for name, array in arrays.items()}
        return replace(value, arrays={name: _halved(name, array) for name, array in kept.items()})
    if not isinstance(value, BaseEstimator):
        return value
    shrink = getattr(value, "without_stages", None)
    small = shrink() if shrink else copy.copy(value)
    for name, part in _fitted(small):
        setattr(small, name, _smaller(part))
    return small


def _states(value: Any) -> Iterator[TrainingState]:
    """Yield the states in an estimator and in those that it is made of."""
    if isinstance(value, TrainingState):
        yield value
    parts = [part for _, part in _fitted(value)] if isinstance(value, BaseEstimator) else value
    for part in parts if isinstance(parts, list) else []:
        yield from _states(part)


def _fitted(estimator: Any) -> list[tuple[str, Any]]:
    return [(name, part) for name, part in vars(estimator).items() if name not in estimator.get_params(deep=False)]


def _halved(name: str, array: np.ndarray) -> np.ndarray:
    if array.dtype != np.float32:
        return array
    if np.abs(array).max(initial=0) > np.finfo(np.float16).max:
        raise InvalidInputError(f"{name} holds numbers beyond those of float16.")
    return array.astype(np.float16)
