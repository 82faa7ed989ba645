"""Only under the desk's own names, and only from its own pages: whatever else asks is refused before anything is done.

Streamlit looks at names for its own websocket only, and for a foreign one it first asks a service on the network what
this machine's public address is, with the event loop waiting.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit import config

from dashboard.sparing import Sparing

log = logging.getLogger(__name__)
_HARMLESS = ("GET", "HEAD", "OPTIONS")


def configured_names() -> Collection[str]:
    """The names of `server.allowedHosts`."""
    names: list[str] = config.get_option("server.allowedHosts")
    return names


class OwnNamesOnly:
    """Refuses foreign `Host`s always (a foreign name may have been pointed at this machine), and foreign `Origin`s
    wherever a request can do something: websockets and every method that changes things."""

    def __init__(self, app: ASGIApp, names: Callable[[], Collection[str]] = configured_names) -> None:
        self._app = app
        self._names = names
        self._refusals = Sparing(log)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket") and not self._is_own(scope):
            peer = scope["client"][0] if scope.get("client") else "somebody"
            self._refusals.info("refused to %s: another site's page, or a name that is not the desk's", peer)
            if scope["type"] == "websocket":
                await receive()  # the request to open it
                await send({"type": "websocket.close", "code": 1008})
            else:
                refusal = PlainTextResponse("This desk answers its own pages only.", status_code=403)
                await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_own(self, scope: Scope) -> bool:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if _name(f"//{host}") not in self._names():
            return False
        origin = headers.get("origin")
        if origin is None or scope.get("method") in _HARMLESS:
            return True
        return origin.partition("://")[2].lower() == host.lower()  # an origin is a scheme and a place, nothing else


def _name(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:  # not an address at all
        return None
