"""A day on which the broker's word is laid over the table."""

from __future__ import annotations

from datetime import UTC, timedelta

from services.domain.calendar.days import DayKind, DayOverride, DayPlan, Hours, at_minute, joined, midnight
from services.domain.calendar.regimes import COMMODITY, minutes, regime
from services.domain.calendar.table.plans import ordinary_plan, table_plan
from services.domain.phases import Accepts, Listing, Phase, SessionWindow, Stage

_EARLIER = frozenset({Listing.AGRICULTURAL, Listing.EXPIRING_CURRENCY, Listing.EXPIRING_INDEX})
"""Listings that stop before their market does."""
_SETTLEMENT_HOLIDAY = "SETTLEMENT_HOLIDAY"


def overridden(said: DayOverride, listing: Listing) -> DayPlan:
    """The day as the broker tells it.

    Hours equal to the table's, or else to an ordinary day's, keep the detail (pre-open, closing auction, post-close).
    Other hours stand alone: what surrounds them on such a day only a circular knows.
    """
    market, day = said.market, said.day
    told = _within_day(said)
    table = table_plan(market, day, Listing.ORDINARY)
    ordinary = ordinary_plan(market, day, Listing.ORDINARY)
    name, note = _named(said.name, table.name)
    settles = bool(told) and said.kind != _SETTLEMENT_HOLIDAY and (table.settles or table.kind is DayKind.UNKNOWN)
    source = said.source or "the broker"
    if not told:
        kind = DayKind.WEEKEND if day.weekday() >= 5 and not said.name else DayKind.HOLIDAY
        return DayPlan(market, day, kind, (), name=name, source=source, settles=False)
    if told == table.hours:
        plan, kind = table_plan(market, day, listing), table.kind
    elif told == ordinary.hours:
        plan = ordinary_plan(market, day, listing)
        kind = DayKind.TRADING if day.weekday() < 5 else DayKind.SPECIAL
    else:
        kind = _kind_of_hours(said, told, ordinary.hours)
        windows = _windows(said, told, listing, kind)
        kind = kind if windows else DayKind.HOLIDAY
        settles = settles and bool(windows)
        return DayPlan(market, day, kind, windows, name=name, source=source, settles=settles, note=note)
    note = "; ".join(filter(None, (plan.note, note)))
    return DayPlan(market, day, kind, plan.windows, name=name, source=source, settles=settles, note=note)


def _named(said: str, known: str) -> tuple[str, str]:
    """The occasion, and what the broker says of it besides: "Diwali Laxmi Pujan (muhurat)" is no other day than the
    table's "Diwali Laxmi Pujan"."""
    if known and said.casefold().startswith(f"{known} (".casefold()) and said.endswith(")"):
        return known, "; ".join(said[len(known) + 2 : -1].split(") ("))
    return said or known, ""


def _within_day(said: DayOverride) -> Hours:
    first, last = midnight(said.day), midnight(said.day + timedelta(days=1))
    told = ((start.astimezone(UTC), end.astimezone(UTC)) for start, end in said.hours)
    clipped = ((max(start, first), min(end, last)) for start, end in told)
    return joined((start, end) for start, end in clipped if start < end)


def _kind_of_hours(said: DayOverride, told: Hours, ordinary: Hours) -> DayKind:
    """Part of a commodity exchange's ordinary day, from or to 17:00, is a partial day; anything else is special."""
    noon = at_minute(said.day, minutes("17:00"))
    parts = {((ordinary[0][0], noon),), ((noon, ordinary[-1][1]),)}
    return DayKind.PARTIAL if said.market in COMMODITY and told in parts else DayKind.SPECIAL


def _windows(said: DayOverride, told: Hours, listing: Listing, kind: DayKind) -> tuple[SessionWindow, ...]:
    own, whole = (regime(said.market, said.day, one).steps for one in (listing, Listing.ORDINARY))
    if listing in _EARLIER and own != whole:
        last = at_minute(said.day, own[-1].end)
        until_then = tuple((start, min(end, last)) for start, end in told if start < last)
        # A session wholly after that is the evening of a commodity exchange, which these sit out, or one at hours of
        # its own, which by the circulars all contracts trade.
        told = until_then if until_then or kind is DayKind.PARTIAL else told
    return tuple(SessionWindow(start, end, Phase.OPEN, Stage.CONTINUOUS, Accepts.ALL) for start, end in told)
