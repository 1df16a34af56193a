"""Cross-entropy, entropy and divergence (Shannon 1948; Kullback and Leibler 1951)."""

from __future__ import annotations

import numpy as np

from glassnet import MLPClassifier
from glassnet.claims.claim import Claim, Scale, at_least, at_most
from glassnet.claims.picture import curve, finish, panels, svg
from glassnet.learning.activations import softmax
from glassnet.learning.losses import cross_entropy as loss
from glassnet.learning.losses import entropy, kl_divergence
from glassnet.seeds import generator


def cross_entropy(scale: Scale) -> Claim:
    """Cross-entropy is entropy plus KL divergence, which is not symmetric; its gradient is p - y."""
    rng, n = generator(0, "distributions"), scale.pick(2000, 200_000)
    logits, p = rng.normal(0, 2, (n, 5)), rng.dirichlet(np.ones(5), n)
    q, labels = softmax(logits), rng.integers(5, size=n)
    one_hot = np.eye(5)[labels]
    asymmetry = np.abs(kl_divergence(p, q) - kl_divergence(q, p))
    of_label = np.exp(-loss(logits, one_hot)) - q[np.arange(n), labels]
    return Claim(
        source="C. E. Shannon (1948); S. Kullback and R. A. Leibler (1951)",
        measured=(
            at_most(
                "largest difference of H(p, q) and H(p) + KL(p, q)",
                _largest(loss(logits, p) - entropy(p) - kl_divergence(p, q)),
                1e-12,
            ),
            at_least("mean difference of KL(p, q) and KL(q, p)", asymmetry.mean(), 0.1),
            at_most("largest difference of exp(-H) and the label's probability", _largest(of_label), 1e-12),
            at_most(
                "largest difference of dH/dz and q - p, by differences", _largest(_slopes(logits, p) - (q - p)), 1e-7
            ),
            at_most("largest difference of a network's bias gradient and the mean of q - y", _network(), 1e-12),
        ),
        figure=_figure(),
        seeds=(0,),
        note=f"{n} pairs of random distributions over 5 classes, in nats.",
    )


def _largest(values: np.ndarray) -> float:
    return float(np.abs(values).max())


def _slopes(logits: np.ndarray, p: np.ndarray, width: float = 1e-5) -> np.ndarray:
    """Return dH/dz by central differences, shape (n, classes)."""
    moves = width * np.eye(logits.shape[1])
    return np.column_stack([loss(logits + m, p) - loss(logits - m, p) for m in moves]) / (2 * width)


def _network() -> float:
    """Compare the gradient of a network's output bias with the mean of probability minus label."""
    rng = generator(0, "samples")
    X, y = rng.standard_normal((50, 4)), rng.integers(3, size=50)
    net = MLPClassifier((6,), "tanh", engine="formula", precision="float64", random_state=0)
    state = net.initialize(X, y)
    _, gradient = state.engine.gradient(state.arrays, np.arange(50))  # type: ignore[attr-defined]
    _, bias = net.spec_.views(gradient)[-1]
    return _largest(bias - (net.predict_proba(X) - np.eye(3)[y]).mean(0))


def _figure() -> str:
    figure, (left, right) = panels(2)
    q = np.linspace(0.01, 0.99, 200)
    both, p = np.column_stack([q, 1 - q]), np.array([0.3, 0.7])
    for i, (name, y) in enumerate(
        {
            "H(p, q)": loss(np.log(both), p),
            "KL(p, q)": kl_divergence(p, both),
            "KL(q, p)": kl_divergence(both, p),
        }.items()
    ):
        curve(left, i, q, y, name)
    finish(left, "p = (0.3, 0.7)", "q of the first class", "nats")
    curve(right, 1, q, -np.log(q))
    finish(right, "Loss of a label", "probability of the label", "nats")
    return svg(figure)
