"""Gradient descent: runs race down the loss surface of a network of two weights.

With two numbers to learn, the whole surface can be drawn, and a path on it is the run itself
and no projection. The unit is a logistic regression, its surface a valley; the chain is a
network of one input, one tanh unit and one output without biases, whose surface has a
saddle at zero and two valleys that are alike.

References
----------
H. Robbins, S. Monro (1951). A stochastic approximation method.
D. E. Rumelhart, G. E. Hinton, R. J. Williams (1986). Learning representations by
back-propagating errors (momentum).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import Field, model_validator

from glassnet.lab.exhibit import Exhibit, Frame, Settings
from glassnet.lab.surface import bands, grid

if TYPE_CHECKING:
    from glassnet.lab.exhibits.descent_race import Race

N_SAMPLES = 40
MOST_RUNS = 4
RATES: Any = (0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30)
# network -> ranges of its two weights
RANGES = {"chain": ((-3.0, 3.0), (-3.0, 3.0)), "unit": ((-4.0, 8.0), (-6.0, 6.0))}


def _runs(**bounds: float) -> dict:
    return {"min_length": 1, "max_length": MOST_RUNS, **bounds}


class DescentSettings(Settings):
    """What a visitor can change; every run has its place in the three lists."""

    network: Literal["chain", "unit"] = "chain"
    batch_sizes: tuple[Annotated[int, Field(ge=1, le=N_SAMPLES)], ...] = Field((N_SAMPLES, 1, N_SAMPLES), **_runs())
    learning_rates: tuple[Annotated[float, Field(gt=0, le=100)], ...] = Field(
        (0.1, 0.1, 0.1), json_schema_extra={"choices": RATES}, **_runs()
    )
    momenta: tuple[Annotated[float, Field(ge=0, le=0.99)], ...] = Field((0.0, 0.0, 0.9), **_runs())
    clock: Literal["steps", "epochs"] = "steps"
    start1: float = Field(0.3, ge=-4, le=8)
    start2: float = Field(-0.6, ge=-6, le=6)
    noise: float = Field(0.3, ge=0, le=1)
    seed: int = Field(0, ge=0, le=2**31 - 1)

    @model_validator(mode="after")
    def _are_as_many(self) -> DescentSettings:
        if len({len(self.batch_sizes), len(self.learning_rates), len(self.momenta)}) > 1:
            raise ValueError("Every run needs a batch size, a learning rate and a momentum.")
        return self

    @property
    def runs(self) -> list[tuple[int, float, float]]:
        """Batch size, learning rate and momentum of each run."""
        return list(zip(self.batch_sizes, self.learning_rates, self.momenta, strict=True))

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        """Return inputs (n, 1) and targets (n,): numbers for the chain, zeros and ones for the unit."""
        x = np.linspace(-2, 2, N_SAMPLES).round(2)
        noise = self.noise * np.random.default_rng(self.seed).standard_normal(N_SAMPLES)
        if self.network == "unit":
            return x[:, None], (x + 4 * noise > -0.4).astype(int)
        return x[:, None], (1.5 * np.tanh(1.2 * x) + noise).round(2)


class DescentExhibit(Exhibit):
    """Several runs of gradient descent on one surface.

    Examples
    --------
    >>> exhibit = DescentExhibit(DescentSettings(batch_sizes=(40,), learning_rates=(0.3,), momenta=(0.9,)))
    >>> exhibit.step(100)
    >>> exhibit.frame().values["losses"][0] < 0.1
    True
    """

    Settings = DescentSettings
    export = "replay"

    settings: DescentSettings
    history: Race

    def __init__(self, settings: DescentSettings):
        from glassnet.lab.exhibits.descent_race import NETWORKS, Race

        super().__init__(settings)
        self._net = NETWORKS[settings.network](*settings.data())
        self.history = Race(self._net, settings)

    def scene(self) -> Frame:
        """Return the surface, uint8 in bands with the largest second weight on top, and its lowest pixel."""
        ranges = RANGES[self.settings.network]
        first, second = grid(*ranges)
        losses = self._net.losses(first.ravel(), second.ravel())
        lowest = int(losses.argmin())
        return Frame(
            {
                "range": [*ranges[0], *ranges[1]],
                "lowest": float(losses[lowest]),
                "lowestAt": [float(first.flat[lowest]), float(second.flat[lowest])],
                "nSamples": N_SAMPLES,
            },
            {"surface": bands(losses.reshape(first.shape), losses[lowest])},
        )

    def frame(self) -> Frame:
        """Return where each run is and how it got there, rows (time, weight 1, weight 2, loss)."""
        places = self.history.places()
        losses = self._net.losses(*np.transpose(places))
        paths = self.history.paths()
        return Frame(
            {
                "places": [[_finite(value) for value in place] for place in places],
                "losses": [_finite(loss) for loss in losses],
                "isOut": self.history.is_out,
            },
            {f"path{i}": path for i, path in enumerate(paths)},
        )

    def python(self) -> str:
        """Return the race as a script that prints the loss of each run."""
        from glassnet.lab.exhibits.descent_race import script

        return script(self.settings, self.history.steps(), self.history.runners[0].estimator.engine_)


def _finite(value: float) -> float | None:
    """Return None for what JSON cannot say."""
    return float(value) if np.isfinite(value) else None
