"""A paper broker with live prices: the market is the other broker's to the letter, orders and money stay here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from services.domain.errors import ConfigurationError
from services.paper.clock import PaperClock
from services.paper.feed.requests import Mode
from services.paper.options import PaperOptions
from services.paper.relay.upstream import LiveSource
from services.paper.server import PaperServer
from services.wire.feed import feed_v3_pb2 as pb
from tests.support.feed_paper import FeedSocket, request_body
from tests.support.paper import NIFTY, RELIANCE, STILL, error_of
from tests.support.paper_trading import BookMarket, Trader, limit, trading
from tests.support.relay import source

MARKET_PATHS = (
    f"/v3/market-quote/quotes?instrument_key={RELIANCE.replace('|', '%7C')}",
    f"/v2/market-quote/quotes?instrument_key={RELIANCE.replace('|', '%7C')}",
    f"/v3/market-quote/ltp?instrument_key={RELIANCE.replace('|', '%7C')}",
    f"/v3/historical-candle/{RELIANCE.replace('|', '%7C')}/days/1/2026-11-19/2026-11-02",
    f"/v3/historical-candle/intraday/{RELIANCE.replace('|', '%7C')}/minutes/5",
    "/v2/market/status/NSE",
    "/v2/market/holidays",
    "/v2/instruments/search?query=RELIANCE",
)


@dataclass
class Pair:
    """Here: the paper broker with live prices. There: where they come from."""

    here: Trader
    there: Trader
    market: BookMarket
    server: PaperServer


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    market = BookMarket()
    with trading(tmp_path / "there", market=market, faults=True) as there:
        options = PaperOptions(
            folder=tmp_path / "here", clock=STILL, prices="live", live=source(there), limits=False, faults=True
        )
        server = PaperServer(options, clock=PaperClock.parse(STILL)).start()
        here = Trader(server)
        try:
            yield Pair(here, there, market, server)
        finally:
            here.session.close()
            server.stop()


@pytest.mark.parametrize("path", MARKET_PATHS)
def test_what_is_asked_of_the_market_is_answered_by_the_other_broker(pair: Pair, path: str) -> None:
    here, there = pair.here.get(path), pair.there.get(path)

    assert here.status_code == 200
    assert here.json() == there.json()
    assert here.headers["Content-Type"] == there.headers["Content-Type"]


def test_errors_come_back_as_they_are(pair: Pair) -> None:
    path = "/v3/market-quote/quotes?instrument_key=NSE_EQ%7CINE000000000"
    assert error_of(pair.here.get(path)) == error_of(pair.there.get(path))


def test_the_instrument_file_and_its_mark_are_the_other_brokers(pair: Pair) -> None:
    path = "/market-quote/instruments/exchange/NSE.json.gz"
    here, there = pair.here.get(path), pair.there.get(path)

    assert (here.content, here.headers["ETag"]) == (there.content, there.headers["ETag"])
    assert pair.here.get(path, headers={"If-None-Match": here.headers["ETag"]}).status_code == 304


def test_orders_are_filled_here_at_the_other_brokers_depth_and_it_never_hears_of_them(pair: Pair) -> None:
    pair.market.move(RELIANCE, 1480.0)
    order_id = pair.here.order(quantity=150, **limit(1480.2))

    told = pair.here.details(order_id)
    assert (told["status"], told["filled_quantity"]) == ("complete", 150)
    assert told["average_price"] == pytest.approx((100 * 1480.1 + 50 * 1480.2) / 150, abs=0.01)
    assert pair.there.data("/v2/order/retrieve-all") == []
    assert pair.there.data("/v2/portfolio/short-term-positions") == []


def test_the_source_says_live_and_the_hours_are_the_exchanges(pair: Pair, tmp_path: Path) -> None:
    assert pair.here.get("/_paper/clock").json()["source"] == "live"
    options = PaperOptions(folder=tmp_path / "usual", prices="live", live=source(pair.there))
    server = PaperServer(options).start()
    try:
        assert Trader(server).get("/_paper/clock").json()["mode"] == "exchange"
    finally:
        server.stop()


def test_the_feed_is_passed_on_frame_by_frame_both_ways(pair: Pair) -> None:
    address = pair.here.data("/v3/feed/market-data-feed/authorize")["authorized_redirect_uri"]
    socket = FeedSocket(address)
    try:
        first = pb.FeedResponse.FromString(socket.raw.recv())
        assert first.marketInfo.segmentStatus
        socket.raw.send_binary(request_body("sub", [RELIANCE, NIFTY], Mode.LTPC))
        told: dict[str, float] = {}
        while len(told) < 2:
            frame = pb.FeedResponse.FromString(socket.raw.recv())
            told |= {key: feed.ltpc.ltp for key, feed in frame.feeds.items()}
        own = {
            snap.listing.key: snap.ltp
            for snap in pair.market.snapshots([RELIANCE, NIFTY], PaperClock.parse(STILL).now())
        }
        assert told == own
    finally:
        socket.raw.close()


def test_where_the_other_broker_refuses_its_feed_the_handshake_is_refused_here(pair: Pair) -> None:
    pair.there.send("POST", "/_paper/feed-faults", json={"feed": "market", "kind": "refuse", "status": 403})
    address = pair.here.data("/v3/feed/market-data-feed/authorize")["authorized_redirect_uri"]

    with pytest.raises(Exception, match="403"):
        FeedSocket(address)


def test_with_the_other_broker_gone_prices_are_errors_and_the_account_still_answers(pair: Pair) -> None:
    pair.there.send("POST", "/_paper/faults", json={"operation": "*", "kind": "drop", "times": 3})

    assert error_of(pair.here.get(MARKET_PATHS[0]))[0] == 503
    assert pair.here.data("/v2/order/retrieve-all") == []
    assert pair.here.get("/v2/user/get-funds-and-margin").status_code == 200


def test_a_dead_token_behind_the_prices_does_not_look_like_a_dead_token_here(pair: Pair) -> None:
    pair.there.send("POST", "/_paper/faults", json={"operation": "quotes", "kind": "status", "status": 401})

    answer = pair.here.get(MARKET_PATHS[0])
    assert answer.status_code == 503
    assert "read-only token" in answer.text


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({}, "analytics token"),
        ({"live": LiveSource("a.b.c"), "candles": Path("/")}, "neither"),
        ({"live": LiveSource("a.b.c")}, "read-only"),
    ],
)
def test_live_prices_without_their_token_are_refused_in_words(
    tmp_path: Path, given: dict[str, object], why: str
) -> None:
    options = PaperOptions(folder=tmp_path, prices="live", **given)  # type: ignore[arg-type]

    with pytest.raises(ConfigurationError, match=why):
        PaperServer(options).start()
