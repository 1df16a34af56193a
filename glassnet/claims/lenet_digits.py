"""LeNet-5 reads handwritten digits (LeCun, Bottou, Bengio and Haffner 1998)."""

from __future__ import annotations

import numpy as np

from glassnet.claims.claim import Claim, Scale, at_most, exactly, observed
from glassnet.claims.picture import bars, finish, panels, svg
from glassnet.data import load
from glassnet.training.trained import load_trained


def lenet_digits(scale: Scale) -> Claim:
    """LeNet-5 reads the test digits of MNIST with an error of 0.95%."""
    del scale  # the weights are those of the full recipe; here they are evaluated again
    net, data = load_trained("lenet5-mnist"), load("mnist")
    probability = net.predict_proba(data.X_test)
    wrong = net.classes_[probability.argmax(1)] != data.y_test
    second = net.classes_[np.argsort(probability, axis=1)[:, -2]]
    per_class = [float(wrong[data.y_test == digit].mean()) for digit in range(10)]
    return Claim(
        source="Y. LeCun, L. Bottou, Y. Bengio and P. Haffner (1998), Gradient-based learning applied to document "
        "recognition",
        measured=(
            exactly("test digits", len(data.y_test), 10_000),
            at_most("test error", wrong.mean(), 0.0095),
            observed("share of the wrong ones whose digit was the second guess", (second == data.y_test)[wrong].mean()),
            observed("parameters", sum(p.numel() for p in net.module_.parameters())),
        ),
        figure=_figure(per_class),
        data={data.name: data.sha256},
        note="The modern form (ReLU, max pooling, softmax) with the paper's planes; one run of `glassnet train lenet5 "
        "--data mnist`, with random distortions, as the paper's best was (0.8%; 0.95% without them).",
    )


def _figure(per_class: list[float]) -> str:
    figure, (ax,) = panels(width=5)
    bars(ax, [str(digit) for digit in range(10)], [100 * error for error in per_class])
    finish(ax, "Test error of each digit", "digit", "error, per cent")
    return svg(figure)
