"""Weights in and out of modules: safetensors, and torch's own files without what pickle could run."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from glassnet.errors import CorruptFileError, DataNotFoundError, InvalidInputError
from glassnet.files import write_whole

TORCH_SUFFIXES = (".pth", ".pt", ".bin", ".ckpt")
# where checkpoints keep the weights among other things
_INSIDE = ("state_dict", "model_state_dict", "model")
# names are listed up to this number
_SHOWN = 8


class Mismatch(NamedTuple):
    """Names of what a file lacks, and of what it has besides."""

    missing: tuple[str, ...]
    unknown: tuple[str, ...]


def load_weights(module: nn.Module, path: str | Path, strict: bool = True) -> Mismatch:
    """Put the weights in a file into a module.

    Parameters
    ----------
    module : Module
        Changed in place, or not at all.
    path : str or Path
        ``.safetensors``, or one of torch's (``.pth``, ``.pt``), which is read with
        ``weights_only=True``: whatever else its pickle holds is refused. Weights may lie under
        "state_dict" or "model", and their names may begin with "module.", as after training on
        several devices.
    strict : bool
        Whether missing and unknown names are errors.

    Returns
    -------
    Mismatch
        Both empty if ``strict``.

    Raises
    ------
    DataNotFoundError
        If there is no such file.
    CorruptFileError
        If it is damaged, or a pickle of something else than weights.
    InvalidInputError
        If the weights are those of another network: names and shapes are listed.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> first, second = nn.Linear(2, 1), nn.Linear(2, 1)
    >>> with TemporaryDirectory() as folder:
    ...     load_weights(second, save_weights(first, Path(folder, "linear.safetensors")))
    Mismatch(missing=(), unknown=())
    >>> bool((first.weight == second.weight).all())
    True
    """
    path = Path(path)
    if not path.is_file():
        raise DataNotFoundError(f"There is no file {path}")
    given, own = read_weights(path), module.state_dict()
    shapes = [
        f"{name} {tuple(given[name].shape)} instead of {tuple(value.shape)}"
        for name, value in own.items()
        if name in given and given[name].shape != value.shape
    ]
    mismatch = Mismatch(tuple(name for name in own if name not in given), tuple(x for x in given if x not in own))
    if shapes or (strict and any(mismatch)):
        faults = {"missing": mismatch.missing, "unknown": mismatch.unknown, "of another shape": shapes}
        words = "; ".join(f"{what}: {_listed(names)}" for what, names in faults.items() if names)
        raise InvalidInputError(f"{path} does not hold the weights of this {type(module).__name__}. {words}.")
    module.load_state_dict(given, strict=False)
    return mismatch


def read_weights(path: Path) -> dict[str, Tensor]:
    """Return the tensors in a file by name; see `load_weights`."""
    if path.suffix == ".safetensors":
        try:
            return load(path.read_bytes())
        except SafetensorError as error:
            raise CorruptFileError(f"{path} is not a whole safetensors file: {error}") from error
    if path.suffix not in TORCH_SUFFIXES:
        raise InvalidInputError(f"Weights are in .safetensors, {', '.join(TORCH_SUFFIXES)} files, got {path}.")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise CorruptFileError(f"{path} holds more than weights, or is damaged; it was not read: {error}") from error
    except (RuntimeError, EOFError, OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise CorruptFileError(f"{path} is not a whole file of weights: {error}") from error
    return _tensors(path, content)


def save_weights(module: nn.Module, path: Path, metadata: dict[str, str] | None = None) -> Path:
    """Write a module's parameters and buffers to a ``.safetensors`` or torch file; return its path."""
    tensors = {name: value.detach().cpu().contiguous() for name, value in module.state_dict().items()}
    if path.suffix == ".safetensors":
        return write_whole(path, save(tensors, metadata))
    from io import BytesIO

    content = BytesIO()
    torch.save(tensors, content)
    return write_whole(path, content.getvalue())


def _tensors(path: Path, content: Any) -> dict[str, Tensor]:
    for key in _INSIDE:
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    if not isinstance(content, Mapping) or not all(isinstance(value, Tensor) for value in content.values()):
        raise CorruptFileError(f"{path} holds a {type(content).__name__} that is no mapping of names to tensors.")
    parallel = all(name.startswith("module.") for name in content)
    return {name.removeprefix("module.") if parallel else name: value for name, value in content.items()}


def _listed(names: Any) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
