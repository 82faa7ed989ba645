"""Quotes as the desk means them, whatever version of the API they came from.

Prices are floats: they are drawn, not paid. `None` means "not available", never zero.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, overload

from services.domain.errors import MalformedPayload

FROM_FEED = "feed v3"
"""What stands as `api_version` where the live feed told a quote."""


@dataclass(frozen=True, slots=True)
class DepthLevel:
    """One side of one level: price in rupees, quantity in units, number of orders (`None`: not counted)."""

    price: float
    quantity: int
    orders: int | None


class DepthSide(Sequence[DepthLevel]):
    """One side of the depth as the broker sent it, best level first; its padding of zeros is left out.

    The levels are read when somebody looks: 500 quotes hold 5,000 of them, which take as long to read as all the rest,
    and a page shows ten. What is not a level therefore raises `MalformedPayload` only then.
    """

    __slots__ = ("rows",)

    def __init__(self, rows: Sequence[Any]) -> None:  # Any: levels, or mappings of price, quantity, orders as they came
        self.rows = rows

    def levels(self) -> tuple[DepthLevel, ...]:
        return tuple(self._read())

    def best(self) -> float | None:
        """The price of the best level; `None`: there is none. Reads no other."""
        level = next(self._read(), None)
        return None if level is None else level.price

    def _read(self) -> Iterator[DepthLevel]:
        try:
            for row in self.rows:
                if (level := _level(row)) is not None:
                    yield level
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise MalformedPayload("a level of the depth is not price, quantity and orders", field="depth") from error

    @overload
    def __getitem__(self, place: int) -> DepthLevel: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[DepthLevel, ...]: ...
    def __getitem__(self, place: int | slice) -> DepthLevel | tuple[DepthLevel, ...]:
        return self.levels()[place]

    def __len__(self) -> int:
        return len(self.levels())

    def __iter__(self) -> Iterator[DepthLevel]:
        return iter(self.levels())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self.levels() == tuple(other)

    def __hash__(self) -> int:
        return hash(self.levels())

    def __repr__(self) -> str:
        return repr(self.levels())


def _level(row: Any) -> DepthLevel | None:  # Any: checked by using it
    if isinstance(row, DepthLevel):
        return row
    price, quantity, orders = row["price"], row["quantity"], row["orders"]
    if not price or not quantity:
        return None
    return DepthLevel(price + 0.0, int(quantity + 0.0), int(0.0 + (orders or 0)))  # to add refuses text


@dataclass(frozen=True, slots=True)
class Quote:
    """A full market quote of one instrument."""

    key: str
    symbol: str
    ltp: float
    open: float | None
    high: float | None
    low: float | None
    prev_close: float | None
    volume: int | None
    average_price: float | None
    oi: float | None
    oi_day_high: float | None
    oi_day_low: float | None
    previous_oi: float | None
    lower_circuit: float | None
    upper_circuit: float | None
    year_high: float | None
    year_low: float | None
    total_buy_quantity: int | None
    total_sell_quantity: int | None
    bids: Sequence[DepthLevel]
    asks: Sequence[DepthLevel]
    last_trade_time: datetime | None
    exchange_time: datetime | None
    """The broker's own stamp of the quote."""

    @property
    def change(self) -> float | None:
        """Rupees since the previous close."""
        return None if self.prev_close is None else round(self.ltp - self.prev_close, 4)

    @property
    def change_percent(self) -> float | None:
        return None if not self.prev_close else round((self.ltp - self.prev_close) / self.prev_close * 100, 4)


@dataclass(frozen=True, slots=True)
class Ltp:
    """The light quote: last price, last traded quantity, volume, previous close."""

    key: str
    ltp: float
    last_quantity: int | None
    volume: int | None
    prev_close: float | None


@dataclass(frozen=True, slots=True)
class Bar:
    """One candle, stamped at its start (aware, UTC). Volume and OI in units."""

    start: datetime
    open: float
    high: float
    low: float
    close: float
    volume: int
    oi: int


@dataclass(frozen=True, slots=True)
class OhlcBar:
    """A bar of the OHLC quote. v2 tells neither when it started (aware, UTC) nor its volume (units): `None`."""

    start: datetime | None
    open: float
    high: float
    low: float
    close: float
    volume: int | None


@dataclass(frozen=True, slots=True)
class Ohlc:
    """The OHLC quote: the running bar and, for minute intervals, the last finished one."""

    key: str
    ltp: float
    live: OhlcBar | None
    previous: OhlcBar | None


@dataclass(frozen=True, slots=True)
class OptionGreeks:
    """Greeks of one option. `iv` is normalised to percent (11.24, never 0.1124)."""

    key: str
    ltp: float
    prev_close: float | None
    volume: int | None
    oi: float | None
    iv_percent: float | None
    delta: float | None
    gamma: float | None
    theta: float | None
    vega: float | None


@dataclass(frozen=True, slots=True)
class ChainSide:
    """The call or the put of one strike."""

    key: str
    ltp: float | None
    prev_close: float | None
    volume: int | None
    oi: float | None
    previous_oi: float | None
    bid: float | None
    bid_quantity: int | None
    ask: float | None
    ask_quantity: int | None
    iv_percent: float | None
    delta: float | None
    gamma: float | None
    theta: float | None
    vega: float | None
    probability_of_profit: float | None


@dataclass(frozen=True, slots=True)
class ChainRow:
    """One strike of an option chain; a side that the broker does not list is `None`."""

    expiry: str
    strike: float
    underlying_key: str
    underlying_price: float | None
    pcr: float | None
    call: ChainSide | None
    put: ChainSide | None


@dataclass(frozen=True, slots=True)
class PriceSource:
    """Where the prices of this process come from, as it is shown beside every figure."""

    kind: str
    """`simulated`, `replay` or `upstox`."""
    label: str
    """In words for the screen: `simulated`, `replay of 2026-08-21`, `replay of 2026-08-21, others simulated`,
    `Upstox`. One for all rows: the broker's answers do not tell it of each price."""
    practice: bool = False
    """True where every segment is open at the host's time whatever the exchange does."""
