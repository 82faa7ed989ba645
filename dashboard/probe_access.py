"""Who may ask `/metrics`, `/livez` and `/readyz`: programs on this machine, or whoever brings the token for that.

A proxy on this machine makes every caller look local. So only requests that name the desk by a loopback name, and that
nobody has passed on, count as local; where the desk is told that it stands behind a proxy, none does.
"""

from __future__ import annotations

import hmac
import ipaddress
import logging
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from services.settings import Settings

Handler = Callable[[Request], Awaitable[Response]]

_PASSED_ON = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via")
_LONGEST_TOKEN = 512

log = logging.getLogger(__name__)


def guarded(answer: Handler, settings: Callable[[], Settings | None]) -> Handler:
    """`answer` for those who may ask; 401 for all others. `settings()` is `None` while they could not be read."""

    async def answered(request: Request) -> Response:
        given = settings()
        if is_local(request, behind_proxy=given is not None and given.public_url is not None) or (
            given is not None and _has_token(request, given)
        ):
            return await answer(request)
        log.warning("%s was refused to %s", request.url.path, request.client.host if request.client else "somebody")
        return JSONResponse(
            {"problem": "Ask from this machine, or with the token of DESK_METRICS_TOKEN."},
            401,
            {"WWW-Authenticate": 'Bearer realm="measures"', "Cache-Control": "no-store"},
        )

    return answered


def is_local(request: Request, *, behind_proxy: bool) -> bool:
    """Does a program on this machine ask, directly?"""
    if behind_proxy or request.client is None or any(name in request.headers for name in _PASSED_ON):
        return False
    return _is_loopback(request.client.host) and _is_loopback(_name_in(request.headers.get("host", "")))


def _has_token(request: Request, settings: Settings) -> bool:
    wanted = settings.metrics_token
    scheme, _, brought = request.headers.get("authorization", "").partition(" ")
    if wanted is None or scheme.lower() != "bearer" or len(brought) > _LONGEST_TOKEN:
        return False
    return hmac.compare_digest(brought.strip().encode(), wanted.get_secret_value().encode())


def _name_in(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _is_loopback(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
