"""The lecture's gates, in its own numbers (after McCulloch and Pitts 1943)."""

from __future__ import annotations

import numpy as np

from glassnet.claims.claim import Claim, Scale, exactly
from glassnet.claims.picture import THEME, finish, limit, panels, svg
from glassnet.data import load_gate
from glassnet.networks.logic import xor_by_hand
from glassnet.networks.mcculloch_pitts import CLASSICAL_GATES, gate

EXPECTED = {name: load_gate(name.lower()).y_train for name in ("AND", "OR", "XOR")}
EXPECTED["NOT"] = load_gate("not").y_train.repeat(2)  # NOT reads x1 and ignores x2


def lecture_weights(scale: Scale) -> Claim:
    """The lecture's weights give AND, OR and NOT, and XOR with a hidden layer."""
    tables = {name: gate(name).truth_table() for name in CLASSICAL_GATES} | {"XOR": xor_by_hand().truth_table()}
    strict = gate("AND", ">").truth_table()
    return Claim(
        source="the lecture, after W. S. McCulloch and W. Pitts (1943)",
        measured=(
            *(exactly(f"wrong answers of {k}, of 4", (v != EXPECTED[k]).sum(), 0) for k, v in tables.items()),
            exactly("wrong answers of AND that fires above its threshold only", (strict != EXPECTED["AND"]).sum(), 1),
        ),
        figure=_figure(),
        note="The lecture's gates fire when the sum reaches the threshold; its later slides define the step as z > 0, "
        "under which its own AND, 1 + 1 against a threshold of 2, never fires.",
    )


def _figure() -> str:
    figure, axes = panels(len(CLASSICAL_GATES), width=2.8, height=2.8)
    inputs = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    for ax, name in zip(axes, CLASSICAL_GATES, strict=True):
        neuron = gate(name)
        color = [THEME.color(int(answer)) for answer in neuron(inputs)]
        ax.scatter(range(4), neuron.weighted_sum(inputs), c=color, s=60)
        limit(ax, neuron.threshold, "threshold")
        ax.set_xticks(range(4), ["00", "01", "10", "11"])
        finish(ax, name, "x1 x2", "weighted sum")
    return svg(figure)
