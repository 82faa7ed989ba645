"""Every fault of the feeds, as a client meets it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import websocket
from google.protobuf.message import DecodeError

from services.wire.feed import feed_v3_pb2 as pb
from tests.support.feed_paper import (
    FEED_FAULTS,
    PORTFOLIO_AUTHORIZE,
    FeedBench,
    eventually,
    feeding,
    handshake_status,
)
from tests.support.paper import RELIANCE, error_of


@pytest.fixture(scope="module")
def shared_bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FeedBench]:
    folder: Path = tmp_path_factory.mktemp("feed-faults")
    with feeding(folder, faults=True, limits=False) as made:
        yield made


@pytest.fixture
def bench(shared_bench: FeedBench) -> FeedBench:
    shared_bench.client.send("DELETE", FEED_FAULTS)
    shared_bench.hang_up()
    shared_bench.market.moved = {}
    return shared_bench


def moved(bench: FeedBench, ltp: float) -> None:
    bench.market.move(RELIANCE, ltp)


@pytest.mark.parametrize("status", [401, 403, 503])
def test_a_handshake_is_refused_on_either_address(bench: FeedBench, status: int) -> None:
    bench.order("refuse", status=status, times=2)

    assert handshake_status(bench.address()) == status
    assert handshake_status(bench.direct(), header=bench.bearer) == status
    assert bench.connect().message().type == pb.market_info


def test_an_authorised_address_may_hold_a_used_code(bench: FeedBench) -> None:
    bench.order("used_code")

    assert handshake_status(bench.address()) == 403
    assert bench.connect().message().type == pb.market_info


def test_a_handshake_may_be_cut(bench: FeedBench) -> None:
    bench.order("drop_handshake")

    with pytest.raises((websocket.WebSocketException, ConnectionError)):
        websocket.create_connection(bench.address(), timeout=30)
    assert bench.connect().message().type == pb.market_info


def test_a_handshake_may_hang(bench: FeedBench) -> None:
    bench.order("hang")

    with pytest.raises((websocket.WebSocketTimeoutException, TimeoutError)):
        websocket.create_connection(bench.address(), timeout=0.3)
    assert bench.connect().message().type == pb.market_info


def test_a_hanging_handshake_ends_after_its_time(bench: FeedBench) -> None:
    bench.order("hang", ms=50)

    with pytest.raises((websocket.WebSocketException, ConnectionError)):
        websocket.create_connection(bench.address(), timeout=30)


@pytest.mark.parametrize("now", [True, False])
def test_a_connection_is_dropped_without_a_close_frame(bench: FeedBench, now: bool) -> None:
    socket = bench.subscribed(RELIANCE)

    told = bench.order("drop", now=now)
    moved(bench, 1480.0)

    assert socket.end() is None
    assert told.get("hit", 1) >= 1
    eventually(lambda: not [open_one for open_one in bench.open() if open_one["keys"]])


def test_a_fault_now_hits_as_many_connections_as_asked(bench: FeedBench) -> None:
    sockets = [bench.subscribed(RELIANCE) for _ in range(2)]

    assert bench.order("drop", now=True, times=None)["hit"] == 2
    assert [socket.end() for socket in sockets] == [None, None]


def test_a_connection_is_closed_with_a_code(bench: FeedBench) -> None:
    socket = bench.subscribed(RELIANCE)

    bench.order("close", now=True, code=1013)

    assert socket.end() == 1013


def test_a_mute_connection_stays_open_and_answers_pings(bench: FeedBench) -> None:
    socket = bench.subscribed(RELIANCE)
    bench.order("mute", now=True)
    moved(bench, 1481.0)

    assert socket.is_quiet()
    socket.raw.ping("x")
    assert socket.raw.recv_data(control_frame=True)[0] == websocket.ABNF.OPCODE_PONG
    assert [told["mute"] for told in bench.open() if told["keys"]] == [True]


def test_clearing_the_faults_ends_a_mute(bench: FeedBench) -> None:
    socket = bench.subscribed(RELIANCE)
    bench.order("mute", now=True)
    bench.client.send("DELETE", FEED_FAULTS)

    moved(bench, 1482.0)

    assert socket.feeds(RELIANCE)[RELIANCE].fullFeed.marketFF.ltpc.ltp == 1482.0


def test_a_mute_may_end_by_itself(bench: FeedBench) -> None:
    socket = bench.subscribed(RELIANCE)
    bench.order("mute", now=True, ms=50)
    eventually(lambda: not any(told["mute"] for told in bench.open()))

    moved(bench, 1483.0)

    assert socket.feeds(RELIANCE)[RELIANCE].fullFeed.marketFF.ltpc.ltp == 1483.0


@pytest.mark.parametrize("now", [True, False])
def test_garbage_goes_before_the_good_frame(bench: FeedBench, now: bool) -> None:
    socket = bench.subscribed(RELIANCE)
    bench.order("garbage", now=now)
    moved(bench, 1484.0)

    assert not _makes_sense(socket.frame())
    assert socket.feeds(RELIANCE)[RELIANCE].fullFeed.marketFF.ltpc.ltp == 1484.0


def test_a_truncated_message_is_the_first_half_of_one(bench: FeedBench) -> None:
    socket = bench.subscribed(RELIANCE)
    bench.order("truncated")
    moved(bench, 1485.0)

    half = socket.frame()

    with pytest.raises(DecodeError):
        pb.FeedResponse.FromString(half)
    assert RELIANCE.encode() in half
    moved(bench, 1486.0)
    assert socket.feeds(RELIANCE)[RELIANCE].fullFeed.marketFF.ltpc.ltp == 1486.0


def test_a_torn_frame_promises_more_than_comes(bench: FeedBench) -> None:
    socket = bench.subscribed(RELIANCE)
    bench.order("torn", now=True)

    assert socket.end() is None


def test_a_slow_server_reads_and_writes_nothing_for_a_while(bench: FeedBench) -> None:
    socket = bench.subscribed(RELIANCE)
    bench.order("slow", now=True, ms=1200)
    moved(bench, 1487.0)
    socket.raw.ping("x")

    assert socket.is_quiet(), "neither the price nor the pong"
    opcodes = {socket.raw.recv_data(control_frame=True)[0] for _ in range(2)}
    assert opcodes == {websocket.ABNF.OPCODE_BINARY, websocket.ABNF.OPCODE_PONG}


def test_frames_pass_before_a_fault_that_waits(bench: FeedBench) -> None:
    bench.order("drop", after=2)
    socket = bench.subscribed(RELIANCE)

    moved(bench, 1488.0)

    assert socket.end() is None


def test_a_fault_of_the_portfolio_leaves_the_market_alone(bench: FeedBench) -> None:
    bench.order("refuse", feed="portfolio")

    assert bench.connect().message().type == pb.market_info
    assert handshake_status(bench.address(PORTFOLIO_AUTHORIZE)) == 403


def test_waiting_faults_are_listed_and_cleared(bench: FeedBench) -> None:
    bench.order("refuse", times=3)

    [told] = bench.client.data(FEED_FAULTS)
    assert (told["kind"], told["times"]) == ("refuse", 3)
    bench.client.send("DELETE", FEED_FAULTS)
    assert bench.client.data(FEED_FAULTS) == []


def test_a_wrong_fault_is_refused(bench: FeedBench) -> None:
    answer = bench.client.send("POST", FEED_FAULTS, json={"kind": "explode"})

    assert error_of(answer) == (400, "UDAPI100036")


def test_the_authorize_call_has_the_faults_of_every_call(bench: FeedBench) -> None:
    bench.client.send("POST", "/_paper/faults", json={"operation": "feed_authorize", "kind": "status", "status": 401})

    assert bench.client.error("/v3/feed/market-data-feed/authorize") == (401, "UDAPI100050")
    assert bench.address()


def _makes_sense(frame: bytes) -> bool:
    try:
        return bool(pb.FeedResponse.FromString(frame).currentTs)
    except DecodeError:
        return False
