"""Any torch module as a scikit-learn estimator; `glassnet.estimators.module_base` tells how."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from scipy.special import log_softmax, softmax
from sklearn.base import ClassifierMixin, RegressorMixin

from glassnet.errors import InvalidInputError
from glassnet.estimators.checks import class_targets, with_class_weight
from glassnet.estimators.module_base import ModuleEstimator

__all__ = ["ModuleClassifier", "ModuleRegressor"]


class ModuleClassifier(ClassifierMixin, ModuleEstimator):
    """Any torch module as a classifier: it returns a score for each class, and learns by their cross-entropy.

    Parameters
    ----------
    module : str, callable or Module, default="lenet5"
        A name of `glassnet.registry.MODULES`; or a callable that returns a module, called under
        the seed with those of ``n_features``, ``in_channels``, ``image_shape`` and ``n_classes``
        that it takes by name; or a module, a copy of which the fit starts from, weights and all.
    module_options : dict, optional
        Further keywords for the name or callable.
    image_shape : (height, width) or (channels, height, width), optional
        Makes rows of X pictures; X may also have the shape (n, channels, height, width) itself.
        uint8 values stand for v / 255 and are converted batch by batch.
    solver : {"sgd", "adam", "adamw"}, default="adam"
    alpha : float, default=0
        L2 penalty on parameters with more than one dimension: alpha / (2 n) times the sum of
        their squares is added to the mean loss of a batch of n samples. torch's
        ``weight_decay`` is alpha / n; with "adamw" it is alpha.
    batch_size, learning_rate_init, max_iter, shuffle, random_state, tol, n_iter_no_change, \
    learning_rate, power_t, l1, clip_norm, momentum, nesterovs_momentum, beta_1, beta_2, epsilon, \
    early_stopping, validation_fraction, warm_start, verbose
        As in `MLPClassifier`.
    augment : str, callable or list of these, optional
        How pictures are changed at random: names of `glassnet.data.augment.AUGMENTATIONS`, or
        callables (images, generator) -> images.
    accumulate : int, default=1
        Each batch is taken in so many parts, whose gradients are added; saves memory.
    precision : {"float32", "float64", "bfloat16", "auto"}, default="float32"
        "bfloat16" multiplies in it, pictures laid out channels last; "auto" takes it where a
        short measurement finds it faster. Predictions are always made in float32, or in float64.
    device : {"cpu", "cuda", "auto"}, default="cpu"
    synchronize_batch_norm : bool, default=False
        Whether batch normalization sees the samples of all processes, where several train
        together (see `glassnet.training.distributed`); else each sees its own.
    processes : int, default=1
        The fit is made by so many processes of this machine, which are started for it. A
        program that torchrun has started leaves it at 1.
    sharded : bool, default=False
        Whether several processes share out parameters, gradients and optimizer slots, for what does
        not fit one device (see `glassnet.learning.sharded`); they are whole again after the fit.
    label_smoothing : float, default=0
        Share of the target in [0, 1) that is spread evenly over all classes.
    class_weight : dict, "balanced" or None, default=None

    Attributes
    ----------
    module_ : Module
        Its parameters are live views of ``state_``.
    classes_ : ndarray of shape (n_classes,)
    state_ : TrainingState
    loss_curve_, validation_loss_curve_ : list of float
    n_iter_ : int
    image_shape_ : tuple of int or None
    layer_names_ : list of str
    engine_, precision_, device_ : str
        What was used.

    Examples
    --------
    >>> from torch import nn
    >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    >>> def net(n_features, n_classes):
    ...     return nn.Sequential(nn.Linear(n_features, 8), nn.Tanh(), nn.Linear(8, n_classes))
    >>> ModuleClassifier(net, learning_rate_init=0.1, max_iter=100, tol=None, random_state=0).fit(X, y).predict(X)
    array([0, 1, 1, 0])
    """

    _stratify: ClassVar[bool] = True

    def __init__(
        self,
        module: Any = "lenet5",
        *,
        module_options: dict[str, Any] | None = None,
        image_shape: tuple[int, ...] | None = None,
        solver: str = "adam",
        alpha: float = 0.0,
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
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        augment: Any = None,
        accumulate: int = 1,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        warm_start: bool = False,
        verbose: bool = False,
        precision: str = "float32",
        device: str = "cpu",
        synchronize_batch_norm: bool = False,
        processes: int = 1,
        sharded: bool = False,
        label_smoothing: float = 0.0,
        class_weight: Any = None,
    ):
        super().__init__(
            module,
            module_options=module_options,
            image_shape=image_shape,
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
            momentum=momentum,
            nesterovs_momentum=nesterovs_momentum,
            beta_1=beta_1,
            beta_2=beta_2,
            epsilon=epsilon,
            augment=augment,
            accumulate=accumulate,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            warm_start=warm_start,
            verbose=verbose,
            precision=precision,
            device=device,
            synchronize_batch_norm=synchronize_batch_norm,
            processes=processes,
            sharded=sharded,
        )
        self.label_smoothing = label_smoothing
        self.class_weight = class_weight

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> ModuleClassifier:
        """Make one epoch over the given samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, channels, height, width)
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
        z = self._forward(self._check_X(X))
        return self.classes_[z.argmax(1)]

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probability of each class, shape (n_samples, n_classes), rows summing to 1."""
        return self._output(self._forward(self._check_X(X)))

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Return the logarithm of `predict_proba`."""
        return log_softmax(self._forward(self._check_X(X)), axis=1)

    def _output(self, z: np.ndarray) -> np.ndarray:
        return softmax(z, axis=1)

    def _smoothing(self) -> float:
        if not 0 <= self.label_smoothing < 1:
            raise InvalidInputError(f"label_smoothing must be in [0, 1), got {self.label_smoothing!r}.")
        return self.label_smoothing

    def _validate_target(self, y: np.ndarray, sample_weight: Any, known: Any) -> tuple[np.ndarray, Any]:
        y, self.classes_, _ = class_targets(y, known)
        return np.searchsorted(self.classes_, y), with_class_weight(sample_weight, self.class_weight, y, np.float32)

    def _known_target(self) -> np.ndarray:
        return self.classes_

    def _known_n_outputs(self) -> int:
        return len(self.classes_)


class ModuleRegressor(RegressorMixin, ModuleEstimator):
    """Any torch module as a regressor; the loss is half the squared error, summed over outputs.

    Parameters
    ----------
    module, module_options, image_shape, solver, alpha, batch_size, learning_rate_init, max_iter, \
    shuffle, random_state, tol, n_iter_no_change, learning_rate, power_t, l1, clip_norm, momentum, \
    nesterovs_momentum, beta_1, beta_2, epsilon, augment, accumulate, early_stopping, \
    validation_fraction, warm_start, verbose, precision, device, synchronize_batch_norm, processes, \
    sharded
        As in `ModuleClassifier`; a callable is offered ``n_outputs``.

    Attributes
    ----------
    module_, state_, loss_curve_, validation_loss_curve_, n_iter_, image_shape_, layer_names_, \
    engine_, precision_, device_
        As in `ModuleClassifier`.

    Examples
    --------
    >>> from torch import nn
    >>> X = [[0.0], [1.0], [2.0], [3.0]]
    >>> net = ModuleRegressor(nn.Linear(1, 1), solver="sgd", learning_rate_init=0.1, max_iter=200, tol=None)
    >>> net.fit(X, [1.0, 3.0, 5.0, 7.0]).predict([[10.0]]).round(2)
    array([21.])
    """

    _stratify: ClassVar[bool] = False

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> ModuleRegressor:
        """Make one epoch over the given samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, channels, height, width)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), optional

        Returns
        -------
        self
        """
        return self._partial_fit(X, y, sample_weight)

    def predict(self, X: Any) -> np.ndarray:
        """Return the outputs, float64 of shape (n_samples,), or (n_samples, n_outputs) as y was given."""
        z = self._forward(self._check_X(X)).astype(np.float64)
        return z[:, 0] if self._flat else z

    def _validate_target(self, y: np.ndarray, sample_weight: Any, known: Any) -> tuple[np.ndarray, Any]:
        y = np.asarray(y, dtype=np.float32)
        self._flat = y.ndim == 1
        target = np.ascontiguousarray(y.reshape(len(y), -1))
        if known is not None and target.shape[1] != known:
            raise InvalidInputError(f"y has {target.shape[1]} outputs, but the fit has {known}.")
        self.n_outputs_ = target.shape[1]
        return target, sample_weight

    def _known_target(self) -> int:
        return self.n_outputs_

    def _known_n_outputs(self) -> int:
        return self.n_outputs_

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
