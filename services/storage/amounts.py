"""How much of what the market file keeps for a time, and letting go of what is past its time.

Whoever writes one of these tables prunes it now and then; here it is done at once, by the same limits.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time

from services.domain.clock import IST, epoch_ms, from_epoch_ms
from services.storage.error_rows import KEPT_MS as ERRORS_MS
from services.storage.health_history import KEPT_MS as HEALTH_MS
from services.storage.health_history import HealthHistory
from services.storage.pool import Pool
from services.storage.quote_store import METRICS_KEPT_MS as QUOTES_MS


@dataclass(frozen=True, slots=True)
class Amount:
    """So much of one thing. `bytes`: `None` where it shares a file. `oldest`: of the rows (aware, UTC); `None`: there
    are none, or nobody asks. `past`: how many are past their time."""

    items: int
    bytes: int | None = None
    oldest: datetime | None = None
    past: int = 0


_DAY_MS = 24 * 3600 * 1000
_KEPT_MS = {"error_log": ERRORS_MS, "health_history": HEALTH_MS, "quote_metrics": QUOTES_MS}
TIMED = {name: kept_ms // _DAY_MS for name, kept_ms in _KEPT_MS.items()}
"""Tables that are pruned by age alone, and how many days a row is kept."""
_AGES = {
    "error_log": "SELECT count(*), min(at_ms), COALESCE(sum(at_ms < ?), 0) FROM error_log",
    "health_history": "SELECT count(*), min(at_ms), COALESCE(sum(at_ms < ?), 0) FROM health_history",
    "quote_metrics": "SELECT count(*), min(at_ms), COALESCE(sum(at_ms < ?), 0) FROM quote_metrics",
    "websocket_metrics": "SELECT count(*), min(started_ms), COALESCE(sum(started_ms < ?), 0) FROM websocket_metrics",
}
_FORGET = {
    "error_log": "DELETE FROM error_log WHERE at_ms < ?",
    "quote_metrics": "DELETE FROM quote_metrics WHERE at_ms < ?",
}
_COUNTS = {
    "quotes": "SELECT count(*) FROM quote_cache_v3",
    "instruments": "SELECT count(*) FROM instruments",
    "calendar": """
        SELECT (SELECT count(*) FROM market_holidays) + (SELECT count(*) FROM market_timings)
               + (SELECT count(*) FROM market_status)
    """,
}
_LOG = "SELECT COALESCE(max(id) - min(id) + 1, 0), COALESCE(min(id), 0) FROM websocket_ticks_v3"
_LOG_OLDEST = "SELECT min(from_ms) FROM tick_spans"
_LOG_BEFORE = "SELECT COALESCE(max(last_id), 0) FROM tick_spans WHERE to_ms < ?"
_PACKED = """
    SELECT COALESCE(sum(ticks), 0), COALESCE(sum(length(columns)), 0), min(day),
           COALESCE(sum(CASE WHEN day < ? THEN ticks END), 0)
    FROM packed_ticks
"""


def timed_rows(pool: Pool, table: str, days: int, now: datetime) -> Amount:
    """Of a table whose rows are kept for so many days: one of `TIMED`, or `websocket_metrics`."""
    with pool.get_connection(write=False) as connection:
        count, oldest, past = connection.execute(_AGES[table], (epoch_ms(now) - days * _DAY_MS,)).fetchone()
    return Amount(count, None, None if oldest is None else from_epoch_ms(oldest), past)


def tick_log(pool: Pool, before: datetime) -> Amount:
    """Ticks as they came; those are past their time that all came before `before`."""
    with pool.get_connection(write=False) as connection:
        count, first = connection.execute(_LOG).fetchone()
        oldest = connection.execute(_LOG_OLDEST).fetchone()[0]
        last = connection.execute(_LOG_BEFORE, (epoch_ms(before),)).fetchone()[0]
    if not count:
        return Amount(0)
    return Amount(count, None, None if oldest is None else from_epoch_ms(oldest), max(0, last - first + 1))


def packed_ticks(pool: Pool, before: date) -> Amount:
    """Ticks of finished days; those of days before `before` are past their time."""
    with pool.get_connection(write=False) as connection:
        ticks, size, first, past = connection.execute(_PACKED, (before.isoformat(),)).fetchone()
    oldest = None if first is None else datetime.combine(date.fromisoformat(first), time(0), IST)
    return Amount(ticks, size, oldest, past)


def rows(pool: Pool, what: str) -> Amount:
    """Rows of what keeps the last word without a limit of time: `quotes`, `instruments` or `calendar`."""
    with pool.get_connection(write=False) as connection:
        return Amount(connection.execute(_COUNTS[what]).fetchone()[0])


def let_go(pool: Pool, now: datetime) -> None:
    """Let go of timed rows that are past their time, and thin the history of health."""
    HealthHistory(pool).add([], thin_at=now)
    for table, statement in _FORGET.items():
        with pool.get_connection() as connection:
            connection.execute(statement, (epoch_ms(now) - _KEPT_MS[table],))
