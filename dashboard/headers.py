"""Security headers on every answer of the page server, as a plain ASGI layer."""

from __future__ import annotations

import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",  # not DENY: one small part of a page is a frame of its own
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
TRANSPORT = "max-age=31536000"
"""Over TLS: a browser that was here comes by TLS alone, for a year."""

_POLICY = (
    "default-src 'self'; "
    # Streamlit's bundle makes functions of text, and gives the scripts of components to the browser as blobs.
    "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; media-src 'self' blob:; "
    "worker-src 'self' blob:; connect-src 'self'{sockets}; form-action 'self'; "
    "frame-ancestors 'self'; base-uri 'self'; object-src 'none'"
)
"""Nothing is loaded from anywhere else and nothing is sent anywhere else, whatever gets into a page."""
_HOST = re.compile(r"[A-Za-z0-9.\[\]:-]{1,260}")


def policy(host: str) -> str:
    """The content policy for a desk that the browser calls `host`. Websockets are named: not every browser counts them
    as its own."""
    return _POLICY.format(sockets=f" ws://{host} wss://{host}" if _HOST.fullmatch(host) else "")


class SecurityHeaders:
    """Adds `HEADERS` and the policy where the answer does not set them itself; websockets pass through."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = {**HEADERS, "Content-Security-Policy": policy(Headers(scope=scope).get("host", ""))}
        if scope["scheme"] == "https":
            given["Strict-Transport-Security"] = TRANSPORT

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in given.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)
