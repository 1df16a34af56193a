"""Starting and stopping the page host: its port, its address, Ctrl-C."""

from __future__ import annotations

import errno
import socket
import sys
import threading
import webbrowser
from collections.abc import Mapping
from contextlib import suppress

import uvicorn

from glassnet.errors import InvalidInputError
from glassnet.lab.access import Access
from glassnet.lab.limits import MAX_FILE, MAX_TEXT
from glassnet.lab.server import Lab
from glassnet.registry import EXHIBITS

# how many ports after the one asked for are tried
N_PORTS = 50
# the largest request, in bytes
MAX_MESSAGE = MAX_FILE + MAX_TEXT


def serve(host: str, port: int, open_browser: bool, exhibit: str = "") -> None:
    """Serve the lab until Ctrl-C; see `glassnet.lab.launch`."""
    with listen(host, port) as listener:
        access = Access.to(host)
        url = address(host, listener.getsockname()[1], access.token, exhibit)
        if listener.getsockname()[1] != port and port != 0:
            print(f"Port {port} is taken.", file=sys.stderr)
        print(f"glassnet lab: {url}   (Ctrl-C stops it)", flush=True)
        if open_browser:
            threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
        with suppress(KeyboardInterrupt):
            server(access).run(sockets=[listener])


def server(access: Access, exhibits: Mapping[str, str] = EXHIBITS) -> uvicorn.Server:
    """Return the web server: no compression, which costs more than the work, and few unread requests."""
    config = uvicorn.Config(
        Lab(access, exhibits).app(), ws_per_message_deflate=False, ws_max_size=MAX_MESSAGE, ws_max_queue=3,
        log_level="warning", timeout_graceful_shutdown=1,
    )  # fmt: skip
    return uvicorn.Server(config)


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket at the first free port from ``port`` on.

    Raises
    ------
    InvalidInputError
        If ``host`` is not an address of this machine, ``port`` is not a port, or all are taken.
    """
    if not 0 <= port <= 65535:
        raise InvalidInputError(f"A port is a number from 0 to 65535, got {port}.")
    last = min(port + N_PORTS, 65535)
    for candidate in range(port, last + 1):
        try:
            return _bound(host, candidate)
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES) or candidate == last:
                raise InvalidInputError(f"Cannot listen at {host}:{candidate}: {error.strerror or error}.") from None
    raise AssertionError("unreachable: the last candidate returns or raises")


def _bound(host: str, port: int) -> socket.socket:
    family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
    return socket.create_server((host, port), family=family, backlog=128)


def address(host: str, port: int, token: str | None, exhibit: str = "") -> str:
    """Return the address to open in a browser.

    Examples
    --------
    >>> address("127.0.0.1", 8765, None)
    'http://127.0.0.1:8765/'
    >>> address("127.0.0.1", 8765, None, "model")
    'http://127.0.0.1:8765/exhibits/model'
    >>> address("0.0.0.0", 8765, "secret").endswith(":8765/?token=secret")
    True
    """
    shown = host if host not in ("0.0.0.0", "::") else socket.gethostname()
    shown = f"[{shown}]" if ":" in shown else shown
    page = f"exhibits/{exhibit}" if exhibit else ""
    return f"http://{shown}:{port}/{page}" + (f"?token={token}" if token else "")
