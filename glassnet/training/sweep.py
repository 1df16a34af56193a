"""Many networks at once: one estimator, many settings, a thread for every core.

Each fit is a whole, ordinary fit, so its result is that of the same fit alone, to the bit.
The compiled kernels and torch release the interpreter's lock while they work.
"""

from __future__ import annotations

import copy
import math
import os
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Any

from rich.progress import track
from sklearn.base import clone
from sklearn.model_selection import ParameterGrid

from glassnet.errors import DivergedError, InvalidInputError
from glassnet.training.threads import one_blas_thread


@dataclass(frozen=True)
class Run:
    """One fit of a sweep.

    Parameters
    ----------
    parameters : dict
        What this fit set.
    estimator : estimator
        Fitted; where the fit diverged, with the best weights seen.
    score : float or None
        On the test data, where they were given.
    seconds : float
    error : str
        Why the fit ended before its time; empty if it did not.
    """

    parameters: dict[str, Any]
    estimator: Any
    score: float | None
    seconds: float
    error: str

    @property
    def loss(self) -> float:
        """Training loss of the last epoch; infinite where not one epoch was finished."""
        return self.estimator.loss_curve_[-1] if self.estimator.loss_curve_ else math.inf


@dataclass(frozen=True)
class Sweep:
    """The runs of a sweep, in the order of the grid."""

    runs: tuple[Run, ...]

    def table(self) -> dict[str, list[Any]]:
        """Return the runs as columns, ready for ``pandas.DataFrame``: parameters, then what was measured."""
        names = list(self.runs[0].parameters)
        columns: dict[str, list[Any]] = {name: [run.parameters[name] for run in self.runs] for name in names}
        columns["score"] = [run.score for run in self.runs]
        columns["loss"] = [run.loss for run in self.runs]
        columns["n_iter"] = [run.estimator.n_iter_ for run in self.runs]
        columns["seconds"] = [run.seconds for run in self.runs]
        columns["error"] = [run.error for run in self.runs]
        return columns

    @property
    def best(self) -> Run:
        """The run with the highest score or, without test data, with the lowest last training loss."""
        return max(self.runs, key=lambda run: -run.loss if run.score is None else run.score)


def sweep(
    estimator: Any,
    X: Any,
    y: Any,
    grid: Mapping[str, Iterable[Any]],
    *,
    test: tuple[Any, Any] | None = None,
    n_jobs: int | None = None,
    verbose: bool = False,
) -> Sweep:
    """Fit an estimator once for every combination of settings.

    Parameters
    ----------
    estimator : glassnet estimator
        Is cloned, never changed.
    X, y : array-like
        As for its `fit`.
    grid : dict of str to iterable
        Values of its parameters; all combinations are fitted.
    test : (X, y), optional
        Data to score on.
    n_jobs : int, optional
        Number of threads; None takes one for every core.
    verbose : bool
        Show a progress bar on a terminal.

    Returns
    -------
    Sweep

    Raises
    ------
    InvalidInputError
        If the grid is empty.

    Examples
    --------
    >>> from glassnet import MLPClassifier
    >>> net = MLPClassifier((3,), "tanh", solver="sgd", learning_rate_init=0.5, max_iter=500, tol=None)
    >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    >>> len(sweep(net, X, y, {"random_state": range(5)}).runs)
    5
    """
    settings = list(ParameterGrid({name: list(values) for name, values in grid.items()}))
    if not settings or not settings[0]:
        raise InvalidInputError(f"The grid names no settings: {dict(grid)}.")
    prepare = _prepare(estimator, X, y, settings[0])
    with one_blas_thread(), ThreadPoolExecutor(n_jobs or os.cpu_count()) as pool:
        jobs = [pool.submit(_run, prepare, setting, test) for setting in settings]
        try:
            for job in track(as_completed(jobs), "fits", len(jobs), disable=not verbose, transient=True):
                job.result()
        except BaseException:  # also Ctrl-C: fits not yet begun are dropped
            pool.shutdown(cancel_futures=True)
            raise
    return Sweep(tuple(job.result() for job in jobs))


# parameters that say how data are read; a sweep over one of them reads them anew for every fit
_READING = ("precision", "class_weight")


def _prepare(estimator: Any, X: Any, y: Any, setting: dict[str, Any]) -> Callable[[dict[str, Any]], tuple[Any, tuple]]:
    """Return what gives an estimator with some settings and its validated data, shared where it can be."""
    template: Any = clone(estimator)
    template.set_params(**setting)  # an unknown name is refused here
    if any(name in _READING for name in setting):

        def read_anew(setting: dict[str, Any]) -> tuple[Any, tuple]:
            net: Any = clone(template)
            net.set_params(**setting)
            return net, net._validate(X, y, None, reset=True)

        return read_anew
    data = template._validate(X, y, None, reset=True)

    def share(setting: dict[str, Any]) -> tuple[Any, tuple]:
        net = copy.copy(template)
        vars(net).update(setting)
        return net, data

    return share


def _run(
    prepare: Callable[[dict[str, Any]], tuple[Any, tuple]], setting: dict[str, Any], test: tuple[Any, Any] | None
) -> Run:
    start, error = time.perf_counter(), ""
    net, data = prepare(setting)
    try:
        net._fit(data)
    except DivergedError as diverged:
        error = str(diverged)
    score = None if test is None else net.score(*test)
    return Run(setting, net, score, time.perf_counter() - start, error)
