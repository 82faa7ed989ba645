"""Writes what was told of orders inside the caller's transaction: rows, events, the intents that they came of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from services.domain.clock import ist_date
from services.domain.intents import IntentKind
from services.domain.order_updates import Applied, apply_update
from services.domain.orders import BookOrder
from services.ledger.order_rows import ORDER_COLUMNS, ORDER_FIELDS, cells_of, order_of, told_at
from services.ledger.order_tables import intent_orders, order_events, order_intents, orders_v3

_OPENING = [kind.value for kind in IntentKind if kind.opens]
_MANY = 500
"""Names in one question; far below SQLite's limit."""


@dataclass(frozen=True, slots=True)
class Telling:
    """One message about one order."""

    order: BookOrder
    source: str
    raw: Mapping[str, Any] | None = None  # Any: the broker's payload
    intent_id: str | None = None

    def onto(self, known: dict[str, BookOrder]) -> Applied:
        """What `known` is after this message; `known` is brought up to date."""
        applied = apply_update(known.get(self.order.order_id), self.order)
        known[self.order.order_id] = applied.order
        return applied


def known_orders(connection: sa.Connection, told: Iterable[Telling]) -> dict[str, BookOrder]:
    """The orders that `told` is about, as they are known, by order id."""
    names = list(dict.fromkeys(telling.order.order_id for telling in told))
    return {order.order_id: order for order in orders_named(connection, names)}


def orders_named(connection: sa.Connection, names: list[str]) -> list[BookOrder]:
    """The orders of these ids, as they are known."""
    found: list[BookOrder] = []
    for some in _chunks(names):
        query = sa.select(*ORDER_COLUMNS).where(orders_v3.c.order_id.in_(some))
        found += [order_of(row) for row in connection.execute(query)]
    return found


def write_all(connection: sa.Connection, now: datetime, told: Sequence[Telling]) -> list[Applied]:
    """Apply each in turn; one event for each real change, one row for each order."""
    known = known_orders(connection, told)
    here = set(known)
    outcome: list[Applied] = []
    changes: list[tuple[Telling, BookOrder]] = []
    for telling in told:
        applied = telling.onto(known)
        outcome.append(applied)
        if applied.changed:
            changes.append((telling, applied.order))
    changed = list(dict.fromkeys(order.order_id for _, order in changes))
    new = [known[name] for name in changed if name not in here]
    intents = _intents_of(connection, new) | {t.order.order_id: t.intent_id for t in told if t.intent_id}
    if new:
        connection.execute(sa.insert(orders_v3), [_new_row(order, now, intents.get(order.order_id)) for order in new])
    if old := [name for name in changed if name in here]:
        connection.execute(_UPDATE, [_changed_row(known[name], now, intents.get(name)) for name in old])
    if changes:
        connection.execute(
            sa.insert(order_events), [_event_row(t, order, now, intents.get(order.order_id)) for t, order in changes]
        )
    return outcome


def missed_steps(connection: sa.Connection, now: datetime, told: Sequence[Telling]) -> int:
    """Events for the steps in `told` that no event tells of yet; how many. The same step told by two sources may differ
    in its time, so that only what no event matches, with its time or without, is new."""
    fresh: list[dict[str, Any]] = []
    for order_id in dict.fromkeys(telling.order.order_id for telling in told):
        rows = connection.execute(
            sa.select(order_events.c.status, order_events.c.filled_quantity, order_events.c.told_at).where(
                order_events.c.order_id == order_id
            )
        )
        events = Counter((row.status, row.filled_quantity, row.told_at) for row in rows)
        unmatched: list[Telling] = []
        for telling in (one for one in told if one.order.order_id == order_id):
            step = (telling.order.status, telling.order.filled_quantity, told_at(telling.order))
            if events[step]:
                events[step] -= 1
            else:
                unmatched.append(telling)
        left = Counter[tuple[str, int]]()
        for (status, filled, _), count in events.items():
            left[status, filled] += count
        for telling in unmatched:
            roughly = (telling.order.status, telling.order.filled_quantity)
            if left[roughly]:
                left[roughly] -= 1
            else:
                fresh.append(_event_row(telling, telling.order, now, telling.intent_id))
    if fresh:
        connection.execute(sa.insert(order_events), fresh)
    return len(fresh)


def _intents_of(connection: sa.Connection, orders: Sequence[BookOrder]) -> dict[str, str]:
    """The intents that `orders` came of, by order id: by tag, by order id, or by the GTT that fired."""
    by_tag: dict[str, str] = {}
    for some in _chunks(sorted({order.tag for order in orders if order.tag})):
        query = sa.select(order_intents.c.tag, order_intents.c.intent_id).where(order_intents.c.tag.in_(some))
        by_tag.update((row.tag, row.intent_id) for row in connection.execute(query))
    names = {order.order_id for order in orders} | {order.reference_id for order in orders if order.reference_id}
    by_name: dict[str, str] = {}
    for some in _chunks(sorted(names)):
        query = (
            sa.select(intent_orders.c.order_id, intent_orders.c.intent_id)
            .join(order_intents, order_intents.c.intent_id == intent_orders.c.intent_id)
            .where(intent_orders.c.order_id.in_(some), order_intents.c.kind.in_(_OPENING))
        )
        by_name.update((row.order_id, row.intent_id) for row in connection.execute(query))
    found: dict[str, str] = {}
    for order in orders:
        intent = by_tag.get(order.tag or "") or by_name.get(order.order_id) or by_name.get(order.reference_id)
        if intent:
            found[order.order_id] = intent
    return found


def _new_row(order: BookOrder, now: datetime, intent_id: str | None) -> dict[str, Any]:  # Any: cells of several kinds
    first = order.placed_at or now
    return {
        **cells_of(order),
        "alive": not order.terminal,
        "intent_id": intent_id,
        "day": ist_date(first),
        "changed_day": ist_date(now),
        "first_at": first,
        "changed_at": now,
    }


def _changed_row(order: BookOrder, now: datetime, intent_id: str | None) -> dict[str, Any]:  # Any: as above
    cells = cells_of(order) | {
        "alive": not order.terminal,
        "intent": intent_id,
        "changed_day": ist_date(now),
        "changed_at": now,
    }
    return {f"to_{name}": cell for name, cell in cells.items()}


_UPDATE = (
    sa.update(orders_v3)
    .where(orders_v3.c.order_id == sa.bindparam("to_order_id"))
    .values(
        {name: sa.bindparam(f"to_{name}") for name in (*ORDER_FIELDS[1:], "alive", "changed_day", "changed_at")}
        | {"intent_id": sa.func.coalesce(orders_v3.c.intent_id, sa.bindparam("to_intent"))}
    )
)


def _event_row(telling: Telling, order: BookOrder, now: datetime, intent_id: str | None) -> dict[str, Any]:
    return {
        "order_id": order.order_id,
        "recorded_at": now,
        "told_at": told_at(telling.order),
        "source": telling.source,
        "status": order.status,
        "quantity": order.quantity,
        "filled_quantity": order.filled_quantity,
        "price": order.price,
        "trigger_price": order.trigger_price,
        "average_price": order.average_price,
        "message": order.message,
        "request_id": order.request_id,
        "intent_id": intent_id,
        "raw": telling.raw,
    }


def _chunks(names: list[str]) -> list[list[str]]:
    return [names[at : at + _MANY] for at in range(0, len(names), _MANY)]
