"""Dense networks as scikit-learn estimators: what the multilayer perceptrons share.

The way of a fit: `fit` checks the data (`_validate`), builds the network under the seed
(`_start`), binds it to an engine (`_bind`), and lets `run_epochs` advance the state.
"""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.model_selection import train_test_split
from sklearn.utils.validation import check_is_fitted, validate_data

from glassnet.errors import GlassnetWarning, InvalidInputError, UnknownNameError
from glassnet.estimators.checks import check_positive_integers, checked_sample_weight
from glassnet.learning import forward
from glassnet.learning.losses import LOSSES
from glassnet.learning.optimizers import Solver
from glassnet.learning.spec import Layer, NetworkSpec, as_layers
from glassnet.seeds import generator, resolve_seed
from glassnet.training.fit import FitResult, run_epochs
from glassnet.training.observers import Observer
from glassnet.training.state import TrainingState, aligned
from glassnet.training.threads import one_blas_thread

PRECISIONS = {"auto": "float32", "float32": "float32", "float64": "float64"}
ENGINES = ("auto", "kernel", "formula")


class DenseEstimator(BaseEstimator, ABC):
    """What the estimators of dense networks share; subclasses say what their target is."""

    _stratify: ClassVar[bool]

    def __init__(
        self,
        hidden_layer_sizes: int | Layer | Sequence[int | Layer] = (100,),
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
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.learning_rate = learning_rate
        self.power_t = power_t
        self.l1 = l1
        self.clip_norm = clip_norm
        self.reduction = reduction
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.warm_start = warm_start
        self.verbose = verbose
        self.engine = engine
        self.precision = precision

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

    def fit(self, X: Any, y: Any, sample_weight: Any = None, observers: Sequence[Observer] = ()) -> Any:
        """Fit the network.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            A sparse matrix is made dense.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), optional
        observers : sequence of Observer
            Called during the fit; they change nothing.

        Returns
        -------
        self

        Raises
        ------
        DivergedError
            If the loss turns NaN or infinite; the best weights seen are kept.
        """
        again = self.warm_start and hasattr(self, "state_")
        return self._fit(self._validate(X, y, sample_weight, reset=not again), again, observers)

    def _fit(self, data: tuple, again: bool = False, observers: Sequence[Observer] = ()) -> Any:
        """Fit data that were validated, from the start or ``again`` from where an earlier fit ended."""
        self._check_iteration_parameters()
        held_out = None
        if self.early_stopping:
            data, held_out = self._split(*data)
        if again:
            self._continue(*data)
        else:
            self._start(*data)
        options = {"tol": self.tol, "patience": self.n_iter_no_change, "verbose": self.verbose}
        self._run(self.max_iter, self._loss_on(held_out), observers=observers, **options)
        return self

    def _partial_fit(self, X: Any, y: Any, sample_weight: Any, classes: Any = None) -> Any:
        first = not hasattr(self, "state_")
        data = self._validate(X, y, sample_weight, reset=first, classes=classes)
        earlier = [] if first else self.loss_curve_
        if first:
            self._start(*data)
        else:
            self._continue(*data)
        self._run(1)
        self.loss_curve_ = [*earlier, *self.loss_curve_]
        self.n_iter_ = len(self.loss_curve_)
        return self

    def activations(self, X: Any) -> list[np.ndarray]:
        """Return the activation of every layer for every sample.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        list of ndarray of shape (n_samples, units)
            From the first hidden layer to the output, whose activation is the predicted
            value or probability.
        """
        check_is_fitted(self)
        hidden = forward.activations(self.spec_, self.state_.arrays, self._check_X(X, self.precision_))
        return [*hidden[:-1], LOSSES[self.spec_.loss][1](hidden[-1])]

    @property
    def coefs_(self) -> list[np.ndarray]:
        """Weight of each layer, (n_in, n_out); views of the live parameters."""
        return [weight.T for weight, _ in self._views()]

    @property
    def intercepts_(self) -> list[np.ndarray]:
        """Bias of each layer, (n_out,); views of the live parameters."""
        return [bias for _, bias in self._views()]

    @property
    def n_layers_(self) -> int:
        """Number of layers, with the input layer."""
        return len(self._views()) + 1

    def _views(self) -> list[tuple[np.ndarray, np.ndarray]]:
        if not hasattr(self, "state_"):
            raise AttributeError("This network has no weights before it is fitted.")
        return self.spec_.views(self.state_.arrays["parameters"])

    def _check_X(self, X: Any, dtype: str) -> np.ndarray:
        X = validate_data(self, X, reset=False, dtype=dtype, order="C", accept_sparse="csr")
        return X if isinstance(X, np.ndarray) else X.toarray()

    def _logits(self, X: Any, dtype: str | None = None) -> np.ndarray:
        """Return the last layer's activations, computed in ``dtype`` or the network's precision."""
        check_is_fitted(self)
        dtype = dtype or self.precision_
        arrays = {name: array.astype(dtype, copy=False) for name, array in self.state_.arrays.items()}
        return forward.logits(self.spec_, arrays, self._check_X(X, dtype))

    def _validate(self, X: Any, y: Any, sample_weight: Any, reset: bool, classes: Any = None) -> tuple:
        """Return X, target and sample weights, checked and in the network's precision."""
        if self.precision not in PRECISIONS:
            raise UnknownNameError("precision", self.precision, PRECISIONS)
        self.precision_ = PRECISIONS[self.precision]
        X, y = validate_data(
            self, X, y, reset=reset, accept_sparse="csr", dtype=self.precision_, order="C", multi_output=True
        )
        X = X if isinstance(X, np.ndarray) else X.toarray()
        if sample_weight is not None:
            sample_weight = checked_sample_weight(sample_weight, X)
        return X, *self._validate_target(y, sample_weight, classes if reset else self._known_target())

    @abstractmethod
    def _validate_target(self, y: np.ndarray, sample_weight: Any, known: Any) -> tuple[np.ndarray, Any]:
        """Return y as the network's target (n_samples, n_outputs), and the sample weights.

        ``known`` is what an earlier fit has fixed (classes or number of outputs), or None.
        """

    @abstractmethod
    def _known_target(self) -> Any:
        """Return what the fit has fixed about the target."""

    def _output_activation(self) -> str:
        return "identity"

    def _loss_name(self, n_outputs: int) -> str:
        return "squared_error"

    def _start(self, X: np.ndarray, target: np.ndarray, sample_weight: Any) -> TrainingState:
        """Build the network under the seed."""
        n_outputs = target.shape[1]
        hidden = as_layers(self.hidden_layer_sizes, self.activation)
        layers = (*hidden, *as_layers(n_outputs, self._output_activation()))
        self.spec_ = NetworkSpec(X.shape[1], layers, self._loss_name(n_outputs), self.reduction)
        seed = resolve_seed(self.random_state)
        parameters = self.spec_.initial_parameters(generator(seed, "weights"), self.precision_)
        arrays = {"parameters": parameters, **self._solver().initial_slots(parameters)}
        arrays |= self.spec_.initial_statistics(self.precision_)
        arrays = {name: aligned(array) for name, array in arrays.items()}
        return self._bind(arrays, seed, X, target, sample_weight)

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
        engine = self._engine_class(solver)(self.spec_, solver, X, target, sample_weight)
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

    def _engine_class(self, solver: Solver) -> Any:
        """Choose between the compiled kernel and the written-out rule; import only the one."""
        if self.engine not in ENGINES:
            raise UnknownNameError("engine", self.engine, ENGINES)
        if self.engine != "formula":
            from glassnet.learning import kernel_engine, kernels

            if self.engine == "kernel":
                kernels.check_runs(self.spec_, solver)
                return kernel_engine.DenseKernelEngine
            if self.precision_ == "float32" and kernels.supports(self.spec_, solver) and kernel_engine.ready():
                return kernel_engine.DenseKernelEngine
        from glassnet.learning.backprop import BackpropEngine

        return BackpropEngine

    def _batch_size(self, n_samples: int) -> int:
        if self.batch_size == "auto":
            return n_samples if self.solver == "lbfgs" else min(200, n_samples)
        check_positive_integers(self, "batch_size")
        size = int(self.batch_size)
        if self.solver == "lbfgs" and size < n_samples:
            raise InvalidInputError(f"solver 'lbfgs' needs all samples in one batch, got batch_size={size}.")
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
            (X[rows], target[rows], None if sample_weight is None else sample_weight[rows])
            for rows in (train, held_out)
        )  # type: ignore[return-value]

    def _loss_on(self, held_out: tuple | None) -> Callable[[], float] | None:
        if held_out is None:
            return None
        return lambda: forward.mean_loss(self.spec_, self.state_.arrays, *held_out)

    def _run(self, n_epochs: int, validation_loss: Any = None, **options: Any) -> None:
        """Advance the state by at most ``n_epochs``; keep the fitted attributes whatever happens."""
        result = FitResult()
        threads = one_blas_thread() if self.engine_ == "formula" else nullcontext()
        try:
            with threads:
                run_epochs(self.state_, n_epochs, result, validation_loss=validation_loss, **options)
        finally:
            self.loss_curve_ = result.loss_curve
            self.n_iter_ = len(result.loss_curve)
            self.loss_ = result.loss_curve[-1] if result.loss_curve else np.nan
            if validation_loss is not None:
                self.validation_loss_curve_ = result.validation_loss_curve

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
