"""Where a classifier changes its mind, and how sure it is, on a plane through its features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from glassnet.errors import InvalidInputError, UnknownNameError
from glassnet.plots.display import Display
from glassnet.plots.plane import Plane
from glassnet.plots.style import (
    HAIR,
    LINE,
    Theme,
    marker,
    symmetric_limit,
    use_axes,
    use_colorbar,
    use_legend,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

RESPONSES = ("predict_proba", "decision_function", "predict")
MARGIN = 0.08  # of the data's range, added on every side


@dataclass
class DecisionBoundaryDisplay(Display):
    """The answer of an estimator over a plane, with the data on it.

    Parameters
    ----------
    plane : Plane
        Where in the feature space the picture lies.
    horizontal, vertical : ndarray of shape (grid_resolution,)
        Coordinates of the grid.
    values : ndarray of shape (grid_resolution, grid_resolution) or (..., n_classes)
        The response, rows from bottom to top. Of a binary classifier, the signed
        certainty: above 0 for the second class.
    response : {"predict_proba", "decision_function", "predict"}
        Which method of the estimator gave the values.
    classes : tuple of str
        Names of the classes; empty for a regressor.
    points : ndarray of shape (n_samples, 2)
        The samples, projected onto the plane.
    targets : ndarray of shape (n_samples,)
        Number of each sample's class; of a regressor, the value to be predicted.
    errors : ndarray of shape (n_samples,)
        Prediction minus target for the samples themselves, not for their projections;
        of a classifier 1 where it is wrong, else 0.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> X, y = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), np.array([0, 0, 0, 1])
    >>> display = DecisionBoundaryDisplay.from_estimator(LogisticRegression(C=100).fit(X, y), X, y)
    >>> display.n_misclassified, display.values.shape
    (0, (200, 200))
    """

    plane: Plane
    horizontal: np.ndarray
    vertical: np.ndarray
    values: np.ndarray
    response: str
    classes: tuple[str, ...]
    points: np.ndarray
    targets: np.ndarray
    errors: np.ndarray

    @property
    def n_misclassified(self) -> int:
        """How many of the samples the classifier gets wrong."""
        if not self.classes:
            raise InvalidInputError("A regressor misclassifies nothing; its errors are in `errors`.")
        return int(np.sum(self.errors != 0))

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: ArrayLike,
        y: ArrayLike,
        *,
        features: Sequence[int] = (0, 1),
        at: ArrayLike | None = None,
        plane: Literal["pca"] | Sequence[int] | None = None,
        response: str = "auto",
        grid_resolution: int = 200,
        feature_names: Sequence[str] | None = None,
        class_names: Sequence[str] | None = None,
    ) -> DecisionBoundaryDisplay:
        """Ask a fitted estimator for its answer over a plane.

        Parameters
        ----------
        estimator : object
            Any fitted classifier or regressor with one output.
        X : array_like of shape (n_samples, n_features)
            Samples to show; they set the frame.
        y : array_like of shape (n_samples,)
            Their targets.
        features : pair of int
            The two features on the axes; the others stay at their mean, or where ``at`` has them.
        at : array_like of shape (n_features,), optional
            A sample at which the other features are fixed.
        plane : {"pca"} or three int, optional
            Instead of a pair of features: the plane of the two principal components of
            X, or the one through three of its samples.
        response : {"auto", "predict_proba", "decision_function", "predict"}
            What to ask for; "auto" takes the first of them that the estimator has.
        grid_resolution : int
            Points per side.
        feature_names, class_names : sequence of str, optional
            For the labels.

        Returns
        -------
        DecisionBoundaryDisplay

        Raises
        ------
        InvalidInputError
            If X, y, the plane or the resolution cannot be used.
        UnknownNameError
            If the estimator has no such response.
        """
        X, y = _checked(X, y)
        if grid_resolution < 2:
            raise InvalidInputError(f"grid_resolution is at least 2, got {grid_resolution}.")
        surface = _plane(X, features, at, plane, feature_names)
        points = surface.project(X)
        horizontal, vertical = (_ticks(column, grid_resolution) for column in points.T)
        grid = np.stack(np.meshgrid(horizontal, vertical), axis=-1).reshape(-1, 2)
        classes = getattr(estimator, "classes_", None)
        response = _response(estimator, response, classes is not None)
        answer = np.asarray(getattr(estimator, response)(surface.lift(grid).astype(X.dtype)))
        values = _values(answer, response, classes).reshape(grid_resolution, grid_resolution, -1)
        predicted = np.asarray(estimator.predict(X))
        targets = y if classes is None else _numbers(y, classes)
        errors = predicted - y if classes is None else (predicted != y).astype(int)
        names = () if classes is None else tuple(map(str, class_names if class_names is not None else classes))
        return cls(surface, horizontal, vertical, values.squeeze(), response, names, points, targets, errors)

    def _size(self) -> tuple[float, float]:
        return 5.0, 4.4

    def _draw(self, ax: Axes, theme: Theme) -> None:
        use_axes(ax, theme, self._title(), *self.plane.names)
        extent = (*self.horizontal[[0, -1]], *self.vertical[[0, -1]])
        shown = ax.imshow(self._picture(theme), origin="lower", extent=extent, aspect="auto", **self._colors(theme))
        self._draw_border(ax, theme)
        if self.classes:
            self._draw_classes(ax, theme)
            if self._is_probability():
                bar = use_colorbar(ax, shown, theme, f"probability of {self.classes[1]}", ticks=[-1, 0, 1])
                bar.ax.set(ylim=(-1, 1), yticklabels=["0", "0.5", "1"])
        else:
            self._draw_values(ax, theme)
            use_colorbar(ax, shown, theme, "prediction")

    def _is_probability(self) -> bool:
        """Whether there is one probability to show, that of the second of two classes."""
        return self.response == "predict_proba" and self.values.ndim == 2

    def _title(self) -> str:
        if self.classes:
            said = f"{self.n_misclassified} of {len(self.points)} misclassified"
        else:
            said = f"root mean square error {np.sqrt(np.mean(self.errors**2)):.3g}"
        return f"{said}\n{self.plane.note}".strip()

    def _picture(self, theme: Theme) -> np.ndarray:
        """The response as signed numbers, or as colours where there are several classes."""
        if self.values.ndim == 2:
            return self.values
        from matplotlib.colors import to_rgb

        colors = np.array([to_rgb(theme.color(i)) for i in range(self.values.shape[-1])])
        floor = 1 / len(colors) if self.response == "predict_proba" else 0.0
        sure = np.clip((self.values.max(axis=-1, keepdims=True) - floor) / (1 - floor), 0, 1)
        strength = 0.1 + 0.35 * sure if self.response == "predict_proba" else 0.4
        mixed = (1 - strength) * np.array(to_rgb(theme.paper)) + strength * colors[self.values.argmax(axis=-1)]
        return np.clip(mixed, 0, 1)

    def _colors(self, theme: Theme) -> dict[str, Any]:
        if self.values.ndim == 3:
            return {}
        limit = symmetric_limit(self.values) if self.response != "predict_proba" else 1.0
        limit *= 2.2 if self.classes else 1.0  # paler than the samples on top
        return {"cmap": theme.signed_map(), "vmin": -limit, "vmax": limit}

    def _draw_border(self, ax: Axes, theme: Theme) -> None:
        scores = [self.values] if self.values.ndim == 2 else np.moveaxis(self.values, -1, 0)
        for score in scores if self.classes else []:
            border = score if self.values.ndim == 2 else score - _best_other(self.values, score)
            if border.min() < 0 < border.max():
                ax.contour(self.horizontal, self.vertical, border, [0.0], colors=theme.ink, linewidths=LINE / 1.5)

    def _draw_classes(self, ax: Axes, theme: Theme) -> None:
        size = float(np.clip(6000 / max(len(self.points), 1), 8, 34))
        for i, name in enumerate(self.classes):
            u, v = self.points[self.targets == i].T
            look = {"c": theme.color(i), "marker": marker(i), "edgecolors": theme.paper, "linewidths": HAIR}
            ax.scatter(u, v, size, label=name, **look)
        u, v = self.points[self.errors != 0].T
        if len(u):
            ax.scatter(u, v, 3.2 * size, c="none", edgecolors=theme.ink, linewidths=1.3, label="misclassified")
        below = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.12), "ncols": 3}
        beside = {"loc": "upper left", "bbox_to_anchor": (1.01, 1.0), "borderaxespad": 0.0}
        use_legend(ax, theme, **(below if self._is_probability() else beside))

    def _draw_values(self, ax: Axes, theme: Theme) -> None:
        u, v = self.points.T
        ax.scatter(u, v, 22, c=self.targets, edgecolors=theme.ink, linewidths=HAIR, **self._colors(theme))


def _checked(X: ArrayLike, y: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    X, y = np.asarray(X), np.asarray(y)
    X = X if X.dtype.kind == "f" else X.astype(float)
    if X.ndim != 2 or X.shape[1] < 2 or not len(X):
        raise InvalidInputError(f"X has at least one sample and two features, got shape {X.shape}.")
    if y.shape != X.shape[:1]:
        raise InvalidInputError(f"y has one target per sample, shape ({len(X)},), got {y.shape}.")
    if not np.isfinite(X).all():
        raise InvalidInputError("X holds NaN or infinite values.")
    return X, y


def _plane(X: np.ndarray, features: Sequence[int], at: Any, plane: Any, names: Sequence[str] | None) -> Plane:
    if plane is None:
        return Plane.of_features(X, features, names or [f"feature {i}" for i in range(X.shape[1])], at)
    if at is not None:
        raise InvalidInputError("at fixes the features besides a pair; a plane through samples has none.")
    if isinstance(plane, str):
        if plane != "pca":
            raise UnknownNameError("plane", plane, ["pca"])
        return Plane.of_variance(X)
    return Plane.of_samples(X, plane)


def _ticks(coordinates: np.ndarray, n: int) -> np.ndarray:
    low, high = coordinates.min(), coordinates.max()
    margin = MARGIN * (high - low) or 1.0
    return np.linspace(low - margin, high + margin, n)


def _response(estimator: Any, wanted: str, is_classifier: bool) -> str:
    has = [name for name in (RESPONSES if is_classifier else ("predict",)) if hasattr(estimator, name)]
    if wanted == "auto" and has:
        return has[0]
    if wanted not in has:
        raise UnknownNameError(f"response of {type(estimator).__name__}", wanted, ["auto", *has])
    return wanted


def _values(answer: np.ndarray, response: str, classes: Any) -> np.ndarray:
    """Bring every kind of answer to signed numbers (binary, regression) or one score per class."""
    if classes is None:
        return answer
    if response == "predict":
        answer = np.eye(len(classes))[_numbers(answer, classes)]
    if answer.ndim == 2 and len(classes) == 2:
        return answer[:, 1] - answer[:, 0]
    return answer


def _numbers(labels: np.ndarray, classes: Any) -> np.ndarray:
    """Return the number of each label's class."""
    unknown = np.setdiff1d(labels, classes)
    if len(unknown):
        raise InvalidInputError(f"y holds {unknown[0]!r}, which is not among the estimator's classes {list(classes)}.")
    order = np.argsort(classes)
    return order[np.searchsorted(np.asarray(classes)[order], labels)]


def _best_other(values: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Return the highest score besides ``score`` at every point."""
    ordered = np.sort(values, axis=-1)
    return np.where(score == ordered[..., -1], ordered[..., -2], ordered[..., -1])
