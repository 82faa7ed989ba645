"""Calls an ASGI application as a web server would, without sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    text: str


def get(
    app: Any,
    url: str,
    *,
    method: str = "GET",
    client: str | None = "127.0.0.1",
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """The answer to `GET url`; `app` is any ASGI application. `client`: where it comes from."""
    parts = urlsplit(url)
    brought = {"host": "127.0.0.1:8501"} | {name.lower(): value for name, value in (headers or {}).items()}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": parts.path,
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in brought.items()],
        "client": None if client is None else (client, 50000),
        "server": ("127.0.0.1", 8501),
    }
    messages: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        messages.append(message)

    asyncio.run(app(scope, receive, send))
    headers = {name.decode().lower(): value.decode() for name, value in messages[0]["headers"]}
    body = b"".join(message.get("body", b"") for message in messages[1:])
    return Answer(messages[0]["status"], headers, body.decode())
