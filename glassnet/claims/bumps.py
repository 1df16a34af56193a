"""One hidden layer approximates any function (Cybenko 1989; Hornik, Stinchcombe and White 1989)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from glassnet import MLPRegressor
from glassnet.claims.claim import Claim, Scale, about, at_most
from glassnet.claims.picture import THEME, curve, finish, panels, svg

FUNCTIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "sin(6x) + x": lambda x: np.sin(6 * x) + x,
    "|x - 1/3|": lambda x: np.abs(x - 1 / 3),
    "exp(-50 (x - 1/2)²)": lambda x: np.exp(-50 * (x - 0.5) ** 2),
}


def bumps(scale: Scale) -> Claim:
    """One hidden layer approximates any continuous function, the better the wider it is: built, not trained."""
    widths = np.array(scale.pick((5, 10, 20, 50, 100, 200, 500), (5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)))
    x = np.linspace(0, 1, scale.pick(5001, 17_389))  # not at the ends of stairs alone, where there is no error
    errors = {
        name: np.array([np.abs(staircase(f, int(n)).predict(x[:, None]) - f(x)).max() for n in widths])
        for name, f in FUNCTIONS.items()
    }
    slopes = [np.polyfit(np.log(widths), np.log(error), 1)[0] for error in errors.values()]
    return Claim(
        source="G. Cybenko (1989); K. Hornik, M. Stinchcombe and H. White (1989)",
        measured=(
            *(at_most(f"largest error for {k}, {widths[-1]} units", e[-1], 5 / widths[-1]) for k, e in errors.items()),
            about("slope of log error over log width, mean of the functions", np.mean(slopes), -1, 0.1),
        ),
        figure=_figure(widths, errors),
        note="Each hidden unit is a steep sigmoid, one stair; two of them are a bump. Its place and height are read "
        "off the function, and no step of training is made.",
    )


def staircase(f: Callable[[np.ndarray], np.ndarray], n_units: int) -> MLPRegressor:
    """Return a network of sigmoid units that climbs along ``f`` on [0, 1] in ``n_units`` stairs."""
    places = np.linspace(0, 1, n_units + 1)
    stairs, steepness = (places[1:] + places[:-1]) / 2, 40.0 * n_units
    net = MLPRegressor((n_units,), "sigmoid", precision="float64", random_state=0)
    net.initialize([[0.0], [1.0]], [0.0, 1.0])
    net.coefs_[0][...] = steepness
    net.intercepts_[0][...] = -steepness * stairs
    net.coefs_[1][:, 0] = np.diff(f(places))
    net.intercepts_[1][...] = f(places[:1])
    return net


def _figure(widths: np.ndarray, errors: dict[str, np.ndarray]) -> str:
    figure, (left, right) = panels(2)
    f, x = FUNCTIONS["sin(6x) + x"], np.linspace(0, 1, 801)
    left.plot(x, f(x), color=THEME.muted, label="the function")
    for i, n in enumerate((10, 40)):
        curve(left, i, x, staircase(f, n).predict(x[:, None]), f"{n} units")
    finish(left, "Built from stairs", "x", "")
    for i, (name, error) in enumerate(errors.items()):
        curve(right, i, widths, error, name)
    finish(right, "Largest error", "hidden units", "sup |network - f|", log="xy")
    return svg(figure)
