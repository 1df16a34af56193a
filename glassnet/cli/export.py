"""``glassnet export``: a trained network as a file for other programs, or as a small run folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from glassnet.errors import InvalidInputError

if TYPE_CHECKING:
    from torch import nn


def export(
    run: Annotated[Path, typer.Argument(help="A run folder of `glassnet train --out`, or the name of a trained one.")],
    to: Annotated[Path, typer.Argument(help="FILE.onnx, FILE.safetensors, FILE.pth, or a folder for a small run.")],
) -> None:
    """Write a trained network as ONNX, as weights by name, or as a run folder in float16."""
    from glassnet.training.run_folder import load_run, read_config, save_run
    from glassnet.training.trained import compacted, find_run

    folder = find_run(run)
    estimator, about = load_run(folder), read_config(folder)["metadata"]
    if not to.suffix:
        save_run(to, compacted(estimator), about | ({"feature_names": []} if about.get("image_shape") else {}))
    else:
        _write(estimator, to, about)
    print(f"{to}  {_size(to):,} bytes")


def _write(estimator: Any, to: Path, about: dict[str, Any]) -> None:
    from glassnet.inspect.onnx_export import export_onnx
    from glassnet.training.weight_files import TORCH_SUFFIXES, save_weights

    if to.suffix not in (".onnx", ".safetensors", *TORCH_SUFFIXES):
        raise InvalidInputError(f"export writes .onnx, .safetensors, .pth files, or a folder; got {to}.")
    said = {
        name: json.dumps(about[name]) for name in ("data", "target_names", "image_shape", "metrics") if name in about
    }
    if to.suffix == ".onnx":
        shape = getattr(estimator, "image_shape_", None) or (estimator.n_features_in_,)
        export_onnx(_module(estimator), to, shape, said)
    else:
        save_weights(_module(estimator), to, said)


def _module(estimator: Any) -> nn.Module:
    module = getattr(estimator, "module_", None)
    if module is None:
        raise InvalidInputError(f"{type(estimator).__name__} is no torch module; export it to a folder.")
    return module


def _size(path: Path) -> int:
    return sum(file.stat().st_size for file in path.iterdir()) if path.is_dir() else path.stat().st_size
