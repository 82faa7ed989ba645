"""Who may read the measures."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from dashboard.probe_access import guarded
from tests.support.asgi import get

TOKEN = "correct-horse-battery"
ELSEWHERE = {"client": "192.168.1.9", "headers": {"host": "desk.lan"}}


async def told(request: Request) -> Response:
    return PlainTextResponse("measures")


def asked(*, token: str | None = TOKEN, public_url: str | None = None, settings: bool = True, **request: Any) -> int:
    """The status of an answer."""
    given = SimpleNamespace(metrics_token=None if token is None else SecretStr(token), public_url=public_url)
    app = Starlette(routes=[Route("/metrics", guarded(told, lambda: given if settings else None))])
    return get(app, "/metrics", **request).status


@pytest.mark.parametrize("client", ["127.0.0.1", "127.8.8.8", "::1"])
@pytest.mark.parametrize("host", ["localhost:8501", "127.0.0.1:8501", "[::1]:8501"])
def test_a_program_on_this_machine_may_ask(client: str, host: str) -> None:
    assert asked(token=None, client=client, headers={"host": host}) == 200


def test_settings_that_cannot_be_read_do_not_hide_that_the_desk_lives() -> None:
    assert asked(settings=False) == 200
    assert asked(settings=False, **ELSEWHERE) == 401


@pytest.mark.parametrize(
    "request_",
    [
        ELSEWHERE,
        {"client": "192.168.1.9"},
        {"client": None},
        {"client": "not an address"},
        {"headers": {"host": "evil.example"}},  # a foreign name that was pointed at this machine
        {"headers": {"host": "[broken"}},
        {"headers": {"host": ""}},
        {"headers": {"x-forwarded-for": "127.0.0.1"}},
        {"headers": {"forwarded": "for=127.0.0.1"}},
        {"headers": {"via": "1.1 proxy"}},
        {"headers": {"cf-connecting-ip": "203.0.113.9"}},
        {"headers": {"x-forwarded-prefix": "/desk"}},
        {"public_url": "https://desk.example.com"},  # everybody comes through the proxy on this machine
    ],
)
def test_nobody_else_may_without_the_token(request_: dict[str, Any]) -> None:
    assert asked(**request_) == 401
    headers = {**request_.get("headers", {}), "authorization": f"Bearer {TOKEN}"}
    assert asked(**{**request_, "headers": headers}) == 200


@pytest.mark.parametrize(
    "brought",
    ["Bearer wrong", f"Basic {TOKEN}", "Bearer", f"Bearer {TOKEN}x", "Bearer " + "x" * 100_000, "Bearer \xff"],
)
def test_a_wrong_token_opens_nothing(brought: str) -> None:
    assert asked(client="192.168.1.9", headers={"host": "desk.lan", "authorization": brought}) == 401


def test_without_a_configured_token_none_is_right() -> None:
    for brought in ("Bearer ", "Bearer None", "Bearer"):
        assert asked(token=None, client="192.168.1.9", headers={"host": "desk.lan", "authorization": brought}) == 401
