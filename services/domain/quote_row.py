"""A quote as the public services hand it out: a dict that reads like the guide's and cannot be changed.

Rows are shared by every reader of the cache, so a reader that could write would change what the others see.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Never

from services.domain.quotes import DepthLevel, DepthSide, Quote


class ReadOnlyDict(dict[str, Any]):  # Any: members of several types, named in `QuoteRow`
    """A dict without its writing half. `dict(row)` makes a copy that may be changed."""

    __slots__ = ()

    def _refuse(self, *args: object, **kwargs: object) -> Never:
        raise TypeError("a quote is shared and read-only; dict(quote) makes a copy that may be changed")

    __setitem__ = __delitem__ = __ior__ = update = setdefault = pop = popitem = clear = _refuse

    def __reduce__(self) -> tuple[type[ReadOnlyDict], tuple[dict[str, Any]]]:
        """Pickling and copying rebuild a dict item by item, which this class refuses."""
        return type(self), (dict(self),)


class Depth(ReadOnlyDict):
    """`{"buy": (...), "sell": (...)}`: five levels or fewer for each side, best first, each a dict of `price quantity
    orders`, made when somebody looks."""

    __slots__ = ()

    def __getitem__(self, side: str) -> tuple[ReadOnlyDict, ...]:
        return tuple(
            [
                ReadOnlyDict({"price": level.price, "quantity": level.quantity, "orders": level.orders})
                for level in _read(super().__getitem__(side))
            ]
        )

    def best(self, side: str) -> float | None:
        """The price of the best level, without making the others; `None`: nobody is there."""
        return _read(super().__getitem__(side)).best()

    def get(self, side: str, default: Any = None) -> Any:  # Any: as in dict
        return self[side] if side in self else default  # noqa: SIM401  # `get` is what is being written here

    def values(self) -> Any:  # Any: a view in dict, a list here
        return [self[side] for side in self]

    def items(self) -> Any:  # Any: as above
        return [(side, self[side]) for side in self]

    def __iter__(self) -> Iterator[str]:  # its presence makes dict(depth) ask for the values one by one
        return super().__iter__()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mapping) and dict(self) == dict(other)

    __hash__ = None  # type: ignore[assignment]  # as every dict


def _read(side: Sequence[Any]) -> DepthSide:  # Any: levels or their unread rows
    return side if isinstance(side, DepthSide) else DepthSide(side)


def _rows(side: Sequence[DepthLevel]) -> Sequence[Any]:  # Any: levels or their unread rows
    """What `DepthSide` reads, and JSON takes as it is."""
    return side.rows if type(side) is DepthSide else side


class QuoteRow(ReadOnlyDict):
    """One quote. Prices in rupees, quantities in units, instants aware (UTC), `None` = not available.

    `instrument_key symbol ltp open high low prev_close change change_percent volume average_price oi oi_day_high
    oi_day_low previous_oi lower_circuit upper_circuit year_high year_low total_buy_quantity total_sell_quantity`,
    `depth` = `{"buy": (...), "sell": (...)}` with `price quantity orders` in each level, best first,
    `last_trade_time`, `exchange_time` (the broker's own stamp), `received_at` (when it reached the desk), `source`
    (where the prices come from, in words) and `api_version`.
    """

    __slots__ = ()


def quote_row(quote: Quote, *, received_at: datetime, source: str, api_version: str) -> QuoteRow:
    """The row of `quote`."""
    ltp, prev_close = quote.ltp, quote.prev_close
    change = change_percent = None
    if prev_close is not None:
        difference = ltp - prev_close
        change = round(difference, 4)
        change_percent = round(difference / prev_close * 100, 4) if prev_close else None
    return QuoteRow(
        {
            "instrument_key": quote.key,
            "symbol": quote.symbol,
            "ltp": ltp,
            "open": quote.open,
            "high": quote.high,
            "low": quote.low,
            "prev_close": prev_close,
            "change": change,
            "change_percent": change_percent,
            "volume": quote.volume,
            "average_price": quote.average_price,
            "oi": quote.oi,
            "oi_day_high": quote.oi_day_high,
            "oi_day_low": quote.oi_day_low,
            "previous_oi": quote.previous_oi,
            "lower_circuit": quote.lower_circuit,
            "upper_circuit": quote.upper_circuit,
            "year_high": quote.year_high,
            "year_low": quote.year_low,
            "total_buy_quantity": quote.total_buy_quantity,
            "total_sell_quantity": quote.total_sell_quantity,
            "depth": Depth({"buy": _rows(quote.bids), "sell": _rows(quote.asks)}),
            "last_trade_time": quote.last_trade_time,
            "exchange_time": quote.exchange_time,
            "received_at": received_at,
            "source": source,
            "api_version": api_version,
        }
    )
