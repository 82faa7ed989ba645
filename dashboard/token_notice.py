"""Where the broker posts a token that a person has allowed on the phone. It comes unsigned and from anywhere: it is
taken only while this desk has asked for one, and only if a profile call proves it. Nothing waits for it."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable

import anyio.to_thread
import orjson
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from dashboard.bodies import BodyRefused, read_body
from dashboard.locks.gate import NOTICE
from services.domain.errors import UpstoxError
from services.runtime import Runtime

MOST_BYTES = 16 * 1024
PER_MINUTE = 6
"""Each may cost the broker a profile call."""

log = logging.getLogger(__name__)


def notice_routes(
    runtime: Callable[[], Runtime],
    ready: Callable[[], bool],
    *,
    monotonic: Callable[[], float] = time.monotonic,
) -> list[BaseRoute]:
    """`POST /login/notice`. `ready()`: is the desk open?"""
    lately: deque[float] = deque(maxlen=PER_MINUTE)

    async def notice(request: Request) -> Response:
        if not ready() or not await anyio.to_thread.run_sync(runtime().login.awaits_notice):
            return PlainTextResponse("Nobody here asked for a token.", 403)
        if len(lately) == PER_MINUTE and lately[0] > monotonic() - 60:
            return PlainTextResponse("Too many at once.", 429, {"Retry-After": "60"})
        lately.append(monotonic())
        try:
            body = orjson.loads(await read_body(request, MOST_BYTES))
        except BodyRefused as error:
            return PlainTextResponse(str(error), error.status)
        except orjson.JSONDecodeError:
            return PlainTextResponse("This is no JSON.", 400)
        try:
            token = await anyio.to_thread.run_sync(runtime().login.accept_notice, body)
        except UpstoxError as error:
            log.warning("a token that was posted here was not taken: %s", type(error).__name__)
            return PlainTextResponse("This token is not taken.", 403)
        log.info("the token that was asked for on the phone has come, until %s", token.expires)
        return PlainTextResponse("Thank you.")

    return [Route(NOTICE, notice, methods=["POST"])]
