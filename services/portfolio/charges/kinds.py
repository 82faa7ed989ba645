"""The words of charges: kinds of trades, lines of a note, and one dated rate with where it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from services.domain.orders import Side
from services.portfolio.money import rate_units


class Kind(StrEnum):
    """What kind of trade it is in the eyes of those who charge for it."""

    DELIVERY = "equity delivery"
    INTRADAY = "equity intraday"
    FUND_DELIVERY = "equity fund, delivery"
    """Units of a fund of shares (ETF): taxed a hundredth of shares on the sale, nothing on the purchase."""
    FUND_INTRADAY = "equity fund, intraday"
    UNTAXED_FUND_DELIVERY = "other fund, delivery"
    """Gold, silver, debt, liquid: no STT."""
    UNTAXED_FUND_INTRADAY = "other fund, intraday"
    FUTURE = "equity future"
    OPTION = "equity option"
    EXERCISE = "option exercised"
    """An option that ends in the money: price = intrinsic value of a unit, side BUY = the holder."""
    CURRENCY_FUTURE = "currency future"
    CURRENCY_OPTION = "currency option"
    COMMODITY_FUTURE = "commodity future"
    COMMODITY_OPTION = "commodity option"
    COMMODITY_EXERCISE = "commodity option exercised"
    """Price = settlement price of a unit."""

    @property
    def of_shares(self) -> bool:
        return self in _SHARES

    @property
    def delivered(self) -> bool:
        """Does a sale leave the demat account?"""
        return self in _DELIVERED

    @property
    def of_commodities(self) -> bool:
        """On a contract note of their own."""
        return self in _COMMODITIES

    @property
    def exercised(self) -> bool:
        return self in {Kind.EXERCISE, Kind.COMMODITY_EXERCISE}


_DELIVERED = frozenset({Kind.DELIVERY, Kind.FUND_DELIVERY, Kind.UNTAXED_FUND_DELIVERY})
_SHARES = _DELIVERED | {Kind.INTRADAY, Kind.FUND_INTRADAY, Kind.UNTAXED_FUND_INTRADAY}
_COMMODITIES = frozenset({Kind.COMMODITY_FUTURE, Kind.COMMODITY_OPTION, Kind.COMMODITY_EXERCISE})


class Line(StrEnum):
    """One line of charges. STT stands for CTT where commodities are traded."""

    BROKERAGE = "brokerage"
    STT = "stt"
    EXCHANGE = "exchange"
    IPFT = "ipft"
    SEBI = "sebi"
    STAMP = "stamp"
    CLEARING = "clearing"
    DP = "dp"
    GST = "gst"


LINES = tuple(Line)
RATED = (Line.STT, Line.EXCHANGE, Line.IPFT, Line.SEBI, Line.STAMP, Line.CLEARING)
"""Lines that are a share of the value of each trade."""


class Base(StrEnum):
    """What a rate is a share of."""

    TURNOVER = "turnover"
    PREMIUM = "premium"
    INTRINSIC = "intrinsic value"
    SETTLEMENT = "settlement price"


class Rounding(StrEnum):
    """How the line stands on a contract note."""

    PAISE = "to the paisa"
    RUPEE = "to the rupee"


class Group(StrEnum):
    """Instruments with rates of their own within a kind."""

    NONE = ""
    BSE_X = "BSE X, XT, Z, ZP"
    BSE_P = "BSE P, SS, ST"
    BSE_M = "BSE M, MT, MS, TS"
    BSE_OTHER_OPTION = "BSE options but SENSEX and BANKEX"
    AGRICULTURAL = "agricultural"


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of the value of one kind of trade, from a day on. Blank `exchange`, `group`, `side`: any."""

    line: Line
    kind: Kind
    since: date
    percent: Decimal
    source: str
    """In words: who says so."""
    exchange: str = ""
    side: Side | None = None
    group: Group = Group.NONE
    confirmed: bool = True
    """False: not found in a good source, or sources contradict each other; pages say so."""

    def __post_init__(self) -> None:
        rate_units(self.percent)

    @property
    def units(self) -> int:
        """In parts of 10⁹."""
        return rate_units(self.percent)

    @property
    def base(self) -> Base:
        if self.kind is Kind.EXERCISE:
            return Base.INTRINSIC
        if self.kind is Kind.COMMODITY_EXERCISE:
            return Base.SETTLEMENT
        premium = {Kind.OPTION, Kind.CURRENCY_OPTION, Kind.COMMODITY_OPTION}
        return Base.PREMIUM if self.kind in premium else Base.TURNOVER

    @property
    def rounding(self) -> Rounding:
        return Rounding.RUPEE if self.line in {Line.STT, Line.STAMP} else Rounding.PAISE
