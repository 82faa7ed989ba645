"""Quotes: full, LTP and OHLC, of v2, v3 and the guide's route alike, re-keyed by instrument key.

The full quote is the hottest parser of the desk: 500 of them hold 5,000 depth levels. A frozen dataclass pays some
60 ns for each member in its own constructor, so objects are filled as a blank twin with the same slots and then given
their real class: a third of the time. The fast way takes well-formed rows only; anything else goes to `_complain`,
which finds the member at fault.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any, NoReturn

from services.domain.errors import MalformedPayload
from services.domain.quotes import DepthLevel, DepthSide, Ltp, Ohlc, OhlcBar, Quote
from services.wire.fields import (
    Row,
    as_list,
    as_map,
    instant_ms,
    iso_instant,
    malformed,
    number,
    number_or_none,
    price_or_none,
    text,
    text_or_none,
    whole_or_none,
)


def _blank(kind: type) -> Any:  # Any: an object of this class is about to become a `kind`
    """A class with the slots of `kind` whose empty objects may be filled."""
    return type(f"_Blank{kind.__name__}", (), {"__slots__": tuple(field.name for field in fields(kind))})


_BlankQuote, _BlankLtp = _blank(Quote), _blank(Ltp)

_INDICES = ("NSE_INDEX|", "BSE_INDEX|", "MCX_INDEX|", "GLOBAL_INDEX|")
_SHARES = ("NSE_EQ|", "BSE_EQ|")
_NUMERIC = frozenset({int, float, type(None)})
_BROKEN = (KeyError, TypeError, ValueError, AttributeError, OverflowError, OSError, MalformedPayload)
"""What reading a row of a wrong shape raises."""

_QUOTE_NUMBERS = (
    "volume", "average_price", "oi", "net_change", "total_buy_quantity", "total_sell_quantity", "lower_circuit_limit",
    "upper_circuit_limit", "oi_day_high", "oi_day_low", "prev_close_price", "year_high", "year_low", "previous_oi",
)  # fmt: skip


def parse_full_quotes(data: object) -> dict[str, Quote]:
    """Full quotes by instrument key, from a map keyed `NSE_EQ:RELIANCE`. Rupees, units, aware UTC instants.

    `None` = not available. 0 means that for prices, circuit limits, averages and the 52-week range; for an index also
    for volume and totals; for shares and indices for open interest. The previous close is `prev_close_price`, else
    `last_price - net_change` (`ohlc.close` is the running close). Instruments without a last price are left out, as
    the broker itself leaves silent ones out. Raises `MalformedPayload` naming the member.
    """
    quotes: dict[str, Quote] = {}
    stamps: dict[str, datetime] = {}
    for name, row in as_map(data, "data").items():
        try:
            quote = _full_quote(row, stamps)
        except _BROKEN:
            _complain(name, row)
        if quote is not None:
            quotes[quote.key] = quote
    return quotes


def _full_quote(row: Any, stamps: dict[str, datetime]) -> Quote | None:  # Any: checked by using it, for speed
    key: str = row["instrument_token"]
    ltp = row["last_price"]
    if ltp is None:
        return None
    get = row.get
    symbol = get("symbol") or ""
    volume = get("volume")
    average = get("average_price")
    oi = get("oi")
    net_change = get("net_change")
    buy_total = get("total_buy_quantity")
    sell_total = get("total_sell_quantity")
    lower = get("lower_circuit_limit")
    upper = get("upper_circuit_limit")
    oi_high = get("oi_day_high")
    oi_low = get("oi_day_low")
    prev_close = get("prev_close_price")
    year_high = get("year_high")
    year_low = get("year_low")
    previous_oi = get("previous_oi")
    ohlc = row["ohlc"]
    if ohlc is None:
        first = high = low = None
    else:
        first, high, low = ohlc["open"], ohlc["high"], ohlc["low"]
    numbers = (
        ltp, volume, average, oi, net_change, buy_total, sell_total, lower, upper, oi_high, oi_low, prev_close,
        year_high, year_low, previous_oi, first, high, low,
    )  # fmt: skip
    if not _NUMERIC.issuperset(map(type, numbers)) or type(symbol) is not str or not key:
        raise TypeError
    depth = get("depth")
    bids: Sequence[DepthLevel] = ()
    asks: Sequence[DepthLevel] = ()
    if depth is not None:
        bids, asks = _side(depth["buy"]), _side(depth["sell"])
    return filled_quote(
        key, symbol, ltp, first, high, low, volume, average, oi, net_change, buy_total, sell_total, lower, upper,
        oi_high, oi_low, prev_close, year_high, year_low, previous_oi, bids, asks, get("timestamp"),
        get("last_trade_time"), stamps,
    )  # fmt: skip


def filled_quote(
    key: str, symbol: str, ltp: float, first: float | None, high: float | None, low: float | None,
    volume: float | None, average: float | None, oi: float | None, net_change: float | None,
    buy_total: float | None, sell_total: float | None, lower: float | None, upper: float | None,
    oi_high: float | None, oi_low: float | None, prev_close: float | None, year_high: float | None,
    year_low: float | None, previous_oi: float | None, bids: Sequence[DepthLevel], asks: Sequence[DepthLevel],
    stamp: str | None, traded: str | int | None, stamps: dict[str, datetime],
) -> Quote:  # fmt: skip
    """The quote of checked members; here stands what null and 0 mean in each of them (see `parse_full_quotes`)."""
    if not prev_close and net_change is not None:
        prev_close = round(ltp - net_change, 4)
    if key.startswith(_INDICES):
        volume, buy_total, sell_total = volume or None, buy_total or None, sell_total or None
        oi, oi_high, oi_low, previous_oi = oi or None, oi_high or None, oi_low or None, previous_oi or None
    elif key.startswith(_SHARES):
        oi, oi_high, oi_low, previous_oi = oi or None, oi_high or None, oi_low or None, previous_oi or None
    if not stamp:
        exchange_time = None
    elif (exchange_time := stamps.get(stamp)) is None:
        exchange_time = stamps[stamp] = iso_instant(stamp, "timestamp")
    trade_time = None if not traded or traded == "0" else datetime.fromtimestamp(int(traded) / 1000, UTC)
    quote = _BlankQuote()
    quote.key = key
    quote.symbol = symbol
    quote.ltp = ltp
    quote.open = first or None
    quote.high = high or None
    quote.low = low or None
    quote.prev_close = prev_close or None
    quote.volume = None if volume is None else int(volume)
    quote.average_price = average or None
    quote.oi = oi
    quote.oi_day_high = oi_high
    quote.oi_day_low = oi_low
    quote.previous_oi = previous_oi
    quote.lower_circuit = lower or None
    quote.upper_circuit = upper or None
    quote.year_high = year_high or None
    quote.year_low = year_low or None
    quote.total_buy_quantity = None if buy_total is None else int(buy_total)
    quote.total_sell_quantity = None if sell_total is None else int(sell_total)
    quote.bids = bids
    quote.asks = asks
    quote.last_trade_time = trade_time
    quote.exchange_time = exchange_time
    quote.__class__ = Quote
    filled: Quote = quote
    return filled


def _side(rows: Any) -> Sequence[DepthLevel]:  # Any: as above
    """One side of the depth. Its best level is looked at here, so that another shape is noticed at once and named; the
    others are read when somebody asks for them (see `DepthSide`)."""
    if not rows:
        return ()
    if type(rows) is not list:
        raise TypeError
    best = rows[0]
    price, quantity = best["price"], best["quantity"]
    if price and quantity:
        orders = best["orders"]
        if type(price) is not float or type(quantity) is not int or type(orders) is not int:
            _ = price + 0.0, quantity + 0.0, 0.0 + (orders or 0)  # to add refuses text
    return DepthSide(rows)


def _complain(name: str, value: object) -> NoReturn:
    """Find what is wrong with a row that the fast way stumbled over, and say it."""
    where = f"data[{name[:60]}]"
    row = as_map(value, where)
    text(row, "instrument_token", where)
    number(row, "last_price", where)
    text_or_none(row, "symbol", where)
    for member in _QUOTE_NUMBERS:
        number_or_none(row, member, where)
    if "ohlc" not in row:
        malformed(f"{where}.ohlc", "an object", None)
    if row["ohlc"] is not None:
        ohlc = as_map(row["ohlc"], f"{where}.ohlc")
        for member in ("open", "high", "low"):
            if member not in ohlc:
                malformed(f"{where}.ohlc.{member}", "a number", None)
            number_or_none(ohlc, member, f"{where}.ohlc")
    if row.get("depth") is not None:
        depth = as_map(row["depth"], f"{where}.depth")
        for side in ("buy", "sell"):
            if side not in depth:
                malformed(f"{where}.depth.{side}", "a list", None)
            for place, item in enumerate(as_list(depth[side] or [], f"{where}.depth.{side}")):
                level = as_map(item, f"{where}.depth.{side}[{place}]")
                for member in ("price", "quantity", "orders"):
                    if member not in level:
                        malformed(f"{where}.depth.{side}[{place}].{member}", "a number", None)
                    number_or_none(level, member, f"{where}.depth.{side}[{place}]")
    if row.get("timestamp"):
        iso_instant(row["timestamp"], f"{where}.timestamp")
    if row.get("last_trade_time"):
        instant_ms(row, "last_trade_time", where)
    malformed(where, "a quote as the API documents it", value)


def parse_ltp(data: object) -> dict[str, Ltp]:
    """Light quotes by instrument key. v2 tells the price only; 0 means "not available" as in the full quote."""
    quotes: dict[str, Ltp] = {}
    for name, row in as_map(data, "data").items():
        try:
            quote = _light_quote(row)
        except _BROKEN:
            _complain_light(name, row)
        if quote is not None:
            quotes[quote.key] = quote
    return quotes


def _light_quote(row: Any) -> Ltp | None:  # Any: checked by using it, for speed
    key: str = row["instrument_token"]
    ltp = row["last_price"]
    if ltp is None:
        return None
    quantity, volume, prev_close = row.get("ltq"), row.get("volume"), row.get("cp")
    if not _NUMERIC.issuperset(map(type, (ltp, quantity, volume, prev_close))) or type(key) is not str or not key:
        raise TypeError
    quote = _BlankLtp()
    quote.key = key
    quote.ltp = ltp
    quote.last_quantity = int(quantity) if quantity else None
    quote.volume = int(volume) if volume or (volume is not None and "_INDEX|" not in key) else None
    quote.prev_close = prev_close or None
    quote.__class__ = Ltp
    filled: Ltp = quote
    return filled


def _complain_light(name: str, value: object) -> NoReturn:
    where = f"data[{name[:60]}]"
    row = as_map(value, where)
    text(row, "instrument_token", where)
    number(row, "last_price", where)
    for member in ("ltq", "volume", "cp"):
        number_or_none(row, member, where)
    malformed(where, "a light quote as the API documents it", value)


def parse_ohlc(data: object) -> dict[str, Ohlc]:
    """OHLC quotes by instrument key.

    v3 stamps its bars (`prev_ohlc` is null for `1d`). v2 names neither a start nor a volume, and neither is made up:
    where a half hour begins depends on the segment, where a day does on whose day it is.
    """
    quotes: dict[str, Ohlc] = {}
    for name, value in as_map(data, "data").items():
        where = f"data[{name[:60]}]"
        row = as_map(value, where)
        key = text(row, "instrument_token", where)
        if "last_price" in row and row["last_price"] is None:
            continue
        if "ohlc" in row:
            live, previous = _bar(row, "ohlc", where, stamped=False), None
        elif "live_ohlc" in row:
            live, previous = _bar(row, "live_ohlc", where), _bar(row, "prev_ohlc", where)
        else:
            malformed(f"{where}.live_ohlc", "an object", None)
        quotes[key] = Ohlc(key, number(row, "last_price", where), live, previous)
    return quotes


def _bar(row: Row, name: str, where: str, *, stamped: bool = True) -> OhlcBar | None:
    """One bar, or `None` where it is null or holds no price yet (zeros before the open)."""
    value = row.get(name)
    if value is None:
        return None
    place = f"{where}.{name}"
    bar = as_map(value, place)
    prices = [price_or_none(bar, member, place) for member in ("open", "high", "low", "close")]
    if None in prices:
        return None
    first, high, low, close = (price for price in prices if price is not None)
    start = instant_ms(bar, "ts", place) if stamped else None
    volume = whole_or_none(bar, "volume", place)
    if "_INDEX|" in text(row, "instrument_token", where):
        volume = volume or None  # as in the other quotes: an index has none
    return OhlcBar(start, first, high, low, close, volume)
