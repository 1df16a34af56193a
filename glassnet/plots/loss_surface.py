"""The loss around a trained network, on a plane through its parameters, with the path that training took.

H. Li, Z. Xu, G. Taylor, C. Studer, T. Goldstein (2018), "Visualizing the Loss Landscape of Neural Nets", NeurIPS.
A plane shows two of very many dimensions; how much of the path lies in it, and how far the loss on it is from
the loss that the network had, is part of the picture.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.errors import InvalidInputError, UnknownNameError
from glassnet.plots.display import Display
from glassnet.plots.replay import at_steps, chosen_steps, filters_of, mean_loss, state_of
from glassnet.plots.style import FONT, LINE, SMALL, Theme, panels, use_axes, use_colorbar, use_legend
from glassnet.seeds import generator

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike
    from torch import Tensor, nn

    from glassnet.inspect.history import History
    from glassnet.plots.film import Frames

DIRECTIONS = ("path", "random")
Loss = Callable[[np.ndarray], float]


@dataclass
class LossSurfaceDisplay(Display):
    """Loss on a plane through the last checkpoint, and along the path to it.

    Parameters
    ----------
    u, v : ndarray of shape (n,)
        Coordinates of the grid; the last checkpoint is (0, 0).
    loss : ndarray of shape (n, n)
        ``loss[i, j]`` belongs to ``(u[j], v[i])``.
    path : ndarray of shape (n_checkpoints, 2)
        The point of the plane nearest to each checkpoint.
    steps : ndarray of int, shape (n_checkpoints,)
    true_loss, surface_loss : ndarray of shape (n_checkpoints,)
        At each checkpoint itself, and at its point of the plane.
    share : float
        Of the path's variance, what lies in the plane: 0 to 1.
    directions : {"path", "random"}
        The path's two principal directions, or random ones of which each filter is as long as the network's.

    Examples
    --------
    >>> path = np.array([[2.0, 2.0, 0.0], [1.0, 0.5, 0.0], [0.0, 0.0, 0.0]])
    >>> display = LossSurfaceDisplay.from_path(lambda p: float(p @ p), path, resolution=5)
    >>> display.loss.shape, round(display.share, 6), np.allclose(display.true_loss, display.surface_loss)
    ((5, 5), 1.0, True)
    """

    u: np.ndarray
    v: np.ndarray
    loss: np.ndarray
    path: np.ndarray
    steps: np.ndarray
    true_loss: np.ndarray
    surface_loss: np.ndarray
    share: float
    directions: str

    @classmethod
    def from_path(
        cls,
        loss: Loss,
        path: ArrayLike,
        *,
        steps: Sequence[int] | None = None,
        true_loss: Sequence[float] | None = None,
        filters: Sequence[np.ndarray] | None = None,
        directions: str = "path",
        resolution: int = 21,
        margin: float = 0.3,
        random_state: int = 0,
        progress: Callable[[float], None] | None = None,
    ) -> LossSurfaceDisplay:
        """Measure the loss of any parameters.

        Parameters
        ----------
        loss : callable
            Parameters of shape (n_parameters,) -> loss.
        path : array_like of shape (n_checkpoints, n_parameters)
            Parameters in the course of training, the last ones last.
        steps : sequence of int, optional
            Of the checkpoints; 0, 1, 2, ... unless given.
        true_loss : sequence of float, optional
            Loss at the checkpoints; measured by ``loss`` unless given.
        filters : sequence of ndarray of int, optional
            Places of each filter's weights; random directions need them.
        directions : {"path", "random"}
            What spans the plane.
        resolution : int
            Points of the grid in each direction.
        margin : float
            How far the grid reaches beyond the path, as a part of the path's extent.
        random_state : int
            Seed of the random directions.
        progress : callable, optional
            Is told the part that is done, 0 to 1.

        Raises
        ------
        InvalidInputError
            If the path has fewer than two checkpoints, or no filters are given for random directions.
        """
        points = np.atleast_2d(np.asarray(path, float))
        if points.ndim != 2 or len(points) < 2 or resolution < 2:
            raise InvalidInputError(
                "A loss surface takes at least two checkpoints, (n_checkpoints, n_parameters), and a resolution "
                f"of at least 2; got {points.shape} and {resolution}."
            )
        plane = _plane(points, directions, filters, random_state)  # (2, n_parameters)
        end = points[-1]
        flat = np.linalg.lstsq(plane.T, (points - end).T, rcond=None)[0].T
        u, v = (_range(flat[:, i], resolution, margin, 1.0 if directions == "random" else 0.0) for i in range(2))
        values = np.empty((resolution, resolution))
        for i, j in np.ndindex(values.shape):
            values[i, j] = loss(end + u[j] * plane[0] + v[i] * plane[1])
            if progress is not None:
                progress((i * resolution + j + 1) / values.size)
        on_surface = np.array([loss(end + point @ plane) for point in flat])
        true = np.array([loss(p) for p in points] if true_loss is None else true_loss)
        numbers = np.arange(len(points)) if steps is None else np.asarray(steps)
        return cls(u, v, values, flat, numbers, true, on_surface, _share(points, plane), directions)

    @classmethod
    def from_history(
        cls, estimator: Any, history: History, X: ArrayLike, y: ArrayLike, *, max_checkpoints: int = 40, **how: Any
    ) -> LossSurfaceDisplay:
        """Measure the loss of a fitted network around where its recorded fit went.

        Running statistics of batch normalization stay those of the fitted network on the surface; the true loss
        has each checkpoint's own.

        Parameters
        ----------
        estimator : fitted estimator
            Has ``state_`` with one flat array of parameters. It is left as it was.
        history : History
            Of its fit; the snapshots are the checkpoints.
        X, y : array_like
            The data to measure the loss on.
        max_checkpoints : int
            How many snapshots to take; of more, so many spread over the fit.
        **how
            As in `from_path`.
        """
        X, y = np.asarray(X), np.asarray(y)
        state, measure = state_of(estimator), mean_loss(estimator, X, y)
        steps = chosen_steps(history, max_checkpoints)
        steps += [state.step] if state.step not in steps else []
        own, path, true = state.arrays["parameters"], [], []
        with at_steps(estimator, history, [step for step in steps if step != state.step]) as each:
            for _ in each:
                path.append(own.copy())
                true.append(measure())
        path.append(own.copy())
        true.append(measure())

        def loss(parameters: np.ndarray) -> float:
            own[...] = parameters
            return measure()

        try:
            return cls.from_path(loss, path, steps=steps, true_loss=true, filters=filters_of(estimator), **how)
        finally:
            own[...] = path[-1]

    @classmethod
    def from_module(
        cls,
        module: nn.Module,
        loss: Callable[[nn.Module], Tensor],
        checkpoints: Sequence[Mapping[str, Tensor]],
        **how: Any,
    ) -> LossSurfaceDisplay:
        """Measure the loss of any torch module, in evaluation mode.

        Parameters
        ----------
        module : Module
            A copy of it is used.
        loss : callable
            module -> scalar tensor.
        checkpoints : sequence of state dicts
            In the course of training, the last one last.
        **how
            As in `from_path`.
        """
        import torch

        module = deepcopy(module).eval()
        parameters = list(module.parameters())

        @torch.no_grad()
        def measure(values: np.ndarray | None = None) -> float:
            if values is not None:
                torch.nn.utils.vector_to_parameters(torch.as_tensor(values, dtype=parameters[0].dtype), parameters)
            return float(loss(module))

        path, true = [], []
        for state in checkpoints:
            module.load_state_dict(state)
            path.append(torch.nn.utils.parameters_to_vector(parameters).detach().numpy().copy())
            true.append(measure())
        ends = np.cumsum([p.numel() for p in parameters])
        parts = np.split(np.arange(ends[-1]), ends[:-1])
        filters = [
            row for p, part in zip(parameters, parts, strict=True) if p.ndim > 1 for row in np.split(part, len(p))
        ]
        return cls.from_path(measure, path, true_loss=true, filters=filters, **how)

    def _frames(self) -> Frames:
        """The path as it grows."""
        parts = ("path", "steps", "true_loss", "surface_loss")
        grown = [{name: getattr(self, name)[: i + 1] for name in parts} for i in range(len(self.steps))]
        return [(f"step {part['steps'][-1]}", replace(self, **part)) for part in grown]

    def _size(self) -> tuple[float, float]:
        return 8.6, 3.8

    def _draw(self, ax: Axes, theme: Theme) -> None:
        left, right = panels(ax, 1, 2, width_ratios=[1.25, 1])[0]
        self._draw_surface(left, theme)
        use_axes(right, theme, "at the checkpoints", "step", "loss", grid=True)
        right.plot(self.steps, self.true_loss, "-o", color=theme.positive, markersize=3, linewidth=LINE, label="true")
        right.plot(
            *(self.steps, self.surface_loss, "--s"),
            color=theme.negative,
            markersize=3,
            linewidth=LINE,
            label="on the plane",
        )
        use_legend(right, theme)

    def _draw_surface(self, ax: Axes, theme: Theme) -> None:
        from matplotlib.colors import LogNorm, Normalize

        said = "principal direction" if self.directions == "path" else "random direction"
        share = f"{self.share:.1%} of the path's variance is in this plane"
        use_axes(ax, theme, share, f"{said} 1", f"{said} 2")
        shown = np.ma.masked_invalid(self.loss)
        low, high = float(shown.min()), float(shown.max())
        log = low > 0 and high > 10 * low
        levels = np.geomspace(low, high, 14) if log else np.linspace(low, high if high > low else low + 1, 14)
        ax.set_facecolor(theme.ink)  # shows where the loss is not finite
        norm = LogNorm(levels[0], levels[-1]) if log else Normalize(levels[0], levels[-1])
        image = ax.pcolormesh(
            self.u, self.v, shown, cmap=theme.amount_map(), norm=norm, shading="gouraud", rasterized=True
        )
        ax.contour(self.u, self.v, shown, levels[1:-1], colors=theme.muted, linewidths=0.5)
        ax.plot(*self.path.T, "-o", color=theme.negative, markersize=2.5, linewidth=1.2)
        apart = (np.abs(self.path[0] - self.path[-1]) > 0.05 * np.array([np.ptp(self.u), np.ptp(self.v)])).any()
        for i in (0, -1):
            ax.plot(*self.path[i], "o" if i else "s", color=theme.negative, markeredgecolor=theme.ink, markersize=6)
            if apart or i:
                first = "" if apart or len(self.steps) == 1 else f"steps {self.steps[0]} to "
                _say(ax, theme, f"{first or 'step '}{self.steps[i]}", self.path[i])
        missing = int(np.sum(~np.isfinite(self.loss)))
        use_colorbar(
            ax, image, theme, f"loss{', log scale' if log else ''}{f', {missing} not finite' if missing else ''}"
        )


def _say(ax: Axes, theme: Theme, text: str, place: np.ndarray) -> None:
    """Put words beside a point of the surface."""
    behind = {"boxstyle": "round,pad=0.15", "facecolor": theme.paper, "alpha": 0.8, "linewidth": 0}
    how = {"textcoords": "offset points", "color": theme.ink, "fontsize": SMALL, "family": FONT, "bbox": behind}
    ax.annotate(text, (float(place[0]), float(place[1])), (5, 5), **how)  # type: ignore[arg-type]


def _plane(points: np.ndarray, directions: str, filters: Sequence[np.ndarray] | None, random_state: int) -> np.ndarray:
    """Return the two directions that span the plane, shape (2, n_parameters)."""
    if directions not in DIRECTIONS:
        raise UnknownNameError("directions", directions, DIRECTIONS)
    if directions == "random":
        if filters is None:
            raise InvalidInputError("Random directions are normalized filter by filter: give filters.")
        return filter_normalized(
            generator(random_state, "directions").normal(size=(2, points.shape[1])), points[-1], filters
        )
    # of few points in many dimensions, the principal directions come from their inner products
    centred = points - points.mean(axis=0)
    values, vectors = np.linalg.eigh(centred @ centred.T)
    plane = (vectors[:, [-1, -2]].T @ centred) / np.sqrt(np.maximum(values[[-1, -2]], np.finfo(float).tiny))[:, None]
    if values[-2] <= 1e-12 * values[-1]:  # the path is a straight line: any second direction will do
        other = generator(random_state, "directions").normal(size=points.shape[1])
        other -= plane[0] * (other @ plane[0])
        plane[1] = other / np.linalg.norm(other)
    return plane


def filter_normalized(directions: np.ndarray, parameters: np.ndarray, filters: Sequence[np.ndarray]) -> np.ndarray:
    """Return directions of which each filter is as long as that of the parameters, and nothing else moves.

    Parameters
    ----------
    directions : ndarray of shape (n, n_parameters)
    parameters : ndarray of shape (n_parameters,)
    filters : sequence of ndarray of int
        Places of each filter's weights.

    Examples
    --------
    >>> filter_normalized(np.array([[3.0, 4.0, 1.0]]), np.array([1.0, 0.0, 7.0]), [np.array([0, 1])])
    array([[0.6, 0.8, 0. ]])
    """
    result = np.zeros_like(directions)
    for places in filters:
        part = directions[:, places]
        length = np.maximum(np.linalg.norm(part, axis=1, keepdims=True), np.finfo(float).tiny)
        result[:, places] = part * (np.linalg.norm(parameters[places]) / length)
    return result


def _share(points: np.ndarray, plane: np.ndarray) -> float:
    """Return what part of the points' variance lies in the plane's directions."""
    centred = points - points.mean(axis=0)
    basis = np.linalg.qr(plane.T)[0]
    total = np.sum(centred**2)
    return float(np.sum((centred @ basis) ** 2) / total) if total else 1.0


def _range(values: np.ndarray, n: int, margin: float, least: float) -> np.ndarray:
    low, high = min(values.min(), -least), max(values.max(), least)
    extent = max(high - low, 1e-6)
    return np.linspace(low - margin * extent, high + margin * extent, n)
