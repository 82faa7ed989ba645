"""Is it open, until when, and why not: the one answer for every market, listing and instant.

A calendar is a value: the table, what the broker says of single days (`DayOverride`), and what he says of now
(`StatusOverride`). It asks nobody and reads no clock, so the same question always has the same answer, on a machine in
any zone. An instant on a boundary belongs to what begins there.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from services.domain.calendar.days import (
    DayKind,
    DayOverride,
    DayPlan,
    NamedDay,
    Sessions,
    StatusOverride,
    market_of,
    midnight,
)
from services.domain.calendar.overrides import overridden
from services.domain.calendar.statuses import agrees, meaning
from services.domain.calendar.table.plans import FIRST_DAY, KNOWN_YEARS, LAST_DAY, named_dates, table_plan
from services.domain.clock import IST, ist_date
from services.domain.errors import InvalidRequest
from services.domain.phases import TRADING, Accepts, Listing, Market, Phase, PhaseNow, SessionWindow, Stage

__all__ = ["BUNDLED", "KNOWN_YEARS", "MarketCalendar", "known_until", "market_of"]

_DAY = timedelta(days=1)
_LISTINGS = {
    Market.NSE: (Listing.ORDINARY, Listing.AUCTION),
    Market.BSE: (Listing.ORDINARY, Listing.AUCTION),
    Market.NFO: (Listing.ORDINARY, Listing.NEAR_FUTURE, Listing.EXPIRING_INDEX),
    Market.BFO: (Listing.ORDINARY, Listing.NEAR_FUTURE, Listing.EXPIRING_INDEX),
    Market.CDS: (Listing.ORDINARY, Listing.EXPIRING_CURRENCY),
    Market.BCD: (Listing.ORDINARY, Listing.EXPIRING_CURRENCY),
    Market.MCX: (Listing.ORDINARY, Listing.AGRICULTURAL),
    Market.NSCOM: (Listing.ORDINARY, Listing.AGRICULTURAL),
}
_Timeline = tuple[tuple[datetime, ...], tuple[PhaseNow, ...]]


def known_until(market: Market) -> date:
    """The last day of which the table knows whether `market` trades."""
    return LAST_DAY


class MarketCalendar:
    """The table with the broker's word laid over it. Immutable; use it from any thread.

    Of two overrides of one market and day the later in order counts; of two statuses that hold, the later begun.
    """

    def __init__(self, overrides: Iterable[DayOverride] = (), statuses: Iterable[StatusOverride] = ()) -> None:
        self._overrides = {(one.market, one.day): one for one in overrides}
        self._statuses: dict[Market, list[StatusOverride]] = {}
        for one in sorted(statuses, key=lambda claim: claim.since):
            self._statuses.setdefault(one.market, []).append(one)
        self._timeline = lru_cache(maxsize=2048)(self._made_timeline)

    def day(self, market: Market, day: date, *, listing: Listing = Listing.ORDINARY) -> DayPlan:
        """The plan of one day. Kind `UNKNOWN` where nothing is published."""
        said = self._overrides.get((market, day))
        return table_plan(market, day, listing) if said is None else overridden(said, listing)

    def phase(self, market: Market, instant: datetime, *, listing: Listing = Listing.ORDINARY) -> PhaseNow:
        """What can be done at `instant` (aware; `InvalidRequest` otherwise), and when that changes.

        `until` is the first later instant at which phase, stage or the orders taken differ; `None` where nothing of
        what follows is published.
        """
        if instant.tzinfo is None:
            raise InvalidRequest("an instant without a time zone is no instant")
        if market in self._statuses:
            return self._phase_with_status(market, instant, listing)
        return self._phase_by_days(market, instant, listing)

    def agrees(self, market: Market, status: str, instant: datetime) -> bool:
        """Does the broker's word for now fit the days of this calendar, for at least one listing of the market?"""
        return agrees(status, [self._phase_by_days(market, instant, listing) for listing in _LISTINGS[market]])

    def is_trading_day(self, market: Market, day: date) -> bool | None:
        """Is there a session, whole, in part or special? `None`: not published."""
        return self.day(market, day).trades

    def trading_day_after(self, market: Market, day: date) -> date | None:
        """The first trading day strictly after `day`; `None` where the way leads through unpublished days."""
        while True:
            day += _DAY
            trades = self.is_trading_day(market, day)
            if trades is None:
                return None
            if trades:
                return day

    def sessions(
        self,
        market: Market,
        start: datetime,
        end: datetime,
        *,
        listing: Listing = Listing.ORDINARY,
        phases: Collection[Phase] = TRADING,
    ) -> Sessions:
        """The windows of `phases` in `start <= instant < end`, clipped; and the days between of which nobody knows.

        By the days alone: what the broker says of now (`StatusOverride`) makes no session. Raises `InvalidRequest` for
        naive instants.
        """
        if start.tzinfo is None or end.tzinfo is None:
            raise InvalidRequest("an instant without a time zone is no instant")
        start, end = start.astimezone(UTC), end.astimezone(UTC)
        windows: list[SessionWindow] = []
        unknown: list[date] = []
        day = ist_date(start)
        while start < end and midnight(day) < end:
            plan = self.day(market, day, listing=listing)
            if not plan.hours_known:
                unknown.append(day)
            for one in plan.windows:
                clipped = max(one.start, start), min(one.end, end)
                if one.phase in phases and clipped[0] < clipped[1]:
                    windows.append(SessionWindow(*clipped, one.phase, one.stage, one.accepts))
            day += _DAY
        return Sessions(tuple(windows), tuple(unknown))

    def named_days(self, year: int, market: Market | None = None) -> tuple[NamedDay, ...]:
        """The dates of `year` that differ from ordinary ones in `market` (or in any), ascending.

        Empty for a year of which nothing is published: ask `KNOWN_YEARS`.
        """
        markets = tuple(Market) if market is None else (market,)
        said = {day for one, day in self._overrides if one in markets and day.year == year}
        found = (self._named(day, markets) for day in sorted(said.union(named_dates(year))))
        return tuple(one for one in found if one is not None)

    def _named(self, day: date, markets: tuple[Market, ...]) -> NamedDay | None:
        plans = tuple(self.day(market, day) for market in markets)
        differing = [
            plan for plan in plans if plan.name or plan.kind in (DayKind.SPECIAL, DayKind.PARTIAL, DayKind.HOLIDAY)
        ]
        if not differing:
            return None
        first = differing[0]
        name = next((plan.name for plan in differing if plan.name), "")
        confirmed = all(plan.confirmed for plan in differing)
        return NamedDay(day, name, first.kind, first.settles, first.source, confirmed, plans)

    def _phase_by_days(self, market: Market, instant: datetime, listing: Listing) -> PhaseNow:
        starts, nows = self._timeline(market, ist_date(instant), listing)
        return nows[bisect_right(starts, instant) - 1]

    def _made_timeline(self, market: Market, day: date, listing: Listing) -> _Timeline:
        """The whole day, from midnight to midnight, as phases that follow each other."""
        plan = self.day(market, day, listing=listing)
        stretches = _stretches(plan)
        nows: list[PhaseNow] = []
        for position, stretch in enumerate(stretches):
            following = stretches[position + 1 :]
            until, then = (
                (following[0].start, following[0].phase) if following else self._next(market, day, listing, stretch)
            )
            reason = _reason(plan, stretch)
            nows.append(
                PhaseNow(
                    stretch.phase, reason, until, stretch.stage, stretch.accepts, then, plan.source, plan.confirmed
                )
            )
        return tuple(one.start for one in stretches), tuple(nows)

    def _next(
        self, market: Market, day: date, listing: Listing, last: SessionWindow
    ) -> tuple[datetime | None, Phase | None]:
        """The first instant after `day` that differs from its last stretch."""
        following = self._next_day(market, day)
        while following is not None:
            for one in _stretches(self.day(market, following, listing=listing)):
                if _key(one) != _key(last):
                    return one.start, one.phase
            following = self._next_day(market, following)
        return None, None

    def _next_day(self, market: Market, day: date) -> date | None:
        """The next day of which anything could be told; unpublished years are passed over in one leap."""
        if FIRST_DAY <= day < LAST_DAY:
            return day + _DAY
        tomorrow = day + _DAY
        if self.day(market, day).kind is not DayKind.UNKNOWN:
            return tomorrow
        said = [one for known, one in self._overrides if known is market and one > day]
        if day < FIRST_DAY:
            said.append(FIRST_DAY)
        return min(said, default=None)

    def _phase_with_status(self, market: Market, instant: datetime, listing: Listing) -> PhaseNow:
        now = self._claimed(market, instant, listing)
        at: datetime | None = instant
        then = now
        while at is not None:
            at = self._next_breakpoint(market, at, listing)
            if at is None:
                break
            then = self._claimed(market, at, listing)
            if (then.phase, then.stage, then.accepts) != (now.phase, now.stage, now.accepts):
                break
        following = then.phase if at is not None else None
        return PhaseNow(now.phase, now.reason, at, now.stage, now.accepts, following, now.source, now.confirmed)

    def _claimed(self, market: Market, instant: datetime, listing: Listing) -> PhaseNow:
        """The phase at `instant`, its end not yet looked for."""
        by_days = self._phase_by_days(market, instant, listing)
        claim = next((one for one in reversed(self._statuses[market]) if one.since <= instant < one.until), None)
        if claim is None or self.agrees(market, claim.status, instant):
            return by_days
        phase, stage, accepts = meaning(claim.status)
        known = phase is not Phase.UNKNOWN
        reason = "the broker says so" if known else f"the broker says {claim.status[:40]}, which is not known"
        return PhaseNow(phase, reason, None, stage, accepts, None, claim.source, confirmed=known)

    def _next_breakpoint(self, market: Market, after: datetime, listing: Listing) -> datetime | None:
        """The next instant at which the answer may differ: a boundary of any listing's day, or of a claim."""
        ends = [self._phase_by_days(market, after, one).until for one in {*_LISTINGS[market], listing}]
        ends += [edge for claim in self._statuses[market] for edge in (claim.since, claim.until) if edge > after]
        return min((end for end in ends if end is not None), default=None)


def _key(one: SessionWindow) -> tuple[Phase, Stage, Accepts]:
    return one.phase, one.stage, one.accepts


def _stretches(plan: DayPlan) -> list[SessionWindow]:
    """The windows of a day and the gaps around them, from midnight to midnight."""
    gap = Phase.CLOSED if plan.hours_known else Phase.UNKNOWN
    at, end = midnight(plan.day), midnight(plan.day + _DAY)
    whole: list[SessionWindow] = []
    for one in plan.windows:
        if at < one.start:
            whole.append(SessionWindow(at, one.start, gap, Stage.NONE, Accepts.NOTHING))
        whole.append(one)
        at = one.end
    if at < end:
        whole.append(SessionWindow(at, end, gap, Stage.NONE, Accepts.NOTHING))
    return whole


def _reason(plan: DayPlan, stretch: SessionWindow) -> str:
    """Why the market is in this stretch, in a few words."""
    occasion = f"{plan.name}, " if plan.name and plan.kind is not DayKind.TRADING else ""
    match stretch.phase:
        case Phase.UNKNOWN if plan.kind is not DayKind.UNKNOWN:
            return f"{plan.name}: the exchange trades, its hours are not confirmed"
        case Phase.UNKNOWN:
            return f"no hours are published for {plan.day:%d %b %Y}"
        case Phase.CLOSED:
            return _why_closed(plan, stretch)
        case Phase.OPEN:
            unsettled = f", nothing settles ({plan.name})" if plan.kind is DayKind.TRADING and not plan.settles else ""
            return f"{occasion}until {stretch.end.astimezone(IST):%H:%M}{unsettled}"
        case Phase.PRE_OPEN:
            return f"{occasion}pre-open session, {stretch.stage}"
        case Phase.CLOSING_AUCTION:
            return f"{occasion}closing auction, {stretch.stage}"
        case Phase.POST_CLOSE:
            return f"{occasion}trades at the closing price"


def _why_closed(plan: DayPlan, stretch: SessionWindow) -> str:
    if not plan.windows:
        return plan.name or f"{plan.day:%A}"
    occasion = plan.name if plan.kind in (DayKind.SPECIAL, DayKind.PARTIAL) else ""
    detail = f"{occasion}, {plan.note}" if plan.kind is DayKind.PARTIAL and plan.note else occasion
    if stretch.end <= plan.windows[0].start:
        return detail or "before the open"
    if stretch.start >= plan.windows[-1].end:
        return f"{occasion}, after the close" if occasion else "after the close"
    return f"{occasion}, between sessions" if occasion else "between sessions"


BUNDLED = MarketCalendar()
"""The table alone."""
