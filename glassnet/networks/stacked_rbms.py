"""A stack of restricted Boltzmann machines: what both forms of the deep belief network share.

The greedy part of Hinton, Osindero and Teh (2006): the first machine learns the
distribution of the data, each next one that of the hidden units below it. Then it is for
`glassnet.networks.deep_belief` and `glassnet.networks.generative_belief` to fine-tune them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator, Sequence
from contextlib import nullcontext
from copy import copy
from typing import Any, NamedTuple, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from glassnet.errors import InvalidInputError, UnknownNameError
from glassnet.estimators.checks import check_positive_integers
from glassnet.networks.rbm import FLOATS, PRECISIONS, RBM, in_range, storage
from glassnet.seeds import generator, resolve_seed
from glassnet.training.loop import run
from glassnet.training.observers import EpochLosses, Observer
from glassnet.training.progress import ProgressBar
from glassnet.training.state import TrainingState
from glassnet.training.threads import one_blas_thread


class Stage(NamedTuple):
    """A stage of a fit: its name, its state, the losses of its steps so far, and its epochs."""

    name: str
    state: TrainingState
    losses: list[float]
    n_epochs: int


class StackedRBMs(ClassNamePrefixFeaturesOutMixin, ClassifierMixin, TransformerMixin, BaseEstimator, ABC):
    """Restricted Boltzmann machines learned one on top of the other, then fine-tuned as a classifier."""

    n_features_in_: int
    hidden_layer_sizes: Sequence[int]
    visible: str
    pretrain_iter: int
    pretrain_learning_rate: float
    pretrain_momentum: float
    weight_decay: float
    n_gibbs_steps: int
    max_iter: int
    learning_rate_init: float
    learning_rate: str
    batch_size: int | str
    random_state: Any
    warm_start: bool
    verbose: bool
    precision: str

    _losses: list[float]  # of the steps of the fine-tuning

    def fit(self, X: Any, y: Any, observers: Sequence[Observer] = ()) -> Any:
        """Pretrain and fine-tune on the same samples.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        observers : sequence of Observer
            Watch every machine in its turn, then the fine-tuning; each starts at step 0.

        Returns
        -------
        self

        Raises
        ------
        DivergedError
            If weights explode or the loss turns NaN; the best weights seen are kept.
        """
        self._check_parameters()
        again = self.warm_start and hasattr(self, "rbms_")
        X, y = self._validate(X, y, reset=not again)
        for stage in self._all_stages(X, y, again):
            self._advance(stage, observers)
        return self

    def stages(self, X: Any, y: Any) -> Iterator[TrainingState]:
        """Start anew, and hand out the states that `fit` would bring to their ends, each at its first step.

        These are the machines, from the data up, and then the fine-tuning. A stage starts from
        where `glassnet.advance` has brought those before it when it is asked for.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)

        Yields
        ------
        TrainingState
            Of a machine, to be advanced by ``pretrain_iter`` epochs, and in the end of the
            fine-tuning, by ``max_iter``. Losses are not kept.
        """
        self._check_parameters()
        X, y = self._validate(X, y, reset=True)
        return (stage.state for stage in self._all_stages(X, y, again=False))

    def fine_tune(self, X: Any, y: Any, observers: Sequence[Observer] = ()) -> Any:
        """Learn all layers together, from where pretraining has brought them.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        observers : sequence of Observer

        Returns
        -------
        self

        Raises
        ------
        NotFittedError
            If there is nothing pretrained.
        DivergedError
            If the loss turns NaN or infinite; the best weights seen are kept.
        """
        check_is_fitted(self, "rbms_")
        self._check_parameters()
        X, y = self._validate(X, y, reset=False)
        self._advance(self._tuning_stage(X, y, self.warm_start and self.__sklearn_is_fitted__()), observers)
        return self

    def without_stages(self) -> Self:
        """Return a copy that has forgotten its machines if it is fine-tuned.

        It predicts and is fine-tuned further as before; what asks the machines, refuses.
        """
        net = copy(self)
        if self.__sklearn_is_fitted__():
            net.rbms_, net._pretrain_losses = [], []
        return net

    def reconstruct(self, X: Any, layer: int = -1) -> np.ndarray:
        """Send samples up to a hidden layer and down again.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        layer : int
            From 0, or negative from the top.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            Means of the visible units.
        """
        X, layer = self._check_X(X), self._check_layer(layer)
        return self._down(self._up(X, layer), layer)

    def filters(self, layer: int = 0) -> np.ndarray:
        """Return what each unit of a hidden layer adds up of the input.

        Parameters
        ----------
        layer : int
            From 0, or negative from the top.

        Returns
        -------
        ndarray of shape (units, n_features)
            The weights of the first layer; of a layer above it, the sums of the filters below,
            weighted by its own weights, which leaves the activation functions out.
        """
        check_is_fitted(self, "rbms_")
        weights = self._weights(self._check_layer(layer))
        filters = weights[0].copy()
        for weight in weights[1:]:
            filters = weight @ filters
        return filters

    @property
    def pretrain_loss_curves_(self) -> list[list[float]]:
        """Reconstruction error of each epoch, for each machine that was begun."""
        return [_by_epoch(*pair) for pair in zip(self._pretraining(), self._pretrain_losses, strict=True)]

    @property
    def loss_curve_(self) -> list[float]:
        """Mean loss of each epoch of the fine-tuning."""
        return _by_epoch(self._fine_tuned(), self._losses)

    @property
    def n_iter_(self) -> int:
        """Epochs of fine-tuning made."""
        return self._fine_tuned().epoch

    @property
    def _n_features_out(self) -> int:
        return int(self.hidden_layer_sizes[-1])

    def _pretraining(self) -> list[TrainingState]:
        """Return the states of the machines that were begun."""
        return [rbm.state_ for rbm in self.rbms_]

    @abstractmethod
    def _fine_tuned(self) -> TrainingState:
        """Return the state of the fine-tuning; AttributeError if there is none."""

    @abstractmethod
    def _check_fine_tuning(self, X: np.ndarray, y: np.ndarray) -> None:
        """Raise for what would fail in the fine-tuning."""

    @abstractmethod
    def _machine_stages(self, X: np.ndarray, y: Any, again: bool) -> Iterator[Stage]:
        """Yield what is learned before the fine-tuning."""

    @abstractmethod
    def _tuning_stage(self, X: np.ndarray, y: np.ndarray, again: bool) -> Stage:
        """Return the stage of all layers together, from the machines or ``again`` from where it was interrupted."""

    @abstractmethod
    def _weights(self, layer: int) -> list[np.ndarray]:
        """Return the weights upwards, (units, units below) each, from the data to a hidden layer."""

    @abstractmethod
    def _up(self, X: np.ndarray, layer: int) -> np.ndarray:
        """Return the activations of a hidden layer."""

    @abstractmethod
    def _down(self, hidden: np.ndarray, layer: int) -> np.ndarray:
        """Return the means of the visible units that follow from a hidden layer."""

    def _all_stages(self, X: np.ndarray, y: np.ndarray, again: bool) -> Iterator[Stage]:
        self._check_fine_tuning(X, y)  # what cannot be fine-tuned is said before hours of pretraining
        yield from self._machine_stages(X, y, again)
        yield self._tuning_stage(X, y, again and self.__sklearn_is_fitted__())

    def _rbm_stages(self, X: np.ndarray, n_machines: int, again: bool) -> Generator[Stage, None, np.ndarray]:
        """Yield so many machines from the data up; return what the last has learned from."""
        if not again:
            self.seed_, self.rbms_, self._pretrain_losses = resolve_seed(self.random_state), [], []
        for layer in range(n_machines):
            if layer == len(self.rbms_):
                self.rbms_.append(self._machine(layer))
                self._pretrain_losses.append([])
            X = self.rbms_[layer - 1].transform(X) if layer else X
            state = rebound(self.rbms_[layer], X)
            yield Stage(f"layer {layer + 1}", state, self._pretrain_losses[layer], self.pretrain_iter)
        return X

    def _advance(self, stage: Stage, observers: Sequence[Observer]) -> None:
        """Advance a stage to the end of its epochs from wherever it stands."""
        name, state, losses, n_epochs = stage
        bar = ProgressBar(state, n_epochs - state.epoch, name) if self.verbose else nullcontext()
        with one_blas_thread(), bar as shown:
            watching = [_Losses(losses), *observers, *([shown] if shown is not None else [])]
            run(state, n_epochs * state.steps_per_epoch, watching)

    def _machine(self, layer: int) -> RBM:
        return RBM(
            self.hidden_layer_sizes[layer],
            visible=self.visible if layer == 0 else "binary",
            noise_free=True,
            n_gibbs_steps=self.n_gibbs_steps,
            learning_rate_init=self.pretrain_learning_rate,
            momentum=self.pretrain_momentum,
            weight_decay=self.weight_decay,
            batch_size=self.batch_size,
            random_state=self._seed(layer),
            precision=self.precision,
        )

    def _seed(self, layer: int) -> int:
        return int(generator(self.seed_, "layer", layer).integers(2**31))

    def _batch(self, n_samples: int) -> int:
        return min(100 if self.batch_size == "auto" else int(self.batch_size), n_samples)

    def _check_parameters(self) -> None:
        check_positive_integers(self, "pretrain_iter", "max_iter", "n_gibbs_steps")
        if self.batch_size != "auto":
            check_positive_integers(self, "batch_size")
        if self.precision not in PRECISIONS:
            raise UnknownNameError("precision", self.precision, PRECISIONS)
        if np.ndim(self.hidden_layer_sizes) != 1 or len(self.hidden_layer_sizes) == 0:
            raise InvalidInputError(f"hidden_layer_sizes must be one size or more, got {self.hidden_layer_sizes!r}.")
        made = [rbm.n_components for rbm in getattr(self, "rbms_", [])]
        if self.warm_start and made != list(self.hidden_layer_sizes[: len(made)]):
            raise InvalidInputError(f"The pretrained layers have {made} units, but hidden_layer_sizes asks for others.")

    def _check_layer(self, layer: int) -> int:
        n = len(self.hidden_layer_sizes)
        if not -n <= layer < n:
            raise InvalidInputError(f"There are {n} hidden layers, 0..{n - 1}; got layer={layer}.")
        layer %= n
        if not self.__sklearn_is_fitted__() and layer >= (begun := len(self._pretraining())):
            raise InvalidInputError(f"Layer {layer} is not learned yet: pretraining has come to {begun} of {n} layers.")
        return layer

    def _validate(self, X: Any, *y: Any, reset: bool) -> Any:
        """Return the samples of a fit, and y if it is given, checked."""
        options = {"reset": reset, "accept_sparse": "csr", "dtype": storage(self.precision), "order": "C"}
        checked = validate_data(self, X, *y, **options)
        X = checked[0] if y else checked
        X, self.clipped_ = in_range(X if isinstance(X, np.ndarray) else X.toarray(), self.visible, warn=True)
        return (X, checked[1]) if y else X

    def _check_X(self, X: Any) -> np.ndarray:
        """Return samples in the range of the visible units, in the type they came in."""
        check_is_fitted(self, "rbms_")
        X = validate_data(self, X, reset=False, dtype=FLOATS, accept_sparse="csr")
        X = X if isinstance(X, np.ndarray) else X.toarray()
        return in_range(X, self.visible, warn=not self.clipped_)[0]

    @abstractmethod
    def __sklearn_is_fitted__(self) -> bool:
        """Whether it can predict."""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


class _Losses(Observer):
    """Keeps the loss of every step in a list that outlives the run."""

    def __init__(self, losses: list[float]):
        self.losses = losses

    def record(self, first_step: int, losses: np.ndarray) -> None:
        self.losses[first_step:] = losses.tolist()


def rebound(model: Any, *data: Any) -> TrainingState:
    """Return a model's state, bound to its data: at the start, or where it was interrupted."""
    stands = model.state_.state_dict() if hasattr(model, "state_") else None
    state = model.initialize(*data)
    if stands is not None:
        state.load_state_dict(stands)
    return state


def _by_epoch(state: TrainingState, losses: list[float]) -> list[float]:
    epochs = EpochLosses(state)
    epochs.record(0, np.asarray(losses[: state.step]))
    return epochs.values
