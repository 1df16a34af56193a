"""Loss over training: one run or several with their spread, training and held-out data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.errors import InvalidInputError
from glassnet.plots.display import Display
from glassnet.plots.style import LINE, Theme, panels, use_axes, use_legend

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from glassnet.inspect.history import History

MAX_POINTS = 400
TRAINING = "training"
DASHES = {TRAINING: "-", "validation": "--", "test": ":"}


@dataclass
class Curve:
    """One quantity over training, the mean over its runs.

    Parameters
    ----------
    name : str
        Of the network or setting; empty if there is only one.
    part : str
        The data it is measured on: "training", "validation" or "test".
    x, mean, low, high : ndarray of shape (n_points,)
        Step or epoch; mean, smallest and largest value over the runs.
    n_runs : int
        Number of runs.
    """

    name: str
    part: str
    x: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    n_runs: int


@dataclass
class TrainingCurvesDisplay(Display):
    """Curves of loss, or of another quantity, over training.

    Parameters
    ----------
    curves : list of Curve
        What is drawn: one colour per name, one dash pattern per part.
    xlabel, ylabel : str
        What the axes are.
    side_by_side : bool
        Whether training and held-out data stand in two panels of one scale.
    log : bool
        Whether the vertical axis is logarithmic.

    Examples
    --------
    >>> from glassnet import MLPClassifier
    >>> net = MLPClassifier((4,), max_iter=3, tol=None, random_state=0).fit([[0.0], [1.0]], [0, 1])
    >>> display = TrainingCurvesDisplay.from_estimator(net)
    >>> [(c.part, c.x.tolist()) for c in display.curves]
    [('training', [1.0, 2.0, 3.0])]
    """

    curves: list[Curve]
    xlabel: str = "step"
    ylabel: str = "loss"
    side_by_side: bool = False
    log: bool = False

    @classmethod
    def from_estimator(cls, estimator: Any, **look: Any) -> TrainingCurvesDisplay:
        """Take the curves that a fit leaves in the estimator, one value per epoch.

        Parameters
        ----------
        estimator : object
            Has ``loss_curve_`` and perhaps ``validation_loss_curve_``.
        **look
            ``side_by_side``, ``log``, ``ylabel``.

        Raises
        ------
        InvalidInputError
            If it has no ``loss_curve_``.
        """
        return cls.from_estimators({"": [estimator]}, **look)

    @classmethod
    def from_estimators(cls, estimators: Mapping[str, Sequence[Any]], **look: Any) -> TrainingCurvesDisplay:
        """Compare estimators by the mean and the spread over the runs under each name.

        Parameters
        ----------
        estimators : mapping of str to sequence of estimators
            A curve ends with the shortest of its runs.
        **look
            ``side_by_side``, ``log``, ``ylabel``.
        """
        curves = []
        for name, runs in estimators.items():
            curves.append(_curve(name, TRAINING, [_epochs(run, "loss_curve_") for run in runs]))
            if all(getattr(run, "validation_loss_curve_", None) for run in runs):
                curves.append(_curve(name, "validation", [_epochs(run, "validation_loss_curve_") for run in runs]))
        return cls(curves, "epoch", **look)

    @classmethod
    def from_history(cls, history: History, **look: Any) -> TrainingCurvesDisplay:
        """Take a history's losses, and its scalars that end in ``_loss``.

        Parameters
        ----------
        history : History
            Of one run.
        **look
            ``side_by_side``, ``log``, ``ylabel``.
        """
        return cls.from_histories({"": [history]}, **look)

    @classmethod
    def from_histories(cls, histories: Mapping[str, Sequence[History]], **look: Any) -> TrainingCurvesDisplay:
        """Compare runs by the mean and the spread over the histories under each name.

        Losses of single batches are averaged over as many consecutive steps as it takes to
        have at most 400 points; the points then stand in the middle of their steps.

        Parameters
        ----------
        histories : mapping of str to sequence of History
            Runs under one name share their steps; a curve ends with the shortest of them.
        **look
            ``side_by_side``, ``log``, ``ylabel``.
        """
        curves = []
        for name, runs in histories.items():
            curves.append(_curve(name, TRAINING, [_averaged(run.steps, run.losses) for run in runs]))
            for scalar in [s for s in runs[0].scalars if s.endswith("_loss") and all(s in r.scalars for r in runs)]:
                series = [run.scalars[scalar] for run in runs]
                curves.append(_curve(name, scalar.removesuffix("_loss"), [(s.steps, s.values) for s in series]))
        return cls(curves, "step", **look)

    def _size(self) -> tuple[float, float]:
        return (8.0, 3.6) if self.side_by_side else (5.4, 3.6)

    def _draw(self, ax: Axes, theme: Theme) -> None:
        trained = [curve for curve in self.curves if curve.part == TRAINING]
        held_out = [curve for curve in self.curves if curve.part != TRAINING]
        if not (self.side_by_side and trained and held_out):
            self._draw_panel(ax, theme, self.curves, "")
            return
        left, right = panels(ax, 1, 2)[0]
        right.sharey(left)
        self._draw_panel(left, theme, trained, TRAINING)
        self._draw_panel(right, theme, held_out, " and ".join(dict.fromkeys(curve.part for curve in held_out)))
        right.set_ylabel("")

    def _draw_panel(self, ax: Axes, theme: Theme, curves: list[Curve], title: str) -> None:
        use_axes(ax, theme, title, self.xlabel, self.ylabel, grid=True)
        for curve in curves:
            color = theme.color(self._color_number(curve))
            dashes = "-" if title == curve.part else DASHES.get(curve.part, "-.")
            ax.plot(curve.x, curve.mean, dashes, color=color, linewidth=LINE, label=_label(curve, title))
            if curve.n_runs > 1:
                ax.fill_between(curve.x, curve.low, curve.high, color=color, alpha=0.18, linewidth=0)
        if self.log:
            ax.set_yscale("log")
        if any(_label(curve, title) for curve in curves):
            use_legend(ax, theme)

    def _color_number(self, curve: Curve) -> int:
        """Colours tell names apart, or parts where there is one name; the first is blue."""
        names = list(dict.fromkeys(c.name for c in self.curves))
        parts = list(dict.fromkeys(c.part for c in self.curves))
        i = names.index(curve.name) if len(names) > 1 else parts.index(curve.part)
        return (1, 0)[i] if i < 2 else i


def _label(curve: Curve, title: str) -> str:
    runs = f"mean and range of {curve.n_runs} runs" if curve.n_runs > 1 else ""
    return ", ".join(part for part in (curve.name, curve.part if curve.part != title else "", runs) if part)


def _epochs(estimator: Any, name: str) -> tuple[np.ndarray, np.ndarray]:
    values = getattr(estimator, name, None)
    if values is None:
        raise InvalidInputError(f"{type(estimator).__name__} has no {name}: it was not fitted, or not epoch by epoch.")
    return np.arange(1, len(values) + 1), np.asarray(values, float)


def _averaged(steps: np.ndarray, losses: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Average over equal numbers of consecutive steps; an unfinished last group is left out."""
    width = max(1, -(-len(losses) // MAX_POINTS))
    n = len(losses) // width
    grouped = [values[: n * width].reshape(n, width).mean(axis=1) for values in (steps, losses.astype(float))]
    return grouped[0], grouped[1]


def _curve(name: str, part: str, runs: list[tuple[np.ndarray, np.ndarray]]) -> Curve:
    if not runs or not min(len(x) for x, _ in runs):
        raise InvalidInputError(f"There is no {part} curve to draw{f' for {name!r}' if name else ''}.")
    n = min(len(x) for x, _ in runs)
    x = np.asarray(runs[0][0][:n], float)
    if not all(np.array_equal(x, other[:n]) for other, _ in runs):
        raise InvalidInputError(f"The runs of {name!r} have their {part} values at different steps.")
    values = np.stack([np.asarray(y[:n], float) for _, y in runs])
    return Curve(name, part, x, values.mean(axis=0), values.min(axis=0), values.max(axis=0), len(runs))
