"""Local connections and shared weights (LeCun 1989)."""

from __future__ import annotations

import numpy as np
from scipy.signal import correlate

from glassnet import Layer, MLPClassifier, sweep
from glassnet.claims.claim import Claim, Scale, at_least, at_most, observed, spread
from glassnet.claims.picture import bars, finish, panels, svg
from glassnet.data import load
from glassnet.data.dataset import Dataset

FIELD, GRID, PLACES, CHANNELS = (3, 3), (8, 8), 36, 4


def local_connections(scale: Scale) -> Claim:
    """Local connections need fewer parameters than full ones, and with shared weights they are a convolution."""
    data, seeds = load("digits"), range(scale.pick(3, 20))
    units = CHANNELS * PLACES
    layers = {
        "full": Layer(units),
        "local": Layer(units, receptive_field=FIELD, input_shape=GRID),
        "shared": Layer(units, receptive_field=FIELD, input_shape=GRID, share_weights=True),
    }
    net = MLPClassifier(max_iter=scale.pick(30, 100), tol=None, learning_rate_init=0.003, batch_size=100)
    test = (data.X_test, data.y_test)
    runs = {
        name: sweep(
            net.set_params(hidden_layer_sizes=(layer,)), data.X_train, data.y_train, {"random_state": seeds}, test=test
        ).runs
        for name, layer in layers.items()
    }
    sizes = {name: _first_layer(r[0].estimator) for name, r in runs.items()}
    scores = {name: np.array([run.score for run in r], float) for name, r in runs.items()}
    return Claim(
        source="Y. LeCun (1989), Generalization and network design strategies",
        measured=(
            at_least("parameters of the layer, full over local", sizes["full"] / sizes["local"], 5),
            at_least("parameters of the layer, local over shared", sizes["local"] / sizes["shared"], 30),
            observed("test accuracy, full", scores["full"].mean(), spread(scores["full"])),
            at_least(
                "test accuracy, local less full",
                (scores["local"] - scores["full"]).mean(),
                -0.02,
                spread(scores["local"]),
            ),
            at_least(
                "test accuracy, shared less full",
                (scores["shared"] - scores["full"]).mean(),
                -0.03,
                spread(scores["shared"]),
            ),
            at_most(
                "largest difference of the shared layer from a convolution",
                _from_convolution(runs["shared"][0].estimator, data),
                1e-5,
            ),
        ),
        figure=_figure(sizes, scores),
        seeds=seeds,
        data={data.name: data.sha256},
        note=f"Digits of 8 x 8 pixels, one hidden layer of {units} units; local units see 3 x 3 pixels. "
        "What is called a convolution is a cross-correlation, as everywhere in the field.",
    )


def _first_layer(net: MLPClassifier) -> int:
    """Return the number of parameters of the hidden layer."""
    return sum(int(np.prod(shape)) for shape in net.spec_.shapes[0].values())


def _from_convolution(net: MLPClassifier, data: Dataset) -> float:
    """Compare the hidden layer with SciPy's cross-correlation."""
    images = data.X_test[:20].reshape(-1, *GRID).astype(float)
    kernels, biases = net.coefs_[0].T.reshape(-1, *FIELD).astype(float), net.intercepts_[0]
    z = np.stack([[correlate(i, k, "valid") + b for k, b in zip(kernels, biases, strict=True)] for i in images])
    return float(np.abs(np.maximum(z, 0).reshape(20, -1) - net.activations(data.X_test[:20])[0]).max())


def _figure(sizes: dict[str, int], scores: dict[str, np.ndarray]) -> str:
    figure, (left, right) = panels(2)
    bars(left, list(sizes), list(sizes.values()))
    finish(left, "Parameters of the hidden layer", log="y")
    bars(right, list(scores), [s.mean() for s in scores.values()], [spread(s) for s in scores.values()])
    right.set_ylim(0.85, 1)
    finish(right, "Test accuracy")
    return svg(figure)
