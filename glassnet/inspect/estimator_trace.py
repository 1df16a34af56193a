"""Traces of fitted dense estimators: glassnet's and scikit-learn's multilayer perceptrons."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from scipy.special import expit, softmax
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import Tensor

from glassnet.errors import InvalidInputError, UnknownNameError
from glassnet.inspect.traced import Call, Trace

# scikit-learn's names
_ACTIVATIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "identity": lambda z: z,
    "logistic": expit,
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
    "exp": np.exp,
    "softmax": lambda z: softmax(z, axis=1),
}
# the same functions, differentiable
_DIFFERENTIABLE: dict[str, Callable[[Tensor], Tensor]] = {
    "identity": lambda z: z,
    "logistic": torch.sigmoid,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "exp": torch.exp,
    "softmax": lambda z: torch.softmax(z, dim=1),
}
_OF_LOSS = {"cross_entropy": "softmax", "binary_cross_entropy": "sigmoid"}  # others leave the output as it is
_DIMS = {
    "input": ("batch", "unit"),
    "weight": ("input", "output"),
    "bias": ("output",),
    "pre_activation": ("batch", "unit"),
    "output": ("batch", "unit"),
}


def trace_dense(
    estimator: Any,
    X: Any,
    layers: str | Iterable[str] | None = None,
    gradients: bool | Callable[[Tensor], Tensor] = False,
    max_bytes: int | None = None,
) -> Trace:
    """Trace an estimator that has ``coefs_`` and ``intercepts_``.

    Parameters
    ----------
    estimator : fitted estimator
    X : array-like of shape (batch, n_features)
    layers, gradients, max_bytes
        As for `glassnet.inspect.trace.trace`; a callable maps the last layer's output to the scalar.

    Returns
    -------
    Trace
        Layers ``"hidden1"``, ``"hidden2"``, ..., ``"output"``; of each ``"input"``, ``"weight"`` (inputs, units) as in
        ``coefs_``, ``"bias"``, ``"pre_activation"`` and ``"output"``.

    Raises
    ------
    InvalidInputError, UnknownNameError, NotFittedError, ValueError
        If the estimator is of another kind or not fitted, X has other features, a layer does not exist, the
        trace would exceed `max_bytes`, or gradients are asked of layers that do more than activate W h + b.

    Examples
    --------
    >>> from sklearn.neural_network import MLPRegressor
    >>> X = np.arange(12.0).reshape(6, 2)
    >>> net = MLPRegressor(hidden_layer_sizes=(3,), solver="lbfgs", random_state=0).fit(X, X[:, 0])
    >>> trace_dense(net, X)["hidden1", 0, "pre_activation"]
    NamedTensor(batch: 6, unit: 3)
    """
    _check(estimator)
    X = validate_data(estimator, X, reset=False, accept_sparse="csr", dtype=estimator.coefs_[0].dtype)
    X = X if isinstance(X, np.ndarray) else X.toarray()
    names = [*(f"hidden{i}" for i in range(1, len(estimator.coefs_))), "output"]
    wanted = set(names) if layers is None else {layers} if isinstance(layers, str) else set(layers)
    for name in wanted - set(names):
        raise UnknownNameError("layer", name, names)
    outputs = estimator.activations(X) if hasattr(estimator, "activations") else _activations(estimator, X)
    calls = []
    for i, name in enumerate(names):
        arrays = _arrays(estimator, i, outputs[i - 1] if i else X, outputs[i])
        shapes = {"input": arrays["input"].shape, "output": arrays["output"].shape}
        values = {key: torch.from_numpy(array) for key, array in arrays.items()} if name in wanted else {}
        calls.append(Call(name, 0, "Dense", "units", shapes, values))
    if gradients:
        _add_gradients(estimator, X, calls, wanted, gradients)
    _check_size(calls, max_bytes)
    dims = {(call, quantity): _DIMS[quantity] for call in calls for quantity in call.values if quantity in _DIMS}
    return Trace(calls, torch.tensor(outputs[-1]), {}, dims)


def _check(estimator: Any) -> None:
    if not hasattr(estimator, "hidden_layer_sizes"):
        raise InvalidInputError(
            f"Cannot look inside {type(estimator).__name__}; allowed: a torch module, a fitted estimator that holds "
            "one, a fitted multilayer perceptron."
        )
    check_is_fitted(estimator)


def _activations(estimator: Any, X: np.ndarray) -> list[np.ndarray]:
    """Return the activation of every layer of one of scikit-learn's perceptrons."""
    functions = [estimator.activation] * (len(estimator.coefs_) - 1) + [estimator.out_activation_]
    outputs, h = [], X
    for name, weight, bias in zip(functions, estimator.coefs_, estimator.intercepts_, strict=True):
        h = _ACTIVATIONS[name](h @ weight + bias)
        outputs.append(h)
    return outputs


def _arrays(estimator: Any, i: int, h_in: np.ndarray, h_out: np.ndarray) -> dict[str, np.ndarray]:
    weight, bias = np.array(estimator.coefs_[i]), np.array(estimator.intercepts_[i])
    arrays = {"input": h_in, "weight": weight, "bias": bias, "pre_activation": h_in @ weight + bias, "output": h_out}
    return {name: np.array(array) for name, array in arrays.items()}  # copies: coefs_ are live


def _add_gradients(estimator: Any, X: np.ndarray, calls: list[Call], wanted: set[str], gradients: Any) -> None:
    """Go forward once more on autograd's tape, and add the gradient of a scalar to every recorded quantity."""
    places: dict[tuple[int, str], Tensor] = {}
    h = torch.from_numpy(np.array(X)).requires_grad_()
    for i, name in enumerate(_functions(estimator)):
        weight, bias = (torch.from_numpy(np.array(p[i])) for p in (estimator.coefs_, estimator.intercepts_))
        places |= {(i, "input"): h, (i, "weight"): weight.requires_grad_(), (i, "bias"): bias.requires_grad_()}
        z = places[i, "pre_activation"] = h @ weight + bias
        h = places[i, "output"] = _DIFFERENTIABLE[name](z)
    scalar: Tensor = gradients(h) if callable(gradients) else h.sum()  # type: ignore[assignment]
    found = torch.autograd.grad(scalar, list(places.values()))
    for (i, quantity), gradient in zip(places, found, strict=True):
        if calls[i].address in wanted:
            calls[i].values[f"{quantity}.gradient"] = gradient


def _functions(estimator: Any) -> list[str]:
    """Return the name of each layer's activation function, the output's last."""
    spec = getattr(estimator, "spec_", None)
    if spec is None:
        names = [*[estimator.activation] * (len(estimator.coefs_) - 1), estimator.out_activation_]
    else:
        names = [*spec.activations[:-1], _OF_LOSS.get(spec.loss, spec.activations[-1])]
    if (spec is not None and not spec.plain) or not _DIFFERENTIABLE.keys() >= set(names):
        more = "" if spec is None or spec.plain else ", and parts besides"
        raise InvalidInputError(
            "Gradients inside an estimator are traced for layers that activate W h + b by "
            f"{', '.join(_DIFFERENTIABLE)}; this network has {', '.join(names)}{more}."
        )
    return names


def _check_size(calls: list[Call], max_bytes: int | None) -> None:
    needed = sum(tensor.numel() * tensor.element_size() for call in calls for tensor in call.values.values())
    if max_bytes is not None and needed > max_bytes:
        raise InvalidInputError(
            f"This trace would take {needed:,} bytes, more than max_bytes={max_bytes:,}; "
            "choose fewer layers (layers=...) or fewer samples."
        )
