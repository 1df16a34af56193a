"""Who may come in: this machine only, or whoever holds the token.

A page of another site must not reach the lab through the visitor's browser. So the
address in ``Host`` must be one of this machine's (which defeats DNS rebinding), and the
page a request says it comes from (``Origin``) must be the lab's own. Beyond loopback the
address cannot be known, and a token is asked for instead.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import SimpleCookie
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

LOOPBACK = ("127.0.0.1", "localhost", "::1")
COOKIE = "glassnet_token"

# a page may load from and speak to this server only, and run no inline script
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}


@dataclass(frozen=True)
class Access:
    """The rule that every request must pass.

    Parameters
    ----------
    token : str or None
        What a visitor must bring, as ``?token=`` or in the cookie that it sets; None
        where only this machine can connect.

    Examples
    --------
    >>> Access.to("127.0.0.1").refusal({"host": "evil.example:8765"}, "")
    "This lab is at 127.0.0.1, localhost or ::1, not at 'evil.example:8765'."
    >>> Access.to("127.0.0.1").refusal({"host": "localhost:8765"}, "") is None
    True
    """

    token: str | None = None

    @classmethod
    def to(cls, host: str) -> Access:
        """Return the rule for a server bound to ``host``: a new token unless it is loopback."""
        return cls(None if host in LOOPBACK else secrets.token_urlsafe(24))

    def refusal(self, headers: Mapping[str, str], query: str) -> str | None:
        """Return why a request is refused, or None.

        Parameters
        ----------
        headers : mapping of str to str
            With lower-case names.
        query : str
            The query string of its address.
        """
        host, origin = headers.get("host", ""), headers.get("origin")
        if self.token is None and urlsplit(f"//{host}").hostname not in LOOPBACK:
            return f"This lab is at 127.0.0.1, localhost or ::1, not at {host!r}."
        if origin is not None and urlsplit(origin).netloc != host:
            return f"A page of {origin!r} may not speak to the lab at {host!r}."
        if self.token is not None and not self._has_token(headers, query):
            return "This lab asks for its token: open the address that it printed, with ?token=..."
        return None

    def _has_token(self, headers: Mapping[str, str], query: str) -> bool:
        brought = [*parse_qs(query).get("token", []), *_cookie(headers)]
        return any(secrets.compare_digest(got.encode(), str(self.token).encode()) for got in brought)

    def middleware(self, app: ASGIApp) -> ASGIApp:
        """Wrap an application so that refused requests get a 403 and never reach it."""

        async def guard(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] not in ("http", "websocket"):
                return await app(scope, receive, send)
            headers, query = Headers(scope=scope), scope["query_string"].decode("latin-1")
            refusal = self.refusal(headers, query)
            if refusal is None:
                return await app(scope, receive, self._sending(send, query))
            response = PlainTextResponse(refusal, status_code=403, headers=HEADERS)
            if scope["type"] == "websocket":
                return await WebSocket(scope, receive, send).send_denial_response(response)
            return await response(scope, receive, send)

        return guard

    def _sending(self, send: Send, query: str) -> Send:
        """Add the security headers to a response, and the cookie when the token came in the address."""

        async def sender(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                if self.token is not None and "token" in parse_qs(query):
                    headers.append("Set-Cookie", f"{COOKIE}={self.token}; HttpOnly; SameSite=Strict; Path=/")
            await send(message)

        return sender


def _cookie(headers: Mapping[str, str]) -> list[str]:
    cookies = SimpleCookie(headers.get("cookie", ""))
    return [cookies[COOKIE].value] if COOKIE in cookies else []
