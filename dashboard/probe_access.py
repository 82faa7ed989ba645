"""Who may ask `/metrics`, `/livez` and `/readyz`: programs on this machine, or whoever brings the token for that.

A proxy on this machine makes every caller look local. So only requests that name the desk by a loopback name, and that
nobody has passed on, count as local; where the desk is told that it stands behind a proxy, none does.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from dashboard.locks.rule import host_name, is_passed_on
from dashboard.locks.rule import is_local as is_this_machine
from dashboard.sparing import Sparing
from services.settings import Settings

Handler = Callable[[Request], Awaitable[Response]]

_LONGEST_TOKEN = 512

log = logging.getLogger(__name__)


def guarded(answer: Handler, settings: Callable[[], Settings | None]) -> Handler:
    """`answer` for those who may ask; 401 for all others. `settings()` is `None` while they could not be read."""
    refusals = Sparing(log)

    async def answered(request: Request) -> Response:
        given = settings()
        if is_local(request, behind_proxy=given is not None and given.public_url is not None) or (
            given is not None and _has_token(request, given)
        ):
            return await answer(request)
        refusals.info("%s was refused to %s", request.url.path, request.client.host if request.client else "somebody")
        return JSONResponse(
            {"problem": "Ask from this machine, or with the token of DESK_METRICS_TOKEN."},
            401,
            {"WWW-Authenticate": 'Bearer realm="measures"', "Cache-Control": "no-store"},
        )

    return answered


def is_local(request: Request, *, behind_proxy: bool) -> bool:
    """Does a program on this machine ask, directly?"""
    if behind_proxy or request.client is None or is_passed_on(request.headers.keys()):
        return False
    return is_this_machine(request.client.host) and is_this_machine(host_name(request.headers.get("host")))


def _has_token(request: Request, settings: Settings) -> bool:
    wanted = settings.metrics_token
    scheme, _, brought = request.headers.get("authorization", "").partition(" ")
    if wanted is None or scheme.lower() != "bearer" or len(brought) > _LONGEST_TOKEN:
        return False
    return hmac.compare_digest(brought.strip().encode(), wanted.get_secret_value().encode())
