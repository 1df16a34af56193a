"""Fitted objects as plain data: JSON, and arrays beside it.

What is written is read back without pickle: only the classes in `CLASSES` and `PARTS` are
ever made, and only from their fields. JSON values stand for themselves; every other kind is an
object with one key, its kind: ``{"tuple": [...]}``, ``{"array": "its name"}``.
"""

from __future__ import annotations

import math
from dataclasses import fields, is_dataclass
from typing import Any, NoReturn

import numpy as np

from glassnet.errors import InvalidInputError
from glassnet.registry import resolve
from glassnet.training.batches import Batches
from glassnet.training.state import TrainingState

# the dataclasses that may be part of an estimator
CLASSES: dict[str, str] = {
    "Layer": "glassnet.learning.spec:Layer",
    "NetworkSpec": "glassnet.learning.spec:NetworkSpec",
    "TrainingState": "glassnet.training.state:TrainingState",
}
# the estimators that may be part of another
PARTS: dict[str, str] = {
    "RBM": "glassnet.networks.rbm:RBM",
    "MLPClassifier": "glassnet.networks.mlp:MLPClassifier",
}
# a list of numbers longer than this, such as the losses of all steps, is written as an array
LONGEST_LIST = 100


class NoData:
    """The engine of a state that was read from a file: it has no data to make steps with."""

    name = "none"

    def run(self, state: TrainingState, batches: Batches) -> NoReturn:
        """Refuse; see `glassnet.training.state.Engine`."""
        raise InvalidInputError(
            "This state was read from a file, without its data. Go on with partial_fit(X, y), "
            "or with set_params(warm_start=True).fit(X, y)."
        )


def encode(value: Any, name: str, arrays: dict[str, np.ndarray]) -> Any:
    """Return ``value`` as JSON data; its arrays of numbers are added to ``arrays``.

    Parameters
    ----------
    value : None, bool, number, str, list, tuple, dict, ndarray or a dataclass of `CLASSES`
    name : str
        Where ``value`` belongs; arrays are named by their place below it.
    arrays : dict of str to ndarray
        Filled in place.

    Raises
    ------
    InvalidInputError
        If a part of ``value`` is of another kind.

    Examples
    --------
    >>> arrays = {}
    >>> encode({"sizes": (2, 3), "w": np.ones(2)}, "net", arrays)
    {'dict': [['sizes', {'tuple': [2, 3]}], ['w', {'array': 'net.w'}]]}
    >>> arrays
    {'net.w': array([1., 1.])}
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": repr(value)}
    if isinstance(value, list) and len(value) > LONGEST_LIST and all(isinstance(part, float) for part in value):
        arrays[name] = np.array(value)
        return {"floats": name}
    if isinstance(value, (list, tuple)):
        parts = [encode(part, f"{name}.{i}", arrays) for i, part in enumerate(value)]
        return parts if isinstance(value, list) else {"tuple": parts}
    if isinstance(value, dict):
        return {"dict": [[key, encode(part, f"{name}.{key}", arrays)] for key, part in value.items()]}
    if isinstance(value, np.ndarray):
        return _encode_array(value, name, arrays)
    if is_dataclass(value) and type(value).__name__ in CLASSES:
        parts = {field.name: getattr(value, field.name) for field in fields(value) if field.name != "engine"}
        return {type(value).__name__: {key: encode(part, f"{name}.{key}", arrays) for key, part in parts.items()}}
    if type(value).__name__ in PARTS:
        return {type(value).__name__: encode_estimator(value, name, arrays)}
    raise InvalidInputError(f"{name} is a {type(value).__name__} and cannot be written as plain data.")


def encode_estimator(estimator: Any, name: str, arrays: dict[str, np.ndarray]) -> dict[str, dict[str, Any]]:
    """Return an estimator's parameters and fitted attributes as JSON data; ``name`` is as in `encode`."""
    given, place = estimator.get_params(deep=False), f"{name}." if name else ""
    fitted = {key: value for key, value in estimator.__getstate__().items() if key not in given}
    parts = {"parameters": given, "fitted": fitted}
    return {part: {key: encode(value, place + key, arrays) for key, value in x.items()} for part, x in parts.items()}


def decode_estimator(cls: type, data: dict[str, dict[str, Any]], arrays: dict[str, np.ndarray]) -> Any:
    """Return the estimator that `encode_estimator` has written; raises as `decode`."""
    parts = {
        part: {key: decode(value, arrays) for key, value in data[part].items()} for part in ("parameters", "fitted")
    }
    estimator = cls(**parts["parameters"])
    for key, value in parts["fitted"].items():
        setattr(estimator, key, value)
    return estimator


def _encode_array(value: np.ndarray, name: str, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    if value.dtype.kind in "biuf":
        arrays[name] = value.copy(order="C")
        return {"array": name}
    if value.ndim == 1 and all(isinstance(item, str) for item in value):
        return {"strings": value.tolist(), "dtype": value.dtype.str}
    raise InvalidInputError(f"{name} is an array of {value.dtype} and cannot be written as plain data.")


def decode(data: Any, arrays: dict[str, np.ndarray]) -> Any:
    """Return what `encode` has written.

    Raises
    ------
    KeyError, TypeError, ValueError
        If ``data`` is not what `encode` writes.

    Examples
    --------
    >>> decode({"tuple": [1, {"float": "inf"}]}, {})
    (1, inf)
    """
    if isinstance(data, list):
        return [decode(part, arrays) for part in data]
    if not isinstance(data, dict):
        return data
    kind, content = next(iter(data.items()))
    match kind:
        case "float":
            return float(content)
        case "tuple":
            return tuple(decode(content, arrays))
        case "dict":
            return {key: decode(part, arrays) for key, part in content}
        case "array":
            return arrays[content].copy()
        case "floats":
            return arrays[content].tolist()
        case "strings":
            return np.array(content, dtype=data["dtype"])
    if kind in PARTS:
        return decode_estimator(resolve(PARTS, "estimator", kind), content, arrays)
    parts = {key: decode(part, arrays) for key, part in content.items()}
    return resolve(CLASSES, "class", kind)(**parts, **({"engine": NoData()} if kind == "TrainingState" else {}))
