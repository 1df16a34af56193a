"""Regularization: a polynomial bends to its points, and a penalty on its weights straightens it.

Ridge regression on the powers of x. The curve is fitted to the points on the left; the error on
new points of the same law shows what the degree and the penalty are worth.

References
----------
A. E. Hoerl and R. W. Kennard (1970). Ridge regression. Technometrics 12, 55-67.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, model_validator

from glassnet.lab.exhibit import Exhibit, Frame, Settings

HALF, HEIGHT = 1.0, 2.0  # half the sides of the plane
N_CURVE, N_NEW = 161, 400
MOST_POINTS, MOST_DEGREE = 80, 15
LOWEST, HIGHEST = -8.0, 2.0  # powers of ten of the penalty
SWEEP = np.linspace(LOWEST, HIGHEST, 41)


class RidgeSettings(Settings):
    """What a visitor can change."""

    dataset: Literal["sine", "own"] = "sine"
    points: tuple[Annotated[float, Field(ge=-HEIGHT, le=HEIGHT)], ...] = Field((), max_length=2 * MOST_POINTS)
    new_point: Literal["add", "erase"] = "add"
    degree: int = Field(12, ge=1, le=MOST_DEGREE)
    penalty: float = Field(-8.0, ge=LOWEST, le=HIGHEST)
    n_points: int = Field(18, ge=6, le=MOST_POINTS)
    noise: float = Field(0.3, ge=0, le=1)
    seed: int = Field(0, ge=0, le=2**31 - 1)

    @model_validator(mode="after")
    def _has_points(self) -> RidgeSettings:
        if self.dataset == "own" and (len(self.points) < 4 or len(self.points) % 2):
            raise ValueError("Points are pairs x, y; keep at least two of them.")
        if any(abs(x) > HALF for x in self.points[::2]):
            raise ValueError(f"x lies between {-HALF:g} and {HALF:g}.")
        return self

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        """Return x and y, (n_points,) each, to three decimals."""
        if self.dataset == "own":
            x, y = np.reshape(self.points, (-1, 2)).T
            return x, y
        rng = np.random.default_rng(self.seed)
        x = rng.uniform(-HALF, HALF, self.n_points).round(3)
        return x, (law(x) + self.noise * rng.standard_normal(self.n_points)).clip(-HEIGHT, HEIGHT).round(3)


class RidgeExhibit(Exhibit):
    """A polynomial with an L2 penalty on its weights.

    Examples
    --------
    >>> loose, tight = (RidgeExhibit(RidgeSettings(penalty=p)).frame().values for p in (-8, -1))
    >>> loose["length"] > 100 * tight["length"], loose["newError"] > tight["newError"]
    (True, True)
    """

    Settings = RidgeSettings
    views = frozenset({"new_point"})

    settings: RidgeSettings

    def __init__(self, settings: RidgeSettings):
        super().__init__(settings)
        self.x, self.y = settings.data()
        self.model = self._fit(settings.penalty)

    def _fit(self, penalty: float) -> Any:
        from glassnet import PolynomialRegression

        return PolynomialRegression(self.settings.degree, 10.0**penalty).fit(self.x[:, None], self.y)

    def frame(self) -> Frame:
        """Return errors, weights and their length, the curve, and the errors over all penalties."""
        along = np.linspace(-HALF, HALF, N_CURVE)
        sweep = [(penalty, *self._errors(self._fit(penalty))) for penalty in SWEEP]
        error, new_error = self._errors(self.model)
        return Frame(
            {
                "error": error,
                "newError": new_error,
                "length": float(np.linalg.norm(self.model.coef_)),
                "best": _best(sweep),
            },
            {
                "points": np.column_stack([self.x, self.y]).astype(np.float32),
                "curve": np.column_stack([along, self.model.predict(along[:, None])]).astype(np.float32),
                "law": np.column_stack([along, law(along)]).astype(np.float32),
                "weights": np.concatenate([[self.model.intercept_], self.model.coef_]).astype(np.float32),
                "sweep": np.array([[np.nan if v is None else v for v in row] for row in sweep], np.float32),
            },
        )

    def _errors(self, model: Any) -> tuple[float, float | None]:
        """Return the mean squared error on the points, and on new points of the same law, where it is known."""
        error = float(np.mean((model.predict(self.x[:, None]) - self.y) ** 2))
        if self.settings.dataset == "own":
            return error, None
        x = np.linspace(-HALF, HALF, N_NEW)
        return error, float(np.mean((model.predict(x[:, None]) - law(x)) ** 2) + self.settings.noise**2)

    def python(self) -> str:
        """Return the fit as a script that prints the numbers on the page."""
        settings = self.settings
        new = "" if settings.dataset == "own" else _NEW.format(noise=settings.noise)
        return _SCRIPT.format(
            x=self.x.tolist(), y=self.y.tolist(), degree=settings.degree, penalty=settings.penalty, new=new
        )


def law(x: np.ndarray) -> np.ndarray:
    """Return the function that the points are drawn from.

    Examples
    --------
    >>> law(np.array([0.0]))
    array([0.])
    """
    return np.sin(3 * x)


def _best(sweep: list[tuple]) -> float | None:
    """Return the penalty with the lowest error on new points; None where these are not known."""
    known = [(new_error, penalty) for penalty, _, new_error in sweep if new_error is not None]
    return float(min(known)[1]) if known else None


_SCRIPT = """\
import numpy as np

from glassnet import PolynomialRegression

x = np.array({x})
y = np.array({y})
model = PolynomialRegression({degree}, alpha=10.0 ** {penalty}).fit(x[:, None], y)
print(f"error {{np.mean((model.predict(x[:, None]) - y) ** 2):.4f}}")
print(f"length of the weight {{np.linalg.norm(model.coef_):.4g}}")
{new}"""
_NEW = """\
new = np.linspace(-1, 1, 400)
print(f"error on new points {{np.mean((model.predict(new[:, None]) - np.sin(3 * new)) ** 2) + {noise} ** 2:.4f}}")
"""
