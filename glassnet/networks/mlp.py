"""Multilayer perceptron (1986).

D. E. Rumelhart, G. E. Hinton, R. J. Williams. Learning representations by
back-propagating errors. Nature 323, 533-536.

Layer l computes h[l] = f(W[l] h[l-1] + b[l]); the weights follow the gradient of a loss,
found by backpropagation (`glassnet.learning.backprop`).

Departures from the paper: the activation function is chosen (theirs is the sigmoid); for
classes the loss is the cross-entropy of a softmax or, for two classes, a sigmoid output
(theirs is the squared error); steps are made on mini-batches; weights start at random with
a variance fitted to the layer's size.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin

from glassnet.errors import InvalidInputError
from glassnet.estimators.checks import class_targets, with_class_weight
from glassnet.estimators.dense import DenseEstimator
from glassnet.learning.activations import sigmoid, softmax
from glassnet.learning.spec import Layer

__all__ = ["Layer", "MLPClassifier", "MLPRegressor"]


class MLPClassifier(ClassifierMixin, DenseEstimator):
    """Multilayer perceptron for classification.

    The output layer is one sigmoid unit for two classes and a softmax for more; the loss is
    their cross-entropy.

    Parameters
    ----------
    hidden_layer_sizes : int, Layer or sequence of int or Layer, default=(100,)
        Units of each hidden layer; `Layer` gives a layer its own activation. Empty: a
        network of one layer, which is logistic regression.
    activation : {"identity", "sigmoid", "tanh", "relu", "leaky_relu", "prelu"}, default="relu"
    solver : {"sgd", "adam", "adamw", "lbfgs"}, default="adam"
        "lbfgs" takes all samples in each step.
    alpha : float, default=1e-4
        L2 penalty: alpha / (2 n) times the sum of the squared weights is added to the mean
        loss of a batch of n samples; biases are free.
    batch_size : int, "auto" or "all", default="auto"
        "auto" is min(200, n_samples); "all" samples make full-batch descent, 1 the online rule.
    learning_rate_init : float, default=1e-3
    max_iter : int, default=200
        Largest number of epochs.
    shuffle : bool, default=True
        Whether every epoch visits the samples in a new order.
    random_state : int, Generator, RandomState or None, default=None
        The whole of the randomness: initial weights, order, held-out samples.
    tol : float or None, default=1e-4
        The fit ends when ``n_iter_no_change`` epochs in a row have not lowered the loss by
        this. None: exactly ``max_iter`` epochs.
    n_iter_no_change : int, default=10
    learning_rate : {"constant", "step", "invscaling", "cosine", "one-cycle"}, default="constant"
        How the rate changes over the ``max_iter`` epochs; see `glassnet.learning.schedules`.
    power_t : float, default=0.5
        Of "invscaling".
    l1 : float, default=0
        L1 penalty: l1 / n times the sum of the absolute weights; makes exact zeros.
    clip_norm : float or None, default=None
        Longest gradient; a longer one is shortened to it.
    reduction : {"mean", "sum"}, default="mean"
        Whether steps descend on the mean of a batch's losses or, as the lecture writes J, on
        their sum: the same steps with the rate divided by the batch's size.
    momentum : float, default=0.9
        In [0, 1); of "sgd".
    nesterovs_momentum : bool, default=True
    beta_1, beta_2 : float, default=0.9, 0.999
        Decay of Adam's moments.
    epsilon : float, default=1e-8
        Of Adam.
    early_stopping : bool, default=False
        Hold out a part of the data, end when its loss no longer falls, and keep the weights
        at which it was lowest.
    validation_fraction : float, default=0.1
    warm_start : bool, default=False
        Whether another `fit` goes on from the fitted weights and optimizer state.
    verbose : bool, default=False
        Show a progress bar on a terminal.
    engine : {"auto", "kernel", "formula"}, default="auto"
        What makes the steps: the compiled kernel, the written-out rule on torch, or
        whichever is faster. The kernel serves networks of up to 100,000 parameters.
    precision : {"float32", "float64", "auto"}, default="float32"
    class_weight : dict, "balanced" or None, default=None

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    state_ : TrainingState
        Weights, optimizer state and place in the data; `glassnet.advance` moves it.
    coefs_, intercepts_ : list of ndarray
        Weight (n_in, n_out) and bias (n_out,) of each layer; live views.
    loss_curve_ : list of float
        Mean loss of each epoch, without the penalty.
    validation_loss_curve_ : list of float
        Loss on the held-out samples after each epoch; with ``early_stopping``.
    n_iter_ : int
        Epochs made.
    engine_, precision_ : str
        What was used.

    References
    ----------
    D. E. Rumelhart, G. E. Hinton, R. J. Williams (1986). Learning representations by
    back-propagating errors. Nature 323, 533-536.

    Examples
    --------
    >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    >>> net = MLPClassifier((4,), "tanh", solver="sgd", learning_rate_init=0.5, max_iter=500, tol=None, random_state=0)
    >>> net.fit(X, y).predict(X)
    array([0, 1, 1, 0])
    """

    _stratify: ClassVar[bool] = True

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: str = "relu",
        *,
        solver: str = "adam",
        alpha: float = 1e-4,
        batch_size: int | str = "auto",
        learning_rate_init: float = 1e-3,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float | None = 1e-4,
        n_iter_no_change: int = 10,
        learning_rate: str = "constant",
        power_t: float = 0.5,
        l1: float = 0.0,
        clip_norm: float | None = None,
        reduction: str = "mean",
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        warm_start: bool = False,
        verbose: bool = False,
        engine: str = "auto",
        precision: str = "float32",
        class_weight: Any = None,
    ):
        super().__init__(
            hidden_layer_sizes,
            activation,
            solver=solver,
            alpha=alpha,
            batch_size=batch_size,
            learning_rate_init=learning_rate_init,
            max_iter=max_iter,
            shuffle=shuffle,
            random_state=random_state,
            tol=tol,
            n_iter_no_change=n_iter_no_change,
            learning_rate=learning_rate,
            power_t=power_t,
            l1=l1,
            clip_norm=clip_norm,
            reduction=reduction,
            momentum=momentum,
            nesterovs_momentum=nesterovs_momentum,
            beta_1=beta_1,
            beta_2=beta_2,
            epsilon=epsilon,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            warm_start=warm_start,
            verbose=verbose,
            engine=engine,
            precision=precision,
        )
        self.class_weight = class_weight

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> MLPClassifier:
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
        return self._partial_fit(X, y, sample_weight, classes)

    def predict(self, X: Any) -> np.ndarray:
        """Return the likeliest class of each sample, shape (n_samples,)."""
        z = self._logits(X)
        return self.classes_[(z[:, 0] > 0).astype(int) if z.shape[1] == 1 else z.argmax(1)]

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probability of each class, shape (n_samples, n_classes), rows summing to 1."""
        z = self._logits(X)
        if z.shape[1] > 1:
            return softmax(z)
        return np.hstack([sigmoid(-z), sigmoid(z)])

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Return the logarithm of `predict_proba`."""
        return np.log(self.predict_proba(X))

    def _loss_name(self, n_outputs: int) -> str:
        return "binary_cross_entropy" if n_outputs == 1 else "cross_entropy"

    def _validate_target(self, y: np.ndarray, sample_weight: Any, known: Any) -> tuple[np.ndarray, Any]:
        y, self.classes_, target = class_targets(y, known)
        sample_weight = with_class_weight(sample_weight, self.class_weight, y, self.precision_)
        return np.ascontiguousarray(target, dtype=self.precision_), sample_weight

    def _known_target(self) -> np.ndarray:
        return self.classes_


class MLPRegressor(RegressorMixin, DenseEstimator):
    """Multilayer perceptron for regression, of one or more outputs.

    The loss is half the squared error, summed over outputs and averaged over samples.

    Parameters
    ----------
    hidden_layer_sizes, activation, solver, alpha, batch_size, learning_rate_init, max_iter, \
    shuffle, random_state, tol, n_iter_no_change, momentum, nesterovs_momentum, beta_1, beta_2, \
    momentum, nesterovs_momentum, beta_1, beta_2, epsilon, early_stopping, validation_fraction, \\
    warm_start, verbose, engine, precision
        As in `MLPClassifier`.
    output_activation : str, default="identity"
        Of the output layer; with ``hidden_layer_sizes=()`` this is a network of one layer
        with any activation.

    Attributes
    ----------
    state_, coefs_, intercepts_, loss_curve_, validation_loss_curve_, n_iter_, engine_, precision_
        As in `MLPClassifier`.

    References
    ----------
    D. E. Rumelhart, G. E. Hinton, R. J. Williams (1986). Learning representations by
    back-propagating errors. Nature 323, 533-536.

    Examples
    --------
    >>> X = [[0.0], [1.0], [2.0], [3.0]]
    >>> net = MLPRegressor((), solver="sgd", alpha=0, learning_rate_init=0.1, max_iter=300, tol=None, random_state=0)
    >>> net.fit(X, [1.0, 3.0, 5.0, 7.0]).predict([[10.0]]).round(2)
    array([21.])
    """

    _stratify: ClassVar[bool] = False

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: str = "relu",
        *,
        solver: str = "adam",
        alpha: float = 1e-4,
        batch_size: int | str = "auto",
        learning_rate_init: float = 1e-3,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float | None = 1e-4,
        n_iter_no_change: int = 10,
        learning_rate: str = "constant",
        power_t: float = 0.5,
        l1: float = 0.0,
        clip_norm: float | None = None,
        reduction: str = "mean",
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        warm_start: bool = False,
        verbose: bool = False,
        engine: str = "auto",
        precision: str = "float32",
        output_activation: str = "identity",
    ):
        super().__init__(
            hidden_layer_sizes,
            activation,
            solver=solver,
            alpha=alpha,
            batch_size=batch_size,
            learning_rate_init=learning_rate_init,
            max_iter=max_iter,
            shuffle=shuffle,
            random_state=random_state,
            tol=tol,
            n_iter_no_change=n_iter_no_change,
            learning_rate=learning_rate,
            power_t=power_t,
            l1=l1,
            clip_norm=clip_norm,
            reduction=reduction,
            momentum=momentum,
            nesterovs_momentum=nesterovs_momentum,
            beta_1=beta_1,
            beta_2=beta_2,
            epsilon=epsilon,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            warm_start=warm_start,
            verbose=verbose,
            engine=engine,
            precision=precision,
        )
        self.output_activation = output_activation

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> MLPRegressor:
        """Make one epoch over the given samples.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), optional

        Returns
        -------
        self
        """
        return self._partial_fit(X, y, sample_weight)

    def predict(self, X: Any) -> np.ndarray:
        """Return the outputs, float64 of shape (n_samples,), or (n_samples, n_outputs) as y was given."""
        z = self._logits(X, "float64")  # in float32, a sum depends on the batch that it is in
        return z[:, 0] if self._flat else z

    def _validate_target(self, y: np.ndarray, sample_weight: Any, known: Any) -> tuple[np.ndarray, Any]:
        y = np.asarray(y, dtype=self.precision_)
        self._flat = y.ndim == 1
        target = np.ascontiguousarray(y.reshape(len(y), -1))
        if known is not None and target.shape[1] != known:
            raise InvalidInputError(f"y has {target.shape[1]} outputs, but the fit has {known}.")
        return target, sample_weight

    def _output_activation(self) -> str:
        return self.output_activation

    def _known_target(self) -> int:
        return self.spec_.sizes[-1]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
