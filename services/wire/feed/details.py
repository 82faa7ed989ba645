"""Depth, greeks and bars: the parts of a row that stay bytes until somebody looks at them.

Read one by one they cost more than all the rest of a tick, and a screen asks for the latest a few times a second only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

from google.protobuf.message import DecodeError

from services.domain.errors import MalformedPayload
from services.wire.feed.feed_v3_pb2 import OHLC, MarketLevel, MarketOHLC, OptionGreeks, Quote

RawLevel: TypeAlias = Quote


class FeedLevel(NamedTuple):
    """One level of the book: prices in rupees, quantities in units. The feed tells no order counts. 0: nobody there."""

    bid_price: float
    bid_quantity: int
    ask_price: float
    ask_quantity: int


class FeedGreeks(NamedTuple):
    """Greeks of an option; all zero for anything else."""

    delta: float
    theta: float
    gamma: float
    vega: float
    rho: float


class FeedBar(NamedTuple):
    """One bar. `interval`: `1d`, `I1` (the last FINISHED minute). Rupees, units, start in epoch milliseconds."""

    interval: str
    open: float
    high: float
    low: float
    close: float
    volume: int
    start_ms: int


def raw_levels(raw: bytes) -> Sequence[RawLevel]:
    """The levels of `row[DEPTH]` as they came (`bidP bidQ askP askQ`), for who looks at few of them. Raises
    `MalformedPayload`."""
    try:
        return MarketLevel.FromString(raw).bidAskQuote
    except DecodeError as error:
        raise MalformedPayload("the depth of a feed cannot be read", field="marketLevel") from error


def read_depth(raw: bytes) -> list[FeedLevel]:
    """The levels of `row[DEPTH]`, best first: 5, 30 in full_d30, 1 in option_greeks. Raises `MalformedPayload`."""
    return [FeedLevel(level.bidP, level.bidQ, level.askP, level.askQ) for level in raw_levels(raw)]


def add_depth(raw: bytes, count: int, prices: list[float], quantities: list[int]) -> None:
    """Append the best `count` levels of `row[DEPTH]` to flat lists, bid and ask in turn, filled up with zeros.

    For tables: half the cost of `read_depth`. Raises `MalformedPayload`, then nothing was appended.
    """
    levels = raw_levels(raw)[:count]
    for level in levels:
        prices += (level.bidP, level.askP)
        quantities += (level.bidQ, level.askQ)
    if missing := 2 * (count - len(levels)):
        prices += [0.0] * missing
        quantities += [0] * missing


def read_greeks(raw: bytes) -> FeedGreeks:
    """The greeks of `row[GREEKS]`. Raises `MalformedPayload`."""
    try:
        greeks = OptionGreeks.FromString(raw)
    except DecodeError as error:
        raise MalformedPayload("the greeks of a feed cannot be read", field="optionGreeks") from error
    return FeedGreeks(greeks.delta, greeks.theta, greeks.gamma, greeks.vega, greeks.rho)


def find_bar(raw: bytes, interval: str) -> FeedBar | None:
    """The bar of `interval` in `row[BARS]`; None where the broker tells none. Raises `MalformedPayload`."""
    for bar in _bars(raw):
        if bar.interval == interval:
            return _bar(bar)
    return None


def _bars(raw: bytes) -> Sequence[OHLC]:
    try:
        return MarketOHLC.FromString(raw).ohlc
    except DecodeError as error:
        raise MalformedPayload("the bars of a feed cannot be read", field="marketOHLC") from error


def _bar(bar: OHLC) -> FeedBar:
    return FeedBar(bar.interval, bar.open, bar.high, bar.low, bar.close, bar.vol, bar.ts)
