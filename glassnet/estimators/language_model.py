"""A text to more text: GPT as an estimator; `glassnet.estimators.text_base` tells how."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted

from glassnet.data.text_files import TextFiles, pieces_of
from glassnet.data.vocabulary import BytePairVocabulary, CharacterVocabulary
from glassnet.errors import GlassnetWarning, InvalidInputError, UnknownNameError
from glassnet.estimators.checks import check_positive_integers
from glassnet.estimators.text_base import TextEstimator
from glassnet.inspect.token_attention import TokenAttention
from glassnet.learning.sequences import Continuation
from glassnet.networks.decoding import chances, sample, sample_steps
from glassnet.networks.gpt import GPT
from glassnet.training.observers import Observer
from glassnet.training.processes import fit_in_processes, starts_processes

VOCABULARIES = ("characters", "byte-pairs")
# windows of a text that are measured at once
READ_AT_ONCE = 64


class WrittenToken(NamedTuple):
    """One token of `LanguageModel.write`.

    Parameters
    ----------
    text : str
        The token.
    candidates : list of str
        The tokens that it was drawn from, the likeliest first.
    probabilities : ndarray of shape (n_candidates,)
        With which it was drawn from them.
    n_read : int
        Tokens before it that the model has looked at.
    """

    text: str
    candidates: list[str]
    probabilities: np.ndarray
    n_read: int


class LanguageModel(TextEstimator):
    """A decoder-only Transformer (GPT) that learns one long text, and writes more of it.

    Parameters
    ----------
    vocabulary : {"characters", "byte-pairs"}, default="characters"
        "characters" knows those of the text only; in "byte-pairs" any text can be written.
    vocabulary_size : int, default=2000
        Most tokens of "byte-pairs", at least 259.
    n_positions : int, default=128
        The model sees so many tokens at most.
    d_model, n_heads, n_layers : int
    d_ff : int, optional
        4 d_model if not given.
    dropout : float, default=0.1
    norm_first : bool, default=True
        As in `GPT`.
    batch_size : int, default=32
        Windows of ``n_positions`` tokens in a batch.
    solver : {"sgd", "adam", "adamw"}, default="adamw"
    alpha : float, default=0.1
        Weight decay; as in `ModuleClassifier`.
    learning_rate : str, default="one-cycle"
        A schedule of `glassnet.learning.schedules`.
    learning_rate_init : float, default=2e-3
        Its highest rate. None: 1 / sqrt(d_model warmup_steps).
    warmup_steps : int, default=4000
        Of the schedule "warm-up".
    beta_1, beta_2, epsilon : float
        Of Adam.
    clip_norm : float, default=1
        Longest gradient.
    max_iter : int, default=5
        Number of epochs; each reads about the whole text once, cut into windows anew.
    average_last : int, default=1
        The network that writes has the mean of the weights at the end of the last so many epochs.
    random_state : int, RandomState, Generator or None
        Decides weights, windows and dropout.
    tol, n_iter_no_change, early_stopping, validation_fraction, warm_start, verbose
        As in `MLPClassifier`; held out is the end of the text. With ``tol=None`` exactly
        ``max_iter`` epochs are made.
    precision : {"float32", "bfloat16", "auto"}, default="float32"
        Of the matrix products in training; it writes in float32.
    device : {"cpu", "cuda", "auto"}, default="cpu"
    accumulate, processes
        As in `ModuleClassifier`; a loss counts by its tokens, however they are shared out.

    Attributes
    ----------
    vocabulary_ : CharacterVocabulary or BytePairVocabulary
    module_ : GPT
    loss_curve_ : list of float
        Mean loss of each epoch, in nats per token.
    validation_loss_curve_ : list of float
        Mean loss on another text after each epoch, in nats per token.
    n_iter_ : int
        Epochs made.
    state_ : TrainingState
        To it, each window is a sample.
    engine_, device_, precision_ : str

    References
    ----------
    Radford et al., "Language Models are Unsupervised Multitask Learners", OpenAI, 2019.

    Examples
    --------
    >>> net = LanguageModel(n_positions=8, d_model=16, n_heads=2, n_layers=1, dropout=0.0, batch_size=4,
    ...                     learning_rate_init=0.02, max_iter=20, random_state=0)
    >>> net.fit("to be or not " * 30).generate("to be", 8, temperature=0)
    'to be or not '
    """

    def __init__(
        self,
        vocabulary: str = "characters",
        *,
        vocabulary_size: int = 2000,
        n_positions: int = 128,
        d_model: int = 128,
        n_heads: int = 4,
        n_layers: int = 4,
        d_ff: int | None = None,
        dropout: float = 0.1,
        norm_first: bool = True,
        batch_size: int = 32,
        solver: str = "adamw",
        alpha: float = 0.1,
        learning_rate: str = "one-cycle",
        learning_rate_init: float | None = 2e-3,
        warmup_steps: int = 4000,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
        epsilon: float = 1e-8,
        clip_norm: float | None = 1.0,
        max_iter: int = 5,
        average_last: int = 1,
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
        self.vocabulary = vocabulary
        self.vocabulary_size = vocabulary_size
        self.n_positions = n_positions
        self.d_model = d_model
        self.n_heads = n_heads
        self.n_layers = n_layers
        self.d_ff = d_ff
        self.dropout = dropout
        self.norm_first = norm_first
        self.batch_size = batch_size
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

    def initialize(self, text: str | TextFiles) -> Any:  # type: ignore[override]
        """Learn the vocabulary, draw initial weights and return the state before the first step.

        Parameters
        ----------
        text : str or TextFiles

        Returns
        -------
        TrainingState
            Also kept as ``state_``.

        Raises
        ------
        InvalidInputError, UnknownNameError
            If the text or a parameter cannot be used.
        """
        return self._start(*self._validate(text))

    def fit(  # type: ignore[override]
        self,
        text: str | TextFiles,
        observers: Sequence[Observer] = (),
        resume: str | Path | None = None,
        validation: str | TextFiles | None = None,
    ) -> LanguageModel:
        """Learn a text.

        Parameters
        ----------
        text : str or TextFiles
            `glassnet.data.text_files.TextFiles` are read in pieces: they may be larger than memory.
        observers : sequence of Observer
            Called during the fit; they change nothing.
        resume : str or Path, optional
            Folder in which a `Checkpoint` of the same fit has left its state; it goes on from there,
            to the bit.
        validation : str or TextFiles, optional
            Another text, the loss on which is measured after every epoch.

        Returns
        -------
        self

        Raises
        ------
        InvalidInputError
            If a text has fewer than two tokens, or characters that the vocabulary does not know.
        DivergedError
            If the loss turns NaN or infinite; the best weights seen are kept.
        """
        if starts_processes(self):
            fit_in_processes(self, text, observers=observers, resume=resume, validation=validation)
            return self
        again = self.warm_start and hasattr(self, "state_")
        data = self._validate(text, reset=not again)
        held_out = None if validation is None else (self._encoded(validation, "validation"),)
        return self._fit_texts(data, again, observers, resume, held_out)

    def generate(
        self,
        prompt: str = "\n",
        n_tokens: int = 200,
        *,
        temperature: float = 1.0,
        top_k: int | None = None,
        random_state: Any = None,
        truncate: bool = False,
        cached: bool = True,
    ) -> str:
        """Continue a prompt.

        Parameters
        ----------
        prompt : str
            At least one token.
        n_tokens : int, default=200
            Number of tokens to write.
        temperature : float >= 0, default=1
            Divides the logits: below 1 the likely becomes more likely; 0 takes the most probable token.
        top_k : int, optional
            Draw from the k most probable tokens only.
        random_state : int, RandomState, Generator or None
        truncate : bool, default=False
            Read only the end of a prompt that is longer than ``n_positions``, with a warning.
        cached : bool, default=True
            Keep keys and values from token to token; without, the same is computed more slowly.

        Returns
        -------
        str
            The prompt and its continuation.

        Raises
        ------
        InvalidInputError
            If the prompt is empty, has unknown characters, or is too long.
        """
        check_is_fitted(self, "state_")
        if n_tokens < 0:
            raise InvalidInputError(f"n_tokens must be at least 0, got {n_tokens}.")
        tokens = self._window(prompt, "prompt", truncate)
        read = torch.tensor([tokens], device=self.device_)
        options = {"temperature": temperature, "top_k": top_k, "random_state": random_state, "cached": cached}
        written = sample(self.module_, read, n_tokens, **options)[0, len(tokens) :]  # type: ignore[arg-type]
        return prompt + self.vocabulary_.decode(written.tolist())

    def write(
        self,
        prompt: str = "\n",
        *,
        temperature: float = 1.0,
        top_k: int | None = None,
        random_state: Any = None,
        truncate: bool = False,
    ) -> Iterator[WrittenToken]:
        """Continue a prompt as `generate` does, token by token, without an end.

        Parameters
        ----------
        prompt, temperature, top_k, random_state, truncate
            As in `generate`.

        Returns
        -------
        iterator of WrittenToken
            Each token with what it was drawn from.

        Raises
        ------
        InvalidInputError
            As `generate`.
        """
        check_is_fitted(self, "state_")
        read = torch.tensor([self._window(prompt, "prompt", truncate)], device=self.device_)
        options = {"temperature": temperature, "top_k": top_k, "random_state": random_state}
        return self._named(sample_steps(self.module_, read, **options), temperature, top_k)  # type: ignore[arg-type]

    def _named(self, steps: Iterator, temperature: float, top_k: int | None) -> Iterator[WrittenToken]:
        """Yield the steps of a sampling in words."""
        for tokens, log_p, n_read in steps:
            probability, candidate = (values[0] for values in chances(log_p, temperature, top_k))
            drawn, *names = self.vocabulary_.tokens([int(tokens[0, -1]), *candidate.tolist()])
            yield WrittenToken(drawn, names, probability.numpy(), n_read)

    def attention(self, text: str, *, truncate: bool = False) -> TokenAttention:
        """Return who looks at whom, in every layer and head, when a text is read.

        Parameters
        ----------
        text : str
            At most ``n_positions`` tokens.
        truncate : bool, default=False
            Read only the end of a longer text, with a warning.

        Returns
        -------
        TokenAttention
            The tokens and the weights (layers, heads, query, key).
        """
        check_is_fitted(self, "state_")
        tokens = self._window(text, "text", truncate)
        with torch.no_grad():
            _, weights = self.module_(torch.tensor([tokens], device=self.device_), return_attention=True)
        names = self.vocabulary_.tokens(tokens)
        return TokenAttention(names, names, torch.cat(weights).cpu().numpy())

    def loss(self, text: str | TextFiles) -> float:
        """Return the mean cross-entropy of the tokens after the first, in nats per token.

        The text is read in windows of ``n_positions`` that lie side by side, so that each token
        is predicted from those before it in its window.

        Raises
        ------
        InvalidInputError
            If the text has fewer than two tokens, or unknown characters.
        """
        check_is_fitted(self, "state_")
        return self._mean_loss(self._encoded(text, "text"))

    def perplexity(self, text: str | TextFiles) -> float:
        """Return exp(`loss`): among so many tokens the network is undecided, in the mean."""
        return math.exp(self.loss(text))

    def score(self, text: str) -> float:  # type: ignore[override]
        """Return the mean log-likelihood of a text's tokens, -`loss`; the greater the better."""
        return -self.loss(text)

    def _window(self, text: str, name: str, truncate: bool) -> list[int]:
        """Return the tokens of a text that are not more than the model has positions for."""
        tokens = self.vocabulary_.encode(_text(text, name))
        if len(tokens) > self.n_positions:
            if not truncate:
                raise InvalidInputError(
                    f"{name} has {len(tokens)} tokens; allowed: at most n_positions={self.n_positions}, "
                    "or truncate=True to read only its end"
                )
            warnings.warn(
                f"{name} has {len(tokens)} tokens; the last {self.n_positions} are read",
                GlassnetWarning,
                stacklevel=3,
            )
        return tokens[-self.n_positions :]

    def _validate(self, text: Any, reset: bool = True) -> tuple:  # type: ignore[override]
        self._check_parameters()
        check_positive_integers(self, "n_positions", "batch_size", *([] if self.d_ff is None else ["d_ff"]))
        if self.vocabulary not in VOCABULARIES:
            raise UnknownNameError("vocabulary", self.vocabulary, VOCABULARIES)
        if reset:
            learn = _characters if self.vocabulary == "characters" else self._byte_pairs
            self._learn_vocabulary(lambda: learn(_text(text, "text")), _text(text, "text"))
        return (self._encoded(text, "text"),)

    def _byte_pairs(self, text: str | TextFiles) -> BytePairVocabulary:
        lines = (line for piece in pieces_of(text) for line in piece.splitlines(keepends=True))
        return BytePairVocabulary.fit(lines, self.vocabulary_size)

    def _encoded(self, text: Any, name: str) -> np.ndarray:
        if isinstance(text, TextFiles):
            tokens = text.tokens(self.vocabulary_)
        else:
            tokens = np.array(self.vocabulary_.encode(_text(text, name)))
        if len(tokens) < 2:
            raise InvalidInputError(f"{name} has {len(tokens)} token; allowed: at least 2")
        return tokens

    def _module(self) -> GPT:
        return GPT(
            len(self.vocabulary_),
            self.n_positions,
            d_model=self.d_model,
            n_heads=self.n_heads,
            n_layers=self.n_layers,
            d_ff=self.d_ff,
            dropout=self.dropout,
            norm_first=self.norm_first,
        )

    def _batching(self, seed: int, tokens: np.ndarray) -> tuple[Continuation, int, int]:
        objective = Continuation(tokens, self.n_positions, device=self.device_)
        return objective, objective.n_windows, min(int(self.batch_size), objective.n_windows)

    def _split(self, tokens: np.ndarray) -> tuple[tuple, tuple]:  # type: ignore[override]
        """Hold out the end of the text for early stopping."""
        n = min(len(tokens) - 2, max(2, round(self.validation_fraction * len(tokens))))
        return (tokens[:-n],), (tokens[-n:],)

    @torch.no_grad()
    def _mean_loss(self, tokens: np.ndarray) -> float:  # type: ignore[override]
        whole = Continuation(tokens, self.n_positions, shifted=False, device=self.device_)
        rest = tokens[whole.n_windows * whole.length :]  # the last window is shorter
        parts = [whole]
        if len(rest) > 1:
            parts.append(Continuation(rest, self.n_positions, shifted=False, device=self.device_))
        total = sum(
            float(part.total(self.module_, rows))  # type: ignore[arg-type]
            for part in parts
            for rows in torch.arange(part.n_windows).split(READ_AT_ONCE)
        )
        return total / (len(tokens) - 1)


def _characters(text: str | TextFiles) -> CharacterVocabulary:
    return CharacterVocabulary("".join(set().union(*pieces_of(text))))


def _text(text: Any, name: str) -> Any:
    """Return a text, checked: in memory or in files."""
    if isinstance(text, TextFiles):
        return text
    if not isinstance(text, str) or not text:
        raise InvalidInputError(f"{name} is {'empty' if text == '' else repr(text)}; allowed: a text")
    return text
