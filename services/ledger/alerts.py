"""Alerts: raised, seen, over, kept."""

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

USUAL_LIMIT = 200


class Severity(StrEnum):
    """How much an alert matters."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        return list(Severity).index(self)


class Life(StrEnum):
    """Where an alert stands."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    """Open, and somebody has seen it."""
    RESOLVED = "resolved"
    """A person said that it is over."""
    AUTO_RESOLVED = "auto-resolved"
    """The trouble went away."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert; instants are aware, UTC. It is open until `resolved_at`."""

    id: int
    """Negative while it is in memory only, because the disk took nothing."""
    kind: str
    subject: str
    severity: Severity
    message: str
    context: Mapping[str, Any] | None
    """What the rule that raised it knew; values as JSON has them."""
    raised_at: datetime
    acknowledged_at: datetime | None
    resolved_at: datetime | None
    acknowledged_by: str | None = None
    resolved_by: str | None = None
    """`None` though it is resolved: it ended by itself."""

    @property
    def is_open(self) -> bool:
        return self.resolved_at is None

    @property
    def is_kept(self) -> bool:
        """Does it lie in the ledger?"""
        return self.id > 0

    @property
    def life(self) -> Life:
        if self.resolved_at is not None:
            return Life.AUTO_RESOLVED if self.resolved_by is None else Life.RESOLVED
        return Life.OPEN if self.acknowledged_at is None else Life.ACKNOWLEDGED


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
        told = checked(kind, message, subject=subject, severity=severity, context=context)
        with self._ledger.write() as connection:
            standing = _standing(connection, kind, subject)
            if standing is not None:
                connection.execute(sa.update(alerts).where(alerts.c.id == standing).values(**told))
                return _one(connection, standing)
            return _new(connection, kind=kind, subject=subject, raised_at=self._clock.now(), **told)

    def update(
        self,
        kind: str,
        message: str,
        *,
        subject: str = "",
        severity: str = "warning",
        context: Mapping[str, Any] | None = None,
    ) -> Alert | None:
        """Bring the open alert of that kind and subject up to date. `None`: none is open any more, and none is made."""
        told = checked(kind, message, subject=subject, severity=severity, context=context)
        with self._ledger.write() as connection:
            standing = _standing(connection, kind, subject)
            if standing is None:
                return None
            connection.execute(sa.update(alerts).where(alerts.c.id == standing).values(**told))
            return _one(connection, standing)

    def keep(self, alert: Alert) -> Alert:
        """Write down an alert that had to wait in memory, as it is. If one of its kind and subject is open already,
        that one stands for both."""
        told = {
            "severity": alert.severity.value,
            "message": alert.message,
            "context": _plain(alert.context),
            "acknowledged_at": alert.acknowledged_at,
            "acknowledged_by": alert.acknowledged_by,
            "resolved_at": alert.resolved_at,
            "resolved_by": alert.resolved_by,
        }
        with self._ledger.write() as connection:
            standing = _standing(connection, alert.kind, alert.subject)
            if standing is None:
                return _new(connection, kind=alert.kind, subject=alert.subject, raised_at=alert.raised_at, **told)
            mine = alerts.c.id == standing
            given = {name: value for name, value in told.items() if value is not None}
            connection.execute(sa.update(alerts).where(mine).values(**given))
            return _one(connection, standing)

    def all(self, open_only: bool = False, limit: int | None = None) -> list[Alert]:
        """The newest `limit` alerts, the newest first; if no limit is given, the newest `USUAL_LIMIT`, but every one
        that is open if those are asked for."""
        if limit is not None and limit < 1:
            raise InvalidRequest("ask for at least one alert")
        query = sa.select(alerts).order_by(alerts.c.id.desc())
        if open_only:
            query = query.where(alerts.c.resolved_at.is_(None)).limit(limit)
        else:
            query = query.limit(USUAL_LIMIT if limit is None else limit)
        with self._ledger.read() as connection:
            return [_alert(row) for row in connection.execute(query)]

    def ended(self, limit: int) -> list[Alert]:
        """The newest `limit` of those that are over, the newest first, however many newer ones are open."""
        over = sa.select(alerts).where(alerts.c.resolved_at.is_not(None)).order_by(alerts.c.id.desc()).limit(limit)
        with self._ledger.read() as connection:
            return [_alert(row) for row in connection.execute(over)]

    def recent(self, since: datetime) -> list[Alert]:
        """Those that are open, or were raised or resolved after `since`; the oldest first."""
        touched = sa.or_(alerts.c.resolved_at.is_(None), alerts.c.raised_at > since, alerts.c.resolved_at > since)
        with self._ledger.read() as connection:
            return [_alert(row) for row in connection.execute(sa.select(alerts).where(touched).order_by(alerts.c.id))]

    def get(self, id: int) -> Alert:
        """One alert; `InvalidRequest` if there is none of that number."""
        with self._ledger.read() as connection:
            return _one(connection, id)

    def acknowledge(self, id: int, by: str = "") -> Alert:
        """Somebody has seen it. The first time counts."""
        return self._stamp(id, {"acknowledged_at": self._clock.now(), "acknowledged_by": by[:80]})

    def resolve(self, id: int, by: str | None = None) -> Alert:
        """The trouble is over: `by` whose word, or by itself (`None`). The first time counts."""
        return self._stamp(id, {"resolved_at": self._clock.now(), "resolved_by": None if by is None else by[:80]})

    def resolve_all(self, kind: str, *, but: Collection[str] = ()) -> list[Alert]:
        """The trouble of every open alert of `kind` is over, except about the subjects in `but`; those resolved."""
        open_ones = sa.select(alerts).where(alerts.c.kind == kind, alerts.c.resolved_at.is_(None))
        with self._ledger.write() as connection:
            over = [row.id for row in connection.execute(open_ones) if row.subject not in but]
            connection.execute(sa.update(alerts).where(alerts.c.id.in_(over)).values(resolved_at=self._clock.now()))
            return [_one(connection, number) for number in over]

    def resolve_one(self, kind: str, subject: str, at: datetime | None = None) -> Alert | None:
        """The trouble of that kind and subject went away (`at`: when, if not now). `None`: no alert of it is open."""
        with self._ledger.write() as connection:
            standing = _standing(connection, kind, subject)
            if standing is None:
                return None
            over = self._clock.now() if at is None else at
            connection.execute(sa.update(alerts).where(alerts.c.id == standing).values(resolved_at=over))
            return _one(connection, standing)

    def _stamp(self, number: int, values: Mapping[str, Any]) -> Alert:  # Any: an instant, a name
        when = alerts.c[next(iter(values))]
        with self._ledger.write() as connection:
            _one(connection, number)
            connection.execute(sa.update(alerts).where(alerts.c.id == number, when.is_(None)).values(**values))
            return _one(connection, number)


def checked(
    kind: str, message: str, *, subject: str, severity: str, context: Mapping[str, Any] | None
) -> dict[str, Any]:  # Any: cells of several kinds
    """Severity, message and context as they are kept. `InvalidRequest` for what is no alert."""
    if not kind or not message:
        raise InvalidRequest("an alert needs a kind and a message")
    if len(kind) > 60 or len(subject) > 200:
        raise InvalidRequest("the kind of an alert has at most 60 characters, its subject at most 200")
    return {"severity": _severity(severity).value, "message": message, "context": _plain(context)}


def _plain(context: Mapping[str, Any] | None) -> Any:  # Any: JSON values
    return None if context is None else orjson.loads(orjson.dumps(dict(context), default=str))


def _severity(text: str) -> Severity:
    try:
        return Severity(text)
    except ValueError:
        raise InvalidRequest(f"the severity of an alert is info, warning or critical, not {text[:40]!r}") from None


def _standing(connection: sa.Connection, kind: str, subject: str) -> int | None:
    """The number of the open alert of that kind and subject."""
    number: int | None = connection.scalar(
        sa.select(alerts.c.id).where(alerts.c.kind == kind, alerts.c.subject == subject, alerts.c.resolved_at.is_(None))
    )
    return number


def _new(connection: sa.Connection, **values: Any) -> Alert:  # Any: cells of several kinds
    made = connection.execute(sa.insert(alerts).values(**values).returning(alerts.c.id)).scalar_one()
    return _one(connection, made)


def _one(connection: sa.Connection, number: int) -> Alert:
    row = connection.execute(sa.select(alerts).where(alerts.c.id == number)).one_or_none()
    if row is None:
        raise InvalidRequest(f"there is no alert {number}")
    return _alert(row)


def _alert(row: sa.Row[Any]) -> Alert:  # Any: cells of several kinds
    fields = row._asdict()
    return Alert(**{**fields, "severity": Severity(fields["severity"])})
