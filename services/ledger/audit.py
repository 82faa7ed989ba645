"""The audit: who did what, when, from which session, before and after. The database refuses to change or lose a row."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from services.domain.actors import Actor, Role
from services.domain.clock import Clock
from services.domain.errors import InvalidRequest
from services.domain.order_records import AuditEntry
from services.ledger.engine import Ledger
from services.ledger.order_tables import audit
from services.ledger.plain_values import plain

_INSERT = sa.insert(audit).returning(audit.c.number)


class Audit:
    """All acts of one ledger. What intents and settings do writes itself down in their own transactions."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock

    def add(
        self,
        actor: Actor,
        what: str,
        target: str = "",
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
        *,
        intent_id: str | None = None,
    ) -> AuditEntry:
        """Write one act down. Amounts as `Decimal`, never as floats."""
        if not what or len(what) > 80 or len(target) > 200:
            raise InvalidRequest("an act is named in 1 to 80 letters, its target in at most 200")
        with self._ledger.write() as connection:
            return write_down(connection, self._clock.now(), actor, what, target, before, after, intent_id=intent_id)

    def recent(self, limit: int = 200) -> list[AuditEntry]:
        """The newest `limit` acts, the newest first."""
        return self._read(sa.select(audit).order_by(audit.c.number.desc()), limit)

    def about(self, target: str, limit: int = 200) -> list[AuditEntry]:
        """What was done about one order, instrument or setting; the newest first."""
        return self._read(sa.select(audit).where(audit.c.target == target).order_by(audit.c.number.desc()), limit)

    def of_kinds(self, kinds: Collection[str], limit: int = 200) -> list[AuditEntry]:
        """The newest acts of these kinds, the newest first."""
        query = sa.select(audit).where(audit.c.what.in_(kinds)).order_by(audit.c.number.desc())
        return self._read(query, limit)

    def _read(self, query: sa.Select[Any], limit: int) -> list[AuditEntry]:
        if limit < 1:
            raise InvalidRequest("ask for at least one act")
        with self._ledger.read() as connection:
            return [_entry(row) for row in connection.execute(query.limit(limit))]


def write_down(
    connection: sa.Connection,
    now: datetime,
    actor: Actor,
    what: str,
    target: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    *,
    intent_id: str | None = None,
) -> AuditEntry:
    """One act, inside the transaction that does it: both are kept, or neither is."""
    values: dict[str, Any] = {
        "at": now,
        "what": what,
        "target": target,
        "intent_id": intent_id,
        "before": None if before is None else plain(before),
        "after": None if after is None else plain(after),
    }
    told = {**values, "actor": actor.name, "role": actor.role.value, "session": actor.session}
    number = connection.execute(_INSERT, told).scalar_one()
    return AuditEntry(number=number, actor=actor, **values)


def actor_of(row: sa.Row[Any]) -> Actor:  # Any: cells of several kinds
    """Who is named in the three columns of `row`."""
    return Actor(row.actor, Role(row.role), row.session)


def _entry(row: sa.Row[Any]) -> AuditEntry:  # Any: cells of several kinds
    return AuditEntry(
        number=row.number,
        at=row.at,
        actor=actor_of(row),
        what=row.what,
        target=row.target,
        intent_id=row.intent_id,
        before=row.before,
        after=row.after,
    )
