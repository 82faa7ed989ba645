"""Frames become rows that say what the broker's own classes say, whatever comes."""

from __future__ import annotations

import math
import struct
from types import ModuleType
from typing import Any

import pytest
from google.protobuf import json_format
from hypothesis import example, given
from hypothesis import strategies as st

from services.domain.errors import MalformedPayload
from services.wire.feed import feed_v3_pb2 as pb
from services.wire.feed.decoder import decode
from services.wire.feed.details import FeedBar, FeedGreeks, FeedLevel, find_bar, read_depth, read_greeks
from services.wire.feed.rows import (
    BARS,
    CAS_ELIGIBLE,
    DEPTH,
    FIRST_LEVEL,
    GREEKS,
    IEP,
    INDEX,
    IV,
    KIND,
    LTP,
    LTPC_ONLY,
    MARKET,
    MARKET_IMBALANCE,
    MODE,
    OI,
    PREV_CLOSE,
    VOLUME,
    FeedRow,
    Frame,
    SegmentPhase,
)
from tests.support.feed_frames import (
    AT_MS,
    DOCUMENTED,
    NIFTY,
    OPTION,
    RELIANCE,
    documented,
    full_frame,
    ltpc_frame,
    patient_rows,
    responses,
    sdk_messages,
)


@pytest.fixture(scope="module")
def official() -> ModuleType:
    return sdk_messages()


def told(frame: Frame) -> dict[str, tuple[Any, ...]]:
    """The rows with their bytes read."""
    return {
        row[0]: (
            *row[:DEPTH],
            None if row[DEPTH] is None else read_depth(row[DEPTH]),
            None if row[GREEKS] is None else read_greeks(row[GREEKS]),
            None if row[BARS] is None else bars_of(row[BARS]),
        )
        for row in frame.feeds
    }


def bars_of(raw: bytes) -> list[FeedBar]:
    """All bars; the first of each interval is the one that is found by it."""
    told = pb.MarketOHLC.FromString(raw).ohlc
    bars = [FeedBar(one.interval, one.open, one.high, one.low, one.close, one.vol, one.ts) for one in told]
    for interval in {bar.interval for bar in bars}:
        assert find_bar(raw, interval) == next(bar for bar in bars if bar.interval == interval)
    return bars


def day_bar(raw: bytes) -> FeedBar | None:
    return find_bar(raw, "1d")


def one(feed: pb.Feed) -> FeedRow:
    [row] = decode(pb.FeedResponse(feeds={RELIANCE: feed}).SerializeToString()).feeds
    return row


@pytest.mark.parametrize("name", DOCUMENTED)
def test_documented_messages_of_the_official_classes_are_read_alike(name: str, official: ModuleType) -> None:
    judge = json_format.ParseDict(documented(name), official.FeedResponse())

    frame = decode(judge.SerializeToString())

    assert frame.at_ms == judge.currentTs
    assert told(frame) == patient_rows(judge)
    assert frame.skipped == 0
    assert (frame.market is not None) == judge.HasField("marketInfo")


@pytest.mark.parametrize("name", DOCUMENTED)
def test_documented_messages_of_ours_are_read_alike_by_the_official_classes(name: str, official: ModuleType) -> None:
    printed = documented(name)
    ours = json_format.ParseDict(printed, pb.FeedResponse()).SerializeToString()

    assert json_format.MessageToDict(official.FeedResponse.FromString(ours)) == printed


def test_the_documented_share_is_read_as_printed() -> None:
    message = json_format.ParseDict(documented("upstox/examples/ws_full_equity.json"), pb.FeedResponse())

    frame = decode(message.SerializeToString())

    [row] = frame.feeds
    assert frame.at_ms == 1795153504010
    assert row[:DEPTH] == (
        RELIANCE, MARKET, pb.full_d5, 1472.5, 1795153503845, 12, 1465.2, None, 4312876, 0.0, 0.0, 1470.84, 512340.0,
        640118.0, 0.0, 0.0, 0, 0, 0, True,
    )  # fmt: skip
    assert row[DEPTH] is not None
    assert read_depth(row[DEPTH])[1] == FeedLevel(1472.3, 380, 1472.6, 240)
    assert row[GREEKS] == b""
    assert row[BARS] is not None
    assert find_bar(row[BARS], "I1") == FeedBar("I1", 1472.0, 1472.9, 1471.6, 1472.2, 18233, 1795153440000)


def test_an_index_has_bars_but_neither_volume_nor_depth() -> None:
    message = json_format.ParseDict(documented("upstox/examples/ws_full_index.json"), pb.FeedResponse())

    [row] = decode(message.SerializeToString()).feeds

    assert row[:OI] == (NIFTY, INDEX, pb.full_d5, 25986.45, 1795153504000, 0, 25910.05, None, None)
    assert row[OI:BARS] == (None,) * 13
    assert row[BARS] is not None
    assert [bar.interval for bar in bars_of(row[BARS])] == ["1d", "I1"]
    assert find_bar(row[BARS], "I5") is None


def test_the_first_level_of_an_option_reads_as_a_book_of_one_level() -> None:
    message = json_format.ParseDict(documented("upstox/examples/ws_option_greeks.json"), pb.FeedResponse())

    [row] = decode(message.SerializeToString()).feeds

    assert (row[0], row[KIND], row[MODE], row[VOLUME]) == (OPTION, FIRST_LEVEL, pb.option_greeks, 48213750)
    assert row[DEPTH] is not None
    assert read_depth(row[DEPTH]) == [FeedLevel(187.6, 1300, 187.9, 975)]
    assert row[GREEKS] is not None
    assert read_greeks(row[GREEKS]) == FeedGreeks(0.5013, -14.2077, 0.0011, 10.8321, 1.4402)
    assert row[CAS_ELIGIBLE] is row[BARS] is None


def test_a_first_level_longer_than_usual_is_read_too() -> None:
    quote = pb.Quote(bidQ=65, bidP=187.6)
    quote.MergeFromString(b"\x2a\x80\x01" + b"x" * 128)  # a member that the desk does not know

    row = one(pb.Feed(firstLevelWithGreeks=pb.FirstLevelWithGreeks(firstDepth=quote)))

    assert row[DEPTH] is not None
    assert read_depth(row[DEPTH]) == [FeedLevel(187.6, 65, 0.0, 0)]


def test_a_price_of_zero_is_zero_in_every_kind() -> None:
    kinds = {
        LTPC_ONLY: pb.Feed(ltpc=pb.LTPC()),
        MARKET: pb.Feed(fullFeed=pb.FullFeed(marketFF=pb.MarketFullFeed())),
        INDEX: pb.Feed(fullFeed=pb.FullFeed(indexFF=pb.IndexFullFeed())),
        FIRST_LEVEL: pb.Feed(firstLevelWithGreeks=pb.FirstLevelWithGreeks()),
    }

    rows = {kind: one(feed) for kind, feed in kinds.items()}

    assert {kind: row[KIND] for kind, row in rows.items()} == {kind: kind for kind in kinds}
    assert {row[LTP : IEP + 1] for row in rows.values()} == {(0.0, 0, 0, 0.0, None)}
    assert rows[MARKET][VOLUME:DEPTH] == (0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0, 0, 0, False)
    assert rows[FIRST_LEVEL][VOLUME : OI + 2] == (0, 0.0, 0.0)
    assert rows[LTPC_ONLY][VOLUME:] == (None,) * 15


def test_an_indicative_price_of_zero_is_told_from_none() -> None:
    without, zero, some = (
        one(pb.Feed(ltpc=pb.LTPC(ltp=10.0, iep=iep)))[IEP] for iep in (None, {"value": 0.0}, {"value": 10.5})
    )

    assert without is None
    assert (zero, some) == (0.0, 10.5)


@pytest.mark.parametrize(
    ("encoded", "price"),
    [
        (b"\x2a\x09\x09" + struct.pack("<d", 10.5), 10.5),
        (b"\x2a\x09\x09" + bytes(8), 0.0),
        (b"\x2a\x00", 0.0),
        (b"\x2a\x89\x00\x09" + struct.pack("<d", 10.5), 10.5),  # lengths of more bytes than needed are allowed
        (b"\x2a\x89\x80\x80\x00\x09" + struct.pack("<d", 10.5), 10.5),
        (b"\x2a\x80\x80\x00", 0.0),
    ],
)
@pytest.mark.parametrize("full", [False, True])
def test_an_indicative_price_is_found_however_it_is_encoded(encoded: bytes, price: float, full: bool) -> None:
    ltpc = pb.LTPC(ltp=10.0, ltt=AT_MS, ltq=5, cp=9.5).SerializeToString() + encoded
    levels = pb.MarketLevel(bidAskQuote=[pb.Quote(bidQ=1)]).SerializeToString()
    market = b"\x0a" + bytes((len(ltpc),)) + ltpc + b"\x12" + bytes((len(levels),)) + levels
    body = b"\x0a" + bytes((len(market),)) + market if full else ltpc
    feed = (b"\x12" if full else b"\x0a") + bytes((len(body),)) + body
    entry = b"\x0a\x01A\x12" + bytes((len(feed),)) + feed

    [row] = decode(b"\x12" + bytes((len(entry),)) + entry).feeds

    assert (row[KIND], row[IEP]) == (MARKET if full else LTPC_ONLY, price)


def test_a_book_that_became_empty_is_told_from_one_that_was_not_sent() -> None:
    empty = one(pb.Feed(fullFeed=pb.FullFeed(marketFF=pb.MarketFullFeed(marketLevel=pb.MarketLevel()))))
    absent = one(pb.Feed(fullFeed=pb.FullFeed(marketFF=pb.MarketFullFeed())))

    assert (empty[DEPTH], absent[DEPTH]) == (b"", None)


def test_whole_numbers_keep_all_their_64_bits() -> None:
    row = one(pb.Feed(fullFeed=pb.FullFeed(marketFF=pb.MarketFullFeed(vtt=2**63 - 1, iiqM=-(2**63)))))

    assert (row[VOLUME], row[MARKET_IMBALANCE]) == (2**63 - 1, -(2**63))


@pytest.mark.parametrize(
    "impossible",
    [
        {"ltp": float("nan")},
        {"ltp": float("inf")},
        {"ltp": float("-inf"), "cp": float("inf")},
        {"ltp": 1e300},
        {"ltp": 5.0, "cp": float("nan")},
        {"ltp": 5.0, "ltt": -1},
        {"ltt": 2**62},
    ],
)
@pytest.mark.parametrize("kind", ["ltpc", "market", "index"])
def test_a_feed_with_an_impossible_price_or_time_is_left_out_and_counted(impossible: dict[str, Any], kind: str) -> None:
    ltpc, levels = pb.LTPC(**impossible), pb.MarketLevel(bidAskQuote=[pb.Quote(bidQ=1)])
    bad = {
        "ltpc": pb.Feed(ltpc=ltpc),
        "market": pb.Feed(fullFeed=pb.FullFeed(marketFF=pb.MarketFullFeed(ltpc=ltpc, marketLevel=levels))),
        "index": pb.Feed(fullFeed=pb.FullFeed(indexFF=pb.IndexFullFeed(ltpc=ltpc))),
    }[kind]
    good = pb.Feed(ltpc=pb.LTPC(ltp=10.0, cp=9.0))

    frame = decode(pb.FeedResponse(feeds={RELIANCE: bad, NIFTY: good}).SerializeToString())

    assert [row[0] for row in frame.feeds] == [NIFTY]
    assert frame.feeds[0][PREV_CLOSE] == 9.0
    assert frame.skipped == 1


@pytest.mark.parametrize("at_ms", [-1, 2**62])
def test_a_frame_of_an_impossible_time_is_refused(at_ms: int) -> None:
    with pytest.raises(MalformedPayload) as caught:
        decode(pb.FeedResponse(currentTs=at_ms).SerializeToString())

    assert caught.value.field == "currentTs"


def test_what_the_broker_could_not_compute_does_not_cost_the_price() -> None:
    full = pb.MarketFullFeed(ltpc=pb.LTPC(ltp=5.0), iv=float("nan"))

    row = one(pb.Feed(fullFeed=pb.FullFeed(marketFF=full)))

    assert row[LTP] == 5.0
    assert row[IV] is not None
    assert math.isnan(row[IV])


def test_feeds_of_an_unknown_kind_are_counted_and_the_others_read() -> None:
    new_kind = pb.Feed()
    new_kind.MergeFromString(b"\x2a\x02\x08\x01")
    new_full = pb.Feed(fullFeed=pb.FullFeed())

    frame = decode(
        pb.FeedResponse(
            feeds={"A": new_kind, "B": new_full, RELIANCE: pb.Feed(ltpc=pb.LTPC(ltp=1.0))}
        ).SerializeToString()
    )

    assert [row[0] for row in frame.feeds] == [RELIANCE]
    assert frame.skipped == 2


def test_market_information_names_its_segments_and_what_it_does_not_know() -> None:
    info = pb.MarketInfo(segmentStatus={"NSE_EQ": pb.PRE_OPEN_START, "NSE_FO": pb.NORMAL_OPEN, "MCX_FO": 77})
    info.casMarketStatus["NSE_EQ"].status = "CAS_LM_START"
    info.casMarketStatus["NSE_EQ"].updatedTime = AT_MS
    info.preOpenSessionStatus["NSE_EQ"].status = "PRE_OPEN_END"

    market = decode(pb.FeedResponse(type=pb.market_info, marketInfo=info).SerializeToString()).market

    assert market is not None
    assert market.segments == {"NSE_EQ": "PRE_OPEN_START", "NSE_FO": "NORMAL_OPEN", "MCX_FO": "77"}
    assert market.closing_auction == {"NSE_EQ": SegmentPhase("CAS_LM_START", AT_MS)}
    assert market.pre_open == {"NSE_EQ": SegmentPhase("PRE_OPEN_END", 0)}


def test_the_kind_of_message_is_told_by_what_is_in_it_not_by_its_label() -> None:
    labels = (pb.initial_feed, pb.live_feed, pb.market_info, 9)

    frames = [decode(pb.FeedResponse(type=label, feeds={NIFTY: pb.Feed(ltpc=pb.LTPC(ltp=5.0))}).SerializeToString())
              for label in labels]  # fmt: skip

    assert len({frame.feeds[0] for frame in frames}) == 1


def test_an_empty_message_says_nothing() -> None:
    assert decode(b"") == Frame(0, [], None, 0)


@given(responses)
def test_any_message_reads_as_the_whole_classes_read_it(response: pb.FeedResponse) -> None:
    frame = decode(response.SerializeToString())

    expected = patient_rows(response)
    assert told(frame) == expected
    assert frame.at_ms == response.currentTs
    assert frame.skipped == len(response.feeds) - len(expected)
    if frame.market is not None:
        assert frame.market.closing_auction.keys() == response.marketInfo.casMarketStatus.keys()


@given(response=responses)
def test_any_message_reads_as_the_official_classes_read_it(official: ModuleType, response: pb.FeedResponse) -> None:
    frame = response.SerializeToString()

    assert told(decode(frame)) == patient_rows(official.FeedResponse.FromString(frame))


def reads_or_complains(frame: bytes) -> None:
    try:
        rows = decode(frame).feeds
    except MalformedPayload:
        return
    for row in rows:
        for place, read in ((DEPTH, read_depth), (GREEKS, read_greeks), (BARS, day_bar)):
            raw = row[place]
            try:
                if raw is not None:
                    read(raw)  # type: ignore[operator]  # the union of the three readers
            except MalformedPayload:
                pass


@given(st.binary(max_size=400))
@example(b"\xff")
@example(b"\x12\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01")
def test_random_bytes_are_read_or_refused_in_our_own_words(frame: bytes) -> None:
    reads_or_complains(frame)


@given(st.data())
def test_mutated_frames_are_read_or_refused_in_our_own_words(data: st.DataObject) -> None:
    whole = bytearray(data.draw(st.sampled_from([full_frame(3), ltpc_frame(6)])))
    places = st.integers(0, len(whole) - 1)
    for place, value in data.draw(st.lists(st.tuples(places, st.integers(0, 255)), max_size=6)):
        whole[place] = value

    reads_or_complains(bytes(whole))
    reads_or_complains(bytes(whole[: data.draw(places)]))


def test_a_frame_cut_in_the_middle_is_refused() -> None:
    frame = full_frame(4)

    with pytest.raises(MalformedPayload, match="not a message of the feed") as caught:
        decode(frame[: len(frame) * 3 // 5])

    assert caught.value.field == "frame"


@pytest.mark.parametrize("read", [read_depth, read_greeks, day_bar])
def test_damaged_details_are_refused_when_they_are_read(read: Any) -> None:
    with pytest.raises(MalformedPayload):
        read(b"\x0a\xff")
