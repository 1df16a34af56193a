"""The deep belief network (2006): layers learned one after another, without labels, then together.

G. E. Hinton, S. Osindero, Y.-W. Teh, A fast learning algorithm for deep belief nets, Neural
Computation 18, 2006. G. E. Hinton, R. R. Salakhutdinov, Reducing the dimensionality of data
with neural networks, Science 313, 2006.

A stack of restricted Boltzmann machines: the first learns the distribution of the data, each
next one that of the hidden units below it::

    h[0] = x,    h[k] = P(h = 1 | h[k-1]) = sigmoid(W[k] h[k-1] + c[k])    greedily, k = 1..L

Then a softmax layer is put on top, and backpropagation moves all layers from where the
machines have brought them (the form of the second paper's classifier).

Where we depart from the papers: the weights of the fine-tuning follow the gradient on
mini-batches where theirs followed conjugate gradients on large ones; the dreams of the
machines are sampled states, where theirs were probabilities of the visible units.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from glassnet.errors import InvalidInputError, UnknownNameError
from glassnet.estimators.checks import check_positive_integers
from glassnet.networks.mlp import MLPClassifier
from glassnet.networks.rbm import FLOATS, PRECISIONS, RBM, in_range
from glassnet.seeds import generator, resolve_seed
from glassnet.training.loop import run
from glassnet.training.observers import EpochLosses, Observer
from glassnet.training.threads import one_blas_thread


class DeepBeliefClassifier(ClassNamePrefixFeaturesOutMixin, ClassifierMixin, TransformerMixin, BaseEstimator):
    """Deep belief network: sigmoid layers pretrained as a stack of machines, fine-tuned as a classifier.

    Parameters
    ----------
    hidden_layer_sizes : sequence of int, default=(500, 500, 2000)
        Units of each hidden layer, from the data up.
    visible : {"binary", "gaussian"}, default="binary"
        Kind of the input units; binary ones take values in [0, 1], others are clipped, and a
        warning says so.
    pretrain_iter : int, default=10
        Epochs of every machine.
    pretrain_learning_rate : float, default=0.1
        Of the machines; about 0.001 to 0.01 is right for the first if its units are Gaussian.
    pretrain_momentum : float, default=0.5
        In [0, 1).
    weight_decay : float, default=2e-4
        Of the machines; see `RBM`.
    n_gibbs_steps : int, default=1
        k of CD-k.
    max_iter : int, default=20
        Epochs of the fine-tuning.
    solver : {"sgd", "adam", "adamw"}, default="adam"
        Of the fine-tuning.
    learning_rate_init : float, default=1e-3
        Of the fine-tuning.
    alpha : float, default=0
        L2 penalty of the fine-tuning; see `MLPClassifier`.
    batch_size : int or "auto", default="auto"
        "auto" is min(100, n_samples).
    random_state : int, Generator, RandomState or None, default=None
        The whole of the randomness.
    warm_start : bool, default=False
        Whether `pretrain`, `fine_tune` and `fit` go on where they stopped: an interrupted one
        ends as if it had not been interrupted, to the bit; more epochs may be asked for.
    precision : {"float32", "float64"}, default="float32"

    Attributes
    ----------
    rbms_ : list of RBM
        The machines, as pretraining left them.
    network_ : MLPClassifier
        The fine-tuned network.
    classes_ : ndarray of shape (n_classes,)
    pretrain_loss_curves_ : list of list of float
        Of each machine, the reconstruction error of each epoch.
    loss_curve_ : list of float
        Mean cross-entropy of each epoch of the fine-tuning.
    n_iter_ : int
        Epochs of fine-tuning made.
    seed_ : int
        Names the random streams.

    References
    ----------
    G. E. Hinton, S. Osindero, Y.-W. Teh (2006). A fast learning algorithm for deep belief nets.
    G. E. Hinton, R. R. Salakhutdinov (2006). Reducing the dimensionality of data with neural
    networks.

    Examples
    --------
    >>> X, y = np.array([[1, 1, 0, 0], [0, 0, 1, 1]] * 20), [0, 1] * 20
    >>> net = DeepBeliefClassifier((4, 3), learning_rate_init=0.05, random_state=0)
    >>> net.pretrain(X).transform(X, layer=1).shape
    (40, 3)
    >>> net.fine_tune(X, y).score(X, y)
    1.0
    """

    def __init__(
        self,
        hidden_layer_sizes: Sequence[int] = (500, 500, 2000),
        *,
        visible: str = "binary",
        pretrain_iter: int = 10,
        pretrain_learning_rate: float = 0.1,
        pretrain_momentum: float = 0.5,
        weight_decay: float = 2e-4,
        n_gibbs_steps: int = 1,
        max_iter: int = 20,
        solver: str = "adam",
        learning_rate_init: float = 1e-3,
        alpha: float = 0.0,
        batch_size: int | str = "auto",
        random_state: Any = None,
        warm_start: bool = False,
        precision: str = "float32",
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.visible = visible
        self.pretrain_iter = pretrain_iter
        self.pretrain_learning_rate = pretrain_learning_rate
        self.pretrain_momentum = pretrain_momentum
        self.weight_decay = weight_decay
        self.n_gibbs_steps = n_gibbs_steps
        self.max_iter = max_iter
        self.solver = solver
        self.learning_rate_init = learning_rate_init
        self.alpha = alpha
        self.batch_size = batch_size
        self.random_state = random_state
        self.warm_start = warm_start
        self.precision = precision

    def pretrain(self, X: Any, y: object = None, observers: Sequence[Observer] = ()) -> DeepBeliefClassifier:
        """Learn the machines, from the data up, without labels.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            May be other samples than those of `fine_tune`.
        y : ignored
        observers : sequence of Observer
            Watch every machine in its turn; each starts at step 0.

        Returns
        -------
        DeepBeliefClassifier
            The network itself.

        Raises
        ------
        DivergedError
            If the weights of a machine explode; the machines below it are kept.
        """
        self._check_parameters()
        again = self.warm_start and hasattr(self, "rbms_")
        self._pretrain(self._validate(X, reset=not again), again, observers)
        return self

    def fine_tune(self, X: Any, y: Any, observers: Sequence[Observer] = ()) -> DeepBeliefClassifier:
        """Put a softmax layer on the pretrained layers and learn all by backpropagation.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        observers : sequence of Observer

        Returns
        -------
        DeepBeliefClassifier
            The network itself.

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
        self._fine_tune(X, y, self.warm_start and hasattr(self, "network_"), observers)
        return self

    def fit(self, X: Any, y: Any, observers: Sequence[Observer] = ()) -> DeepBeliefClassifier:
        """Pretrain and fine-tune on the same samples.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        observers : sequence of Observer
            Watch every machine in its turn, then the fine-tuning; each starts at step 0.

        Returns
        -------
        DeepBeliefClassifier
            The network itself.
        """
        self._check_parameters()
        again = self.warm_start and hasattr(self, "rbms_")
        X, y = self._validate(X, y, reset=not again)
        self._network(X, y)  # what cannot be fine-tuned is said before hours of pretraining
        self._pretrain(X, again, observers)
        self._fine_tune(X, y, again and hasattr(self, "network_"), observers)
        return self

    def transform(self, X: Any, layer: int = -1) -> np.ndarray:
        """Return the activations of a hidden layer: of the fine-tuned network, or before that of the machines.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        layer : int
            From 0, or negative from the top.

        Returns
        -------
        ndarray of shape (n_samples, units)
        """
        X, layer = self._check_X(X), self._check_layer(layer)
        if hasattr(self, "network_"):
            return self.network_.activations(X)[layer].astype(X.dtype, copy=False)
        return self._up(X, layer)

    def reconstruct(self, X: Any, layer: int = -1) -> np.ndarray:
        """Send samples up through the machines to a hidden layer and down again.

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
        hidden = self._up(X, layer)
        for rbm in reversed(self.rbms_[: layer + 1]):
            hidden = rbm.inverse_transform(hidden)
        return hidden

    def predict(self, X: Any) -> np.ndarray:
        """Return the likeliest class of each sample, shape (n_samples,)."""
        check_is_fitted(self, "network_")
        return self.network_.predict(self._check_X(X))

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probability of each class, shape (n_samples, n_classes), rows summing to 1."""
        check_is_fitted(self, "network_")
        return self.network_.predict_proba(self._check_X(X))

    @property
    def classes_(self) -> np.ndarray:
        """The classes, (n_classes,)."""
        return self._fine_tuned().classes_

    @property
    def pretrain_loss_curves_(self) -> list[list[float]]:
        """Reconstruction error of each epoch, for each machine that was begun."""
        return [_by_epoch(rbm, losses) for rbm, losses in zip(self.rbms_, self._pretrain_losses, strict=True)]

    @property
    def loss_curve_(self) -> list[float]:
        """Mean cross-entropy of each epoch of the fine-tuning."""
        return _by_epoch(self._fine_tuned(), self._losses)

    @property
    def n_iter_(self) -> int:
        """Epochs of fine-tuning made."""
        return self._fine_tuned().state_.epoch

    @property
    def _n_features_out(self) -> int:
        return self.rbms_[-1].n_components

    def _fine_tuned(self) -> MLPClassifier:
        if not hasattr(self, "network_"):
            raise AttributeError("This DeepBeliefClassifier is not fine-tuned yet.")
        return self.network_

    def _pretrain(self, X: np.ndarray, again: bool, observers: Sequence[Observer]) -> None:
        if not again:
            self.seed_, self.rbms_, self._pretrain_losses = resolve_seed(self.random_state), [], []
            vars(self).pop("network_", None)
        for layer in range(len(self.hidden_layer_sizes)):
            if layer == len(self.rbms_):
                self.rbms_.append(self._machine(layer))
                self._pretrain_losses.append([])
            rbm = self.rbms_[layer]
            _train(rbm, (X,), self.pretrain_iter, self._pretrain_losses[layer], observers)
            X = rbm.transform(X)

    def _fine_tune(self, X: np.ndarray, y: np.ndarray, again: bool, observers: Sequence[Observer]) -> None:
        if not again:
            network = self._network(X, y)
            for rbm, weight, bias in zip(self.rbms_, network.coefs_, network.intercepts_, strict=False):
                weight[...], bias[...] = rbm.components_.T, rbm.intercept_hidden_
            self.network_, self._losses = network, []
        _train(self.network_, (X, y), self.max_iter, self._losses, observers)

    def _machine(self, layer: int) -> RBM:
        return RBM(
            self.hidden_layer_sizes[layer],
            visible=self.visible if layer == 0 else "binary",
            n_gibbs_steps=self.n_gibbs_steps,
            learning_rate_init=self.pretrain_learning_rate,
            momentum=self.pretrain_momentum,
            weight_decay=self.weight_decay,
            batch_size=self.batch_size,
            random_state=self._seed(layer),
            precision=self.precision,
        )

    def _network(self, X: np.ndarray, y: np.ndarray) -> MLPClassifier:
        """Return the network of the fine-tuning, initialized at random."""
        network = MLPClassifier(
            tuple(self.hidden_layer_sizes),
            "sigmoid",
            solver=self.solver,
            learning_rate_init=self.learning_rate_init,
            alpha=self.alpha,
            batch_size=min(100, len(X)) if self.batch_size == "auto" else min(int(self.batch_size), len(X)),
            max_iter=self.max_iter,
            random_state=self._seed(len(self.hidden_layer_sizes)) if hasattr(self, "seed_") else 0,
            engine="formula",
            precision=self.precision,
        )
        network.initialize(X, y)
        return network

    def _seed(self, layer: int) -> int:
        return int(generator(self.seed_, "layer", layer).integers(2**31))

    def _up(self, X: np.ndarray, layer: int) -> np.ndarray:
        for rbm in self.rbms_[: layer + 1]:
            X = rbm.transform(X)
        return X

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
        n = len(self.rbms_)
        if not -n <= layer < n:
            raise InvalidInputError(f"There are {n} hidden layers, 0..{n - 1}; got layer={layer}.")
        return layer % n

    def _validate(self, X: Any, *y: Any, reset: bool) -> Any:
        """Return the samples of a fit, and y if it is given, checked."""
        options = {"reset": reset, "accept_sparse": "csr", "dtype": self.precision, "order": "C"}
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

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "network_")

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


def _train(model: Any, data: tuple, n_epochs: int, losses: list[float], observers: Sequence[Observer]) -> None:
    """Advance a model to the end of its epochs from wherever it stands: at the start, or interrupted."""
    if hasattr(model, "state_"):
        stands = model.state_.state_dict()
        model.initialize(*data).load_state_dict(stands)
    else:
        model.initialize(*data)
    state = model.state_
    with one_blas_thread():
        run(state, n_epochs * state.steps_per_epoch, [_Losses(losses), *observers])


def _by_epoch(model: Any, losses: list[float]) -> list[float]:
    epochs = EpochLosses(model.state_)
    epochs.record(0, np.asarray(losses[: model.state_.step]))
    return epochs.values
