"""Faults on request, so that a client can be tried against everything that goes wrong in real life.

Opened by `--faults` alone. A fault is meant for an operation of the route table (and, if wanted, one version of it) and
is used up after `times` requests.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.domain.errors import InvalidRequest
from services.paper.envelope import ERRORS, failure, refusal, send_bytes

HOLD_SECONDS = 120.0
"""The longest that an unanswered request is kept: any client has given up by then."""

_BLOCK_PAGE = b"""<!DOCTYPE html>
<html lang="en-US"><head><title>Access denied | api.upstox.com used Cloudflare to restrict access</title></head>
<body><h1>Error 1010</h1><p>The owner of this website has banned your access based on your browser's signature.</p>
</body></html>
"""
_GARBAGE = b'{"status":"success","data":{"\xff\xfe<<<not json'
_CODE_OF_STATUS = {401: "UDAPI100050", 404: "UDAPI100060", 429: "UDAPI10005"}


class FaultKind(StrEnum):
    """What goes wrong."""

    STATUS = "status"
    """An error envelope with this HTTP status and code, before anything is done."""
    NO_ANSWER_BEFORE = "no_answer_before"
    """Nothing is done and nothing is answered."""
    NO_ANSWER_AFTER = "no_answer_after"
    """It is done, and nothing is answered."""
    SLOW = "slow"
    """Done and answered after `ms`, whether or not the client still waits."""
    GARBAGE = "garbage"
    """Done; the answer is not JSON, with status 200."""
    TRUNCATED = "truncated"
    """Done; the connection ends in the middle of the answer."""
    HTML_403 = "html_403"
    """The edge refuses with an HTML page."""
    DROP = "drop"
    """The connection is cut without a byte, before anything is done."""
    STATUS_AFTER = "status_after"
    """It is done, and answered with an error envelope all the same."""
    DROP_AFTER = "drop_after"
    """It is done; then the connection is cut without a byte."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault that waits for its requests. `times=None`: until it is cleared."""

    operation: str
    kind: FaultKind
    times: int | None = 1
    version: str | None = None
    status: int = 500
    code: str = ""
    message: str = ""
    ms: int = 0

    def told(self) -> dict[str, object]:
        """As JSON."""
        return {
            "operation": self.operation,
            "kind": self.kind.value,
            "times": self.times,
            "version": self.version,
            "status": self.status,
            "code": self.code,
            "message": self.message,
            "ms": self.ms,
        }


class Faults:
    """The waiting faults, used in the order in which they came. Used by the server's thread alone."""

    def __init__(self, operations: Iterable[str]) -> None:
        self._operations = frozenset(operations)
        self._waiting: list[tuple[Fault, int | None]] = []

    def add(self, wanted: dict[str, object]) -> Fault:
        """Check and keep a fault given as JSON. InvalidRequest names what is wrong."""
        fault = _read(wanted)
        if fault.operation != "*" and fault.operation not in self._operations:
            raise InvalidRequest(f"operation: unknown; one of *, {', '.join(sorted(self._operations))}")
        self._waiting.append((fault, fault.times))
        return fault

    def waiting(self) -> list[dict[str, object]]:
        return [{**fault.told(), "times": left} for fault, left in self._waiting]

    def clear(self) -> None:
        self._waiting.clear()

    def take(self, operation: str, version: str) -> Fault | None:
        """The fault that this request meets; it counts as used once."""
        for place, (fault, left) in enumerate(self._waiting):
            if fault.operation in {operation, "*"} and fault.version in {None, version}:
                if left == 1:
                    del self._waiting[place]
                elif left is not None:
                    self._waiting[place] = (fault, left - 1)
                return fault
        return None


def _read(wanted: dict[str, object]) -> Fault:
    unknown = wanted.keys() - {"operation", "kind", "times", "version", "status", "code", "message", "ms"}
    if unknown:
        raise InvalidRequest(f"{', '.join(sorted(unknown))}: unknown member")
    operation, kind, version = wanted.get("operation"), wanted.get("kind"), wanted.get("version")
    if not isinstance(operation, str):
        raise InvalidRequest("operation: the name of an operation of the route table, or *")
    if not isinstance(kind, str) or kind not in set(FaultKind):
        raise InvalidRequest(f"kind: one of {', '.join(FaultKind)}")
    if version is not None and version not in {"v2", "v3", "guide", "assets"}:
        raise InvalidRequest("version: v2, v3, guide or assets")
    times = None if "times" in wanted and wanted["times"] is None else _whole(wanted, "times", 1, 1, 1_000_000)
    status = _whole(wanted, "status", 500, 400, 599)
    code = wanted.get("code", _CODE_OF_STATUS.get(status, "UDAPI100500"))
    message = wanted.get("message", "")
    if not isinstance(code, str) or not isinstance(message, str):
        raise InvalidRequest("code, message: texts")
    if not message:
        message = ERRORS.get(code, (0, "Something went wrong... please contact us"))[1]
    ms = _whole(wanted, "ms", 0, 0, int(HOLD_SECONDS * 1000))
    return Fault(operation, FaultKind(kind), times, str(version) if version else None, status, code, message, ms)


def _whole(wanted: dict[str, object], name: str, default: int, least: int, most: int) -> int:
    value = wanted.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise InvalidRequest(f"{name}: a whole number between {least} and {most}")
    return value


class Faulty:
    """Middleware around one route: meets the waiting faults, else passes the request on."""

    def __init__(self, app: ASGIApp, *, operation: str, version: str, faults: Faults, stopping: asyncio.Event) -> None:
        self._app = app
        self._operation = operation
        self._version = version
        self._faults = faults
        self._stopping = stopping

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kept = await _kept(receive)  # whole: a fault that was met is one whose request has come, whoever is gone then
        fault = self._faults.take(self._operation, self._version)
        match fault.kind if fault is not None else None:
            case FaultKind.SLOW:
                assert fault is not None
                await _wait(self._stopping, fault.ms / 1000)
                await self._app(scope, kept, send)
            case FaultKind.STATUS | FaultKind.STATUS_AFTER:
                assert fault is not None
                if fault.kind is FaultKind.STATUS_AFTER:
                    await self._app(scope, kept, _swallow)
                request = Request(scope, receive)
                refused = refusal("UDAPI100500", status=fault.status, message=fault.message)
                refused.code = fault.code
                await failure(request, refused)(scope, receive, send)
            case FaultKind.HTML_403:
                page = send_bytes(Request(scope, receive), _BLOCK_PAGE, status=403, media="text/html; charset=UTF-8")
                await page(scope, receive, send)
            case FaultKind.NO_ANSWER_BEFORE:
                await self._hold(scope, receive)
            case FaultKind.NO_ANSWER_AFTER:
                await self._app(scope, kept, _swallow)
                await self._hold(scope, receive)
            case FaultKind.DROP | FaultKind.DROP_AFTER:
                if fault is not None and fault.kind is FaultKind.DROP_AFTER:
                    await self._app(scope, kept, _swallow)
                await _cut(scope, receive, at_once=True)
            case FaultKind.GARBAGE:
                await self._app(scope, kept, _swallow)
                await send_bytes(Request(scope, receive), _GARBAGE, media="application/json")(scope, receive, send)
            case FaultKind.TRUNCATED:
                await self._truncate(scope, kept, send)
            case None:
                await self._app(scope, kept, send)

    async def _hold(self, scope: Scope, receive: Receive) -> None:
        """Leave the client waiting until it gives up or the server stops."""
        gone = asyncio.ensure_future(_client_gone(receive))
        stopping = asyncio.ensure_future(self._stopping.wait())
        await asyncio.wait({gone, stopping}, timeout=HOLD_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not gone.done():
            gone.cancel()
            await _cut(scope, receive, at_once=True)

    async def _truncate(self, scope: Scope, receive: Receive, send: Send) -> None:
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await self._app(scope, receive, keep)
        body = b"".join(message.get("body", b"") for message in messages)
        await send(messages[0])
        await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
        await _cut(scope, receive, at_once=False)


async def _wait(stopping: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stopping.wait()


async def _kept(receive: Receive) -> Receive:
    """The request as it came, to be received later: once its client is gone, the server hands out no more of it."""
    messages: list[Message] = []
    while True:
        messages.append(message := await receive())
        if message["type"] != "http.request" or not message.get("more_body", False):
            break

    async def again() -> Message:
        return messages.pop(0) if messages else await receive()

    return again


async def _swallow(message: Message) -> None:
    """Take an answer that nobody will get."""


async def _client_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _cut(scope: Scope, receive: Receive, *, at_once: bool) -> None:
    """Close the TCP connection under the answer: `at_once` throws away what is not sent yet."""
    transport: asyncio.Transport = scope["state"]["transport"]
    if at_once:
        transport.abort()
    else:
        transport.close()
    await _client_gone(receive)  # uvicorn reports an error if we return before it noticed
