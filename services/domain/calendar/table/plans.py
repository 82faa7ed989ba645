"""A market's day by the table alone."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from services.domain.calendar.days import DayKind, DayPlan
from services.domain.calendar.regimes import COMMODITY, EQUITY, Step, minutes, regime, windows_of
from services.domain.calendar.table import commodity, currency, equity
from services.domain.calendar.table.rows import Row, Special
from services.domain.calendar.table.specials import SPECIALS
from services.domain.phases import Listing, Market, Phase

KNOWN_YEARS = range(2019, 2027)
"""Years whose lists of holidays are in the table. Of any other nothing is said, not even that Sundays are free."""

FIRST_DAY, LAST_DAY = date(KNOWN_YEARS[0], 1, 1), date(KNOWN_YEARS[-1], 12, 31)
_NOON = minutes("17:00")
"""Where a commodity exchange's morning session ends and its evening begins."""


@lru_cache(maxsize=8192)
def table_plan(market: Market, day: date, listing: Listing) -> DayPlan:
    """The day of `market` for a listing; kind `UNKNOWN` outside the years of the table."""
    if day.year not in KNOWN_YEARS:
        return DayPlan(market, day, DayKind.UNKNOWN, (), source="the bundled table", settles=False)
    special = SPECIALS.get(day, {}).get(market)
    if special is not None:
        return _special_plan(market, day, listing, special)
    if day.weekday() >= 5:
        return DayPlan(market, day, DayKind.WEEKEND, (), source="the exchanges rest on weekends", settles=False)
    if market in COMMODITY:
        return _commodity_plan(market, day, listing)
    closed = equity.HOLIDAYS.get(day)
    if closed is None and market not in EQUITY:
        closed = currency.HOLIDAYS.get(day)
    if closed is not None:
        return _closed(market, day, closed)
    return ordinary_plan(market, day, listing, equity.SETTLEMENT_HOLIDAYS.get(day))


def ordinary_plan(market: Market, day: date, listing: Listing, unsettled: Row | None = None) -> DayPlan:
    """The hours of an ordinary trading day at that date, whatever the table says of the date itself."""
    hours = regime(market, day, listing)
    return DayPlan(
        market,
        day,
        DayKind.TRADING,
        windows_of(day, hours.steps),
        name=unsettled.name if unsettled else "",
        source=unsettled.source if unsettled else hours.source,
        confirmed=hours.confirmed,
        settles=unsettled is None,
        note=hours.note or ("" if unsettled is None or unsettled.confirmed else "that nothing settles is unconfirmed"),
    )


def named_dates(year: int) -> list[date]:
    """The dates of `year` on which at least one market differs from its ordinary day, ascending."""
    tables = (
        equity.HOLIDAYS, equity.SETTLEMENT_HOLIDAYS, currency.HOLIDAYS, commodity.CLOSED, commodity.MORNING_ONLY,
        commodity.EVENING_ONLY, SPECIALS,
    )  # fmt: skip
    return sorted({day for table in tables for day in table if day.year == year})


def _closed(market: Market, day: date, row: Row) -> DayPlan:
    return DayPlan(
        market, day, DayKind.HOLIDAY, (), name=row.name, source=row.source, confirmed=row.confirmed, settles=False
    )


def _special_plan(market: Market, day: date, listing: Listing, row: Special) -> DayPlan:
    # Of hours of their own the circulars say that all contracts trade them, those that usually stop earlier too.
    steps = regime(market, day, listing).steps if row.ordinary else row.steps or ()
    return DayPlan(
        market,
        day,
        DayKind.SPECIAL,
        windows_of(day, steps),
        name=row.name,
        source=row.source,
        confirmed=row.confirmed,
        settles=row.settles,
        note=row.note,
    )


def _commodity_plan(market: Market, day: date, listing: Listing) -> DayPlan:
    closed = commodity.CLOSED.get(day)
    if closed is not None:
        return _closed(market, day, closed)
    morning, evening = commodity.MORNING_ONLY.get(day), commodity.EVENING_ONLY.get(day)
    row = morning or evening
    if row is None:
        return ordinary_plan(market, day, listing, equity.SETTLEMENT_HOLIDAYS.get(day))
    hours = regime(market, day, listing)
    steps = _until_noon(hours.steps) if morning else _from_noon(hours.steps)
    if not steps:
        return _closed(market, day, row)
    return DayPlan(
        market,
        day,
        DayKind.PARTIAL,
        windows_of(day, steps),
        name=row.name,
        source=row.source,
        confirmed=row.confirmed and hours.confirmed,
        settles=morning is not None,
        note="morning session only" if morning else "evening session only",
    )


def _until_noon(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    return tuple(
        Step(one.start, min(one.end, _NOON), one.phase, one.stage, one.accepts) for one in steps if one.start < _NOON
    )


def _from_noon(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    # Whether orders may be cancelled in a quarter of an hour before 17:00 was not found: no pre-open is told.
    return tuple(
        Step(_NOON, one.end, one.phase, one.stage, one.accepts)
        for one in steps
        if one.phase is Phase.OPEN and one.end > _NOON
    )
