"""scikit-learn's own checks of the associative memories: all run, none is excepted."""

from __future__ import annotations

import pytest
from sklearn.utils.estimator_checks import check_estimator

from glassnet.errors import GlassnetWarning
from glassnet.networks.hopfield import HopfieldNetwork
from glassnet.networks.modern_hopfield import ModernHopfieldNetwork

# needs an environment variable set before SciPy is imported
SKIPPED = {"check_array_api_input"}
ESTIMATORS = [
    HopfieldNetwork(),
    HopfieldNetwork("storkey"),
    HopfieldNetwork("pseudo-inverse", update="synchronous"),
    ModernHopfieldNetwork(),
]


@pytest.mark.filterwarnings(f"ignore::{GlassnetWarning.__module__}.GlassnetWarning", "ignore::FutureWarning")
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
def test_scikit_learns_checks(estimator):
    results = check_estimator(estimator, on_skip=None, on_fail="raise")
    by_status: dict[str, set[str]] = {"passed": set(), "skipped": set()}
    for result in results:
        by_status[result["status"]].add(result["check_name"])
    assert by_status["skipped"] == SKIPPED
    assert sum(result["status"] == "passed" for result in results) == 46
