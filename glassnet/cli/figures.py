"""The figures that ``glassnet train`` puts into a run folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from glassnet.data import Dataset


def draw_figures(folder: Path, estimator: Any, dataset: Dataset) -> None:
    """Draw the losses, which classes are taken for which, and the answer over the plane where there is one."""
    from glassnet.plots.confusion_matrix import ConfusionMatrixDisplay
    from glassnet.plots.decision_boundary import DecisionBoundaryDisplay
    from glassnet.plots.training_curves import TrainingCurvesDisplay

    samples = (estimator, dataset.X_test, dataset.y_test)
    names: dict[str, Any] = {"class_names": dataset.target_names} if dataset.kind == "classification" else {}
    if getattr(estimator, "loss_curve_", None):
        TrainingCurvesDisplay.from_estimator(estimator).save(folder / "training.svg")
    if not hasattr(estimator, "predict"):
        return _draw_filters(folder, estimator, dataset)
    if names:
        ConfusionMatrixDisplay.from_estimator(*samples, **names).save(folder / "confusion.svg")
    if len(dataset.feature_names) == 2:
        boundary = DecisionBoundaryDisplay.from_estimator(*samples, **names, feature_names=dataset.feature_names)
        boundary.save(folder / "decision_boundary.svg")


def _draw_filters(folder: Path, estimator: Any, dataset: Dataset) -> None:
    """Draw what the hidden units of a network without answers look for, where samples are pictures."""
    from glassnet.plots.filters import FiltersDisplay

    if dataset.image_shape is not None:
        display = FiltersDisplay.from_weights(estimator.components_, dataset.image_shape)
        display.save(folder / "filters.svg")
