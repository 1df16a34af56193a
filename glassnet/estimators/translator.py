"""Sentences to sentences: the Transformer of 2017 as an estimator; `glassnet.estimators.text_base` tells how."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted

from glassnet.data.text import check_sentences, token_batches
from glassnet.data.vocabulary import BEGIN, END, BytePairVocabulary
from glassnet.errors import InvalidInputError, MissingDependencyError
from glassnet.estimators.checks import check_positive_integers
from glassnet.estimators.text_base import TextEstimator
from glassnet.inspect.token_attention import TokenAttention, TranslationAttention
from glassnet.learning.optimizers import Solver
from glassnet.learning.sequences import TokenBatchEngine, Translation, padded
from glassnet.networks.decoding import beam_search
from glassnet.networks.transformer import Transformer
from glassnet.seeds import generator, resolve_seed
from glassnet.training.observers import Observer
from glassnet.training.processes import fit_in_processes, starts_processes

# source tokens that are translated, or measured, at once
READ_AT_ONCE = 2000


class Translator(TextEstimator):
    """The Transformer of "Attention Is All You Need", from sentences to their translations.

    Both languages share one byte-pair vocabulary; any text can be read and written in it.

    Parameters
    ----------
    vocabulary_size : int, default=8000
        Most tokens of the vocabulary, at least 259.
    d_model, n_heads, d_ff, n_layers : int
        Width, heads, inner width of the feed-forward nets, layers of each stack; the paper's base
        model has 512, 8, 2048 and 6.
    dropout : float, default=0.1
    norm_first : bool, default=False
        As in `Transformer`.
    label_smoothing : float, default=0.1
        Share of the target in [0, 1) that is spread evenly over all tokens.
    max_tokens : int, default=4096
        A batch has sentences of like length, and at most so many tokens on either side.
    solver : {"sgd", "adam", "adamw"}, default="adam"
    alpha : float, default=0
        Weight decay; as in `ModuleClassifier`.
    learning_rate : str, default="warm-up"
        A schedule of `glassnet.learning.schedules`.
    learning_rate_init : float, optional
        Its highest rate; if not given, the paper's: 1 / sqrt(d_model warmup_steps).
    warmup_steps : int, default=4000
    beta_1, beta_2, epsilon : float
        Of Adam; the defaults are the paper's.
    clip_norm : float, optional
        Longest gradient.
    max_iter : int, default=20
        Number of epochs.
    average_last : int, default=5
        The network that translates has the mean of the weights at the end of the last so many epochs.
    random_state : int, RandomState, Generator or None
        Decides weights, batches and dropout.
    tol, n_iter_no_change, early_stopping, validation_fraction, warm_start, verbose
        As in `MLPClassifier`; with ``tol=None`` exactly ``max_iter`` epochs are made.
    precision : {"float32", "bfloat16", "auto"}, default="float32"
        Of the matrix products in training; translations are made in float32.
    device : {"cpu", "cuda", "auto"}, default="cpu"
    accumulate, processes
        As in `ModuleClassifier`; a loss counts by its tokens, however they are shared out.

    Attributes
    ----------
    vocabulary_ : BytePairVocabulary
    module_ : Transformer
    loss_curve_ : list of float
        Mean over the batches of each epoch, in nats per target token, smoothing included.
    validation_loss_curve_ : list of float
        Mean loss on other sentences after each epoch, in nats per target token, without smoothing.
    n_iter_ : int
        Epochs made.
    state_ : TrainingState
        To it, each batch is one sample.
    engine_, device_, precision_ : str

    References
    ----------
    Vaswani et al., "Attention Is All You Need", 2017, arXiv:1706.03762.

    Examples
    --------
    >>> english = ["one dog", "one cat", "two dogs", "two cats"]
    >>> german = ["ein Hund", "eine Katze", "zwei Hunde", "zwei Katzen"]
    >>> net = Translator(300, d_model=16, n_heads=2, d_ff=32, n_layers=1, dropout=0.0, label_smoothing=0.0,
    ...                  learning_rate="constant", learning_rate_init=0.01, max_iter=60, random_state=0)
    >>> net.fit(english, german).translate(["one cat"])
    ['eine Katze']
    """

    def __init__(
        self,
        vocabulary_size: int = 8000,
        *,
        d_model: int = 256,
        n_heads: int = 4,
        d_ff: int = 1024,
        n_layers: int = 3,
        dropout: float = 0.1,
        norm_first: bool = False,
        label_smoothing: float = 0.1,
        max_tokens: int = 4096,
        solver: str = "adam",
        alpha: float = 0.0,
        learning_rate: str = "warm-up",
        learning_rate_init: float | None = None,
        warmup_steps: int = 4000,
        beta_1: float = 0.9,
        beta_2: float = 0.98,
        epsilon: float = 1e-9,
        clip_norm: float | None = None,
        max_iter: int = 20,
        average_last: int = 5,
        random_state: Any = None,
        tol: float | None = None,
        n_iter_no_change: int = 10,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        warm_start: bool = False,
        verbose: bool = False,
        precision: str = "float32",
        device: str = "cpu",
        accumulate: int = 1,
        processes: int = 1,
    ):
        self.vocabulary_size = vocabulary_size
        self.d_model = d_model
        self.n_heads = n_heads
        self.d_ff = d_ff
        self.n_layers = n_layers
        self.dropout = dropout
        self.norm_first = norm_first
        self.label_smoothing = label_smoothing
        self.max_tokens = max_tokens
        self.solver = solver
        self.alpha = alpha
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.warmup_steps = warmup_steps
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.clip_norm = clip_norm
        self.max_iter = max_iter
        self.average_last = average_last
        self.random_state = random_state
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.warm_start = warm_start
        self.verbose = verbose
        self.precision = precision
        self.device = device
        self.accumulate = accumulate
        self.processes = processes

    def initialize(self, source: Sequence[str], target: Sequence[str]) -> Any:  # type: ignore[override]
        """Learn the vocabulary, draw initial weights and return the state before the first step.

        Parameters
        ----------
        source, target : sequence of str

        Returns
        -------
        TrainingState
            Also kept as ``state_``.

        Raises
        ------
        InvalidInputError, UnknownNameError
            If the sentences or a parameter cannot be used.
        """
        return self._start(*self._validate(source, target))

    def fit(  # type: ignore[override]
        self,
        source: Sequence[str],
        target: Sequence[str],
        observers: Sequence[Observer] = (),
        resume: str | Path | None = None,
        validation: tuple[Sequence[str], Sequence[str]] | None = None,
    ) -> Translator:
        """Learn to translate.

        Parameters
        ----------
        source, target : sequence of str
            Sentence i of the one is the translation of sentence i of the other.
        observers : sequence of Observer
            Called during the fit; they change nothing.
        resume : str or Path, optional
            Folder in which a `Checkpoint` of the same fit has left its state; it goes on from there,
            to the bit.
        validation : (source, target), optional
            Other sentences, the loss on which is measured after every epoch.

        Returns
        -------
        self

        Raises
        ------
        InvalidInputError
            If a sentence is empty, too long for a batch, or there are not equally many.
        MissingDependencyError
            If `tokenizers` is not installed.
        DivergedError
            If the loss turns NaN or infinite; the best weights seen are kept.
        """
        if starts_processes(self):
            fit_in_processes(self, source, target, observers=observers, resume=resume, validation=validation)
            return self
        again = self.warm_start and hasattr(self, "state_")
        data = self._validate(source, target, reset=not again)
        held_out = None if validation is None else self._encoded(*validation)
        return self._fit_texts(data, again, observers, resume, held_out)

    def translate(
        self,
        sentences: Sequence[str],
        beam_size: int = 4,
        *,
        length_penalty: float = 0.6,
        max_length: int | None = None,
        cached: bool = True,
    ) -> list[str]:
        """Return the translation of each sentence, by beam search.

        Parameters
        ----------
        sentences : sequence of str
        beam_size : int, default=4
            Hypotheses that are followed at a time; 1 takes the most probable token at each step.
        length_penalty : float, default=0.6
            As in `glassnet.networks.decoding.beam_search`.
        max_length : int, optional
            Most tokens of a translation; 50 more than the source has, if not given.
        cached : bool, default=True
            Keep keys and values from step to step; without, the same is computed more slowly.

        Returns
        -------
        list of str

        Raises
        ------
        InvalidInputError
            If a sentence is empty, or one string was given in place of a list.
        """
        check_is_fitted(self, "state_")
        options = {"beam_size": beam_size, "length_penalty": length_penalty, "max_length": max_length}
        sources = self.vocabulary_.encode_all(checked(sentences, "sentences"))
        module, written = self.module_, [""] * len(sources)
        for rows in self._portions(sources):
            source, mask = padded([np.array([*sources[i], END]) for i in rows], self.device_)
            tokens, _ = beam_search(module, source, mask, cached=cached, **options)  # type: ignore[arg-type]
            for i, target in zip(rows, tokens.tolist(), strict=True):
                written[i] = self.vocabulary_.decode(target)
        return written

    def attention(self, source: str, target: str | None = None, *, beam_size: int = 4) -> TranslationAttention:
        """Return who looks at whom, in every layer and head, when a sentence is translated.

        Parameters
        ----------
        source : str
        target : str, optional
            Its translation; if not given, the network's own.
        beam_size : int, default=4
            For the network's own.

        Returns
        -------
        TranslationAttention
            ``encoder``, ``decoder`` and ``cross``, each with the tokens and the weights
            (layers, heads, query, key) that made the output.
        """
        read, written = self._pair(source, target, beam_size)
        with torch.no_grad():
            tokens = [torch.tensor([ids], device=self.device_) for ids in (read, written)]
            _, weights = self.module_(*tokens, return_attention=True)
        names = [self.vocabulary_.tokens(ids) for ids in (read, written)]
        sides = {"encoder": (0, 0), "decoder": (1, 1), "cross": (1, 0)}
        return TranslationAttention(
            *(
                TokenAttention(names[q], names[k], torch.cat(getattr(weights, part)).cpu().numpy())
                for part, (q, k) in sides.items()
            )
        )

    def alternatives(
        self, source: str, target: str | None = None, n: int = 5, *, beam_size: int = 4
    ) -> list[list[tuple[str, float]]]:
        """Return which tokens could stand at each place of a translation, given those before it.

        Parameters
        ----------
        source, target, beam_size
            As in `attention`.
        n : int, default=5

        Returns
        -------
        list of list of (str, float)
            For each token of the target, and for its end, the ``n`` most probable tokens with
            their probabilities, the largest first.
        """
        read, written = self._pair(source, target, beam_size)
        with torch.no_grad():
            tokens = [torch.tensor([ids], device=self.device_) for ids in (read, written)]
            likely, ids = self.module_(*tokens)[0].float().softmax(dim=-1).topk(n)  # (T, n)
        names = [self.vocabulary_.tokens(row) for row in ids.tolist()]
        return [list(zip(*row, strict=True)) for row in zip(names, likely.tolist(), strict=True)]

    def _pair(self, source: str, target: str | None, beam_size: int) -> tuple[list[int], list[int]]:
        """Return the tokens that the encoder and the decoder are given; the target is the network's own, if None."""
        check_is_fitted(self, "state_")
        target = self.translate([source], beam_size)[0] if target is None else checked([target], "target")[0]
        read = [*self.vocabulary_.encode(checked([source], "source")[0]), END]
        return read, [BEGIN, *self.vocabulary_.encode(target)]

    def loss(self, source: Sequence[str], target: Sequence[str]) -> float:
        """Return the mean cross-entropy of the targets, in nats per token, the end tokens included.

        Its exponential is the perplexity.
        """
        check_is_fitted(self, "state_")
        return self._mean_loss(*self._encoded(source, target))

    def perplexity(self, source: Sequence[str], target: Sequence[str]) -> float:
        """Return exp(`loss`): among so many tokens the network is undecided, in the mean."""
        return math.exp(self.loss(source, target))

    def score(  # type: ignore[override]
        self, source: Sequence[str], target: Sequence[str], beam_size: int = 4
    ) -> float:
        """Return the BLEU of the translations, from 0 to 100: cased, tokenized by sacrebleu's "13a".

        Parameters
        ----------
        source : sequence of str
        target : sequence of str
            One reference for each.
        beam_size : int, default=4

        Raises
        ------
        MissingDependencyError
            If `sacrebleu` is not installed.
        """
        references = checked(target, "target")
        _check_equally_many(source, references)
        return bleu(self.translate(source, beam_size), references)

    def _validate(self, source: Any, target: Any, reset: bool = True) -> tuple:  # type: ignore[override]
        self._check_parameters()
        check_positive_integers(self, "d_ff", "max_tokens")
        if not 0 <= self.label_smoothing < 1:
            raise InvalidInputError(f"label_smoothing must be in [0, 1), got {self.label_smoothing}.")
        source, target = checked(source, "source"), checked(target, "target")
        _check_equally_many(source, target)
        if reset:
            texts = [*source, *target]
            self._learn_vocabulary(lambda: BytePairVocabulary.fit(texts, self.vocabulary_size), *texts)
        return self._encoded(source, target)

    def _encoded(self, source: Sequence[str], target: Sequence[str]) -> tuple[list[list[int]], list[list[int]]]:
        source, target = checked(source, "source"), checked(target, "target")
        _check_equally_many(source, target)
        return self.vocabulary_.encode_all(source), self.vocabulary_.encode_all(target)

    def _module(self) -> Transformer:
        return Transformer(
            len(self.vocabulary_),
            d_model=self.d_model,
            n_heads=self.n_heads,
            d_ff=self.d_ff,
            n_layers=self.n_layers,
            dropout=self.dropout,
            norm_first=self.norm_first,
        )

    def _batching(self, seed: int, sources: list, targets: list) -> tuple[Translation, int, int]:
        objective = Translation(sources, targets, self.label_smoothing, self.device_)
        return objective, len(token_batches(objective.lengths, self.max_tokens, seed, 0)), 1

    def _engine(self, arrays: dict[str, np.ndarray], solver: Solver, objective: Translation) -> TokenBatchEngine:
        return TokenBatchEngine(super()._engine(arrays, solver, objective), objective.lengths, self.max_tokens)

    def _split(self, sources: list, targets: list) -> tuple[tuple, tuple]:  # type: ignore[override]
        """Hold out a part of the pairs for early stopping."""
        order = generator(resolve_seed(self.random_state), "validation").permutation(len(sources))
        n = min(len(order) - 1, max(1, round(self.validation_fraction * len(order))))
        parts = (order[n:], order[:n])
        return tuple(([sources[i] for i in rows], [targets[i] for i in rows]) for rows in parts)  # type: ignore

    @torch.no_grad()
    def _mean_loss(self, sources: list, targets: list) -> float:  # type: ignore[override]
        objective, module, total, n_tokens = Translation(sources, targets, device=self.device_), self.module_, 0.0, 0.0
        for rows in self._portions(sources):
            batch = torch.from_numpy(rows)
            total += float(objective.total(module, batch))  # type: ignore[arg-type]
            n_tokens += objective.weight(batch)
        return total / n_tokens

    def _portions(self, sources: list[list[int]]) -> Iterator[np.ndarray]:
        """Yield indices of sentences of like length, about `READ_AT_ONCE` tokens at a time."""
        lengths = np.array([len(tokens) + 1 for tokens in sources])
        order = np.argsort(-lengths, kind="stable")
        while len(order):
            n = max(1, READ_AT_ONCE // int(lengths[order[0]]))
            yield order[:n]
            order = order[n:]


def checked(sentences: Any, name: str) -> list[str]:
    """Return sentences as a list.

    Raises
    ------
    InvalidInputError
        If there are none, one is empty or no text, or a single string was given.

    Examples
    --------
    >>> checked("A man.", "sentences")
    Traceback (most recent call last):
    ...
    glassnet.errors.InvalidInputError: sentences is one string; allowed: a list of strings
    """
    if isinstance(sentences, str):
        raise InvalidInputError(f"{name} is one string; allowed: a list of strings")
    sentences = list(sentences)
    for number, sentence in enumerate(sentences, 1):
        if not isinstance(sentence, str):
            raise InvalidInputError(f"{name} has {sentence!r} as number {number}; allowed: strings")
    check_sentences(sentences, name)
    return sentences


def bleu(translations: Sequence[str], references: Sequence[str]) -> float:
    """Return the corpus BLEU by sacrebleu, cased, from 0 to 100.

    Raises
    ------
    MissingDependencyError
        If `sacrebleu` is not installed.
    """
    try:
        import sacrebleu
    except ImportError as error:
        raise MissingDependencyError(
            "BLEU needs sacrebleu, which is not installed: pip install 'glassnet[text]'"
        ) from error
    return float(sacrebleu.corpus_bleu(list(translations), [list(references)]).score)


def _check_equally_many(source: Sequence[str], target: Sequence[str]) -> None:
    if len(source) != len(target):
        raise InvalidInputError(f"there are {len(source)} sources and {len(target)} targets; allowed: equally many")
