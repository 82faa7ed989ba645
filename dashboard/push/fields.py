"""The members of a quote as they travel to the browser: a list of plain values in this order.

One list for the first drawing of a page and for every change after it, so that both read the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from operator import itemgetter
from typing import Any

from services.domain.clock import epoch_ms
from services.domain.errors import MalformedPayload
from services.domain.quotes import FROM_FEED

Row = Mapping[str, Any]  # Any: a quote's members are of several types (see services/domain/quote_row.py)


UNREADABLE = "The depth that came cannot be read."


def _best(side: str) -> Callable[[Row], float | None]:
    def value(row: Row) -> float | None:
        try:
            price: float | None = row["depth"].best(side)
        except MalformedPayload:  # the ladder says so; the prices of this row, and the other rows, are sound
            return None
        return price

    return value


def _oi_change(row: Row) -> float | None:
    if row["oi"] is None or row["previous_oi"] is None:
        return None
    return float(row["oi"] - row["previous_oi"])


def _ms(name: str) -> Callable[[Row], int | None]:
    def value(row: Row) -> int | None:
        instant: datetime | None = row[name]
        return None if instant is None else epoch_ms(instant)

    return value


_PLAIN = (
    "ltp", "change", "change_percent", "open", "high", "low", "prev_close", "volume", "average_price", "oi",
    "lower_circuit", "upper_circuit", "year_low", "year_high", "total_buy_quantity", "total_sell_quantity", "source",
)  # fmt: skip
_MADE: dict[str, Callable[[Row], Any]] = {  # Any: as in `Row`
    "oi_change": _oi_change,
    "bid": _best("buy"),
    "ask": _best("sell"),
    "last_trade_ms": _ms("last_trade_time"),
    "received_ms": _ms("received_at"),
    "from_feed": lambda row: row["api_version"] == FROM_FEED,
}
_plain, _MAKE = itemgetter(*_PLAIN), tuple(_MADE.values())
FIELDS: tuple[str, ...] = (*_PLAIN, *_MADE)
"""Rupees, units, epoch milliseconds; null = not available."""
PLACE: Mapping[str, int] = {name: place for place, name in enumerate(FIELDS)}


def member(row: Row, name: str) -> Any:  # Any: as in `Row`
    """One member of `row`, as it travels."""
    return _MADE[name](row) if name in _MADE else row[name]


def values(row: Row) -> list[Any]:  # Any: as in `Row`
    """The members of `row` in the order of `FIELDS`."""
    return [*_plain(row), *[make(row) for make in _MAKE]]


def depth_values(row: Row) -> list[Any]:  # Any: as in `Row`
    """`[bids, asks, total to buy, total to sell, trouble]`; a level is `[price, quantity, orders]`, the best first.
    Orders are null where the source does not count them. `trouble`: why there are no levels, in words, where they came
    and cannot be read; otherwise null."""
    totals = row["total_buy_quantity"], row["total_sell_quantity"]
    try:
        return [_levels(row, "buy"), _levels(row, "sell"), *totals, None]
    except MalformedPayload:
        return [[], [], *totals, UNREADABLE]


def _levels(row: Row, side: str) -> list[list[Any]]:  # Any: as in `Row`
    return [[one["price"], one["quantity"], one["orders"]] for one in row["depth"][side][:5] if one["quantity"]]
