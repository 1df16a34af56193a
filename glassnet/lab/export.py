"""An exhibit as one HTML file that needs neither Python nor a network.

What trains is recorded at moments spread evenly over its time, the one on screen among
them; what does not is one figure. The replies lie in the file as a gzip in base64, and
``static/replay.js`` looks them up. Controls that need Python are switched off.
"""

from __future__ import annotations

import base64
import json
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from string import Template
from typing import Any

import numpy as np

from glassnet.errors import InvalidInputError
from glassnet.files import write_whole
from glassnet.lab import protocol
from glassnet.lab.bundle import STATIC, bundle, module_of, styles
from glassnet.lab.exhibit import Exhibit, Frame
from glassnet.registry import EXHIBITS, resolve

N_FRAMES = 120  # most moments in a file
_NO_LIMIT = 1e9  # seconds


class Film:
    """The moments of one exhibit, taken one by one.

    Parameters
    ----------
    exhibit : Exhibit
    first, moment : callable returning Frame
        The reply that opens the exhibit, and the reply that shows it at its step.
    """

    def __init__(self, exhibit: Exhibit, first: Callable[[], Frame], moment: Callable[[], Frame]):
        exhibit.finish()
        self._exhibit, self._first, self._moment = exhibit, first, moment
        history = exhibit.history if exhibit.export == "replay" else None
        self.shown = exhibit.history.step if exhibit.history else 0
        self._steps = _moments(history.last, self.shown) if history else [self.shown]
        self._taken = 0
        self._gzip = zlib.compressobj(wbits=31)
        self._content: list[bytes] = []

    @property
    def share(self) -> float:
        """Share of the moments that are taken; 1 when the film is complete."""
        return self._taken / len(self._steps)

    def take(self) -> None:
        """Take the next moment; after the last one the exhibit is back where it was."""
        step = self._steps[self._taken]
        self._go(step)
        reply = self._moment() if self._taken else self._first()
        message = protocol.pack({"id": None, **reply.values, "python": self._exhibit.python()}, reply.arrays)
        self._content.append(self._gzip.compress(struct.pack("<I", len(message)) + message))
        self._taken += 1
        if self.share == 1:
            self.stop()

    def stop(self) -> None:
        """Go back to where the exhibit was."""
        self._go(self.shown)

    def html(self) -> bytes:
        """Return the file; the film is complete."""
        recording = base64.b64encode(b"".join([*self._content, self._gzip.flush()])).decode()
        name = _name_of(type(self._exhibit))
        page = Template((STATIC / "export.html").read_text("utf-8"))
        code = bundle(name, "replay.js")
        return page.substitute(name=name, step=self.shown, styles=styles(), recording=recording, code=code).encode()

    def _go(self, step: int) -> None:
        if self._exhibit.history and self._exhibit.history.step != step:
            self._exhibit.seek(step)


def _moments(last: int, shown: int) -> list[int]:
    """Return at most `N_FRAMES` + 1 steps from 0 to ``last``, ``shown`` among them."""
    return np.unique([*np.linspace(0, last, min(N_FRAMES, last + 1)).round(), shown]).astype(int).tolist()


def _name_of(exhibit_class: type[Exhibit]) -> str:
    place = f"{exhibit_class.__module__}:{exhibit_class.__qualname__}"
    return next(name for name, target in EXHIBITS.items() if target == place)


def export_html(name: str, path: str | os.PathLike, *, step: int = 0, **settings: Any) -> Path:
    """Write an exhibit as one HTML file that works offline.

    Parameters
    ----------
    name : str
        A key of `glassnet.registry.EXHIBITS`.
    path : path-like
        The file to write; one that is there is replaced.
    step : int
        Training steps to make first.
    **settings
        The exhibit's settings, by their names in the link or in Python.

    Returns
    -------
    Path

    Raises
    ------
    UnknownNameError
        If there is no such exhibit.
    InvalidInputError
        If a setting or the step is refused.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = export_html("playground", f"{folder}/gauss.html", step=20, dataset="gauss")
    ...     file.read_text("utf-8").startswith("<!doctype html>")
    True
    """
    from glassnet.lab.session import Session

    module_of(name)
    session = Session(resolve(EXHIBITS, "exhibit", name), _NO_LIMIT)

    def ask(do: str, **details: Any) -> dict[str, np.ndarray]:
        header, arrays = protocol.unpack(session.handle(json.dumps({"id": 0, "do": do, **details})))
        words = header.get("error") or " ".join(header.get("complaints", []))
        if words:
            raise InvalidInputError(f"{name}: {words}")
        return arrays

    ask("open", settings=settings)
    session.exhibit.finish()
    if step:
        ask("seek", step=step)
    return write_whole(Path(path), ask("export")["html"].tobytes())
