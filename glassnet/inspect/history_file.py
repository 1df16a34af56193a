"""The files of a `History`: a JSON table and, named after its content, a safetensors file.

The table is written last and names the tensors it belongs to, so at every moment the
folder holds one whole record: the old one until the table is renamed, then the new.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from glassnet.errors import CorruptFileError, RunFolderError
from glassnet.files import write_whole

TABLE = "history.json"
VERSION = 1


def write(folder: Path, table: dict[str, Any], tensors: dict[str, np.ndarray]) -> None:
    """Write ``table`` and ``tensors`` to ``folder`` and remove the record they replace."""
    data = save(tensors)
    digest = hashlib.sha256(data).hexdigest()
    name = f"history-{digest[:16]}.safetensors"
    write_whole(folder / name, data)
    head = {"version": VERSION, "tensors": name, "sha256": digest}
    write_whole(folder / TABLE, json.dumps(head | table, indent=1).encode())
    for old in folder.glob("history-*.safetensors"):
        if old.name != name:
            old.unlink()


@contextmanager
def reading(folder: Path) -> Iterator[tuple[dict[str, Any], dict[str, np.ndarray]]]:
    """Give the table and the tensors of ``folder``; what does not fit in them is damage.

    Raises
    ------
    RunFolderError
        If the folder holds no history, or one of another version.
    CorruptFileError
        If the files are damaged, also when that shows while the block uses them.
    """
    if not (folder / TABLE).is_file():
        raise RunFolderError(f"There is no {TABLE} in {folder}: no history was saved there.")
    try:
        table = json.loads((folder / TABLE).read_bytes())
        if table["version"] != VERSION:
            raise RunFolderError(
                f"The history in {folder} has version {table['version']}; this glassnet reads {VERSION}."
            )
        data = (folder / Path(table["tensors"]).name).read_bytes()
        if hashlib.sha256(data).hexdigest() != table["sha256"]:
            raise CorruptFileError(f"{folder / table['tensors']} does not have the content that {TABLE} names.")
        yield table, load(data)
    except (OSError, KeyError, TypeError, ValueError, SafetensorError) as error:
        if isinstance(error, (RunFolderError, CorruptFileError)):
            raise
        raise CorruptFileError(f"The history in {folder} is damaged: {error!r}") from error
