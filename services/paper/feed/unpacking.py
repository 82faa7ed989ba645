"""From a recorded row back to what the broker's other calls need: a listing, a snapshot, minute bars."""

from __future__ import annotations

from services.paper.feed.encoding import midnight_ms
from services.paper.feed.requests import Mode
from services.paper.model import Greeks, Level, Listing, MarketBar, Snapshot
from services.wire.feed import feed_v3_pb2 as pb

MINUTE_MS = 60_000
_MOST_BARS = 24 * 60


def mode_of(feed: pb.Feed) -> Mode:
    """The mode in which a row was recorded."""
    union = feed.WhichOneof("FeedUnion")
    if union == "fullFeed":
        return Mode.FULL_D30 if feed.requestMode == pb.full_d30 else Mode.FULL
    return Mode.OPTION_GREEKS if union == "firstLevelWithGreeks" else Mode.LTPC


def ltpc_of(feed: pb.Feed) -> pb.LTPC:
    """The part that every mode has."""
    union = feed.WhichOneof("FeedUnion")
    if union == "fullFeed":
        full = feed.fullFeed
        return full.indexFF.ltpc if full.WhichOneof("FullFeedUnion") == "indexFF" else full.marketFF.ltpc
    return feed.firstLevelWithGreeks.ltpc if union == "firstLevelWithGreeks" else feed.ltpc


class MinuteTally:
    """The minutes of one instrument, counted out of its rows."""

    def __init__(self) -> None:
        self._bars: list[MarketBar] = []
        self._volume_before = 0

    def add(self, feed: pb.Feed) -> None:
        """Take in one row. Its price belongs to the minute of its last trade."""
        ltpc, volume, interest = ltpc_of(feed), _volume(feed), int(_interest(feed))
        start = ltpc.ltt // MINUTE_MS * MINUTE_MS
        last = self._bars[-1] if self._bars else None
        if last is None or start > last.start_ms:
            self._volume_before = volume if last is None else self._volume_before + last.volume
            done = max(volume - self._volume_before, 0)
            self._bars.append(MarketBar(start, ltpc.ltp, ltpc.ltp, ltpc.ltp, ltpc.ltp, done, interest))
            del self._bars[:-_MOST_BARS]
        elif start == last.start_ms:
            high, low = max(last.high, ltpc.ltp), min(last.low, ltpc.ltp)
            done = max(volume - self._volume_before, last.volume)
            self._bars[-1] = MarketBar(start, last.open, high, low, ltpc.ltp, done, interest)

    def bars(self) -> list[MarketBar]:
        """Oldest first; the last one may still form."""
        return list(self._bars)


def listing_of(key: str) -> Listing:
    """A listing for a key that no instrument file names: what the key itself tells."""
    segment, _, name = key.partition("|")
    exchange = segment.partition("_")[0]
    kind = {"EQ": "EQ", "INDEX": "INDEX"}.get(segment.partition("_")[2], "")
    row: dict[str, object] = {
        "segment": segment,
        "exchange": exchange,
        "name": name,
        "instrument_type": kind,
        "instrument_key": key,
        "exchange_token": name,
        "trading_symbol": name,
    }
    return Listing(key, segment, exchange, name, row)


def snapshot_of(listing: Listing, feed: pb.Feed, at_ms: int, bars: list[MarketBar]) -> Snapshot:
    """What `feed` holds, received at `at_ms`, with the `bars` counted so far (one at least). What its mode lacks is 0
    or absent; circuit limits, which no mode has, are absent, and the year's range is the day's."""
    ltpc = ltpc_of(feed)
    index = listing.segment.endswith("_INDEX")
    market = feed.fullFeed.marketFF
    held = (feed.fullFeed.indexFF if index else market).marketOHLC.ohlc
    candles = {bar.interval: bar for bar in held}
    day = candles.get("1d") or _day_of(bars)
    finished = candles.get("I1")
    interest = _interest(feed) or None
    bids, asks = _sides(feed)
    return Snapshot(
        listing=listing,
        at_ms=at_ms,
        ltp=ltpc.ltp,
        open=day.open,
        high=day.high,
        low=day.low,
        prev_close=ltpc.cp,
        day_start_ms=day.ts,
        volume=None if index else _volume(feed),
        average_price=None if index else market.atp,
        last_quantity=ltpc.ltq,
        last_trade_ms=ltpc.ltt,
        oi=interest,
        oi_day_high=interest,
        oi_day_low=interest,
        previous_oi=interest,
        lower_circuit=None,
        upper_circuit=None,
        year_high=day.high,
        year_low=day.low,
        total_buy_quantity=None if index else int(market.tbq),
        total_sell_quantity=None if index else int(market.tsq),
        bids=bids,
        asks=asks,
        greeks=_greeks(feed),
        minute=bars[-1],
        last_minute=_bar(finished) if finished is not None else bars[-2] if len(bars) > 1 else None,
    )


def _day_of(bars: list[MarketBar]) -> pb.OHLC:
    """The day as far as it was recorded."""
    return pb.OHLC(
        open=bars[0].open,
        high=max(bar.high for bar in bars),
        low=min(bar.low for bar in bars),
        ts=midnight_ms(bars[0].start_ms),
    )


def _bar(held: pb.OHLC) -> MarketBar:
    return MarketBar(held.ts, held.open, held.high, held.low, held.close, held.vol, 0)


def _volume(feed: pb.Feed) -> int:
    union = feed.WhichOneof("FeedUnion")
    return feed.firstLevelWithGreeks.vtt if union == "firstLevelWithGreeks" else feed.fullFeed.marketFF.vtt


def _interest(feed: pb.Feed) -> float:
    union = feed.WhichOneof("FeedUnion")
    return feed.firstLevelWithGreeks.oi if union == "firstLevelWithGreeks" else feed.fullFeed.marketFF.oi


def _sides(feed: pb.Feed) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
    """Bids and offers without empty levels; the feed has no order counts."""
    quotes = list(feed.fullFeed.marketFF.marketLevel.bidAskQuote)
    if feed.WhichOneof("FeedUnion") == "firstLevelWithGreeks":
        quotes = [feed.firstLevelWithGreeks.firstDepth]
    bids = tuple(Level(quote.bidP, quote.bidQ, 0) for quote in quotes if quote.bidP)
    asks = tuple(Level(quote.askP, quote.askQ, 0) for quote in quotes if quote.askP)
    return bids, asks


def _greeks(feed: pb.Feed) -> Greeks | None:
    """`None` for what is no option. The feed does not tell the probability of profit."""
    union = feed.WhichOneof("FeedUnion")
    body = feed.firstLevelWithGreeks if union == "firstLevelWithGreeks" else feed.fullFeed.marketFF
    greeks = body.optionGreeks
    if not greeks.ByteSize() and not body.iv:
        return None
    return Greeks(body.iv, greeks.delta, greeks.gamma, greeks.theta, greeks.vega, 0.0, greeks.rho)
