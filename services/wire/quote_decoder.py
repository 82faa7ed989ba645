"""The quick way to read a full quote answer: typed decoding of its bytes, checked member by member on the way.

Three times as fast as a tree of dicts that is then read, and the tree is never made: a screenful of quotes is asked for
every few seconds. It takes answers exactly as the API documents them. Whatever else comes raises `MalformedPayload`
without details; the patient way (`envelope.unwrap`, `quotes.parse_full_quotes`) then reads it or says what is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from services.domain.errors import MalformedPayload
from services.domain.quotes import DepthLevel, DepthSide, Quote
from services.wire.quotes import filled_quote


class _Ohlc(msgspec.Struct, gc=False):
    open: float | None
    high: float | None
    low: float | None


class _Level(msgspec.Struct, gc=False, frozen=True):
    """A level, checked, in the form that is made quickest; `DepthSide` reads its members by name."""

    price: float
    quantity: int
    orders: int

    def __getitem__(self, member: str) -> float | int:
        value: float | int = getattr(self, member)
        return value


class _Depth(msgspec.Struct, gc=False):
    buy: list[_Level] | None
    sell: list[_Level] | None


class _Quote(msgspec.Struct, gc=False):
    instrument_token: str
    last_price: float | None
    ohlc: _Ohlc | None
    symbol: str | None = None
    depth: _Depth | None = None
    timestamp: str | None = None
    volume: int | None = None
    average_price: float | None = None
    oi: float | None = None
    net_change: float | None = None
    total_buy_quantity: float | None = None
    total_sell_quantity: float | None = None
    lower_circuit_limit: float | None = None
    upper_circuit_limit: float | None = None
    last_trade_time: str | None = None
    oi_day_high: float | None = None
    oi_day_low: float | None = None
    prev_close_price: float | None = None
    year_high: float | None = None
    year_low: float | None = None
    previous_oi: float | None = None


class _Answer(msgspec.Struct, gc=False):
    status: str
    data: dict[str, _Quote]


_DECODER = msgspec.json.Decoder(_Answer)
_NOT_AS_EXPECTED = (msgspec.DecodeError, ValueError, OverflowError, OSError)


def decode_full_quotes(body: bytes) -> dict[str, Quote]:
    """The quotes of a successful answer, as `parse_full_quotes` would give them."""
    stamps: dict[str, datetime] = {}
    try:
        answer = _DECODER.decode(body)
        if answer.status != "success":
            raise MalformedPayload("not a plain success", field="status")
        quotes = [_quote(row, stamps) for row in answer.data.values() if row.last_price is not None]
    except _NOT_AS_EXPECTED as error:
        raise MalformedPayload("not a quote answer as the API documents it", field="data") from error
    return {quote.key: quote for quote in quotes}


def _quote(row: _Quote, stamps: dict[str, datetime]) -> Quote:
    if not row.instrument_token or row.last_price is None:
        raise ValueError("a quote needs a key and a price")
    ohlc, depth = row.ohlc, row.depth
    return filled_quote(
        row.instrument_token,
        row.symbol or "",
        row.last_price,
        None if ohlc is None else ohlc.open,
        None if ohlc is None else ohlc.high,
        None if ohlc is None else ohlc.low,
        row.volume,
        row.average_price,
        row.oi,
        row.net_change,
        row.total_buy_quantity,
        row.total_sell_quantity,
        row.lower_circuit_limit,
        row.upper_circuit_limit,
        row.oi_day_high,
        row.oi_day_low,
        row.prev_close_price,
        row.year_high,
        row.year_low,
        row.previous_oi,
        () if depth is None else _side(depth.buy),
        () if depth is None else _side(depth.sell),
        row.timestamp,
        row.last_trade_time,
        stamps,
    )


def _side(levels: list[_Level] | None) -> Sequence[DepthLevel]:
    return DepthSide(levels) if levels else ()
