"""Every picture that applies to one network and what it is given, and a page that holds them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.errors import GlassnetError, InvalidInputError, UnknownNameError
from glassnet.files import write_whole
from glassnet.plots.page import Figure, page
from glassnet.plots.style import THEMES
from glassnet.registry import PLOTS, resolve

if TYPE_CHECKING:
    from glassnet.inspect.traced import Trace
    from glassnet.plots.display import Display

MAX_BYTES = 4_000_000_000  # of a trace
MOST_NAMED = 8  # tensors that are not finite


@dataclass
class Subject:
    """A network, and the samples that it is looked at with.

    Parameters
    ----------
    name : str
        What the page calls it.
    model : Module or fitted estimator
    inputs : tuple of Tensor or ndarray
        What `glassnet.inspect.trace` calls it with.
    rows : ndarray of shape (n_samples, n_features), optional
        The same samples as an estimator takes them.
    labels : ndarray of shape (n_samples,), optional
        The true classes or values.
    image_shape : tuple of int, optional
        Of a row.
    target_names, feature_names : sequence of str
    facts : list of str
        What the page says about the input.
    """

    name: str
    model: Any
    inputs: tuple[Any, ...]
    rows: np.ndarray | None = None
    labels: np.ndarray | None = None
    image_shape: tuple[int, ...] | None = None
    target_names: Sequence[str] = ()
    feature_names: Sequence[str] = ()
    facts: list[str] = field(default_factory=list)

    @property
    def module(self) -> Any:
        """The torch module.

        Raises
        ------
        InvalidInputError
            If there is none.
        """
        from torch import nn

        module = getattr(self.model, "module_", self.model)
        if not isinstance(module, nn.Module):
            raise InvalidInputError(f"{type(self.model).__name__} is no torch module.")
        return module

    @property
    def estimator(self) -> Any:
        """The estimator.

        Raises
        ------
        InvalidInputError
            If the network is none.
        """
        if self.rows is None:
            raise InvalidInputError(f"{type(self.model).__name__} is no fitted estimator.")
        return self.model

    @property
    def classes(self) -> np.ndarray:
        """The true class of each sample.

        Raises
        ------
        InvalidInputError
            If they are not known, or the network is no classifier.
        """
        if self.labels is None or not hasattr(self.estimator, "classes_"):
            raise InvalidInputError("No true classes are known for this input.")
        return self.labels

    @cached_property
    def trace(self) -> Trace:
        """What the layers make of all samples."""
        from glassnet.inspect.trace import trace

        return trace(self.model, *self.inputs, max_bytes=MAX_BYTES)


def wiring(subject: Subject) -> Display:
    """Units and weights of a dense network."""
    from glassnet.plots.dense import dense_layers

    net = subject.estimator
    sizes = [weight.shape for weight, _ in dense_layers(net)]
    names = subject.feature_names if len(subject.feature_names) == sizes[0][0] else None
    targets = subject.target_names if len(subject.target_names) == sizes[-1][1] else None
    first = subject.rows[0] if subject.rows is not None and hasattr(net, "activations") else None
    return _plot("wiring").from_estimator(net, feature_names=names, target_names=targets, sample=first)


def equation(subject: Subject) -> Display:
    """The formula that the network computes."""
    if subject.rows is not None and not hasattr(subject.model, "module_"):
        return _plot("equation").from_estimator(subject.model)
    return _plot("equation").from_module(subject.module, *_first(subject.inputs))


def filters(subject: Subject) -> Display:
    """Weights that look at pictures."""
    if subject.rows is not None and not hasattr(subject.model, "module_"):
        if subject.image_shape is None:
            raise InvalidInputError("The network does not look at pictures.")
        return _plot("filters").from_estimator(subject.model, subject.image_shape)
    return _plot("filters").from_trace(subject.trace)


def histogram(subject: Subject) -> Display:
    """Values before and after each activation function, or each normalization of a module."""
    if subject.rows is not None and not hasattr(subject.model, "module_"):
        return _plot("activation-histogram").from_estimator(subject.model, subject.rows)
    return _plot("activation-histogram").from_trace(subject.trace)


def class_probabilities(subject: Subject) -> Display:
    """The classes' probabilities for the first sample, beside its true class or else the most likely one."""
    net = subject.estimator
    if not hasattr(net, "predict_proba") or subject.rows is None:
        raise InvalidInputError("The network gives no probabilities of classes.")
    label = net.predict(subject.rows[:1])[0] if subject.labels is None else subject.classes[0]
    names = [subject.target_names[int(c)] for c in net.classes_] if subject.target_names else None
    how = {"class_names": names, "image_shape": subject.image_shape}
    return _plot("class-probabilities").from_estimator(net, subject.rows[0], label, **how)


def embedding(subject: Subject) -> Display:
    """Where each layer puts the samples."""
    return _plot("embedding").from_trace(subject.trace, subject.classes, names=subject.target_names or None)


def decision_boundary(subject: Subject) -> Display:
    """What the network says on the plane of its features."""
    net, rows = subject.estimator, subject.rows
    if rows is None or subject.labels is None or rows.shape[1] < 2 or len(rows) < 3:
        raise InvalidInputError("A decision boundary takes several samples with their true classes.")
    plane = None if rows.shape[1] == 2 else "pca"
    return _plot("decision-boundary").from_estimator(net, rows, subject.labels, plane=plane)


def gradient_flow(subject: Subject) -> Display:
    """The gradient of the sum of all outputs, through the depth."""
    from glassnet.inspect.trace import trace

    seen = trace(subject.model, *subject.inputs, gradients=True, max_bytes=MAX_BYTES)
    return _plot("gradient-flow").from_traces({0: seen})


# name -> what draws it, and what the page says of it; the name without its suffix is a key of PLOTS
INSPECTIONS: dict[str, tuple[Callable[[Subject], Display], str]] = {
    "class-probabilities": (class_probabilities, "What the network says of the first sample."),
    "module-graph": (
        lambda s: _plot("module-graph").from_module(s.module, *_first(s.inputs)),
        "The network as a graph, read off one forward pass.",
    ),
    "architecture": (
        lambda s: _plot("architecture").from_module(s.module, *_first(s.inputs)),
        "The volumes that the layers make, in their sizes.",
    ),
    "wiring": (wiring, "Units and weights; blue is positive, orange negative."),
    "equation": (equation, "The formula."),
    "layer-tensors": (
        lambda s: _plot("layer-tensors").from_trace(s.trace),
        "Parameters and activations of each layer for up to three samples, with their shapes.",
    ),
    "signal": (
        lambda s: _plot("signal").from_trace(s.trace),
        "The first sample before and after each activation function; of a map its mean.",
    ),
    "filters": (filters, "Weights of the first layer that looks at the picture."),
    "feature-maps": (lambda s: _plot("feature-maps").from_trace(s.trace), "What the channels see in the first sample."),
    "attention": (
        lambda s: _plot("attention").from_trace(s.trace),
        "Attention weights of the last layer that attends, head by head.",
    ),
    "activation-histogram": (histogram, "How values are distributed before and after."),
    "embedding": (embedding, "The samples as each layer sees them, in its two principal components."),
    "decision-boundary": (decision_boundary, "What the network says around the samples."),
    "confusion-matrix": (
        lambda s: _plot("confusion-matrix").from_estimator(s.estimator, s.rows, s.classes),
        "True and predicted classes of the samples.",
    ),
    "weight-matrix": (lambda s: _plot("weight-matrix").from_estimator(s.estimator), "The weights as matrices."),
    "gradient-flow": (gradient_flow, "Gradient of the sum of all outputs with respect to each layer's weight."),
}


def write_inspection(
    subject: Subject,
    folder: str | Path,
    only: Sequence[str] | None = None,
    tell: Callable[[str, float], None] = lambda name, done: None,
) -> tuple[list[Path], dict[str, str]]:
    """Write every picture that applies, in both themes, and ``index.html``, which holds them all.

    Parameters
    ----------
    subject : Subject
    folder : str or Path
        Made if missing.
    only : sequence of str, optional
        Names of `INSPECTIONS`.
    tell : callable
        Is told the name of each picture before it is drawn, and the part that is done, 0 to 1.

    Returns
    -------
    written : list of Path
        The pictures, then the page.
    refused : dict of str to str
        Pictures that do not apply, and why.

    Raises
    ------
    UnknownNameError
        If there is no such picture.
    InvalidInputError
        If one of those asked for does not apply; the message names those that do.
    """
    for name in only or ():
        if name not in INSPECTIONS:
            raise UnknownNameError("picture of an inspection", name, INSPECTIONS)
    displays, refused = displays_of(subject, [*(INSPECTIONS if only is None else only)], tell)
    if only is not None and refused:
        _refuse(subject, refused, only)
    folder, written, figures = Path(folder), [], []
    for name, display in displays.items():
        paths = {theme: display.save(folder / f"{name}-{theme}.svg", theme=theme) for theme in THEMES}
        written += paths.values()
        figures.append(Figure(name, INSPECTIONS[name][1], {theme: path.read_bytes() for theme, path in paths.items()}))
    text = page(subject.name, [*subject.facts, *not_finite(subject)], figures, refused, _table(subject))
    return [*written, write_whole(folder / "index.html", text.encode())], refused


def displays_of(
    subject: Subject, names: Sequence[str], tell: Callable[[str, float], None] = lambda name, done: None
) -> tuple[dict[str, Display], dict[str, str]]:
    """Compute the pictures that apply; return them, and the reasons of those that do not."""
    displays: dict[str, Display] = {}
    refused: dict[str, str] = {}
    for i, name in enumerate(names):
        tell(name, i / len(names))
        try:
            displays[name] = INSPECTIONS[name][0](subject)
        except (GlassnetError, AttributeError, NotImplementedError) as error:
            refused[name] = str(error)
    return displays, refused


def _refuse(subject: Subject, refused: dict[str, str], only: Sequence[str]) -> None:
    rest = [name for name in INSPECTIONS if name not in only]
    apply, _ = displays_of(subject, rest)
    fitting = [name for name in INSPECTIONS if name in apply or (name in only and name not in refused)]
    said = "; ".join(f"{name!r} does not apply: {reason}" for name, reason in refused.items())
    raise InvalidInputError(f"{said} Those that do: {', '.join(fitting) or 'none'}.")


def not_finite(subject: Subject) -> list[str]:
    """Return in words which recorded tensors hold NaN or infinite values, none if all are finite."""
    try:
        keys = subject.trace.non_finite()
    except GlassnetError:
        return []
    if not keys:
        return []
    named = ", ".join(f"{address or '(model)'} {quantity}" for address, _, quantity in keys[:MOST_NAMED])
    more = f" and {len(keys) - MOST_NAMED} more" if len(keys) > MOST_NAMED else ""
    return [f"Not finite (NaN or infinite): {named}{more}."]


def _table(subject: Subject) -> str:
    """Return the table of layers as text, or nothing if the network has none."""
    from glassnet.inspect.describe import describe

    try:
        return str(describe(subject.model, *_first(subject.inputs)))
    except GlassnetError:
        return ""


def _first(inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the first sample of a batch."""
    return tuple(value[:1] for value in inputs)


def _plot(name: str) -> Any:
    return resolve(PLOTS, "plot", name)
