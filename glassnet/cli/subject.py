"""What ``glassnet inspect`` looks at: a run folder, a network by name, or a function in a user's own file."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.errors import DataNotFoundError, InvalidInputError, UnknownNameError
from glassnet.registry import DATA, MODULES, resolve

if TYPE_CHECKING:
    from torch import Tensor, nn

    from glassnet.plots.inspection import Subject

MOST_SAMPLES = 300  # of a run's own data


def subject_of(what: str, picture: Path | None, shapes: list[str], resize: bool, seed: int) -> Subject:
    """Return a network with its input.

    Parameters
    ----------
    what : str
        Run folder; name of a network, trained or not; ``file.py:function``.
    picture : Path, optional
        A picture, or an array in a .npy file.
    shapes : list of str
        Of random inputs: ``"1x3x224x224"``, ``"1x16:100"`` for integers below 100.
    resize : bool
        Stretch a picture of another size to fit.
    seed : int
        Decides the initial weights and the random inputs.

    Raises
    ------
    InvalidInputError, UnknownNameError, DataNotFoundError
        If there is no such network or it cannot be given that input.
    """
    from glassnet.training.trained import find_run

    if (run := find_run(what)).is_dir():
        return _of_run(run, picture, shapes, resize)
    module = _made(what, seed)
    from glassnet.plots.inspection import Subject

    if picture is None and not shapes:
        raise InvalidInputError(f"{what} has to be given something: --input 1x3x224x224, or a picture beside --input.")
    inputs = tuple(random_input(shape, seed) for shape in shapes)
    facts = [f"Random input: {', '.join(shapes)}, seed {seed}."]
    if picture is not None:
        inputs = (_read(picture, tuple(inputs[0].shape) if inputs else None, resize), *inputs[1:])
        facts = [f"Input: {picture.name}, {' x '.join(map(str, inputs[0].shape))}."]
    return Subject(Path(what).name, module.eval(), inputs, facts=[*facts, _size(module)])


def random_input(shape: str, seed: int) -> Tensor:
    """Return a tensor of normal numbers, or of integers below a limit.

    Raises
    ------
    InvalidInputError
        If the shape cannot be read.

    Examples
    --------
    >>> random_input("2x3", 0).shape, int(random_input("4x5:2", 0).max())
    (torch.Size([2, 3]), 1)
    """
    import torch

    text, colon, limit = shape.partition(":")
    try:
        sizes = tuple(int(n) for n in text.split("x"))
        if min(sizes) < 1 or (colon and int(limit) < 1):
            raise ValueError
    except ValueError:
        raise InvalidInputError(
            f"--input takes a shape such as 1x3x224x224, or 1x16:100 for integers below 100; got {shape!r}."
        ) from None
    random = torch.Generator().manual_seed(seed)
    return torch.randint(int(limit), sizes, generator=random) if colon else torch.randn(sizes, generator=random)


def _of_run(folder: Path, picture: Path | None, shapes: list[str], resize: bool) -> Subject:
    """Return a trained network with a picture, or with held-out samples of its own data."""
    from glassnet.plots.inspection import Subject
    from glassnet.training.run_folder import load_run, read_config

    if shapes:
        raise InvalidInputError("--input is for networks that were not trained here; a run knows its input's shape.")
    about, net = read_config(folder)["metadata"], load_run(folder)
    shape = tuple(about["image_shape"]) if about.get("image_shape") else None
    labels = None
    if picture is not None:
        rows = _row(picture, shape, resize, folder)
        facts = [f"Input: {picture.name}."]
    else:
        rows, labels = _own_data(about, folder)
        facts = [f"Input: the first {len(rows)} held-out samples of {about['data']}."]
    names = {"target_names": about.get("target_names", ()), "feature_names": about.get("feature_names", ())}
    module = getattr(net, "module_", None)
    inputs: tuple[Any, ...] = (rows,)
    if module is not None:
        from glassnet.learning.supervised import as_input, as_tensor

        module.eval()
        inputs = (as_input(as_tensor(rows), net.image_shape_),)
        facts.append(_size(module))
    return Subject(f"{type(net).__name__} in {folder.name}", net, inputs, rows, labels, shape, facts=facts, **names)


def _own_data(about: dict[str, Any], folder: Path) -> tuple[np.ndarray, np.ndarray]:
    from glassnet.data import load

    if about.get("data") not in DATA:
        raise InvalidInputError(f"The data of {folder} are not known by name; give a picture or a .npy file.")
    data = load(about["data"])
    return data.X_test[:MOST_SAMPLES], data.y_test[:MOST_SAMPLES]


def _row(path: Path, shape: tuple[int, ...] | None, resize: bool, folder: Path) -> np.ndarray:
    """Return a picture or an array as rows."""
    from glassnet.data import read_image

    if path.suffix == ".npy":
        array = _array(path).astype(np.float32)
        return array.reshape(len(array), -1) if array.ndim > 1 else array[None]
    if shape is None:
        raise InvalidInputError(f"{folder} was trained on samples that are not pictures; give a .npy file, or nothing.")
    return read_image(path, shape, resize=resize).reshape(1, -1)


def _read(path: Path, shape: tuple[int, ...] | None, resize: bool) -> Tensor:
    """Return a picture or an array as a module takes it."""
    import torch

    from glassnet.data import read_image

    if path.suffix == ".npy":
        array = _array(path)
        return torch.from_numpy(array.astype(np.float32) if array.dtype.kind == "f" else array)
    if shape is None or len(shape) != 4 or shape[1] not in (1, 3):
        raise InvalidInputError(f"To give {path.name} to this network, say how large it is: --input 1x3x224x224.")
    return torch.from_numpy(read_image(path, shape[1:], resize=resize))[None]


def _array(path: Path) -> np.ndarray:
    if not path.exists():
        raise DataNotFoundError(f"There is no file {path}.")
    try:
        return np.load(path, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise InvalidInputError(f"{path} is no array of numbers: {error}") from error


def _made(what: str, seed: int) -> nn.Module:
    """Return the module that a name or function stands for, built under the seed."""
    import torch
    from torch import nn

    file, colon, name = what.rpartition(":")
    if not colon and what not in MODULES:
        from glassnet.training.trained import trained_names

        raise UnknownNameError("network, run folder or file.py:function", what, [*MODULES, *trained_names()])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        made = _function(Path(file), name)() if colon else resolve(MODULES, "network", what)()
    if not isinstance(made, nn.Module):
        raise InvalidInputError(f"{name} in {file} returned {type(made).__name__}, not a torch module.")
    return made


def _function(path: Path, name: str) -> Any:
    """Import a file and return its function; modules beside the file can be imported by it."""
    if not path.is_file():
        raise DataNotFoundError(f"There is no file {path}.")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise InvalidInputError(f"{path} is no Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.resolve().parent))
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise InvalidInputError(f"{path} cannot be imported: {type(error).__name__}: {error}") from error
    finally:
        sys.path.remove(str(path.resolve().parent))
    own = [n for n, value in vars(module).items() if callable(value) and getattr(value, "__module__", "") == path.stem]
    if not callable(getattr(module, name, None)):
        raise UnknownNameError(f"function in {path.name}", name, own)
    _check_arguments(getattr(module, name), name)
    return getattr(module, name)


def _check_arguments(function: Any, name: str) -> None:
    needed = [
        p.name
        for p in inspect.signature(function).parameters.values()
        if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
    ]
    if needed:
        raise InvalidInputError(f"{name} is called without arguments, but it needs {', '.join(needed)}.")


def _size(module: nn.Module) -> str:
    n = sum(p.numel() for p in module.parameters())
    return f"{type(module).__name__}: {n:,} parameters."
