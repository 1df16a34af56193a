"""The claims themselves, at their quick scale: those of a few seconds always, all of them when asked for."""

from __future__ import annotations

import pytest

from glassnet.claims.picture import panels, svg
from glassnet.claims.runner import run_claim
from glassnet.registry import CLAIMS

# of less than five seconds on two cores, compiled kernels or not; results/claims-quick.json has the seconds of all
ALWAYS = (
    *("boolean-functions", "lecture-weights", "perceptron-bound", "xor-never", "order-grows", "lms-limit"),
    *("hopfield-optimizes", "vanishing-gradients", "step-gradient", "bumps", "sawtooth", "identity-depth"),
    *("cross-entropy", "ridge", "random-labels", "alexnet-layers", "scaled-scores", "lenet-digits"),
    *("batch-of-n", "hopfield-memory", "off-centre-sigmoid", "local-connections"),
    *("svm-or-mlp", "resnet-pictures"),
)
NEED_FILES = {
    *("lenet-digits", "dbn-digits", "layers-separate", "more-data"),  # MNIST
    *("relu-faster", "resnet-pictures", "alexnet-parts", "translation"),  # CIFAR-10, Multi30k
}


def claims(names):
    """Return parameters of a test, marked where a claim needs data files."""
    return [pytest.param(name, marks=[pytest.mark.data] if name in NEED_FILES else []) for name in names]


def check(name: str) -> None:
    claim = run_claim(name)
    wrong = [(m.what, m.value, m.expected) for m in claim.measured if not m.holds]
    assert claim.as_expected, f"{claim.verdict}, expected {claim.expected_verdict}: {wrong}"
    assert claim.source
    if not claim.measured:
        assert claim.undecided
        return
    assert any(m.expected for m in claim.measured)
    assert claim.figure.startswith("<svg")
    assert claim.figure.rstrip().endswith("</svg>")


@pytest.mark.parametrize("name", claims(ALWAYS))
def test_cheap_claims_come_out_as_expected(name):
    check(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", claims(name for name in CLAIMS if name not in ALWAYS))
def test_claims_come_out_as_expected(name):
    check(name)


def test_the_sawtooth_is_what_telgarsky_drew():
    import numpy as np

    from glassnet.claims.sawtooth import tents, zigzag

    x = np.linspace(0, 1, 33)
    tent = 2 * np.minimum(x, 1 - x)
    again = 2 * np.minimum(tent, 1 - tent)
    np.testing.assert_allclose(tents(2).predict(x[:, None]), again, atol=1e-12)
    X, y = np.linspace(0, 1, 9)[:, None], np.arange(9) % 2
    np.testing.assert_allclose(zigzag(5, X, y).predict(X), [0, 1, 0, 1, 0, 0, 0, 0, 0], atol=1e-12)


def test_figures_are_svg_of_their_own():
    figure, axes = panels(3)
    assert len(axes) == 3
    assert "<?xml" not in svg(figure)
