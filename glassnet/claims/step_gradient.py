"""The step has no gradient to follow, the soft activations have (Rumelhart, Hinton and Williams 1986)."""

from __future__ import annotations

import numpy as np

from glassnet import MLPClassifier
from glassnet.claims.claim import Claim, Scale, at_least, exactly
from glassnet.claims.picture import curve, finish, panels, svg
from glassnet.data import load_gate
from glassnet.errors import InvalidInputError
from glassnet.learning.activations import get_activation
from glassnet.seeds import generator

SOFT = ("sigmoid", "tanh")


def step_gradient(scale: Scale) -> Claim:
    """A step's gradient is zero almost everywhere; a soft activation's is not."""
    data = load_gate("xor")
    weights = generator(0, "weights").standard_normal((scale.pick(2000, 100_000), 9))
    zero = {name: float((_slopes(name, weights, data) == 0).mean()) for name in ("step", *SOFT)}
    z = generator(0, "pre-activations").standard_normal(10_000)
    return Claim(
        source="D. E. Rumelhart, G. E. Hinton and R. J. Williams (1986), Nature 323",
        measured=(
            exactly(
                "largest slope of the step at 10000 random points",
                np.abs(get_activation("step").derivative(z)).max(),
                0,
            ),
            at_least("smallest slope of the sigmoid there", get_activation("sigmoid").derivative(z).min(), 1e-3),
            exactly("share of zero derivatives of a step network's loss", zero["step"], 1),
            exactly("the same of a sigmoid network's", zero["sigmoid"], 0),
            exactly("the same of a tanh network's", zero["tanh"], 0),
            exactly("training through the step is refused", _refused(), 1),
        ),
        figure=_figure(weights[0], data),
        seeds=(0,),
        data={data.name: data.sha256},
        note=f"The loss of a 2-2-1 network on XOR at {len(weights)} random weights, differences over 1e-6.",
    )


def _losses(name: str, weights: np.ndarray, data) -> np.ndarray:
    """Return the squared error on XOR of 2-2-1 networks with weights (n, 9), shape (n,)."""
    f = get_activation(name).value
    first, first_bias, last, last_bias = np.split(weights, (4, 6, 8), axis=1)
    hidden = f(np.einsum("si,nij->nsj", data.X_train, first.reshape(-1, 2, 2)) + first_bias[:, None])
    output = f(np.einsum("nsj,nj->ns", hidden, last) + last_bias)
    return 0.5 * ((output - data.y_train) ** 2).mean(axis=1)


def _slopes(name: str, weights: np.ndarray, data, width: float = 1e-6) -> np.ndarray:
    """Return (loss(w + width) - loss(w - width)) / (2 width) for every weight of every network."""
    moves = width * np.eye(weights.shape[1])
    return np.array([_losses(name, weights + m, data) - _losses(name, weights - m, data) for m in moves]) / (2 * width)


def _refused() -> bool:
    try:
        MLPClassifier((2,), "step").fit([[0.0], [1.0]], [0, 1])
    except InvalidInputError:
        return True
    return False


def _figure(weights: np.ndarray, data) -> str:
    figure, (left, right) = panels(2)
    z = np.linspace(-4, 4, 401)
    along = np.tile(weights, (401, 1))
    along[:, 0] = z
    for i, name in enumerate(("step", *SOFT)):
        curve(left, i, z, get_activation(name).derivative(z), name)
        curve(right, i, z, _losses(name, along, data), name)
    finish(left, "Derivative", "z", "f'(z)")
    finish(right, "Loss on XOR along one weight", "weight", "loss")
    return svg(figure)
