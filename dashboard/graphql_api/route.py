"""`/graphql`: who may ask, how much, and in which form. The answer to a GET is the schema as text."""

from __future__ import annotations

import logging
from collections.abc import Callable
from math import ceil
from threading import Lock
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread
import orjson
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from dashboard.bodies import BodyRefused, read_body
from dashboard.door import Door, door_of
from dashboard.graphql_api.limits import AT_ONCE, LEAST_COST, MOST_BYTES, WAIT_SECONDS, Purses, Refused
from services.domain.actors import PERSONS
from services.domain.errors import UpstoxError
from services.runtime import Runtime

if TYPE_CHECKING:
    from dashboard.graphql_api.engine import Engine

PATH = "/graphql"
JSON = "application/json"
GRAPHQL_JSON = "application/graphql-response+json"
_MISSING = (
    "GraphQL is not installed with this desk: .venv/bin/python -m pip install strawberry-graphql, then start it anew"
)
_FORM = 'the body is JSON: {"query": "{ desk { now } }", "variables": {}, "operationName": null}'

log = logging.getLogger(__name__)


class Unwanted(Exception):
    """What was sent is no question, or may not be asked; `status` is the answer's."""

    def __init__(self, status: int, code: str, text: str, *, headers: dict[str, str] | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.code = code
        self.headers = headers or {}


class GraphQL:
    """The route. The library is imported when somebody asks first; nobody who does not ask pays for it."""

    def __init__(
        self, runtime: Callable[[], Runtime], ready: Callable[[], bool], *, purses: Purses | None = None
    ) -> None:
        self._runtime = runtime
        self._ready = ready
        self._purses = purses or Purses()
        self._making = Lock()
        self._engine: Engine | None = None
        self._threads: anyio.CapacityLimiter | None = None

    def routes(self) -> list[BaseRoute]:
        """All methods come here, so that whoever errs is told in words."""
        return [Route(PATH, self.answer, methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])]

    async def answer(self, request: Request) -> Response:
        """The answer to one request, whatever it is."""
        kind = GRAPHQL_JSON if GRAPHQL_JSON in request.headers.get("accept", "") else JSON
        try:
            return await self._serve(request, kind)
        except Unwanted as error:
            told = {"errors": [{"message": str(error), "extensions": {"code": error.code}}]}
            return _json(told, kind, error.status, error.headers)

    async def _serve(self, request: Request, kind: str) -> Response:
        name = _who(door_of(request.scope))
        if request.method not in ("GET", "HEAD", "POST"):
            raise Unwanted(
                405, "WrongMethod", "ask by POST; GET gives the schema", headers={"Allow": "GET, HEAD, POST"}
            )
        if not self._ready():
            raise Unwanted(503, "NotReady", "the desk is not ready yet", headers={"Retry-After": "5"})
        self._pay(name, LEAST_COST)
        if request.method != "POST":
            engine = await self._in_thread(self._engine_now)
            return PlainTextResponse(engine.text, headers={"Cache-Control": "no-cache"})
        question, operation, variables = await _read(request)

        def answer() -> tuple[dict[str, Any], int]:  # Any: JSON
            engine = self._engine_now()
            try:
                cost = engine.cost(question, operation, variables)
            except Refused as refused:
                told = [{**one, "extensions": {"code": refused.code}} for one in refused.errors]
                return {"errors": told}, 400
            self._pay(name, cost - LEAST_COST)
            told_all = engine.answer(question, operation, variables)
            return {**told_all, "extensions": {"cost": cost}}, 200

        found, status = await self._in_thread(answer)
        return _json(found, kind, status)

    async def _in_thread(self, call: Callable[[], Any]) -> Any:  # Any: whatever `call` returns
        """On one of the few threads that answer questions."""
        if self._threads is None:
            self._threads = anyio.CapacityLimiter(AT_ONCE)
        me = object()
        with anyio.move_on_after(WAIT_SECONDS) as waiting:
            await self._threads.acquire_on_behalf_of(me)
        if waiting.cancelled_caught:
            raise Unwanted(503, "Busy", "other questions are being answered; ask again", headers={"Retry-After": "1"})
        try:
            return await anyio.to_thread.run_sync(call)
        except UpstoxError as error:
            raise Unwanted(503, type(error).__name__, str(error)) from error
        finally:
            self._threads.release_on_behalf_of(me)

    def _engine_now(self) -> Engine:
        with self._making:
            if self._engine is None:
                try:
                    from dashboard.graphql_api.engine import Engine
                except ModuleNotFoundError as error:
                    if (error.name or "").partition(".")[0] not in ("strawberry", "graphql"):
                        raise
                    raise Unwanted(501, "NotInstalled", _MISSING) from None
                self._engine = Engine(self._runtime)
            return self._engine

    def _pay(self, name: str, points: float) -> None:
        wait = self._purses.take(name, points)
        if wait > 0:
            words = f"too many questions: {points:,.0f} points are not in your purse; ask again in {ceil(wait)} s"
            raise Unwanted(429, "TooManyQuestions", words, headers={"Retry-After": str(ceil(wait))})


def graphql_routes(runtime: Callable[[], Runtime], ready: Callable[[], bool]) -> list[BaseRoute]:
    """The route of a desk; `ready`: is it open?"""
    return GraphQL(runtime, ready).routes()


def _who(door: Door) -> str:
    """Whose purse it is. Every role may read."""
    if door.person is not None and door.person.role in PERSONS:
        return f"user {door.person.user}"
    if door.needed:
        raise Unwanted(401, "SignInFirst", "sign in first")
    return door.owner


async def _read(request: Request) -> tuple[str, str | None, dict[str, Any]]:  # Any: JSON values
    """Question, operation and variables. Raises `Unwanted`."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != JSON:
        raise Unwanted(415, "WrongForm", _FORM)
    try:
        body = orjson.loads(await read_body(request, MOST_BYTES))
    except BodyRefused as error:
        raise Unwanted(error.status, "BodyRefused", str(error)) from None
    except orjson.JSONDecodeError:
        raise Unwanted(400, "WrongForm", _FORM) from None
    if not isinstance(body, dict):
        raise Unwanted(400, "WrongForm", f"one question in a request: {_FORM}")
    question, variables, operation = body.get("query"), body.get("variables"), body.get("operationName")
    if not isinstance(question, str) or not isinstance(variables, dict | None):
        raise Unwanted(400, "WrongForm", _FORM)
    if operation is not None and not isinstance(operation, str):
        raise Unwanted(400, "WrongForm", _FORM)
    return question, operation or None, variables or {}


def _json(told: object, kind: str, status: int, headers: dict[str, str] | None = None) -> Response:
    given = {"Cache-Control": "no-store", **(headers or {})}
    return Response(orjson.dumps(told), status, given, media_type=kind)
