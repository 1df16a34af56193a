"""Perceptron (1958).

F. Rosenblatt. The perceptron: a probabilistic model for information storage and
organization in the brain. Psychological Review 65, 386-408.

Each output unit fires where weight . x + bias >= 0 and learns by its own mistakes
(`glassnet.learning.perceptron_rule`): weight <- weight + learning_rate (target - output) x.

Departures from the paper: the random wiring from the retina to the association units is
left out; the inputs are the association units' signals. With more than two classes there
is one unit per class, and the one with the largest pre-activation is the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from glassnet.errors import InvalidInputError, UnknownNameError
from glassnet.seeds import resolve_seed
from glassnet.training.fit import FitResult, run_epochs
from glassnet.training.observers import EpochLosses, Observer, StopTraining
from glassnet.training.state import TrainingState

ENGINES = ("auto", "kernel", "formula")


class Perceptron(ClassifierMixin, BaseEstimator):
    """Rosenblatt's perceptron: threshold units that learn from their mistakes.

    Parameters
    ----------
    learning_rate_init : float, default=1.0
        Above 0. Starting from zero weights it scales them and changes no decision.
    max_iter : int, default=1000
        Largest number of epochs.
    shuffle : bool, default=True
        Whether every epoch visits the samples in a new order.
    random_state : int, Generator, RandomState or None, default=None
        Gives the order of the samples; the weights start at zero.
    warm_start : bool, default=False
        Whether another `fit` goes on from the fitted weights.
    verbose : bool, default=False
        Show a progress bar on a terminal.
    engine : {"auto", "kernel", "formula"}, default="auto"
        What makes the steps: the compiled kernel or the rule in plain NumPy.
    precision : {"float32", "float64"}, default="float32"
    class_weight : dict, "balanced" or None, default=None
        Scales the learning rate of a class's samples.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
        Live view of the weights.
    intercept_ : ndarray of shape (1,) or (n_classes,)
        The biases, which are minus the thresholds.
    n_mistakes_ : int
        Mistakes made, and so corrections, over the whole fit; with more than two classes
        every unit that errs counts.
    mistakes_per_epoch_ : list of int
    converged_ : bool
        Whether an epoch passed without a mistake, which ended the fit.
    n_iter_ : int
        Epochs made.
    state_ : TrainingState
    engine_ : str

    References
    ----------
    F. Rosenblatt (1958). The perceptron: a probabilistic model for information storage and
    organization in the brain. Psychological Review 65, 386-408.

    Examples
    --------
    >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 0, 0, 1]
    >>> unit = Perceptron(random_state=0).fit(X, y)
    >>> unit.predict(X), unit.converged_
    (array([0, 0, 0, 1]), True)
    """

    def __init__(
        self,
        *,
        learning_rate_init: float = 1.0,
        max_iter: int = 1000,
        shuffle: bool = True,
        random_state: Any = None,
        warm_start: bool = False,
        verbose: bool = False,
        engine: str = "auto",
        precision: str = "float32",
        class_weight: Any = None,
    ):
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.warm_start = warm_start
        self.verbose = verbose
        self.engine = engine
        self.precision = precision
        self.class_weight = class_weight

    def initialize(self, X: Any, y: Any, sample_weight: Any = None) -> TrainingState:
        """Check the data, set the weights to zero and return the state before the first step.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), optional
            Scales the learning rate of each sample.

        Returns
        -------
        TrainingState
            Also kept as ``state_``; one step visits one sample.
        """
        return self._start(*self._validate(X, y, sample_weight, None, reset=True))

    def fit(self, X: Any, y: Any, sample_weight: Any = None, observers: Sequence[Observer] = ()) -> Perceptron:
        """Correct mistake after mistake until an epoch has none, or ``max_iter`` epochs are over.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            A sparse matrix is made dense.
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), optional
            Scales the learning rate of each sample.
        observers : sequence of Observer

        Returns
        -------
        self
        """
        if not isinstance(self.max_iter, Integral) or self.max_iter < 1:
            raise InvalidInputError(f"max_iter must be a whole number above 0, got {self.max_iter!r}.")
        again = self.warm_start and hasattr(self, "state_")
        data = self._validate(X, y, sample_weight, None, reset=not again)
        state = self._continue(*data) if again else self._start(*data)
        self.mistakes_per_epoch_: list[int] = []
        self._run(state, self.max_iter, observers)
        return self

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Perceptron:
        """Make one epoch over the given samples.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        classes : array-like of shape (n_classes,), optional
            All labels that will ever come; needed at the first call unless y has them all.
        sample_weight : array-like of shape (n_samples,), optional

        Returns
        -------
        self
        """
        first = not hasattr(self, "state_")
        data = self._validate(X, y, sample_weight, classes, reset=first)
        if first:
            self.mistakes_per_epoch_ = []
        self._run(self._start(*data) if first else self._continue(*data), 1, ())
        return self

    @property
    def coef_(self) -> np.ndarray:
        """Weight of each unit; a live view."""
        return self._arrays()["weight"]

    @property
    def intercept_(self) -> np.ndarray:
        """Bias of each unit, minus its threshold; a live view."""
        return self._arrays()["bias"]

    def decision_function(self, X: Any) -> np.ndarray:
        """Return the pre-activation of each unit, shape (n_samples,) or (n_samples, n_classes)."""
        check_is_fitted(self)
        z = self._dense(validate_data(self, X, reset=False, dtype=self.precision, accept_sparse="csr"))
        z = z @ self.coef_.T + self.intercept_
        return z[:, 0] if z.shape[1] == 1 else z

    def predict(self, X: Any) -> np.ndarray:
        """Return the class of each sample: the unit fires where its pre-activation is >= 0."""
        z = self.decision_function(X)
        return self.classes_[(z >= 0).astype(int) if z.ndim == 1 else z.argmax(1)]

    def _arrays(self) -> dict[str, np.ndarray]:
        if not hasattr(self, "state_"):
            raise AttributeError("This perceptron has no weights before it is fitted.")
        return self.state_.arrays

    def _validate(self, X: Any, y: Any, sample_weight: Any, classes: Any, reset: bool) -> tuple:
        """Return X, target and sample weights, checked and in the network's precision."""
        if self.precision not in ("float32", "float64"):
            raise UnknownNameError("precision", self.precision, ("float32", "float64"))
        X, y = validate_data(self, X, y, reset=reset, accept_sparse="csr", dtype=self.precision, order="C")
        check_classification_targets(y)
        X = self._dense(X)
        target = self._target(y, classes, reset)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, X, dtype=X.dtype, ensure_non_negative=True)
        if self.class_weight is not None:
            by_class = compute_sample_weight(self.class_weight, y).astype(X.dtype)
            sample_weight = by_class if sample_weight is None else by_class * sample_weight
        return X, target, sample_weight

    def _target(self, y: np.ndarray, classes: Any, reset: bool) -> np.ndarray:
        """Return the units' targets, zeros and ones of shape (n_samples, n_units)."""
        if reset:
            self.classes_ = np.unique(y if classes is None else classes)
        if len(self.classes_) < 2:
            raise InvalidInputError(f"A classifier needs at least 2 classes, got 1 class: {self.classes_[0]!r}.")
        if unknown := sorted(set(np.unique(y)) - set(self.classes_)):
            raise InvalidInputError(f"y has labels {unknown}, which are not among the classes {list(self.classes_)}.")
        target = (y[:, None] == self.classes_).astype(self.precision)
        return np.ascontiguousarray(target[:, 1:] if len(self.classes_) == 2 else target)

    @staticmethod
    def _dense(X: Any) -> np.ndarray:
        return X if isinstance(X, np.ndarray) else X.toarray()

    def _start(self, X: np.ndarray, target: np.ndarray, sample_weight: Any) -> TrainingState:
        n_units = target.shape[1]
        arrays = {"weight": np.zeros((n_units, X.shape[1]), X.dtype), "bias": np.zeros(n_units, X.dtype)}
        return self._bind(arrays, resolve_seed(self.random_state), X, target, sample_weight)

    def _continue(self, X: np.ndarray, target: np.ndarray, sample_weight: Any) -> TrainingState:
        old = self.state_
        state = self._bind(old.arrays, old.seed, X, target, sample_weight)
        state.step, state.epoch = old.step, old.epoch + (old.position > 0)
        return state

    def _bind(self, arrays: dict, seed: int, X: np.ndarray, target: np.ndarray, sample_weight: Any) -> TrainingState:
        if not self.learning_rate_init > 0:
            raise InvalidInputError(f"learning_rate_init must be above 0, got {self.learning_rate_init}.")
        engine = self._engine_class(X.dtype)(X, target, sample_weight, self.learning_rate_init)
        self.engine_ = engine.name
        self.state_ = TrainingState(arrays, engine, seed, len(X), 1, self.shuffle)
        return self.state_

    def _engine_class(self, dtype: np.dtype) -> Any:
        """Choose between the compiled kernel and the rule in plain NumPy."""
        if self.engine not in ENGINES:
            raise UnknownNameError("engine", self.engine, ENGINES)
        if self.engine != "formula":
            from glassnet.learning import kernel_engine

            if self.engine == "kernel" or (dtype == np.float32 and kernel_engine.ready()):
                return kernel_engine.PerceptronKernelEngine
        from glassnet.learning.perceptron_rule import PerceptronEngine

        return PerceptronEngine

    def _run(self, state: TrainingState, n_epochs: int, observers: Sequence[Observer]) -> None:
        result = FitResult()
        try:
            run_epochs(state, n_epochs, result, verbose=self.verbose, observers=[_Converged(state), *observers])
        finally:
            self.mistakes_per_epoch_ += [round(loss * state.n_samples) for loss in result.loss_curve]
            self.n_mistakes_ = sum(self.mistakes_per_epoch_)
            self.n_iter_ = len(self.mistakes_per_epoch_)
            self.converged_ = self.mistakes_per_epoch_[-1:] == [0]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


class _Converged(Observer):
    """Ends the fit after the first epoch without a mistake."""

    def __init__(self, state: TrainingState):
        self._losses, self._next = EpochLosses(state), state.step
        self._n_steps = state.steps_per_epoch

    def next_event(self, step: int) -> int | None:
        self._next += self._n_steps
        return self._next

    def record(self, first_step: int, losses: np.ndarray) -> None:
        self._losses.record(first_step, losses)

    def observe(self, state: TrainingState) -> None:
        if self._losses.values()[-1] == 0:
            raise StopTraining
