"""The lab: exhibits that run glassnet's networks live, in the browser.

`launch` serves them on this machine, `show` puts one into a notebook, `export_html` writes
one as a file. The rest of this package is for those who build
exhibits: `exhibit` is the contract, `session` runs one exhibit for one visitor,
`protocol` is what they say to each other.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from glassnet.lab.widget import LabWidget

__all__ = ["export_html", "launch", "show"]


def launch(host: str = "127.0.0.1", port: int = 8765, open_browser: bool = True, exhibit: str = "") -> None:
    """Serve the lab until Ctrl-C.

    Parameters
    ----------
    host : str
        Address to listen at. Any but this machine's own asks visitors for a token.
    port : int in [0, 65535]
        Port to listen at; if it is taken, the next free one. 0 takes any.
    open_browser : bool
        Whether to open the page.
    exhibit : str
        The exhibit to open; none opens the first page.

    Raises
    ------
    InvalidInputError
        If ``host`` is not an address of this machine, or no port is free.
    """
    # torch is loaded later, and reads these then: its threads would fight over tiny arrays
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    from glassnet.lab.launcher import serve

    serve(host, port, open_browser, exhibit)


def show(name: str, *, step: int = 0, **settings: Any) -> LabWidget:
    """Return an exhibit as a widget; as the last line of a notebook's cell it is shown.

    Parameters
    ----------
    name : str
        A key of `glassnet.registry.EXHIBITS`.
    step : int
        The step to open at.
    **settings
        The exhibit's settings, such as ``dataset="spiral"``.

    Returns
    -------
    LabWidget

    Raises
    ------
    InvalidInputError
        If a setting is refused, or anywidget is not installed.
    UnknownNameError
        If there is no such exhibit.

    Examples
    --------
    >>> show("playground", dataset="xor").settings["dataset"]
    'xor'
    """
    from glassnet.errors import InvalidInputError

    try:
        from glassnet.lab.widget import LabWidget
    except ModuleNotFoundError as error:
        raise InvalidInputError(f"A notebook needs {error.name}: pip install 'glassnet[notebook]'") from None
    return LabWidget(name, step=step, **settings)


def export_html(name: str, path: str | os.PathLike, *, step: int = 0, **settings: Any) -> Path:
    """Write an exhibit as one HTML file that works offline; see `glassnet.lab.export.export_html`."""
    from glassnet.lab.export import export_html as export

    return export(name, path, step=step, **settings)
