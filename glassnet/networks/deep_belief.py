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
mini-batches where theirs followed conjugate gradients on large ones, with dropout if asked
(as in G. E. Hinton et al., Improving neural networks by preventing co-adaptation of feature
detectors, arXiv:1207.0580, 2012).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from glassnet.errors import InvalidInputError
from glassnet.networks.mlp import Layer, MLPClassifier
from glassnet.networks.rbm import RBM, storage
from glassnet.networks.stacked_rbms import StackedRBMs, Stage, rebound
from glassnet.training.observers import Observer
from glassnet.training.state import TrainingState


class DeepBeliefClassifier(StackedRBMs):
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
    learning_rate : {"constant", "step", "invscaling", "cosine", "one-cycle"}, default="constant"
        How that rate changes over the ``max_iter`` epochs; see `glassnet.learning.schedules`.
    alpha : float, default=0
        L2 penalty of the fine-tuning; see `MLPClassifier`.
    dropout : float or sequence of float, default=0
        Share of the hidden units, of all layers or of each, silenced in a step of the fine-tuning.
    batch_size : int or "auto", default="auto"
        "auto" is min(100, n_samples).
    random_state : int, Generator, RandomState or None, default=None
        The whole of the randomness.
    warm_start : bool, default=False
        Whether `pretrain`, `fine_tune` and `fit` go on where they stopped: an interrupted one
        ends as if it had not been interrupted, to the bit; more epochs may be asked for.
    verbose : bool, default=False
        Show a progress bar for each layer, and for the fine-tuning, on a terminal.
    precision : {"float32", "float64", "bfloat16"}, default="float32"
        "bfloat16" is for the machines; see `RBM`.

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
        learning_rate: str = "constant",
        alpha: float = 0.0,
        dropout: float | Sequence[float] = 0.0,
        batch_size: int | str = "auto",
        random_state: Any = None,
        warm_start: bool = False,
        verbose: bool = False,
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
        self.learning_rate = learning_rate
        self.alpha = alpha
        self.dropout = dropout
        self.batch_size = batch_size
        self.random_state = random_state
        self.warm_start = warm_start
        self.verbose = verbose
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
        for stage in self._machine_stages(self._validate(X, reset=not again), None, again):
            self._advance(stage, observers)
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

    def gibbs(self, X: Any, n_steps: int = 1, random_state: Any = None) -> np.ndarray:
        """Dream on from samples: up to the top machine, a Gibbs chain in it, and down again.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        n_steps : int
        random_state : int, Generator, RandomState or None
            None takes the top machine's own seed.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            Means of the visible units. The fine-tuning has no part in them.

        Raises
        ------
        InvalidInputError
            If the network comes from a compact run, which has kept no machines.
        """
        X, below = self._check_X(X), len(self._machines()) - 2
        seen = self.rbms_[-1].gibbs(self._up(X, below), n_steps, random_state)
        return self._down(seen, below).astype(X.dtype, copy=False)

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
        self._fine_tuned()
        return self.network_.classes_

    def _machines(self) -> list[RBM]:
        if not self.rbms_:
            raise InvalidInputError(
                "A compact run keeps the fine-tuned network, no machines to dream with; the run it came from has them."
            )
        return self.rbms_

    def _fine_tuned(self) -> TrainingState:
        if not hasattr(self, "network_"):
            raise AttributeError("This DeepBeliefClassifier is not fine-tuned yet.")
        return self.network_.state_

    def _check_fine_tuning(self, X: np.ndarray, y: np.ndarray) -> None:
        self._network(X, y)

    def _machine_stages(self, X: np.ndarray, y: Any, again: bool) -> Iterator[Stage]:
        if not again:
            vars(self).pop("network_", None)
        elif not self.rbms_:
            return iter(())  # of a compact run, whose machines have become the fine-tuned network
        return self._rbm_stages(X, len(self.hidden_layer_sizes), again)

    def _tuning_stage(self, X: np.ndarray, y: np.ndarray, again: bool) -> Stage:
        if again:
            state = rebound(self.network_, X, y)
        else:
            self.network_, self._losses = self._network(X, y), []
            for rbm, weight, bias in zip(self.rbms_, self.network_.coefs_, self.network_.intercepts_, strict=False):
                weight[...], bias[...] = rbm.components_.T, rbm.intercept_hidden_
            state = self.network_.state_
        return Stage("fine-tuning", state, self._losses, self.max_iter)

    def _weights(self, layer: int) -> list[np.ndarray]:
        if hasattr(self, "network_"):
            return [weight.T for weight in self.network_.coefs_[: layer + 1]]
        return [rbm.components_ for rbm in self.rbms_[: layer + 1]]

    def _network(self, X: np.ndarray, y: np.ndarray) -> MLPClassifier:
        """Return the network of the fine-tuning, initialized at random."""
        sizes = self.hidden_layer_sizes
        shares = self.dropout if isinstance(self.dropout, Sequence) else [self.dropout] * len(sizes)
        if len(shares) != len(sizes):
            raise InvalidInputError(
                f"dropout is one share, or one for each of {len(sizes)} layers; got {self.dropout}."
            )
        network = MLPClassifier(
            tuple(Layer(size, dropout=share) for size, share in zip(sizes, shares, strict=True)),
            "sigmoid",
            solver=self.solver,
            learning_rate_init=self.learning_rate_init,
            learning_rate=self.learning_rate,
            alpha=self.alpha,
            batch_size=self._batch(len(X)),
            max_iter=self.max_iter,
            random_state=self._seed(len(sizes)) if hasattr(self, "seed_") else 0,
            engine="formula",
            precision=storage(self.precision),
        )
        network.initialize(X, y)
        return network

    def _up(self, X: np.ndarray, layer: int) -> np.ndarray:
        for rbm in self._machines()[: layer + 1]:
            X = rbm.transform(X)
        return X

    def _down(self, hidden: np.ndarray, layer: int) -> np.ndarray:
        for rbm in reversed(self._machines()[: layer + 1]):
            hidden = rbm.inverse_transform(hidden)
        return hidden

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "network_")
