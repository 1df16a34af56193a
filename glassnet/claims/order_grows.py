"""The order of a predicate (Minsky and Papert 1969)."""

from __future__ import annotations

import numpy as np

from glassnet import connectedness, predicate_order
from glassnet.claims.claim import Claim, Scale, at_least, exactly
from glassnet.claims.picture import curve, finish, panels, svg
from glassnet.networks.truth_tables import parity


def order_grows(scale: Scale) -> Claim:
    """The order of parity and of connectedness grows with the retina."""
    sizes = range(1, scale.pick(7, 10))
    retinas = [(1, 2), (1, 3), (2, 2), (2, 3), (2, 4), (3, 3)][: scale.pick(5, 6)]
    of_parity = np.array([predicate_order(parity(n)) for n in sizes])
    of_connectedness = np.array([predicate_order(connectedness(*retina)) for retina in retinas])
    return Claim(
        source="M. Minsky and S. Papert (1969), Perceptrons",
        measured=(
            exactly("retinas on which parity's order is not their size", (of_parity != sizes).sum(), 0),
            exactly("falls of connectedness' order as the retina grows", (np.diff(of_connectedness) < 0).sum(), 0),
            at_least(
                f"growth of connectedness' order from {retinas[0]} to {retinas[-1]}",
                of_connectedness[-1] - of_connectedness[0],
                1,
            ),
        ),
        figure=_figure(sizes, of_parity, retinas, of_connectedness),
        note="Every order is proved by computation: a vote of smaller masks is refuted by a certificate.",
    )


def _figure(sizes: range, of_parity: np.ndarray, retinas: list[tuple[int, int]], of_connectedness: np.ndarray) -> str:
    figure, (ax,) = panels()
    curve(ax, 0, sizes, of_parity, "parity")
    squares = [rows * columns for rows, columns in retinas]
    curve(ax, 1, squares, of_connectedness, "connectedness")
    for (rows, columns), order in zip(retinas, of_connectedness, strict=True):
        ax.annotate(f"{rows} x {columns}", (rows * columns, order), xytext=(4, -10), textcoords="offset points", size=7)
    finish(ax, "Inputs that the largest mask has to see", "inputs", "order")
    return svg(figure)
