"""Estimators that learn in epochs: what they share, whatever the network.

The way of a fit: `fit` checks the data (`_validate`), builds the network under the seed
(`_start`), binds it to an engine (`_bind`), and lets `run_epochs` advance the state.
Subclasses say how each of the three is done.
"""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.model_selection import train_test_split

from glassnet.errors import GlassnetWarning, InvalidInputError
from glassnet.estimators.checks import check_positive_integers
from glassnet.learning.optimizers import Solver
from glassnet.seeds import generator, resolve_seed
from glassnet.training import checkpoint
from glassnet.training.distributed import check_shared, current
from glassnet.training.fit import FitResult, run_epochs
from glassnet.training.observers import Observer
from glassnet.training.state import TrainingState
from glassnet.training.threads import one_blas_thread


class EpochEstimator(BaseEstimator, ABC):
    """A network that learns in epochs as a scikit-learn estimator."""

    # whether held-out samples are drawn class by class
    _stratify: ClassVar[bool]

    # parameters that every subclass has
    solver: str
    alpha: float
    batch_size: int | str
    learning_rate_init: float
    max_iter: int
    shuffle: bool
    random_state: Any
    tol: float | None
    n_iter_no_change: int
    learning_rate: str
    power_t: float
    l1: float
    clip_norm: float | None
    momentum: float
    nesterovs_momentum: bool
    beta_1: float
    beta_2: float
    epsilon: float
    early_stopping: bool
    validation_fraction: float
    warm_start: bool
    verbose: bool

    def initialize(self, X: Any, y: Any, sample_weight: Any = None) -> TrainingState:
        """Check the data, draw initial weights and return the state before the first step.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), optional

        Returns
        -------
        TrainingState
            Also kept as ``state_``. `predict` reads its weights, wherever `advance` has
            taken them.

        Raises
        ------
        InvalidInputError, UnknownNameError, ValueError
            If the data or a parameter cannot be used.
        """
        return self._start(*self._validate(X, y, sample_weight, reset=True))

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        observers: Sequence[Observer] = (),
        resume: str | Path | None = None,
    ) -> Any:
        """Fit the network.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            A sparse matrix is made dense.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), optional
        observers : sequence of Observer
            Called during the fit; they change nothing.
        resume : str or Path, optional
            Folder in which a `Checkpoint` of the same fit has left its state. Epochs up to
            ``max_iter`` are made from there, to the bit as if the fit had never ended (with one
            thread; the patience of ``tol`` and ``early_stopping`` begins anew).

        Returns
        -------
        self

        Raises
        ------
        DivergedError
            If the loss turns NaN or infinite; the best weights seen are kept.
        RunFolderError, InvalidInputError
            If there is nothing to resume, or it is of another network or other data.
        """
        again = self.warm_start and hasattr(self, "state_")
        return self._fit(self._validate(X, y, sample_weight, reset=not again), again, observers, resume)

    def _fit(
        self,
        data: tuple,
        again: bool = False,
        observers: Sequence[Observer] = (),
        resume: str | Path | None = None,
    ) -> Any:
        """Fit data that were validated, from the start or ``again`` from where an earlier fit ended."""
        self._check_iteration_parameters()
        held_out = None
        if self.early_stopping:
            data, held_out = self._split(*data)
        if again:
            self._continue(*data)
        else:
            self._start(*data)
        earlier = checkpoint.resume(resume, self.state_) if resume is not None else []
        begun = checkpoint.losses_begun(resume) if resume is not None else []
        options = {"begun": begun, "tol": self.tol, "patience": self.n_iter_no_change, "verbose": self.verbose}
        self._run(self.max_iter - len(earlier), self._loss_on(held_out), earlier, observers=observers, **options)
        return self

    def _partial_fit(self, X: Any, y: Any, sample_weight: Any, classes: Any = None) -> Any:
        first = not hasattr(self, "state_")
        data = self._validate(X, y, sample_weight, reset=first, classes=classes)
        earlier = [] if first else self.loss_curve_
        if first:
            self._start(*data)
        else:
            self._continue(*data)
        self._run(1, earlier=earlier)
        return self

    @abstractmethod
    def _validate(self, X: Any, y: Any, sample_weight: Any, reset: bool, classes: Any = None) -> tuple:
        """Return X, target and sample weights, checked and in the network's precision."""

    @abstractmethod
    def _start(self, X: np.ndarray, target: np.ndarray, sample_weight: Any) -> TrainingState:
        """Build the network under the seed."""

    @abstractmethod
    def _engine(self, arrays: dict[str, np.ndarray], solver: Solver, *data: Any) -> Any:
        """Return what makes the steps on these arrays and data."""

    @abstractmethod
    def _mean_loss(self, X: np.ndarray, target: np.ndarray, sample_weight: Any) -> float:
        """Return the mean loss of the current weights on data that were validated."""

    def _continue(self, X: np.ndarray, target: np.ndarray, sample_weight: Any) -> TrainingState:
        """Go on from the fitted weights and optimizer state, at the start of an epoch of this data."""
        old = self.state_
        state = self._bind(old.arrays, old.seed, X, target, sample_weight)
        state.step, state.epoch = old.step, old.epoch + (old.position > 0)
        return state

    def _bind(
        self, arrays: dict[str, np.ndarray], seed: int, X: np.ndarray, target: np.ndarray, sample_weight: Any
    ) -> TrainingState:
        batch_size = self._batch_size(len(X))
        solver = self._solver(self.max_iter * -(-len(X) // batch_size))
        engine = self._engine(arrays, solver, X, target, sample_weight)
        check_shared(engine, batch_size)
        self.engine_ = engine.name
        self.state_ = TrainingState(arrays, engine, seed, len(X), batch_size, self.shuffle)
        return self.state_

    def _solver(self, total_steps: int = 1) -> Solver:
        """Return how the network descends; ``total_steps`` matters to schedules that end."""
        return Solver(
            name=self.solver,
            learning_rate=self.learning_rate_init,
            momentum=self.momentum,
            nesterov=self.nesterovs_momentum,
            beta_1=self.beta_1,
            beta_2=self.beta_2,
            epsilon=self.epsilon,
            alpha=self.alpha,
            l1=self.l1,
            clip_norm=self.clip_norm,
            schedule=self.learning_rate,
            power=self.power_t,
            total_steps=total_steps,
        )

    def _batch_size(self, n_samples: int) -> int:
        if self.batch_size == "auto":
            return min(200, n_samples)
        if self.batch_size == "all":
            return n_samples
        check_positive_integers(self, "batch_size")
        size = int(self.batch_size)
        if size > n_samples:
            warnings.warn(
                f"batch_size={size} is more than the {n_samples} samples; each batch holds them all.",
                GlassnetWarning,
                stacklevel=5,
            )
        return min(size, n_samples)

    def _check_iteration_parameters(self) -> None:
        check_positive_integers(self, "max_iter", "n_iter_no_change")
        if not 0 < self.validation_fraction < 1:
            raise InvalidInputError(f"validation_fraction must be in (0, 1), got {self.validation_fraction}.")

    def _split(self, X: np.ndarray, target: np.ndarray, sample_weight: Any) -> tuple[tuple, tuple]:
        """Hold out a part of the data for early stopping."""
        seed = resolve_seed(self.random_state)
        train, held_out = train_test_split(
            np.arange(len(X)),
            test_size=self.validation_fraction,
            random_state=int(generator(seed, "validation").integers(2**31)),
            stratify=target if self._stratify else None,
        )
        return tuple(
            (self._some(X, np.asarray(rows)), target[rows], None if sample_weight is None else sample_weight[rows])
            for rows in (train, held_out)
        )  # type: ignore[return-value]

    def _some(self, X: np.ndarray, rows: np.ndarray) -> Any:
        """Return some samples."""
        return X[rows]

    def _loss_on(self, held_out: tuple | None) -> Callable[[], float] | None:
        return None if held_out is None else lambda: self._mean_loss(*held_out)

    def _run(self, n_epochs: int, validation_loss: Any = None, earlier: Sequence[float] = (), **options: Any) -> None:
        """Advance the state by at most ``n_epochs``; keep the fitted attributes whatever happens."""
        result = FitResult()
        if validation_loss is not None:
            self.validation_loss_curve_ = result.validation_loss_curve  # observers may look at it
        try:
            with one_blas_thread():
                if n_epochs > 0:
                    run_epochs(self.state_, n_epochs, result, validation_loss=validation_loss, **options)
                current().gather(None)  # of several processes, none ends well where another's last act has failed
        finally:
            self.loss_curve_ = [*earlier, *result.loss_curve]
            self.n_iter_ = len(self.loss_curve_)
            self.loss_ = self.loss_curve_[-1] if self.loss_curve_ else np.nan

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
