"""What the broker said of the market calendar, kept by date."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby

from services.domain.accounts import Holiday, MarketStatus, Window
from services.domain.calendar.days import DayPlan, NamedDay
from services.domain.clock import epoch_ms, from_epoch_ms
from services.domain.errors import MalformedPayload
from services.domain.phases import Phase
from services.storage.pool import Pool

TABLE = "table"
"""The source of rows that copy the desk's own calendar."""
STATUS_KEPT = timedelta(days=400)
_HOLIDAYS, _TIMINGS = "holidays", "timings"


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer of the broker that was kept: how many rows it had, and when it came (aware, UTC)."""

    rows: int
    fetched_at: datetime


@dataclass(frozen=True, slots=True)
class HeardStatus:
    """A status word: first heard at `first_seen`, and heard unchanged until `fetched_at` (aware, UTC)."""

    status: MarketStatus
    first_seen: datetime
    fetched_at: datetime


_SAVE_HOLIDAY = "INSERT INTO market_holidays VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_SAVE_TIMING = "INSERT INTO market_timings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_SAVE_ANSWER = "INSERT OR REPLACE INTO calendar_answers VALUES (?, ?, ?, ?, ?)"


class CalendarStore:
    """The calendar's tables of one market file. Thread-safe; holds no state."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    # -- holidays ----------------------------------------------------------------------------------------------

    def save_holidays(self, source: str, holidays: Sequence[Holiday], at: datetime) -> tuple[int, ...]:
        """Keep the list in place of what `source` said of the same years before; the years it is about.

        Raises `MalformedPayload` for an empty list: no year is without holidays, so nothing was told.
        """
        by_year: dict[int, list[Holiday]] = {}
        for holiday in holidays:
            by_year.setdefault(int(holiday.day[:4]), []).append(holiday)
        if not by_year:
            raise MalformedPayload("the list of holidays is empty", field="data")
        with self._pool.get_connection() as connection:
            for year, rows in by_year.items():
                _put_holidays(connection, source, year, len(rows), _holiday_rows(source, rows, epoch_ms(at)), at)
        return tuple(by_year)

    def holidays(self, source: str, *, since: date) -> tuple[Holiday, ...]:
        """The rows of `source` from `since` on, by date, in the broker's own words."""
        with self._pool.get_connection(write=False) as connection:
            rows = connection.execute(
                "SELECT day, place, exchange, name, kind, closed, starts_ms, ends_ms FROM market_holidays "
                "WHERE source = ? AND day >= ? ORDER BY day, place, part",
                (source, since.isoformat()),
            ).fetchall()
        return tuple(_holiday(list(group)) for _, group in groupby(rows, key=lambda row: (row["day"], row["place"])))

    # -- timings -----------------------------------------------------------------------------------------------

    def save_timings(self, source: str, day: date, windows: Sequence[Window], at: datetime) -> None:
        """Keep the hours of `day`; none = `source` says that nothing trades."""
        at_ms = epoch_ms(at)
        rows = [
            (source, day.isoformat(), part, w.exchange, Phase.OPEN, epoch_ms(w.start), epoch_ms(w.end), "", 1, at_ms)
            for part, w in enumerate(windows)
        ]
        with self._pool.get_connection() as connection:
            _put_timings(connection, source, day, rows, at)

    def timings(self, source: str, *, since: date) -> dict[date, tuple[Window, ...]]:
        """The hours that `source` told of each day from `since` on; a day that it called closed has none."""
        with self._pool.get_connection(write=False) as connection:
            days = connection.execute(
                "SELECT about FROM calendar_answers WHERE source = ? AND what = ? AND about >= ?",
                (source, _TIMINGS, since.isoformat()),
            ).fetchall()
            rows = connection.execute(
                "SELECT day, exchange, starts_ms, ends_ms FROM market_timings "
                "WHERE source = ? AND day >= ? ORDER BY day, part",
                (source, since.isoformat()),
            ).fetchall()
        found: dict[date, list[Window]] = {date.fromisoformat(row["about"]): [] for row in days}
        for row in rows:
            window = Window(row["exchange"], from_epoch_ms(row["starts_ms"]), from_epoch_ms(row["ends_ms"]))
            found.setdefault(date.fromisoformat(row["day"]), []).append(window)
        return {day: tuple(windows) for day, windows in found.items()}

    # -- when lists were heard ---------------------------------------------------------------------------------

    def holidays_heard(self, source: str) -> dict[int, Heard]:
        """When `source` told its holidays last, by year."""
        return {int(about): heard for about, heard in self._heard(source, _HOLIDAYS).items()}

    def timings_heard(self, source: str) -> dict[date, Heard]:
        """When `source` told the hours of a day last, by day."""
        return {date.fromisoformat(about): heard for about, heard in self._heard(source, _TIMINGS).items()}

    def _heard(self, source: str, what: str) -> dict[str, Heard]:
        with self._pool.get_connection(write=False) as connection:
            rows = connection.execute(
                "SELECT about, rows, fetched_at_ms FROM calendar_answers WHERE source = ? AND what = ?", (source, what)
            ).fetchall()
        return {row["about"]: Heard(row["rows"], from_epoch_ms(row["fetched_at_ms"])) for row in rows}

    # -- statuses ----------------------------------------------------------------------------------------------

    def save_statuses(self, source: str, statuses: Iterable[MarketStatus], at: datetime) -> None:
        """Keep what `source` says now: a new row where the word has changed, else the row of before is heard again.
        Rows older than `STATUS_KEPT` go."""
        at_ms = epoch_ms(at)
        with self._pool.get_connection() as connection:
            for status in statuses:
                told = (status.status, status.cas_status, epoch_ms(status.last_updated))
                latest = _latest(connection, source, status.exchange, at_ms)
                if latest is not None and told == (latest["status"], latest["cas_status"], latest["last_updated_ms"]):
                    connection.execute(
                        "UPDATE market_status SET fetched_at_ms = ? "
                        "WHERE source = ? AND exchange = ? AND first_seen_ms = ?",
                        (at_ms, source, status.exchange, latest["first_seen_ms"]),
                    )
                    continue
                connection.execute(
                    "INSERT OR REPLACE INTO market_status VALUES (?, ?, ?, ?, ?, ?, 1, ?)",
                    (source, status.exchange, at_ms, *told, at_ms),
                )
                connection.execute(
                    "DELETE FROM market_status "
                    "WHERE source = ? AND exchange = ? AND first_seen_ms < ? AND fetched_at_ms < ?",
                    (source, status.exchange, *[epoch_ms(at - STATUS_KEPT)] * 2),
                )

    def statuses(self, source: str, exchanges: Iterable[str], at: datetime) -> dict[str, HeardStatus]:
        """The last word on each exchange that was first heard at or before `at`."""
        with self._pool.get_connection(write=False) as connection:
            rows = [_latest(connection, source, exchange, epoch_ms(at)) for exchange in exchanges]
        return {row["exchange"]: _status(row) for row in rows if row is not None}

    # -- the desk's own table, copied --------------------------------------------------------------------------

    def save_table(self, today: date, days: Sequence[NamedDay], plans: Iterable[DayPlan], at: datetime) -> None:
        """Copy what the desk's own table has of the year (`days`) and of `today` (`plans`, every phase of it)."""
        holidays = [row for day in days for row in _table_rows(day, epoch_ms(at))]
        told = [(plan, window) for plan in plans for window in plan.windows]
        timings = [
            (
                TABLE, today.isoformat(), part, plan.market, window.phase, epoch_ms(window.start), epoch_ms(window.end),
                plan.source, plan.confirmed, epoch_ms(at),
            )
            for part, (plan, window) in enumerate(told)
        ]  # fmt: skip
        with self._pool.get_connection() as connection:
            _put_holidays(connection, TABLE, today.year, len(days), holidays, at)
            _put_timings(connection, TABLE, today, timings, at)


def _put_holidays(
    connection: sqlite3.Connection, source: str, year: int, count: int, rows: Iterable[tuple[object, ...]], at: datetime
) -> None:
    connection.execute(
        "DELETE FROM market_holidays WHERE source = ? AND day BETWEEN ? AND ?",
        (source, f"{year}-01-01", f"{year}-12-31"),
    )
    connection.executemany(_SAVE_HOLIDAY, rows)
    connection.execute(_SAVE_ANSWER, (source, _HOLIDAYS, str(year), count, epoch_ms(at)))


def _put_timings(
    connection: sqlite3.Connection, source: str, day: date, rows: Sequence[tuple[object, ...]], at: datetime
) -> None:
    connection.execute("DELETE FROM market_timings WHERE source = ? AND day = ?", (source, day.isoformat()))
    connection.executemany(_SAVE_TIMING, rows)
    connection.execute(_SAVE_ANSWER, (source, _TIMINGS, day.isoformat(), len(rows), epoch_ms(at)))


def _holiday_rows(source: str, holidays: Sequence[Holiday], at_ms: int) -> Iterator[tuple[object, ...]]:
    """One row for each exchange and stretch of each entry of the list."""
    for place, holiday in enumerate(holidays):
        closed = [(exchange, 1, None, None) for exchange in holiday.closed]
        opened = [(window.exchange, 0, epoch_ms(window.start), epoch_ms(window.end)) for window in holiday.open]
        for part, (exchange, is_closed, starts, ends) in enumerate([*closed, *opened] or [("", None, None, None)]):
            yield (
                source, holiday.day, place, part, exchange, holiday.description, holiday.kind, is_closed, starts, ends,
                None, "", 1, at_ms,
            )  # fmt: skip


def _table_rows(day: NamedDay, at_ms: int) -> Iterator[tuple[object, ...]]:
    part = 0
    for plan in day.plans:
        hours: Sequence[tuple[datetime | None, datetime | None]] = plan.hours or [(None, None)]
        closed = None if plan.trades is None else not plan.trades
        for starts, ends in hours:
            yield (
                TABLE, day.day.isoformat(), 0, part, plan.market, plan.name or day.name, plan.kind, closed,
                None if starts is None else epoch_ms(starts), None if ends is None else epoch_ms(ends),
                plan.settles, plan.source, plan.confirmed, at_ms,
            )  # fmt: skip
            part += 1


def _holiday(rows: list[sqlite3.Row]) -> Holiday:
    return Holiday(
        day=rows[0]["day"],
        description=rows[0]["name"],
        kind=rows[0]["kind"],
        closed=tuple(row["exchange"] for row in rows if row["closed"] == 1),
        open=tuple(
            Window(row["exchange"], from_epoch_ms(row["starts_ms"]), from_epoch_ms(row["ends_ms"]))
            for row in rows
            if row["closed"] == 0
        ),
    )


def _latest(connection: sqlite3.Connection, source: str, exchange: str, at_ms: int) -> sqlite3.Row | None:
    row: sqlite3.Row | None = connection.execute(
        "SELECT exchange, status, cas_status, last_updated_ms, first_seen_ms, fetched_at_ms FROM market_status "
        "WHERE source = ? AND exchange = ? AND first_seen_ms <= ? ORDER BY first_seen_ms DESC LIMIT 1",
        (source, exchange, at_ms),
    ).fetchone()
    return row


def _status(row: sqlite3.Row) -> HeardStatus:
    return HeardStatus(
        MarketStatus(row["exchange"], row["status"], from_epoch_ms(row["last_updated_ms"]), row["cas_status"]),
        first_seen=from_epoch_ms(row["first_seen_ms"]),
        fetched_at=from_epoch_ms(row["fetched_at_ms"]),
    )
