"""The bent grid: what each layer makes of the plane, and of the data in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.errors import InvalidInputError
from glassnet.plots.dense import layer_activations, layer_names
from glassnet.plots.display import Display
from glassnet.plots.film import Frames
from glassnet.plots.plane import Plane
from glassnet.plots.style import HAIR, Theme, marker, panels, use_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

MAX_COLUMNS = 5
STEPS = 12  # of a film from one layer to the next
REST = 4  # pictures that stay at a layer


@dataclass
class Stage:
    """The plane after one layer.

    Parameters
    ----------
    name : str
        Of the layer.
    grid : ndarray of shape (2, n_lines, n_points, 2)
        Lines that were horizontal in the input, then those that were vertical.
    points : ndarray of shape (n_samples, 2)
        The data.
    axes : tuple of two str
        What is on the axes.
    """

    name: str
    grid: np.ndarray
    points: np.ndarray
    axes: tuple[str, str]


@dataclass
class Mapping2DDisplay(Display):
    """A grid and the data, carried through the layers of a network of two features.

    A layer of more than two units is shown on the plane of its two principal components, a
    layer of one unit on a line.

    Parameters
    ----------
    stages : list of Stage
        The input, then every layer.
    targets : ndarray of int, shape (n_samples,)
        Number of each sample's class.

    Examples
    --------
    >>> display = Mapping2DDisplay.from_functions({"turn": lambda p: p[:, ::-1]}, [[0.0, 1.0], [2.0, 3.0]], [0, 1])
    >>> display.stages[1].points.tolist()
    [[1.0, 0.0], [3.0, 2.0]]
    """

    stages: list[Stage]
    targets: np.ndarray

    @classmethod
    def from_functions(
        cls,
        layers: Mapping[str, Callable[[np.ndarray], np.ndarray]],
        X: ArrayLike,
        y: ArrayLike,
        *,
        n_lines: int = 17,
    ) -> Mapping2DDisplay:
        """Carry grid and data through functions, each of which takes what the one before gave.

        Parameters
        ----------
        layers : mapping of str to callable
            ndarray (n, units before) -> ndarray (n, units).
        X : array_like of shape (n_samples, 2)
            Data; the grid covers its range.
        y : array_like of shape (n_samples,)
            Classes.
        n_lines : int
            Grid lines in each direction.

        Raises
        ------
        InvalidInputError
            If X does not have two features.
        """

        def outputs(points: np.ndarray) -> list[np.ndarray]:
            made = [points]
            for layer in layers.values():
                made.append(np.asarray(layer(made[-1])))
            return made[1:]

        return cls._from_outputs(outputs, list(layers), X, y, n_lines)

    @classmethod
    def from_estimator(cls, estimator: Any, X: ArrayLike, y: ArrayLike, *, n_lines: int = 17) -> Mapping2DDisplay:
        """Carry grid and data through the layers of a fitted network.

        Parameters
        ----------
        estimator : object
            A network of two features whose layers can be asked for.
        X : array_like of shape (n_samples, 2)
            Data; the grid covers its range.
        y : array_like of shape (n_samples,)
            Classes.
        n_lines : int
            Grid lines in each direction.

        Raises
        ------
        InvalidInputError
            If X does not have two features, or the network hides its layers.
        """
        X = np.asarray(X)
        names = layer_names(len(layer_activations(estimator, X[:1])))
        return cls._from_outputs(lambda points: layer_activations(estimator, points), names, X, y, n_lines)

    @classmethod
    def _from_outputs(
        cls, outputs: Callable, names: Sequence[str], X: ArrayLike, y: ArrayLike, n_lines: int
    ) -> Mapping2DDisplay:
        X = np.asarray(X)
        if X.ndim != 2 or X.shape[1] != 2:
            raise InvalidInputError(f"A 2-D mapping needs data of two features, got shape {X.shape}.")
        X = X if X.dtype.kind == "f" else X.astype(float)
        grid = grid_lines(X, n_lines)
        flat = grid.reshape(-1, 2).astype(X.dtype)
        stages = [Stage("input", grid, X, ("$x_1$", "$x_2$"))]
        for name, lines, points in zip(names, outputs(flat), outputs(X), strict=True):
            stages.append(_stage(name, lines, points, grid.shape))
        return cls(stages, np.unique(np.asarray(y), return_inverse=True)[1])

    def _columns(self) -> int:
        return -(-len(self.stages) // -(-len(self.stages) // MAX_COLUMNS))  # rows as even as can be

    def _size(self) -> tuple[float, float]:
        columns = self._columns()
        return 2.7 * columns, 2.9 * -(-len(self.stages) // columns)

    def _draw(self, ax: Axes, theme: Theme) -> None:
        columns = self._columns()
        axes = panels(ax, -(-len(self.stages) // columns), columns).ravel()
        for panel, stage in zip(axes, self.stages, strict=False):
            self._draw_stage(panel, theme, stage)
        for panel in axes[len(self.stages) :]:
            panel.set_axis_off()

    def _frames(self) -> Frames:
        """From one layer to the next, every point moving straight."""
        frames: list[tuple[str, Display]] = []
        for before, after in pairwise(self.stages):
            shares = [*[0.0] * REST, *np.linspace(0, 1, STEPS + 1)[1:]]
            frames += [
                (f"{before.name} to {after.name}", replace(self, stages=[_between(before, after, share)]))
                for share in shares
            ]
        if not frames:
            raise InvalidInputError("There is no layer to go to.")
        return [*frames, *[frames[-1]] * REST]

    def _draw_stage(self, ax: Axes, theme: Theme, stage: Stage) -> None:
        from matplotlib.collections import LineCollection

        use_axes(ax, theme, stage.name, *stage.axes)
        for lines, color in zip(stage.grid, (theme.muted, theme.ink), strict=True):
            ax.add_collection(LineCollection(list(lines), colors=color, linewidths=HAIR, alpha=0.6, zorder=1))
        n_classes = self.targets.max() + 1
        for i in range(n_classes):
            u, v = stage.points[self.targets == i].T
            if not stage.axes[1]:  # one unit: the classes side by side, so that each can be seen
                v = v + i + 1
            ax.scatter(u, v, 9, c=theme.color(i), marker=marker(i), linewidths=0, alpha=0.9, zorder=2)
        ax.autoscale_view()
        if not stage.axes[1]:
            ax.set(yticks=np.arange(n_classes + 1), yticklabels=["all", *(f"class {i}" for i in range(n_classes))])
            ax.set_ylim(-0.7, n_classes + 0.7)
        ax.set_box_aspect(1)


def _between(before: Stage, after: Stage, share: float) -> Stage:
    """Return what lies between two layers, ``share`` of the way to the second."""
    grid, points = ((1 - share) * a + share * b for a, b in ((before.grid, after.grid), (before.points, after.points)))
    near = before if share == 0 else after
    return Stage(near.name, grid, points, near.axes if share in (0, 1) else (near.axes[0], near.axes[1] or " "))


def grid_lines(X: np.ndarray, n_lines: int, n_points: int = 101) -> np.ndarray:
    """Return straight lines over the range of X, horizontal then vertical, shape (2, n_lines, n_points, 2)."""
    low, high = X.min(axis=0), X.max(axis=0)
    (u, v), (us, vs) = (np.linspace(low, high, n).T for n in (n_lines, n_points))
    horizontal = np.stack(np.broadcast_arrays(us[None, :], v[:, None]), axis=-1)
    vertical = np.stack(np.broadcast_arrays(u[:, None], vs[None, :]), axis=-1)
    return np.stack([horizontal, vertical])


def _stage(name: str, lines: np.ndarray, points: np.ndarray, shape: tuple[int, ...]) -> Stage:
    """Bring a layer's outputs to two coordinates."""
    units = points.shape[1]
    if units == 1:
        lines, points = (np.hstack([a, np.zeros_like(a)]) for a in (lines, points))
        return Stage(name, lines.reshape(shape), points, ("$h_1$", ""))
    if units == 2:
        return Stage(name, lines.reshape(shape), points, ("$h_1$", "$h_2$"))
    plane = Plane.of_variance(points)
    names = (plane.names[0].replace("principal component", "PC"), plane.names[1].replace("principal component", "PC"))
    names = (names[0].replace(" of the variance", ""), names[1].replace(" of the variance", ""))
    return Stage(f"{name}: {units} units", plane.project(lines).reshape(shape), plane.project(points), names)
