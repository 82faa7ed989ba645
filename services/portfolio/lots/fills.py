"""Fills as the ledger of lots takes them: one object each, or columns of many, without doubles, in one fixed order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from services.domain.errors import InvalidRequest
from services.domain.orders import Product, Side
from services.portfolio.charges.kinds import Group, Kind

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

LARGEST_QUANTITY = 10**9
LARGEST_VALUE = 10**14
"""Of one fill, in ten-thousandths of a rupee: a thousand crore. Sums of a hundred thousand such stay within 64 bits."""
_EPOCH = date(1970, 1, 1)
_DIGITS = re.compile(r"(\d+)")


class Asset(StrEnum):
    """What was traded."""

    SHARE = "share"
    FUND = "fund of shares"
    UNTAXED_FUND = "other fund"
    FUTURE = "future"
    OPTION = "option"
    CURRENCY_FUTURE = "currency future"
    CURRENCY_OPTION = "currency option"
    COMMODITY_FUTURE = "commodity future"
    COMMODITY_OPTION = "commodity option"

    @property
    def delivered(self) -> bool:
        """Does it lie in a demat account, so that it cannot be sold short beyond the day?"""
        return self in {Asset.SHARE, Asset.FUND, Asset.UNTAXED_FUND}

    def kind(self, *, intraday: bool) -> Kind:
        """In the words of charges."""
        return _KINDS[self][intraday]


_KINDS = {
    Asset.SHARE: (Kind.DELIVERY, Kind.INTRADAY),
    Asset.FUND: (Kind.FUND_DELIVERY, Kind.FUND_INTRADAY),
    Asset.UNTAXED_FUND: (Kind.UNTAXED_FUND_DELIVERY, Kind.UNTAXED_FUND_INTRADAY),
    Asset.FUTURE: (Kind.FUTURE, Kind.FUTURE),
    Asset.OPTION: (Kind.OPTION, Kind.OPTION),
    Asset.CURRENCY_FUTURE: (Kind.CURRENCY_FUTURE, Kind.CURRENCY_FUTURE),
    Asset.CURRENCY_OPTION: (Kind.CURRENCY_OPTION, Kind.CURRENCY_OPTION),
    Asset.COMMODITY_FUTURE: (Kind.COMMODITY_FUTURE, Kind.COMMODITY_FUTURE),
    Asset.COMMODITY_OPTION: (Kind.COMMODITY_OPTION, Kind.COMMODITY_OPTION),
}


@dataclass(frozen=True, slots=True)
class Fill:
    """One fill. `price` in ten-thousandths of a rupee, `quantity` in units (MCX and currency: lots, with `multiplier`).

    `instrument` is what is matched with itself: the ISIN of a share, on whichever exchange, or the contract
    (`share_identity`, `contract_identity`).
    """

    account: str
    instrument: str
    symbol: str
    asset: Asset
    exchange: str
    """`NSE`, `BSE`, `MCX`."""
    side: Side
    quantity: int
    price: int
    day: date
    """In India."""
    trade_id: str
    order_id: str = ""
    at_ms: int | None = None
    """Milliseconds since the epoch; `None`: the source tells the day only."""
    product: str = ""
    multiplier: int = 1
    group: Group = Group.NONE
    expiry: date | None = None
    settled: bool = False
    """Not traded: an open contract was settled at its expiry."""

    def __post_init__(self) -> None:
        if self.quantity < 1 or self.multiplier < 1 or self.price < 0 or not self.trade_id:
            raise InvalidRequest(
                f"trade {self.trade_id or '(no id)'}: it has an id, a quantity and a multiplier of at least 1, a price "
                "of at least 0"
            )
        if self.quantity > LARGEST_QUANTITY or self.value > LARGEST_VALUE:
            raise InvalidRequest(f"trade {self.trade_id}: {self.quantity} at {self.price / 10_000:g} is no real trade")

    @property
    def value(self) -> int:
        """In ten-thousandths of a rupee."""
        return self.quantity * self.price * self.multiplier

    @property
    def identity(self) -> tuple[str, str, date, str, str, str]:
        """Equal for two tellings of one fill."""
        return (self.account, self.exchange, self.day, self.trade_id, self.instrument, self.side.value)


def share_identity(isin: str, exchange: str, symbol: str) -> str:
    """The ISIN; without one, the exchange and the symbol."""
    return isin or f"{exchange}:{symbol}"


def contract_identity(exchange: str, underlying: str, expiry: date | None, strike: str = "", kind: str = "FUT") -> str:
    """A contract, equal whichever source tells of it: `NSE:NIFTY:2026-11-24:25000:CE`."""
    plain = strike.rstrip("0").rstrip(".") if "." in strike else strike
    return ":".join((exchange, underlying, f"{expiry:%Y-%m-%d}" if expiry else "", plain or "0", kind))


def natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """A sort key by which T9 comes before T10."""
    if text.isdecimal():
        return ((0, int(text), ""),)
    return tuple((0, int(bit), "") if bit.isdecimal() else (1, 0, bit) for bit in _DIGITS.split(text) if bit)


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two tellings of one fill that differ in what matters; `kept` counts."""

    kept: Fill
    dropped: Fill


def unique(fills: Iterable[Fill]) -> tuple[list[Fill], list[Conflict]]:
    """Each fill once, in the order of time, whatever the order they came in. Of two tellings of one fill the one that
    tells more is kept; where quantity or price differ, that is a conflict."""
    told: dict[tuple[str, str, date, str, str, str], Fill] = {}
    again: dict[tuple[str, str, date, str, str, str], list[Fill]] = {}
    for fill in fills:
        identity = fill.identity
        first = told.setdefault(identity, fill)
        if first is not fill and first != fill:
            again.setdefault(identity, [first]).append(fill)
    conflicts: list[Conflict] = []
    for identity, tellings in again.items():
        tellings = sorted(dict.fromkeys(tellings), key=_richness)
        first = told[identity] = tellings[0]
        conflicts += [
            Conflict(first, other)
            for other in tellings[1:]
            if (other.quantity, other.price, other.multiplier) != (first.quantity, first.price, first.multiplier)
        ]
    kept = sorted(told.values(), key=_time)
    conflicts.sort(key=lambda conflict: (*_time(conflict.kept)[:2], repr(conflict.dropped)))
    return kept, conflicts


def _richness(fill: Fill) -> tuple[int, str]:
    return (-sum(map(bool, (fill.at_ms, fill.order_id, fill.product, fill.symbol, fill.expiry))), repr(fill))


def _time(fill: Fill) -> tuple[date, int, bool, tuple[tuple[int, int, str], ...], str, str, str]:
    at = -1 if fill.at_ms is None else fill.at_ms
    return (fill.day, at, fill.settled, natural(fill.trade_id), fill.account, fill.instrument, fill.side.value)


@dataclass(frozen=True, slots=True)
class Series:
    """What is matched with itself: one instrument in one account."""

    account: str
    instrument: str
    asset: Asset
    multiplier: int = 1


@dataclass(frozen=True, slots=True)
class Fills:
    """Fills as columns of one length, in the order of time. `series` numbers `names`; `day` counts days since
    1970-01-01; `value` in ten-thousandths of a rupee."""

    names: tuple[Series, ...]
    series: Ints
    day: Ints
    sells: Flags
    quantity: Ints
    value: Ints
    intraday: Flags
    """Of a product that is closed the same day."""
    rows: Sequence[Fill] = ()
    """The fills themselves, where the columns were made of them."""

    def __len__(self) -> int:
        return len(self.series)

    @classmethod
    def of(cls, fills: Sequence[Fill]) -> Fills:
        """The columns of fills that are unique and in the order of time (`unique`)."""
        numbers: dict[tuple[str, str], int] = {}
        names: list[Series] = []
        series: list[int] = []
        for fill in fills:
            key = (fill.account, fill.instrument)
            number = numbers.setdefault(key, len(numbers))
            if number == len(names):
                names.append(Series(fill.account, fill.instrument, fill.asset, fill.multiplier))
            series.append(number)
        intraday = {Product.INTRADAY.value, Product.COVER.value}
        return cls(
            tuple(names),
            np.array(series, np.int64),
            np.array([day_number(fill.day) for fill in fills], np.int64),
            np.array([fill.side is Side.SELL for fill in fills], bool),
            np.array([fill.quantity for fill in fills], np.int64),
            np.array([fill.value for fill in fills], np.int64),
            np.array([fill.product in intraday for fill in fills], bool),
            tuple(fills),
        )


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - _EPOCH).days


def day_of(number: int) -> date:
    return _EPOCH + timedelta(days=int(number))
