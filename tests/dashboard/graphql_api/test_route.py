"""The route by itself: purses, a desk that is not open, a library that is not there."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from threading import Event
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from dashboard.door import DOOR, Door
from dashboard.graphql_api import route as module
from dashboard.graphql_api.limits import AT_ONCE, LEAST_COST, PURSE, Purses, Refused
from dashboard.graphql_api.route import GraphQL
from tests.support.clocks import FakeMonotonic
from tests.support.doors import ask, scope_of
from tests.support.graphql import HEADERS, question, refusals, send
from tests.support.shared_data import ROOT


class AtTheDoor:
    """Instead of the gate."""

    def __init__(self, app: ASGIApp, door: Door | None, graphql: GraphQL) -> None:
        self._app = app
        self._door = door
        self.graphql = graphql

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app({**scope, **({DOOR: self._door} if self._door else {})}, receive, send)


HERE = Door(False, None)


def served(*, door: Door | None = HERE, ready: bool = True, purses: Purses | None = None) -> Any:
    runtime: Any = SimpleNamespace()
    made = GraphQL(lambda: runtime, lambda: ready, purses=purses)
    return AtTheDoor(Starlette(routes=made.routes()), door, made)


def test_without_the_extra_the_address_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] in ("strawberry", "graphql")]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(sys.modules, "dashboard.graphql_api.engine", raising=False)
    monkeypatch.setitem(sys.modules, "strawberry", None)

    status, found = question(served(), "{ desk { now } }")

    assert (status, refusals(found)) == (501, [("NotInstalled", [])])
    assert "pip install strawberry-graphql" in found["errors"][0]["message"]


def test_nothing_of_the_library_is_imported_before_somebody_asks() -> None:
    code = "import sys, dashboard.graphql_api.route; sys.exit(bool({'strawberry', 'graphql'} & set(sys.modules)))"

    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=60).returncode == 0


def test_without_a_gate_nobody_is_let_in() -> None:
    assert send(served(door=None), {"query": "{ desk { now } }"}).status == 401
    assert send(served(door=Door(True, None)), {"query": "{ desk { now } }"}).status == 401


def test_a_desk_that_is_not_open_asks_for_patience() -> None:
    answer = send(served(ready=False), {"query": "{ desk { now } }"})

    assert (answer.status, answer.headers["retry-after"]) == (503, "5")


def test_an_empty_purse_is_told_with_the_time_until_there_is_something_in_it() -> None:
    monotonic = FakeMonotonic()
    app = served(purses=Purses(full=35, a_second=2, monotonic=monotonic))
    asked = {"query": "{ nonsense }"}

    statuses = [send(app, asked).status for _ in range(3)]
    poor = send(app, asked)
    monotonic.now += 2.5

    assert statuses == [400, 400, 400]
    assert (poor.status, poor.headers["retry-after"]) == (429, "3")
    assert orjson.loads(poor.text)["errors"][0]["extensions"]["code"] == "TooManyQuestions"
    assert send(app, asked).status == 400, "there is enough again"


def test_a_question_that_the_purse_does_not_hold_takes_nothing_but_the_least() -> None:
    purses = Purses(full=1_000, monotonic=FakeMonotonic())
    app = served(purses=purses)

    status, found = question(app, '{ candles(key: "NSE_EQ|INE002A01018") { source } }')

    assert (status, refusals(found)) == (429, [("TooManyQuestions", [])])
    assert purses.take("local", 1_000 - LEAST_COST) == 0


def test_purses_are_of_persons_and_never_fuller_than_full() -> None:
    monotonic = FakeMonotonic()
    purses = Purses(monotonic=monotonic)
    assert purses.take("asha", PURSE) == 0
    assert purses.take("asha", 500) == pytest.approx(1.0)
    assert purses.take("vina", PURSE) == 0
    monotonic.now += 10_000

    assert purses.take("asha", PURSE + 500) == pytest.approx(1.0)
    for number in range(2_000):
        assert purses.take(f"somebody {number}", 1) == 0


def test_who_asks_for_the_answers_own_form_gets_it() -> None:
    kind = "application/graphql-response+json"

    assert send(served(), {"query": "{ x }"}, headers={"accept": kind}).headers["content-type"] == kind
    assert send(served(), {"query": "{ x }"}).headers["content-type"] == "application/json"
    assert ask(served(), "/graphql").headers["content-type"].startswith("text/plain")


def test_several_at_once_are_answered_and_who_waits_too_long_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    going_on = Event()
    app = served()
    assert send(app, {"query": "{ x }"}).status == 400

    def slow(*given: Any) -> int:
        going_on.wait(30)
        raise Refused("InvalidQuery", [{"message": "at last"}])

    monkeypatch.setattr("dashboard.graphql_api.engine.Engine.cost", slow)
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.01)
    body = orjson.dumps({"query": "{ x }"})

    async def statuses() -> tuple[list[int], int]:
        busy = [asyncio.create_task(status_of(app, "POST", body)) for _ in range(AT_ONCE)]
        while app_threads(app).borrowed_tokens < AT_ONCE:
            await asyncio.sleep(0.01)
        refused = await status_of(app, "GET", b"")
        going_on.set()
        return [await one for one in busy], refused

    assert asyncio.run(statuses()) == ([400] * AT_ONCE, 503)
    monkeypatch.undo()

    async def many() -> list[int]:
        return await asyncio.gather(*(status_of(app, "GET", b"") for _ in range(12)))

    assert asyncio.run(many()) == [200] * 12


def app_threads(app: Any) -> Any:
    """The limiter of the route behind the door."""
    return app.graphql._threads


async def status_of(app: Any, method: str, body: bytes) -> int:
    """Of one request, in a loop that others run in too."""
    told: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send_back(message: Any) -> None:
        if message["type"] == "http.response.start":
            told.append(message["status"])

    await app(scope_of("/graphql", method=method, headers=HEADERS), receive, send_back)
    return told[0]
