"""Market status, holidays and timings, as the v3 guide promises them: the broker's word over the desk's own table.

from services.market_info_service import MarketInfoService

market = MarketInfoService()
print(market.is_market_open(exchange="NSE", segment="EQ"))
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from operator import index
from typing import overload

if __name__ == "__main__":  # run as a file, Python looks for `services` beside it and not where it is
    import sys
    from pathlib import Path

    sys.path[0] = str(Path(__file__).resolve().parents[1])

from services.calendar import Calendar
from services.calendar.views import MATCHING, HolidayRow, Status, Timings, holiday_row, status_of, timings_of
from services.domain.calendar.calendar import KNOWN_YEARS
from services.domain.calendar.naming import market_named, markets_named
from services.domain.clock import ist_date
from services.domain.errors import InvalidRequest, NotPublished
from services.domain.phases import Listing
from services.runtime import get_runtime
from services.self_check import assure, main


class MarketInfoService:
    """The market calendar of the process's runtime. Cheap to make.

    Exchanges are named as the broker names them (`NSE NFO CDS BSE BFO BCD MCX NSCOM`) or as `NSE` or `BSE` with a
    segment `EQ INDEX FO CD COM`. Answers come from the desk's own table with the broker's word over it: the broker
    wins, and each answer tells its source. `get_*` ask the broker if its last word has become old, and answer without
    it, saying so, if it cannot be reached; `is_*` never make a request. What is not published raises `NotPublished`.
    """

    def __init__(self, db_path: str = "market_data.db") -> None:
        """`db_path`: the market file in which the broker's answers are kept, relative to the data folder."""
        self._calendar: Calendar = get_runtime().calendar_in(db_path)
        self._calendar.start()

    # -- now ---------------------------------------------------------------------------------------------------

    def is_market_open(
        self, exchange: str = "NSE", segment: str = "EQ", *, listing: Listing | str = Listing.ORDINARY
    ) -> bool:
        """Can orders be matched there now? True in continuous trading and, for a `listing="closing auction"` (shares
        with derivatives), in the closing auction. False in pre-open and post-close, and while it is not known.

        Of the real market, also in a practice session. Makes no request.
        """
        return self._calendar.phase(market_named(exchange, segment), listing=_listing(listing)).phase in MATCHING

    @overload
    def get_market_status(self, exchange: None = None, segment: str | None = None) -> list[Status]: ...
    @overload
    def get_market_status(self, exchange: str, segment: str | None = None) -> Status: ...
    def get_market_status(self, exchange: str | None = None, segment: str | None = None) -> list[Status] | Status:
        """What the market of `exchange` (and `segment`) does now; without an exchange a list of all, or of those of the
        segment."""
        wanted = markets_named(exchange, segment)
        self._calendar.refresh_if_due(wait=True)
        statuses = [status_of(self._calendar, market) for market in wanted]
        return statuses if exchange is None else statuses[0]

    # -- days --------------------------------------------------------------------------------------------------

    def is_holiday(self, check_date: date | str | None = None, *, exchange: str = "NSE", segment: str = "EQ") -> bool:
        """Is there no trading at all on `check_date` (a date in India or its ISO text; default today)?

        Weekends count; special sessions on them do not, nor do settlement holidays, on which shares trade. Makes no
        request. Raises `NotPublished` where it is not known.
        """
        day = self._day(check_date)
        trades = self._calendar.current.is_trading_day(market_named(exchange, segment), day)
        if trades is None:
            raise _not_published(f"{day:%d %b %Y}", day.year)
        return not trades

    def get_market_holidays(self, year: int | None = None, exchange: str | None = None) -> list[HolidayRow]:
        """The holidays, settlement holidays and special sessions of `year` (default: this one), by date; of all markets
        or of one. Raises `NotPublished` for a year of which nothing is known."""
        calendar = self._calendar
        this_year = ist_date(calendar.now()).year
        wanted = this_year if year is None else _year(year)
        market = None if exchange is None else market_named(exchange, None)
        if wanted == this_year:
            calendar.refresh_if_due(wait=True)
        as_of = calendar.heard_holidays(wanted)
        if wanted not in KNOWN_YEARS and as_of is None:
            raise _not_published(str(wanted), wanted)
        return [holiday_row(day, as_of) for day in calendar.current.named_days(wanted, market)]

    @overload
    def get_market_timings(
        self, exchange: None = None, segment: str | None = None, *, day: date | str | None = None
    ) -> list[Timings]: ...
    @overload
    def get_market_timings(
        self, exchange: str, segment: str | None = None, *, day: date | str | None = None
    ) -> Timings: ...
    def get_market_timings(
        self, exchange: str | None = None, segment: str | None = None, *, day: date | str | None = None
    ) -> list[Timings] | Timings:
        """The hours of `exchange` (and `segment`) on `day` (default: today in India); without an exchange a list of
        all, or of those of the segment. Raises `NotPublished` where nothing is known of the day."""
        wanted = markets_named(exchange, segment)
        when = self._day(day)
        if when == ist_date(self._calendar.now()):
            self._calendar.refresh_if_due(wait=True)
        plans = [self._calendar.current.day(market, when) for market in wanted]
        if all(plan.trades is None for plan in plans):
            raise _not_published(f"{when:%d %b %Y}", when.year)
        timings = [timings_of(plan, self._calendar.heard_timings(when)) for plan in plans]
        return timings if exchange is None else timings[0]

    def _day(self, given: date | str | None) -> date:
        if given is None:
            return ist_date(self._calendar.now())
        try:
            if isinstance(given, datetime):
                # By its parts: a date that is missing in a table of others (pandas' NaT) is a datetime without any.
                return ist_date(given) if given.tzinfo is not None else date(given.year, given.month, given.day)
            return given if isinstance(given, date) else date.fromisoformat(given)
        except (TypeError, ValueError, OverflowError):
            raise InvalidRequest(f"{str(given)[:40]!r} is not a date; write 2026-11-23") from None


def _year(given: int) -> int:
    try:
        year = 0 if isinstance(given, bool) else index(given)
    except TypeError:
        year = 0
    if not 1 <= year <= 9999:
        raise InvalidRequest(f"{given!r:.40} is not a year; write 2026, a number")
    return year


def _listing(given: Listing | str) -> Listing:
    try:
        return Listing(given)
    except ValueError:
        known = ", ".join(repr(one.value) for one in Listing)
        raise InvalidRequest(f"{str(given)[:40]!r} is not a kind of listing: {known}") from None


def _not_published(what: str, year: int) -> NotPublished:
    if year < KNOWN_YEARS.start:
        first = f"the desk's calendar begins with {KNOWN_YEARS.start}"
        return NotPublished(f"{first}; whether the market opened in {what} is unknown")
    return NotPublished(f"the trading days of {what} are not published; whether the market opens is unknown")


def check_itself() -> Iterator[str]:
    """The phase now, a known holiday, and the hours of a day that is known."""
    market = MarketInfoService()
    status = market.get_market_status("NSE", "EQ")
    yield f"NSE equity: {status['phase']} ({status['reason']}), by {status['source']}"
    assure(market.is_holiday("2026-01-26"), "Republic Day 2026 is a holiday")
    assure(not market.is_holiday("2026-01-27"), "27 January 2026 is a trading day")
    hours = market.get_market_timings("NSE", "EQ")
    assure(hours["trades"] is not None, "the hours of today are not known")
    yield f"{len(market.get_market_holidays(2026))} dates of 2026 that differ from ordinary ones"


if __name__ == "__main__":
    main(check_itself)
