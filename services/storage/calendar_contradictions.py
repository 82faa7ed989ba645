"""Where the broker contradicts the desk's own calendar. What is gone stays in the table, for who looks into it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from services.domain.clock import epoch_ms, from_epoch_ms
from services.domain.phases import Market
from services.storage.pool import Pool


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Broker and table disagree about one market on one day, in words.

    `about`: `hours` (does it trade, and when) or `status` (is it open now).
    """

    market: Market
    day: date
    about: str
    table_says: str
    broker_says: str
    source: str
    """Whose word it is that contradicts."""
    since: datetime

    @property
    def subject(self) -> str:
        """`NSE 2026-11-23`: one trouble for a person, whatever it is about."""
        return f"{self.market} {self.day.isoformat()}"


_COLUMNS = "market, day, about, table_says, broker_says, source, since_ms, gone_ms"
_STANDING = f"SELECT id, {_COLUMNS} FROM calendar_contradictions WHERE gone_ms IS NULL"  # noqa: S608  # our own words
_BEGIN = f"INSERT INTO calendar_contradictions ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, NULL)"  # noqa: S608
_UPDATE = "UPDATE calendar_contradictions SET table_says = ?, broker_says = ?, source = ? WHERE id = ?"
_END = "UPDATE calendar_contradictions SET gone_ms = ? WHERE id = ?"


class ContradictionStore:
    """The table `calendar_contradictions` of one market file. Thread-safe; holds no state."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def settle(
        self, found: Iterable[Contradiction], at: datetime, *, end_others: bool = True
    ) -> tuple[Contradiction, ...]:
        """Make `found` stand, known ones with the `since` that they have, and (`end_others`) all others gone as of
        `at`. What stands then."""
        with self._pool.get_connection() as connection:
            standing = {(row["market"], row["day"], row["about"]): row for row in connection.execute(_STANDING)}
            for one in found:
                row = standing.pop((one.market.value, one.day.isoformat(), one.about), None)
                said = (one.table_says, one.broker_says, one.source)
                if row is None:
                    named = (one.market, one.day.isoformat(), one.about)
                    connection.execute(_BEGIN, (*named, *said, epoch_ms(one.since)))
                elif said != (row["table_says"], row["broker_says"], row["source"]):
                    connection.execute(_UPDATE, (*said, row["id"]))
            if end_others:
                ends = [(max(epoch_ms(at), row["since_ms"]), row["id"]) for row in standing.values()]
                connection.executemany(_END, ends)
            rows = connection.execute(_STANDING).fetchall()
        return tuple(sorted((_contradiction(row) for row in rows), key=lambda one: (one.day, one.market, one.about)))


def _contradiction(row: sqlite3.Row) -> Contradiction:
    return Contradiction(
        market=Market(row["market"]),
        day=date.fromisoformat(str(row["day"])),
        about=str(row["about"]),
        table_says=str(row["table_says"]),
        broker_says=str(row["broker_says"]),
        source=str(row["source"]),
        since=from_epoch_ms(row["since_ms"]),
    )
