"""Dense networks as scikit-learn estimators: what the multilayer perceptrons share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted, validate_data

from glassnet.errors import InvalidInputError, UnknownNameError
from glassnet.estimators.checks import checked_sample_weight
from glassnet.estimators.epochs import EpochEstimator
from glassnet.learning import compiled, forward
from glassnet.learning.losses import LOSSES
from glassnet.learning.optimizers import Solver
from glassnet.learning.spec import Layer, NetworkSpec, as_layers
from glassnet.seeds import generator, resolve_seed
from glassnet.training.distributed import check_same_fit, check_shared, current
from glassnet.training.state import TrainingState, aligned

PRECISIONS = {"auto": "float32", "float32": "float32", "float64": "float64"}
ENGINES = ("auto", "kernel", "formula")


class DenseEstimator(EpochEstimator):
    """What the estimators of dense networks share; subclasses say what their target is."""

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
        seed = current().gather(resolve_seed(self.random_state))[0]
        parameters = self.spec_.initial_parameters(generator(seed, "weights"), self.precision_)
        arrays = {"parameters": parameters, **self._solver().initial_slots(parameters)}
        arrays |= self.spec_.initial_statistics(self.precision_)
        arrays = {name: aligned(array) for name, array in arrays.items()}
        return self._bind(arrays, seed, X, target, sample_weight)

    def _engine(self, arrays: dict[str, np.ndarray], solver: Solver, *data: Any) -> Any:
        engine = self._engine_class(solver)(self.spec_, solver, *data)
        if current().size > 1:
            check_shared(engine)
            check_same_fit(engine, self.spec_, arrays, data)
        return engine

    def _mean_loss(self, X: np.ndarray, target: np.ndarray, sample_weight: Any) -> float:
        return forward.mean_loss(self.spec_, self.state_.arrays, X, target, sample_weight)

    def _engine_class(self, solver: Solver) -> Any:
        """Choose between the compiled kernel and the written-out rule; import only the one."""
        if self.engine not in ENGINES:
            raise UnknownNameError("engine", self.engine, ENGINES)
        if self.engine == "auto" and current().size > 1:
            from glassnet.learning.backprop import BackpropEngine

            return BackpropEngine
        if self.engine == "kernel":
            compiled.check_runs(self.spec_, solver)
        elif self.engine == "auto" and compiled.supports(self.spec_, solver) and not compiled.ready():
            from glassnet.learning.backprop_numpy import NumpyEngine

            return NumpyEngine
        if self.engine == "kernel" or (self.engine == "auto" and compiled.supports(self.spec_, solver)):
            from glassnet.learning.kernel_engine import DenseKernelEngine

            return DenseKernelEngine
        from glassnet.learning.backprop import BackpropEngine

        return BackpropEngine

    def _batch_size(self, n_samples: int) -> int:
        if self.solver != "lbfgs":
            return super()._batch_size(n_samples)
        if self.batch_size != "auto" and super()._batch_size(n_samples) < n_samples:
            raise InvalidInputError(f"solver 'lbfgs' needs all samples in one batch, got batch_size={self.batch_size}.")
        return n_samples
