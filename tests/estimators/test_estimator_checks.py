"""scikit-learn's own checks: how many ran, and the literal list of those that may fail."""

from __future__ import annotations

import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.estimator_checks import check_estimator
from torch import nn

from glassnet import (
    RBM,
    AdalineClassifier,
    AdalineRegressor,
    DeepBeliefClassifier,
    GenerativeBeliefClassifier,
    MLPClassifier,
    MLPRegressor,
    ModuleClassifier,
    ModuleRegressor,
    Perceptron,
    PolynomialRegression,
)

ROUNDING = (
    "Weights and repeated samples are summed in another order; in float32 the results differ by about 2e-6, "
    "the check allows 1e-7. With precision='float64' it passes and is not excepted."
)
ORDER = "One sample a step: a weighted step is not two steps, and the order changes with the number of samples."
NO_MARGIN = (
    "Rosenblatt's rule stops correcting once the heavy class is right on the training set; "
    "on 50 overlapping test points the check then wants 87% in that class, and 84% are."
)
WEIGHT_CHECKS = ("check_sample_weight_equivalence_on_dense_data", "check_sample_weight_equivalence_on_sparse_data")
# needs an environment variable set before SciPy is imported
SKIPPED = {"check_array_api_input"}


class Net(nn.Sequential):
    """A module that takes the shape of the data."""

    def __init__(self, n_features, n_outputs):
        super().__init__(nn.Linear(n_features, 32), nn.ReLU(), nn.Linear(32, n_outputs))


GAUSSIAN = {"visible": "gaussian", "pretrain_iter": 2, "pretrain_learning_rate": 1e-3}
STANDARDIZED = {"visible": "gaussian", "pretrain_iter": 20, "pretrain_learning_rate": 0.05, "batch_size": 10}
# estimator, number of checks that run, the checks that may fail (by rounding: on some processors) and why
CASES = [
    (Perceptron(), 63, {**dict.fromkeys(WEIGHT_CHECKS, ORDER), "check_class_weight_classifiers": NO_MARGIN}),
    (AdalineClassifier(), 63, dict.fromkeys(WEIGHT_CHECKS, ORDER)),
    (AdalineRegressor(), 60, dict.fromkeys(WEIGHT_CHECKS, ORDER)),
    (AdalineRegressor(batch_size="all", precision="float64"), 60, {}),
    (PolynomialRegression(), 51, {}),
    (MLPClassifier(engine="formula"), 63, dict.fromkeys(WEIGHT_CHECKS, ROUNDING)),
    (MLPClassifier(engine="kernel"), 63, dict.fromkeys(WEIGHT_CHECKS, ROUNDING)),
    (MLPClassifier(precision="float64"), 63, {}),
    (MLPRegressor(engine="formula"), 60, dict.fromkeys(WEIGHT_CHECKS, ROUNDING)),
    (MLPRegressor(engine="kernel"), 60, dict.fromkeys(WEIGHT_CHECKS, ROUNDING)),
    (MLPRegressor(precision="float64"), 60, {}),
    (ModuleClassifier(Net), 69, dict.fromkeys(WEIGHT_CHECKS, ROUNDING)),
    (ModuleRegressor(Net), 66, dict.fromkeys(WEIGHT_CHECKS, ROUNDING)),
    (RBM(), 46, {}),
    (RBM(visible="gaussian", persistent=True, learning_rate_init=1e-3), 46, {}),
    (GenerativeBeliefClassifier((12, 20), **STANDARDIZED, learning_rate_init=0.05, max_iter=10), 60, {}),
    (DeepBeliefClassifier((12, 8), **GAUSSIAN, learning_rate_init=0.01, max_iter=100), 60, {}),
]


@pytest.mark.filterwarnings(
    "ignore::FutureWarning",
    f"ignore::{ConvergenceWarning.__module__}.ConvergenceWarning",
    "ignore:Binary visible units take values",  # the checks' data lie outside [0, 1]
)
@pytest.mark.parametrize(("estimator", "n_run", "expected"), CASES, ids=[repr(case[0]) for case in CASES])
def test_scikit_learns_checks(estimator, n_run, expected):
    results = check_estimator(estimator, expected_failed_checks=expected, on_skip=None, on_fail="raise")
    by_status: dict[str, set[str]] = {"passed": set(), "xfail": set(), "skipped": set()}
    for result in results:
        by_status[result["status"]].add(result["check_name"])
    assert by_status["xfail"] <= set(expected)
    assert by_status["skipped"] == SKIPPED
    assert sum(result["status"] in ("passed", "xfail") for result in results) == n_run
