"""Loss over training: one run or several with their spread, training and held-out data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.errors import InvalidInputError
from glassnet.plots.display import Display
from glassnet.plots.film import N_FRAMES, Frames
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
    window : pair of pair of float, optional
        First and last value on the horizontal and the vertical axis; what the curves need if None.

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
    window: tuple[tuple[float, float], tuple[float, float]] | None = None

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
    def from_history(cls, history: History, **how: Any) -> TrainingCurvesDisplay:
        """Take what a history holds of one run.

        Parameters
        ----------
        history : History
            Of one run.
        **how
            As `from_histories`.
        """
        return cls.from_histories({"": [history]}, **how)

    @classmethod
    def from_histories(
        cls, histories: Mapping[str, Sequence[History]], *, quantity: str = "loss", **look: Any
    ) -> TrainingCurvesDisplay:
        """Compare runs by the mean and the spread over the histories under each name.

        Losses of single batches are averaged over as many consecutive steps as it takes to
        have at most 400 points; the points then stand in the middle of their steps.

        Parameters
        ----------
        histories : mapping of str to sequence of History
            Runs under one name share their steps; a curve ends with the shortest of them.
        quantity : str
            Draws the scalars that end in it: of "error", ``training_error`` and ``test_error``.
            Of "loss" also the losses of the steps, as training.
        **look
            ``side_by_side``, ``log``, ``ylabel``.

        Raises
        ------
        InvalidInputError
            If a run has no such quantity, or the runs of a name have it at different steps.
        """
        curves = []
        for name, runs in histories.items():
            if quantity == "loss":
                curves.append(_curve(name, TRAINING, [_averaged(run.steps, run.losses) for run in runs]))
            held = [s for s in runs[0].scalars if s.endswith(f"_{quantity}") and all(s in r.scalars for r in runs)]
            if quantity != "loss" and not held:
                raise InvalidInputError(f"No run{f' of {name!r}' if name else ''} measured {quantity}.")
            for scalar in held:
                series = [run.scalars[scalar] for run in runs]
                part = scalar.removesuffix(f"_{quantity}")
                curves.append(_curve(name, part, [(s.steps, s.values) for s in series]))
        return cls(curves, "step", look.pop("ylabel", quantity), **look)

    def _frames(self) -> Frames:
        ends = np.linspace(0, max(curve.x[-1] for curve in self.curves), N_FRAMES + 1)[1:]
        window = self.window or self._whole_window()
        return [
            (f"{self.xlabel} {end:.0f}", replace(self, curves=[_until(c, end) for c in self.curves], window=window))
            for end in ends
        ]

    def _whole_window(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """The axes that show all of the curves."""
        x = np.concatenate([curve.x for curve in self.curves])
        y = np.concatenate([ends for curve in self.curves for ends in (curve.low, curve.high)])
        y = y[np.isfinite(y) & ((y > 0) | (not self.log))]
        margin = 0.03 * np.ptp(x)
        if self.log:
            return (x.min() - margin, x.max() + margin), (y.min() / 1.2, y.max() * 1.2)
        return (x.min() - margin, x.max() + margin), (y.min() - 0.05 * np.ptp(y), y.max() + 0.05 * np.ptp(y))

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
        if self.window is not None:
            ax.set(xlim=self.window[0], ylim=self.window[1])
        if any(_label(curve, title) for curve in curves):
            several = any(curve.n_runs > 1 for curve in curves)
            use_legend(ax, theme, title="mean and range" if several else None)

    def _color_number(self, curve: Curve) -> int:
        """Colours tell names apart, or parts where there is one name; the first is blue."""
        names = list(dict.fromkeys(c.name for c in self.curves))
        parts = list(dict.fromkeys(c.part for c in self.curves))
        i = names.index(curve.name) if len(names) > 1 else parts.index(curve.part)
        return (1, 0)[i] if i < 2 else i


def _label(curve: Curve, title: str) -> str:
    runs = f"{curve.n_runs} runs" if curve.n_runs > 1 else ""
    return ", ".join(part for part in (curve.name, curve.part if curve.part != title else "", runs) if part)


def _until(curve: Curve, end: float) -> Curve:
    """Return the part of a curve up to ``end``, its first point at least."""
    n = max(1, int(np.searchsorted(curve.x, end, side="right")))
    return replace(curve, x=curve.x[:n], mean=curve.mean[:n], low=curve.low[:n], high=curve.high[:n])


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
