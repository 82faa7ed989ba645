"""Frames of the market feed -> flat rows, by reading attributes of generated messages.

The hottest code of the desk: a busy screen is 50,000 updates a second. Frames are parsed by the outline schema
(`feed_v3_outline.proto`), which leaves depth, greeks and bars as bytes for `details`; no message outlives the call,
since the smallest one would keep its whole frame in memory. On this wire a message that comes in two pieces is joined;
what stays bytes here counts with its last piece only. No encoder makes such frames.
"""

from __future__ import annotations

import re

from google.protobuf.message import DecodeError

from services.domain.errors import MalformedPayload
from services.wire.feed import feed_v3_pb2 as whole
from services.wire.feed.feed_v3_outline_pb2 import (
    LTPC,
    Feed,
    FeedResponse,
    FirstLevelWithGreeks,
    IndexFullFeed,
    MarketFullFeed,
)
from services.wire.feed.rows import (
    FIRST_LEVEL,
    INDEX,
    KIND,
    LTP,
    LTPC_ONLY,
    LTT_MS,
    MARKET,
    PREV_CLOSE,
    FeedRow,
    Frame,
    MarketInfo,
    SegmentPhase,
)

_AUCTION = re.compile(rb"\x2a(?:\x00|\x09\x09|[\x80\x89])")
"""An indicative price, or one of 0, as encoders write it: field 5 of LTPC, its length of 9 or 0 (which may be padded),
the price. There is none outside auctions, and to ask every feed for one takes a tenth of the time. Other bytes that
look like one only cost that tenth."""
_LOWEST, _HIGHEST = -1e15, 1e15
"""Prices beyond these, infinite ones, and what is not a number come from a broken frame."""
_LAST_MS = 253_402_300_799_999
"""The end of the year 9999: what a `datetime` can hold."""


def decode(frame: bytes) -> Frame:
    """What `frame` says. Raises `MalformedPayload` where it is not a message of the feed, and nothing else."""
    try:
        response = FeedResponse.FromString(frame)
        market = _market_info(response.marketInfo) if response.HasField("marketInfo") else None
    except DecodeError as error:
        raise MalformedPayload(f"a frame of {len(frame)} bytes is not a message of the feed", field="frame") from error
    at_ms = response.currentTs
    if not 0 <= at_ms <= _LAST_MS:
        raise MalformedPayload("a frame of no possible time", field="currentTs")
    rows: list[FeedRow] = []
    skipped = 0
    # Asking a union which arm it holds costs as much as four members. So the arm of the last feed is tried first, and a
    # member that is not zero tells that it is there. The rows are made in place: calls would be a tenth of the time.
    auction = _AUCTION.search(frame) is not None
    guess = LTPC_ONLY
    feeds = response.feeds
    for key in feeds:  # a fifth quicker than items(), which is a generator here
        feed = feeds[key]
        if guess == LTPC_ONLY and (ltp := (ltpc := feed.ltpc).ltp):
            row: FeedRow | None = (
                key, LTPC_ONLY, 0,
                ltp, (ltt := ltpc.ltt), ltpc.ltq, (cp := ltpc.cp),
                ltpc.iep.value if auction and ltpc.HasField("iep") else None,
                None, None, None, None, None, None, None, None, None, None, None, None, None, None, None,
            )  # fmt: skip
        elif levels := (full := feed.fullFeed.marketFF).marketLevel:
            guess = MARKET
            ltpc = full.ltpc
            ltp = ltpc.ltp
            row = (
                key, MARKET, feed.requestMode,
                ltp, (ltt := ltpc.ltt), ltpc.ltq, (cp := ltpc.cp),
                ltpc.iep.value if auction and ltpc.HasField("iep") else None,
                full.vtt, full.oi, full.iv, full.atp, full.tbq, full.tsq,
                full.iep, full.rp, full.ieq, full.iiqTotal, full.iiqM, full.casEligible,
                levels,
                full.optionGreeks or _empty_or_absent(full, "optionGreeks"),
                full.marketOHLC or _empty_or_absent(full, "marketOHLC"),
            )  # fmt: skip
        elif (row := _row(key, feed)) is not None:
            guess, ltp, ltt, cp = row[KIND], row[LTP], row[LTT_MS], row[PREV_CLOSE]
        if row is not None and _LOWEST < ltp + cp < _HIGHEST and 0 <= ltt <= _LAST_MS:
            rows.append(row)
        else:
            skipped += 1
    return Frame(at_ms, rows, market, skipped)


def _row(key: str, feed: Feed) -> FeedRow | None:
    """The row of any feed; None where it is of a kind that the desk does not know, or empty."""
    arm = feed.WhichOneof("FeedUnion")
    if arm == "fullFeed":
        full = feed.fullFeed
        arm = full.WhichOneof("FullFeedUnion")
        if arm == "marketFF":
            return _market(key, feed.requestMode, full.marketFF)
        if arm == "indexFF":
            return _index(key, feed.requestMode, full.indexFF)
    elif arm == "ltpc":
        return _ltpc(key, feed.ltpc)
    elif arm == "firstLevelWithGreeks":
        return _first_level(key, feed.requestMode, feed.firstLevelWithGreeks)
    return None


def _ltpc(key: str, ltpc: LTPC) -> FeedRow:
    return (
        key, LTPC_ONLY, 0,
        ltpc.ltp, ltpc.ltt, ltpc.ltq, ltpc.cp, ltpc.iep.value if ltpc.HasField("iep") else None,
        None, None, None, None, None, None, None, None, None, None, None, None, None, None, None,
    )  # fmt: skip


def _market(key: str, mode: int, feed: MarketFullFeed) -> FeedRow:
    ltpc = feed.ltpc
    return (
        key, MARKET, mode,
        ltpc.ltp, ltpc.ltt, ltpc.ltq, ltpc.cp, ltpc.iep.value if ltpc.HasField("iep") else None,
        feed.vtt, feed.oi, feed.iv, feed.atp, feed.tbq, feed.tsq,
        feed.iep, feed.rp, feed.ieq, feed.iiqTotal, feed.iiqM, feed.casEligible,
        feed.marketLevel or _empty_or_absent(feed, "marketLevel"),
        feed.optionGreeks or _empty_or_absent(feed, "optionGreeks"),
        feed.marketOHLC or _empty_or_absent(feed, "marketOHLC"),
    )  # fmt: skip


def _index(key: str, mode: int, feed: IndexFullFeed) -> FeedRow:
    ltpc = feed.ltpc
    return (
        key, INDEX, mode,
        ltpc.ltp, ltpc.ltt, ltpc.ltq, ltpc.cp, ltpc.iep.value if ltpc.HasField("iep") else None,
        None, None, None, None, None, None, None, None, None, None, None, None, None, None,
        feed.marketOHLC or _empty_or_absent(feed, "marketOHLC"),
    )  # fmt: skip


def _first_level(key: str, mode: int, feed: FirstLevelWithGreeks) -> FeedRow:
    ltpc = feed.ltpc
    return (
        key, FIRST_LEVEL, mode,
        ltpc.ltp, ltpc.ltt, ltpc.ltq, ltpc.cp, ltpc.iep.value if ltpc.HasField("iep") else None,
        feed.vtt, feed.oi, feed.iv,
        None, None, None, None, None, None, None, None, None,
        _as_levels(feed.firstDepth) if feed.HasField("firstDepth") else None,
        feed.optionGreeks or _empty_or_absent(feed, "optionGreeks"),
        None,
    )  # fmt: skip


def _empty_or_absent(feed: MarketFullFeed | IndexFullFeed | FirstLevelWithGreeks, member: str) -> bytes | None:
    return b"" if feed.HasField(member) else None


def _as_levels(quote: bytes) -> bytes:
    """The one level of a feed with greeks as a book of one level, so that depth has one form."""
    if len(quote) < 128:  # field 1, a message, its length in one byte
        return b"\n" + bytes((len(quote),)) + quote
    return whole.MarketLevel(bidAskQuote=[whole.Quote.FromString(quote)]).SerializeToString()


def _market_info(raw: bytes) -> MarketInfo:
    info = whole.MarketInfo.FromString(raw)
    return MarketInfo(
        {segment: _STATUS_NAMES.get(status, str(status)) for segment, status in info.segmentStatus.items()},
        {segment: SegmentPhase(told.status, told.updatedTime) for segment, told in info.casMarketStatus.items()},
        {segment: SegmentPhase(told.status, told.updatedTime) for segment, told in info.preOpenSessionStatus.items()},
    )


_STATUS_NAMES = {number: name for name, number in whole.MarketStatus.items()}
