"""``glassnet evaluate``: how well a trained network does on held-out data."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from glassnet.errors import InvalidInputError

if TYPE_CHECKING:
    from glassnet.data import Dataset


def evaluate(
    run: Annotated[Path, typer.Argument(help="A run folder of `glassnet train --out`, or the name of a trained one.")],
    data: Annotated[
        str | None, typer.Option("--data", help="A name of `glassnet list data`, or a path; by default the run's own.")
    ] = None,
    resize: Annotated[
        int | None, typer.Option("--resize", min=1, metavar="SIDE", help="Scale picture files to SIDE x SIDE pixels.")
    ] = None,
    skip_corrupt: Annotated[
        bool, typer.Option("--skip-corrupt", help="Leave out pictures that do not decode.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say how well a trained network does on the test part of a data set."""
    from glassnet.cli.loading import load_data
    from glassnet.data.dataset import scaled
    from glassnet.training.run_folder import load_run, read_config
    from glassnet.training.trained import find_run

    folder = find_run(run)
    about = read_config(folder)["metadata"]
    name = data or about.get("data")
    if name is None:
        raise InvalidInputError(f"{run} does not say what it was trained on: give --data.")
    dataset = load_data(name, resize, skip_corrupt)
    estimator = load_run(folder)
    dataset = dataset if hasattr(estimator, "module_") else scaled(dataset)
    result = {"data": name, **measured(estimator, matched(dataset, about))}
    result |= {"note": dataset.note} if dataset.note else {}
    print(json.dumps(result) if as_json else _in_words(result))


def matched(dataset: Dataset, about: dict[str, Any]) -> Dataset:
    """Return a data set whose classes are numbered as they were when a network was trained.

    Raises
    ------
    InvalidInputError
        If it has a class that the network does not know, or samples of another shape.
    """
    import numpy as np

    names, shape = list(about.get("target_names", ())), about.get("image_shape")
    if shape is not None and dataset.image_shape is not None and tuple(shape) != tuple(dataset.image_shape):
        raise InvalidInputError(
            f"The network takes pictures of shape {tuple(shape)}, these have {dataset.image_shape}."
        )
    if dataset.kind != "classification" or list(dataset.target_names) == names:
        return dataset
    held = sorted({dataset.target_names[k] for k in dataset.y_test})
    if alone := [name for name in held if name not in names]:
        raise InvalidInputError(f"The network knows {', '.join(names)}; the test part also has {', '.join(alone)}.")
    numbers = np.array([names.index(name) if name in names else -1 for name in dataset.target_names])
    return replace(dataset, y_test=numbers[dataset.y_test], target_names=tuple(names))


def measured(estimator: Any, dataset: Dataset) -> dict[str, Any]:
    """Return accuracy, mean cross-entropy and each class's accuracy; or R^2."""
    import numpy as np

    X, y = dataset.X_test, dataset.y_test
    if dataset.kind != "classification":
        return {"samples": len(y), "test_r2": round(float(estimator.score(X, y)), 6)}
    if not hasattr(estimator, "predict_proba"):
        hits = estimator.predict(X) == y
        return {"samples": len(y), "test_accuracy": round(float(hits.mean()), 6)}
    probabilities = estimator.predict_proba(X)
    hits = estimator.classes_[probabilities.argmax(1)] == y
    own = probabilities[np.arange(len(y)), np.searchsorted(estimator.classes_, y)]
    return {
        "samples": len(y),
        "test_accuracy": round(float(hits.mean()), 6),
        "test_loss": round(float(-np.log(np.maximum(own, 1e-30)).mean()), 6),
        "accuracy_by_class": {
            name: round(float(hits[y == k].mean()), 6) for k, name in enumerate(dataset.target_names) if (y == k).any()
        },
    }


def _in_words(result: dict[str, Any]) -> str:
    """Return the result as lines for a reader.

    Examples
    --------
    >>> print(_in_words({"data": "digits", "test_accuracy": 0.975, "accuracy_by_class": {"7": 1.0}}))
    data           digits
    test accuracy  97.50%
      7            100.00%
    """
    lines = []
    for name, value in result.items():
        if name == "accuracy_by_class":
            lines += [f"  {label:<12} {share:.2%}" for label, share in value.items()]
        else:
            lines.append(f"{name.replace('_', ' '):<14} {f'{value:.2%}' if name.endswith('accuracy') else value}")
    return "\n".join(lines)
