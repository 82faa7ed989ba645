"""When the paper broker's exchanges trade: status, timings and holidays in the spelling of the API.

The days and hours are those of `hours`, with what a calendar fault declares laid over them; what is added here are the
broker's words. A status is the last change of state at or before now, so outside trading it is the one in which the
last session ended (`CLOSING_END` of shares at night). Derivatives tell of no pre-open: only near futures have one.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from services.domain.calendar.days import DayKind, NamedDay, at_minute
from services.domain.calendar.regimes import AUCTION_START, SHARES
from services.domain.clock import TOKEN_END, epoch_ms, ist_date, practice_day
from services.domain.phases import Accepts, Listing, Market, Phase, SessionWindow, Stage
from services.paper.calendar_faults import CalendarFaults
from services.paper.hours import YEARS, auction_stop, windows

EXCHANGES = tuple(market.value for market in (
    Market.NSE, Market.NFO, Market.CDS, Market.BSE, Market.BFO, Market.BCD, Market.MCX, Market.NSCOM,
))  # fmt: skip
_TOLD = (Market.MCX, Market.NSE, Market.NFO, Market.CDS, Market.BSE, Market.BCD, Market.BFO)
"""The exchanges of timings and holidays, in the order of live answers."""
_CLOSED_ORDER = (Market.NSE, Market.NFO, Market.CDS, Market.BSE, Market.BFO, Market.BCD, Market.MCX)
_LOOK_BACK_DAYS = 15
"""Longer than exchanges ever rested."""
_STARTS = {
    (Phase.PRE_OPEN, Stage.ORDERS): "PRE_OPEN_START",
    (Phase.PRE_OPEN, Stage.MATCHING): "PRE_OPEN_END",
    (Phase.OPEN, Stage.CONTINUOUS): "NORMAL_OPEN",
    (Phase.CLOSING_AUCTION, Stage.REFERENCE): "CTS_CLOSE",
    (Phase.CLOSING_AUCTION, Stage.ORDERS): "CAS_LM_START",
    (Phase.CLOSING_AUCTION, Stage.LIMIT_ONLY): "CAS_M_STOP",
    (Phase.POST_CLOSE, Stage.CLOSING_PRICE): "CLOSING_START",
}
"""The word with which a step of the day begins."""
_PRE_OPEN_WORDS = {Stage.ORDERS: "PRE_OPEN_START", Stage.LIMIT_ONLY: "PRE_OPEN_M_END", Stage.MATCHING: "PRE_OPEN_END"}

Change = tuple[datetime, str]
"""Since when, and the status word."""
Told = dict[str, object]
"""A JSON object."""


class Sessions:
    """Answers of the calendar calls. `always`: every exchange trades from 03:30 to 03:30 IST, every day."""

    def __init__(self, *, always: bool, faults: CalendarFaults | None = None) -> None:
        self._always = always
        self._faults = CalendarFaults() if faults is None else faults

    def today(self, now: datetime) -> date:
        """The trading date at `now`."""
        return practice_day(now) if self._always else ist_date(now)

    def status(self, exchange: str, now: datetime) -> Told:
        """The last change of state of `exchange` at or before `now`."""
        market = Market(exchange)
        told: Told = {"exchange": exchange, **self._state(market, Listing.ORDINARY, now)}
        if market in SHARES and (self._always or ist_date(now) >= AUCTION_START):
            told["cas_eligible_status"] = self._state(market, Listing.AUCTION, now)
        return told

    def pre_open(self, exchange: str, now: datetime) -> Told | None:
        """The last step of the pre-open session of shares at or before `now`, in the words that the feed has for it;
        `None` for other exchanges and where everything is always open."""
        market = Market(exchange)
        if market not in SHARES or self._always:
            return None
        for back in range(_LOOK_BACK_DAYS):
            steps = self.windows(market, ist_date(now) - timedelta(days=back), Listing.ORDINARY)
            for step in reversed(steps):
                if step.phase is Phase.PRE_OPEN and step.start <= now and step.stage in _PRE_OPEN_WORDS:
                    return _told(step.start, _PRE_OPEN_WORDS[step.stage])
        return None

    def timings(self, day: date) -> list[Told]:
        """Hours of continuous trading of `day`, epoch ms, from the first opening to the last close; exchanges that are
        closed are absent. A year without a published list gets the hours of ordinary weekdays."""
        return _open([(market, self.windows(market, day, Listing.ORDINARY)) for market in _TOLD])

    def holidays(self, year: int) -> list[Told]:
        """The holiday list of `year`, the broker's current one. A practice session has the real one too."""
        return [self._row(named) for named in self._faults.calendar.named_days(year)]

    def holiday(self, day: date, year: int) -> list[Told]:
        """The row of `day`, or nothing for an ordinary day and for a day of another year than the current one."""
        if day.year != year:
            return []
        return [self._row(named) for named in self._faults.calendar.named_days(year) if named.day == day]

    def _row(self, named: NamedDay) -> Told:
        declared = self._faults.declared(named.day)
        calendar = self._faults.calendar
        opened = _open([(market, windows(market, named.day, calendar=calendar)) for market in _TOLD])
        trading = {row["exchange"] for row in opened}
        assumed = any(plan.trades and not plan.windows for plan in named.plans)
        return {
            "date": named.day.isoformat(),
            "description": named.name + (" (special session, customary hours)" if assumed else ""),
            "holiday_type": declared.holiday_type if declared is not None else _holiday_type(named),
            "closed_exchanges": [market.value for market in _CLOSED_ORDER if market.value not in trading],
            "open_exchanges": opened,
        }

    def _state(self, market: Market, listing: Listing, now: datetime) -> Told:
        wrong = self._faults.status(market)
        if wrong is not None:
            word, since = wrong
            return _told(since, word)
        today = self.today(now)
        for back in range(_LOOK_BACK_DAYS):
            day = today - timedelta(days=back)
            for since, word in reversed(list(_changes(market, self.windows(market, day, listing)))):
                if since <= now:
                    return _told(since, word)
        return _told(at_minute(today, 0), "NORMAL_CLOSE")

    def windows(self, market: Market, day: date, listing: Listing) -> tuple[SessionWindow, ...]:
        """The windows of a day, with what is declared of it; on a practice day one, around the clock."""
        if self._always and day.year in YEARS and not self._faults.covers(market, day):
            start = at_minute(day, TOKEN_END.hour * 60 + TOKEN_END.minute)
            return (SessionWindow(start, start + timedelta(days=1), Phase.OPEN, Stage.CONTINUOUS, Accepts.ALL),)
        return windows(market, day, listing, self._faults.calendar)


def _changes(market: Market, steps: tuple[SessionWindow, ...]) -> Iterator[Change]:
    """The changes of state in one day, in order; none on a day without trading."""
    for place, step in enumerate(steps):
        word = _STARTS.get((step.phase, step.stage))
        if word is not None:
            yield step.start, word
        following = steps[place + 1] if place + 1 < len(steps) else None
        if step.phase is Phase.CLOSING_AUCTION and step.stage is Stage.LIMIT_ONLY:
            yield auction_stop(market.value, step.end), "CAS_STOP"
            yield step.end, "NORMAL_CLOSE"
        elif step.phase is Phase.OPEN and (following is None or following.start > step.end):
            yield step.end, "NORMAL_CLOSE"
        elif step.phase is Phase.POST_CLOSE:
            yield step.end, "CLOSING_END"


def _holiday_type(named: NamedDay) -> str:
    if named.kind is DayKind.SPECIAL:
        return "SPECIAL_TIMING"
    return "SETTLEMENT_HOLIDAY" if named.kind is DayKind.TRADING and not named.settles else "TRADING_HOLIDAY"


def _open(days: list[tuple[Market, tuple[SessionWindow, ...]]]) -> list[Told]:
    """One row for each market that trades continuously."""
    found: list[Told] = []
    for market, steps in days:
        trading = [step for step in steps if step.phase is Phase.OPEN]
        if trading:
            start, end = epoch_ms(trading[0].start), epoch_ms(trading[-1].end)
            found.append({"exchange": market.value, "start_time": start, "end_time": end})
    return found


def _told(since: datetime, word: str) -> Told:
    return {"status": word, "last_updated": epoch_ms(since)}
