"""Estimators of torch modules: what the classifier and the regressor share.

`glassnet.estimators.epochs` tells how a fit goes. Here stands what is special about
modules: they are built for the data under the seed, their numbers live in the arrays of the
state, samples may be pictures, and `AutogradEngine` makes the steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.base import TransformerMixin
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn

from glassnet.data.augment import as_augmentation
from glassnet.errors import InvalidInputError, UnknownNameError
from glassnet.estimators import samples
from glassnet.estimators.building import build_module, leaf_names, recorded
from glassnet.estimators.checks import (
    check_positive_integers,
    checked_sample_weight,
)
from glassnet.estimators.epochs import EpochEstimator
from glassnet.learning.autograd import PRECISIONS, AutogradEngine, resolve_device, resolve_precision
from glassnet.learning.module_arrays import ModuleArrays, initial_arrays
from glassnet.learning.optimizers import Solver
from glassnet.learning.sharded import ShardedArrays, parts_of, wholes_of
from glassnet.learning.supervised import RowsOf, Supervised, as_input, as_tensor
from glassnet.learning.synchronized import synchronize
from glassnet.seeds import resolve_seed
from glassnet.training.distributed import check_same_fit, current
from glassnet.training.observers import Observer
from glassnet.training.processes import fit_in_processes, starts_processes
from glassnet.training.state import TrainingState

# numbers that go into the module at once in prediction
PREDICTED_AT_ONCE = 1 << 20


class ModuleEstimator(TransformerMixin, EpochEstimator):
    """What the estimators of modules share; subclasses say what their target is."""

    n_features_in_: int

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
    ):
        self.module = module
        self.module_options = module_options
        self.image_shape = image_shape
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
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.augment = augment
        self.accumulate = accumulate
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.warm_start = warm_start
        self.verbose = verbose
        self.precision = precision
        self.device = device
        self.synchronize_batch_norm = synchronize_batch_norm
        self.processes = processes
        self.sharded = sharded

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        observers: Sequence[Observer] = (),
        resume: str | Path | None = None,
    ) -> Any:
        """Fit the network; with ``processes`` above 1, in so many processes that end with the fit.

        Parameters
        ----------
        X, y, sample_weight, observers, resume
            As in `EpochEstimator.fit`. Observers watch in the process that fits: they cannot be
            given where other processes do.

        Returns
        -------
        self

        Raises
        ------
        DivergedError, RunFolderError, InvalidInputError
            As `EpochEstimator.fit`.
        DistributedError
            If the processes fail.
        """
        if not starts_processes(self):
            super().fit(X, y, sample_weight, observers, resume)
            self._gather_parts()
            return self
        fit_in_processes(self, X, y, sample_weight, observers=observers, resume=resume)
        return self

    @property
    def module_(self) -> nn.Module:
        """The fitted module; its parameters are the live ones of ``state_``."""
        if not hasattr(self, "state_"):
            raise AttributeError(f"This {type(self).__name__} has no module before it is fitted.")
        return self._bound(self.state_.arrays).module

    @property
    def layer_names_(self) -> list[str]:
        """Addresses of the layers without parts of their own, in the order in which they are first called."""
        with recorded(self.module_, leaf_names(self.module_)) as seen:
            self._forward(np.zeros((1, self.n_features_in_), np.float32))
        return list(seen)

    def transform(self, X: Any, layer: str | None = None) -> np.ndarray:
        """Return what a layer makes of each sample.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, channels, height, width)
        layer : str, optional
            Address of the layer whose output is wanted; None: the input of the last layer.

        Returns
        -------
        ndarray of shape (n_samples, n_values), float32
        """
        check_is_fitted(self)
        names = [name for name, _ in self.module_.named_modules() if name]
        if layer is not None and layer not in names:
            raise UnknownNameError("layer", layer, names)
        name = self.layer_names_[-1] if layer is None else layer
        parts = [seen[name][layer is not None].flatten(1).float().cpu() for seen, _ in self._watched(X, [name])]
        return torch.cat(parts).numpy()

    def activations(self, X: Any) -> list[np.ndarray]:
        """Return the activation of every layer for every sample.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, channels, height, width)

        Returns
        -------
        list of ndarray of shape (n_samples, ...)
            One for each of ``layer_names_``, of its last call; the last is the predicted value
            or probability.
        """
        *inner, _ = names = self.layer_names_
        parts: dict[str, list[Tensor]] = {name: [] for name in inner}
        outputs = []
        for seen, z in self._watched(X, names):
            outputs.append(z)
            for name in inner:
                parts[name].append(seen[name][1].float().cpu())
        return [*(torch.cat(parts[name]).numpy() for name in inner), self._output(torch.cat(outputs).cpu().numpy())]

    def _watched(self, X: Any, names: list[str]) -> Iterator[tuple[dict[str, tuple[Tensor, Tensor]], Tensor]]:
        """Yield, batch by batch, (input, output) of each named layer, and the module's outputs."""
        with recorded(self.module_, names) as seen:
            for z in self._batches(self._check_X(X)):
                yield seen, z

    def _output(self, z: np.ndarray) -> np.ndarray:
        return z

    def _forward(self, X: np.ndarray) -> np.ndarray:
        """Return the module's outputs for samples that were checked, shape (n_samples, n_outputs)."""
        outputs, start = None, 0
        for z in self._batches(X):
            if outputs is None:  # at once: small tensors among those of the batches would keep memory from use
                outputs = np.empty((len(X), *z.shape[1:]), np.float32)
            outputs[start : start + len(z)] = z.cpu().numpy()
            start += len(z)
        return outputs  # type: ignore[return-value]  # there is a sample

    @torch.no_grad()
    def _batches(self, X: np.ndarray) -> Iterator[Tensor]:
        """Yield the module's outputs, batch by batch, in float32."""
        home = self._bound(self.state_.arrays)
        home.push()
        if home.module.training:
            home.module.eval()
        rows, n = as_tensor(X), max(1, PREDICTED_AT_ONCE // X.shape[1])
        for start in range(0, len(X), n):
            batch = as_input(rows[start : start + n], self.image_shape_, self._dtype())
            yield home.module(batch.to(self.device_)).float()

    def _check_X(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        return samples.checked(self, X)

    def _validate(self, X: Any, y: Any, sample_weight: Any, reset: bool, classes: Any = None) -> tuple:
        self.device_ = resolve_device(self.device)
        self.precision_ = resolve_precision(self.precision, self.device_, (*PRECISIONS, "float64"))
        check_positive_integers(self, "accumulate")
        if reset:
            self.image_shape_ = samples.shape_of_pictures(X, self.image_shape)
        X, y = samples.checked_fit(self, X, y, reset)
        if self.image_shape_ is not None and prod(self.image_shape_) != X.shape[1]:
            raise InvalidInputError(f"image_shape {self.image_shape_} does not hold the {X.shape[1]} features of X.")
        if self.augment is not None and self.image_shape_ is None:
            raise InvalidInputError("augment changes pictures: give image_shape, or X of shape (n, channels, h, w).")
        if sample_weight is not None:
            sample_weight = checked_sample_weight(sample_weight, np.empty((len(X), 0), np.float32))
        return X, *self._validate_target(y, sample_weight, classes if reset else self._known_target())

    def _start(self, X: np.ndarray, target: np.ndarray, sample_weight: Any) -> TrainingState:
        seed = current().gather(resolve_seed(self.random_state))[0]
        module = self._build(seed)
        arrays = initial_arrays(module)
        arrays |= self._solver().initial_slots(arrays["parameters"])
        self._home = ModuleArrays(module, arrays, self.device_)
        return self._bind(arrays, seed, X, target, sample_weight)

    def _partial_fit(self, X: Any, y: Any, sample_weight: Any, classes: Any = None) -> Any:
        super()._partial_fit(X, y, sample_weight, classes)
        self._gather_parts()
        return self

    def _bind(self, arrays: dict[str, np.ndarray], seed: int, *data: Any) -> TrainingState:
        group = current()
        if self.sharded and group.size > 1:
            module = self._build(seed)
            arrays = parts_of(arrays, module, group)
            self._home = ShardedArrays(module, arrays, self.device_, group)
        return super()._bind(arrays, seed, *data)

    def _gather_parts(self) -> None:
        """Make the state's arrays whole where every process has a part of them."""
        home = getattr(self, "_home", None)
        if home is not None and home.is_sharded:
            self.state_.arrays = wholes_of(home.arrays, self._build(self.state_.seed), current())

    def _build(self, seed: int) -> nn.Module:
        shape = self.image_shape_ or (self.n_features_in_,)
        module = build_module(self.module, self.module_options, shape, self._known_n_outputs(), seed, self._dtype())
        return synchronize(module) if self.synchronize_batch_norm else module

    def _bound(self, arrays: dict[str, np.ndarray]) -> ModuleArrays:
        """Return the module on these arrays; it is built again after the estimator was copied or read from a file."""
        home = getattr(self, "_home", None)
        if home is None or home.arrays is not arrays:
            self._home = home = ModuleArrays(self._build(self.state_.seed), arrays, self.device_)
        return home

    def _engine(self, arrays: dict[str, np.ndarray], solver: Solver, *data: Any) -> AutogradEngine:
        objective = Supervised(
            *data,
            image_shape=self.image_shape_,
            augment=as_augmentation(self.augment),
            label_smoothing=self._smoothing(),
            device=self.device_,
            channels_last=self.precision_ != "float64",  # in which torch computes them pixel by pixel
            dtype=self._dtype(),
        )
        options = {"accumulate": self.accumulate, "precision": self.precision_, "group": current()}
        engine = AutogradEngine(self._bound(arrays), solver, objective, **options)
        check_same_fit(engine, engine.home.module, {} if engine.home.is_sharded else arrays, data)
        return engine

    def _dtype(self) -> torch.dtype:
        return torch.float64 if self.precision_ == "float64" else torch.float32

    def _some(self, X: np.ndarray, rows: np.ndarray) -> RowsOf:
        return RowsOf(X, rows)

    def _smoothing(self) -> float:
        return 0.0

    def _mean_loss(self, X: np.ndarray, target: np.ndarray, sample_weight: Any) -> float:
        weight = np.ones(len(X)) if sample_weight is None else sample_weight
        losses = Supervised(X, target).losses(torch.from_numpy(self._forward(X)), as_tensor(target))
        return float(np.average(losses.numpy(), weights=weight))

    def _validate_target(self, y: np.ndarray, sample_weight: Any, known: Any) -> tuple[np.ndarray, Any]:
        """Return y as the objective's target, and the sample weights; ``known`` is what an earlier fit has fixed."""
        raise NotImplementedError

    def _known_target(self) -> Any:
        """Return what the fit has fixed about the target."""
        raise NotImplementedError

    def _known_n_outputs(self) -> int:
        raise NotImplementedError

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = super().__getstate__()  # type: ignore[assignment]
        return {name: value for name, value in state.items() if name != "_home"}

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags
