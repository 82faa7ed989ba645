"""What can be done with an instrument at an instant, when its day ends, and which instants no step may skip.

All hours are those of the calendar (`Sessions`). What is added here the broker decides: when he closes intraday
positions, and when he takes orders for the next session. His published times are older than the closing auction, so
they are told as distances from the close, and are settings.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Protocol

from services.domain.clock import IST, TOKEN_END
from services.domain.phases import Listing, Market, Phase, SessionWindow, Stage
from services.paper.hours import Group, auction_stop
from services.paper.trading.instruments import Instrument

_SERVICE_FROM = time(5, 30)
_LOOK_AHEAD_DAYS = 15
"""Longer than exchanges ever rested."""
_SECOND = timedelta(seconds=1)
_AFTER_CLOSE = timedelta(minutes=1)
_PAUSE = timedelta(hours=1)
"""A shorter gap within a day is no time for orders after hours: the next step of the same day follows."""


class Windows(Protocol):
    """Where the hours come from: `services.paper.sessions.Sessions`."""

    def today(self, now: datetime) -> date: ...
    def windows(self, market: Market, day: date, listing: Listing) -> tuple[SessionWindow, ...]: ...


@dataclass(frozen=True, slots=True)
class Customs:
    """What the broker decides. Source: Upstox help centre, undated."""

    shares_before_close: timedelta = timedelta(minutes=15)
    """Intraday positions in shares are closed so long before continuous trading ends (15:15 of 15:30)."""
    derivatives_before_close: timedelta = timedelta(minutes=20)
    """15:20 of 15:40."""
    others_before_close: timedelta = timedelta(minutes=30)
    """Currency 16:30 of 17:00; commodities half an hour before the close."""
    no_new_intraday: timedelta = timedelta(minutes=3)
    """Before that: no order that opens an intraday position."""
    after_close: timedelta = timedelta(minutes=5)
    """Orders for the next session in shares are taken from then on (16:05); in all else a minute after the close."""
    before_open: timedelta = timedelta(minutes=2)
    """And until so long before the session (08:58)."""


CUSTOMS = Customs()
Kind = tuple[Market, Listing, Group, bool]
"""All that hours depend on: of one kind, one instrument answers for all on that day."""


class TradingHours:
    """The trading desk's view of the calendar. `practice`: a day runs 03:30-03:30 IST and everything is always open."""

    def __init__(self, windows: Windows, *, practice: bool, customs: Customs = CUSTOMS) -> None:
        self._windows = windows
        self._practice = practice
        self._customs = customs

    def today(self, now: datetime) -> date:
        """The trading day that `now` belongs to."""
        return self._windows.today(now)

    def start_of(self, day: date) -> datetime:
        """When `day` begins: at midnight, a practice day at 03:30."""
        return datetime.combine(day, TOKEN_END if self._practice else time(), IST)

    def service_open(self, now: datetime) -> bool:
        """Does the order service take calls? 05:30-24:00 IST; in practice always."""
        return self._practice or now.astimezone(IST).time() >= _SERVICE_FROM

    def kind(self, instrument: Instrument, day: date) -> Kind:
        """Whose hours the instrument keeps on `day`."""
        return instrument.market, instrument.hours(day), instrument.group, instrument.share

    def windows(self, instrument: Instrument, day: date) -> tuple[SessionWindow, ...]:
        return self._windows.windows(instrument.market, day, instrument.hours(day))

    def window(self, instrument: Instrument, now: datetime) -> SessionWindow | None:
        """The step of the day that runs at `now`; `None` when the market is closed."""
        return next((one for one in self.windows(instrument, self.today(now)) if one.start <= now < one.end), None)

    def trading_end(self, instrument: Instrument, day: date) -> datetime | None:
        """The end of continuous trading; `None` on a day without any."""
        return _end(self.windows(instrument, day), Phase.OPEN)

    def ends(self, instrument: Instrument, day: date) -> tuple[datetime, datetime] | None:
        """When the orders of `day` have had their day: those that came before the first of these instants then, with
        continuous trading or the closing auction after it; those that came later at the second one, with the session
        at the closing price. `None` on a day without hours."""
        windows = self.windows(instrument, day)
        end = _end(windows, Phase.OPEN, Phase.CLOSING_AUCTION)
        return None if end is None else (end, windows[-1].end)

    def square_off(self, instrument: Instrument, day: date) -> datetime | None:
        """When the broker closes intraday positions in the instrument."""
        end = self.trading_end(instrument, day)
        return None if end is None else end - self._before_close(instrument)

    def last_new_intraday(self, instrument: Instrument, day: date) -> datetime | None:
        """From here on no intraday position may be opened."""
        end = self.square_off(instrument, day)
        return None if end is None else end - self._customs.no_new_intraday

    def auction_stop(self, instrument: Instrument, day: date) -> datetime | None:
        """When the closing auction of the instrument takes no more orders; its result comes after that."""
        steps = [one for one in self.windows(instrument, day) if one.phase is Phase.CLOSING_AUCTION]
        calls = [one for one in steps if one.stage is not Stage.MATCHING]
        return auction_stop(instrument.market.value, calls[-1].end) if calls else None

    def takes_after_hours(self, instrument: Instrument, now: datetime) -> bool:
        """Does the broker keep orders for the next session at `now`, when the market is closed?"""
        today = self.windows(instrument, self.today(now))
        before = [one.end for one in today if one.end <= now]
        coming = [one.start for one in today if one.start > now]
        session = self.opens_next(instrument, now)
        if session is None or session - now <= self._customs.before_open:
            return False
        if not before:
            return True
        if coming and coming[0] - before[-1] < _PAUSE:
            return False
        rest = self._customs.after_close if instrument.share else _AFTER_CLOSE
        return now - before[-1] >= rest

    def opens_next(self, instrument: Instrument, now: datetime) -> datetime | None:
        """When the next session with continuous trading begins to take orders; `None`: not within two weeks."""
        day = self.today(now)
        for ahead in range(_LOOK_AHEAD_DAYS):
            windows = self.windows(instrument, day + timedelta(days=ahead))
            coming = [one for one in windows if one.start > now]
            if any(one.phase is Phase.OPEN for one in coming):
                return coming[0].start
        return None

    def settlements(self, first: date, last: date) -> int:
        """On how many of the days from `first` on and before `last` shares were traded and delivered; at most 2."""
        found, day = 0, first
        while day < last and found < 2:
            found += bool(self._windows.windows(Market.NSE, day, Listing.ORDINARY))
            day += timedelta(days=1)
        return found

    def marks(self, instrument: Instrument, day: date) -> set[datetime]:
        """Instants of `day` at which something is due for orders or positions in the instrument."""
        found: set[datetime] = set()
        for one in self.windows(instrument, day):
            found |= {one.start, one.end}
            if one.phase is Phase.CLOSING_AUCTION:
                found.add(one.end - _SECOND)  # its result is out by then
        square_off = self.square_off(instrument, day)
        return found | ({square_off} if square_off is not None else set())

    def _before_close(self, instrument: Instrument) -> timedelta:
        if instrument.share:
            return self._customs.shares_before_close
        return (
            self._customs.derivatives_before_close
            if instrument.group is Group.EQUITY
            else self._customs.others_before_close
        )


def _end(windows: tuple[SessionWindow, ...], *phases: Phase) -> datetime | None:
    ends = [one.end for one in windows if one.phase in phases]
    return max(ends) if ends else None
