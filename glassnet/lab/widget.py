"""The notebook host: an exhibit as an anywidget.

The page's modules go into the notebook as one (`glassnet.lab.bundle`), requests and replies
over the kernel's comm, arrays as binary buffers. The kernel has one thread for all cells,
so a request trains for at most 20 ms.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from glassnet.errors import InvalidInputError
from glassnet.files import write_whole
from glassnet.lab.bundle import bundle, module_of, styles
from glassnet.lab.exhibit import Exhibit
from glassnet.lab.protocol import pack_request, unpack
from glassnet.lab.session import Session
from glassnet.registry import EXHIBITS, resolve

BUDGET = 0.02  # seconds of training that a request may cost


class LabWidget(anywidget.AnyWidget):
    """An exhibit of the lab in a notebook.

    Parameters
    ----------
    name : str
        A key of `glassnet.registry.EXHIBITS`.
    step : int
        The step that the exhibit opens at.
    **settings
        The exhibit's settings, by their names in the link or in Python.

    Attributes
    ----------
    exhibit : Exhibit
        The living exhibit, such as ``widget.exhibit.network`` of the playground.
    settings : dict
        The settings that it has now.
    step : int
        The step that it shows.

    Raises
    ------
    UnknownNameError
        If there is no such exhibit.
    InvalidInputError
        If a setting is refused.

    Examples
    --------
    >>> widget = LabWidget("playground", dataset="gauss", step=100)
    >>> widget.exhibit.history.step, widget.settings["dataset"]
    (100, 'gauss')
    """

    _esm = traitlets.Unicode().tag(sync=True)
    styles = traitlets.Unicode().tag(sync=True)
    exhibit_name = traitlets.Unicode().tag(sync=True)
    settings = traitlets.Dict().tag(sync=True)
    step = traitlets.Int().tag(sync=True)

    def __init__(self, name: str, *, step: int = 0, **settings: Any):
        module_of(name)
        self._session = Session(resolve(EXHIBITS, "exhibit", name), BUDGET)
        super().__init__(_esm=bundle(name, "widget.js"), styles=styles(), exhibit_name=name)
        opened = self._ask("open", settings=settings)
        if opened["complaints"]:
            raise InvalidInputError(f"{name}: {' '.join(opened['complaints'])}")
        while self.step < step:
            self._ask("seek", step=step)
        self.on_msg(self._receive)

    @property
    def exhibit(self) -> Exhibit:
        """The living exhibit."""
        return self._session.exhibit

    def python(self) -> str:
        """Return the script that reproduces what is shown."""
        return self.exhibit.python()

    def export_html(self, path: str | os.PathLike) -> Path:
        """Write what is shown, and how it came about, as one HTML file; see `glassnet.lab.export_html`."""
        while True:
            _, arrays = unpack(self._session.handle(json.dumps({"id": 0, "do": "export"})))
            if "html" in arrays:
                return write_whole(Path(path), arrays["html"].tobytes())

    def _ask(self, do: str, **details: Any) -> dict[str, Any]:
        reply = self._session.handle(json.dumps({"id": 0, "do": do, **details}))
        header, _ = unpack(reply)
        if "error" in header:
            raise InvalidInputError(f"{self.exhibit_name}: {header['error']}")
        self._tell()
        return header

    def _receive(self, widget: LabWidget, content: dict[str, Any], buffers: list[Any]) -> None:
        """Answer one request of one view."""
        request = pack_request(content["message"], bytes(buffers[0])) if buffers else json.dumps(content["message"])
        reply = self._session.handle(request)
        self.send({"view": content["view"]}, [reply])
        self._tell()

    def _tell(self) -> None:
        """Keep the settings and the step where Python and a reopened notebook find them."""
        exhibit = self.exhibit
        self.settings = exhibit.settings.model_dump(mode="json", by_alias=True)
        self.step = exhibit.history.step if exhibit.history else 0
