"""The restricted Boltzmann machine (1986, learned by contrastive divergence since 2002).

P. Smolensky, Information processing in dynamical systems: foundations of harmony theory,
in Parallel Distributed Processing 1, MIT Press, 1986. G. E. Hinton, Training products of
experts by minimizing contrastive divergence, Neural Computation 14, 2002.

Visible units v and hidden units h, 0 or 1, are joined by weights W; no two units of one
side are joined, so that each side is independent given the other::

    E(v, h) = -b . v - c . h - h . W v        P(v, h) = exp(-E(v, h)) / Z
    F(v) = -b . v - sum over j of log(1 + exp((W v + c)_j))        P(v) = exp(-F(v)) / Z

`glassnet.learning.contrastive_divergence` holds the rule by which it learns.

Where we depart from the papers: visible units may be Gaussian with variance 1, which is
-b . v replaced by 1/2 |v - b|^2; values between 0 and 1, such as grey pixels, are taken
as probabilities of binary units, unsampled; the chain's last hidden units enter the
gradient as probabilities.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from glassnet.errors import GlassnetWarning, InvalidInputError, UnknownNameError
from glassnet.estimators.checks import check_positive_integers
from glassnet.learning import partition
from glassnet.learning.activations import sigmoid
from glassnet.learning.backprop import as_tensor
from glassnet.learning.contrastive_divergence import (
    ContrastiveDivergenceEngine,
    DivergenceRule,
    initial_arrays,
    split,
)
from glassnet.seeds import generator, resolve_seed
from glassnet.training.fit import FitResult, run_epochs
from glassnet.training.observers import Observer
from glassnet.training.state import TrainingState, aligned
from glassnet.training.threads import one_blas_thread

PRECISIONS = ("float32", "float64", "bfloat16")
FLOATS: Any = (np.float64, np.float32)


class RBM(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Restricted Boltzmann machine: learns the distribution of its input, and dreams from it.

    Parameters
    ----------
    n_components : int, default=256
        Number of hidden units.
    visible : {"binary", "gaussian"}, default="binary"
        Binary units take values in [0, 1]; others are clipped, and a warning says so.
        Gaussian ones have variance 1: standardize the input, and take a learning rate of
        about 0.001 to 0.01.
    n_gibbs_steps : int, default=1
        k of CD-k: steps of the chain for each step of the fit.
    persistent : bool, default=False
        Whether the chains go on from step to step (persistent CD). There are as many as
        samples in a batch.
    noise_free : bool, default=False
        Whether Gaussian units in the chain of a fit are their means, without noise. It no longer
        follows the likelihood then, but finds features in standardized data, whose variance the
        noise alone would explain; for machines that others are learned on top of.
    learning_rate_init : float, default=0.1
    momentum : float, default=0
        In [0, 1).
    weight_decay : float, default=0
        A step takes learning_rate_init * weight_decay * W away from the weights.
    sparsity_target : float or None, default=None
        Mean activation in (0, 1) that every hidden unit is drawn to; None: not drawn.
    sparsity_cost : float, default=0.1
        How strongly.
    batch_size : int or "auto", default="auto"
        "auto" is min(100, n_samples).
    max_iter : int, default=10
        Number of epochs.
    shuffle : bool, default=True
        Whether every epoch visits the samples in a new order.
    random_state : int, Generator, RandomState or None, default=None
        The whole of the randomness: initial weights, order, Gibbs chains, samples.
    warm_start : bool, default=False
        Whether another `fit` goes on from the fitted weights.
    verbose : bool, default=False
        Show a progress bar on a terminal.
    precision : {"float32", "float64", "bfloat16"}, default="float32"
        Of the fit. "bfloat16" multiplies in it, about twice as fast where the processor has
        instructions for it, and keeps all else in float32. What comes after the fit is
        computed in float64.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features)
        The weights W; a live view.
    intercept_hidden_ : ndarray of shape (n_components,)
        The hidden biases c; a live view.
    intercept_visible_ : ndarray of shape (n_features,)
        The visible biases b; a live view.
    state_ : TrainingState
        Weights, velocity, chains and place in the data; `glassnet.advance` moves it.
    loss_curve_ : list of float
        Mean squared reconstruction error of each epoch, per visible unit.
    n_iter_ : int
        Epochs made.
    clipped_ : bool
        Whether the input of the fit had to be clipped to [0, 1].
    seed_ : int
        Names the random streams.

    References
    ----------
    P. Smolensky (1986). Information processing in dynamical systems: foundations of
    harmony theory.
    G. E. Hinton (2002). Training products of experts by minimizing contrastive divergence.

    Examples
    --------
    >>> X = np.array([[1, 1, 0, 0], [0, 0, 1, 1]] * 50)
    >>> rbm = RBM(n_components=2, learning_rate_init=0.5, max_iter=200, random_state=0).fit(X)
    >>> rbm.gibbs([[1, 1, 0, 0]]).shape
    (1, 4)
    >>> bool(rbm.score_samples([[1, 1, 0, 0]])[0] > rbm.score_samples([[1, 0, 1, 0]])[0])
    True
    """

    def __init__(
        self,
        n_components: int = 256,
        *,
        visible: str = "binary",
        n_gibbs_steps: int = 1,
        persistent: bool = False,
        noise_free: bool = False,
        learning_rate_init: float = 0.1,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
        sparsity_target: float | None = None,
        sparsity_cost: float = 0.1,
        batch_size: int | str = "auto",
        max_iter: int = 10,
        shuffle: bool = True,
        random_state: Any = None,
        warm_start: bool = False,
        verbose: bool = False,
        precision: str = "float32",
    ):
        self.n_components = n_components
        self.visible = visible
        self.n_gibbs_steps = n_gibbs_steps
        self.persistent = persistent
        self.noise_free = noise_free
        self.learning_rate_init = learning_rate_init
        self.momentum = momentum
        self.weight_decay = weight_decay
        self.sparsity_target = sparsity_target
        self.sparsity_cost = sparsity_cost
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.warm_start = warm_start
        self.verbose = verbose
        self.precision = precision

    def initialize(self, X: Any, y: object = None) -> TrainingState:
        """Check the data, draw initial weights and return the state before the first step.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : ignored

        Returns
        -------
        TrainingState
            Also kept as ``state_``.

        Raises
        ------
        InvalidInputError, UnknownNameError, ValueError
            If the data or a parameter cannot be used.
        """
        return self._start(self._validate(X, reset=True))

    def fit(self, X: Any, y: object = None, observers: Sequence[Observer] = ()) -> RBM:
        """Fit the machine to the distribution of X.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            A sparse matrix is made dense.
        y : ignored
        observers : sequence of Observer
            Called during the fit; they change nothing.

        Returns
        -------
        RBM
            The machine itself.

        Raises
        ------
        DivergedError
            If the weights explode; the best state seen is kept.
        """
        again = self.warm_start and hasattr(self, "state_")
        X = self._validate(X, reset=not again)
        self._run(self._continue(X) if again else self._start(X), self.max_iter, observers, earlier=[])
        return self

    def partial_fit(self, X: Any, y: object = None) -> RBM:
        """Make one epoch over the given samples.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : ignored

        Returns
        -------
        RBM
            The machine itself.
        """
        first = not hasattr(self, "state_")
        X = self._validate(X, reset=first)
        state, earlier = (self._start(X), []) if first else (self._continue(X), self.loss_curve_)
        self._run(state, 1, (), earlier)
        return self

    @property
    def components_(self) -> np.ndarray:
        """The weights W, (n_components, n_features); a live view."""
        return self._parameters()[0]

    @property
    def intercept_hidden_(self) -> np.ndarray:
        """The hidden biases c, (n_components,); a live view."""
        return self._parameters()[1]

    @property
    def intercept_visible_(self) -> np.ndarray:
        """The visible biases b, (n_features,); a live view."""
        return self._parameters()[2]

    def transform(self, X: Any) -> np.ndarray:
        """Return the probability that each hidden unit is on, P(h = 1 | v).

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_components)
            float32 for float32 input, otherwise float64.
        """
        v, dtype = self._visible(X)
        return self._hidden_mean(v).astype(dtype)

    def inverse_transform(self, H: Any) -> np.ndarray:
        """Return the mean of the visible units given the hidden ones.

        Parameters
        ----------
        H : array-like of shape (n_samples, n_components)
            States or probabilities of the hidden units.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
        """
        check_is_fitted(self)
        H = check_array(H, dtype=FLOATS)
        if H.shape[1] != self._n_features_out:
            raise InvalidInputError(f"H has {H.shape[1]} columns, but there are {self._n_features_out} hidden units.")
        return self._visible_mean(H.astype(np.float64)).astype(H.dtype)

    def gibbs(self, X: Any, n_steps: int = 1, random_state: Any = None) -> np.ndarray:
        """Run the Gibbs chain visible -> hidden -> visible from each sample.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        n_steps : int
        random_state : int, Generator, RandomState or None
            None takes the machine's own seed: the same samples lead to the same states.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            States of the visible units.
        """
        v, dtype = self._visible(X)
        seed = self.seed_ if random_state is None else resolve_seed(random_state)
        return self._walk(v, n_steps, seed).astype(dtype)

    def sample(self, n: int = 1, n_steps: int = 1000, random_state: Any = None) -> np.ndarray:
        """Dream: run Gibbs chains from hidden units that are on or off at random.

        Parameters
        ----------
        n : int
            Number of chains.
        n_steps : int
            Length of each; at least 1.
        random_state : int, Generator, RandomState or None
            None takes the machine's own seed.

        Returns
        -------
        ndarray of shape (n, n_features), float64
            States of the visible units.
        """
        check_is_fitted(self)
        if n < 1 or n_steps < 1:
            raise InvalidInputError(f"sample takes n >= 1 and n_steps >= 1, got {n} and {n_steps}.")
        seed = self.seed_ if random_state is None else resolve_seed(random_state)
        rng = generator(seed, "dream")
        v = self._draw_visible(rng.integers(0, 2, (n, self._n_features_out)).astype(np.float64), rng)
        return self._walk(v, n_steps - 1, seed)

    def free_energy(self, X: Any) -> np.ndarray:
        """Return the free energy F(v), for which P(v) = exp(-F(v)) / Z.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,), float64
        """
        return partition.free_energy(self._machine(), self._visible(X)[0])

    def score_samples(self, X: Any, n_units: int | None = None) -> np.ndarray:
        """Return the log pseudo-likelihood: the sum of log P(v_i | all other units) over the visible units i.

        scikit-learn's ``BernoulliRBM`` looks at one random unit of each sample.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        n_units : int or None
            Estimate the sum from this many units, drawn by the machine's seed; None: all.

        Returns
        -------
        ndarray of shape (n_samples,), float64
            In nats, and at most 0 for binary units.
        """
        v, _ = self._visible(X)
        units = np.arange(v.shape[1])
        if n_units is not None:
            if not 1 <= n_units <= v.shape[1]:
                raise InvalidInputError(f"n_units must be in 1..{v.shape[1]}, got {n_units}.")
            units = generator(self.seed_, "pseudo-likelihood").permutation(units)[:n_units]
        return v.shape[1] * partition.log_pseudo_likelihood(self._machine(), v, units)

    def log_partition(
        self, method: str = "auto", *, n_chains: int = 100, n_temperatures: int = 1000, random_state: Any = None
    ) -> float:
        """Return log Z, so that the log-likelihood of X is ``-free_energy(X) - log_partition()``.

        Parameters
        ----------
        method : {"auto", "exact", "ais"}
            The sum over the smaller side's states (at most 22 units), or annealed importance
            sampling; "auto" takes the sum where it can be made.
        n_chains, n_temperatures : int
            Of "ais"; see `glassnet.learning.partition`, which also gives the standard error.
        random_state : int, Generator, RandomState or None
            None takes the machine's own seed.

        Returns
        -------
        float
            In nats.
        """
        machine = self._machine()
        n_hidden, n_visible = machine.weight.shape
        side = n_hidden if machine.gaussian else min(n_hidden, n_visible)
        if method not in ("auto", "exact", "ais"):
            raise UnknownNameError("method", method, ("auto", "exact", "ais"))
        if method == "exact" or (method == "auto" and side <= partition.MOST_UNITS):
            return partition.exact_log_partition(machine)
        seed = self.seed_ if random_state is None else resolve_seed(random_state)
        return partition.annealed_log_partition(machine, n_chains, n_temperatures, seed)[0]

    def _parameters(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        if not hasattr(self, "state_"):
            raise AttributeError("This RBM has no weights before it is fitted.")
        parameters = self.state_.arrays["parameters"]
        return split(parameters, self._n_features_out, len(parameters) // (self._n_features_out + 1))

    def _machine(self) -> partition.Machine:
        check_is_fitted(self)
        weight, hidden_bias, visible_bias = (array.astype(np.float64) for array in self._parameters())
        return partition.Machine(weight, hidden_bias, visible_bias, self.visible == "gaussian")

    def _hidden_mean(self, v: np.ndarray) -> np.ndarray:
        return sigmoid(v @ self.components_.T.astype(np.float64) + self.intercept_hidden_)

    def _visible_mean(self, h: np.ndarray) -> np.ndarray:
        field = h @ self.components_.astype(np.float64) + self.intercept_visible_
        return field if self.visible == "gaussian" else sigmoid(field)

    def _draw_visible(self, h: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        mean = self._visible_mean(h)
        if self.visible == "gaussian":
            return mean + rng.standard_normal(mean.shape)
        return (rng.random(mean.shape) < mean).astype(np.float64)

    def _walk(self, v: np.ndarray, n_steps: int, seed: int) -> np.ndarray:
        for step in range(n_steps):
            rng = generator(seed, "walk", step)
            mean = self._hidden_mean(v)
            v = self._draw_visible((rng.random(mean.shape) < mean).astype(np.float64), rng)
        return v

    def _visible(self, X: Any) -> tuple[np.ndarray, np.dtype]:
        """Return samples in the range of the units, float64, and the type they came in."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=FLOATS, accept_sparse="csr")
        X = X if isinstance(X, np.ndarray) else X.toarray()
        clipped, _ = in_range(X, self.visible, warn=not self.clipped_)
        return clipped.astype(np.float64), X.dtype

    def _validate(self, X: Any, reset: bool) -> np.ndarray:
        """Return the samples of a fit, checked, in the range of the units and in their precision."""
        check_positive_integers(self, "n_components", "n_gibbs_steps", "max_iter")
        if self.precision not in PRECISIONS:
            raise UnknownNameError("precision", self.precision, PRECISIONS)
        X = validate_data(self, X, reset=reset, accept_sparse="csr", dtype=storage(self.precision), order="C")
        X = X if isinstance(X, np.ndarray) else X.toarray()
        X, self.clipped_ = in_range(X, self.visible, warn=True)
        return X

    def _rule(self) -> DivergenceRule:
        return DivergenceRule(
            visible=self.visible,
            n_gibbs_steps=self.n_gibbs_steps,
            persistent=self.persistent,
            learning_rate=self.learning_rate_init,
            momentum=self.momentum,
            weight_decay=self.weight_decay,
            sparsity_target=self.sparsity_target,
            sparsity_cost=self.sparsity_cost,
            noise_free=self.noise_free,
        )

    def _start(self, X: np.ndarray) -> TrainingState:
        """Draw the initial weights under the seed."""
        self.seed_, self._n_features_out = resolve_seed(self.random_state), self.n_components
        return self._bind(self._initial_arrays(X), X)

    def _continue(self, X: np.ndarray) -> TrainingState:
        """Go on from the fitted weights, at the start of an epoch of this data."""
        old = self.state_
        if (n := self._n_features_out) != self.n_components:
            raise InvalidInputError(f"The fit has {n} hidden units; it cannot go on with {self.n_components}.")
        arrays = {name: old.arrays.get(name, array) for name, array in self._initial_arrays(X).items()}
        state = self._bind(arrays, X)
        state.step, state.epoch = old.step, old.epoch + (old.position > 0)
        return state

    def _initial_arrays(self, X: np.ndarray) -> dict[str, np.ndarray]:
        rng, shape = generator(self.seed_, "weights"), (self._n_features_out, X.shape[1])
        arrays = initial_arrays(*shape, self._batch_size(len(X)), self._rule(), rng, storage(self.precision))
        return {name: aligned(array) for name, array in arrays.items()}

    def _bind(self, arrays: dict[str, np.ndarray], X: np.ndarray) -> TrainingState:
        arrays = {name: array.astype(storage(self.precision), copy=False) for name, array in arrays.items()}
        engine = ContrastiveDivergenceEngine(self._rule(), self._n_features_out, X, self.precision == "bfloat16")
        self.state_ = TrainingState(arrays, engine, self.seed_, len(X), self._batch_size(len(X)), self.shuffle)
        return self.state_

    def _batch_size(self, n_samples: int) -> int:
        if self.batch_size == "auto":
            return min(100, n_samples)
        check_positive_integers(self, "batch_size")
        return min(int(self.batch_size), n_samples)

    def _run(self, state: TrainingState, n_epochs: int, observers: Sequence[Observer], earlier: list[float]) -> None:
        """Advance the state by ``n_epochs``; keep the fitted attributes whatever happens."""
        result = FitResult()
        try:
            with one_blas_thread():
                run_epochs(state, n_epochs, result, verbose=self.verbose, observers=observers)
        finally:
            self.loss_curve_ = [*earlier, *result.loss_curve]
            self.n_iter_ = len(self.loss_curve_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def storage(precision: str) -> str:
    """Return the type that parameters and samples are kept in."""
    return "float32" if precision == "bfloat16" else precision


def in_range(X: np.ndarray, visible: str, warn: bool) -> tuple[np.ndarray, bool]:
    """Return X in the range of the visible units, and whether that changed it; say so if ``warn``."""
    if visible == "gaussian":
        return X, False
    lowest, highest = (extreme.item() for extreme in torch.aminmax(as_tensor(X)))  # one pass, on all cores
    if lowest >= 0 and highest <= 1:
        return X, False
    if warn:
        warnings.warn(
            f"Binary visible units take values in [0, 1], but the values lie in [{lowest:g}, {highest:g}]: "
            "they were clipped. Scale them, or take visible='gaussian'.",
            GlassnetWarning,
            stacklevel=4,
        )
    return X.clip(0, 1), True
