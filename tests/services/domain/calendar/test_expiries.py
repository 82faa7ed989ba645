"""The rules of expiry against contracts that were really listed, and against what exchanges announced."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.domain.calendar.calendar import BUNDLED, MarketCalendar
from services.domain.calendar.days import DayKind, DayOverride
from services.domain.calendar.expiries import (
    Expiry,
    ExpiryRule,
    expiries_on,
    is_monthly,
    next_monthly_expiries,
    weekly_expiries,
)
from services.domain.clock import from_epoch_ms, ist_date
from services.domain.phases import Market
from tests.support.shared_data import shared

YEARS = (date(2019, 1, 1), date(2026, 12, 31))


def next_weeklies(rule: ExpiryRule, day: date, count: int, calendar: MarketCalendar = BUNDLED) -> list[date]:
    """The next `count` weekly expiries from `day` on."""
    return weekly_expiries(rule, day, day + timedelta(weeks=count + 2), calendar)[:count]


def master(name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(shared(f"data/instruments/{name}").read_text(encoding="utf-8"))
    return rows


def listed(
    rows: Iterable[dict[str, Any]], segment: str, symbol: str, kinds: tuple[str, ...], weekly: bool | None = False
) -> list[date]:
    """The expiries of the contracts on `symbol`, ascending."""
    return sorted(
        {
            ist_date(from_epoch_ms(row["expiry"]))
            for row in rows
            if row["segment"] == segment
            and row.get("underlying_symbol") == symbol
            and row["instrument_type"] in kinds
            and row.get("weekly") == weekly
        }
    )


def test_contracts_listed_on_nse_in_august_2026_end_by_the_rules() -> None:
    rows = master("upstox_nse_20260821_trimmed.json")
    first, last = date(2026, 8, 21), date(2026, 12, 31)
    weekly = [day for day in weekly_expiries(ExpiryRule.NSE, first, last) if not is_monthly(ExpiryRule.NSE, day)]

    assert listed(rows, "NSE_FO", "NIFTY", ("CE", "PE"), weekly=True) == weekly[:4]
    for symbol in ("NIFTY", "BANKNIFTY", "RELIANCE"):
        assert listed(rows, "NSE_FO", symbol, ("FUT",)) == next_monthly_expiries(ExpiryRule.NSE, first, 3)
    currency = next_monthly_expiries(ExpiryRule.CURRENCY, first, 5)
    assert listed(rows, "NCD_FO", "USDINR", ("FUT",))[:5] == currency


def test_contracts_listed_on_bse_in_december_2025_ended_by_the_rules_but_for_the_day_declared_later() -> None:
    rows = master("upstox_bse_mcx_20251218_trimmed.json")
    weekly = [
        day for day in next_weeklies(ExpiryRule.BSE, date(2025, 12, 18), 7) if not is_monthly(ExpiryRule.BSE, day)
    ]

    moved = {date(2026, 1, 15): date(2026, 1, 14)}
    assert [moved.get(day, day) for day in listed(rows, "BSE_FO", "SENSEX", ("CE", "PE"), weekly=True)] == weekly[:5]
    for symbol in ("SENSEX", "BANKEX"):
        futures = listed(rows, "BSE_FO", symbol, ("FUT",))
        assert futures == next_monthly_expiries(ExpiryRule.BSE, date(2025, 12, 18), 3)


@pytest.mark.parametrize(
    ("symbol", "rule", "apart"),
    [
        ("GOLD", ExpiryRule.GOLD, {}),
        ("SILVER", ExpiryRule.SILVER, {}),
        ("NATURALGAS", ExpiryRule.GAS, {}),
        # New York rests on 19 January and 25 May 2026, and the rule knows no American holidays.
        ("CRUDEOIL", ExpiryRule.CRUDE, {date(2026, 1, 16): date(2026, 1, 19), date(2026, 5, 18): date(2026, 5, 19)}),
    ],
)
def test_contracts_listed_on_mcx_in_december_2025_end_by_the_rules(
    symbol: str, rule: ExpiryRule, apart: dict[date, date]
) -> None:
    real = listed(master("upstox_bse_mcx_20251218_trimmed.json"), "MCX_FO", symbol, ("FUT",), weekly=None)
    by_rule = next_monthly_expiries(rule, real[0], len(real))

    assert [apart.get(day, day) for day in real] == by_rule


def test_contracts_traded_in_november_2025_end_by_the_rules() -> None:
    def traded(file: str, kind: str, symbol: str) -> list[date]:
        with shared(f"data/bhavcopy_nse_fo/{file}").open(encoding="utf-8") as lines:
            rows = [[cell.strip() for cell in row] for row in csv.reader(lines)]
        found = {row[2] for row in rows if row[:2] == [kind, symbol]}
        return sorted(datetime.strptime(cell, "%d/%m/%Y").date() for cell in found)  # noqa: DTZ007

    day = date(2025, 11, 14)
    for kind, symbol in (("FUTIDX", "NIFTY"), ("FUTIDX", "BANKNIFTY"), ("FUTSTK", "RELIANCE")):
        assert traded("fo14112025_futures.csv", kind, symbol) == next_monthly_expiries(ExpiryRule.NSE, day, 3)
    options = traded("op14112025_options_trimmed.csv", "OPTIDX", "NIFTY")
    weekly = next_weeklies(ExpiryRule.NSE, day, 5)
    assert options[: len(weekly)] == weekly


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (ExpiryRule.NSE, ["2025-08-28", "2025-09-02", "2025-09-09"]),
        (ExpiryRule.BSE, ["2025-08-26", "2025-09-04", "2025-09-11"]),
    ],
)
def test_the_weekdays_changed_places_in_september_2025(rule: ExpiryRule, expected: list[str]) -> None:
    assert [str(day) for day in weekly_expiries(rule, date(2025, 8, 22), date(2025, 9, 12))] == expected


@pytest.mark.parametrize(
    ("rule", "first", "expected"),
    [
        # Fridays until 3 January 2025, Tuesdays after.
        (ExpiryRule.BSE, date(2024, 12, 23), ["2024-12-27", "2025-01-03", "2025-01-07", "2025-01-14"]),
        (ExpiryRule.BSE, date(2023, 5, 1), ["2023-05-19", "2023-05-26"]),
        # Both muhurat days passed over; a holiday moved the day before.
        (ExpiryRule.NSE, date(2021, 11, 1), ["2021-11-03", "2021-11-11"]),
        (ExpiryRule.NSE, date(2025, 10, 16), ["2025-10-20", "2025-10-28"]),
        (ExpiryRule.NSE, date(2023, 6, 26), ["2023-06-28", "2023-07-06"]),
        (ExpiryRule.NSE, date(2024, 8, 12), ["2024-08-14", "2024-08-22"]),
        (ExpiryRule.NSE, date(2026, 10, 16), ["2026-10-19", "2026-10-27", "2026-11-03", "2026-11-09"]),
        (ExpiryRule.BSE, date(2025, 12, 19), ["2025-12-24", "2026-01-01", "2026-01-08", "2026-01-14"]),
        (ExpiryRule.NSE, date(2026, 3, 27), ["2026-03-30", "2026-04-07", "2026-04-13"]),
        (ExpiryRule.BSE, date(2026, 3, 20), ["2026-03-25", "2026-04-02"]),
        (ExpiryRule.NSE, date(2026, 11, 18), ["2026-11-23", "2026-12-01"]),
        # BANKNIFTY: first Wednesday, the Thursday of its month until February 2024, the last of all.
        (ExpiryRule.BANKNIFTY, date(2023, 8, 31), ["2023-08-31", "2023-09-06", "2023-09-13", "2023-09-20"]),
        (ExpiryRule.BANKNIFTY, date(2023, 9, 21), ["2023-09-28", "2023-10-04"]),
        (ExpiryRule.BANKNIFTY, date(2024, 10, 31), ["2024-11-06", "2024-11-13"]),
    ],
)
def test_weekly_expiries_as_they_were(rule: ExpiryRule, first: date, expected: list[str]) -> None:
    assert [str(day) for day in next_weeklies(rule, first, len(expected))] == expected


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (
            ExpiryRule.BANKNIFTY,
            "2024-01-25 2024-02-29 2024-03-27 2024-04-24 2024-05-29 2024-06-26 2024-07-31 2024-08-28 2024-09-25 "
            "2024-10-30 2024-11-27 2024-12-24 2025-01-30",
        ),
        (ExpiryRule.NSE, "2024-01-25 2024-02-29 2024-03-28 2024-04-25 2024-05-30"),
    ],
)
def test_monthly_expiries_as_they_were(rule: ExpiryRule, expected: str) -> None:
    days = [date.fromisoformat(day) for day in expected.split()]

    assert next_monthly_expiries(rule, date(2024, 1, 1), len(days)) == days


def test_weekly_options_ended_where_the_regulator_allowed_one_index_of_each_exchange() -> None:
    assert next_weeklies(ExpiryRule.BANKNIFTY, date(2024, 11, 14), 5) == []
    assert weekly_expiries(ExpiryRule.BANKNIFTY, date(2026, 1, 1), date(2026, 12, 31)) == []
    assert weekly_expiries(ExpiryRule.GOLD, *YEARS) == []


@given(st.sampled_from(list(ExpiryRule)), st.dates(*YEARS))
def test_a_contract_ends_on_a_day_on_which_its_market_trades_as_usual(rule: ExpiryRule, day: date) -> None:
    market = {ExpiryRule.BSE: Market.BFO, ExpiryRule.CURRENCY: Market.CDS}.get(
        rule, Market.NFO if rule in (ExpiryRule.NSE, ExpiryRule.BANKNIFTY) else Market.MCX
    )
    for expiry in (*next_monthly_expiries(rule, day, 1), *next_weeklies(rule, day, 1)):
        assert expiry >= day
        if expiry <= YEARS[1]:
            assert BUNDLED.day(market, expiry).kind in (DayKind.TRADING, DayKind.PARTIAL)


@given(st.sampled_from([ExpiryRule.NSE, ExpiryRule.BSE]), st.dates(date(2023, 6, 1), date(2026, 11, 30)))
def test_a_week_has_one_expiry_and_the_monthly_one_is_among_them(rule: ExpiryRule, day: date) -> None:
    monday = day - timedelta(days=day.weekday())

    assert len(weekly_expiries(rule, monday, monday + timedelta(days=6))) == 1
    monthly = next_monthly_expiries(rule, day, 1)[0]
    assert is_monthly(rule, monthly)
    assert weekly_expiries(rule, monthly, monthly) == [monthly]


def test_a_holiday_that_the_broker_declares_moves_the_expiry() -> None:
    day = date(2026, 12, 1)
    calendar = MarketCalendar([DayOverride(Market.NFO, day, (), "Mourning", "TRADING_HOLIDAY", "the broker")])

    assert next_weeklies(ExpiryRule.NSE, date(2026, 11, 27), 1, calendar) == [date(2026, 11, 30)]
    assert next_weeklies(ExpiryRule.NSE, date(2026, 11, 27), 1) == [day]


def test_in_years_not_published_the_weekday_itself_is_told_and_unconfirmed() -> None:
    assert next_monthly_expiries(ExpiryRule.NSE, date(2027, 1, 1), 2) == [date(2027, 1, 26), date(2027, 2, 23)]
    assert Expiry("NSE indices and stocks monthly", confirmed=False) in expiries_on(date(2027, 1, 26))


@pytest.mark.parametrize(
    ("day", "labels"),
    [
        ("2026-11-23", ["NSE indices and stocks monthly"]),
        ("2026-11-24", []),
        ("2026-12-01", ["NIFTY weekly"]),
        ("2026-12-03", ["SENSEX weekly"]),
        ("2026-11-26", ["BSE indices and stocks monthly", "Currencies monthly"]),
        ("2024-03-27", ["BANKNIFTY monthly"]),
        ("2024-03-28", ["NIFTY and NSE stocks monthly", "SENSEX monthly"]),
        ("2024-02-29", ["NIFTY, BANKNIFTY and NSE stocks monthly"]),
        ("2023-09-06", ["BANKNIFTY weekly"]),
        ("2019-02-28", ["NIFTY, BANKNIFTY and NSE stocks monthly"]),
    ],
)
def test_what_ends_on_a_day_is_told_in_words(day: str, labels: list[str]) -> None:
    found = [one.label for one in expiries_on(date.fromisoformat(day))]
    assert [label for label in found if label not in {"Gold", "Silver", "Crude oil", "Natural gas"}] == labels


def test_rules_that_were_read_off_listed_contracts_are_unconfirmed() -> None:
    assert Expiry("Gold", confirmed=False) in expiries_on(date(2026, 12, 4))
    assert Expiry("NIFTY weekly", confirmed=True) in expiries_on(date(2026, 12, 1))
