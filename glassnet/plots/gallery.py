"""Every picture once, of small networks trained on real data: ``python -m glassnet.plots.gallery OUT``.

The one module of this package that knows networks and data: the pictures know neither.
"""

from __future__ import annotations

import argparse
import html
from collections.abc import Callable
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from glassnet.data import load
from glassnet.errors import UnknownNameError
from glassnet.files import write_whole
from glassnet.inspect.history import History
from glassnet.learning.activations import ACTIVATIONS
from glassnet.plots.display import Display
from glassnet.plots.style import THEMES
from glassnet.plots.weight_matrix import convolution_matrix
from glassnet.registry import NETWORKS, PLOTS, resolve
from glassnet.seeds import generator

SHAPE = (8, 8)  # of scikit-learn's digits


def picture(name: str) -> Any:
    """Return the Display of this name."""
    return resolve(PLOTS, "plot", name)


@cache
def fitted(data: str, network: str = "mlp", hidden: tuple[int, ...] = (32,), **options: Any) -> Any:
    """Return a small network fitted to a data set."""
    d = load(data)
    shape = {"hidden_layer_sizes": hidden, "tol": None} if network.startswith("mlp") else {}
    return resolve(NETWORKS, "network", network)(**shape, random_state=0, **options).fit(d.X_train, d.y_train)


def digits() -> Any:
    """Return a network of one hidden layer that reads digits."""
    return fitted("digits", max_iter=60, learning_rate_init=0.005)


def sine() -> Any:
    """Return a network that has learned one period of the sine."""
    x = np.linspace(-np.pi, np.pi, 200)
    options: dict[str, Any] = {"activation": "tanh", "learning_rate_init": 0.02, "max_iter": 500, "tol": None}
    return resolve(NETWORKS, "network", "mlp-regressor")((3,), random_state=0, **options).fit(x[:, None], np.sin(x))


def boundary(data: str, hidden: tuple[int, ...], **how: Any) -> Display:
    """Draw what a network has made of a 2-D set."""
    d = load(data)
    network = "mlp" if d.kind == "classification" else "mlp-regressor"
    net = fitted(data, network, hidden, activation="tanh", batch_size=10, learning_rate_init=0.01, max_iter=300)
    return picture("decision-boundary").from_estimator(net, d.X_test, d.y_test, feature_names=d.feature_names, **how)


def digits_plane(plane: Any) -> Display:
    """Draw the classes of the digits on a plane through their 64 dimensions."""
    d = load("digits")
    return picture("decision-boundary").from_estimator(digits(), d.X_test, d.y_test, plane=plane)


@cache
def histories() -> dict[str, list[History]]:
    """Train three seeds at each of two learning rates."""
    d, found = load("digits"), {}
    for rate, seed in product((0.001, 0.01), range(3)):
        options = {"learning_rate_init": rate, "random_state": seed, "max_iter": 30, "batch_size": 50, "tol": None}
        net = resolve(NETWORKS, "network", "mlp")((32,), **options)
        history = History(measures={"test_loss": lambda state, net=net: held_out_loss(net, d)}, measure_every=29)
        net.fit(d.X_train, d.y_train, observers=[history])
        found.setdefault(f"learning rate {rate}", []).append(history)
    return found


def held_out_loss(net: Any, d: Any) -> float:
    """Return the mean cross-entropy on the test set."""
    return float(-np.log(net.predict_proba(d.X_test)[np.arange(len(d.y_test)), d.y_test]).mean())


def gates() -> Display:
    """Draw four perceptrons, one of which has an impossible task."""
    names = ("AND", "OR", "NOT", "XOR")
    return picture("gates").from_estimators({n: fitted(f"gate-{n.lower()}", "perceptron") for n in names})


def bent_grid() -> Display:
    """Draw what three layers make of the circle."""
    d = load("circle")
    net = fitted("circle", hidden=(3, 2), activation="tanh", learning_rate_init=0.02, max_iter=300)
    return picture("mapping-2d").from_estimator(net, d.X_train, d.y_train)


def bent_by_functions() -> Display:
    """Draw the plane under a linear map and a tanh."""
    d = load("gauss")
    turn = np.array([[0.4, 0.2], [-0.2, 0.4]])
    return picture("mapping-2d").from_functions({"linear": lambda p: p @ turn, "tanh": np.tanh}, d.X_train, d.y_train)


def connectivity() -> Display:
    """Draw one layer fully connected, locally, and with shared weights: learned, cut to windows, averaged."""
    layer = fitted("digits", hidden=(36,), max_iter=30).coefs_[0].T
    window = convolution_matrix(np.ones((3, 3)), SHAPE) > 0
    kernel = layer[window].reshape(-1, 3, 3).mean(axis=0)
    matrices = {"full": layer, "local": layer * window, "shared": convolution_matrix(kernel, SHAPE)}
    return picture("weight-matrix").from_matrices(matrices)


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
    probes = patterns * np.where(generator(0, "corruption").random(patterns.shape) < 0.25, -1, 1)
    network = HopfieldNetwork(rule="storkey", random_state=0).fit(patterns)
    return picture("energy").from_network(network, probes, image_shape=SHAPE)


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
    net = fitted("circle", hidden=(3, 2), activation="tanh", learning_rate_init=0.02, max_iter=300)
    return picture("wiring").from_estimator(net, feature_names=d.feature_names, sample=d.X_test[0])


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
    "decision-boundary-regression": lambda: boundary("reg-gauss", (16, 8)),
    "decision-boundary-pca": lambda: digits_plane("pca"),
    "decision-boundary-three-samples": lambda: digits_plane((0, 1, 2)),
    "training-curves": lambda: picture("training-curves").from_histories(histories(), log=True),
    "training-curves-side-by-side": lambda: picture("training-curves").from_histories(
        histories(), log=True, side_by_side=True
    ),
    "mapping-1d-curves": lambda: of_functions("curves"),
    "mapping-1d-arrows": lambda: of_functions("arrows"),
    "mapping-1d-network": lambda: picture("mapping-1d").from_estimator(sine(), -np.pi, np.pi),
    "mapping-1d-network-arrows": lambda: picture("mapping-1d").from_estimator(sine(), -np.pi, np.pi, form="arrows"),
    "mapping-2d-network": bent_grid,
    "mapping-2d-functions": bent_by_functions,
    "wiring": wiring,
    "wiring-digits": lambda: picture("wiring").from_estimator(digits(), max_units=12),
    "filters": lambda: picture("filters").from_estimator(digits(), SHAPE),
    "confusion-matrix": lambda: picture("confusion-matrix").from_estimator(digits(), *digits_test()),
    "activation-histogram": lambda: picture("activation-histogram").from_estimator(digits(), digits_test()[0]),
    "weight-matrix": connectivity,
    "weight-matrix-network": lambda: picture("weight-matrix").from_estimator(digits()),
    "class-probabilities-right": lambda: probabilities(30),
    "class-probabilities-wrong": lambda: probabilities(0),
    "signal": lambda: picture("signal").from_estimator(digits(), digits_test()[0][0]),
    "energy": energy,
    "recall-curve": recall,
}


def write_gallery(
    folder: str | Path, names: list[str] | None = None, formats: tuple[str, ...] = ("png",)
) -> list[Path]:
    """Write pictures in both themes, and a page that shows them.

    Parameters
    ----------
    folder : str or Path
        Where to; made if missing.
    names : list of str, optional
        Keys of `PICTURES`; all if None.
    formats : tuple of str
        Of "svg", "pdf", "png".

    Returns
    -------
    list of Path
        The pictures written.
    """
    folder, written = Path(folder), []
    names = list(PICTURES) if names is None else names
    for name in names:
        display = resolve_picture(name)()
        written += [
            display.save(folder / f"{name}-{theme}.{kind}", theme=theme) for theme in THEMES for kind in formats
        ]
    write_whole(folder / "index.html", page(names, formats[0]).encode())
    return written


def resolve_picture(name: str) -> Callable[[], Display]:
    """Return what draws the picture of this name.

    Raises
    ------
    UnknownNameError
        If there is none.
    """
    if name not in PICTURES:
        raise UnknownNameError("picture", name, PICTURES)
    return PICTURES[name]


def page(names: list[str], kind: str) -> str:
    """Return a page that shows each picture in the reader's theme."""
    light, dark = THEMES["light"], THEMES["dark"]
    figures = "\n".join(
        f'<figure><picture><source srcset="{n}-dark.{kind}" media="(prefers-color-scheme: dark)">'
        f'<img src="{n}-light.{kind}" alt="{html.escape(n)}" loading="lazy"></picture>'
        f"<figcaption>{html.escape(n)}</figcaption></figure>"
        for n in names
    )
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>glassnet: gallery</title>
<style>
body {{ margin: 2rem; font-family: sans-serif; color: {light.ink}; background: {light.paper};
  display: flex; flex-wrap: wrap; gap: 2rem; align-items: end }}
figure {{ margin: 0 }} img {{ max-width: 40rem; width: 100% }} figcaption {{ color: {light.muted} }}
@media (prefers-color-scheme: dark) {{ body {{ color: {dark.ink}; background: {dark.paper} }}
  figcaption {{ color: {dark.muted} }} }}
</style>
{figures}
</html>
"""


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m glassnet.plots.gallery", description=__doc__)
    parser.add_argument("out", type=Path, help="folder to write to")
    parser.add_argument("--only", nargs="+", choices=sorted(PICTURES), help="names of pictures")
    parser.add_argument("--format", nargs="+", default=["png"], choices=["svg", "pdf", "png"], dest="formats")
    options = parser.parse_args()
    for path in write_gallery(options.out, options.only, tuple(options.formats)):
        print(path)


if __name__ == "__main__":
    main()
