"""Rows of intents as values, and back; inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from services.domain.clock import ist_date
from services.domain.errors import InvalidRequest
from services.domain.intents import Intent, IntentKind, IntentState, NewIntent, Witness
from services.ledger.audit import actor_of
from services.ledger.order_tables import intent_orders, order_intents, orders_v3
from services.ledger.plain_values import plain

_INSERT = sa.insert(order_intents)


def insert_intent(
    connection: sa.Connection, now: datetime, new: NewIntent, body: Mapping[str, Any], process: str
) -> None:
    """The row of a new intent, which `process` sends."""
    row = {
        "intent_id": new.intent_id,
        "kind": new.kind.value,
        "target": new.target,
        "body": body,
        "before": None if new.before is None else plain(new.before),
        "tag": new.tag or None,
        "lines": new.lines,
        "basket": new.basket or None,
        "actor": new.actor.name,
        "role": new.actor.role.value,
        "session": new.actor.session,
        "day": ist_date(now),
        "created_at": now,
        "state": IntentState.PREPARED.value,
        "code": "",
        "reason": "",
        "process": process or None,
    }
    connection.execute(_INSERT, row)


def prepared_intent(new: NewIntent, body: Mapping[str, Any], now: datetime, process: str) -> Intent:
    """What `insert_intent` has just written."""
    return Intent(
        intent_id=new.intent_id,
        kind=new.kind,
        target=new.target,
        body=body,
        actor=new.actor,
        tag=new.tag,
        before=None if new.before is None else plain(new.before),
        lines=new.lines,
        basket=new.basket,
        state=IntentState.PREPARED,
        order_ids=(),
        code="",
        reason="",
        result=None,
        settled_by=None,
        created_at=now,
        settled_at=None,
        process=process,
    )


def move_intent(connection: sa.Connection, intent: Intent) -> None:
    """Write down what is known now of its fate."""
    connection.execute(
        sa.update(order_intents)
        .where(order_intents.c.intent_id == intent.intent_id)
        .values(
            state=intent.state.value,
            code=intent.code,
            reason=intent.reason,
            result=intent.result,
            settled_by=None if intent.settled_by is None else intent.settled_by.value,
            settled_at=intent.settled_at,
        )
    )


def link_orders(connection: sa.Connection, intent: Intent, order_ids: Sequence[str]) -> None:
    """Add orders to those that came of an intent."""
    if not order_ids:
        return
    first = len(intent.order_ids)
    rows = [
        {"intent_id": intent.intent_id, "order_id": order_id, "position": first + at}
        for at, order_id in enumerate(order_ids)
    ]
    connection.execute(sa.insert(intent_orders), rows)
    if intent.kind.opens:
        connection.execute(
            sa.update(orders_v3)
            .where(orders_v3.c.order_id.in_(order_ids), orders_v3.c.intent_id.is_(None))
            .values(intent_id=intent.intent_id)
        )


def one_intent(connection: sa.Connection, intent_id: str) -> Intent:
    """That intent; `InvalidRequest` if there is none."""
    found = read_intents(connection, order_intents.c.intent_id == intent_id)
    if not found:
        raise InvalidRequest(f"there is no intent {intent_id!r}")
    return found[0]


def read_intents(
    connection: sa.Connection,
    *conditions: sa.ColumnElement[bool],
    order: sa.ColumnElement[Any] | None = None,  # Any: a column
    limit: int | None = None,
) -> list[Intent]:
    """The intents that meet all `conditions`, each with its orders."""
    query = sa.select(order_intents).where(*conditions).limit(limit)
    rows = connection.execute(query if order is None else query.order_by(order)).all()
    of: dict[str, list[str]] = {row.intent_id: [] for row in rows}
    for some in _chunks(list(of)):
        links = sa.select(intent_orders).where(intent_orders.c.intent_id.in_(some)).order_by(intent_orders.c.position)
        for link in connection.execute(links):
            of[link.intent_id].append(link.order_id)
    return [intent_of(row, of[row.intent_id]) for row in rows]


def _chunks(names: list[str], size: int = 500) -> list[list[str]]:
    return [names[at : at + size] for at in range(0, len(names), size)]


def intent_of(row: sa.Row[Any], order_ids: Sequence[str]) -> Intent:  # Any: cells of several kinds
    """The intent in a row of `order_intents`."""
    return Intent(
        intent_id=row.intent_id,
        kind=IntentKind(row.kind),
        target=row.target,
        body=row.body,
        actor=actor_of(row),
        tag=row.tag or "",
        before=row.before,
        lines=row.lines,
        basket=row.basket or "",
        state=IntentState(row.state),
        order_ids=tuple(order_ids),
        code=row.code,
        reason=row.reason,
        result=row.result,
        settled_by=None if row.settled_by is None else Witness(row.settled_by),
        created_at=row.created_at,
        settled_at=row.settled_at,
        process=row.process or "",
    )
