"""The figures that ``glassnet train`` puts into a run folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from glassnet.data import Dataset

N_PICTURES, N_GIBBS_STEPS = 10, 500


def draw_figures(folder: Path, estimator: Any, dataset: Dataset) -> None:
    """Draw the losses, which classes are taken for which, the answer over the plane, what is remembered."""
    from glassnet.plots.confusion_matrix import ConfusionMatrixDisplay
    from glassnet.plots.decision_boundary import DecisionBoundaryDisplay
    from glassnet.plots.training_curves import TrainingCurvesDisplay

    if hasattr(estimator, "recall"):
        return _draw_recall(folder, estimator, dataset)
    if getattr(estimator, "loss_curve_", None):
        TrainingCurvesDisplay.from_estimator(estimator).save(folder / "training.svg")
    if dataset.image_shape is not None and (hasattr(estimator, "gibbs") or hasattr(estimator, "dream")):
        _draw_memory(folder, estimator, dataset)
    if not hasattr(estimator, "predict"):
        return
    samples = (estimator, dataset.X_test, dataset.y_test)
    names: dict[str, Any] = {"class_names": dataset.target_names} if dataset.kind == "classification" else {}
    if names:
        ConfusionMatrixDisplay.from_estimator(*samples, **names).save(folder / "confusion.svg")
    if len(dataset.feature_names) == 2:
        boundary = DecisionBoundaryDisplay.from_estimator(*samples, **names, feature_names=dataset.feature_names)
        boundary.save(folder / "decision_boundary.svg")


def _draw_recall(folder: Path, network: Any, dataset: Dataset) -> None:
    """Draw the way down in energy from a corrupted probe of each pattern, and what was recalled."""
    from glassnet.cli.memories import N_PROBES, corrupted
    from glassnet.plots.energy import EnergyDisplay
    from glassnet.plots.pictures import PicturesDisplay

    probes, shape = corrupted(network)[::N_PROBES], dataset.image_shape
    EnergyDisplay.from_network(network, probes, image_shape=shape).save(folder / "energy.svg")
    if shape is not None:
        rows = {"stored": network.patterns_, "probe": probes, "recalled": network.predict(probes)}
        PicturesDisplay.from_rows(rows, shape, low=-1).save(folder / "recall.svg")


def _draw_memory(folder: Path, estimator: Any, dataset: Dataset) -> None:
    """Draw what the first hidden units look for, what layers keep of samples, and dreams."""
    from glassnet.plots.filters import FiltersDisplay
    from glassnet.plots.pictures import PicturesDisplay

    shape, samples = dataset.image_shape, dataset.X_test[:N_PICTURES]
    assert shape is not None
    weights = estimator.filters() if hasattr(estimator, "filters") else estimator.components_
    FiltersDisplay.from_weights(weights, shape).save(folder / "filters.svg")
    if hasattr(estimator, "rbms_"):
        layers = range(len(estimator.hidden_layer_sizes))
        kept = {f"from layer {k + 1}": estimator.reconstruct(samples, layer=k) for k in layers}
    else:
        kept = {"from the hidden units": estimator.inverse_transform(estimator.transform(samples))}
    PicturesDisplay.from_rows({"sample": samples} | kept, shape).save(folder / "reconstructions.svg")
    PicturesDisplay.from_rows(_dreams(estimator, dataset), shape).save(folder / "dreams.svg")


def _dreams(estimator: Any, dataset: Dataset) -> dict[str, Any]:
    """Return rows of dreams: of each class, if the network can be asked for one, or else on from samples."""
    if hasattr(estimator, "dream"):
        names = dataset.target_names
        return {names[k]: estimator.dream(k, N_PICTURES) for k in estimator.classes_}
    samples = dataset.X_test[:N_PICTURES]
    rows = {"sample": samples}
    for n in (1, 10, 100, N_GIBBS_STEPS):
        rows[f"Gibbs steps: {n}"] = drawn = estimator.gibbs(samples, n)
        if hasattr(estimator, "components_"):  # means of the visible units say more than their states
            rows[f"Gibbs steps: {n}"] = estimator.inverse_transform(estimator.transform(drawn))
    return rows
