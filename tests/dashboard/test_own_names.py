from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from dashboard.own_names import OwnNamesOnly


async def desk(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
    else:
        await PlainTextResponse("a page")(scope, receive, send)


def answer(kind: str = "http", method: str = "GET", **headers: str) -> int | str:
    """The HTTP status, or what becomes of the websocket."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"} if kind == "websocket" else {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope: dict[str, Any] = {"type": kind, "path": "/", "headers": raw}
    if kind == "http":
        scope["method"] = method
    asyncio.run(OwnNamesOnly(desk, lambda: ("localhost", "127.0.0.1", "::1"))(scope, receive, send))
    status: int | str = sent[0].get("status") or str(sent[0]["type"])
    return status


@pytest.mark.parametrize("host", ["localhost:8501", "127.0.0.1:8501", "LOCALHOST", "[::1]:8501"])
def test_pages_are_served_under_the_names_of_this_machine(host: str) -> None:
    assert answer(host=host) == 200
    assert answer("websocket", host=host, origin=f"http://{host}") == "websocket.accept"


@pytest.mark.parametrize("host", ["desk.example:8501", "localhost.example", "", "[", "127.0.0.1.example:8501"])
def test_a_foreign_name_that_was_pointed_at_this_machine_gets_nothing(host: str) -> None:
    assert answer(host=host) == 403
    assert answer("websocket", host=host, origin=f"http://{host}") == "websocket.close"


@pytest.mark.parametrize("origin", ["http://evil.example", "http://localhost:3000", "null", ""])
def test_a_foreign_page_can_neither_open_a_session_nor_send_a_form(origin: str) -> None:
    assert answer("websocket", host="localhost:8501", origin=origin) == "websocket.close"
    assert answer(method="POST", host="localhost:8501", origin=origin) == 403


def test_a_link_from_a_foreign_page_may_be_followed() -> None:
    """The broker's login page sends the browser back to the desk."""
    assert answer(host="localhost:8501", origin="https://api.upstox.com") == 200


def test_a_program_on_this_machine_needs_no_origin() -> None:
    assert answer("websocket", host="127.0.0.1:8501") == "websocket.accept"
