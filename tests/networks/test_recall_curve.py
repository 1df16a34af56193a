from __future__ import annotations

import numpy as np
import pytest

from glassnet.errors import InvalidInputError, UnknownNameError
from glassnet.learning.hebb import RULES
from glassnet.networks.recall_curve import RecallCurve, recall_curve


def test_the_better_rules_hold_what_hebb_s_cannot():
    loads = {rule: recall_curve([0.2], 300, 2, rule=rule).mean[0] for rule in RULES}
    assert loads["hebb"] < 0.85
    assert loads["storkey"] > 0.999
    assert loads["pseudo-inverse"] > 0.999


def test_recall_of_a_thousand_units_holds_to_a_load_of_0_13_and_breaks_down_by_0_16():
    curve = recall_curve([0.10, 0.13, 0.16], n_units=1000, n_trials=4, n_probes=50)
    assert curve.n_patterns.tolist() == [100, 130, 160]
    assert (curve.bits_right[0] > 0.95).all()
    assert 0.13 < curve.breakdown < 0.16
    assert (curve.retrieved[0] == 1).all()
    assert curve.spread.shape == (3,)


def test_synchronous_recall_gives_the_same_curve_within_its_spread():
    curves = [recall_curve([0.08, 0.25], 200, 4, update=update) for update in ("asynchronous", "synchronous")]
    np.testing.assert_allclose(curves[0].mean, curves[1].mean, atol=0.05)


def test_breakdown_is_read_where_the_mean_crosses_95_percent():
    curve = RecallCurve(
        100, 0.1, np.array([10, 12, 14]), np.array([[1.0, 1.0], [0.98, 0.96], [0.9, 0.94]]), np.ones((3, 2))
    )
    assert curve.breakdown == pytest.approx(0.128)
    assert curve.spread == pytest.approx([0, np.sqrt(0.0002), np.sqrt(0.0008)])
    whole = RecallCurve(100, 0.1, np.array([10]), np.array([[1.0]]), np.ones((1, 1)))
    assert np.isnan(whole.breakdown)
    assert whole.spread.tolist() == [0]


def test_a_corrupted_probe_has_exactly_that_share_of_flipped_bits():
    curve = recall_curve([0.01], n_units=200, n_trials=1, corruption=1.0)
    assert curve.mean.tolist() == [0.0]  # the mirror image of the pattern is as deep a minimum


@pytest.mark.parametrize(("loads", "corruption"), [([0.0], 0.1), ([-0.1, 0.2], 0.1), ([0.1], 1.5), ([0.1], -0.1)])
def test_a_curve_of_nonsense_is_refused(loads, corruption):
    with pytest.raises(InvalidInputError, match="loads must be positive and corruption in"):
        recall_curve(loads, 50, 1, corruption=corruption)


@pytest.mark.parametrize("parameters", [{"rule": "hebbian"}, {"update": "async"}])
def test_unknown_names_are_answered_with_the_known_ones(parameters):
    with pytest.raises(UnknownNameError, match=f"Unknown {next(iter(parameters))}"):
        recall_curve([0.1], 20, 1, **parameters)


@pytest.mark.parametrize("counts", [{"n_units": 0}, {"n_trials": 0}, {"n_probes": 0}])
def test_a_curve_of_nothing_is_refused(counts):
    with pytest.raises(InvalidInputError, match="n_units, n_trials, n_probes must be at least 1"):
        recall_curve(0.1, **counts)
