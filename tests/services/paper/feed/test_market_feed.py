"""The market feed over loopback, as a client sees it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import requests
import websocket

from services.domain.clock import epoch_ms
from services.paper.feed.market_info import EXCHANGE_OF_SEGMENT
from services.wire.feed import feed_v3_pb2 as pb
from tests.support.feed_paper import (
    AUTHORIZE,
    DIRECT,
    FeedBench,
    eventually,
    feeding,
    handshake_status,
    request_body,
    stopped_reader,
)
from tests.support.paper import CALL, INFY, NIFTY, RELIANCE, error_of


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[FeedBench]:
    with feeding(tmp_path) as made:
        yield made


def test_the_authorised_address_is_told_in_both_spellings(bench: FeedBench) -> None:
    data = bench.client.data(AUTHORIZE)

    assert set(data) == {"authorized_redirect_uri", "authorizedRedirectUri"}
    assert data["authorized_redirect_uri"] == data["authorizedRedirectUri"]
    base = bench.client.base.replace("http", "ws", 1)
    assert data["authorized_redirect_uri"].startswith(
        f"{base}/market-data-feeder/v3/upstox-developer-api/feeds?requestId="
    )
    assert "&code=" in data["authorized_redirect_uri"]


def test_the_guides_way_to_authorize_answers_the_same(bench: FeedBench) -> None:
    answer = bench.client.send("POST", "/feed/market-data-feed/authorize/v3")

    socket = bench.connect(answer.json()["data"]["authorized_redirect_uri"])
    assert socket.message().type == pb.market_info


def test_market_info_comes_first_and_without_being_asked_for(bench: FeedBench) -> None:
    message = bench.connect().message()

    assert message.type == pb.market_info
    assert set(message.marketInfo.segmentStatus) == set(EXCHANGE_OF_SEGMENT)
    assert message.currentTs == epoch_ms(bench.clock.instant)
    assert not message.feeds


def test_the_handshake_with_a_token_is_redirected_to_a_feed(bench: FeedBench) -> None:
    socket = bench.connect(bench.direct(), header=bench.bearer)

    assert socket.message().type == pb.market_info


def test_the_direct_address_redirects_plain_http_too(bench: FeedBench) -> None:
    answer = bench.client.get(DIRECT, allow_redirects=False)

    assert answer.status_code == 302
    assert bench.connect(answer.headers["Location"]).message().type == pb.market_info


@pytest.mark.parametrize("header", [None, {"Authorization": "Bearer x.y.z"}])
def test_the_direct_handshake_without_a_good_token_is_401(bench: FeedBench, header: dict[str, str] | None) -> None:
    assert handshake_status(bench.direct(), header=header) == 401
    assert error_of(requests.get(bench.client.base + DIRECT, headers=header, timeout=30)) == (401, "UDAPI100050")


def test_a_code_opens_one_connection(bench: FeedBench) -> None:
    address = bench.address()
    bench.connect(address)

    assert handshake_status(address) == 403


@pytest.mark.parametrize("query", ["", "?requestId=a&code=b", "?code=b"])
def test_an_address_without_a_good_code_is_403(bench: FeedBench, query: str) -> None:
    address = bench.address().partition("?")[0]

    assert handshake_status(address + query) == 403


def test_a_code_dies_with_the_token_that_asked_for_it(bench: FeedBench) -> None:
    address = bench.address()
    bench.client.send("DELETE", "/v2/logout")

    assert handshake_status(address) == 403


def test_two_connections_of_a_user_are_let_in_and_a_third_is_not(bench: FeedBench) -> None:
    first = bench.connect()
    bench.connect()

    assert handshake_status(bench.address()) == 403
    first.close()
    eventually(lambda: len(bench.open()) == 1)
    assert bench.connect().message().type == pb.market_info


def test_a_plus_account_may_open_five_and_see_thirty_levels(tmp_path: Path) -> None:
    with feeding(tmp_path, plus=True) as bench:
        sockets = [bench.connect() for _ in range(5)]

        assert handshake_status(bench.address()) == 403
        sockets[0].ask("sub", [RELIANCE], "full_d30")
        feed = sockets[0].feeds(RELIANCE)[RELIANCE]
        assert feed.requestMode == pb.full_d30
        assert len(feed.fullFeed.marketFF.marketLevel.bidAskQuote) == 30


def test_neither_openings_nor_refusals_are_logged_with_their_codes(
    bench: FeedBench, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        address = bench.address()
        bench.connect(address)
        handshake_status(address)
        handshake_status(bench.direct())

    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert "code=" not in caplog.text


def test_no_websocket_is_opened_for_a_page_that_names_another_host(bench: FeedBench) -> None:
    assert handshake_status(bench.address(), host="evil.example:80") == 403


def test_a_subscription_brings_a_snapshot_of_its_keys(bench: FeedBench) -> None:
    socket = bench.connect()
    socket.message()
    socket.ask("sub", [RELIANCE, NIFTY, CALL], "full")

    feeds = socket.feeds(RELIANCE, NIFTY, CALL)

    assert feeds[RELIANCE].fullFeed.marketFF.ltpc.ltp == 1472.5
    assert feeds[NIFTY].fullFeed.indexFF.ltpc.ltp == 25986.45
    assert feeds[CALL].fullFeed.marketFF.optionGreeks.delta == 0.5013
    assert {feed.requestMode for feed in feeds.values()} == {pb.full_d5}


@pytest.mark.parametrize(
    ("mode", "union", "told"),
    [
        (None, "ltpc", pb.ltpc),
        ("ltpc", "ltpc", pb.ltpc),
        ("full", "fullFeed", pb.full_d5),
        ("option_greeks", "firstLevelWithGreeks", pb.option_greeks),
    ],
)
def test_each_mode_has_its_shape(bench: FeedBench, mode: str | None, union: str, told: int) -> None:
    socket = bench.connect()
    socket.message()
    socket.ask("sub", [CALL], mode)

    feed = socket.feeds(CALL)[CALL]

    assert (feed.WhichOneof("FeedUnion"), feed.requestMode) == (union, told)


def test_only_what_changed_is_streamed(bench: FeedBench) -> None:
    socket = bench.subscribed(RELIANCE, INFY, NIFTY)

    bench.market.move(INFY, 101.5)

    message = socket.message()
    assert message.type == pb.live_feed
    assert list(message.feeds) == [INFY]
    body = message.feeds[INFY].fullFeed.marketFF
    assert body.ltpc.ltp == 101.5
    assert len(body.marketLevel.bidAskQuote) == 5, "the whole object of its mode, not the changed members"


def test_nothing_is_streamed_while_nothing_changes(bench: FeedBench) -> None:
    socket = bench.subscribed(RELIANCE, mode="ltpc")

    assert socket.is_quiet()
    assert bench.open()[0]["frames"] == 2


def test_unsubscribed_keys_are_silent(bench: FeedBench) -> None:
    socket = bench.subscribed(RELIANCE, INFY)
    socket.ask("unsub", [RELIANCE])
    eventually(lambda: bench.open()[0]["keys"] == {"full": 1})

    bench.market.move(RELIANCE, 1500.0)
    bench.market.move(INFY, 101.5)

    assert list(socket.message().feeds) == [INFY]
    assert socket.is_quiet()


def test_a_changed_mode_brings_the_keys_in_it(bench: FeedBench) -> None:
    socket = bench.subscribed(RELIANCE, INFY)
    socket.ask("change_mode", [RELIANCE], "ltpc")

    assert socket.feeds(RELIANCE)[RELIANCE].WhichOneof("FeedUnion") == "ltpc"
    bench.market.move(RELIANCE, 1500.0)
    assert socket.feeds(RELIANCE)[RELIANCE].ltpc.ltp == 1500.0


def test_unknown_keys_are_met_with_silence(bench: FeedBench) -> None:
    socket = bench.connect()
    socket.message()
    socket.ask("sub", ["NSE_EQ|NOBODY", "nonsense", RELIANCE], "ltpc")

    assert list(socket.message().feeds) == [RELIANCE]
    assert socket.is_quiet()


def test_requests_that_cannot_be_read_are_met_with_silence(bench: FeedBench) -> None:
    socket = bench.connect()
    socket.message()
    socket.raw.send_binary(b"\x00\xffnonsense")
    socket.raw.send(request_body("sub", [RELIANCE], "ltpc").decode())  # a text frame

    assert socket.is_quiet()
    socket.ask("sub", [RELIANCE])
    assert list(socket.message().feeds) == [RELIANCE]


def test_keys_beyond_the_limit_are_met_with_silence(tmp_path: Path) -> None:
    with feeding(tmp_path, spare=2010) as bench:
        socket = bench.connect()
        socket.message()
        keys = bench.market.spare_keys
        for start in range(0, 2010, 500):
            socket.ask("sub", keys[start : start + 500], "full")

        assert set(socket.feeds(*keys[:2000])) == set(keys[:2000])
        assert bench.open()[0]["keys"] == {"full": 2000}


def test_without_limits_neither_keys_nor_connections_are_counted(tmp_path: Path) -> None:
    with feeding(tmp_path, spare=2010, limits=False) as bench:
        sockets = [bench.connect() for _ in range(4)]
        sockets[0].ask("sub", bench.market.spare_keys, "full")

        assert len(sockets[0].feeds(*bench.market.spare_keys)) == 2010


def test_two_connections_have_their_own_subscriptions(bench: FeedBench) -> None:
    light, full = bench.subscribed(RELIANCE, mode="ltpc"), bench.subscribed(RELIANCE, INFY)

    bench.market.move(RELIANCE, 1500.0)

    assert light.feeds(RELIANCE)[RELIANCE].ltpc.ltp == 1500.0
    assert full.feeds(RELIANCE)[RELIANCE].fullFeed.marketFF.ltpc.ltp == 1500.0
    bench.market.move(INFY, 101.0)
    assert list(full.message().feeds) == [INFY]
    assert light.is_quiet()


def test_a_change_that_another_subscription_meets_first_reaches_everybody(bench: FeedBench) -> None:
    bench.market.once = True
    first, second = bench.subscribed(RELIANCE, mode="ltpc"), bench.subscribed(INFY, mode="ltpc")

    for step in range(1, 15):
        bench.market.move(RELIANCE, 1500.0 + step)
        second.ask("sub", [RELIANCE], "ltpc" if step % 2 else "full")
        assert first.feeds(RELIANCE)[RELIANCE].ltpc.ltp == 1500.0 + step
        second.feeds(RELIANCE)
        second.ask("unsub", [RELIANCE])


def test_market_info_comes_again_when_a_status_changes(bench: FeedBench) -> None:
    socket = bench.subscribed(RELIANCE, mode="ltpc")

    bench.clock.instant += timedelta(hours=3, minutes=29)  # 15:29:30, in the closing auction

    message = socket.message()
    assert message.type == pb.market_info
    assert message.marketInfo.casMarketStatus["NSE_EQ"].status in {"CAS_M_STOP", "CAS_STOP"}
    bench.clock.instant += timedelta(hours=3)
    closed = socket.message().marketInfo.segmentStatus
    assert closed["NSE_EQ"] != pb.NORMAL_OPEN
    assert closed["MCX_FO"] == pb.NORMAL_OPEN


def test_a_new_beat_brings_the_minute_that_has_finished(bench: FeedBench) -> None:
    socket = bench.subscribed(RELIANCE)
    bench.clock.instant += timedelta(minutes=1)

    bars = socket.feeds(RELIANCE)[RELIANCE].fullFeed.marketFF.marketOHLC.ohlc

    assert bars[1].ts == epoch_ms(bench.clock.instant.replace(second=0)) - 60_000


def test_a_feed_goes_mute_with_its_token_and_stays_open(bench: FeedBench) -> None:
    socket = bench.subscribed(RELIANCE)
    bench.client.send("DELETE", "/v2/logout")
    bench.client.session.headers.update(bench.bearer)
    eventually(lambda: bool(bench.open()[0]["mute"]))

    bench.market.move(RELIANCE, 1500.0)

    assert socket.is_quiet()
    socket.raw.ping("still there?")
    assert socket.raw.recv_data(control_frame=True)[0] == websocket.ABNF.OPCODE_PONG


def test_a_client_that_does_not_read_gets_the_last_value_once(tmp_path: Path) -> None:
    with feeding(tmp_path, spare=1500) as bench:
        keys = bench.market.spare_keys
        slow = bench.subscribed(*keys)
        for step in range(1, 40):
            for key in keys:
                bench.market.move(key, 100.0 + step)
            bench.clock.instant += timedelta(seconds=1)
            watcher_sees(bench, keys[-1])

        rows = 0
        last: dict[str, float] = {}
        while last.get(keys[-1]) != 139.0 or set(last) != set(keys) or set(last.values()) != {139.0}:
            for key, feed in slow.message().feeds.items():
                rows += 1
                last[key] = feed.fullFeed.marketFF.ltpc.ltp
        assert rows < 40 * len(keys), "values in between were left out"


def watcher_sees(bench: FeedBench, key: str) -> None:
    """One beat at least has gone by since the market moved: another client has the new price."""
    socket = bench.connect()
    socket.message()
    socket.ask("sub", [key], "ltpc")
    socket.feeds(key)
    socket.close()
    eventually(lambda: len(bench.open()) == 1)


def test_a_client_that_never_reads_does_not_hold_up_the_others_nor_the_stop(tmp_path: Path) -> None:
    with feeding(tmp_path, spare=1500) as bench:
        keys = bench.market.spare_keys
        stuck = stopped_reader(bench.address(), keys)
        eventually(lambda: [told["keys"] for told in bench.open()] == [{"full": 1500}])
        socket = bench.subscribed(RELIANCE, mode="ltpc")
        frames = 0
        for step in range(1, 60):
            for key in (*keys, RELIANCE):
                bench.market.move(key, 100.0 + step)
            assert socket.feeds(RELIANCE)[RELIANCE].ltpc.ltp == 100.0 + step
            sent = max(int(told["frames"]) for told in bench.open())
            if sent == frames:
                break
            frames = sent
        else:
            pytest.fail("its buffers never filled up")

        bench.server.stop()
        assert not bench.server.is_alive
        stuck.close()


def test_the_stop_of_the_server_is_told_with_1012(bench: FeedBench) -> None:
    sockets = [bench.subscribed(RELIANCE), bench.subscribed(NIFTY)]

    bench.server.stop()

    assert [socket.end() for socket in sockets] == [1012, 1012]


def test_a_broker_that_nobody_listens_to_does_no_work(bench: FeedBench) -> None:
    socket = bench.subscribed(RELIANCE)
    socket.close()
    eventually(lambda: not bench.open())

    again = bench.subscribed(RELIANCE)
    bench.market.move(RELIANCE, 1500.0)
    assert again.feeds(RELIANCE)[RELIANCE].fullFeed.marketFF.ltpc.ltp == 1500.0


def test_who_is_connected_is_told_to_who_has_a_token(bench: FeedBench) -> None:
    bench.subscribed(RELIANCE, INFY)

    [told] = bench.open()
    assert told["user_id"] == "PAPER1"
    assert told["keys"] == {"full": 2}
    assert error_of(requests.get(f"{bench.client.base}/_paper/feeds", timeout=30)) == (401, "UDAPI100050")


def test_no_fault_can_be_ordered_from_a_broker_without_faults(bench: FeedBench) -> None:
    assert error_of(bench.client.send("POST", "/_paper/feed-faults", json={"kind": "drop"})) == (404, "UDAPI100060")
