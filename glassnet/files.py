"""Files are written beside their place and renamed: a killed process leaves the old file whole."""

from __future__ import annotations

import os
from pathlib import Path
from uuid import uuid4


def write_whole(path: str | Path, data: bytes) -> Path:
    """Write ``data`` to ``path`` as one act; its folder is made where it is missing.

    Parameters
    ----------
    path : str or Path
        A file there is replaced only when the new one is complete.
    data : bytes
        The whole content.

    Returns
    -------
    Path
        ``path``.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        beside.write_bytes(data)
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
    return path
