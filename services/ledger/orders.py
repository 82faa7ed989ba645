"""Orders as the broker told them, each change kept. What a message means is decided by `apply_update` alone, inside the
transaction that writes: two threads that hear of one order at once cannot overtake each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa

from services.domain.clock import IST, Clock
from services.domain.errors import InvalidRequest
from services.domain.order_records import OrderEvent
from services.domain.order_updates import Applied
from services.domain.orders import BookOrder
from services.ledger.engine import Ledger
from services.ledger.order_rows import ORDER_COLUMNS, event_of, exactly_kept, order_of
from services.ledger.order_tables import order_events, orders_v3
from services.ledger.order_writing import Telling, known_orders, missed_steps, orders_named, write_all


class Orders:
    """All orders of one ledger. Lists are newest first."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock

    def apply(
        self, told: BookOrder, *, source: str, raw: Mapping[str, Any] | None = None, intent_id: str | None = None
    ) -> Applied:
        """What the broker told of one order. A real change is kept with the time, the source, the broker's word and, if
        given, its payload; a repeat or an old message changes nothing.

        The intent that the order came of is found by its tag, its id or its GTT; `intent_id` names it where the caller
        knows better.
        """
        return self._apply([Telling(exactly_kept(told), source, raw, intent_id)])[0]

    def apply_many(self, told: Iterable[BookOrder], source: str) -> list[Applied]:
        """A whole book or history, in the order given, in one transaction; none at all if nothing in it is new."""
        return self._apply([Telling(exactly_kept(one), source) for one in told])

    def record_history(self, told: Sequence[BookOrder], source: str = "history") -> int:
        """Add to the timelines of orders the steps that nobody heard when they happened; how many.

        `told` is the broker's history of one order or one tag, the oldest step first.
        """
        steps = [Telling(exactly_kept(one), source) for one in told]
        with self._ledger.write() as connection:
            now = self._clock.now()
            write_all(connection, now, steps)
            return missed_steps(connection, now, steps)

    def get(self, order_id: str) -> BookOrder | None:
        """That order; `None`: never heard of."""
        found = self._read(_orders().where(orders_v3.c.order_id == order_id))
        return found[0] if found else None

    def of_day(self, day: date) -> list[BookOrder]:
        """Placed or changed on that day in India: an order given last evening belongs to this morning's book too."""
        return self._read(_orders().where(sa.or_(orders_v3.c.day == day, orders_v3.c.changed_day == day)))

    def alive(self) -> list[BookOrder]:
        """Those that have not ended, of whatever day."""
        return self._read(_orders().where(orders_v3.c.alive == sa.true()))

    def by_tag(self, tag: str) -> list[BookOrder]:
        """All children of one tag."""
        return self._read(_orders().where(orders_v3.c.tag == tag))

    def search(
        self,
        limit: int = 200,
        *,
        text: str = "",
        first: date | None = None,
        last: date | None = None,
        alive: bool | None = None,
        offset: int = 0,
    ) -> list[BookOrder]:
        """Orders first placed on the days `first` to `last` whose symbol, key, tag or number holds `text`."""
        if limit < 1 or offset < 0:
            raise InvalidRequest("ask for at least one order")
        query = _orders().where(orders_v3.c.first_at >= _midnight(first or date(2000, 1, 1)))
        if last is not None:
            query = query.where(orders_v3.c.first_at < _midnight(last + timedelta(days=1)))
        if alive is not None:
            query = query.where(orders_v3.c.alive == alive)
        if text := text.strip():
            places = (orders_v3.c.symbol, orders_v3.c.key, orders_v3.c.tag, orders_v3.c.order_id)
            query = query.where(sa.or_(*(place.icontains(text, autoescape=True) for place in places)))
        return self._read(query.limit(limit).offset(offset))

    def timeline(self, order_id: str) -> tuple[OrderEvent, ...]:
        """Every change of one order, the oldest first, by the broker's time where it told one."""
        query = sa.select(order_events).where(order_events.c.order_id == order_id).order_by(order_events.c.number)
        with self._ledger.read() as connection:
            events = [event_of(row) for row in connection.execute(query)]
        return tuple(_by_time(events))

    def last_event(self) -> int:
        """The number of the newest event; 0: there is none."""
        with self._ledger.read() as connection:
            return connection.execute(sa.select(sa.func.max(order_events.c.number))).scalar_one() or 0

    def changed_after(self, number: int, limit: int = 1000) -> tuple[int, list[BookOrder]]:
        """The orders of the next `limit` changes after event `number`, as they are now, and the last of these events.
        Writers take turns, so that no smaller number appears later."""
        query = sa.select(order_events.c.number, order_events.c.order_id).where(order_events.c.number > number)
        with self._ledger.read() as connection:
            rows = connection.execute(query.order_by(order_events.c.number).limit(limit)).all()
            if not rows:
                return number, []
            names = list(dict.fromkeys(row.order_id for row in rows))
            return rows[-1].number, orders_named(connection, names)

    def _read(self, query: sa.Select[Any]) -> list[BookOrder]:  # Any: cells of several kinds
        with self._ledger.read() as connection:
            return [order_of(row) for row in connection.execute(query)]

    def _apply(self, told: list[Telling]) -> list[Applied]:
        with self._ledger.read() as connection:  # a poll mostly brings nothing new: then nobody has to wait for it
            known = known_orders(connection, told)
        dry = [telling.onto(known) for telling in told]
        if not any(applied.changed for applied in dry):
            return dry
        with self._ledger.write() as connection:
            return write_all(connection, self._clock.now(), told)


def _orders() -> sa.Select[Any]:  # Any: cells of several kinds
    return sa.select(*ORDER_COLUMNS).order_by(orders_v3.c.first_at.desc(), orders_v3.c.id.desc())


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), IST).astimezone(UTC)


def _by_time(events: Sequence[OrderEvent]) -> list[OrderEvent]:
    """In the broker's time; an event without one stays behind the event that was recorded before it."""
    placed: list[tuple[datetime, int, OrderEvent]] = []
    at = datetime.min.replace(tzinfo=UTC)
    for event in events:
        at = event.told_at or at
        placed.append((at, event.number, event))
    return [event for _, _, event in sorted(placed, key=lambda one: one[:2])]
