"""Recall as a way down: the energy of a network of symmetric weights, step by step."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.errors import InvalidInputError
from glassnet.plots.display import Display
from glassnet.plots.film import Frames
from glassnet.plots.style import LINE, Theme, number, panels, use_axes, use_frame, use_whole_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

MAX_PICTURES = 6


@dataclass
class EnergyDisplay(Display):
    """Energy over the steps of a recall, one curve per probe, with probes and recalled states.

    Parameters
    ----------
    energies : ndarray of shape (n_probes, n_steps + 1)
        Energy of the probe and after every step.
    probes, states : ndarray of shape (n_probes, n_units)
        Where the network started, and where it came to rest.
    overlaps : ndarray of shape (n_probes,)
        Largest overlap of the final state with a stored pattern, in [-1, 1].
    image_shape : tuple of int or None
        (height, width), if the states are pictures.
    between : list of (ndarray of shape (n_probes, n_units), ndarray of shape (n_probes,))
        States and overlaps after every step but the last, for `animate`.
    window : pair of pair of float, optional
        First and last value on both axes; what the curves need if None.

    Examples
    --------
    >>> from glassnet.networks.hopfield import HopfieldNetwork
    >>> network = HopfieldNetwork(random_state=0).fit([[1.0, 1.0, -1.0, -1.0]])
    >>> display = EnergyDisplay.from_network(network, [[-1.0, 1.0, -1.0, -1.0]])
    >>> bool(display.energies[0, -1] < display.energies[0, 0])
    True
    """

    energies: np.ndarray
    probes: np.ndarray
    states: np.ndarray
    overlaps: np.ndarray
    image_shape: tuple[int, int] | None = None
    between: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list, repr=False)
    window: tuple[tuple[float, float], tuple[float, float]] | None = None

    @classmethod
    def from_network(
        cls, network: Any, probes: ArrayLike, *, image_shape: Sequence[int] | None = None
    ) -> EnergyDisplay:
        """Let a fitted associative memory recall from probes.

        Parameters
        ----------
        network : object
            Its ``recall(probes)`` gives ``energies``, ``states`` and ``overlaps``, after at most
            ``max_iter`` steps.
        probes : array_like of shape (n_probes, n_units)
            States of -1 and +1.
        image_shape : (height, width), optional
            Draws up to six probes and what they became as pictures.

        Raises
        ------
        InvalidInputError
            If the units do not fill such a picture.
        """
        probes = np.asarray(probes, float)
        recall = network.recall(probes)
        shape = None if image_shape is None else (int(image_shape[0]), int(image_shape[1]))
        if shape is not None and np.prod(shape) != probes.shape[1]:
            raise InvalidInputError(f"{probes.shape[1]} units do not fill a picture of shape {shape}.")
        between = [_after(network, probes, step) for step in range(1, recall.energies.shape[1] - 1)]
        return cls(recall.energies, probes, recall.states, recall.overlaps.max(axis=1), shape, between)

    def _frames(self) -> Frames:
        """The probes, then one picture per step."""
        spread = np.ptp(self.energies)
        window = (
            (-0.2, self.energies.shape[1] - 0.8),
            (self.energies.min() - 0.05 * spread, self.energies.max() + 0.05 * spread),
        )
        steps = [(self.probes, np.full(len(self.probes), np.nan)), *self.between, (self.states, self.overlaps)]
        return [
            (f"step {n}", replace(self, energies=self.energies[:, : n + 1], states=s, overlaps=o, window=window))
            for n, (s, o) in enumerate(steps)
        ]

    def _n_pictures(self) -> int:
        return min(MAX_PICTURES, len(self.probes)) if self.image_shape is not None else 0

    def _size(self) -> tuple[float, float]:
        return 4.6 + 1.0 * self._n_pictures(), 3.0

    def _draw(self, ax: Axes, theme: Theme) -> None:
        n = self._n_pictures()
        if n:
            grid = panels(ax, 2, n + 1, width_ratios=(*[1] * n, 0.8 + 0.55 * n))
            for i in range(n):
                self._draw_picture(grid[0, i], theme, self.probes[i], i, "probe")
                self._draw_picture(grid[1, i], theme, self.states[i], i, self._said(i))
            spec = grid[0, n].get_subplotspec().get_gridspec()
            for panel in grid[:, n]:
                panel.remove()
            ax = ax.figure.add_subplot(spec[:, n])  # type: ignore[union-attr]
        use_axes(ax, theme, "", "step", "energy E", grid=True)
        use_whole_ticks(ax)
        for i, energies in enumerate(self.energies):
            ax.plot(energies, "-o", color=theme.color(i), linewidth=LINE, markersize=3.5)
        if self.window is not None:
            ax.set(xlim=self.window[0], ylim=self.window[1])

    def _said(self, i: int) -> str:
        return "state" if np.isnan(self.overlaps[i]) else f"overlap {number(self.overlaps[i])}"

    def _draw_picture(self, ax: Axes, theme: Theme, state: np.ndarray, i: int, title: str) -> None:
        use_frame(ax, theme, title)
        assert self.image_shape is not None
        ax.imshow(state.reshape(self.image_shape), cmap=theme.blend(theme.paper, theme.color(i)), vmin=-1, vmax=1)


def _after(network: Any, probes: np.ndarray, n_steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the states and overlaps of a recall that is broken off."""
    hurried = copy(network)
    hurried.max_iter = n_steps
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it has not settled is what was asked for
        recall = hurried.recall(probes)
    return recall.states, recall.overlaps.max(axis=1)
