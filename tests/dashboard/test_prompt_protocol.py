"""Who opens a connection says soon what they want. The time is the test's own: nothing waits."""

from __future__ import annotations

import logging
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from dashboard.prompt_protocol import HEAD_SECONDS, FewOfAKind, PromptProtocol
from tests.support.clocks import FakeMonotonic

HEAD = b"GET / HTTP/1.1\r\nHost: desk\r\n"


class Timer:
    def __init__(self, call: Callable[[], None], seconds: float) -> None:
        self.call: Callable[[], None] | None = call
        self.seconds = seconds

    def cancel(self) -> None:
        self.call = None


class Loop:
    """As much of an event loop as a connection asks for; a task that is made never begins."""

    def __init__(self) -> None:
        self.timers: list[Timer] = []

    def call_later(self, seconds: float, call: Callable[[], None]) -> Timer:
        self.timers.append(Timer(call, seconds))
        return self.timers[-1]

    def create_task(self, coroutine: Any, **_: Any) -> Any:
        coroutine.close()
        return type("Task", (), {"add_done_callback": lambda *_: None})()

    @property
    def waiting(self) -> list[Timer]:
        return [one for one in self.timers if one.call is not None and one.seconds == HEAD_SECONDS]

    def time_is_over(self) -> None:
        for one in self.waiting:
            call, one.call = one.call, None
            if call is not None:
                call()


class Line:
    """The transport."""

    closed = cut = False

    def is_closing(self) -> bool:
        return self.closed

    def abort(self) -> None:
        self.closed = self.cut = True

    def close(self) -> None:
        self.closed = True

    def get_extra_info(self, name: str, default: object = None) -> object:
        return default

    def write(self, _data: bytes) -> None: ...
    def resume_reading(self) -> None: ...
    def pause_reading(self) -> None: ...


async def page(scope: Any, receive: Any, send: Any) -> None: ...


@pytest.fixture
def opened() -> tuple[PromptProtocol, Loop, Line]:
    config = Config(page, log_config=None)
    config.load()
    loop, line = Loop(), Line()
    made = PromptProtocol(config=config, server_state=ServerState(), app_state={}, _loop=loop)
    made.connection_made(line)
    return made, loop, line


@pytest.mark.parametrize("pieces", [[], [b"G"], [HEAD], [HEAD, b"X-A: 1\r\n", b"X-B: 2\r\n"]])
def test_who_does_not_say_what_they_want_is_let_go(
    opened: tuple[PromptProtocol, Loop, Line], pieces: list[bytes]
) -> None:
    connection, loop, line = opened
    for piece in pieces:
        connection.data_received(piece)
    assert len(loop.timers) == 1, "what comes in pieces does not begin the count anew"

    loop.time_is_over()

    assert line.cut


def test_an_answer_may_take_its_time(opened: tuple[PromptProtocol, Loop, Line]) -> None:
    connection, loop, line = opened
    connection.data_received(HEAD + b"\r\n")

    assert loop.waiting == []
    loop.time_is_over()
    assert not line.closed


def test_a_next_request_is_counted_anew_and_so_is_a_body_that_nobody_reads(
    opened: tuple[PromptProtocol, Loop, Line],
) -> None:
    connection, loop, line = opened
    connection.data_received(b"POST / HTTP/1.1\r\nHost: desk\r\nContent-Length: 999\r\n\r\n")
    assert loop.waiting == []

    connection.cycle.response_complete = True
    connection.data_received(b"x")
    loop.time_is_over()

    assert line.closed
    assert not line.cut, "the answer goes out first"
    loop.time_is_over()
    assert line.cut, "but nobody is waited for who does not take it"


def test_a_websocket_is_left_alone_also_on_a_connection_that_had_a_page_before(
    opened: tuple[PromptProtocol, Loop, Line], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(H11Protocol, "handle_websocket_upgrade", lambda self, event: None)
    connection, loop, line = opened
    connection.cycle = SimpleNamespace(response_complete=True)  # type: ignore[assignment]
    connection.data_received(HEAD + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n")

    loop.time_is_over()

    assert not line.closed


def test_a_connection_that_has_ended_is_waited_for_no_more(opened: tuple[PromptProtocol, Loop, Line]) -> None:
    connection, loop, _ = opened
    connection.connection_lost(None)
    assert loop.waiting == []


def test_strangers_do_not_write_over_the_log() -> None:
    now = FakeMonotonic()
    few = FewOfAKind(most=2, monotonic=now)

    def passes(text: str, level: int = logging.WARNING) -> bool:
        return few.filter(logging.LogRecord("uvicorn.error", level, "x", 1, text, None, None))

    assert [passes("Invalid HTTP request received.") for _ in range(4)] == [True, True, False, False]
    assert passes("something else")
    assert all(passes("the application failed", logging.ERROR) for _ in range(5))
    now.now += 60
    assert passes("Invalid HTTP request received.")
