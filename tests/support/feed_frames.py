"""Frames of the market feed: the documented ones, made-up ones of any size, and random ones for properties."""

from __future__ import annotations

import random
import warnings
from types import ModuleType
from typing import Any

import orjson
import pytest
from hypothesis import strategies as st

from services.wire.feed import feed_v3_pb2 as pb
from services.wire.feed.details import FeedBar, FeedGreeks, FeedLevel
from services.wire.feed.rows import FIRST_LEVEL, INDEX, LTPC_ONLY, MARKET
from tests.support.shared_data import shared

AT_MS = 1_795_153_504_010
"""Friday, 20 November 2026, 11:15:04 IST."""
RELIANCE = "NSE_EQ|INE002A01018"
NIFTY = "NSE_INDEX|Nifty 50"
OPTION = "NSE_FO|56983"

DOCUMENTED = (
    "upstox/examples/ws_ltpc.json",
    "upstox/examples/ws_full_equity.json",
    "upstox/examples/ws_full_index.json",
    "upstox/examples/ws_full_option.json",
    "upstox/examples/ws_option_greeks.json",
    "upstox/examples/ws_market_info.json",
    *(f"data/upstox_api_samples/v3_get-market-data-feed_{number}.json" for number in range(1, 6)),
)
"""Messages as the broker's documents print them: JSON made of protobuf, int64 as text, zeros left out."""


def sdk_messages() -> ModuleType:
    """The official SDK's compiled messages: the judge. The test is skipped where the SDK is not installed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip("upstox_client", reason="the official SDK is a test dependency")
        from upstox_client.feeder.proto import MarketDataFeedV3_pb2

    messages: ModuleType = MarketDataFeedV3_pb2
    return messages


def documented(name: str) -> dict[str, Any]:
    """One of `DOCUMENTED`. One of them closes a bracket too late, which moves two members to where no schema has them;
    they are put right."""
    told: dict[str, Any] = orjson.loads(shared(name).read_bytes())
    feeds = told.get("feeds", {})
    if "currentTs" in feeds:
        told["currentTs"] = feeds.pop("currentTs")
    for feed in feeds.values():
        if mode := feed.get("fullFeed", {}).pop("requestMode", None):
            feed["requestMode"] = mode
    return told


def keys(count: int) -> list[str]:
    return [f"NSE_FO|{50_000 + place}" for place in range(count)]


def ltpc_frame(count: int, *, seed: int = 1) -> bytes:
    """A frame of `count` instruments in `ltpc` mode."""
    chance = random.Random(seed)
    message = pb.FeedResponse(type=pb.live_feed, currentTs=AT_MS)
    for key in keys(count):
        _fill_ltpc(message.feeds[key].ltpc, chance)
    return message.SerializeToString()


def full_frame(count: int, *, seed: int = 1, levels: int = 5) -> bytes:
    """A frame of `count` derivatives in `full` mode: every member told but those of the closing auction."""
    chance = random.Random(seed)
    message = pb.FeedResponse(type=pb.live_feed, currentTs=AT_MS)
    for key in keys(count):
        feed = message.feeds[key]
        feed.requestMode = pb.full_d5 if levels <= 5 else pb.full_d30
        _fill_market(feed.fullFeed.marketFF, chance, levels)
    return message.SerializeToString()


def _fill_ltpc(ltpc: pb.LTPC, chance: random.Random) -> None:
    ltpc.ltp = round(chance.uniform(50, 5000), 2)
    ltpc.ltt = AT_MS - chance.randrange(900)
    ltpc.ltq = chance.randrange(1, 5000)
    ltpc.cp = round(chance.uniform(50, 5000), 2)


def _fill_market(feed: pb.MarketFullFeed, chance: random.Random, levels: int) -> None:
    _fill_ltpc(feed.ltpc, chance)
    price = feed.ltpc.ltp
    for step in range(levels):
        feed.marketLevel.bidAskQuote.add(
            bidQ=chance.randrange(1, 20_000),
            bidP=round(price - 0.05 * step, 2),
            askQ=chance.randrange(1, 20_000),
            askP=round(price + 0.05 * (step + 1), 2),
        )
    greeks = feed.optionGreeks
    greeks.delta, greeks.theta, greeks.gamma, greeks.vega, greeks.rho = 0.5013, -14.2077, 0.0011, 10.8321, 1.4402
    for interval, start in (("1d", 1_795_113_000_000), ("I1", 1_795_153_440_000)):
        feed.marketOHLC.ohlc.add(
            interval=interval,
            open=round(price * 0.99, 2),
            high=round(price * 1.01, 2),
            low=round(price * 0.98, 2),
            close=price,
            vol=chance.randrange(10**8),
            ts=start,
        )
    feed.atp = round(price * 0.995, 2)
    feed.vtt = chance.randrange(10**8)
    feed.oi = float(chance.randrange(10**7))
    feed.iv = 0.1124
    feed.tbq = float(chance.randrange(10**7))
    feed.tsq = float(chance.randrange(10**7))


# -- the patient reading, by which the quick one is judged -----------------------------------------------------------


def patient_rows(response: Any) -> dict[str, tuple[Any, ...]]:  # Any: our message or the SDK's
    """Rows as the decoder gives them, with depth, greeks and bars read, from a whole message."""
    return {key: row for key, feed in response.feeds.items() if (row := _patient_row(key, feed)) is not None}


def _patient_row(key: str, feed: Any) -> tuple[Any, ...] | None:
    nothing = (None,) * 6
    match feed.WhichOneof("FeedUnion"):
        case "ltpc":
            return (key, LTPC_ONLY, 0, *_patient_ltpc(feed), None, None, None, None, None, None, *nothing, *(None,) * 3)
        case "firstLevelWithGreeks":
            told = feed.firstLevelWithGreeks
            depth = [_patient_level(told.firstDepth)] if told.HasField("firstDepth") else None
            return (
                key, FIRST_LEVEL, feed.requestMode, *_patient_ltpc(told), told.vtt, told.oi, told.iv, None, None, None,
                *nothing, depth, _patient_greeks(told), None,
            )  # fmt: skip
        case "fullFeed":
            match feed.fullFeed.WhichOneof("FullFeedUnion"):
                case "marketFF":
                    told = feed.fullFeed.marketFF
                    levels = told.marketLevel.bidAskQuote
                    depth = [_patient_level(level) for level in levels] if told.HasField("marketLevel") else None
                    return (
                        key, MARKET, feed.requestMode, *_patient_ltpc(told), told.vtt, told.oi, told.iv, told.atp,
                        told.tbq, told.tsq, told.iep, told.rp, told.ieq, told.iiqTotal, told.iiqM, told.casEligible,
                        depth, _patient_greeks(told), _patient_bars(told),
                    )  # fmt: skip
                case "indexFF":
                    told = feed.fullFeed.indexFF
                    return (
                        key, INDEX, feed.requestMode, *_patient_ltpc(told), None, None, None, None, None, None,
                        *nothing, None, None, _patient_bars(told),
                    )  # fmt: skip
    return None


def _patient_ltpc(told: Any) -> tuple[Any, ...]:
    ltpc = told.ltpc
    return ltpc.ltp, ltpc.ltt, ltpc.ltq, ltpc.cp, ltpc.iep.value if ltpc.HasField("iep") else None


def _patient_level(level: Any) -> FeedLevel:
    return FeedLevel(level.bidP, level.bidQ, level.askP, level.askQ)


def _patient_greeks(told: Any) -> FeedGreeks | None:
    greeks = told.optionGreeks
    values = FeedGreeks(greeks.delta, greeks.theta, greeks.gamma, greeks.vega, greeks.rho)
    return values if told.HasField("optionGreeks") else None


def _patient_bars(told: Any) -> list[FeedBar] | None:
    if not told.HasField("marketOHLC"):
        return None
    return [
        FeedBar(bar.interval, bar.open, bar.high, bar.low, bar.close, bar.vol, bar.ts) for bar in told.marketOHLC.ohlc
    ]


# -- random messages -------------------------------------------------------------------------------------------------

_int64 = st.one_of(st.just(0), st.integers(0, 2**24), st.integers(-(2**63), 2**63 - 1))
_price = st.one_of(st.just(0.0), st.floats(-1e12, 1e12, allow_nan=False))
_text = st.text(max_size=24)
_instant = st.one_of(st.just(0), st.integers(0, 2**47))

_ltpc = st.builds(
    pb.LTPC,
    ltp=_price,
    ltt=_instant,
    ltq=_int64,
    cp=_price,
    iep=st.one_of(st.none(), st.builds(lambda value: {"value": value}, _price)),
)
_quote = st.builds(pb.Quote, bidQ=_int64, bidP=_price, askQ=_int64, askP=_price)
_levels = st.one_of(
    st.none(), st.builds(lambda quotes: pb.MarketLevel(bidAskQuote=quotes), st.lists(_quote, max_size=31))
)
_greeks = st.one_of(
    st.none(), st.builds(pb.OptionGreeks, delta=_price, theta=_price, gamma=_price, vega=_price, rho=_price)
)
_bar = st.builds(pb.OHLC, interval=_text, open=_price, high=_price, low=_price, close=_price, vol=_int64, ts=_int64)
_bars = st.one_of(st.none(), st.builds(lambda bars: pb.MarketOHLC(ohlc=bars), st.lists(_bar, max_size=3)))
_some_ltpc = st.one_of(st.none(), _ltpc)
_market = st.builds(
    pb.MarketFullFeed,
    ltpc=_some_ltpc,
    marketLevel=_levels,
    optionGreeks=_greeks,
    marketOHLC=_bars,
    atp=_price,
    vtt=_int64,
    oi=_price,
    iv=_price,
    tbq=_price,
    tsq=_price,
    iep=_price,
    rp=_price,
    ieq=_int64,
    iiqTotal=_int64,
    iiqM=_int64,
    casEligible=st.booleans(),
)
_index = st.builds(pb.IndexFullFeed, ltpc=_some_ltpc, marketOHLC=_bars)
_first_level = st.builds(
    pb.FirstLevelWithGreeks,
    ltpc=_some_ltpc,
    firstDepth=st.one_of(st.none(), _quote),
    optionGreeks=_greeks,
    vtt=_int64,
    oi=_price,
    iv=_price,
)
_full = st.one_of(
    st.builds(lambda feed: pb.FullFeed(marketFF=feed), _market),
    st.builds(lambda feed: pb.FullFeed(indexFF=feed), _index),
    st.builds(pb.FullFeed),
)
_mode = st.integers(0, 9)  # the enum is open: the broker may add modes
_feed = st.one_of(
    st.builds(lambda ltpc, mode: pb.Feed(ltpc=ltpc, requestMode=mode), _ltpc, _mode),
    st.builds(lambda full, mode: pb.Feed(fullFeed=full, requestMode=mode), _full, _mode),
    st.builds(lambda first, mode: pb.Feed(firstLevelWithGreeks=first, requestMode=mode), _first_level, _mode),
    st.builds(pb.Feed),
)
_phase = st.builds(pb.StatusInfo, status=_text, updatedTime=_int64)
_info = st.builds(
    pb.MarketInfo,
    segmentStatus=st.dictionaries(_text, st.integers(0, 8), max_size=4),
    casMarketStatus=st.dictionaries(_text, _phase, max_size=2),
    preOpenSessionStatus=st.dictionaries(_text, _phase, max_size=2),
)

responses: st.SearchStrategy[pb.FeedResponse] = st.builds(
    pb.FeedResponse,
    type=st.integers(0, 3),
    feeds=st.dictionaries(_text, _feed, max_size=5),
    currentTs=_instant,
    marketInfo=st.one_of(st.none(), _info),
)
"""Any message of the feed, as an encoder makes it."""
