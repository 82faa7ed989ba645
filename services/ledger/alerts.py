"""Alerts: raised, seen, resolved, kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import orjson
import sqlalchemy as sa

from services.domain.clock import Clock
from services.domain.errors import InvalidRequest
from services.ledger.engine import Ledger
from services.ledger.tables import alerts


class Severity(StrEnum):
    """How much an alert matters."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert; instants are aware, UTC. It is open until `resolved_at`."""

    id: int
    kind: str
    subject: str
    severity: Severity
    message: str
    context: Mapping[str, Any] | None
    """What the rule that raised it knew; values as JSON has them."""
    raised_at: datetime
    acknowledged_at: datetime | None
    resolved_at: datetime | None

    @property
    def is_open(self) -> bool:
        return self.resolved_at is None


class Alerts:
    """All alerts of one ledger."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock

    def raise_alert(
        self,
        kind: str,
        message: str,
        *,
        subject: str = "",
        severity: str = "warning",
        context: Mapping[str, Any] | None = None,
    ) -> Alert:
        """Raise an alert. While one of the same kind and subject is open it is brought up to date instead: there is
        one open alert per trouble, raised when it began, and whoever acknowledged it is not called again."""
        told = {
            "severity": _severity(severity).value,
            "message": message,
            "context": None if context is None else orjson.loads(orjson.dumps(dict(context), default=str)),
        }
        if not kind or not message:
            raise InvalidRequest("an alert needs a kind and a message")
        if len(kind) > 60 or len(subject) > 200:
            raise InvalidRequest("the kind of an alert has at most 60 characters, its subject at most 200")
        with self._ledger.write() as connection:
            standing = connection.scalar(
                sa.select(alerts.c.id).where(
                    alerts.c.kind == kind, alerts.c.subject == subject, alerts.c.resolved_at.is_(None)
                )
            )
            if standing is not None:
                connection.execute(sa.update(alerts).where(alerts.c.id == standing).values(**told))
                return _one(connection, standing)
            made = connection.execute(
                sa.insert(alerts)
                .values(kind=kind, subject=subject, raised_at=self._clock.now(), **told)
                .returning(alerts.c.id)
            ).scalar_one()
            return _one(connection, made)

    def all(self, open_only: bool = False, limit: int = 200) -> list[Alert]:
        """The newest `limit` alerts, the newest first."""
        if limit < 1:
            raise InvalidRequest("ask for at least one alert")
        query = sa.select(alerts).order_by(alerts.c.id.desc()).limit(limit)
        if open_only:
            query = query.where(alerts.c.resolved_at.is_(None))
        with self._ledger.read() as connection:
            return [_alert(row) for row in connection.execute(query)]

    def acknowledge(self, id: int) -> Alert:
        """Somebody has seen it. The first time counts."""
        return self._stamp(id, alerts.c.acknowledged_at)

    def resolve(self, id: int) -> Alert:
        """The trouble is over. The first time counts."""
        return self._stamp(id, alerts.c.resolved_at)

    def resolve_all(self, kind: str, *, but: Collection[str] = ()) -> list[Alert]:
        """The trouble of every open alert of `kind` is over, except about the subjects in `but`; those resolved."""
        open_ones = sa.select(alerts).where(alerts.c.kind == kind, alerts.c.resolved_at.is_(None))
        with self._ledger.write() as connection:
            over = [row.id for row in connection.execute(open_ones) if row.subject not in but]
            connection.execute(sa.update(alerts).where(alerts.c.id.in_(over)).values(resolved_at=self._clock.now()))
            return [_one(connection, number) for number in over]

    def _stamp(self, number: int, column: sa.Column[Any]) -> Alert:  # Any: of an alert's instants
        with self._ledger.write() as connection:
            _one(connection, number)
            connection.execute(
                sa.update(alerts).where(alerts.c.id == number, column.is_(None)).values({column: self._clock.now()})
            )
            return _one(connection, number)


def _severity(text: str) -> Severity:
    try:
        return Severity(text)
    except ValueError:
        raise InvalidRequest(f"the severity of an alert is info, warning or critical, not {text[:40]!r}") from None


def _one(connection: sa.Connection, number: int) -> Alert:
    row = connection.execute(sa.select(alerts).where(alerts.c.id == number)).one_or_none()
    if row is None:
        raise InvalidRequest(f"there is no alert {number}")
    return _alert(row)


def _alert(row: sa.Row[Any]) -> Alert:  # Any: cells of several kinds
    fields = row._asdict()
    return Alert(**{**fields, "severity": Severity(fields["severity"])})
