"""Which class is taken for which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.errors import InvalidInputError
from glassnet.plots.display import Display
from glassnet.plots.style import HAIR, SMALL, Theme, put_text, use_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

MAX_NUMBERS = 20  # classes up to which every count is written


@dataclass
class ConfusionMatrixDisplay(Display):
    """Counts of true class (rows) and predicted class (columns).

    Parameters
    ----------
    counts : ndarray of int, shape (n_classes, n_classes)
        Samples of the row's class that were called the column's.
    classes : tuple of str
        Names.

    Examples
    --------
    >>> ConfusionMatrixDisplay.from_predictions([0, 0, 1], [0, 1, 1]).counts.tolist()
    [[1, 1], [0, 1]]
    """

    counts: np.ndarray
    classes: tuple[str, ...]

    @property
    def accuracy(self) -> float:
        """Share of the samples that were called what they are, in [0, 1]."""
        return float(np.trace(self.counts) / self.counts.sum())

    @classmethod
    def from_predictions(
        cls, y_true: ArrayLike, y_pred: ArrayLike, *, class_names: Sequence[str] | None = None
    ) -> ConfusionMatrixDisplay:
        """Count pairs of true and predicted labels.

        Parameters
        ----------
        y_true, y_pred : array_like of shape (n_samples,)
            Labels.
        class_names : sequence of str, optional
            Names of the sorted labels.

        Raises
        ------
        InvalidInputError
            If the two are empty or differ in length, or the names do not fit the labels.
        """
        y_true, y_pred = np.asarray(y_true), np.asarray(y_pred)
        if y_true.shape != y_pred.shape or y_true.ndim != 1 or not len(y_true):
            raise InvalidInputError(f"y_true and y_pred have one label per sample, got {y_true.shape}, {y_pred.shape}.")
        labels, numbers = np.unique(np.concatenate([y_true, y_pred]), return_inverse=True)
        names = tuple(map(str, labels if class_names is None else class_names))
        if len(names) < len(labels):
            raise InvalidInputError(f"There are {len(labels)} labels, but {len(names)} class names.")
        counts = np.zeros((len(labels), len(labels)), int)
        np.add.at(counts, tuple(numbers.reshape(2, -1)), 1)
        return cls(counts, names)

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: ArrayLike, y: ArrayLike, *, class_names: Sequence[str] | None = None
    ) -> ConfusionMatrixDisplay:
        """Compare the predictions of a fitted classifier with ``y``.

        Parameters
        ----------
        estimator : object
            A fitted classifier.
        X : array_like of shape (n_samples, n_features)
            Samples.
        y : array_like of shape (n_samples,)
            Their labels.
        class_names : sequence of str, optional
            Names of the sorted labels.
        """
        return cls.from_predictions(y, estimator.predict(X), class_names=class_names)

    def _size(self) -> tuple[float, float]:
        side = min(max(0.42 * len(self.classes), 2.4), 7.0)
        return side + 1.0, side + 0.9

    def _draw(self, ax: Axes, theme: Theme) -> None:
        right, n = np.trace(self.counts), self.counts.sum()
        use_axes(ax, theme, f"{right} of {n} right ({self.accuracy:.1%})", "predicted", "true")
        share = self.counts / np.maximum(self.counts.sum(axis=1, keepdims=True), 1)
        signed = np.where(np.eye(len(share), dtype=bool), share, -np.sqrt(share))  # a few errors are seen, too
        colors = theme.signed_map()
        ax.imshow(signed, cmap=colors, vmin=-1, vmax=1)
        if len(self.classes) <= MAX_NUMBERS:
            for (i, j), count in np.ndenumerate(self.counts):
                color = theme.ink_on(colors(0.5 + 0.5 * signed[i, j])) if count else theme.grid
                put_text(ax, j, i, str(count), theme, color=color, fontsize=SMALL)
            ticks = np.arange(len(self.classes))
            turn = 90 if max(map(len, self.classes)) > 3 else 0
            ax.set_xticks(ticks, self.classes, rotation=turn)
            ax.set_yticks(ticks, self.classes)
        for spine in ax.spines.values():
            spine.set(visible=True, color=theme.grid, linewidth=HAIR)
