"""What a fitted estimator was at earlier steps of its fit: its parameters, and its loss with any parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.errors import InvalidInputError

if TYPE_CHECKING:
    from glassnet.inspect.history import History


@contextmanager
def at_steps(estimator: Any, history: History, steps: list[int]) -> Iterator[Iterator[int]]:
    """Give an iterator that puts an estimator to each of these steps; afterwards it is what it was.

    Parameters
    ----------
    estimator : fitted estimator
        Has ``state_``.
    history : History
        Of its fit.
    steps : list of int
        Snapshots of the history cost nothing; the steps after one are made again.
    """

    def each() -> Iterator[int]:
        for step in steps:
            history.restore(state, step)
            yield step

    state: Any = getattr(estimator, "state_", None)
    if state is None:
        raise InvalidInputError(f"{type(estimator).__name__} has no state_ to go back with: is it fitted?")
    found = state.state_dict()
    try:
        yield each()
    finally:
        state.load_state_dict(found)


def state_of(estimator: Any) -> Any:
    """Return an estimator's state.

    Raises
    ------
    InvalidInputError
        If it has none with one flat array of parameters.
    """
    state = getattr(estimator, "state_", None)
    if state is None or "parameters" not in state.arrays:
        raise InvalidInputError(f"{type(estimator).__name__} has no state_ with its parameters: is it fitted?")
    return state


def chosen_steps(history: History, most: int) -> list[int]:
    """Return at most so many of a history's snapshots, from the first to the last."""
    from glassnet.plots.traced import spread_over

    steps = history.snapshot_steps.tolist()
    if len(steps) < 2:
        raise InvalidInputError(f"This history holds {len(steps)} snapshots; two are needed: History(every=...).")
    return [steps[i] for i in spread_over(len(steps), most)]


def mean_loss(estimator: Any, X: np.ndarray, y: np.ndarray) -> Callable[[], float]:
    """Return a function that measures an estimator's loss as it is.

    Returns
    -------
    callable
        () -> mean cross-entropy of the labels, in nats; of a regressor half the mean squared error.
    """
    if not hasattr(estimator, "predict_proba"):
        return lambda: float(0.5 * np.mean((estimator.predict(X) - y) ** 2))
    columns = np.searchsorted(estimator.classes_, y)
    if not np.array_equal(estimator.classes_[columns.clip(max=len(estimator.classes_) - 1)], y):
        raise InvalidInputError(f"y has classes that the network does not know; it knows {list(estimator.classes_)}.")
    tiny = np.finfo(np.float32).tiny  # -log of it is 87

    def cross_entropy() -> float:
        return float(-np.mean(np.log(np.maximum(estimator.predict_proba(X)[np.arange(len(X)), columns], tiny))))

    return cross_entropy


def filters_of(estimator: Any) -> list[np.ndarray]:
    """Return for each unit or filter the places of its incoming weights in the flat array of parameters."""
    places = np.arange(len(state_of(estimator).arrays["parameters"]))
    if hasattr(estimator, "spec_"):
        arrays = [array for layer in estimator.spec_.named(places) for array in layer.values()]
    else:
        from glassnet.learning.module_arrays import named_trainable

        shapes = [tuple(p.shape) for p in named_trainable(estimator.module_).values()]
        ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
        arrays = [part.reshape(shape) for part, shape in zip(np.split(places, ends[:-1]), shapes, strict=True)]
    return [row.ravel() for array in arrays if array.ndim > 1 for row in array]
