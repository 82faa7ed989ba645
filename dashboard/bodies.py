"""Bodies of requests to the desk's own routes: bounded in size and in time."""

from __future__ import annotations

import asyncio

from starlette.requests import ClientDisconnect, Request

BODY_SECONDS = 10.0


class BodyRefused(Exception):
    """The body cannot be had; `status` is the answer's."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


async def read_body(request: Request, most: int) -> bytes:
    """The whole body, at most `most` bytes of it. Raises `BodyRefused`."""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for piece in request.stream():
                body += piece
                if len(body) > most:
                    raise BodyRefused(413, "This is too large.")
    except TimeoutError:
        raise BodyRefused(408, "This did not come in time.") from None
    except ClientDisconnect:
        raise BodyRefused(400, "This did not come whole.") from None
    return bytes(body)
