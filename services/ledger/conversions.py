"""Conversions of positions: what was asked for is a row of its own, what became of it is its intent's."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from services.domain.clock import ist_date
from services.domain.errors import InvalidRequest
from services.domain.intents import IntentState
from services.domain.order_records import Conversion
from services.domain.orders import Side
from services.ledger.audit import actor_of
from services.ledger.engine import Ledger
from services.ledger.order_tables import order_intents, position_conversions

_COLUMNS = [column for column in position_conversions.c if column.name not in {"id", "day"}]
_OF_INTENT = [
    order_intents.c[name]
    for name in ("state", "code", "reason", "actor", "role", "session", "created_at", "settled_at")
]


class Conversions:
    """All conversions of one ledger. They are made and settled through `Intents`."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def recent(self, limit: int = 200) -> list[Conversion]:
        """The newest `limit` conversions, the newest first."""
        if limit < 1:
            raise InvalidRequest("ask for at least one conversion")
        return self._read(_joined().limit(limit))

    def of_day(self, day: date) -> list[Conversion]:
        """Those of one day in India, the newest first."""
        return self._read(_joined().where(position_conversions.c.day == day))

    def _read(self, query: sa.Select[Any]) -> list[Conversion]:
        with self._ledger.read() as connection:
            return [_conversion(row) for row in connection.execute(query)]


def keep_conversion(connection: sa.Connection, now: datetime, intent_id: str, body: Mapping[str, Any]) -> None:
    """The row of a CONVERT intent, in its transaction. `InvalidRequest` if the body lacks a part."""
    match body:
        case {
            "key": str() as key,
            "side": "BUY" | "SELL" as side,
            "quantity": int() as quantity,
            "from_product": str() as old,
            "to_product": str() as new,
        }:
            connection.execute(
                sa.insert(position_conversions).values(
                    intent_id=intent_id,
                    key=key,
                    side=side,
                    quantity=quantity,
                    from_product=old,
                    to_product=new,
                    day=ist_date(now),
                )
            )
        case _:
            raise InvalidRequest("a conversion names key, side, quantity, from_product and to_product")


def _joined() -> sa.Select[Any]:  # Any: cells of several kinds
    return (
        sa.select(*_COLUMNS, *_OF_INTENT)
        .join(order_intents, order_intents.c.intent_id == position_conversions.c.intent_id)
        .order_by(position_conversions.c.id.desc())
    )


def _conversion(row: sa.Row[Any]) -> Conversion:  # Any: cells of several kinds
    return Conversion(
        intent_id=row.intent_id,
        key=row.key,
        side=Side(row.side),
        quantity=row.quantity,
        from_product=row.from_product,
        to_product=row.to_product,
        state=IntentState(row.state),
        code=row.code,
        reason=row.reason,
        actor=actor_of(row),
        asked_at=row.created_at,
        settled_at=row.settled_at,
    )
