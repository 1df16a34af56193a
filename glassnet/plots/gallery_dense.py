"""The gallery's pictures of functions, neurons and dense networks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from glassnet.data import load
from glassnet.learning.activations import ACTIVATIONS
from glassnet.learning.spec import Layer
from glassnet.plots.dense import weight_matrices
from glassnet.plots.display import Display
from glassnet.plots.gallery_nets import SHAPE, depths, digits, fitted, histories, picture, sine
from glassnet.registry import NETWORKS, resolve
from glassnet.seeds import generator


def boundary(data: str, hidden: tuple[int, ...], **how: Any) -> Display:
    """Draw what a network has made of a 2-D set."""
    d = load(data)
    network = "mlp" if d.kind == "classification" else "mlp-regressor"
    net = fitted(data, network, hidden, activation="tanh", batch_size=10, learning_rate_init=0.01, max_iter=600)
    return picture("decision-boundary").from_estimator(net, d.X_test, d.y_test, feature_names=d.feature_names, **how)


def digits_plane(plane: Any) -> Display:
    """Draw the classes of the digits on a plane through their 64 dimensions."""
    d = load("digits")
    return picture("decision-boundary").from_estimator(digits(), d.X_test, d.y_test, plane=plane)


def wine(at_a_sample: bool = False) -> Display:
    """Draw three kinds of wine, told apart by 13 measurements, by two and the others' means, or a doubtful one's."""
    from sklearn.datasets import load_wine
    from sklearn.preprocessing import scale

    data: Any = load_wine()
    X = scale(data.data).astype(np.float32)
    net = resolve(NETWORKS, "network", "mlp")(
        (16,), max_iter=100, learning_rate_init=0.01, tol=None, random_state=0
    ).fit(X, data.target)
    names = [f"{name} (standardized)" for name in data.feature_names]
    pair = [data.feature_names.index(name) for name in ("flavanoids", "color_intensity")]
    how: dict[str, Any] = {"features": pair, "feature_names": names}
    how["class_names"] = [f"cultivar {c + 1}" for c in range(3)]
    if at_a_sample:
        how["at"] = X[net.predict_proba(X).max(axis=1).argmin()]
    return picture("decision-boundary").from_estimator(net, X, data.target, **how)


def gates() -> Display:
    """Draw four linear units, one of which has an impossible task."""
    names = ("AND", "OR", "NOT", "XOR")
    return picture("gates").from_estimators({n: fitted(f"gate-{n.lower()}", "adaline") for n in names})


def circle() -> Any:
    """Return a network of two small layers that tells the inside of a circle from its outside."""
    return fitted("circle", hidden=(3, 2), activation="tanh", learning_rate_init=0.02, max_iter=300)


def layers_that_do_more() -> Any:
    """Return a network with a normalized layer, one with a shortcut, and one of local connections."""
    layers = (Layer(8, norm="batch"), Layer(8, residual=True), Layer(6, receptive_field=3))
    return fitted("circle", hidden=layers, activation="tanh", max_iter=30)


def bent_grid() -> Display:
    """Draw what three layers make of the circle."""
    d = load("circle")
    return picture("mapping-2d").from_estimator(circle(), d.X_train, d.y_train)


def bent_by_functions() -> Display:
    """Draw the plane under a linear map and a tanh."""
    d = load("gauss")
    turn = np.array([[0.4, 0.2], [-0.2, 0.4]])
    return picture("mapping-2d").from_functions({"linear": lambda p: p @ turn, "tanh": np.tanh}, d.X_train, d.y_train)


def layer_table() -> Display:
    """Draw eight kinds of layers by what they do to two clusters."""
    d = load("gauss")
    return picture("layer-table").from_data(d.X_train[::3], d.y_train[::3])


def connectivity() -> Display:
    """Draw the first layers of three networks that read digits: full, local, and with shared weights."""
    field = {"receptive_field": (3, 3), "input_shape": SHAPE}
    layers = {"full": Layer(36), "local": Layer(36, **field), "shared": Layer(36, **field, share_weights=True)}
    nets = {name: fitted("digits", hidden=(layer,), max_iter=30) for name, layer in layers.items()}
    return picture("weight-matrix").from_matrices({name: weight_matrices(net)[0] for name, net in nets.items()})


def probabilities(place: int) -> Display:
    """Draw the test digit at this place in the order of their loss."""
    d, net = load("digits"), digits()
    p = net.predict_proba(d.X_test)[np.arange(len(d.y_test)), d.y_test]
    i = np.argsort(p)[place]
    return picture("class-probabilities").from_estimator(net, d.X_test[i], d.y_test[i], image_shape=SHAPE)


def energy() -> Display:
    """Draw a Hopfield network that recalls three digits from corrupted ones."""
    from glassnet.networks.hopfield import HopfieldNetwork

    d = load("digits")
    patterns = np.stack([np.where(d.X_train[d.y_train == c].mean(axis=0) > 0.4, 1.0, -1.0) for c in (0, 1, 4)])
    probes = patterns * np.where(generator(0, "corruption").random(patterns.shape) < 0.3, -1, 1)
    network = HopfieldNetwork(rule="storkey", random_state=0).fit(patterns)
    return picture("energy").from_network(network, probes, image_shape=SHAPE)


def reconstructions() -> Display:
    """Draw digits and what a restricted Boltzmann machine makes of them."""
    from glassnet.networks.rbm import RBM

    d = load("digits")
    rbm = RBM(40, batch_size=10, max_iter=30, random_state=0).fit(d.X_train)
    rows = {"sample": d.X_test[:10], "reconstruction": rbm.inverse_transform(rbm.transform(d.X_test[:10]))}
    return picture("pictures").from_rows(rows, SHAPE)


def recall() -> Display:
    """Draw how two rules fill up."""
    from glassnet.networks.recall_curve import recall_curve

    loads = (0.02, 0.05, 0.1, 0.125, 0.15, 0.2, 0.3)
    rules = {"Hebb": "hebb", "Storkey": "storkey"}
    return picture("recall-curve").from_curves(
        {name: recall_curve(loads, n_units=200, n_trials=4, rule=rule) for name, rule in rules.items()}
    )


def wiring() -> Display:
    """Draw a small network with the activations of one sample."""
    d = load("circle")
    return picture("wiring").from_estimator(circle(), feature_names=d.feature_names, sample=d.X_test[0])


def of_functions(form: str) -> Display:
    """Draw four activation functions as mappings of the line."""
    names = ("identity", "relu", "sigmoid", "tanh")
    return picture("mapping-1d").from_functions({name: ACTIVATIONS[name].value for name in names}, form=form)


def digits_test() -> tuple[np.ndarray, np.ndarray]:
    """Return the digits that no network here was trained on."""
    d = load("digits")
    return d.X_test, d.y_test


PICTURES: dict[str, Callable[[], Display]] = {
    "activation-functions": lambda: picture("activation-functions").from_names(),
    "step-and-sigmoid": lambda: picture("activation-functions").from_names(("step", "sigmoid"), show_derivatives=False),
    "neuron-mcculloch-pitts": lambda: picture("neuron").from_weights([1, 1, -1], 2, form="mcculloch-pitts"),
    "neuron-perceptron": lambda: picture("neuron").from_estimator(fitted("gate-and", "perceptron")),
    "gates": gates,
    "decision-boundary-spiral": lambda: boundary("spiral", (16, 16)),
    "decision-boundary-classes": lambda: boundary("spiral", (16, 16), response="predict"),
    "decision-boundary-pair": wine,
    "decision-boundary-pair-at-a-sample": lambda: wine(at_a_sample=True),
    "decision-boundary-regression": lambda: boundary("reg-gauss", (16, 8)),
    "decision-boundary-pca": lambda: digits_plane("pca"),
    "decision-boundary-three-samples": lambda: digits_plane((0, 1, 2)),
    "training-curves": lambda: picture("training-curves").from_histories(histories(), log=True),
    "training-curves-side-by-side": lambda: picture("training-curves").from_histories(
        histories(), log=True, side_by_side=True
    ),
    "layer-table": layer_table,
    "training-curves-depth": lambda: picture("training-curves").from_histories(
        depths(), quantity="error", ylabel="error (%)", side_by_side=True
    ),
    "mapping-1d-curves": lambda: of_functions("curves"),
    "mapping-1d-arrows": lambda: of_functions("arrows"),
    "mapping-1d-network": lambda: picture("mapping-1d").from_estimator(sine(), -np.pi, np.pi),
    "mapping-1d-network-arrows": lambda: picture("mapping-1d").from_estimator(sine(), -np.pi, np.pi, form="arrows"),
    "mapping-2d-network": bent_grid,
    "mapping-2d-functions": bent_by_functions,
    "wiring": wiring,
    "wiring-digits": lambda: picture("wiring").from_estimator(digits(), max_units=12),
    "equation": lambda: picture("equation").from_estimator(circle()),
    "equation-digits": lambda: picture("equation").from_estimator(digits()),
    "equation-layers": lambda: picture("equation").from_estimator(layers_that_do_more()),
    "filters": lambda: picture("filters").from_estimator(digits(), SHAPE),
    "confusion-matrix": lambda: picture("confusion-matrix").from_estimator(digits(), *digits_test()),
    "activation-histogram": lambda: picture("activation-histogram").from_estimator(digits(), digits_test()[0]),
    "weight-matrix": connectivity,
    "weight-matrix-network": lambda: picture("weight-matrix").from_estimator(digits()),
    "class-probabilities-right": lambda: probabilities(30),
    "class-probabilities-wrong": lambda: probabilities(0),
    "signal": lambda: picture("signal").from_estimator(digits(), digits_test()[0][0]),
    "energy": energy,
    "reconstructions": reconstructions,
    "recall-curve": recall,
}
