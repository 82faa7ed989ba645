"""The dated table against days and lists that others wrote."""

from __future__ import annotations

import csv
import json
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from services.domain.calendar.calendar import BUNDLED, KNOWN_YEARS
from services.domain.calendar.days import DayKind
from services.domain.calendar.table import commodity, currency, equity
from services.domain.calendar.table.plans import named_dates, table_plan
from services.domain.calendar.table.specials import SPECIALS
from services.domain.clock import IST
from services.domain.phases import Listing, Market, Phase
from tests.support.shared_data import shared

FIRST, LAST = date(2019, 10, 1), date(2026, 8, 21)
NOT_IN_THE_MIRROR = {
    date(2021, 11, 4): "muhurat, the mirror's file is missing",
    date(2022, 8, 8): "an ordinary Monday, the mirror's file is missing",
}
"""Days on which NSE traded though the list of bhavcopies lacks them."""


def days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=ahead) for ahead in range((last - first).days + 1)]


def observed() -> set[date]:
    with shared("data/calendar/nse_observed_trading_days.csv").open(encoding="utf-8") as file:
        return {date.fromisoformat(row["date"]) for row in csv.DictReader(file)}


def package(name: str) -> Any:
    return json.loads(shared(f"data/calendar/{name}").read_text(encoding="utf-8"))


def test_nse_trades_on_exactly_the_days_for_which_it_published_prices() -> None:
    seen = observed()

    wrong = [
        day
        for day in days(FIRST, LAST)
        if BUNDLED.is_trading_day(Market.NSE, day) != (day in seen or day in NOT_IN_THE_MIRROR)
    ]

    assert wrong == []
    assert not seen & NOT_IN_THE_MIRROR.keys()
    assert len([day for day in seen if FIRST <= day <= LAST]) == 1709


@pytest.mark.parametrize("market", [Market.BSE, Market.NFO, Market.BFO])
def test_shares_of_both_exchanges_and_their_derivatives_share_their_days(market: Market) -> None:
    first, last = date(KNOWN_YEARS[0], 1, 1), date(KNOWN_YEARS[-1], 12, 31)

    assert [day for day in days(first, last) if BUNDLED.is_trading_day(market, day)] == [
        day for day in days(first, last) if BUNDLED.is_trading_day(Market.NSE, day)
    ]


PACKAGED_WRONG = {
    "holidays it calls trading days": {
        date(2019, 4, 29): "Lok Sabha poll in Mumbai, declared in March",
        date(2019, 10, 21): "Assembly poll, declared in September",
        date(2024, 1, 22): "declared three days before",
        date(2024, 5, 20): "Lok Sabha poll in Mumbai, declared in April",
        date(2024, 11, 20): "Assembly poll, declared in November",
        date(2026, 1, 15): "municipal polls, declared three days before",
        date(2026, 3, 3): "Holi, of which it has the day after",
        date(2023, 6, 29): "Bakri Id, of which it has the day first announced",
    },
    "trading days it calls holidays": {
        date(2023, 6, 28): "Bakri Id as first announced; the exchanges moved it the day before",
        date(2026, 3, 4): "the wrong day of Holi",
    },
    "sessions on weekends that it misses": {
        date(2020, 2, 1): "Budget",
        date(2024, 1, 20): "in place of 22 January",
        date(2024, 3, 2): "drill",
        date(2024, 5, 18): "drill",
        date(2025, 2, 1): "Budget",
        date(2026, 2, 1): "Budget",
    },
}


def test_every_difference_to_the_packaged_nse_calendar_is_explained() -> None:
    data = package("nse_calendar_data_2019_2026.json")
    closed = {date.fromisoformat(row["date"]) for rows in data["holidays"].values() for row in rows}
    sessions = {date.fromisoformat(row["date"]) for rows in data["special_session"].values() for row in rows}

    ours_only_closed, theirs_only_closed, missed = set(), set(), set()
    for day in days(date(2019, 1, 1), date(2026, 12, 31)):
        theirs = day in sessions or (day.weekday() < 5 and day not in closed)
        ours = BUNDLED.is_trading_day(Market.NSE, day)
        if ours and not theirs:
            (missed if day.weekday() >= 5 else theirs_only_closed).add(day)
        elif theirs and not ours:
            ours_only_closed.add(day)

    assert ours_only_closed == PACKAGED_WRONG["holidays it calls trading days"].keys()
    assert theirs_only_closed == PACKAGED_WRONG["trading days it calls holidays"].keys()
    assert missed == PACKAGED_WRONG["sessions on weekends that it misses"].keys()


def test_the_packaged_nse_calendar_is_contradicted_by_published_prices_wherever_it_can_be() -> None:
    seen = observed()
    for day in PACKAGED_WRONG["holidays it calls trading days"]:
        assert day not in seen
    for day in PACKAGED_WRONG["trading days it calls holidays"] | PACKAGED_WRONG["sessions on weekends that it misses"]:
        assert day in seen


AION_MARKETS = {
    "NSE_EQUITY": Market.NSE, "BSE_EQUITY": Market.BSE, "NSE_EQUITY_DERIVATIVES": Market.NFO,
    "NSE_CURRENCY_DERIVATIVES": Market.CDS, "MCX": Market.MCX, "NSE_COMMODITY_DERIVATIVES": Market.NSCOM,
}  # fmt: skip
AION_KINDS = {"MARKET_SCHEDULE", "EXCHANGE_HOLIDAY", "SPECIAL_TRADING_SESSION"}
AION_DIFFERENCES = {
    ("MCX_MUHRAT_TRADING_2026", "hours"): "the hour is the package's convention, marked provisional by itself",
    ("NSE_EQUITY_MUHURAT_20261108", "hours"): "the same",
    ("BSE_EQUITY_MUHURAT_20261108", "hours"): "the same",
    ("NSE_COMMODITY_SPECIAL_20260115", "hours"): "it ends the evening at 23:30 in winter too, against its own rules",
    ("MCX_SPECIAL_20260303", "hours"): "the same: the United States change on 8 March",
    ("NSE_COMMODITY_SPECIAL_20260303", "hours"): "the same",
    ("MCX_SPECIAL_20261110", "hours"): "the same, after 1 November",
    ("NSE_COMMODITY_SPECIAL_20261110", "hours"): "the same",
    ("MCX_SPECIAL_20261124", "hours"): "the same",
    ("NSE_COMMODITY_SPECIAL_20261124", "hours"): "the same",
}


def test_every_difference_to_the_packaged_list_of_2026_is_explained() -> None:
    differing = set()
    for event in package("aion_indian_market_calendar_2026.json")["events"]:
        for name in event["applies_to"]:
            if name not in AION_MARKETS or event["category"] not in AION_KINDS:
                continue
            plan = BUNDLED.day(AION_MARKETS[name], date.fromisoformat(event["start"][:10]))
            told = [row for row in event.get("session_override") or [] if row["open"] != "08:45:00"]
            if bool(told) != bool(plan.trades):
                differing.add((event["id"], "day"))
            elif told and [(row["open"], row["close"]) for row in told] != clock_hours(plan.hours):
                differing.add((event["id"], "hours"))

    assert differing == AION_DIFFERENCES.keys()


AION_MISSING = {
    (Market.MCX, date(2026, 1, 15)): "declared three days before; it has the day for NSE's commodities only",
    (Market.MCX, date(2026, 2, 1)): "the Budget Sunday is an event of indices there, without sessions",
    (Market.NSCOM, date(2026, 2, 1)): "the same",
    (Market.NSE, date(2026, 2, 1)): "the same",
    (Market.BSE, date(2026, 2, 1)): "the same",
    (Market.NFO, date(2026, 2, 1)): "the same",
    (Market.NFO, date(2026, 11, 8)): "it has the muhurat session of shares and of MCX only",
    (Market.CDS, date(2026, 11, 8)): "the same",
    (Market.NSCOM, date(2026, 11, 8)): "the same",
}


def test_every_day_that_the_packaged_list_of_2026_lacks_is_explained() -> None:
    named = {
        (AION_MARKETS[name], date.fromisoformat(event["start"][:10]))
        for event in package("aion_indian_market_calendar_2026.json")["events"]
        for name in event["applies_to"]
        if name in AION_MARKETS and event["category"] in AION_KINDS
    }
    unusual = (DayKind.HOLIDAY, DayKind.PARTIAL, DayKind.SPECIAL)
    ours = {
        (market, day)
        for market in AION_MARKETS.values()
        for day in days(date(2026, 1, 1), date(2026, 12, 31))
        if BUNDLED.day(market, day).kind in unusual
    }

    assert ours - named == AION_MISSING.keys()
    assert named <= ours


AUCTION_RULES = [
    ("NSE_EQUITY_FNO_UNDERLYING", Market.NSE, Listing.AUCTION),
    ("BSE_EQUITY_FNO_UNDERLYING", Market.BSE, Listing.AUCTION),
    ("NSE_EQUITY_DERIVATIVES", Market.NFO, Listing.ORDINARY),
    ("BSE_EQUITY_DERIVATIVES", Market.BFO, Listing.ORDINARY),
    ("NSE_COMMODITY_DERIVATIVES", Market.NSCOM, Listing.ORDINARY),
]


@pytest.mark.parametrize(("name", "market", "listing"), AUCTION_RULES)
def test_the_packaged_dated_rules_end_continuous_trading_when_the_table_does(
    name: str, market: Market, listing: Listing
) -> None:
    for rule in package("aion_indian_market_calendar_2026.json")["session_rules"][name]:
        end = next(row["close"] for row in rule["segments"] if row["kind"] == "continuous")
        first = date.fromisoformat(rule["effective_from"])
        last = date.fromisoformat(rule["effective_to"] or "2026-12-31")
        for day in days(first, min(last, date(2026, 12, 31))):
            plan = table_plan(market, day, listing)
            if plan.kind is DayKind.TRADING:
                assert plan.closes is not None
                assert f"{plan.closes.astimezone(IST):%H:%M:%S}" == end, (name, day)


def clock_hours(hours: tuple[tuple[datetime, datetime], ...]) -> list[tuple[str, str]]:
    return [(f"{start.astimezone(IST):%H:%M:%S}", f"{end.astimezone(IST):%H:%M:%S}") for start, end in hours]


def test_a_compiled_list_of_2024_to_2026_agrees_row_by_row() -> None:
    with shared("data/calendar/holidays_2024_2026_compiled.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        day = date.fromisoformat(row["date"])
        shares = BUNDLED.day(Market.NSE, day)
        assert bool(shares.trades) == (row["nse_bse_equity_and_fo"] != "closed"), row
        money = BUNDLED.day(Market.CDS, day)
        assert bool(money.trades) == (row["nse_currency"] != "closed") or day == date(2026, 2, 1), row
        metals = BUNDLED.day(Market.MCX, day)
        if "n/a" in row["mcx_morning"] or "note" in row["mcx_morning"] or "muhurat" in row["mcx_evening"]:
            continue
        if row["mcx_evening"] == "unconfirmed":  # 2025-10-21: the press names the muhurat hour alone
            assert day == date(2025, 10, 21)
            continue
        morning = row["mcx_morning"] == "open"
        evening = row["mcx_evening"] == "open"
        assert bool(metals.trades) == (morning or evening), row
        if metals.kind is DayKind.PARTIAL:
            assert metals.opens is not None
            assert (metals.opens.astimezone(IST).hour == 9) == morning, row


def test_no_row_says_what_another_row_of_the_same_market_denies() -> None:
    assert not equity.HOLIDAYS.keys() & equity.SETTLEMENT_HOLIDAYS.keys()
    assert not equity.HOLIDAYS.keys() & currency.HOLIDAYS.keys()
    parts = [commodity.CLOSED, commodity.MORNING_ONLY, commodity.EVENING_ONLY]
    assert sum(len(part) for part in parts) == len({day for part in parts for day in part})
    for day, markets in SPECIALS.items():
        assert not (Market.NSE in markets and day in equity.HOLIDAYS)
        assert not (Market.MCX in markets and any(day in part for part in parts))


def test_every_row_is_a_weekday_of_a_known_year_with_a_name_and_a_source() -> None:
    tables = [
        equity.HOLIDAYS, equity.SETTLEMENT_HOLIDAYS, commodity.CLOSED, commodity.MORNING_ONLY, commodity.EVENING_ONLY
    ]  # fmt: skip
    for table in tables:
        for day, row in table.items():
            assert day.year in KNOWN_YEARS
            assert day.weekday() < 5
            assert row.name
            assert row.source
    for day, markets in SPECIALS.items():
        assert day.year in KNOWN_YEARS
        assert all(row.name and row.source for row in markets.values())


def test_commodities_rest_or_shorten_their_day_on_every_holiday_of_shares() -> None:
    for day in equity.HOLIDAYS:
        assert BUNDLED.day(Market.MCX, day).kind in (DayKind.HOLIDAY, DayKind.PARTIAL), day


def test_the_number_of_holidays_of_each_year_is_what_the_exchanges_published() -> None:
    counts = {year: sum(day.year == year for day in equity.HOLIDAYS) for year in KNOWN_YEARS}

    # With the muhurat days of 2021, 2022, 2024 and 2025, which their lists count among the holidays.
    assert counts == {2019: 17, 2020: 12, 2021: 13, 2022: 12, 2023: 15, 2024: 16, 2025: 13, 2026: 16}


def test_named_dates_are_ascending_and_unique() -> None:
    for year in KNOWN_YEARS:
        assert named_dates(year) == sorted(set(named_dates(year)))
    assert named_dates(2027) == []


@pytest.mark.parametrize(
    ("file", "sessions", "minutes"),
    [
        ("TCS_1m_20250101_20250115.csv", 11, 11 * 375),
        ("NIFTY50_1m_20260728_20260821.csv", 19, 19 * 375 - 4),
    ],
)
def test_real_minutes_lie_in_continuous_trading_and_fill_it(file: str, sessions: int, minutes: int) -> None:
    with shared(f"data/candles_1m/{file}").open(encoding="utf-8") as lines:
        cells = [row[0] for row in list(csv.reader(lines))[1:]]
    starts = [datetime.fromisoformat(cell) for cell in cells]
    starts = [start if start.tzinfo else start.replace(tzinfo=IST) for start in starts]
    found = BUNDLED.sessions(Market.NSE, min(starts), max(starts) + timedelta(minutes=1), phases={Phase.OPEN})

    assert len(found.windows) == sessions
    assert all(any(one.start <= start < one.end for one in found.windows) for start in starts)
    assert len(starts) == minutes
    assert sum((one.end - one.start).seconds // 60 for one in found.windows) == sessions * 375
