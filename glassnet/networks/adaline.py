"""Adaline, the adaptive linear neuron (1960).

B. Widrow, M. E. Hoff. Adaptive switching circuits. IRE WESCON Convention Record, part 4,
96-104.

A unit whose pre-activation z = weight . x + bias is compared with the target *before* the
threshold: it learns from every sample, also from those it answers rightly, and goes to the
least-squares solution (`glassnet.learning.lms`). A classifier's targets are -1 and +1, and
it answers by the sign of z.

Departures from the paper: inputs are any numbers, not only +-1; the constant of the rule
is half of theirs; with more than two classes there is one unit per class; a batch of
several samples, up to all, can be taken for one step.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin

from glassnet.errors import GlassnetWarning, InvalidInputError
from glassnet.estimators.checks import check_positive_integers, class_targets, with_class_weight
from glassnet.estimators.linear_units import LinearUnits
from glassnet.learning.lms import LMSEngine, stability_limit
from glassnet.training.state import TrainingState


class _Adaline(LinearUnits):
    """What classifier and regressor share."""

    def __init__(
        self,
        *,
        learning_rate_init: float | str = "auto",
        batch_size: int | str = 1,
        max_iter: int = 1000,
        tol: float | None = 1e-5,
        n_iter_no_change: int = 5,
        shuffle: bool = True,
        random_state: Any = None,
        warm_start: bool = False,
        verbose: bool = False,
        engine: str = "auto",
        precision: str = "float32",
    ):
        self.learning_rate_init = learning_rate_init
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.shuffle = shuffle
        self.random_state = random_state
        self.warm_start = warm_start
        self.verbose = verbose
        self.engine = engine
        self.precision = precision

    def _initial_arrays(self, n_units: int, n_features: int) -> dict[str, np.ndarray]:
        return {"weight": np.zeros((n_units, n_features), self.precision), "bias": np.zeros(n_units, self.precision)}

    def _make_engine(self, compiled: bool, X: np.ndarray, target: np.ndarray, sample_weight: Any) -> Any:
        if compiled:
            from glassnet.learning.kernel_engine import LMSKernelEngine

            return LMSKernelEngine(X, target, sample_weight, self.learning_rate_)
        return LMSEngine(X, target, sample_weight, self.learning_rate_)

    def _learning_rate(self, X: np.ndarray, batch_size: int, sample_weight: np.ndarray | None) -> float:
        self.stability_limit_ = stability_limit(X, batch_size, sample_weight)
        if self.learning_rate_init == "auto":
            return self.stability_limit_ * (0.5 if batch_size == len(X) else 0.05)
        return super()._learning_rate(X, batch_size, sample_weight)

    def _batch_size(self, n_samples: int) -> int:
        if self.batch_size == "all":
            return n_samples
        check_positive_integers(self, "batch_size")
        if int(self.batch_size) > n_samples:
            warnings.warn(
                f"batch_size={self.batch_size} is more than the {n_samples} samples; each batch holds them all.",
                GlassnetWarning,
                stacklevel=5,
            )
        return min(int(self.batch_size), n_samples)

    def _watching(self, state: TrainingState) -> dict[str, Any]:
        check_positive_integers(self, "n_iter_no_change")
        return {"tol": self.tol, "patience": self.n_iter_no_change}


class AdalineRegressor(RegressorMixin, _Adaline):
    """Adaptive linear neuron for regression, of one or more outputs.

    Parameters
    ----------
    learning_rate_init : float or "auto", default="auto"
        Above 0; stable below ``stability_limit_``. "auto" takes half of that limit for "all"
        samples at once and a twentieth for fewer, whose noise a large rate lets through.
    batch_size : int or "all", default=1
        Samples per step: 1 is the original rule, "all" descends on the whole data set.
    max_iter : int, default=1000
        Largest number of epochs.
    tol : float or None, default=1e-5
        The fit ends when ``n_iter_no_change`` epochs in a row have not lowered the loss by
        this. None: exactly ``max_iter`` epochs.
    n_iter_no_change : int, default=5
    shuffle : bool, default=True
    random_state : int, Generator, RandomState or None, default=None
        Gives the order of the samples; the weights start at zero.
    warm_start : bool, default=False
    verbose : bool, default=False
    engine : {"auto", "kernel", "formula"}, default="auto"
        The compiled kernel, for steps of one sample, or the rule in plain NumPy.
    precision : {"float32", "float64"}, default="float32"

    Attributes
    ----------
    coef_, intercept_ : ndarray of shape (n_outputs, n_features) and (n_outputs,)
        Live views.
    learning_rate_ : float
        The rate that was used.
    stability_limit_ : float
        Learning rate above which the rule, with this batch size on these data, diverges
        ("all"), or overshoots on some sample.
    loss_curve_ : list of float
        Half the mean squared error of each epoch, every sample before its step.
    n_iter_ : int
    state_ : TrainingState
    engine_ : str

    References
    ----------
    B. Widrow, M. E. Hoff (1960). Adaptive switching circuits.

    Examples
    --------
    >>> X, y = [[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0]
    >>> AdalineRegressor(batch_size="all").fit(X, y).predict([[3.0]]).round(1)
    array([7.])
    """

    def predict(self, X: Any) -> np.ndarray:
        """Return the outputs, shape (n_samples,), or (n_samples, n_outputs) as y was given."""
        z = self._pre_activation(X)
        return z[:, 0] if self._flat else z

    def _validate_target(self, y: np.ndarray, sample_weight: Any, known: Any) -> tuple[np.ndarray, Any]:
        y = np.asarray(y, dtype=self.precision)
        self._flat = y.ndim == 1
        target = y.reshape(len(y), -1)
        if known is not None and target.shape[1] != known:
            raise InvalidInputError(f"y has {target.shape[1]} outputs, but the fit has {known}.")
        return target, sample_weight

    def _known_target(self) -> int:
        return len(self.intercept_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


class AdalineClassifier(ClassifierMixin, _Adaline):
    """Adaptive linear neuron for classification: least squares to -1 and +1, then the sign.

    Parameters
    ----------
    learning_rate_init, batch_size, max_iter, tol, n_iter_no_change, shuffle, random_state, \\
    warm_start, verbose, engine, precision
        As in `AdalineRegressor`.
    class_weight : dict, "balanced" or None, default=None

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    coef_, intercept_, stability_limit_, loss_curve_, n_iter_, state_, engine_
        As in `AdalineRegressor`.

    References
    ----------
    B. Widrow, M. E. Hoff (1960). Adaptive switching circuits.

    Examples
    --------
    >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 1]
    >>> AdalineClassifier(random_state=0).fit(X, y).predict(X)
    array([0, 1, 1, 1])
    """

    def __init__(
        self,
        *,
        learning_rate_init: float | str = "auto",
        batch_size: int | str = 1,
        max_iter: int = 1000,
        tol: float | None = 1e-5,
        n_iter_no_change: int = 5,
        shuffle: bool = True,
        random_state: Any = None,
        warm_start: bool = False,
        verbose: bool = False,
        engine: str = "auto",
        precision: str = "float32",
        class_weight: Any = None,
    ):
        super().__init__(
            learning_rate_init=learning_rate_init,
            batch_size=batch_size,
            max_iter=max_iter,
            tol=tol,
            n_iter_no_change=n_iter_no_change,
            shuffle=shuffle,
            random_state=random_state,
            warm_start=warm_start,
            verbose=verbose,
            engine=engine,
            precision=precision,
        )
        self.class_weight = class_weight

    def decision_function(self, X: Any) -> np.ndarray:
        """Return the pre-activation of each unit, shape (n_samples,) or (n_samples, n_classes)."""
        z = self._pre_activation(X)
        return z[:, 0] if z.shape[1] == 1 else z

    def predict(self, X: Any) -> np.ndarray:
        """Return the class of each sample: the sign of z, or the unit with the largest z."""
        z = self.decision_function(X)
        return self.classes_[(z >= 0).astype(int) if z.ndim == 1 else z.argmax(1)]

    def _validate_target(self, y: np.ndarray, sample_weight: Any, known: Any) -> tuple[np.ndarray, Any]:
        y, self.classes_, target = class_targets(y, known)
        sample_weight = with_class_weight(sample_weight, self.class_weight, y, self.precision)
        return np.where(target, 1.0, -1.0), sample_weight

    def _known_target(self) -> np.ndarray:
        return self.classes_
