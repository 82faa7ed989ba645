"""The rates, as published. Each row: which line, for which trades, since when, how much, and who says so.

Nothing is known before `EARLIEST`. A rate ends where the next one of the same trades begins. Sources are named in
words; what could not be found in a good one is marked as unconfirmed and may be overridden (`RateTable.with_rates`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from services.domain.orders import Side
from services.portfolio.charges.kinds import Group, Kind, Line, Rate

EARLIEST = date(2023, 4, 1)
FLAT_FEES = date(2024, 10, 1)
"""Exchanges charge all members alike; STT on derivatives was raised the same day."""
NSE_SPLIT = date(2026, 3, 1)
"""NSE put most of the IPFT share into its own charge; the sum stayed."""
FINANCE_ACT_2026 = date(2026, 4, 1)

_ALL = tuple(Kind)
_DELIVERY = (Kind.DELIVERY, Kind.FUND_DELIVERY, Kind.UNTAXED_FUND_DELIVERY)
_INTRADAY = (Kind.INTRADAY, Kind.FUND_INTRADAY, Kind.UNTAXED_FUND_INTRADAY)
_CASH = (*_DELIVERY, *_INTRADAY)
_CURRENCY = (Kind.CURRENCY_FUTURE, Kind.CURRENCY_OPTION)
_COMMODITY = (Kind.COMMODITY_FUTURE, Kind.COMMODITY_OPTION)
_EXERCISED = (Kind.EXERCISE, Kind.COMMODITY_EXERCISE)


def _rows(
    line: Line,
    source: str,
    since: date,
    rates: Mapping[tuple[Kind, ...], str],
    *,
    exchange: str = "",
    side: Side | None = None,
    group: Group = Group.NONE,
    confirmed: bool = True,
) -> list[Rate]:
    return [
        Rate(line, kind, since, Decimal(percent), source, exchange, side, group, confirmed)
        for kinds, percent in rates.items()
        for kind in kinds
    ]


_LAW = "Finance Acts; STT lists of exchanges and ClearTax"
_ACT_2026 = "Finance Act 2026; NSE circular of 2026-03-31"
_STT = [
    *_rows(Line.STT, "no STT or CTT is levied", EARLIEST, {_ALL: "0"}),
    *_rows(Line.STT, _LAW, EARLIEST, {(Kind.DELIVERY,): "0.1"}),
    *_rows(Line.STT, _LAW, EARLIEST, {
        (Kind.INTRADAY, Kind.FUND_INTRADAY): "0.025",
        (Kind.FUND_DELIVERY,): "0.001",
        (Kind.FUTURE,): "0.0125",
        (Kind.OPTION,): "0.0625",
    }, side=Side.SELL),
    *_rows(Line.STT, _LAW, EARLIEST, {(Kind.EXERCISE,): "0.125"}, side=Side.BUY),
    *_rows(Line.STT, "Finance (No. 2) Act 2024", FLAT_FEES, {(Kind.FUTURE,): "0.02", (Kind.OPTION,): "0.1"},
           side=Side.SELL),
    *_rows(Line.STT, _ACT_2026, FINANCE_ACT_2026, {(Kind.FUTURE,): "0.05", (Kind.OPTION,): "0.15"}, side=Side.SELL),
    *_rows(Line.STT, _ACT_2026, FINANCE_ACT_2026, {(Kind.EXERCISE,): "0.15"}, side=Side.BUY),
    *_rows(Line.STT, "CTT lists of HDFC Sky, Kotak Securities, ICICI Direct, 2025-26", EARLIEST,
           {(Kind.COMMODITY_FUTURE,): "0.01", (Kind.COMMODITY_OPTION,): "0.05"}, side=Side.SELL),
    *_rows(Line.STT, "CTT on exercise, one list only", EARLIEST, {(Kind.COMMODITY_EXERCISE,): "0.0001"},
           side=Side.BUY, confirmed=False),
    *_rows(Line.STT, "agricultural commodities are exempt from CTT", EARLIEST,
           {(*_COMMODITY, Kind.COMMODITY_EXERCISE): "0"}, group=Group.AGRICULTURAL),
]  # fmt: skip

_SLABS = "the rate brokers passed on; the exchange charged members by slabs of their turnover until 2024-09-30"
_NSE_2024 = "NSE/FA/64323 of September 2024; press of 2024-09-27"
_NSE_2026 = "NSE/FA/73061 of 2026-02-27"
_BSE_2024 = "BSE press of 2024-09-27"
_MCX_2024 = "MCX circular of 2024-09-24"
_EXCHANGE = [
    *_rows(Line.EXCHANGE, "an exercise is no trade on the exchange", EARLIEST, {_EXERCISED: "0"}),
    *_rows(Line.EXCHANGE, _SLABS, EARLIEST, {_CASH: "0.00325", (Kind.FUTURE,): "0.0019", (Kind.OPTION,): "0.05"},
           exchange="NSE", confirmed=False),
    *_rows(Line.EXCHANGE, _SLABS, date(2024, 4, 1),
           {_CASH: "0.00322", (Kind.FUTURE,): "0.00188", (Kind.OPTION,): "0.0495"}, exchange="NSE", confirmed=False),
    *_rows(Line.EXCHANGE, _NSE_2024, FLAT_FEES,
           {_CASH: "0.00297", (Kind.FUTURE,): "0.00173", (Kind.OPTION,): "0.03503"}, exchange="NSE"),
    *_rows(Line.EXCHANGE, _NSE_2026, NSE_SPLIT,
           {_CASH: "0.0030699", (Kind.FUTURE,): "0.0018299", (Kind.OPTION,): "0.03552"}, exchange="NSE"),
    *_rows(Line.EXCHANGE, _SLABS, EARLIEST, {(Kind.CURRENCY_FUTURE,): "0.0009", (Kind.CURRENCY_OPTION,): "0.035"},
           exchange="NSE", confirmed=False),
    *_rows(Line.EXCHANGE, _NSE_2024, FLAT_FEES,
           {(Kind.CURRENCY_FUTURE,): "0.00035", (Kind.CURRENCY_OPTION,): "0.0311"}, exchange="NSE"),
    *_rows(Line.EXCHANGE, _BSE_2024 + "; unchanged since before", EARLIEST, {_CASH: "0.00375", (Kind.FUTURE,): "0"},
           exchange="BSE"),
    *_rows(Line.EXCHANGE, _SLABS, EARLIEST, {(Kind.OPTION,): "0.0495"}, exchange="BSE", confirmed=False),
    *_rows(Line.EXCHANGE, _BSE_2024, FLAT_FEES, {(Kind.OPTION,): "0.0325"}, exchange="BSE"),
    *_rows(Line.EXCHANGE, _BSE_2024, EARLIEST, {(Kind.OPTION,): "0.005"}, exchange="BSE",
           group=Group.BSE_OTHER_OPTION),
    *_rows(Line.EXCHANGE, "Zerodha's explanation of the BSE notices", EARLIEST, {_CASH: "0.1"}, exchange="BSE",
           group=Group.BSE_X),
    *_rows(Line.EXCHANGE, "Zerodha's explanation of the BSE notices", EARLIEST, {_CASH: "1"}, exchange="BSE",
           group=Group.BSE_P),
    *_rows(Line.EXCHANGE, "Zerodha's explanation of the BSE notices", EARLIEST, {_CASH: "0.00275"}, exchange="BSE",
           group=Group.BSE_M),
    *_rows(Line.EXCHANGE, "Upstox help centre", EARLIEST, {(Kind.CURRENCY_FUTURE,): "0.00045"}, exchange="BSE"),
    *_rows(Line.EXCHANGE, "press of 2024-09-27: Rs 100 per crore of premium", EARLIEST,
           {(Kind.CURRENCY_OPTION,): "0.001"}, exchange="BSE", confirmed=False),
    *_rows(Line.EXCHANGE, _SLABS, EARLIEST, {(Kind.COMMODITY_FUTURE,): "0.0026", (Kind.COMMODITY_OPTION,): "0.05"},
           exchange="MCX", confirmed=False),
    *_rows(Line.EXCHANGE, _MCX_2024, FLAT_FEES,
           {(Kind.COMMODITY_FUTURE,): "0.0021", (Kind.COMMODITY_OPTION,): "0.0418"}, exchange="MCX"),
    *[row for exchange in ("NSE", "BSE") for row in
      _rows(Line.EXCHANGE, "not found; MCX's rate is assumed", EARLIEST,
            {(Kind.COMMODITY_FUTURE,): "0.0021", (Kind.COMMODITY_OPTION,): "0.0418"}, exchange=exchange,
            confirmed=False)],
]  # fmt: skip

_IPFT = [
    *_rows(Line.IPFT, "levied by NSE only", EARLIEST, {_ALL: "0"}),
    *_rows(Line.IPFT, "NSE/FA/64323", EARLIEST, {_CASH: "0.0001", (Kind.FUTURE,): "0.0001", (Kind.OPTION,): "0.0005"},
           exchange="NSE"),
    *_rows(Line.IPFT, _NSE_2026, NSE_SPLIT,
           {_CASH: "0.0000001", (Kind.FUTURE,): "0.0000001", (Kind.OPTION,): "0.00001"}, exchange="NSE"),
    *_rows(Line.IPFT, "one broker's list only", EARLIEST,
           {(Kind.CURRENCY_FUTURE,): "0.00005", (Kind.CURRENCY_OPTION,): "0.002"}, exchange="NSE", confirmed=False),
]  # fmt: skip

_TRADED = tuple(kind for kind in Kind if not kind.exercised)
_SEBI = [
    *_rows(Line.SEBI, "SEBI (Stock Brokers) Regulations: Rs 10 per crore of turnover", EARLIEST, {_TRADED: "0.0001"}),
    *_rows(Line.SEBI, "an exercise is no turnover", EARLIEST, {_EXERCISED: "0"}),
    *_rows(Line.SEBI, "Rs 1 per crore, one list only", EARLIEST, {_COMMODITY: "0.00001"}, group=Group.AGRICULTURAL,
           confirmed=False),
]  # fmt: skip

_STAMP = [
    *_rows(Line.STAMP, "the seller and an exercise pay none", EARLIEST, {_ALL: "0"}),
    *_rows(Line.STAMP, "Indian Stamp Act as amended, uniform since 2020-07-01", EARLIEST, {
        _DELIVERY: "0.015",
        _INTRADAY: "0.003",
        (Kind.FUTURE, Kind.COMMODITY_FUTURE): "0.002",
        (Kind.OPTION, Kind.COMMODITY_OPTION): "0.003",
        _CURRENCY: "0.0001",
    }, side=Side.BUY),
]  # fmt: skip

_CLEARING = _rows(Line.CLEARING, "0 in the samples of Upstox; other brokers take some", EARLIEST, {_ALL: "0"})

GST_PERCENT = Decimal(18)
"""On brokerage, exchange charge, IPFT, clearing, SEBI fee and depository charge; never on STT, CTT and stamp duty."""

RATES: tuple[Rate, ...] = (*_STT, *_EXCHANGE, *_IPFT, *_SEBI, *_STAMP, *_CLEARING)
