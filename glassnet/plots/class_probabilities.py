"""What a classifier says of one sample, beside what is true, and the loss that follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.errors import InvalidInputError
from glassnet.plots.display import Display
from glassnet.plots.style import Theme, number, panels, put_text, use_axes, use_frame

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

MAX_CLASSES = 12


@dataclass
class ClassProbabilitiesDisplay(Display):
    """Probabilities of the classes as bars, the label's own filled, with the cross-entropy loss.

    Parameters
    ----------
    probabilities : ndarray of shape (n_classes,)
        Sum to 1.
    classes : tuple of str
        Names.
    label : int
        Number of the true class.
    picture : ndarray or None
        The sample as (height, width) or (height, width, 3), if it is a picture.

    Examples
    --------
    >>> display = ClassProbabilitiesDisplay(np.array([0.25, 0.75]), ("cat", "dog"), label=1)
    >>> round(display.loss, 4)
    0.2877
    """

    probabilities: np.ndarray
    classes: tuple[str, ...]
    label: int
    picture: np.ndarray | None = None

    def __post_init__(self) -> None:
        p, n = self.probabilities, len(self.classes)
        if p.shape != (n,) or not np.all(p >= 0) or not np.isclose(p.sum(), 1, atol=1e-4):
            raise InvalidInputError(f"{n} classes have {n} probabilities that sum to 1, got {p!r}.")
        if not 0 <= self.label < n:
            raise InvalidInputError(f"label is the number of a class, 0 to {n - 1}, got {self.label!r}.")

    @property
    def loss(self) -> float:
        """Cross-entropy, minus the natural logarithm of the label's probability; infinite for probability 0."""
        with np.errstate(divide="ignore"):
            return float(-np.log(self.probabilities[self.label]))

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        sample: ArrayLike,
        label: Any,
        *,
        class_names: Sequence[str] | None = None,
        image_shape: Sequence[int] | None = None,
    ) -> ClassProbabilitiesDisplay:
        """Ask a fitted classifier for the probabilities of one sample.

        Parameters
        ----------
        estimator : object
            Has ``predict_proba`` and ``classes_``.
        sample : array_like of shape (n_features,)
            The sample.
        label : object
            Its true class, one of ``classes_``.
        class_names : sequence of str, optional
            Names of the classes.
        image_shape : (height, width) or (3, height, width), optional
            Draws the sample as a picture of values in [0, 1].

        Raises
        ------
        InvalidInputError
            If the label is not a class of the estimator.
        """
        known = list(estimator.classes_)
        if label not in known:
            raise InvalidInputError(f"label is one of the estimator's classes {known}, got {label!r}.")
        sample = np.asarray(sample)
        probabilities = np.asarray(estimator.predict_proba(sample.reshape(1, -1))[0], float)
        picture = None if image_shape is None else sample.reshape(tuple(image_shape))
        if picture is not None and picture.ndim == 3:
            picture = np.moveaxis(picture, 0, -1)
        names = tuple(map(str, known if class_names is None else class_names))
        return cls(probabilities, names, known.index(label), picture)

    def shown(self) -> np.ndarray:
        """Return the numbers of the classes drawn: all, or the likeliest and the label, in order."""
        if len(self.classes) <= MAX_CLASSES:
            return np.arange(len(self.classes))
        likeliest = np.argsort(-self.probabilities, kind="stable")[: MAX_CLASSES - 1]
        return np.union1d(likeliest, [self.label])

    def _size(self) -> tuple[float, float]:
        return 5.2 if self.picture is None else 7.2, max(2.3, 0.26 * len(self.shown()) + 1.1)

    def _draw(self, ax: Axes, theme: Theme) -> None:
        if self.picture is not None:
            left, ax = panels(ax, 1, 2, width_ratios=(1, 1.9))[0]
            use_frame(left, theme, f"label: {self.classes[self.label]}")
            left.imshow(self.picture, cmap=theme.blend("#000000", "#ffffff"), vmin=0, vmax=1)
        self._draw_bars(ax, theme)

    def _draw_bars(self, ax: Axes, theme: Theme) -> None:
        shown = self.shown()
        p = self.probabilities[self.label]
        said = f"probability of the label {number(p)} = exp({number(-self.loss)}), loss {number(self.loss)}"
        if len(shown) < len(self.classes):
            said += f"\n{len(shown)} of {len(self.classes)} classes shown"
        use_axes(ax, theme, said, "probability (dashed: what the label asks for)")
        places = np.arange(len(shown))
        is_label = shown == self.label
        colors = np.where(is_label, theme.positive, theme.negative)
        ax.barh(places, is_label, 0.86, color="none", edgecolor=theme.ink, linestyle="--", linewidth=1.0)
        ax.barh(places, self.probabilities[shown], 0.7, color=colors)
        for place, i in enumerate(shown.tolist()):
            x, color = float(self.probabilities[i]), theme.ink
            if x > 0.85:
                color = theme.ink_on(colors[place])
            side, align = (-0.015, "right") if x > 0.85 else (0.015, "left")
            put_text(ax, x + side, place, f"{x:.3f}", theme, ha=align, color=color)
        ax.set_yticks(places, [self.classes[i] for i in shown])
        ax.set(xlim=(0, 1.02), ylim=(len(shown) - 0.4, -0.6))
