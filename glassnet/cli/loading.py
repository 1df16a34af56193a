"""What the commands' ``--data`` names: a data set of glassnet's table, or pictures at a path."""

from __future__ import annotations

import os
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glassnet.errors import InvalidInputError
from glassnet.registry import DATA

if TYPE_CHECKING:
    from glassnet.data import Dataset


def load_data(
    data: str,
    resize: int | None = None,
    skip_corrupt: bool = False,
    per_class: int | None = None,
    stream: bool = False,
) -> Dataset:
    """Return a data set by its name, or the pictures in a folder, zip or binary file by its path.

    Parameters
    ----------
    data : str
        Taken as a path where the table has no such name and something lies there.
    resize : int, optional
        Side in pixels to which picture files are scaled.
    skip_corrupt : bool
        Leave pictures out that do not decode.
    per_class : int, optional
        Take at most so many picture files of each class.
    stream : bool
        Decode picture files as they are needed, and not once to the disk.

    Raises
    ------
    InvalidInputError, UnknownNameError, DataNotFoundError, CorruptFileError
        If there is no such data, it is damaged, or an option is not for it.
    """
    from glassnet.data import load
    from glassnet.data.pictures import load_pictures

    options: dict[str, Any] = {"resize": resize, "corrupt": "skip" if skip_corrupt else None, "per_class": per_class}
    options["stream"] = stream or None
    options = {name: value for name, value in options.items() if value is not None}
    if data not in DATA and (os.sep in data or Path(data).exists()):
        return load_pictures(data, **options)
    if data in DATA:
        _check_options(data, options)
    return load(data, **options)


def _check_options(data: str, options: dict[str, Any]) -> None:
    from glassnet.registry import resolve

    taken = signature(resolve(DATA, "data set", data)).parameters
    if wrong := [name for name in options if name not in taken]:
        named = {"resize": "--resize", "corrupt": "--skip-corrupt", "per_class": "--per-class", "stream": "--stream"}
        raise InvalidInputError(f"{', '.join(named[name] for name in wrong)} is for picture files, not for {data}.")
