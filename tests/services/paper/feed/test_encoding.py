"""Every value of a snapshot at its place in every mode."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.domain.clock import epoch_ms
from services.paper.feed.encoding import RowEncoder, frame, midnight_ms, row
from services.paper.feed.requests import Mode
from services.paper.model import Greeks, Snapshot
from services.wire.feed import feed_v3_pb2 as pb
from tests.support.paper import CALL, FUTURE, NIFTY, RELIANCE, KnownMarket

AT = datetime.fromisoformat("2026-11-20T11:15:00+05:30")
Encode = Callable[[Snapshot, Mode], pb.Feed]


def snapshot(key: str) -> Snapshot:
    [found] = KnownMarket().snapshots([key], AT)
    return found


@pytest.fixture(scope="module")
def encode() -> Encode:
    """One encoder for all tests: what one fill leaves behind would show in the next."""
    encoder = RowEncoder()

    def encoded(snap: Snapshot, mode: Mode) -> pb.Feed:
        message = pb.FeedResponse.FromString(encoder.row(snap, mode))
        assert list(message.feeds) == [snap.listing.key]
        return message.feeds[snap.listing.key]

    return encoded


def check_ltpc(held: pb.LTPC, snap: Snapshot) -> None:
    assert (held.ltp, held.ltt, held.ltq, held.cp) == (
        snap.ltp,
        snap.last_trade_ms,
        snap.last_quantity,
        snap.prev_close,
    )
    assert not held.HasField("iep")


@pytest.mark.parametrize("key", [RELIANCE, NIFTY, CALL])
def test_ltpc_holds_price_time_quantity_and_close(encode: Encode, key: str) -> None:
    feed = encode(snapshot(key), Mode.LTPC)

    assert feed.WhichOneof("FeedUnion") == "ltpc"
    assert feed.requestMode == pb.ltpc
    check_ltpc(feed.ltpc, snapshot(key))


def test_full_holds_everything_of_a_share(encode: Encode) -> None:
    snap = snapshot(RELIANCE)

    feed = encode(snap, Mode.FULL)

    assert feed.requestMode == pb.full_d5
    assert feed.fullFeed.WhichOneof("FullFeedUnion") == "marketFF"
    body = feed.fullFeed.marketFF
    check_ltpc(body.ltpc, snap)
    assert [(quote.bidP, quote.bidQ) for quote in body.marketLevel.bidAskQuote] == [
        (level.price, level.quantity) for level in snap.bids
    ]
    assert [(quote.askP, quote.askQ) for quote in body.marketLevel.bidAskQuote] == [
        (level.price, level.quantity) for level in snap.asks
    ]
    assert body.HasField("optionGreeks")
    assert body.optionGreeks == pb.OptionGreeks()
    assert (body.atp, body.vtt, body.tbq, body.tsq) == (
        snap.average_price,
        snap.volume,
        snap.total_buy_quantity,
        snap.total_sell_quantity,
    )
    assert (body.oi, body.iv) == (0, 0)
    assert body.casEligible


def test_the_candles_are_the_day_since_midnight_and_the_last_finished_minute(encode: Encode) -> None:
    snap = replace(snapshot(RELIANCE), day_start_ms=epoch_ms(datetime.fromisoformat("2026-11-20T09:15:00+05:30")))

    day, minute = encode(snap, Mode.FULL).fullFeed.marketFF.marketOHLC.ohlc

    assert (day.interval, day.ts) == ("1d", epoch_ms(datetime.fromisoformat("2026-11-20T00:00:00+05:30")))
    assert (day.open, day.high, day.low, day.close, day.vol) == (snap.open, snap.high, snap.low, snap.ltp, snap.volume)
    last = snap.last_minute
    assert last is not None
    assert (minute.interval, minute.ts) == ("I1", last.start_ms)
    assert (minute.open, minute.high, minute.low, minute.close, minute.vol) == (
        last.open,
        last.high,
        last.low,
        last.close,
        last.volume,
    )


def test_there_is_no_finished_minute_in_the_first_and_one_in_the_second(encode: Encode) -> None:
    first = replace(snapshot(RELIANCE), last_minute=None)

    assert [bar.interval for bar in encode(first, Mode.FULL).fullFeed.marketFF.marketOHLC.ohlc] == ["1d"]
    again = encode(snapshot(RELIANCE), Mode.FULL).fullFeed.marketFF.marketOHLC.ohlc
    assert [bar.interval for bar in again] == ["1d", "I1"]


def test_full_holds_greeks_and_interest_of_an_option(encode: Encode) -> None:
    snap = replace(snapshot(CALL), greeks=Greeks(0.1124, 0.5013, 0.0011, -14.2077, 10.8321, 48.6, 1.4402))

    body = encode(snap, Mode.FULL).fullFeed.marketFF

    greeks = body.optionGreeks
    assert (greeks.delta, greeks.gamma, greeks.theta, greeks.vega, greeks.rho) == (
        0.5013,
        0.0011,
        -14.2077,
        10.8321,
        1.4402,
    )
    assert (body.iv, body.oi) == (0.1124, 9120345.0)
    assert not body.casEligible


def test_nothing_of_an_option_is_left_in_the_share_after_it(encode: Encode) -> None:
    encode(snapshot(CALL), Mode.FULL)

    body = encode(snapshot(RELIANCE), Mode.FULL).fullFeed.marketFF

    assert body.optionGreeks == pb.OptionGreeks()
    assert (body.oi, body.iv) == (0, 0)


def test_full_holds_the_interest_of_a_future(encode: Encode) -> None:
    assert encode(snapshot(FUTURE), Mode.FULL).fullFeed.marketFF.oi == 8573110.0


@pytest.mark.parametrize(("mode", "told"), [(Mode.FULL, pb.full_d5), (Mode.FULL_D30, pb.full_d30)])
def test_an_index_has_a_shape_of_its_own(encode: Encode, mode: Mode, told: pb.RequestMode) -> None:
    snap = snapshot(NIFTY)

    feed = encode(snap, mode)

    assert feed.requestMode == told
    assert feed.fullFeed.WhichOneof("FullFeedUnion") == "indexFF"
    body = feed.fullFeed.indexFF
    check_ltpc(body.ltpc, snap)
    assert [(bar.interval, bar.close) for bar in body.marketOHLC.ohlc][:1] == [("1d", snap.ltp)]
    assert body.marketOHLC.ohlc[0].vol == 0


def test_option_greeks_hold_the_first_level(encode: Encode) -> None:
    snap = snapshot(CALL)

    feed = encode(snap, Mode.OPTION_GREEKS)

    assert feed.requestMode == pb.option_greeks
    assert feed.WhichOneof("FeedUnion") == "firstLevelWithGreeks"
    body = feed.firstLevelWithGreeks
    check_ltpc(body.ltpc, snap)
    assert (body.firstDepth.bidP, body.firstDepth.askQ) == (snap.bids[0].price, snap.asks[0].quantity)
    assert (body.optionGreeks.delta, body.iv, body.oi, body.vtt) == (0.5013, 0.1124, 9120345.0, snap.volume)


def test_option_greeks_of_what_is_no_option_are_empty(encode: Encode) -> None:
    body = encode(snapshot(NIFTY), Mode.OPTION_GREEKS).firstLevelWithGreeks

    assert body.optionGreeks == pb.OptionGreeks()
    assert (body.firstDepth, body.vtt, body.iv) == (pb.Quote(), 0, 0)


def test_thirty_levels(encode: Encode) -> None:
    feed = encode(snapshot(RELIANCE), Mode.FULL_D30)

    assert feed.requestMode == pb.full_d30
    assert len(feed.fullFeed.marketFF.marketLevel.bidAskQuote) == 30


@pytest.mark.parametrize("bids", [0, 1, 3])
def test_sides_of_unequal_length_are_filled_up_with_nothing(encode: Encode, bids: int) -> None:
    snap = snapshot(RELIANCE)

    quotes = encode(replace(snap, bids=snap.bids[:bids]), Mode.FULL).fullFeed.marketFF.marketLevel.bidAskQuote

    assert [quote.bidQ for quote in quotes] == [level.quantity for level in snap.bids[:bids]] + [0] * (5 - bids)
    assert [quote.askP for quote in quotes] == [level.price for level in snap.asks]


def test_a_frame_is_its_rows_and_an_instant() -> None:
    encoder = RowEncoder()

    message = pb.FeedResponse.FromString(
        frame((encoder.row(snapshot(key), Mode.FULL) for key in (RELIANCE, NIFTY)), 1_795_153_504_010)
    )

    assert message.type == pb.live_feed
    assert set(message.feeds) == {RELIANCE, NIFTY}
    assert message.currentTs == 1_795_153_504_010
    assert not message.HasField("marketInfo")


@given(st.text(max_size=300), st.integers(0, 40_000))
def test_an_entry_of_any_length_is_what_protobuf_makes_of_it(key: str, size: int) -> None:
    feed = pb.Feed()
    feed.fullFeed.indexFF.marketOHLC.ohlc.add(interval="x" * size)

    message = pb.FeedResponse(feeds={key: feed})

    assert row(key, feed.SerializeToString()) == message.SerializeToString()


def test_midnight_is_in_india() -> None:
    assert midnight_ms(1_795_153_504_010) == 1_795_113_000_000
