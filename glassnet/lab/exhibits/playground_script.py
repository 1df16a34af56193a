"""The playground's experiment, written out as Python."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from glassnet.lab.exhibits.playground import PlaygroundSettings


@dataclass(frozen=True)
class Input:
    """One input of the network: how it is computed, and how that is written in Python."""

    compute: Callable[[np.ndarray, np.ndarray], np.ndarray]
    code: str


# settings field -> input, in the order of the page
INPUTS: dict[str, Input] = {
    "x": Input(lambda x1, x2: x1, "x1"),
    "y": Input(lambda x1, x2: x2, "x2"),
    "x_squared": Input(lambda x1, x2: x1**2, "x1**2"),
    "y_squared": Input(lambda x1, x2: x2**2, "x2**2"),
    "x_times_y": Input(lambda x1, x2: x1 * x2, "x1 * x2"),
    "sin_x": Input(lambda x1, x2: np.sin(x1), "np.sin(x1)"),
    "sin_y": Input(lambda x1, x2: np.sin(x2), "np.sin(x2)"),
}

# the page's solvers -> parameters of the estimators
SOLVERS: dict[str, dict[str, Any]] = {
    "sgd": {"solver": "sgd", "momentum": 0.0},
    "momentum": {"solver": "sgd", "momentum": 0.9, "nesterovs_momentum": False},
    "adam": {"solver": "adam"},
}

_LOSS = {
    "classification": '''
    """Mean cross-entropy, in nats."""
    return -network.predict_log_proba(X)[np.arange(len(y)), y].mean()''',
    "regression": '''
    """Half the mean squared error."""
    return np.mean((network.predict(X) - y) ** 2) / 2''',
}

_SCRIPT = """\
import numpy as np

from glassnet import {estimator}, advance
{load_import}


def inputs(X):
    x1, x2 = X.T
    return np.column_stack([{inputs}])


def loss(X, y):{loss}


data = {load}({data})
X_train, X_test = inputs(data.X_train), inputs(data.X_test)

network = {estimator}(
{options}
)
state = network.initialize(X_train, data.y_train)
advance(state, {step})

print(f"train loss {{loss(X_train, data.y_train):.4f}}")
print(f"test loss {{loss(X_test, data.y_test):.4f}}")
"""

_ERROR = 'print(f"test error {np.mean(network.predict(X_test) != data.y_test):.1%}")\n'


def script(settings: PlaygroundSettings, options: dict[str, Any], step: int) -> str:
    """Return the script.

    Parameters
    ----------
    settings : PlaygroundSettings
    options : dict
        Parameters of the estimator.
    step : int
        Steps to make.
    """
    is_classification = settings.problem == "classification"
    source, options_of_data = _code(settings.data_name), dict(settings.data_options)
    if settings.is_own:  # a file that was opened is named as if it lay beside the script
        del options_of_data["noise"]
        source = repr(np.reshape(settings.points, (-1, 3)).tolist()) if settings.points else '"points.csv"'
    data = [source, *(f"{name}={_code(value)}" for name, value in options_of_data.items())]
    text = _SCRIPT.format(
        estimator="MLPClassifier" if is_classification else "MLPRegressor",
        load="load_points" if settings.is_own else "load",
        load_import=f"from glassnet.data{'.points import load_points' if settings.is_own else ' import load'}",
        inputs=", ".join(INPUTS[name].code for name in settings.inputs),
        loss=_LOSS[settings.problem],
        data=", ".join(data),
        options="\n".join(f"    {name}={_code(value)}," for name, value in options.items()),
        step=step,
    )
    return text + (_ERROR if is_classification else "")


def _code(value: Any) -> str:
    """Write a value as Python, text in double quotes."""
    return json.dumps(value) if isinstance(value, str) else repr(value)
