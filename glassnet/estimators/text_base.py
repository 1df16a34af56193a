"""Estimators of texts: what the translator and the language model share.

`glassnet.estimators.epochs` tells how a fit goes. Here stands what is special about texts:
a vocabulary makes them numbers, the module is a Transformer, `AutogradEngine` makes the
steps, and what is read out comes from the mean of the last epochs' weights.
"""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted
from torch import nn

from glassnet.data.text import hash_of
from glassnet.data.text_files import TextFiles
from glassnet.data.vocabulary import vocabulary_from_json
from glassnet.errors import InvalidInputError
from glassnet.estimators.checks import check_positive_integers
from glassnet.estimators.epochs import EpochEstimator
from glassnet.learning.autograd import AutogradEngine, resolve_device, resolve_precision
from glassnet.learning.averaging import AVERAGE, COUNT, Averaging, initial_average
from glassnet.learning.dropout import global_stream
from glassnet.learning.module_arrays import ModuleArrays, initial_arrays, named_trainable
from glassnet.learning.optimizers import Solver
from glassnet.seeds import resolve_seed
from glassnet.training.distributed import check_same_fit, check_shared, code_of, current
from glassnet.training.observers import EpochMeasure, Observer
from glassnet.training.state import TrainingState


class TextEstimator(EpochEstimator):
    """What the estimators of texts share; subclasses say what a text is and what is to be learned of it."""

    # parameters that every subclass has
    d_model: int
    learning_rate_init: float | None  # type: ignore[assignment]
    warmup_steps: int
    average_last: int
    accumulate: int
    precision: str
    device: str
    processes: int

    vocabulary_json_: str

    @property
    def vocabulary_(self) -> Any:
        """The vocabulary that the fit has learned."""
        if not hasattr(self, "vocabulary_json_"):
            raise AttributeError(f"This {type(self).__name__} has no vocabulary before it is fitted.")
        kept = getattr(self, "_vocabulary", None)
        if kept is None or kept[0] is not self.vocabulary_json_:
            self._vocabulary = kept = (self.vocabulary_json_, vocabulary_from_json(self.vocabulary_json_))
        return kept[1]

    @property
    def module_(self) -> nn.Module:
        """The fitted module, in evaluation mode: on the mean of the last epochs' weights, once there is one."""
        check_is_fitted(self, "state_")
        home = self._bound()
        home.push()
        return (self._on_mean(home) if COUNT in home.arrays and home.arrays[COUNT][0] else home.module).eval()

    def _fit_texts(
        self, data: tuple, again: bool, observers: Sequence[Observer], resume: str | Path | None, validation: Any
    ) -> Any:
        """Fit texts that were validated; keep the loss on ``validation``, if given, after every epoch."""
        if validation is None:
            return self._fit(data, again, observers, resume)
        if self.early_stopping:
            raise InvalidInputError("give validation texts, or early_stopping=True to hold some out; not both.")
        measure = EpochMeasure(lambda: self._mean_loss(*validation))
        try:
            return self._fit(data, again, [*observers, measure], resume)
        finally:
            self.validation_loss_curve_ = measure.values

    def _learn_vocabulary(self, learn: Callable[[], Any], *texts: str | TextFiles) -> None:
        """Keep the vocabulary that ``learn`` returns; of several processes, with the same texts, that of the first."""
        group = current()
        if group.size > 1:
            group.check_same({**code_of(None), "the texts": hash_of(texts)})
        self.vocabulary_json_ = group.gather(learn().to_json())[0]

    def _check_parameters(self) -> None:
        names = ("d_model", "n_heads", "n_layers", "max_iter", "warmup_steps", "average_last", "accumulate")
        check_positive_integers(self, *names)
        self.device_ = resolve_device(self.device)
        self.precision_ = resolve_precision(self.precision, self.device_)

    def _start(self, *data: Any) -> TrainingState:
        seed = current().gather(resolve_seed(self.random_state))[0]
        arrays = initial_arrays(self._build(seed))
        arrays |= self._solver().initial_slots(arrays["parameters"]) | initial_average(arrays["parameters"])
        return self._bind(arrays, seed, *data)

    def _continue(self, *data: Any) -> TrainingState:
        old = self.state_
        old.arrays |= initial_average(old.arrays["parameters"])
        self._home = None  # the arrays may be new to it
        state = self._bind(old.arrays, old.seed, *data, first_epoch=old.epoch + (old.position > 0))
        state.step = old.step
        return state

    def _bind(self, arrays: dict[str, np.ndarray], seed: int, *data: Any, first_epoch: int = 0) -> TrainingState:
        """Bind the network to its data: `_batching` says what a sample and a batch are."""
        objective, n_samples, batch_size = self._batching(seed, *data)
        solver = self._solver(self.max_iter * -(-n_samples // batch_size))
        self._bound(arrays, seed)
        engine = self._engine(arrays, solver, objective)
        check_shared(engine, getattr(self, "batch_size", None))
        averaging = Averaging(engine, first_epoch + self.max_iter - self.average_last)
        self.engine_ = engine.name
        self.state_ = TrainingState(arrays, averaging, seed, n_samples, batch_size, epoch=first_epoch)
        return self.state_

    def _solver(self, total_steps: int = 1) -> Solver:
        """Return how the network descends; without an initial rate the paper's, 1 / sqrt(d_model warmup_steps)."""
        paper = (self.d_model * self.warmup_steps) ** -0.5
        return Solver(
            name=self.solver,
            learning_rate=paper if self.learning_rate_init is None else self.learning_rate_init,
            beta_1=self.beta_1,
            beta_2=self.beta_2,
            epsilon=self.epsilon,
            alpha=self.alpha,
            clip_norm=self.clip_norm,
            schedule=self.learning_rate,
            total_steps=total_steps,
            warmup_steps=self.warmup_steps,
        )

    def _build(self, seed: int) -> nn.Module:
        with global_stream(seed, "weights"):
            return self._module()

    def _bound(self, arrays: dict[str, np.ndarray] | None = None, seed: int | None = None) -> ModuleArrays:
        """Return the module in training, on the arrays; built again after a copy or a file was read."""
        arrays = self.state_.arrays if arrays is None else arrays
        home = getattr(self, "_home", None)
        if home is None or home.arrays is not arrays:
            seed = self.state_.seed if seed is None else seed
            self._home = home = ModuleArrays(self._build(seed), arrays, self.device_)
            self._mean = None
        return home

    def _on_mean(self, home: ModuleArrays) -> nn.Module:
        """Return a second module, on the mean of the weights."""
        if self._mean is None:
            self._mean = copy.deepcopy(home.module)
        values = home.tensors[AVERAGE].split([p.numel() for p in named_trainable(self._mean).values()])
        for parameter, value in zip(named_trainable(self._mean).values(), values, strict=True):
            parameter.data.copy_(value.view_as(parameter))
        return self._mean

    @abstractmethod
    def _module(self) -> nn.Module:
        """Return a new module for the vocabulary."""

    @abstractmethod
    def _batching(self, seed: int, *data: Any) -> tuple[Any, int, int]:
        """Return objective, number of samples in an epoch and in a batch."""

    def _engine(self, arrays: dict[str, np.ndarray], solver: Solver, objective: Any) -> Any:  # type: ignore[override]
        options = {"accumulate": self.accumulate, "precision": self.precision_, "group": current()}
        engine = AutogradEngine(self._bound(arrays), solver, objective, **options)
        check_same_fit(engine, engine.home.module, arrays, objective.data)
        return engine

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = super().__getstate__()  # type: ignore[assignment]
        return {name: value for name, value in state.items() if name not in ("_home", "_mean", "_vocabulary")}
