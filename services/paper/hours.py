"""When each part of the practice market trades: real hours by date, or the practice day that never closes.

The days and hours are those of `services.domain.calendar`. Where nothing is published a practice market may guess, a
live desk may not: a year without a list has every weekday as an ordinary trading day, and a special session whose hour
nobody has announced is held at the customary one (`CUSTOMARY`).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache

from services.domain.calendar.calendar import BUNDLED, MarketCalendar
from services.domain.calendar.days import at_minute, joined, market_of
from services.domain.calendar.regimes import SHARES, late_pre_open, regime, trading, windows_of
from services.domain.clock import TOKEN_END, epoch_ms, from_epoch_ms, ist_date, practice_day
from services.domain.errors import UnknownInstrument
from services.domain.phases import Listing, Market, Phase, SessionWindow, Stage
from services.paper.seeds import chance

PRACTICE_MINUTES = 24 * 60
YEARS = range(1900, 2200)
"""Of these there are guesses. The first and the last days that a calendar can name have no instants in UTC."""
CUSTOMARY = ("18:15", "19:15")
"""Start and end of an evening session of which only the date is published."""
_MINUTE_MS = 60_000
_RANDOM_END_SECONDS = 120
"""The auction stops taking orders at random within its last two minutes."""
_PRINT_SECONDS = (8, 25)
"""How long after that its result is out, at least and at most (the real bars show it within the same two minutes)."""


class Group(StrEnum):
    """Segments that share their days and their opening time."""

    EQUITY = "equity"
    CURRENCY = "currency"
    COMMODITY = "commodity"


_MARKETS = {Group.EQUITY: Market.NSE, Group.CURRENCY: Market.CDS, Group.COMMODITY: Market.MCX}
"""Whose days the group keeps."""


def group_of(segment: str) -> Group:
    """The group of a segment such as `NSE_FO`."""
    if segment.startswith(("NCD", "BCD")):
        return Group.CURRENCY
    if segment.startswith("MCX") or segment == "NSE_COM":
        return Group.COMMODITY
    return Group.EQUITY


@dataclass(frozen=True, slots=True)
class Auction:
    """A closing auction, in minutes from the start of its session."""

    first_minute: int
    """From here on its shares no longer trade continuously."""
    end_minute: int


@dataclass(frozen=True, slots=True)
class Session:
    """One trading day of a group: its date, its start (epoch ms), and its length and marks in minutes from there."""

    group: Group
    day: date
    start_ms: int
    minutes: int
    settle_minute: int
    """At which closing prices are fixed (shares stop before their derivatives do)."""
    auction: Auction | None = None
    pause: tuple[int, int] | None = None
    """First minute without trading and first one with it again, on a day in two parts."""

    def settles(self, *, auction: bool) -> int:
        """The minute at which the closing price is fixed, of what takes part in the closing auction or does not."""
        return self.auction.end_minute if auction and self.auction else self.settle_minute


class Hours:
    """Trading days and sessions. `practice`: every day, all day. `extra_days` trade besides (days of real candles)."""

    def __init__(self, *, practice: bool, extra_days: Collection[date] = ()) -> None:
        self.practice = practice
        self.extra_days = frozenset(extra_days)

    def trades(self, group: Group, day: date) -> bool:
        """Does the group trade on `day`?"""
        if self.practice or (group is Group.EQUITY and day in self.extra_days):
            return True
        return bool(windows(_MARKETS[group], day))

    def trading_minutes(self, group: Group, day: date) -> int:
        """How long the group trades continuously on `day`; 0 when it does not trade at all."""
        if self.practice:
            return PRACTICE_MINUTES
        steps = windows(_MARKETS[group], day)
        if not steps and self.trades(group, day):
            steps = _windows_of(_MARKETS[group], day, Listing.ORDINARY)
        return sum(_minutes(step.start, step.end) for step in steps if step.phase is Phase.OPEN)

    def session(self, group: Group, day: date) -> Session:
        """The session that `day` has, or would have."""
        if self.practice:
            start = at_minute(day, TOKEN_END.hour * 60 + TOKEN_END.minute)
            return Session(group, day, epoch_ms(start), PRACTICE_MINUTES, PRACTICE_MINUTES)
        return _session(group, day)

    def end_minute(self, segment: str, session: Session, listing: Listing = Listing.ORDINARY) -> int:
        """The minute of `session` before which instruments of this segment and listing trade."""
        if self.practice:
            return session.minutes
        return min(_minute(session, _last(_market(segment), session.day, listing)), session.minutes)

    def locate(self, group: Group, at_ms: int) -> tuple[Session, int]:
        """The session that runs at `at_ms`, else the last one that has ended; and the whole seconds of it gone by
        (at most its length less one second: after the close the last second stands)."""
        instant = from_epoch_ms(at_ms)
        day = self.day_of(instant)
        session = self.session(group, day)
        if not self.trades(group, day) or at_ms < session.start_ms:
            session = self.session(group, self.previous(group, day))
        return session, min((at_ms - session.start_ms) // 1000, session.minutes * 60 - 1)

    def previous(self, group: Group, day: date) -> date:
        """The trading day before `day`."""
        before = day - timedelta(days=1)
        while not self.trades(group, before):
            before -= timedelta(days=1)
        return before

    def day_of(self, instant: datetime) -> date:
        """The date that `instant` belongs to: the practice day, or the date in India."""
        return practice_day(instant) if self.practice else ist_date(instant)


def windows(
    market: Market, day: date, listing: Listing = Listing.ORDINARY, calendar: MarketCalendar = BUNDLED
) -> tuple[SessionWindow, ...]:
    """The windows of `market` on `day`, guessed where nothing is published (see above); none when it is closed, and in
    years in which nobody practises (`YEARS`)."""
    if day.year not in YEARS:
        return ()
    plan = calendar.day(market, day, listing=listing)
    if plan.hours_known:
        return plan.windows
    if plan.trades:
        before = late_pre_open(CUSTOMARY[0]) if market in SHARES else ()
        return windows_of(day, (*before, trading(*CUSTOMARY)))
    return windows_of(day, regime(market, day, listing).steps) if day.weekday() < 5 else ()


@lru_cache(maxsize=256)
def auction_stop(exchange: str, end: datetime) -> datetime:
    """The second at which the closing auction that ends by `end` takes no more orders: chosen at random by the
    exchange, which is to say by its name and the date."""
    luck = chance(0, "auction stop", exchange, ist_date(end))
    return end - timedelta(seconds=_RANDOM_END_SECONDS - int(luck * (_RANDOM_END_SECONDS - _PRINT_SECONDS[1])))


def print_second(exchange: str, session: Session) -> int:
    """The second of `session` at which the result of its closing auction is out on `exchange`; never a whole minute."""
    assert session.auction is not None
    end_ms = session.start_ms + session.auction.end_minute * _MINUTE_MS
    stop = auction_stop(exchange, from_epoch_ms(end_ms))
    least, most = _PRINT_SECONDS
    after = least + int(chance(0, "auction print", exchange, session.day) * (most - least))
    second = (epoch_ms(stop) - session.start_ms) // 1000 + after
    return second if second % 60 else second - 1


@lru_cache(maxsize=1024)
def _session(group: Group, day: date) -> Session:
    market = _MARKETS[group]
    stretches = _stretches(market, day)
    start, end = stretches[0][0], stretches[-1][1]
    last = end
    auction = None
    if group is Group.EQUITY:
        last = max(end, _last(Market.NFO, day, Listing.ORDINARY))
        steps = [step for step in _windows_of(market, day, Listing.AUCTION) if step.phase is Phase.CLOSING_AUCTION]
        if steps:
            ends = _orders_end(steps)
            auction = Auction(_minutes(start, steps[0].start), _minutes(start, ends))
            last = max(last, ends)
    pause = (_minutes(start, stretches[0][1]), _minutes(start, stretches[1][0])) if len(stretches) > 1 else None
    return Session(group, day, epoch_ms(start), _minutes(start, last), _minutes(start, end), auction, pause)


def _windows_of(market: Market, day: date, listing: Listing) -> tuple[SessionWindow, ...]:
    """As `windows`; on a closed day those that an ordinary one would have."""
    return windows(market, day, listing) or windows_of(day, regime(market, day, listing).steps)


def _stretches(market: Market, day: date) -> tuple[tuple[datetime, datetime], ...]:
    """Continuous trading, whole minutes."""
    found = _windows_of(market, day, Listing.ORDINARY)
    return joined((window.start, window.end) for window in found if window.phase is Phase.OPEN)


@lru_cache(maxsize=1024)
def _last(market: Market, day: date, listing: Listing) -> datetime:
    """When prices of this listing stop moving."""
    found = _windows_of(market, day, listing)
    auction = [window for window in found if window.phase is Phase.CLOSING_AUCTION]
    return _orders_end(auction) if auction else max(window.end for window in found if window.phase is Phase.OPEN)


def _orders_end(auction: list[SessionWindow]) -> datetime:
    """The latest end of a closing auction's last call for orders; its result is out by then."""
    return max(window.end for window in auction if window.stage is not Stage.MATCHING)


def _market(segment: str) -> Market:
    """The market of a segment; indicators and other oddities of a real instrument file keep the hours of shares."""
    try:
        return market_of(segment)
    except UnknownInstrument:
        return Market.NSE


def _minute(session: Session, instant: datetime) -> int:
    return (epoch_ms(instant) - session.start_ms) // _MINUTE_MS


def _minutes(start: datetime, end: datetime) -> int:
    return (end - start) // timedelta(minutes=1)
