from __future__ import annotations

import asyncio
from typing import Any

import pytest
from uvicorn import Config
from uvicorn.server import ServerState
from websockets.protocol import State

from services.paper.feed.protocol import FeedProtocol


class Wire:
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        self.sent = bytearray()
        self.backlog = 0
        self.aborted = self.closed = False

    def write(self, data: bytes) -> None:
        self.sent += data

    def get_extra_info(self, name: str) -> None:
        return None

    def get_write_buffer_size(self) -> int:
        return self.backlog

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.aborted = True

    def pings(self) -> int:
        """Ping frames since the last look."""
        count = self.sent.count(b"\x89\x04")
        self.sent.clear()
        return count


async def _no_app(scope: Any, receive: Any, send: Any) -> None:
    return


def on_a_wire(wire: Wire) -> FeedProtocol:
    config = Config(_no_app, ws_ping_interval=3600, ws_ping_timeout=3600, log_config=None)
    config.load()
    protocol = FeedProtocol(config=config, server_state=ServerState(), app_state={"kept": 1})
    protocol.connection_made(wire)  # type: ignore[arg-type]
    protocol.conn.state = State.OPEN
    return protocol


def test_a_ping_goes_out_when_nothing_was_streamed_and_only_then() -> None:
    async def pings() -> list[int]:
        wire = Wire()
        protocol = on_a_wire(wire)
        found = []
        for streams in (False, True, True, False):
            protocol.pending_ping_payload = None
            if streams:
                protocol.write(b"a frame")
            wire.sent.clear()
            protocol.send_keepalive_ping()
            found.append(wire.pings())
        protocol.stop_keepalive()
        return found

    assert asyncio.run(pings()) == [1, 0, 0, 1]


def test_the_beat_of_pings_goes_on_after_one_that_was_not_needed() -> None:
    async def waits() -> bool:
        protocol = on_a_wire(Wire())
        protocol.write(b"a frame")
        protocol.send_keepalive_ping()
        waiting = protocol.ping_timer is not None
        protocol.stop_keepalive()
        return waiting

    assert asyncio.run(waits())


@pytest.mark.parametrize(("backlog", "aborted"), [(0, False), (5000, True)])
def test_who_answers_no_ping_and_reads_nothing_is_let_go(backlog: int, aborted: bool, monkeypatch: Any) -> None:
    monkeypatch.setattr("services.paper.feed.protocol._LAST_WORDS_SECONDS", 0.0)

    async def ended() -> Wire:
        wire = Wire()
        protocol = on_a_wire(wire)
        protocol.send_keepalive_ping()
        wire.backlog = backlog
        protocol.keepalive_timeout()
        for _ in range(3):
            await asyncio.sleep(0)
        protocol.stop_keepalive()
        return wire

    wire = asyncio.run(ended())
    assert wire.closed
    assert wire.aborted is aborted


@pytest.mark.parametrize("size", [0, 125, 126, 65535, 65536])
def test_a_frame_past_the_application_is_whole(size: int) -> None:
    async def written() -> bytes:
        wire = Wire()
        on_a_wire(wire).write(b"x" * size)
        return bytes(wire.sent)

    sent = asyncio.run(written())
    head = 2 if size < 126 else 4 if size < 65536 else 10
    assert sent[0] == 0x82
    assert sent[head:] == b"x" * size
    length = sent[1] if head == 2 else int.from_bytes(sent[2:head], "big")
    assert length == size


def test_the_application_gets_the_connection_itself() -> None:
    async def state() -> dict[str, Any]:
        protocol = on_a_wire(Wire())
        return {"same": protocol.app_state["websocket"] is protocol, "kept": protocol.app_state["kept"]}

    assert asyncio.run(state()) == {"same": True, "kept": 1}
