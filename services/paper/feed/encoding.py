"""From a snapshot to the protobuf bytes of one instrument in one mode, and from such rows to a frame.

Each row is a whole `FeedResponse` with a single entry: joined bytes of messages are the bytes of their union, so a
frame is put together from rows, encoded once for all who get them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, time
from functools import lru_cache
from itertools import zip_longest

from services.domain.clock import IST, epoch_ms, from_epoch_ms, ist_date
from services.paper.feed.depth import deeper
from services.paper.feed.requests import Mode
from services.paper.model import Level, MarketBar, Snapshot
from services.wire.feed import feed_v3_pb2 as pb

LEVELS, DEEP_LEVELS = 5, 30
_NO_LEVEL = Level(0.0, 0, 0)


def frame(rows: Iterable[bytes], at_ms: int) -> bytes:
    """A `live_feed` message of `rows`, current at `at_ms`."""
    return b"".join((*rows, pb.FeedResponse(type=pb.live_feed, currentTs=at_ms).SerializeToString()))


def row(key: str, feed: bytes) -> bytes:
    """The message that holds nothing but the serialized `feed` of `key`."""
    name = key.encode()
    inside = b"\x0a" + _varint(len(name)) + name + b"\x12" + _varint(len(feed)) + feed
    return b"\x12" + _varint(len(inside)) + inside


class RowEncoder:
    """Encodes snapshots. Keeps one message of each shape and sets its members anew, because building a message costs
    several times what filling one does. Not safe for several threads."""

    def __init__(self) -> None:
        self._light = _Light()
        self._index = _Index()
        self._full = _Full(LEVELS, pb.full_d5)
        self._deep = _Full(DEEP_LEVELS, pb.full_d30)
        self._greeks = _WithGreeks()

    def row(self, snap: Snapshot, mode: Mode) -> bytes:
        """The row of `snap` in `mode`. An index has a shape of its own in the full modes."""
        if mode is Mode.LTPC:
            feed = self._light.fill(snap)
        elif mode is Mode.OPTION_GREEKS:
            feed = self._greeks.fill(snap)
        elif snap.volume is None:
            feed = self._index.fill(snap, pb.full_d5 if mode is Mode.FULL else pb.full_d30)
        else:
            feed = (self._full if mode is Mode.FULL else self._deep).fill(snap)
        return row(snap.listing.key, feed.SerializeToString())


class _Light:
    def __init__(self) -> None:
        self._feed = pb.Feed()
        self._ltpc = self._feed.ltpc

    def fill(self, snap: Snapshot) -> pb.Feed:
        _set_ltpc(self._ltpc, snap)
        return self._feed


class _Index:
    def __init__(self) -> None:
        self._feed = pb.Feed()
        body = self._feed.fullFeed.indexFF
        self._ltpc = body.ltpc
        self._candles = _Candles(body.marketOHLC)

    def fill(self, snap: Snapshot, mode: pb.RequestMode) -> pb.Feed:
        self._feed.requestMode = mode
        _set_ltpc(self._ltpc, snap)
        self._candles.fill(snap)
        return self._feed


class _Full:
    def __init__(self, levels: int, mode: pb.RequestMode) -> None:
        self._feed = pb.Feed(requestMode=mode)
        self._body = body = self._feed.fullFeed.marketFF
        self._ltpc = body.ltpc
        self._quotes = [body.marketLevel.bidAskQuote.add() for _ in range(levels)]
        self._greeks = body.optionGreeks
        self._greeks.SetInParent()  # present and empty for what is no option, as in the documents
        self._candles = _Candles(body.marketOHLC)
        self._levels = levels

    def fill(self, snap: Snapshot) -> pb.Feed:
        body = self._body
        _set_ltpc(self._ltpc, snap)
        bids, asks = (snap.bids, snap.asks) if self._levels == LEVELS else deeper(snap, self._levels)
        _set_quotes(self._quotes, bids, asks)
        _set_greeks(self._greeks, snap)
        self._candles.fill(snap)
        body.atp = snap.average_price or 0.0
        body.vtt = snap.volume or 0
        body.oi = snap.oi or 0.0
        body.iv = snap.greeks.iv if snap.greeks else 0.0
        body.tbq = snap.total_buy_quantity or 0
        body.tsq = snap.total_sell_quantity or 0
        body.casEligible = snap.listing.row.get("cas_eligible") is True
        return self._feed


class _WithGreeks:
    def __init__(self) -> None:
        self._feed = pb.Feed(requestMode=pb.option_greeks)
        self._body = body = self._feed.firstLevelWithGreeks
        self._ltpc = body.ltpc
        self._quote = body.firstDepth
        self._quote.SetInParent()
        self._greeks = body.optionGreeks
        self._greeks.SetInParent()

    def fill(self, snap: Snapshot) -> pb.Feed:
        body = self._body
        _set_ltpc(self._ltpc, snap)
        _set_quotes([self._quote], snap.bids, snap.asks)
        _set_greeks(self._greeks, snap)
        body.vtt = snap.volume or 0
        body.oi = snap.oi or 0.0
        body.iv = snap.greeks.iv if snap.greeks else 0.0
        return self._feed


class _Candles:
    """`1d`, and `I1`: the last finished minute, absent in the first minute of a session."""

    def __init__(self, held: pb.MarketOHLC) -> None:
        self._held = held
        self._day = held.ohlc.add(interval="1d")
        self._minute = held.ohlc.add(interval="I1")

    def fill(self, snap: Snapshot) -> None:
        day = self._day
        day.open, day.high, day.low, day.close = snap.open, snap.high, snap.low, snap.ltp
        day.vol = snap.volume or 0
        day.ts = midnight_ms(snap.day_start_ms)
        if snap.last_minute is None:
            del self._held.ohlc[1:]
            return
        if len(self._held.ohlc) == 1:
            self._minute = self._held.ohlc.add(interval="I1")
        _set_minute(self._minute, snap.last_minute)


@lru_cache(64)
def midnight_ms(at_ms: int) -> int:
    """The midnight in India before `at_ms`."""
    return epoch_ms(datetime.combine(ist_date(from_epoch_ms(at_ms)), time(0, 0), IST))


def _set_ltpc(held: pb.LTPC, snap: Snapshot) -> None:
    held.ltp = snap.ltp
    held.ltt = snap.last_trade_ms
    held.ltq = snap.last_quantity
    held.cp = snap.prev_close


def _set_quotes(held: Sequence[pb.Quote], bids: Sequence[Level], asks: Sequence[Level]) -> None:
    if len(bids) != len(held) or len(asks) != len(held):
        bids, asks = _padded(bids, len(held)), _padded(asks, len(held))
    for quote, bid, ask in zip(held, bids, asks, strict=True):
        quote.bidQ = bid.quantity
        quote.bidP = bid.price
        quote.askQ = ask.quantity
        quote.askP = ask.price


def _padded(levels: Sequence[Level], count: int) -> list[Level]:
    return [level or _NO_LEVEL for level, _ in zip_longest(levels[:count], range(count))]


def _set_greeks(held: pb.OptionGreeks, snap: Snapshot) -> None:
    greeks = snap.greeks
    if greeks is None:
        held.delta = held.theta = held.gamma = held.vega = held.rho = 0.0
        return
    held.delta = greeks.delta
    held.theta = greeks.theta
    held.gamma = greeks.gamma
    held.vega = greeks.vega
    held.rho = greeks.rho


def _set_minute(held: pb.OHLC, bar: MarketBar) -> None:
    held.open, held.high, held.low, held.close = bar.open, bar.high, bar.low, bar.close
    held.vol = bar.volume
    held.ts = bar.start_ms


def _varint(value: int) -> bytes:
    if value < 0x80:
        return bytes((value,))
    if value < 0x4000:
        return bytes((value & 0x7F | 0x80, value >> 7))
    return bytes((value & 0x7F | 0x80, value >> 7 & 0x7F | 0x80, value >> 14))
