"""Prices that a person wants to hear of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from services.domain.actors import Actor
from services.domain.clock import Clock
from services.domain.errors import InvalidRequest
from services.domain.instruments import require_instrument_key
from services.ledger.audit import write_down
from services.ledger.engine import Ledger
from services.ledger.money import units
from services.ledger.tables import price_alerts

MOST = 200
MAX_NOTE = 200


class Watched(StrEnum):
    """What is compared with the level."""

    PRICE = "price"
    PERCENT = "percent"
    """The change of the day, in percent."""


class Side(StrEnum):
    """Where the level must be passed to."""

    ABOVE = "above"
    BELOW = "below"


@dataclass(frozen=True, slots=True)
class PriceAlert:
    """One wish. `level` in rupees, or in percent; reaching it is enough."""

    id: int
    instrument_key: str
    symbol: str
    measure: Watched
    direction: Side
    level: Decimal
    note: str
    once: bool
    """Done when it was reached the first time; else it waits anew each time that the price has gone back."""
    created_by: str
    created_at: datetime
    fired_at: datetime | None
    """When it was reached last."""
    ended_at: datetime | None

    @property
    def waits(self) -> bool:
        """May it still fire?"""
        return self.ended_at is None and not (self.once and self.fired_at is not None)


class PriceAlerts:
    """All of one ledger."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock

    def all(self, limit: int = 500) -> list[PriceAlert]:
        """Those that were not put away, the newest first."""
        query = (
            sa.select(price_alerts)
            .where(price_alerts.c.ended_at.is_(None))
            .order_by(price_alerts.c.id.desc())
            .limit(limit)
        )
        with self._ledger.read() as connection:
            return [_made(row) for row in connection.execute(query)]

    def add(
        self,
        instrument_key: str,
        symbol: str,
        *,
        measure: Watched,
        direction: Side,
        level: Decimal,
        note: str,
        once: bool,
        actor: Actor,
    ) -> PriceAlert:
        """A new one; the one that waits for the same already, if `actor` has set it: a double click is one wish.
        `InvalidRequest` for a level that cannot be, or one too many."""
        require_instrument_key(instrument_key)
        note = " ".join(note.split())
        if len(note) > MAX_NOTE or not note.isprintable():
            raise InvalidRequest(f"a note has at most {MAX_NOTE} letters")
        try:
            units(level)
        except ValueError:
            raise InvalidRequest("the level has at most four decimals") from None
        if measure is Watched.PRICE and level <= 0:
            raise InvalidRequest("a price is above 0")
        now = self._clock.now()
        same = (
            price_alerts.c.instrument_key == instrument_key,
            price_alerts.c.measure == measure.value,
            price_alerts.c.direction == direction.value,
            price_alerts.c.level == level,
            price_alerts.c.note == note,
            price_alerts.c.once == once,
            price_alerts.c.created_by == actor.name,
            price_alerts.c.ended_at.is_(None),
            price_alerts.c.fired_at.is_(None),
        )
        with self._ledger.write() as connection:
            known = connection.execute(sa.select(price_alerts.c.id).where(*same)).scalar()
            if known is not None:
                return _one(connection, known)
            count = connection.scalar(
                sa.select(sa.func.count()).select_from(price_alerts).where(price_alerts.c.ended_at.is_(None))
            )
            if (count or 0) >= MOST:
                raise InvalidRequest(f"there are {MOST} price alerts already; remove one first")
            told = {
                "instrument_key": instrument_key,
                "symbol": symbol[:80],
                "measure": measure.value,
                "direction": direction.value,
                "level": level,
                "note": note,
                "once": once,
            }
            made = connection.execute(
                sa.insert(price_alerts)
                .values(**told, created_by=actor.name, created_at=now)
                .returning(price_alerts.c.id)
            ).scalar_one()
            write_down(connection, now, actor, "price alert added", instrument_key, None, told)
            return _one(connection, made)

    def fired(self, id: int, at: datetime) -> None:
        """It was reached."""
        with self._ledger.write() as connection:
            connection.execute(sa.update(price_alerts).where(price_alerts.c.id == id).values(fired_at=at))

    def again(self, id: int, actor: Actor) -> PriceAlert:
        """Let one that was reached wait anew."""
        now = self._clock.now()
        with self._ledger.write() as connection:
            before = _one(connection, id)
            connection.execute(sa.update(price_alerts).where(price_alerts.c.id == id).values(fired_at=None))
            write_down(connection, now, actor, "price alert set again", before.instrument_key)
            return _one(connection, id)

    def remove(self, id: int, actor: Actor) -> PriceAlert:
        """Put it away."""
        now = self._clock.now()
        with self._ledger.write() as connection:
            before = _one(connection, id)
            connection.execute(sa.update(price_alerts).where(price_alerts.c.id == id).values(ended_at=now))
            write_down(connection, now, actor, "price alert removed", before.instrument_key, {"level": before.level})
            return before


def _one(connection: sa.Connection, number: int) -> PriceAlert:
    query = sa.select(price_alerts).where(price_alerts.c.id == number, price_alerts.c.ended_at.is_(None))
    row = connection.execute(query).one_or_none()
    if row is None:
        raise InvalidRequest("this price alert does not exist any more")
    return _made(row)


def _made(row: sa.Row[Any]) -> PriceAlert:  # Any: cells of several kinds
    fields = row._asdict()
    fields |= {"measure": Watched(row.measure), "direction": Side(row.direction), "once": bool(row.once)}
    return PriceAlert(**fields)
