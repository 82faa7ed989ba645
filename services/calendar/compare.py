"""Where the broker's word and the desk's own calendar differ: what is overridden, and what is a contradiction. Pure.

The broker wins wherever he speaks of a day, today or not: his list is the younger one, and what he said on a day stays
true of it later. Where the table says nothing (an unpublished year, hours not announced), or calls its own hours
unconfirmed, his word fills it in and contradicts nobody.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from enum import Enum

from services.calendar.brokers_word import SETTLEMENT_HOLIDAY
from services.domain.calendar.calendar import BUNDLED, MarketCalendar
from services.domain.calendar.days import DayOverride, DayPlan, Hours
from services.domain.calendar.statuses import meaning
from services.domain.clock import IST, ist_date
from services.domain.phases import Listing, Market, Phase, PhaseNow
from services.storage.calendar_contradictions import Contradiction

HOURS, STATUS = "hours", "status"
EDGE = timedelta(minutes=2)
"""Hours that differ by less are the same hours told in another way."""
JITTER = timedelta(minutes=3)
"""So near to a boundary of the day a status says nothing: the broker's clock and random ends decide."""
_WORD = 40
"""So much of a status word is shown; known ones are shorter."""
_TRADED = frozenset({Phase.OPEN, Phase.CLOSING_AUCTION})


class Verdict(Enum):
    """How a status word fits the days of a calendar."""

    AGREES = "agrees"
    CONTRADICTS = "contradicts"
    FILLS = "the calendar does not know"
    UNSETTLED = "too near to a boundary to tell"


# -- days ------------------------------------------------------------------------------------------------------


def applied(told: Iterable[DayOverride], table: MarketCalendar = BUNDLED) -> list[DayOverride]:
    """Those of `told` that the calendar has to take over: it differs, does not know, is not sure itself, or does not
    know that nothing is settled."""
    found = []
    for one in told:
        plan = table.day(one.market, one.day)
        same = bool(one.hours) == plan.trades and _same_hours(one.hours, plan, table)
        learned = not plan.confirmed or (one.kind == SETTLEMENT_HOLIDAY and plan.settles)
        if not same or (learned and one.hours == plan.hours):
            found.append(one)
    return found


def contradictions_of_days(
    told: Iterable[DayOverride], *, today: date, now: datetime, table: MarketCalendar = BUNDLED
) -> list[Contradiction]:
    """What `told` says against the table, of today and the days to come; a day that is over is not argued about."""
    found = []
    for one in told:
        plan = table.day(one.market, one.day)
        if one.day >= today and _contradicts(one.hours, plan, table):
            known = _table_words(plan, ends=not one.hours and one.day == today)
            found.append(Contradiction(one.market, one.day, HOURS, known, _hours_words(one.hours), one.source, now))
    return found


def _contradicts(hours: Hours, plan: DayPlan, table: MarketCalendar) -> bool:
    if plan.trades is None:
        return False
    if bool(hours) != plan.trades:
        return True
    return plan.confirmed and plan.hours_known and not _same_hours(hours, plan, table)


def _same_hours(hours: Hours, plan: DayPlan, table: MarketCalendar) -> bool:
    """The broker tells one start and one end a day: of a day in two parts they are the first and the last. Whether its
    end for shares includes the closing auction is not documented, so either is the same."""
    if hours == plan.hours or not hours or not plan.hours:
        return hours == plan.hours
    if len(hours) not in (1, len(plan.hours)):
        return False
    if len(hours) == len(plan.hours) > 1:
        return all(_near(a, c) and _near(b, d) for (a, b), (c, d) in zip(hours, plan.hours, strict=True))
    auction = table.day(plan.market, plan.day, listing=Listing.AUCTION).windows
    ends = {plan.hours[-1][1], *(window.end for window in auction if window.phase is Phase.CLOSING_AUCTION)}
    (start, end) = hours[0]
    return _near(start, plan.hours[0][0]) and any(_near(end, known) for known in ends)


def _near(one: datetime, other: datetime) -> bool:
    return abs(one - other) <= EDGE


# -- the status of now -----------------------------------------------------------------------------------------


def status_verdict(calendar: MarketCalendar, market: Market, word: str, at: datetime) -> Verdict:
    """How `word`, heard at `at`, fits the days of `calendar` (which carries no statuses itself).

    What counts is whether the market trades: not every market tells of its pre-open, or of the session after the close.
    Words that nobody knows mean "not open".
    """
    if calendar.phase(market, at).phase is Phase.UNKNOWN:
        return Verdict.FILLS
    fits = {_fits(calendar, market, word, at + shift) for shift in (-JITTER, timedelta(), JITTER)}
    if len(fits) > 1:
        return Verdict.UNSETTLED
    return Verdict.AGREES if fits.pop() else Verdict.CONTRADICTS


def contradiction_of_status(
    calendar: MarketCalendar, market: Market, word: str, *, source: str, at: datetime
) -> Contradiction:
    """`word`, heard at `at`, against the calendar, in words."""
    named = {Phase.OPEN: "open", Phase.CLOSING_AUCTION: "in its closing auction"}.get(meaning(word)[0], "not open")
    table_says = _now_words(calendar.phase(market, at))
    return Contradiction(market, ist_date(at), STATUS, table_says, f"is {named} now ({word[:_WORD]})", source, at)


def _fits(calendar: MarketCalendar, market: Market, word: str, at: datetime) -> bool:
    """Is at least one listing of the market open, in auction or neither, as `word` says? While some shares are in their
    closing auction, words that nobody knows are let pass: which are used then is hardly documented."""
    phases = {calendar.phase(market, at, listing=one).phase for one in (Listing.ORDINARY, Listing.AUCTION)}
    named = meaning(word)[0]
    if named is Phase.CLOSING_AUCTION:
        return named in phases
    if Phase.CLOSING_AUCTION in phases and named in (Phase.UNKNOWN, Phase.POST_CLOSE):
        return True
    return (named is Phase.OPEN) in {phase in _TRADED for phase in phases}


# -- in words --------------------------------------------------------------------------------------------------


def message(one: Contradiction, today: date) -> str:
    """The contradiction as a sentence for a person."""
    who = one.source[:1].upper() + one.source[1:]
    when = "" if one.about == STATUS else " today" if one.day == today else f" on {one.day:%a %d %b %Y}"
    return f"{who} says {one.market} {one.broker_says}{when}; the desk's calendar says it {one.table_says}."


def _hours_words(hours: Hours) -> str:
    if not hours:
        return "is closed"
    return "trades " + " and ".join(f"{_clock(start)} to {_clock(end)}" for start, end in hours)


def _table_words(plan: DayPlan, *, ends: bool) -> str:
    if not plan.trades:
        return f"is closed ({plan.name or f'{plan.day:%A}'})"
    if not plan.hours:
        return f"trades ({plan.name}), at hours that are not confirmed"
    return f"trades until {_clock(plan.hours[-1][1])}" if ends else _hours_words(plan.hours)


def _now_words(now: PhaseNow) -> str:
    match now.phase:
        case Phase.OPEN:
            return f"trades until {_clock(now.until)}" if now.until else "trades"
        case Phase.CLOSED:
            return f"is closed ({now.reason})"
        case phase:
            return f"is in its {phase} session" if phase is not Phase.CLOSING_AUCTION else "is in its closing auction"


def _clock(instant: datetime) -> str:
    return f"{instant.astimezone(IST):%H:%M}"
