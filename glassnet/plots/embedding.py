"""Embeddings: where each layer puts the samples, in two dimensions, side by side.

t-SNE: L. van der Maaten, G. Hinton (2008), "Visualizing Data using t-SNE", Journal of Machine Learning
Research 9; trustworthiness: J. Venna, S. Kaski (2001), "Neighborhood preservation in nonlinear projection
methods", ICANN.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.errors import InvalidInputError, UnknownNameError
from glassnet.plots.display import Display
from glassnet.plots.style import Theme, marker, number, panels, use_frame, use_legend
from glassnet.plots.traced import call_name, output_of, shown_calls, spread_over

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from glassnet.inspect.traced import Trace
    from glassnet.plots.film import Frames

METHODS = {"pca": "PCA", "tsne": "t-SNE"}
MOST_CLASSES = 10  # that have a colour of their own
NEIGHBORS = 5  # of which trustworthiness speaks, scikit-learn's default


@dataclass
class Embedding:
    """One layer.

    Parameters
    ----------
    name : str
    points : ndarray of shape (n_samples, 2)
        Turned, mirrored or started so that it lies as the layer before does.
    separation : float
        Silhouette of the classes in the layer's own space, -1 to 1: how much nearer a sample is to its own class
        than to the next.
    trustworthiness : float
        0 to 1: how far neighbours in the picture are neighbours in the layer.
    n_not_finite : int
        Samples left out of this layer because a value of theirs is NaN or infinite; their points are NaN.
    """

    name: str
    points: np.ndarray
    separation: float
    trustworthiness: float
    n_not_finite: int = 0


@dataclass
class EmbeddingDisplay(Display):
    """The same samples after each layer.

    Parameters
    ----------
    layers : list of Embedding
    labels : ndarray of int, shape (n_samples,)
        Number of each sample's class.
    names : tuple of str
        Of the classes.
    method : {"pca", "tsne"}

    Examples
    --------
    >>> X = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 1.0], [5.0, 5.0, 0.0], [5.0, 6.0, 0.0]])
    >>> display = EmbeddingDisplay.from_arrays({"input": X, "twice": 2 * X}, ["a", "a", "b", "b"], n_neighbors=1)
    >>> bool(np.allclose(2 * display.layers[0].points, display.layers[1].points))
    True
    """

    layers: list[Embedding]
    labels: np.ndarray
    names: tuple[str, ...]
    method: str

    @classmethod
    def from_arrays(
        cls,
        arrays: Mapping[str, np.ndarray],
        labels: ArrayLike,
        *,
        method: str = "pca",
        groups: Mapping[Any, str] | None = None,
        names: Sequence[str] | None = None,
        n_neighbors: int = NEIGHBORS,
        random_state: int = 0,
    ) -> EmbeddingDisplay:
        """Embed what layers made of the same samples.

        Parameters
        ----------
        arrays : mapping of str to ndarray of shape (n_samples, ...)
            One per layer.
        labels : array_like of shape (n_samples,)
            Class of each sample.
        method : {"pca", "tsne"}
            The principal plane, or t-SNE started from where the layer before ended.
        groups : mapping, optional
            Label -> coarser class, which then counts instead.
        names : sequence of str, optional
            Of the classes, in the order of the sorted labels.
        n_neighbors : int
            Of which trustworthiness speaks; below half the number of samples.
        random_state : int
            Seed of t-SNE.

        Raises
        ------
        InvalidInputError
            If there are fewer than two classes, or another number of labels than samples.
        UnknownNameError
            If there is no such method.
        """
        if method not in METHODS:
            raise UnknownNameError("method", method, METHODS)
        numbers, names = _classes(labels, groups, names)
        how = {"method": method, "n_neighbors": n_neighbors, "random_state": random_state}
        return cls(list(embedded(arrays, numbers, **how)), numbers, names, method)  # type: ignore[arg-type]

    @classmethod
    def from_trace(
        cls,
        trace: Trace,
        labels: ArrayLike,
        layers: str | Iterable[str] | None = None,
        *,
        max_layers: int = 6,
        **how: Any,
    ) -> EmbeddingDisplay:
        """Embed what the layers of a traced network made of a batch.

        Parameters
        ----------
        trace : Trace
            Of a batch of samples.
        labels : array_like of shape (n_samples,)
            Class of each sample.
        layers : str or iterable of str, optional
            Addresses; all unless given.
        max_layers : int
            How many to draw; of more, so many spread over the depth.
        **how
            As in `from_arrays`.
        """
        calls = shown_calls(trace, layers)
        n = len(np.asarray(labels))
        found = {call_name(call): output for call in calls if len(output := output_of(call)) == n}
        if not found:
            raise InvalidInputError(f"No layer of this trace has an output with a row for each of {n} labels.")
        chosen = [list(found)[i] for i in spread_over(len(found), max_layers)]
        return cls.from_arrays({name: found[name] for name in chosen}, labels, **how)

    def __str__(self) -> str:
        width = max(len(layer.name) for layer in self.layers)
        return "\n".join(
            f"{layer.name:<{width}}  separation {layer.separation:.3f}  trustworthiness {layer.trustworthiness:.3f}"
            for layer in self.layers
        )

    def _frames(self) -> Frames:
        """One layer after the other."""
        return [(layer.name, replace(self, layers=[layer])) for layer in self.layers]

    def _columns(self) -> int:
        return -(-len(self.layers) // -(-len(self.layers) // 3))

    def _size(self) -> tuple[float, float]:
        columns = self._columns()
        return 2.7 * columns + 1.1, 2.95 * -(-len(self.layers) // columns)

    def _draw(self, ax: Axes, theme: Theme) -> None:
        columns = self._columns()
        axes = panels(ax, -(-len(self.layers) // columns), columns).ravel()
        for panel in axes[len(self.layers) :]:
            panel.set_axis_off()
        for panel, layer in zip(axes, self.layers, strict=False):
            left_out = f"\n{layer.n_not_finite} samples not finite" if layer.n_not_finite else ""
            said = f"separation {number(layer.separation)}, trustworthiness {number(layer.trustworthiness)}{left_out}"
            use_frame(panel, theme, f"{layer.name}\n{said}")
            self._draw_points(panel, theme, layer.points)
            panel.set_aspect("equal", adjustable="datalim")
        place = {"loc": "upper left", "bbox_to_anchor": (1.02, 1.0), "borderaxespad": 0}
        use_legend(axes[columns - 1], theme, title=METHODS[self.method], markerscale=1.6, **place)

    def _draw_points(self, ax: Axes, theme: Theme, points: np.ndarray) -> None:
        for c, name in enumerate(self.names[:MOST_CLASSES]):
            of = points[self.labels == c]
            ax.scatter(*of.T, s=9, color=theme.color(c), marker=marker(c), linewidths=0, alpha=0.8, label=name)
        if len(self.names) > MOST_CLASSES:
            rest = points[self.labels >= MOST_CLASSES]
            said = f"{len(self.names) - MOST_CLASSES} more classes"
            ax.scatter(*rest.T, s=5, color=theme.muted, marker=".", linewidths=0, alpha=0.5, label=said, zorder=0)


def embedded(
    arrays: Mapping[str, np.ndarray],
    labels: np.ndarray,
    *,
    method: str = "pca",
    n_neighbors: int = NEIGHBORS,
    random_state: int = 0,
) -> Iterator[Embedding]:
    """Embed layer after layer, as `EmbeddingDisplay.from_arrays` does; each is given when it is there.

    Parameters
    ----------
    arrays : mapping of str to ndarray of shape (n_samples, ...)
    labels : ndarray of int, shape (n_samples,)
        Number of each sample's class.
    method, n_neighbors, random_state
        As in `EmbeddingDisplay.from_arrays`.

    Yields
    ------
    Embedding

    Raises
    ------
    InvalidInputError
        If there are too few samples, fewer than two classes, or another number of labels than samples.
    """
    before = None
    for name, array in arrays.items():
        rows, n_classes = np.asarray(array, float).reshape(len(array), -1), len(np.unique(labels))
        if len(rows) != len(labels) or n_classes < 2 or len(rows) <= 2 * n_neighbors:
            raise InvalidInputError(
                f"An embedding takes more than {2 * n_neighbors} samples of at least two classes, got "
                f"{len(rows)} samples and {len(labels)} labels of {n_classes} classes."
            )
        layer = _embed(name, rows, labels, before, method, n_neighbors, random_state)
        before = layer.points
        yield layer


def _classes(
    labels: ArrayLike, groups: Mapping[Any, str] | None, names: Sequence[str] | None
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the number of each sample's class, and the classes' names, the most frequent first if there are many."""
    labels = np.asarray(labels)
    if groups is not None:
        if missing := {str(c) for c in np.unique(labels) if c not in groups}:
            raise InvalidInputError(f"groups has no class for the labels {', '.join(sorted(missing))}.")
        labels = np.array([groups[label] for label in labels])
    found, numbers, counts = np.unique(labels, return_inverse=True, return_counts=True)
    if groups is None and names is not None and found.dtype.kind in "iu" and len(names) > found.max():
        said = [names[int(c)] for c in found]
    else:
        said = [str(c) for c in found]
    if len(found) <= MOST_CLASSES:
        return numbers, tuple(said)
    order = np.argsort(-counts, kind="stable")
    return np.argsort(order)[numbers], tuple(said[i] for i in order)


def _embed(
    name: str, rows: np.ndarray, labels: np.ndarray, before: np.ndarray | None, method: str, k: int, seed: int
) -> Embedding:
    from sklearn.manifold import trustworthiness
    from sklearn.metrics import silhouette_score

    whole = np.isfinite(rows).all(axis=1)
    points, kept = np.full((len(rows), 2), np.nan), rows[whole]
    if len(kept) <= 2 * k:
        return Embedding(name, points, float("nan"), float("nan"), int(np.sum(~whole)))
    start = None if before is None else before[whole]
    points[whole] = _pca(kept, start) if method == "pca" else _tsne(kept, start, seed)
    separable = 1 < len(np.unique(labels[whole])) < len(kept)
    separation = silhouette_score(kept, labels[whole]) if separable else float("nan")
    trust = trustworthiness(kept, points[whole], n_neighbors=k)
    return Embedding(name, points, float(separation), float(trust), int(np.sum(~whole)))


def _pca(rows: np.ndarray, before: np.ndarray | None) -> np.ndarray:
    """Return the coordinates in the principal plane, turned or mirrored to lie as `before` does."""
    from sklearn.decomposition import PCA

    n = min(2, *rows.shape)
    points = np.zeros((len(rows), 2))
    points[:, :n] = PCA(n, svd_solver="full").fit_transform(rows)
    return points if before is None else points @ _turn(points, before)


def _turn(points: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Return the turn or mirroring that brings points nearest to others (orthogonal Procrustes), (2, 2)."""
    known = np.isfinite(before).all(axis=1)
    if not known.any():
        return np.eye(2)
    left, _, right = np.linalg.svd(points[known].T @ (before[known] - before[known].mean(axis=0)))
    return left @ right


def _tsne(rows: np.ndarray, before: np.ndarray | None, seed: int) -> np.ndarray:
    """Return t-SNE, started from the picture before; of more than 50 dimensions, from the 50 principal ones."""
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    if rows.shape[1] > 50 and len(rows) > 50:
        rows = PCA(50, svd_solver="randomized", random_state=seed).fit_transform(rows)
    start = _pca(rows, None) if before is None else np.nan_to_num(before)
    start = 1e-4 * start / max(start[:, 0].std(), np.finfo(float).tiny)
    perplexity = min(30.0, (len(rows) - 1) / 3)
    points = TSNE(init=start.astype(np.float32), perplexity=perplexity, random_state=seed).fit_transform(rows)
    return points if before is None else points @ _turn(points, before)
