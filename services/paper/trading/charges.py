"""What one order costs beside its price: the broker's own estimate, by the rates of the trade date. What a day costs in
the end stands on its contract note (`notes`), by the same rates.

Rates are percent of turnover (options: of premium), each with the day from which it holds; the table is picked by the
date asked for. Sources: Finance Act 2026 (STT), NSE/FA/64323 and NSE/FA/73061, BSE and MCX notices of 2024-09, Upstox
help pages up to 2026-07. Rounding is that of the brokerage call, which differs from a contract note: STT to the rupee,
every other line to the paisa, the total a plain sum without the depository charge.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from functools import lru_cache

_PAISE, _RUPEE = Decimal(1), Decimal(100)
_LONG_AGO = date(2000, 1, 1)
_GST = Decimal(18)
_SEBI = Decimal("0.0001")
_MOST_BROKERAGE = Decimal(2000)
"""Rs 20 for each executed order, in paise."""
_DELIVERY_CAP = Decimal("2.5")
_DP_NAME = "DP3A"


class Kind(StrEnum):
    """Which rates apply."""

    DELIVERY = "delivery"
    INTRADAY = "intraday"
    FUTURE = "future"
    OPTION = "option"
    CURRENCY_FUTURE = "currency future"
    CURRENCY_OPTION = "currency option"
    COMMODITY_FUTURE = "commodity future"
    COMMODITY_OPTION = "commodity option"


Dated = tuple[tuple[date, str], ...]
"""Percent from a day on, the oldest first."""

_BROKERAGE: Mapping[Kind, Dated] = {
    Kind.INTRADAY: ((_LONG_AGO, "0.05"), (date(2025, 1, 1), "0.1")),
    Kind.FUTURE: ((_LONG_AGO, "0.05"),),
    Kind.CURRENCY_FUTURE: ((_LONG_AGO, "0.05"),),
    Kind.COMMODITY_FUTURE: ((_LONG_AGO, "0.05"),),
}
"""At most Rs 20; the kinds that are not here cost Rs 20 flat. The day of the change in late 2024 is not published."""

_STT_SELL: Mapping[Kind, Dated] = {
    Kind.DELIVERY: ((_LONG_AGO, "0.1"),),
    Kind.INTRADAY: ((_LONG_AGO, "0.025"),),
    Kind.FUTURE: ((_LONG_AGO, "0.0125"), (date(2024, 10, 1), "0.02"), (date(2026, 4, 1), "0.05")),
    Kind.OPTION: ((_LONG_AGO, "0.0625"), (date(2024, 10, 1), "0.1"), (date(2026, 4, 1), "0.15")),
    Kind.COMMODITY_FUTURE: ((_LONG_AGO, "0.01"),),
    Kind.COMMODITY_OPTION: ((_LONG_AGO, "0.05"),),
}
"""STT, for commodities CTT. Currency pays none."""
_STT_BUY: Mapping[Kind, Dated] = {Kind.DELIVERY: ((_LONG_AGO, "0.1"),)}
_FUND_SELL = "0.001"
"""Units of equity funds on the exchange, delivery; nothing on the buy."""
_UNTAXED_FUNDS = ("GOLD", "SILVER", "LIQUID", "GILT", "BOND", "GSEC", "SDL", "DEBT")
"""Funds that hold no shares carry no STT."""
_UNTAXED_CROPS = frozenset({"CARDAMOM", "CASTORSEED", "COTTON", "COTTONCNDY", "COTTONSEED", "KAPAS"})
"""What grows on fields pays no CTT."""

_STAMP_BUY: Mapping[Kind, str] = {
    Kind.DELIVERY: "0.015",
    Kind.INTRADAY: "0.003",
    Kind.FUTURE: "0.002",
    Kind.OPTION: "0.003",
    Kind.CURRENCY_FUTURE: "0.0001",
    Kind.CURRENCY_OPTION: "0.0001",
    Kind.COMMODITY_FUTURE: "0.002",
    Kind.COMMODITY_OPTION: "0.003",
}

_NSE_2024, _NSE_2026 = date(2024, 10, 1), date(2026, 3, 1)
_EXCHANGE: Mapping[tuple[str, Kind], Dated] = {
    ("NSE", Kind.DELIVERY): ((_NSE_2024, "0.00297"), (_NSE_2026, "0.0030699")),
    ("NSE", Kind.INTRADAY): ((_NSE_2024, "0.00297"), (_NSE_2026, "0.0030699")),
    ("NSE", Kind.FUTURE): ((_NSE_2024, "0.00173"), (_NSE_2026, "0.0018299")),
    ("NSE", Kind.OPTION): ((_NSE_2024, "0.03503"), (_NSE_2026, "0.03552")),
    ("NSE", Kind.CURRENCY_FUTURE): ((_NSE_2024, "0.00035"),),
    ("NSE", Kind.CURRENCY_OPTION): ((_NSE_2024, "0.0311"),),
    ("BSE", Kind.DELIVERY): ((_NSE_2024, "0.00375"),),
    ("BSE", Kind.INTRADAY): ((_NSE_2024, "0.00375"),),
    ("BSE", Kind.FUTURE): ((_NSE_2024, "0"),),
    ("BSE", Kind.OPTION): ((_NSE_2024, "0.005"),),
    ("BSE", Kind.CURRENCY_FUTURE): ((_NSE_2024, "0.00045"),),
    ("BSE", Kind.CURRENCY_OPTION): ((_NSE_2024, "0.001"),),
    ("MCX", Kind.COMMODITY_FUTURE): ((_NSE_2024, "0.0021"),),
    ("MCX", Kind.COMMODITY_OPTION): ((_NSE_2024, "0.0418"),),
}
"""Before its first day the oldest rate is taken: older ones depended on a member's own turnover."""
_BSE_INDEX_OPTION = "0.0325"
_BSE_INDEX_OPTIONS = frozenset({"SENSEX", "BANKEX"})
_BSE_DEAR_GROUPS: Mapping[str, str] = {
    **dict.fromkeys(("X", "XT", "Z", "ZP"), "0.1"),
    **dict.fromkeys(("SS", "ST", "P"), "1"),
    **dict.fromkeys(("M", "MT", "TS", "MS"), "0.00275"),
}
_IPFT: Mapping[Kind, Dated] = {
    Kind.DELIVERY: ((_NSE_2024, "0.0001"), (_NSE_2026, "0.0000001")),
    Kind.INTRADAY: ((_NSE_2024, "0.0001"), (_NSE_2026, "0.0000001")),
    Kind.FUTURE: ((_NSE_2024, "0.0001"), (_NSE_2026, "0.0000001")),
    Kind.OPTION: ((_NSE_2024, "0.0005"), (_NSE_2026, "0.00001")),
    Kind.CURRENCY_FUTURE: ((_NSE_2024, "0.00005"),),
    Kind.CURRENCY_OPTION: ((_NSE_2024, "0.002"),),
}
"""NSE alone levies it."""
_DP_PAISE: Dated = ((_LONG_AGO, "1850"), (date(2025, 4, 1), "2000"))
"""For each share and day on delivery sales, before GST. The day of the change is not published."""


RATE_UNITS = 10**9
"""Of the whole: the finest rate is 0.0000001 percent."""
GST_PERCENT = int(_GST)


@dataclass(frozen=True, slots=True)
class Rates:
    """What is taken of a turnover, in parts of `RATE_UNITS`."""

    stt: int
    transaction: int
    ipft: int
    sebi_turnover: int
    stamp_duty: int


@dataclass(frozen=True, slots=True)
class Charges:
    """The lines of one estimate, in paise."""

    brokerage: int
    stt: int
    stamp_duty: int
    transaction: int
    clearing: int
    ipft: int
    sebi_turnover: int
    gst: int

    @property
    def total_paise(self) -> int:
        return (
            self.brokerage
            + self.stt
            + self.stamp_duty
            + self.transaction
            + self.clearing
            + self.ipft
            + self.sebi_turnover
            + self.gst
        )


def kind_of(row: Mapping[str, object], product: str) -> Kind:
    """Whose rates an instrument (a row of the instrument file) pays under a product."""
    segment, option = str(row["segment"]), row.get("instrument_type") in {"CE", "PE"}
    if segment.endswith("_EQ"):
        return Kind.INTRADAY if product in {"I", "CO"} else Kind.DELIVERY
    if segment in {"NCD_FO", "BCD_FO"}:
        return Kind.CURRENCY_OPTION if option else Kind.CURRENCY_FUTURE
    if segment in {"MCX_FO", "NSE_COM"}:
        return Kind.COMMODITY_OPTION if option else Kind.COMMODITY_FUTURE
    return Kind.OPTION if option else Kind.FUTURE


def turnover(row: Mapping[str, object], quantity: int, price: Decimal) -> Decimal:
    """Rupees of `quantity` (units; currency and commodities: lots) at `price` rupees."""
    return quantity * price * Decimal(str(row.get("qty_multiplier") or 1))


def charges_of(
    row: Mapping[str, object], *, buys: bool, product: str, quantity: int, price: Decimal, on: date
) -> Charges:
    """The charges of one executed order of `quantity` at `price` rupees on the day `on`.

    `row` is the instrument's row of the instrument file; units of `quantity` as in `turnover`.
    """
    kind = kind_of(row, product)
    paise = turnover(row, quantity, price) * 100
    exchange = str(row["exchange"])

    def share(percent: str | Decimal, to: Decimal = _PAISE) -> int:
        return _rounded(paise * Decimal(percent) / 100, to)

    brokerage = _brokerage(kind, paise, on)
    transaction = share(_exchange_rate(row, exchange, kind, on))
    ipft = share(_at(_IPFT.get(kind), on)) if exchange == "NSE" else 0
    sebi = share(_SEBI)
    return Charges(
        brokerage=brokerage,
        stt=share(_stt(row, kind, buys=buys, on=on), _RUPEE),
        stamp_duty=share(_STAMP_BUY[kind]) if buys else 0,
        transaction=transaction,
        clearing=0,
        ipft=ipft,
        sebi_turnover=sebi,
        gst=_rounded((brokerage + transaction + ipft + sebi) * _GST / 100),
    )


def rates_of(row: Mapping[str, object], kind: Kind, *, buys: bool, on: date) -> Rates:
    """What is taken of each trade of that kind on the day `on`."""
    exchange = str(row["exchange"])
    percents = (
        _stt(row, kind, buys=buys, on=on),
        _exchange_rate(row, exchange, kind, on),
        _at(_IPFT.get(kind), on) if exchange == "NSE" else Decimal(0),
        _SEBI,
        Decimal(_STAMP_BUY[kind]) if buys else Decimal(0),
    )
    return Rates(*(_parts(percent) for percent in percents))


def brokerage_rule(kind: Kind, on: date) -> tuple[int | None, int]:
    """Of each executed order: a rate in parts of `RATE_UNITS` (`None`: none), and the most that is taken, in paise."""
    if kind is Kind.DELIVERY:
        return _parts(_DELIVERY_CAP), int(_MOST_BROKERAGE)
    rate = _BROKERAGE.get(kind)
    return (None if rate is None else _parts(_at(rate, on))), int(_MOST_BROKERAGE)


def depository_plan(on: date) -> tuple[str, int]:
    """The plan's name and what it takes for each share and day on delivery sales, in paise, before GST."""
    return _DP_NAME, int(_at(_DP_PAISE, on))


def _brokerage(kind: Kind, paise: Decimal, on: date) -> int:
    if kind in _BROKERAGE:
        return _rounded(min(_MOST_BROKERAGE, paise * _at(_BROKERAGE[kind], on) / 100))
    if kind is Kind.DELIVERY:
        return _rounded(min(_MOST_BROKERAGE, paise * _DELIVERY_CAP / 100))
    return int(_MOST_BROKERAGE)


def _stt(row: Mapping[str, object], kind: Kind, *, buys: bool, on: date) -> Decimal:
    if str(row.get("isin", "")).startswith("INF") and kind in {Kind.DELIVERY, Kind.INTRADAY}:
        named = f"{row.get('name', '')} {row.get('trading_symbol', '')}".upper()
        if any(word in named for word in _UNTAXED_FUNDS):
            return Decimal(0)
        if kind is Kind.DELIVERY:
            return Decimal(0) if buys else Decimal(_FUND_SELL)
    if kind in {Kind.COMMODITY_FUTURE, Kind.COMMODITY_OPTION} and row.get("underlying_symbol") in _UNTAXED_CROPS:
        return Decimal(0)
    return _at((_STT_BUY if buys else _STT_SELL).get(kind), on)


def _exchange_rate(row: Mapping[str, object], exchange: str, kind: Kind, on: date) -> Decimal:
    if exchange == "BSE":
        dear = _BSE_DEAR_GROUPS.get(str(row.get("instrument_type")))
        if dear is not None and kind in {Kind.DELIVERY, Kind.INTRADAY}:
            return Decimal(dear)
        if kind is Kind.OPTION and row.get("underlying_symbol") in _BSE_INDEX_OPTIONS:
            return Decimal(_BSE_INDEX_OPTION)
    found = _EXCHANGE.get((exchange, kind))
    if found is None:  # NSE's commodity contracts, at the rates of the larger exchange
        found = _EXCHANGE["MCX", kind]
    return _at(found, on)


@lru_cache(maxsize=256)
def _at(dated: Dated | None, on: date) -> Decimal:
    """The rate in force on `on`; 0 where there is none at all."""
    if dated is None:
        return Decimal(0)
    in_force = [rate for since, rate in dated if since <= on]
    return Decimal(in_force[-1] if in_force else dated[0][1])


def _parts(percent: Decimal) -> int:
    parts = percent * (RATE_UNITS // 100)
    assert parts == int(parts)
    return int(parts)


def _rounded(paise: Decimal, to: Decimal = _PAISE) -> int:
    return int((paise / to).quantize(Decimal(1), ROUND_HALF_UP) * to)
