"""The playground's experiment, written out as Python."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.lab.exhibits.playground_rival import MOST_FITTED, RIVALS
from glassnet.learning.spec import Layer

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
{more_imports}
from glassnet import {names}
from {load_from} import {load}


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


# what follows the run: the same network from other seeds, a rival, one more step
_SEEDS = """
networks = [network]
for seed in range({first}, {stop}):
    networks.append(clone(network).set_params(random_state=seed))
    advance(networks[-1].initialize(X_train, data.y_train), {step})
found = [{measure} for other in networks]
print(f"test {what} of {n} seeds: median {{np.median(found):{form}}}, {{min(found):{form}}} to {{max(found):{form}}}")
"""
_OF_SEEDS = {
    "classification": ("error", "np.mean(other.predict(X_test) != data.y_test)", ".1%"),
    "regression": ("loss", "np.mean((other.predict(X_test) - data.y_test) ** 2) / 2", ".4f"),
}
_RIVAL = """
rival = {model}.fit(X_train{part}, data.y_train{part})
print(f"rival's test error {{np.mean(rival.predict(X_test) != data.y_test):.1%}}")
"""
_UPDATE = """
print(f"weight {{network.{weight}:.6f}}")
advance(state, 1)
print(f"weight after one more step {{network.{weight}:.6f}}")
"""


def script(settings: PlaygroundSettings, options: dict[str, Any], step: int, has_weight: bool) -> str:
    """Return the script.

    Parameters
    ----------
    settings : PlaygroundSettings
    options : dict
        Parameters of the estimator.
    step : int
        Steps to make.
    has_weight : bool
        Whether the weight that the settings name exists, so that its next update is printed.
    """
    is_classification = settings.problem == "classification"
    estimator = "MLPClassifier" if is_classification else "MLPRegressor"
    has_layers = any(isinstance(layer, Layer) for layer in settings.layers)
    text = _SCRIPT.format(
        names=", ".join([*(["Layer"] if has_layers else []), estimator, "advance"]),
        estimator=estimator,
        load="load_points" if settings.is_own else "load",
        load_from="glassnet.data.points" if settings.is_own else "glassnet.data",
        more_imports=_imports(settings),
        inputs=", ".join(INPUTS[name].code for name in settings.inputs),
        loss=_LOSS[settings.problem],
        data=_data(settings),
        options="\n".join(f"    {name}={_code(value)}," for name, value in options.items()),
        step=step,
    )
    return text + (_ERROR if is_classification else "") + _more(settings, step, has_weight)


def _imports(settings: PlaygroundSettings) -> str:
    """Return the lines that import what is not always used."""
    lines = ["from sklearn.base import clone\n"] if settings.seeds > 1 else []
    if _has_rival(settings):
        module, kind, _ = RIVALS[settings.rival]
        lines.append(f"from {module} import {kind}\n")
    return "".join(lines)


def _has_rival(settings: PlaygroundSettings) -> bool:
    return settings.rival != "none" and settings.problem == "classification"


def _data(settings: PlaygroundSettings) -> str:
    """Return what the data are loaded with."""
    source, options = _code(settings.data_name), dict(settings.data_options)
    if settings.is_own:  # a file that was opened is named as if it lay beside the script
        del options["noise"]
        source = repr(np.reshape(settings.points, (-1, 3)).tolist()) if settings.points else '"points.csv"'
    return ", ".join([source, *(f"{name}={_code(value)}" for name, value in options.items())])


def _more(settings: PlaygroundSettings, step: int, has_weight: bool) -> str:
    """Return what is on screen besides the one run."""
    text = ""
    if settings.seeds > 1:
        what, measure, form = _OF_SEEDS[settings.problem]
        stop = settings.seed + settings.seeds
        text += _SEEDS.format(
            first=settings.seed + 1, stop=stop, step=step, what=what, measure=measure, form=form, n=settings.seeds
        )
    if _has_rival(settings):
        _, kind, parameters = RIVALS[settings.rival]
        model = f"{kind}({', '.join(f'{name}={value!r}' for name, value in parameters.items())})"
        text += _RIVAL.format(model=model, part=f"[:{MOST_FITTED}]")
    if has_weight:
        layer, source, unit = settings.weight
        place = f"coefs_[{layer - 1}][{source - 1}, {unit - 1}]" if source else f"intercepts_[{layer - 1}][{unit - 1}]"
        text += _UPDATE.format(weight=place)
    return text


def _code(value: Any) -> str:
    """Write a value as Python, text in double quotes, a layer by what it has of its own."""
    if isinstance(value, tuple) and any(isinstance(part, Layer) for part in value):
        return f"({', '.join(map(_code, value))},)"
    if isinstance(value, Layer):
        parts = [str(value.units), *([_code(value.activation)] if value.activation else [])]
        own = {name: getattr(value, name) for name in ("norm", "groups", "dropout")}
        parts += [f"{name}={_code(v)}" for name, v in own.items() if v != getattr(Layer(1), name)]
        return f"Layer({', '.join(parts)})"
    return json.dumps(value) if isinstance(value, str) else repr(value)
