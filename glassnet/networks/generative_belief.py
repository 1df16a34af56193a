"""The deep belief network that dreams (2006): labels joined to its top machine, layers tuned up and down.

G. E. Hinton, S. Osindero, Y.-W. Teh, A fast learning algorithm for deep belief nets, Neural
Computation 18, 2006: the form of that paper, 784-500-(500 + 10)-2000.

Restricted Boltzmann machines are learned one on top of the other; the last of them sees the
hidden units below it and the label, a softmax group. Then `glassnet.learning.up_down` moves
all layers together. The network names a class by the free energy of the top machine F, and
dreams of one by a Gibbs chain with that label held fast::

    P(label | x) ~ exp(-F(h, label)),    h = the last but one layer's probabilities, given x
    F(h, l) = -b . (h, l) - sum over j of log(1 + exp((W (h, l) + c)_j))

Where we depart from the paper: see `glassnet.learning.up_down`; the number of Gibbs steps
stays the same all along, where theirs grew from 3 to 10; a dream starts from the way up of faint
grey noise, where theirs started from that of black and white noise.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from glassnet.errors import InvalidInputError
from glassnet.learning.activations import sigmoid, softmax
from glassnet.learning.contrastive_divergence import ContrastiveDivergenceEngine, DivergenceRule, initial_arrays
from glassnet.learning.schedules import learning_rates
from glassnet.learning.up_down import Memory, Pair, UpDownEngine, UpDownRule, memory_of, pairs_of
from glassnet.networks.rbm import storage
from glassnet.networks.stacked_rbms import StackedRBMs, Stage
from glassnet.seeds import generator, resolve_seed
from glassnet.training.observers import Observer
from glassnet.training.state import TrainingState, aligned

# brightest value of the noise that a dream starts from: brighter noise ends in dreams of nothing
FAINT = 0.2


class GenerativeBeliefClassifier(StackedRBMs):
    """Deep belief network that knows labels as part of its world: it names a class, and dreams of it.

    Parameters
    ----------
    hidden_layer_sizes : sequence of int, default=(500, 500, 2000)
        Units of each hidden layer, from the data up, at least two layers. The label joins the
        last but one.
    visible : {"binary", "gaussian"}, default="binary"
        Kind of the input units; binary ones take values in [0, 1], others are clipped, and a
        warning says so.
    pretrain_iter : int, default=10
        Epochs of every machine.
    pretrain_learning_rate : float, default=0.1
        Of the machines.
    pretrain_momentum : float, default=0.5
        In [0, 1).
    weight_decay : float, default=2e-4
        Of the machines; see `RBM`.
    n_gibbs_steps : int, default=1
        k of CD-k, before the fine-tuning.
    max_iter : int, default=20
        Epochs of the up-down algorithm.
    up_down_gibbs_steps : int, default=3
        Steps of the top machine's chain in it.
    learning_rate_init : float, default=0.02
        Of the up-down algorithm.
    learning_rate : {"constant", "step", "invscaling", "cosine", "one-cycle"}, default="constant"
        How that rate changes over the ``max_iter`` epochs; see `glassnet.learning.schedules`.
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
        "bfloat16" multiplies in it and keeps all else in float32.

    Attributes
    ----------
    rbms_ : list of RBM
        The machines below the top one, as pretraining left them.
    memory_ : TrainingState
        The top machine, as pretraining left it.
    state_ : TrainingState
        The fine-tuned network: recognition and generative weights of each layer, and the memory.
    classes_ : ndarray of shape (n_classes,)
    pretrain_loss_curves_ : list of list of float
        Of each machine, the reconstruction error of each epoch.
    loss_curve_ : list of float
        Mean squared error of the generated samples, of each epoch of the fine-tuning.
    n_iter_ : int
        Epochs of fine-tuning made.
    seed_ : int
        Names the random streams.

    References
    ----------
    G. E. Hinton, S. Osindero, Y.-W. Teh (2006). A fast learning algorithm for deep belief nets.

    Examples
    --------
    >>> X, y = np.array([[1, 1, 0, 0], [0, 0, 1, 1]] * 50), ["left", "right"] * 50
    >>> net = GenerativeBeliefClassifier((4, 4), pretrain_iter=40, batch_size=5, random_state=0).fit(X, y)
    >>> net.score(X, y)
    1.0
    >>> net.dream("left").round().tolist()
    [[1.0, 1.0, 0.0, 0.0]]
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
        up_down_gibbs_steps: int = 3,
        learning_rate_init: float = 0.02,
        learning_rate: str = "constant",
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
        self.up_down_gibbs_steps = up_down_gibbs_steps
        self.learning_rate_init = learning_rate_init
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.random_state = random_state
        self.warm_start = warm_start
        self.verbose = verbose
        self.precision = precision

    def pretrain(self, X: Any, y: Any, observers: Sequence[Observer] = ()) -> GenerativeBeliefClassifier:
        """Learn the machines, from the data up; the top one learns the labels, too.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        observers : sequence of Observer
            Watch every machine in its turn; each starts at step 0.

        Returns
        -------
        GenerativeBeliefClassifier
            The network itself.

        Raises
        ------
        DivergedError
            If the weights of a machine explode; the machines below it are kept.
        """
        self._check_parameters()
        again = self.warm_start and hasattr(self, "rbms_")
        X, y = self._validate(X, y, reset=not again)
        for stage in self._machine_stages(X, y, again):
            self._advance(stage, observers)
        return self

    def transform(self, X: Any, layer: int = -1) -> np.ndarray:
        """Return the activations of a hidden layer.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        layer : int
            From 0, or negative from the top. The top layer also sees the classes'
            probabilities.

        Returns
        -------
        ndarray of shape (n_samples, units)
        """
        X, layer = self._check_X(X), self._check_layer(layer)
        return self._up(X, layer).astype(X.dtype, copy=False)

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probability of each class, shape (n_samples, n_classes), rows summing to 1.

        Before the fine-tuning these are what the machines say, as pretraining has left them.
        """
        check_is_fitted(self, "classes_")
        below = self._up(self._check_X(X), len(self.hidden_layer_sizes) - 2)
        return self._label_probabilities(below)

    def predict(self, X: Any) -> np.ndarray:
        """Return the likeliest class of each sample, shape (n_samples,)."""
        likeliest = self.predict_proba(X).argmax(1)
        return self.classes_[likeliest]

    def dream(self, label: Any, n: int = 1, n_steps: int = 100, random_state: Any = None) -> np.ndarray:
        """Dream of a class: hold its label fast, let the top machine run, then go down.

        Parameters
        ----------
        label : object
            One of ``classes_``.
        n : int
            Number of dreams, each of a chain of its own.
        n_steps : int
            Gibbs steps of each, at least 1. Of a machine that has learned by few steps, long
            chains may fall silent.
        random_state : int, Generator, RandomState or None
            None takes the network's own seed.

        Returns
        -------
        ndarray of shape (n, n_features), float64
            Means of the visible units.

        Raises
        ------
        InvalidInputError
            If there is no such class, or a number is below 1.
        """
        if n_steps < 1:
            raise InvalidInputError(f"dream takes n_steps >= 1, got {n_steps}.")
        seed, chain = self._begin_dream(label, n, random_state)
        below = next(islice(chain, n_steps, None))
        return self._look_down(below, seed, n_steps)

    def dreaming(self, label: Any, n: int = 1, random_state: Any = None) -> Iterator[np.ndarray]:
        """Watch `dream` step by step.

        Parameters
        ----------
        label, n, random_state
            As in `dream`, which stops after so many steps.

        Yields
        ------
        ndarray of shape (n, n_features), float64
            What the state of the top machine looks like at the start and after each Gibbs step, without end.

        Raises
        ------
        InvalidInputError
            If there is no such class, or ``n`` is below 1.
        """
        seed, chain = self._begin_dream(label, n, random_state)
        return (self._look_down(below, seed, step) for step, below in enumerate(chain))

    def _begin_dream(self, label: Any, n: int, random_state: Any) -> tuple[int, Iterator[np.ndarray]]:
        """Return the seed of some dreams and their chain, checked."""
        check_is_fitted(self, "classes_")
        known = np.flatnonzero(self.classes_ == label)
        if not known.size:
            raise InvalidInputError(f"There is no class {label!r} to dream of; allowed: {self.classes_.tolist()}.")
        if n < 1:
            raise InvalidInputError(f"dream takes n >= 1, got {n}.")
        seed = self.seed_ if random_state is None else resolve_seed(random_state)
        return seed, self._chain(np.eye(len(self.classes_))[np.full(n, known[0])], seed)

    def _chain(self, labels: np.ndarray, seed: int) -> Iterator[np.ndarray]:
        """Yield the states below the top machine, at first and after each Gibbs step with these labels held fast."""
        rng, memory = generator(seed, "dream"), self._memory()
        n_below, n_pairs = memory.weight.shape[1] - labels.shape[1], len(self.hidden_layer_sizes) - 1
        noise = FAINT * rng.random((len(labels), self.n_features_in_))
        below = _fired(self._up(noise, n_pairs - 1), rng)
        while True:
            yield below
            hidden = _fired(sigmoid(np.hstack([below, labels]) @ memory.weight.T + memory.hidden_bias), rng)
            below = _fired(sigmoid(hidden @ memory.weight[:, :n_below] + memory.visible_bias[:n_below]), rng)

    def _look_down(self, below: np.ndarray, seed: int, step: int) -> np.ndarray:
        """Return the means of the visible units, after drawing the layers above them."""
        pairs, rng = self._pairs(), generator(seed, "look down", step)
        for k in reversed(range(1, len(pairs))):
            below = _fired(self._generate(pairs, k, below), rng)
        return self._generate(pairs, 0, below)

    def without_stages(self) -> GenerativeBeliefClassifier:
        """Return a copy that has forgotten its machines if it is fine-tuned: all it needs grew out of them.

        It predicts, dreams and is fine-tuned further as before.
        """
        net = super().without_stages()
        if self.__sklearn_is_fitted__():
            vars(net).pop("memory_", None)
        return net

    def _fine_tuned(self) -> TrainingState:
        if not self.__sklearn_is_fitted__():
            raise AttributeError("This GenerativeBeliefClassifier is not fine-tuned yet.")
        return self.state_

    def _pretraining(self) -> list[TrainingState]:
        return [*super()._pretraining(), *([self.memory_] if hasattr(self, "memory_") else [])]

    def _check_parameters(self) -> None:
        super()._check_parameters()
        if len(self.hidden_layer_sizes) < 2:
            raise InvalidInputError(f"The label joins the last but one layer; got only {self.hidden_layer_sizes!r}.")

    def _check_fine_tuning(self, X: np.ndarray, y: np.ndarray) -> None:
        check_classification_targets(y)
        learning_rates(self.learning_rate, self.learning_rate_init, 0, 1, 1)

    def _machine_stages(self, X: np.ndarray, y: Any, again: bool) -> Iterator[Stage]:
        self._check_fine_tuning(X, y)
        if not again:
            for name in ("memory_", "state_", "classes_"):
                vars(self).pop(name, None)
        elif self.__sklearn_is_fitted__() and not self.rbms_:
            return  # all that a compact run has kept of them is in the fine-tuned state
        n_machines = len(self.hidden_layer_sizes) - 1
        below = yield from self._rbm_stages(X, n_machines, again)
        below = self.rbms_[-1].transform(below)
        if not hasattr(self, "memory_"):
            self.classes_ = np.unique(y)
            self._pretrain_losses.append([])
        seen = np.hstack([below, self._labels(y, len(X))]).astype(storage(self.precision))
        self.memory_ = self._bound_memory(seen)
        yield Stage(f"layer {n_machines + 1}", self.memory_, self._pretrain_losses[n_machines], self.pretrain_iter)

    def _rule(self) -> DivergenceRule:
        """Return how the top machine learns."""
        return DivergenceRule(
            n_gibbs_steps=self.n_gibbs_steps,
            learning_rate=self.pretrain_learning_rate,
            momentum=self.pretrain_momentum,
            weight_decay=self.weight_decay,
            n_labels=len(self.classes_),
        )

    def _bound_memory(self, seen: np.ndarray) -> TrainingState:
        """Return the state of the top machine, bound to what it sees."""
        rule, n_top, batch = self._rule(), self.hidden_layer_sizes[-1], self._batch(len(seen))
        seed = self._seed(len(self.hidden_layer_sizes) - 1)
        arrays = initial_arrays(n_top, seen.shape[1], batch, rule, generator(seed, "weights"), storage(self.precision))
        engine = ContrastiveDivergenceEngine(rule, n_top, seen, self.precision == "bfloat16")
        return self._bound("memory_", arrays, engine, seed, len(seen))

    def _tuning_stage(self, X: np.ndarray, y: np.ndarray, again: bool) -> Stage:
        check_is_fitted(self, "classes_")
        if not again:
            vars(self).pop("state_", None)
            self._losses = []
        rule = UpDownRule(
            n_gibbs_steps=self.up_down_gibbs_steps,
            learning_rate=self.learning_rate_init,
            schedule=self.learning_rate,
            total_steps=self.max_iter * -(-len(X) // self._batch(len(X))),
            gaussian=self.visible == "gaussian",
        )
        labels = self._labels(y, len(X)).astype(X.dtype)
        engine = UpDownEngine(rule, X, labels, self.precision == "bfloat16")
        seed = self._seed(len(self.hidden_layer_sizes))
        self.state_ = self._bound("state_", self._learned(), engine, seed, len(X))
        return Stage("up-down", self.state_, self._losses, self.max_iter)

    def _bound(self, name: str, arrays: dict[str, np.ndarray], engine: Any, seed: int, n_samples: int) -> TrainingState:
        """Return a state bound to its data: at the start, or where the one of this name was interrupted."""
        arrays = {key: aligned(array) for key, array in arrays.items()}
        state = TrainingState(arrays, engine, seed, n_samples, self._batch(n_samples))
        if hasattr(self, name):
            state.load_state_dict(getattr(self, name).state_dict())
        return state

    def _learned(self) -> dict[str, np.ndarray]:
        """Return the weights as far as they are learned: before the fine-tuning both of a pair are its machine's."""
        if hasattr(self, "state_"):
            return self.state_.arrays
        arrays = {"memory": self.memory_.arrays["parameters"]} if hasattr(self, "memory_") else {}
        for k, rbm in enumerate(self.rbms_):
            weights = (rbm.components_, rbm.intercept_hidden_, rbm.components_, rbm.intercept_visible_)
            arrays |= {f"{name}_{k}": array for name, array in zip(Pair._fields, weights, strict=True)}
        return arrays

    def _pairs(self) -> list[Pair]:
        """Return the weights below the top machine in float64."""
        arrays = {name: array for name, array in self._learned().items() if name != "memory"}
        return pairs_of({name: array.astype(np.float64, copy=False) for name, array in arrays.items()})

    def _memory(self) -> Memory:
        """Return the weights of the top machine in float64."""
        flat = self._learned()["memory"].astype(np.float64, copy=False)
        return memory_of(flat, self.hidden_layer_sizes[-2] + len(self.classes_))

    def _weights(self, layer: int) -> list[np.ndarray]:
        weights = [pair.recognition for pair in self._pairs()]
        if layer == len(weights):
            weights.append(self._memory().weight[:, : -len(self.classes_)])
        return weights[: layer + 1]

    def _labels(self, y: Any, n_samples: int) -> np.ndarray:
        if unknown := set(np.unique(y).tolist()) - set(self.classes_.tolist()):
            raise InvalidInputError(f"The top machine was pretrained without the classes {sorted(unknown)}.")
        return (np.asarray(y)[:, None] == self.classes_).astype(np.float32)

    def _label_probabilities(self, below: np.ndarray) -> np.ndarray:
        """P(label | the layer that the labels join)."""
        memory, n_below = self._memory(), below.shape[1]
        field = below @ memory.weight[:, :n_below].T + memory.hidden_bias
        energies = [  # up to what all labels share
            -bias - np.logaddexp(0, field + weight).sum(1)
            for weight, bias in zip(memory.weight.T[n_below:], memory.visible_bias[n_below:], strict=True)
        ]
        return softmax(-np.stack(energies, axis=1))

    def _up(self, X: np.ndarray, layer: int) -> np.ndarray:
        pairs, hidden = self._pairs(), np.asarray(X, dtype=np.float64)
        for pair in pairs[: layer + 1]:
            hidden = sigmoid(hidden @ pair.recognition.T + pair.recognition_bias)
        if layer < len(pairs):
            return hidden
        memory, seen = self._memory(), np.hstack([hidden, self._label_probabilities(hidden)])
        return sigmoid(seen @ memory.weight.T + memory.hidden_bias)

    def _down(self, hidden: np.ndarray, layer: int) -> np.ndarray:
        pairs = self._pairs()
        if layer == len(pairs):
            memory, n_below = self._memory(), self.hidden_layer_sizes[-2]
            hidden = sigmoid(hidden @ memory.weight[:, :n_below] + memory.visible_bias[:n_below])
        for k in reversed(range(min(layer + 1, len(pairs)))):
            hidden = self._generate(pairs, k, hidden)
        return hidden

    def _generate(self, pairs: list[Pair], k: int, above: np.ndarray) -> np.ndarray:
        """Return the means of layer k's lower units, given those above."""
        field = above @ pairs[k].generative + pairs[k].generative_bias
        return field if k == 0 and self.visible == "gaussian" else sigmoid(field)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "state_")


def _fired(mean: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return (rng.random(mean.shape) < mean).astype(np.float64)
