"""The page host: serves the pages, and one WebSocket for every open exhibit.

Nothing here imports torch: the first page is up before torch is, which is loaded in the
background once a page has been sent. A page can only be read from this server, and its
Content-Security-Policy forbids it to speak to any other.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket, WebSocketDisconnect
from threadpoolctl import threadpool_limits

from glassnet.errors import UnknownNameError
from glassnet.history import HISTORY
from glassnet.lab.access import Access
from glassnet.lab.bundle import module_of
from glassnet.registry import EXHIBITS, resolve

if TYPE_CHECKING:
    from glassnet.lab.session import Session

_HERE = Path(__file__).parent
_WARM_UP = ("glassnet.networks.mlp", "glassnet.inspect.history", "glassnet.lab.exhibits.playground")
CANNOT_BE_SHOWN = 4000  # the code with which a socket is closed for good
_log = logging.getLogger(__name__)


class Lab:
    """The web application's state and its routes.

    Parameters
    ----------
    access : Access
        Who may come in.
    exhibits : mapping of str to str
        Name of each exhibit and where its class is, as in `glassnet.registry.EXHIBITS`.
    """

    def __init__(self, access: Access, exhibits: Mapping[str, str] = EXHIBITS):
        self._access, self._exhibits = access, exhibits
        self._is_warm = False
        # one thread makes all heavy imports: two at a time wait for each other's locks
        self._importer = ThreadPoolExecutor(1, "import")
        self._workers: dict[int, ThreadPoolExecutor] = {}

    def app(self) -> Starlette:
        """Return the ASGI application."""
        routes = [
            Route("/", self._index),
            Route("/exhibits/{name}.js", self._module),
            Route("/exhibits/{name}", self._page),
            WebSocketRoute("/exhibits/{name}/ws", self._socket),
            Mount("/static", StaticFiles(directory=_HERE / "static")),
        ]
        app = Starlette(routes=routes, lifespan=self._lifespan)
        app.add_middleware(self._access.middleware)
        return app

    @asynccontextmanager
    async def _lifespan(self, app: Starlette):
        yield
        for pool in (self._importer, *self._workers.values()):
            pool.shutdown(wait=False, cancel_futures=True)

    # pages

    async def _index(self, request: Request) -> Response:
        return self._html("index.html", history=_history(self._exhibits))

    async def _page(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in self._exhibits:
            return self._unknown(name)
        return self._html("exhibit.html", name=name)

    async def _module(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in self._exhibits:
            return self._unknown(name)
        return FileResponse(module_of(name), media_type="text/javascript")

    def _unknown(self, name: str) -> Response:
        return PlainTextResponse(str(UnknownNameError("exhibit", name, self._exhibits)), status_code=404)

    def _html(self, file: str, **values: str) -> Response:
        page = Template((_HERE / "static" / file).read_text("utf-8")).substitute(values)
        return HTMLResponse(page, background=BackgroundTask(self._load_torch))

    async def _load_torch(self) -> None:
        """Import what the exhibits stand on, once, after the first page has gone out."""
        if not self._is_warm:
            self._is_warm = True
            await asyncio.sleep(0.3)
            self._importer.submit(_warm_up)  # not awaited, so that Ctrl-C has nothing to cut short

    # exhibits

    async def _socket(self, socket: WebSocket) -> None:
        """Show one exhibit to one visitor, until either leaves."""
        name = socket.path_params["name"]
        if name not in self._exhibits:
            return await socket.send_denial_response(self._unknown(name))
        await socket.accept()
        loop = asyncio.get_running_loop()
        try:
            session = await loop.run_in_executor(self._importer, _new_session, self._exhibits, name)
            await self._answer(socket, session)
        except WebSocketDisconnect:
            return
        except Exception as error:  # an exhibit that cannot be loaded says so on its page
            _log.exception("The exhibit %r cannot be shown", name)
            await socket.send_bytes(_failure(error))
            await socket.close(CANNOT_BE_SHOWN)

    async def _answer(self, socket: WebSocket, session: Session) -> None:
        """Answer one visitor's requests in their order, each before the next is read."""
        loop, pool = asyncio.get_running_loop(), self._pool(session.parallel)
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            text = message.get("text") or message.get("bytes") or b""
            await socket.send_bytes(await loop.run_in_executor(pool, session.handle, text))

    def _pool(self, n_threads: int) -> ThreadPoolExecutor:
        if n_threads not in self._workers:
            self._workers[n_threads] = ThreadPoolExecutor(n_threads, "exhibit", initializer=_one_thread)
        return self._workers[n_threads]


def _history(exhibits: Mapping[str, str]) -> str:
    """Return the history and the exhibits there are as JSON that may stand in a page."""
    content = {"moments": [asdict(moment) for moment in HISTORY], "exhibits": list(exhibits)}
    return json.dumps(content).replace("<", "\\u003c")


def _warm_up() -> None:
    """Import what most exhibits need."""
    for module in _WARM_UP:
        import_module(module)


def _new_session(exhibits: Mapping[str, str], name: str) -> Session:
    """Import what an exhibit needs, which is more than the first page does, and return a new session."""
    from glassnet.lab.session import Session

    _warm_up()
    return Session(resolve(exhibits, "exhibit", name))


def _failure(error: Exception) -> bytes:
    from glassnet.lab.protocol import pack

    return pack({"id": None, "error": f"{type(error).__name__}: {error}"}, {})


def _one_thread() -> None:
    """Keep matrix products in this worker from starting threads: on tiny arrays they cost ten times the work."""
    threadpool_limits(1)
