"""``glassnet predict``: what a trained network says about pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from glassnet.errors import InvalidInputError

if TYPE_CHECKING:
    import numpy as np


def predict(
    run: Annotated[Path, typer.Argument(help="A run folder of `glassnet train --out`, or the name of a trained one.")],
    images: Annotated[list[Path], typer.Argument(help="Pictures, of the size that the network was trained on.")],
    resize: Annotated[bool, typer.Option("--resize", help="Stretch pictures of another size to fit.")] = False,
    top: Annotated[int, typer.Option("--top", min=1, help="How many of the likeliest classes to print.")] = 3,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what a trained network sees in pictures."""
    from glassnet.data import read_image
    from glassnet.training.run_folder import load_run, read_config
    from glassnet.training.trained import find_run

    run = find_run(run)
    about = read_config(run)["metadata"]
    if not about.get("image_shape"):
        raise InvalidInputError(f"{run} was trained on {about.get('data')!r}, whose samples are not pictures.")
    estimator = load_run(run)
    if not hasattr(estimator, "predict"):
        raise InvalidInputError(f"{run} holds a network that learned without answers: it has none to give.")
    shape = tuple(about["image_shape"])
    how = resize or ("crop" if len(shape) == 3 and shape[0] == 3 else False)
    pictures = [read_image(image, shape, resize=how).ravel() for image in images]
    results = _results(estimator, pictures, about["target_names"])
    if as_json:
        print(json.dumps([{"image": str(image), **result} for image, result in zip(images, results, strict=True)]))
        return
    for image, result in zip(images, results, strict=True):
        print(f"{image}: {_in_words(result, top)}")


def _results(estimator: Any, pictures: list[np.ndarray], names: list[str]) -> list[dict[str, Any]]:
    """Return for each picture its class and, where the network gives them, the classes' probabilities."""
    results: list[dict[str, Any]] = [{"prediction": names[k]} for k in estimator.predict(pictures)]
    if hasattr(estimator, "predict_proba"):
        classes = [names[k] for k in estimator.classes_]
        for result, row in zip(results, estimator.predict_proba(pictures).tolist(), strict=True):
            result["probabilities"] = dict(zip(classes, row, strict=True))
    return results


def _in_words(result: dict[str, Any], top: int = 3) -> str:
    """Return the prediction and the ``top`` likeliest classes.

    Examples
    --------
    >>> _in_words({"prediction": "7", "probabilities": {"1": 0.25, "7": 0.75}})
    '7 (7 75.0%, 1 25.0%)'
    """
    ranked = sorted(result.get("probabilities", {}).items(), key=lambda item: -item[1])[:top]
    shares = ", ".join(f"{name} {share:.1%}" for name, share in ranked)
    return result["prediction"] + (f" ({shares})" if shares else "")
