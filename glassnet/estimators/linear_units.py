"""One layer of units that learn sample by sample: what Perceptron and Adaline share.

A unit has a weight for every feature and a bias; its pre-activation is z = weight . x +
bias. Subclasses say which rule moves them and what a target is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data

from glassnet.errors import InvalidInputError, UnknownNameError
from glassnet.estimators.checks import check_positive_integers, checked_sample_weight
from glassnet.learning import compiled
from glassnet.seeds import resolve_seed
from glassnet.training.fit import FitResult, run_epochs
from glassnet.training.observers import Observer
from glassnet.training.state import TrainingState

ENGINES = ("auto", "kernel", "formula")
PRECISIONS = ("float32", "float64")


class LinearUnits(BaseEstimator, ABC):
    """A layer of linear or threshold units as a scikit-learn estimator."""

    # parameters that every subclass has
    learning_rate_init: Any
    max_iter: int
    shuffle: bool
    random_state: Any
    warm_start: bool
    verbose: bool
    engine: str
    precision: str

    def initialize(self, X: Any, y: Any, sample_weight: Any = None) -> TrainingState:
        """Check the data, set the weights to zero and return the state before the first step.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), optional

        Returns
        -------
        TrainingState
            Also kept as ``state_``.
        """
        return self._start(*self._validate(X, y, sample_weight, reset=True))

    def fit(self, X: Any, y: Any, sample_weight: Any = None, observers: Sequence[Observer] = ()) -> Any:
        """Fit the units.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            A sparse matrix is made dense.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), optional
            Scales the learning rate of each sample.
        observers : sequence of Observer

        Returns
        -------
        self
        """
        again = self.warm_start and hasattr(self, "state_")
        return self._fit(self._validate(X, y, sample_weight, reset=not again), again, observers)

    def _fit(self, data: tuple, again: bool = False, observers: Sequence[Observer] = ()) -> Any:
        """Fit data that were validated, from the start or ``again`` from where an earlier fit ended."""
        check_positive_integers(self, "max_iter")
        state = self._continue(*data) if again else self._start(*data)
        self._run(state, self.max_iter, observers, earlier=[])
        return self

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Any:
        """Make one epoch over the given samples.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        classes : array-like of shape (n_classes,), optional
            Of a classifier: all labels that will ever come; needed at the first call
            unless y has them all.
        sample_weight : array-like of shape (n_samples,), optional

        Returns
        -------
        self
        """
        first = not hasattr(self, "state_")
        data = self._validate(X, y, sample_weight, reset=first, known=classes)
        earlier = [] if first else self.loss_curve_
        self._run(self._start(*data) if first else self._continue(*data), 1, (), earlier)
        return self

    @property
    def coef_(self) -> np.ndarray:
        """Weight of each unit, (n_units, n_features); a live view."""
        return self._arrays()["weight"]

    @property
    def intercept_(self) -> np.ndarray:
        """Bias of each unit, minus its threshold, (n_units,); a live view."""
        return self._arrays()["bias"]

    def _arrays(self) -> dict[str, np.ndarray]:
        if not hasattr(self, "state_"):
            raise AttributeError(f"This {type(self).__name__} has no weights before it is fitted.")
        return self.state_.arrays

    def _pre_activation(self, X: Any) -> np.ndarray:
        """Return z of shape (n_samples, n_units), float64: a sum in float32 depends on the batch it is in."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=np.float64, accept_sparse="csr")
        return X @ self.coef_.T.astype(np.float64) + self.intercept_

    def _validate(self, X: Any, y: Any, sample_weight: Any, reset: bool, known: Any = None) -> tuple:
        """Return X, target and sample weights, checked and in the units' precision."""
        if self.precision not in PRECISIONS:
            raise UnknownNameError("precision", self.precision, PRECISIONS)
        X, y = validate_data(
            self, X, y, reset=reset, accept_sparse="csr", dtype=self.precision, order="C", multi_output=True
        )
        X = X if isinstance(X, np.ndarray) else X.toarray()
        if sample_weight is not None:
            sample_weight = checked_sample_weight(sample_weight, X)
        target, sample_weight = self._validate_target(y, sample_weight, known if reset else self._known_target())
        return X, np.ascontiguousarray(target, dtype=self.precision), sample_weight

    @abstractmethod
    def _validate_target(self, y: np.ndarray, sample_weight: Any, known: Any) -> tuple[np.ndarray, Any]:
        """Return the units' targets (n_samples, n_units) and the sample weights.

        ``known`` is what an earlier fit has fixed (classes or number of outputs), or None.
        """

    @abstractmethod
    def _known_target(self) -> Any:
        """Return what the fit has fixed about the target."""

    @abstractmethod
    def _initial_arrays(self, n_units: int, n_features: int) -> dict[str, np.ndarray]:
        """Return the rule's arrays before the first step."""

    @abstractmethod
    def _make_engine(self, compiled: bool, X: np.ndarray, target: np.ndarray, sample_weight: Any) -> Any:
        """Return the rule bound to the data, as a compiled kernel or as the plain formula."""

    def _learning_rate(self, X: np.ndarray, batch_size: int, sample_weight: np.ndarray | None) -> float:
        if isinstance(self.learning_rate_init, str) or not self.learning_rate_init > 0:
            raise InvalidInputError(f"learning_rate_init must be a number above 0, got {self.learning_rate_init!r}.")
        return float(self.learning_rate_init)

    def _batch_size(self, n_samples: int) -> int:
        return 1

    def _watching(self, state: TrainingState) -> dict[str, Any]:
        """Return what ends the fit early, as options of `run_epochs`."""
        return {}

    def _start(self, X: np.ndarray, target: np.ndarray, sample_weight: Any) -> TrainingState:
        arrays = self._initial_arrays(target.shape[1], X.shape[1])
        return self._bind(arrays, resolve_seed(self.random_state), X, target, sample_weight)

    def _continue(self, X: np.ndarray, target: np.ndarray, sample_weight: Any) -> TrainingState:
        old = self.state_
        state = self._bind(old.arrays, old.seed, X, target, sample_weight)
        state.step, state.epoch = old.step, old.epoch + (old.position > 0)
        return state

    def _bind(self, arrays: dict, seed: int, X: np.ndarray, *data: Any) -> TrainingState:
        batch_size = self._batch_size(len(X))
        self.learning_rate_ = self._learning_rate(X, batch_size, data[-1])
        engine = self._make_engine(self._use_kernel(batch_size), X, *data)
        self.engine_ = engine.name
        self.state_ = TrainingState(arrays, engine, seed, len(X), batch_size, self.shuffle)
        return self.state_

    def _use_kernel(self, batch_size: int) -> bool:
        if self.engine not in ENGINES:
            raise UnknownNameError("engine", self.engine, ENGINES)
        if self.engine == "kernel" and batch_size > 1:
            raise InvalidInputError(f"engine='kernel' makes steps of one sample, got batch_size={batch_size}.")
        if self.engine != "auto":
            return self.engine == "kernel"
        return batch_size == 1 and compiled.ready()

    def _run(self, state: TrainingState, n_epochs: int, observers: Sequence[Observer], earlier: list[float]) -> None:
        """Advance the state by at most ``n_epochs``; keep the fitted attributes whatever happens."""
        result = FitResult()
        options = self._watching(state) if n_epochs > 1 else {}
        watching = [*options.pop("observers", []), *observers]
        try:
            run_epochs(state, n_epochs, result, verbose=self.verbose, observers=watching, **options)
        finally:
            self.loss_curve_ = [*earlier, *result.loss_curve]
            self.n_iter_ = len(self.loss_curve_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
