"""What the broker has said of the calendar, as one value, and what it means for each market. Pure.

Each market is decided by itself, never by the kind of a row: a `TRADING_HOLIDAY` may leave the commodity exchange open
in the evening, or name exchanges that are open all day; on a `SETTLEMENT_HOLIDAY` shares trade.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from services.domain.accounts import Holiday, MarketStatus, Window
from services.domain.calendar.days import DayOverride, Hours, joined
from services.domain.clock import ist_date
from services.domain.phases import Market
from services.storage.calendar_store import CalendarStore, HeardStatus

LISTED = frozenset(Market) - {Market.NSCOM}
"""The markets of the broker's daily hours. It says nothing of the others there, open or closed."""
SETTLEMENT_HOLIDAY = "SETTLEMENT_HOLIDAY"
SET_BACK = timedelta(minutes=1)
"""An answer from further ahead was heard by a clock that has been set back since, or on a simulated day."""


@dataclass(frozen=True, slots=True)
class BrokersWord:
    """All that was heard and kept. Instants (aware, UTC) tell when; an absent day or market was never told of."""

    holidays: tuple[Holiday, ...] = ()
    years: Mapping[int, datetime] = field(default_factory=dict)
    """The years whose lists are in `holidays`."""
    timings: Mapping[date, tuple[Window, ...]] = field(default_factory=dict)
    days: Mapping[date, datetime] = field(default_factory=dict)
    """The days whose hours are in `timings`."""
    statuses: Mapping[Market, HeardStatus] = field(default_factory=dict)

    def holidays_at(self, now: datetime) -> datetime | None:
        """When a list of holidays came in last."""
        return _last(self.years.values(), now)

    def timings_at(self, now: datetime) -> datetime | None:
        return _last(self.days.values(), now)

    def statuses_at(self, now: datetime) -> datetime | None:
        return _last((heard.fetched_at for heard in self.statuses.values()), now)

    def with_holidays(self, rows: Sequence[Holiday], at: datetime) -> BrokersWord:
        """`rows` in place of what was told of their years."""
        years = {int(row.day[:4]) for row in rows}
        kept = (row for row in self.holidays if int(row.day[:4]) not in years)
        return replace(self, holidays=(*kept, *rows), years={**self.years, **dict.fromkeys(years, at)})

    def with_timings(self, day: date, windows: Iterable[Window], at: datetime) -> BrokersWord:
        return replace(self, timings={**self.timings, day: tuple(windows)}, days={**self.days, day: at})

    def with_statuses(self, told: Mapping[Market, MarketStatus], at: datetime) -> BrokersWord:
        """A word that is heard again keeps the instant at which it was heard first."""
        heard = dict(self.statuses)
        for market, status in told.items():
            before = heard.get(market)
            again = before is not None and before.status.status == status.status and before.first_seen <= at
            heard[market] = HeardStatus(status, before.first_seen if before is not None and again else at, at)
        return replace(self, statuses=heard)

    def told(self, source: str) -> list[DayOverride]:
        """What was told of single days, market by market; of ordinary days nothing is."""
        rows: dict[date, list[Holiday]] = {}
        for row in self.holidays:
            rows.setdefault(date.fromisoformat(row.day), []).append(row)
        days = sorted({*rows, *self.timings})
        return [one for day in days for one in told_of_day(day, rows.get(day, ()), self.timings.get(day), source)]


def remembered(store: CalendarStore, source: str, since: date, now: datetime) -> BrokersWord:
    """What the file holds of `source` from `since` on."""
    statuses = store.statuses(source, Market, now)
    return BrokersWord(
        holidays=store.holidays(source, since=since),
        years={year: heard.fetched_at for year, heard in store.holidays_heard(source).items()},
        timings=store.timings(source, since=since),
        days={day: heard.fetched_at for day, heard in store.timings_heard(source).items() if day >= since},
        statuses={Market(exchange): heard for exchange, heard in statuses.items()},
    )


def _last(instants: Iterable[datetime], now: datetime) -> datetime | None:
    """The last of them. What lies ahead of `now` was heard by a clock that has been set back since."""
    return max((at for at in instants if at - now <= SET_BACK), default=None)


def told_of_day(day: date, rows: Sequence[Holiday], timings: Sequence[Window] | None, source: str) -> list[DayOverride]:
    """What the broker says of each market on `day`: its rows in the list of holidays, and the day's own hours.

    `timings`: `None` = not asked; empty = nothing trades. A market of which nothing is told is absent. Hours of the day
    count more than hours of the list; a list that closes a market counts more than its hours, which may be of before
    the holiday was declared. Only where a row is about settlement, closing may mean just that: then hours decide. Hours
    that lie on another date are no answer.
    """
    told = []
    if timings is not None:
        of_the_day = _on(day, timings)
        timings = None if timings and not of_the_day else of_the_day
    rows = [replace(row, open=_on(day, row.open)) for row in rows]
    for market in Market:
        hours = _hours(market, rows, timings)
        if hours is not None:
            row = _row_about(market, rows)
            name, kind = (row.description, row.kind) if row is not None else ("", "")
            told.append(DayOverride(market, day, hours, name, kind, source))
    return told


def _hours(market: Market, rows: Sequence[Holiday], timings: Sequence[Window] | None) -> Hours | None:
    """Continuous trading by the broker's word; `()` = closed, `None` = not told."""
    timed = None if timings is None else _of(market, timings)
    opened = _of(market, (window for row in rows for window in row.open))
    if opened:
        return timed or opened
    closing = [row for row in rows if market.value in row.closed]
    if any(row.kind != SETTLEMENT_HOLIDAY for row in closing):
        return ()
    if closing:
        return timed
    if timed or (timings is not None and not timings and market in LISTED):
        return timed
    return None


def _on(day: date, windows: Iterable[Window]) -> tuple[Window, ...]:
    return tuple(window for window in windows if ist_date(window.start) == day)


def _of(market: Market, windows: Iterable[Window]) -> Hours:
    return joined((window.start, window.end) for window in windows if window.exchange == market.value)


def _row_about(market: Market, rows: Sequence[Holiday]) -> Holiday | None:
    def names(row: Holiday) -> Collection[str]:
        return {*row.closed, *(window.exchange for window in row.open)}

    about = [row for row in rows if market.value in names(row)]
    return next(iter(about or rows), None)
