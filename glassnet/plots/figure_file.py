"""A figure as a file that is the same each time it is made."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {"Software": None}}


def to_bytes(figure: Figure, kind: str, dpi: float) -> bytes:
    """Return a figure in one of `FORMATS`."""
    data = io.BytesIO()
    figure.savefig(data, format=kind, dpi=dpi, metadata=FORMATS[kind])
    return data.getvalue()
