"""A trained network as a folder: ``model.safetensors`` (arrays) and ``config.json`` (all else).

A folder holds one whole network at every moment, wherever the process that saves is
killed. Each config names the hash of its arrays, and there are three acts: the new
config is written under another name, the arrays are replaced, the config is renamed.
Between the second and the third, the config under the other name is the one that fits.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.numpy import load, save

from glassnet.errors import GlassnetError, InvalidInputError, RunFolderError
from glassnet.files import write_whole
from glassnet.registry import MODULE_ESTIMATORS, NETWORKS, TEXT_ESTIMATORS, resolve
from glassnet.training.plain import decode_estimator, encode_estimator
from glassnet.training.trained import expanded

FORMAT = 1
WEIGHTS, CONFIG, NEXT_CONFIG = "model.safetensors", "config.json", "config.next.json"
ESTIMATORS = NETWORKS | MODULE_ESTIMATORS | TEXT_ESTIMATORS
LIBRARIES = ("glassnet", "numpy", "scikit-learn", "torch", "numba")


def save_run(folder: str | Path, estimator: Any, metadata: dict[str, Any] | None = None) -> Path:
    """Write a fitted estimator to a folder, replacing the one that is there.

    Parameters
    ----------
    folder : str or Path
        Made where it is missing.
    estimator : estimator
        Fitted; of a class in `glassnet.registry.NETWORKS`, `MODULE_ESTIMATORS` or `TEXT_ESTIMATORS`.
    metadata : dict, optional
        JSON data to keep with it: what it was trained on, how well it does.

    Returns
    -------
    Path
        ``folder``.

    Raises
    ------
    InvalidInputError
        If the estimator is of another class, or holds something that is not plain data
        (such as a generator as ``random_state``).
    RunFolderError
        If there is a file where the folder should be.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from glassnet import MLPClassifier
    >>> net = MLPClassifier((4,), max_iter=5, tol=None, random_state=0).fit([[0.0], [1.0]], ["no", "yes"])
    >>> with TemporaryDirectory() as folder:
    ...     same = load_run(save_run(folder, net))
    >>> bool((same.predict_proba([[0.5]]) == net.predict_proba([[0.5]])).all())
    True
    """
    folder = Path(folder)
    arrays: dict[str, Any] = {}
    config = {"format": FORMAT, "network": _network_name(estimator), **encode_estimator(estimator, "", arrays)}
    weights = save(arrays)
    config |= {"metadata": metadata or {}, "versions": versions(), "sha256": hashlib.sha256(weights).hexdigest()}
    text = json.dumps(config, indent=1, allow_nan=False)
    if folder.exists() and not folder.is_dir():
        raise RunFolderError(f"{folder} is a file; a run is saved to a folder.")
    write_whole(folder / NEXT_CONFIG, text.encode())
    write_whole(folder / WEIGHTS, weights)
    os.replace(folder / NEXT_CONFIG, folder / CONFIG)
    return folder


def load_run(folder: str | Path) -> Any:
    """Return the estimator that `save_run` wrote, ready to predict or to be fitted on.

    Parameters
    ----------
    folder : str or Path

    Returns
    -------
    estimator

    Raises
    ------
    RunFolderError
        If the folder is missing, half-written, damaged or of another version.
    """
    config, weights = _read(Path(folder))
    try:
        arrays = load(weights)
        estimator = decode_estimator(resolve(ESTIMATORS, "network", config["network"]), config, arrays)
    except (GlassnetError, SafetensorError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise RunFolderError(f"The run in {folder} is damaged: {error}") from error
    return expanded(estimator)


def read_config(folder: str | Path) -> dict[str, Any]:
    """Return what ``config.json`` says: network, parameters, versions and the metadata given to `save_run`.

    Raises
    ------
    RunFolderError
        As `load_run`.
    """
    return _read(Path(folder))[0]


def _network_name(estimator: Any) -> str:
    cls = type(estimator)
    for name, target in ESTIMATORS.items():
        if target == f"{cls.__module__}:{cls.__qualname__}":
            return name
    raise InvalidInputError(
        f"save_run takes a network that glassnet knows by name ({', '.join(ESTIMATORS)}), got {cls}."
    )


def versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that a result depends on."""
    return {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}}


def _read(folder: Path) -> tuple[dict[str, Any], bytes]:
    """Return the config that fits the arrays of a folder, and the arrays' bytes."""
    if not folder.is_dir():
        raise RunFolderError(f"There is no run folder {folder}.")
    configs = [path for path in (folder / CONFIG, folder / NEXT_CONFIG) if path.is_file()]
    missing = [] if configs else [CONFIG]
    missing += [] if (folder / WEIGHTS).is_file() else [WEIGHTS]
    if missing:
        raise RunFolderError(f"{folder} holds no whole run: {' and '.join(missing)} missing.")
    weights = (folder / WEIGHTS).read_bytes()
    digest = hashlib.sha256(weights).hexdigest()
    for path in configs:
        config = _read_config(path)
        if config.get("sha256") == digest:
            return config, weights
    raise RunFolderError(f"{folder} holds no whole run: {WEIGHTS} is not the file that {CONFIG} was written with.")


def _read_config(path: Path) -> dict[str, Any]:
    try:
        config = json.loads(path.read_bytes())
        found = config["format"]
    except (KeyError, TypeError, ValueError) as error:
        raise RunFolderError(f"{path} is not the config of a run: {error!r}") from error
    if found != FORMAT:
        raise RunFolderError(
            f"{path} has format {found!r}; this glassnet ({version('glassnet')}) reads format {FORMAT}."
        )
    return config
