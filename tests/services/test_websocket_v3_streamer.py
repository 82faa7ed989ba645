"""The guide's streamer over a live feed and a scripted server."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from services.domain.errors import InvalidRequest, LoginRequired
from services.runtime import use_runtime
from services.websocket_v3_streamer import WebSocketV3Streamer
from tests.support.feed_server import FeedServer, feed_server
from tests.support.live_feed import INFY, NIFTY, RELIANCE, Desk, live_feed, until
from tests.support.programs import run


@pytest.fixture
def server() -> Iterator[FeedServer]:
    with feed_server() as made:
        yield made


@pytest.fixture
def desk(server: FeedServer) -> Desk:
    return Desk(server)


@pytest.fixture
def feed(desk: Desk, tmp_path: Path) -> Iterator[Any]:
    with live_feed(desk, tmp_path) as made:
        runtime: Any = SimpleNamespace(feed_in=lambda db_path: made)
        with use_runtime(runtime):
            yield made


def test_the_guides_steps_one_after_the_other(feed: Any, server: FeedServer) -> None:
    ws = WebSocketV3Streamer()

    ws.connect()
    ws.subscribe([INFY, RELIANCE])
    server.wait_for(lambda: server.held == {INFY: "full", RELIANCE: "full"})
    until(feed, lambda health: health.updates_received == 2)
    status = ws.get_health_status()
    assert status["connected"] is True
    assert status["messages_received"] >= 2
    assert status["subscribed_count"] == 2
    ws.unsubscribe([INFY])
    server.wait_for(lambda: server.held == {RELIANCE: "full"})
    ws.disconnect()

    assert ws.get_health_status()["connected"] is False
    assert ws.get_health_status()["subscribed_count"] == 0


def test_health_before_any_connection_claims_nothing(feed: Any) -> None:
    status = WebSocketV3Streamer().get_health_status()

    assert status["connected"] is False
    assert (status["uptime_seconds"], status["messages_received"], status["messages_per_second"]) == (0.0, 0, 0.0)
    assert status["last_message_ago_seconds"] is None
    assert (status["state"], status["reason"]) == ("off", "")
    assert list(status)[:8] == [
        "connected", "uptime_seconds", "messages_received", "messages_per_second", "last_message_ago_seconds",
        "reconnect_count", "subscribed_count", "timestamp",
    ]  # fmt: skip


def test_subscribing_before_connecting_is_kept_until_then(feed: Any, server: FeedServer) -> None:
    ws = WebSocketV3Streamer()

    ws.subscribe([NIFTY], mode="ltpc")
    ws.connect()

    server.wait_for(lambda: server.held == {NIFTY: "ltpc"})


def test_connecting_again_asks_for_the_same_instruments(feed: Any, server: FeedServer) -> None:
    ws = WebSocketV3Streamer()
    ws.connect()
    ws.subscribe([RELIANCE], "ltpc")
    ws.subscribe([NIFTY])
    ws.disconnect()

    ws.connect()

    server.wait_for(lambda: server.held == {RELIANCE: "ltpc", NIFTY: "full"})


def test_two_streamers_share_one_connection_and_let_go_alone(feed: Any, server: FeedServer) -> None:
    one, two = WebSocketV3Streamer(), WebSocketV3Streamer()
    one.connect()
    two.connect()
    one.subscribe([RELIANCE])
    two.subscribe([RELIANCE, INFY])

    one.disconnect()

    assert two.get_health_status()["connected"] is True
    assert two.get_health_status()["subscribed_count"] == 2
    two.disconnect()
    assert two.get_health_status()["connected"] is False
    assert len(server.targets) == 1


def test_a_streamer_that_is_gone_holds_nothing(feed: Any) -> None:
    ws = WebSocketV3Streamer()
    ws.connect()
    ws.subscribe([RELIANCE])

    del ws
    gc.collect()

    assert feed.health().subscribed_count == 0


def test_where_a_person_has_to_log_in_connecting_says_so(feed: Any, desk: Desk) -> None:
    desk.token = None
    ws = WebSocketV3Streamer()

    with pytest.raises(LoginRequired) as caught:
        ws.connect()

    assert caught.value.login_url == "https://login"
    assert ws.get_health_status()["state"] == "login needed"


@pytest.mark.parametrize(("keys", "mode"), [(["RELIANCE"], "full"), ([RELIANCE], "quote"), (RELIANCE, "full")])
def test_nonsense_is_refused_and_not_remembered(feed: Any, server: FeedServer, keys: Any, mode: str) -> None:
    ws = WebSocketV3Streamer()

    with pytest.raises(InvalidRequest):
        ws.subscribe(keys, mode)

    ws.connect()
    assert ws.get_health_status()["subscribed_count"] == 0


def test_a_script_that_never_disconnects_ends(tmp_path: Path) -> None:
    printed = run(
        """
        import os, sys, threading
        os.environ["DESK_DATA_DIR"] = sys.argv[1]
        from services.websocket_v3_streamer import WebSocketV3Streamer

        ws = WebSocketV3Streamer()
        ws.connect()
        ws.subscribe(["NSE_EQ|INE009A01021", "NSE_EQ|INE467B01029"])
        status = ws.get_health_status()
        print(status["connected"], status["subscribed_count"])
        print([thread.name for thread in threading.enumerate() if thread.name == "market-feed"])
        """,
        tmp_path,
    )

    assert printed.splitlines() == ["True 2", "['market-feed']"]
