"""The lab: exhibits that run glassnet's networks live, in the browser.

`launch` serves them on this machine. The rest of this package is for those who build
exhibits: `exhibit` is the contract, `session` runs one exhibit for one visitor,
`protocol` is what they say to each other.
"""

from __future__ import annotations

import os

__all__ = ["launch"]


def launch(host: str = "127.0.0.1", port: int = 8765, open_browser: bool = True) -> None:
    """Serve the lab until Ctrl-C.

    Parameters
    ----------
    host : str
        Address to listen at. Any but this machine's own asks visitors for a token.
    port : int in [0, 65535]
        Port to listen at; if it is taken, the next free one. 0 takes any.
    open_browser : bool
        Whether to open the page.

    Raises
    ------
    InvalidInputError
        If ``host`` is not an address of this machine, or no port is free.
    """
    # torch is loaded later, and reads these then: its threads would fight over tiny arrays
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    from glassnet.lab.launcher import serve

    serve(host, port, open_browser)
