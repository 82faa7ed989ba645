"""The portfolio stream against a scripted server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest

from services.feed.backoff import Backoff
from services.live_feed import PortfolioStream
from services.live_feed.resting import Resting
from services.transport.feed_connection import FeedConnection
from tests.support.feed_server import BINARY, PING, TEXT, FeedServer, Peer, feed_server
from tests.support.live_feed import Desk, until
from tests.support.shared_data import shared

ORDER = b'{"update_type":"order","order_id":"7","status":"complete"}'


@pytest.fixture
def server() -> Iterator[FeedServer]:
    with feed_server() as made:
        yield made


@pytest.fixture
def desk(server: FeedServer) -> Desk:
    return Desk(server)


@contextmanager
def _stream(desk: Desk, folder: Path, asked: list[Sequence[str]] | None = None) -> Iterator[PortfolioStream]:
    def authorise(update_types: Sequence[str]) -> str:
        if asked is not None:
            asked.append(update_types)
        return desk.authorise()

    stream = PortfolioStream(
        authorise=authorise,
        connect=lambda: FeedConnection(local=True, name="portfolio stream"),
        token=desk.current_token,
        clock=desk.clock,
        folder=folder,
        book=desk.records.append,
        resting=Resting(backoff=Backoff(uniform=desk.no_pause)),
        look_seconds=0.01,
        poll_seconds=0.01,
    )
    try:
        yield stream
    finally:
        stream.close()


def _sends(*payloads: bytes, opcode: int = TEXT, cut: bool = False) -> object:
    def script(peer: Peer) -> None:
        peer.accept()
        for payload in payloads:
            peer.send(payload, opcode)
        if cut:
            peer.cut()
        else:
            peer.server.over.wait(30)

    return script


def test_updates_come_to_the_listeners_as_mappings(desk: Desk, server: FeedServer, tmp_path: Path) -> None:
    heard: list[Mapping[str, object]] = []
    asked: list[Sequence[str]] = []
    server.scripts.append(_sends(ORDER))  # type: ignore[arg-type]

    with _stream(desk, tmp_path, asked) as stream:
        stream.listen(heard.append)
        assert stream.connect(timeout=5)
        health = until(stream, lambda health: health.updates_received == 1)
        server.over.set()

    assert heard == [{"update_type": "order", "order_id": "7", "status": "complete"}]
    assert asked == [("order", "gtt_order", "position", "holding")]
    assert health.slot == 1
    assert [record.stream for record in desk.records] == ["portfolio", "portfolio"]


@pytest.mark.parametrize("name", ["order", "gtt_order", "position", "holding"])
@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_the_documented_updates_are_heard_in_text_and_binary_frames(
    desk: Desk, server: FeedServer, tmp_path: Path, name: str, opcode: int
) -> None:
    sample = (shared("upstox/examples") / f"ws_portfolio_{name}.json").read_bytes()
    heard: list[Mapping[str, object]] = []
    server.scripts.append(_sends(sample, opcode=opcode))  # type: ignore[arg-type]

    with _stream(desk, tmp_path) as stream:
        stream.listen(heard.append)
        stream.connect(timeout=5)
        until(stream, lambda health: health.updates_received == 1)
        server.over.set()

    assert heard == [orjson.loads(sample)]


def test_what_is_no_update_is_counted_and_harms_nobody(desk: Desk, server: FeedServer, tmp_path: Path) -> None:
    heard: list[Mapping[str, object]] = []
    rubbish = (b"", b"{", b"[1]", b"7", b"null", b'{"update_type":7}', b"{}", b"\xff\xfe")
    server.scripts.append(_sends(*rubbish, b'{"update_type":"news"}', ORDER))  # type: ignore[arg-type]

    with _stream(desk, tmp_path) as stream:
        stream.listen(heard.append)
        stream.connect(timeout=5)
        health = until(stream, lambda health: health.updates_received == 1)
        server.over.set()

    assert (health.bad_frames, health.unknown) == (len(rubbish), 1)
    assert len(heard) == 1


def test_after_each_opening_the_books_are_to_be_loaded_before_updates_count(
    desk: Desk, server: FeedServer, tmp_path: Path
) -> None:
    story: list[str] = []
    server.scripts.extend([_sends(ORDER, cut=True), _sends(ORDER)])  # type: ignore[list-item]

    with _stream(desk, tmp_path) as stream:
        stream.listen(lambda update: story.append("update"), opened=lambda: story.append("opened"))
        stream.connect(timeout=5)
        until(stream, lambda health: health.reconnect_count == 1 and health.updates_received >= 1)
        until(stream, lambda health: story.count("opened") == 2 and story[-1] == "update")
        server.over.set()

    assert story[0] == "opened"
    assert story[-2:] == ["opened", "update"]


def test_a_listener_that_fails_is_logged_and_the_others_hear_all(
    desk: Desk, server: FeedServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[Mapping[str, object]] = []
    server.scripts.append(_sends(ORDER, ORDER))  # type: ignore[arg-type]

    def fails(update: Mapping[str, object]) -> None:
        raise RuntimeError("a bug in the listener")

    with _stream(desk, tmp_path) as stream:
        stream.listen(fails)
        stream.listen(heard.append)
        stream.connect(timeout=5)
        health = until(stream, lambda health: health.updates_received == 2)
        server.over.set()

    assert len(heard) == 2
    assert health.reconnect_count == 0
    assert "a bug in the listener" in caplog.text


def test_silence_is_normal(desk: Desk, server: FeedServer, tmp_path: Path) -> None:
    server.scripts.append(_sends(b"", opcode=PING))  # type: ignore[arg-type]

    with _stream(desk, tmp_path) as stream:
        stream.connect(timeout=5)
        stream._stream.wait_for(lambda: False, 0.2)

        assert stream.health().connected
        server.over.set()
    assert len(server.targets) == 1
