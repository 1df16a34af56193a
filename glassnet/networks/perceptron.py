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

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin

from glassnet.errors import InvalidInputError, UnknownNameError
from glassnet.estimators.checks import class_targets, with_class_weight
from glassnet.estimators.linear_units import LinearUnits
from glassnet.learning.perceptron_rule import VARIANTS, PerceptronEngine, initial_arrays
from glassnet.networks.separability import linear_separability
from glassnet.training.observers import EpochLosses, Observer, StopTraining
from glassnet.training.state import TrainingState


class Perceptron(ClassifierMixin, LinearUnits):
    """Rosenblatt's perceptron: threshold units that learn from their mistakes.

    Parameters
    ----------
    variant : {"plain", "averaged", "pocket"}, default="plain"
        What is predicted by: the last weights, their mean over all steps, or those that were
        right for the longest run of samples. The last two are for classes that no
        hyperplane separates.
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
        Weights that predict; a live view.
    intercept_ : ndarray of shape (1,) or (n_classes,)
        The biases, which are minus the thresholds.
    n_mistakes_ : int
        Mistakes made, and so corrections, over the whole fit; with more than two classes
        every unit that errs counts.
    mistakes_per_epoch_, loss_curve_ : list
        Mistakes of each epoch, and their share of the samples.
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
        variant: str = "plain",
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
        self.variant = variant
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.warm_start = warm_start
        self.verbose = verbose
        self.engine = engine
        self.precision = precision
        self.class_weight = class_weight

    def decision_function(self, X: Any) -> np.ndarray:
        """Return the pre-activation of each unit, shape (n_samples,) or (n_samples, n_classes)."""
        z = self._pre_activation(X)
        return z[:, 0] if z.shape[1] == 1 else z

    def predict(self, X: Any) -> np.ndarray:
        """Return the class of each sample: the unit fires where its pre-activation is >= 0."""
        z = self.decision_function(X)
        return self.classes_[(z >= 0).astype(int) if z.ndim == 1 else z.argmax(1)]

    @property
    def coef_(self) -> np.ndarray:
        """Weight that each unit predicts by, (n_units, n_features); a live view."""
        return self._arrays()["weight" if self.variant == "plain" else "kept_weight"]

    @property
    def intercept_(self) -> np.ndarray:
        """Bias that each unit predicts by, (n_units,); a live view."""
        return self._arrays()["bias" if self.variant == "plain" else "kept_bias"]

    @property
    def mistakes_per_epoch_(self) -> list[int]:
        """Mistakes made in each epoch."""
        return [round(loss * self.state_.n_samples) for loss in self.loss_curve_]

    @property
    def n_mistakes_(self) -> int:
        """Mistakes made in all."""
        return sum(self.mistakes_per_epoch_)

    @property
    def converged_(self) -> bool:
        """Whether the last epoch passed without a mistake."""
        return self.loss_curve_[-1:] == [0]

    def _validate_target(self, y: np.ndarray, sample_weight: Any, known: Any) -> tuple[np.ndarray, Any]:
        y, self.classes_, target = class_targets(y, known)
        return target, with_class_weight(sample_weight, self.class_weight, y, self.precision)

    def _known_target(self) -> np.ndarray:
        return self.classes_

    def _initial_arrays(self, n_units: int, n_features: int) -> dict[str, np.ndarray]:
        if self.variant not in VARIANTS:
            raise UnknownNameError("variant", self.variant, VARIANTS)
        return initial_arrays(n_units, n_features, np.dtype(self.precision))

    def _make_engine(self, compiled: bool, X: np.ndarray, target: np.ndarray, sample_weight: Any) -> Any:
        if compiled:
            from glassnet.learning.kernel_engine import PerceptronKernelEngine

            return PerceptronKernelEngine(X, target, sample_weight, self.learning_rate_, self.variant)
        return PerceptronEngine(X, target, sample_weight, self.learning_rate_, self.variant)

    def _watching(self, state: TrainingState) -> dict[str, Any]:
        return {"observers": [_Converged(state)]}


class _Converged(Observer):
    """Ends the fit after the first epoch without a mistake."""

    def __init__(self, state: TrainingState):
        self._losses, self._next = EpochLosses(state), state.step
        self._n_steps = state.steps_per_epoch

    def next_event(self, step: int) -> int | None:
        while self._next <= step:
            self._next += self._n_steps
        return self._next

    def record(self, first_step: int, losses: np.ndarray) -> None:
        self._losses.record(first_step, losses)

    def observe(self, state: TrainingState) -> None:
        if self._losses.values[-1] == 0:
            raise StopTraining


def mistake_bound(X: Any, y: Any) -> float:
    """Return (R / gamma)^2, above which no perceptron that starts at zero can make mistakes.

    R is the length of the longest sample, with its constant input 1 for the bias, and gamma
    the distance of the nearest sample from a separating hyperplane of that space. The bound
    holds for any such hyperplane; the one taken is that of `linear_separability`.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
    y : array-like of shape (n_samples,)
        Two classes.

    Returns
    -------
    float

    Raises
    ------
    InvalidInputError
        If no hyperplane separates the classes.

    References
    ----------
    A. B. J. Novikoff (1962). On convergence proofs on perceptrons.

    Examples
    --------
    >>> bound = mistake_bound([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 0, 0, 1])
    >>> Perceptron(random_state=0).fit([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 0, 0, 1]).n_mistakes_ <= bound
    True
    """
    result = linear_separability(X, y)
    if result.weight is None or result.bias is None:
        raise InvalidInputError("The bound holds for separable classes; no hyperplane separates these.")
    inputs = np.hstack([np.asarray(X, dtype=float), np.ones((len(X), 1))])
    plane = np.append(result.weight, result.bias)
    gamma = np.abs(inputs @ plane).min() / np.linalg.norm(plane)
    return float((inputs**2).sum(1).max() / gamma**2)
