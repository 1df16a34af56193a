"""Adaline: the least-mean-squares rule walks down its bowl (1960).

One input, so that the unit has two numbers to learn, weight and bias, and the loss over
both is a bowl that can be drawn. The learning rate is given as a share of the stability
limit: below 1 the walk ends at the bottom, above 1 it leaves the bowl.

References
----------
B. Widrow, M. E. Hoff (1960). Adaptive switching circuits.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, model_validator

from glassnet.lab.exhibit import Exhibit, Frame, Settings
from glassnet.lab.surface import bands, grid

HALF = 4.0  # half the side of both planes
N_POINTS, MOST_POINTS = 12, 60
SLOPE, HEIGHT = 0.8, 0.5  # of the line that the data lie around


class AdalineSettings(Settings):
    """What a visitor can change."""

    dataset: Literal["line", "classes", "own"] = "line"
    points: tuple[Annotated[float, Field(ge=-HALF, le=HALF)], ...] = Field((), max_length=2 * MOST_POINTS)
    new_point: Literal["add", "erase"] = "add"
    noise: float = Field(0.4, ge=0, le=1)
    shift: float = Field(0.5, ge=0, le=2)
    seed: int = Field(0, ge=0, le=2**31 - 1)
    batch: Literal["one", "all"] = "all"
    rate_share: float = Field(0.3, ge=0.01, le=1.2)
    start_weight: float = Field(-3.0, ge=-HALF, le=HALF)
    start_bias: float = Field(3.0, ge=-HALF, le=HALF)

    @model_validator(mode="after")
    def _has_points(self) -> AdalineSettings:
        if self.dataset == "own" and (len(self.points) < 4 or len(self.points) % 2):
            raise ValueError("Points are pairs input, target; keep at least two of them.")
        return self

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        """Return inputs x and targets t, (n_points,) each, to two decimals."""
        if self.dataset == "own":
            x, t = np.reshape(self.points, (-1, 2)).T
            return x, t
        noise = np.random.default_rng(self.seed).standard_normal(N_POINTS) * self.noise
        if self.dataset == "classes":
            t = np.repeat([-1.0, 1.0], N_POINTS // 2)
            x = t + 2 * noise + self.shift
        else:
            x = np.linspace(-2, 2, N_POINTS) + self.shift
            t = SLOPE * x + HEIGHT + noise
        return x.clip(-HALF, HALF).round(2), t.clip(-HALF, HALF).round(2)


class AdalineExhibit(Exhibit):
    """An adaptive linear neuron of one input, and the bowl of its loss.

    Examples
    --------
    >>> exhibit = AdalineExhibit(AdalineSettings(rate_share=0.5))
    >>> exhibit.step(200)
    >>> exhibit.frame().values["loss"] - exhibit.scene().values["lowest"] < 1e-6
    True
    """

    Settings = AdalineSettings
    views = frozenset({"new_point"})
    export = "replay"
    parallel = 2

    settings: AdalineSettings

    def __init__(self, settings: AdalineSettings):
        from glassnet.lab.recording import Path, Recording
        from glassnet.learning.lms import stability_limit

        super().__init__(settings)
        self.x, self.t = settings.data()
        self._X = self.x[:, None].astype(np.float32)
        self._limit = stability_limit(self._X, None if settings.batch == "all" else 1)
        self._rate = float(f"{settings.rate_share * self._limit:.6g}")
        self.unit = self._unit()
        state = self.unit.initialize(self._X, self.t if settings.dataset != "classes" else self.t > 0)
        self.unit.coef_[:], self.unit.intercept_[:] = settings.start_weight, settings.start_bias
        self._path = Path(state, lambda: (*self._place(), self._loss()), width=3)
        self.history = Recording(state, observers=[self._path])

    def _unit(self) -> Any:
        from glassnet import AdalineClassifier, AdalineRegressor

        estimator = AdalineClassifier if self.settings.dataset == "classes" else AdalineRegressor
        batch_size = "all" if self.settings.batch == "all" else 1
        return estimator(learning_rate_init=self._rate, batch_size=batch_size, random_state=self.settings.seed)

    def _place(self) -> tuple[float, float]:
        """Return weight and bias."""
        return float(self.unit.coef_[0, 0]), float(self.unit.intercept_[0])

    def _loss(self) -> float:
        """Return half the mean squared error over all points."""
        weight, bias = self._place()
        with np.errstate(over="ignore"):
            return float(np.mean((weight * self.x + bias - self.t) ** 2) / 2)

    def scene(self) -> Frame:
        """Return the points, the bowl, uint8 in bands with the largest bias on top, and its lowest place."""
        weight, bias = grid((-HALF, HALF), (-HALF, HALF))
        losses = np.mean((weight[..., None] * self.x + bias[..., None] - self.t) ** 2, axis=-1) / 2
        lowest_at = np.linalg.lstsq(np.column_stack([self.x, np.ones_like(self.x)]), self.t, rcond=None)[0]
        lowest = float(np.mean((lowest_at[0] * self.x + lowest_at[1] - self.t) ** 2) / 2)
        return Frame(
            {"limit": self._limit, "rate": self._rate, "lowest": lowest, "lowestAt": lowest_at.tolist()},
            {"points": np.column_stack([self.x, self.t]).astype(np.float32), "bowl": bands(losses, lowest)},
        )

    def frame(self) -> Frame:
        """Return where the unit is, its loss, and the way there."""
        loss = self._loss()
        return Frame(
            {"place": self._place(), "loss": loss if np.isfinite(loss) else None}, {"path": self._path.curve.points}
        )

    def python(self) -> str:
        """Return the walk as a script that prints loss, weight and bias."""
        assert self.history is not None
        is_classifier = self.settings.dataset == "classes"
        return _SCRIPT.format(
            estimator="AdalineClassifier" if is_classifier else "AdalineRegressor",
            x=self.x.tolist(), t=self.t.tolist(), target="t > 0" if is_classifier else "t",
            output="decision_function" if is_classifier else "predict",
            rate=self._rate, batch='"all"' if self.settings.batch == "all" else 1,
            seed=self.settings.seed, engine=self.unit.engine_,
            weight=self.settings.start_weight, bias=self.settings.start_bias, step=self.history.step,
        )  # fmt: skip


_SCRIPT = """\
import numpy as np

from glassnet import {estimator}, advance

x = np.array({x})
t = np.array({t})
X = x[:, None]

unit = {estimator}(
    learning_rate_init={rate}, batch_size={batch}, random_state={seed}, engine="{engine}"
)
state = unit.initialize(X, {target})
unit.coef_[:], unit.intercept_[:] = {weight}, {bias}
advance(state, {step})

print(f"loss {{np.mean((unit.{output}(X) - t) ** 2) / 2:.4f}}")
print(f"weight {{unit.coef_[0, 0]:.3f}}, bias {{unit.intercept_[0]:.3f}}")
print(f"stability limit {{unit.stability_limit_:.4f}}")
"""
