"""The claims themselves, at their quick scale: a few that cost nothing always, all of them when asked for."""

from __future__ import annotations

import pytest

from glassnet.claims.picture import panels, svg
from glassnet.claims.runner import run_claim
from glassnet.registry import CLAIMS

ALWAYS = ("lecture-weights", "cross-entropy", "step-gradient", "boolean-functions")


def check(name: str) -> None:
    claim = run_claim(name)
    wrong = [(m.what, m.value, m.expected) for m in claim.measured if not m.holds]
    assert claim.as_expected, f"{claim.verdict}, expected {claim.expected_verdict}: {wrong}"
    assert any(m.expected for m in claim.measured)
    assert claim.source
    assert claim.figure.startswith("<svg")
    assert claim.figure.rstrip().endswith("</svg>")


@pytest.mark.parametrize("name", ALWAYS)
def test_cheap_claims_come_out_as_expected(name):
    check(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in CLAIMS if name not in ALWAYS])
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
