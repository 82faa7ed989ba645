"""Fills, each kept once and never overwritten."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date

import sqlalchemy as sa

from services.domain.actors import THE_DESK
from services.domain.clock import Clock
from services.domain.order_records import StoredTrade
from services.domain.orders import PastTrade, Trade
from services.ledger.alerts import Alerts
from services.ledger.audit import write_down
from services.ledger.engine import Ledger
from services.ledger.order_tables import audit, trades
from services.ledger.past_orders import tell_orders
from services.ledger.plain_values import plain
from services.ledger.trade_rows import (
    IDENTITY,
    TRADE_COLUMNS,
    Cells,
    Identity,
    additions,
    disagree,
    identity_of,
    identity_text,
    in_words,
    particulars,
    rows_of,
    trade_of,
)
from services.ledger.trades_told import count_told

TOLD_OTHERWISE = "trade told otherwise"
_PORTION = 5_000
_MANY = 500
"""Names in one question; far below SQLite's limit."""


class Trades:
    """All fills of one ledger."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock
        self._alerts = Alerts(ledger, clock)

    def add(self, told: Iterable[Trade | PastTrade], source: str, account: str = "") -> int:
        """Keep those that are not here yet; how many. `account`: whose they are, where it is known.

        The same fill told again, by whatever source, is the same fill; empty places of it are filled. If it is told
        with another key, order, quantity or price, what was told first stays and an alert is raised; whose it is stays
        as it was told first. `MalformedPayload` for a fill without a number (but units of funds, which have none) or
        with a date that is none.
        """
        rows = rows_of(told, source, self._clock.now(), account)
        with self._ledger.read() as connection:  # a poll mostly brings nothing new: then nobody has to wait for it
            if not any(_is_news(row, known) for row, known in _beside(connection, rows)):
                return 0
        with self._ledger.write() as connection:
            new, quarrels = _keep(connection, rows)
            quarrels = [one for one in quarrels if not _was_written_down(connection, one[1])]
        for known, row in quarrels:
            self._quarrel(known, row)
        return new

    def of_day(self, day: date) -> list[StoredTrade]:
        """The fills of one day in India, the newest first."""
        return self.between(day, day)[::-1]

    def between(self, start: date, end: date, key: str = "") -> list[StoredTrade]:
        """The fills of the days `start` to `end`, of one instrument or of all, the oldest first."""
        days = trades.c.day.between(start, end)
        return self._read(sa.and_(days, trades.c.key == key) if key else days)

    def of_order(self, order_id: str) -> list[StoredTrade]:
        """The fills of one order, the oldest first."""
        return self._read(trades.c.order_id == order_id)

    def count(self, day: date | None = None) -> int:
        """How many there are, of one day or of all."""
        query = sa.select(sa.func.count()).select_from(trades)
        with self._ledger.read() as connection:
            return connection.execute(query if day is None else query.where(trades.c.day == day)).scalar_one()

    def _read(self, condition: sa.ColumnElement[bool]) -> list[StoredTrade]:
        with self._ledger.read() as connection:
            rows = connection.execute(sa.select(*TRADE_COLUMNS).where(condition))
            return sorted(map(trade_of, rows), key=_in_time)

    def _quarrel(self, known: Cells, row: Cells) -> None:
        """Alert first, then the mark that it was heard: a kill between the two repeats the alert and loses nothing."""
        self._alerts.raise_alert(
            "trade_conflict",
            f"Trade {row['trade_id']} of {row['day']:%d %b %Y} was told differently ({row['source']}): "
            f"{in_words(row)} instead of {in_words(known)}. What was told first is kept.",
            subject=identity_text(row),
            severity="critical",
        )
        with self._ledger.write() as connection:
            before, after = particulars(known), particulars(row)
            write_down(connection, row["recorded_at"], THE_DESK, TOLD_OTHERWISE, identity_text(row), before, after)


def _in_time(trade: StoredTrade) -> tuple[date, float, int, str]:
    """By day and time; without a time, by the exchange's number."""
    at = 0.0 if trade.traded_at is None else trade.traded_at.timestamp()
    return trade.day, at, len(trade.trade_id), trade.trade_id


def _is_news(row: Cells, known: Cells | None) -> bool:
    return known is None or disagree(known, row) or bool(additions(known, row))


def _beside(connection: sa.Connection, rows: Sequence[Cells]) -> list[tuple[Cells, Cells | None]]:
    """Each row with what is known of its fill."""
    wanted: defaultdict[tuple[date, str], set[str]] = defaultdict(set)
    for row in rows:
        wanted[row["day"], row["segment"]].add(row["trade_id"])
    known: dict[Identity, Cells] = {}
    for (day, segment), names in wanted.items():
        for some in _chunks(sorted(names)):
            query = sa.select(trades).where(
                trades.c.day == day, trades.c.segment == segment, trades.c.trade_id.in_(some)
            )
            found = [stored._asdict() for stored in connection.execute(query)]
            known.update((identity_of(stored), stored) for stored in found)
    return [(row, known.get(identity_of(row))) for row in rows]


def _keep(connection: sa.Connection, rows: Sequence[Cells]) -> tuple[int, list[tuple[Cells, Cells]]]:
    """How many were new, and what quarrels with what is known: (known, told)."""
    new: dict[Identity, Cells] = {}
    quarrels: list[tuple[Cells, Cells]] = []
    for row, stored in _beside(connection, rows):
        known = stored or new.get(identity_of(row))
        if known is None:
            new[identity_of(row)] = row
        elif disagree(known, row):
            quarrels.append((known, row))
        elif added := additions(known, row):
            known.update(added)
            if stored is not None:
                mine = [trades.c[name] == row[name] for name in IDENTITY]
                connection.execute(sa.update(trades).where(*mine).values(**added))
    if new:
        fresh = list(new.values())
        tell_orders(connection, fresh)
        for number in range(0, len(fresh), _PORTION):  # a server ends a transaction that says nothing for long
            connection.execute(sa.insert(trades), fresh[number : number + _PORTION])
        count_told(connection, next(iter(new.values()))["recorded_at"], len(new))
    return len(new), quarrels


def _was_written_down(connection: sa.Connection, row: Cells) -> bool:
    """Was this very contradiction heard before? Every poll of the day repeats it."""
    query = sa.select(audit.c.after).where(audit.c.target == identity_text(row), audit.c.what == TOLD_OTHERWISE)
    return plain(particulars(row)) in connection.execute(query).scalars().all()


def _chunks(names: list[str]) -> list[list[str]]:
    return [names[at : at + _MANY] for at in range(0, len(names), _MANY)]
