"""Where alerts are sent, with sealed addresses, and what became of each message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from services.domain.actors import Actor
from services.domain.clock import Clock
from services.domain.errors import InvalidRequest
from services.ledger.alerts import Severity
from services.ledger.audit import write_down
from services.ledger.engine import Ledger
from services.ledger.tables import alert_channels, alert_deliveries, alerts

MOST_CHANNELS = 20
MAX_NAME = 60
CLAIM_SECONDS = 120.0
"""A message that somebody began to send longer ago and told nothing of was cut off: it is sent again."""


class What(StrEnum):
    """What a message tells."""

    OPENED = "opened"
    ENDED = "ended"
    TEST = "test"


class Claim(StrEnum):
    """Whose a message is."""

    MINE = "mine"
    """Send it now, then tell what became of it."""
    SENT = "sent"
    """It has arrived already."""
    ELSEWHERE = "elsewhere"
    """Another process has begun to send it, and has told nothing yet: look again later, it may have ended."""


class Sent(StrEnum):
    """What became of a message."""

    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Channel:
    """One way to tell somebody. Its address is a secret: it is kept sealed and never shown."""

    id: int
    name: str
    service: str
    """Telegram, E-Mail, JSON ..."""
    least: Severity
    """What matters less is not sent."""
    tell_end: bool
    """Tell also that it is over."""
    active: bool
    created_by: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of one message."""

    channel_id: int
    alert_id: int | None
    """`None`: a test."""
    what: What
    state: Sent
    attempts: int
    reason: str
    """Why it failed last; empty when it did not."""
    at: datetime


class Channels:
    """All channels of one ledger. Additions and removals are written into the audit, never with an address."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock

    def all(self) -> list[Channel]:
        """Those that were not removed, the oldest first."""
        query = sa.select(alert_channels).where(alert_channels.c.removed_at.is_(None)).order_by(alert_channels.c.id)
        with self._ledger.read() as connection:
            return [_channel(row) for row in connection.execute(query)]

    def sealed(self) -> dict[int, bytes]:
        """The sealed addresses by the number of their channel."""
        query = sa.select(alert_channels.c.id, alert_channels.c.sealed).where(alert_channels.c.removed_at.is_(None))
        with self._ledger.read() as connection:
            return {row.id: row.sealed for row in connection.execute(query)}

    def add(self, name: str, service: str, sealed: bytes, *, least: Severity, tell_end: bool, actor: Actor) -> Channel:
        """A new channel. `InvalidRequest` if the name is taken or there are too many."""
        name = " ".join(name.split())
        if not name or len(name) > MAX_NAME or not name.isprintable():
            raise InvalidRequest(f"a channel needs a name of 1 to {MAX_NAME} letters")
        now = self._clock.now()
        with self._ledger.write() as connection:
            there = [
                row.name
                for row in connection.execute(
                    sa.select(alert_channels.c.name).where(alert_channels.c.removed_at.is_(None))
                )
            ]
            if name.casefold() in {other.casefold() for other in there}:
                raise InvalidRequest(f"there is a channel named {name!r} already")
            if len(there) >= MOST_CHANNELS:
                raise InvalidRequest(f"there are {MOST_CHANNELS} channels already; remove one first")
            made = connection.execute(
                sa.insert(alert_channels)
                .values(
                    name=name,
                    service=service[:60],
                    sealed=sealed,
                    least=least.value,
                    tell_end=tell_end,
                    active=True,
                    created_by=actor.name,
                    created_at=now,
                )
                .returning(alert_channels.c.id)
            ).scalar_one()
            told = {"service": service[:60], "least": least.value, "tell_end": tell_end}
            write_down(connection, now, actor, "alert channel added", name, None, told)
            return _one(connection, made)

    def turn(self, id: int, active: bool, actor: Actor) -> Channel:
        """Send over it, or do not for now."""
        now = self._clock.now()
        with self._ledger.write() as connection:
            before = _one(connection, id)
            connection.execute(sa.update(alert_channels).where(alert_channels.c.id == id).values(active=active))
            what = "alert channel turned " + ("on" if active else "off")
            write_down(connection, now, actor, what, before.name, {"active": before.active}, {"active": active})
            return _one(connection, id)

    def reseal(self, id: int, before: bytes, after: bytes) -> None:
        """The same address under another key, unless it was changed meanwhile."""
        mine = sa.and_(alert_channels.c.id == id, alert_channels.c.sealed == before)
        with self._ledger.write() as connection:
            connection.execute(sa.update(alert_channels).where(mine).values(sealed=after))

    def remove(self, id: int, actor: Actor) -> None:
        """Forget it and its address; what was sent over it stays written down."""
        now = self._clock.now()
        with self._ledger.write() as connection:
            before = _one(connection, id)
            connection.execute(
                sa.update(alert_channels)
                .where(alert_channels.c.id == id)
                .values(removed_at=now, sealed=b"", active=False)
            )
            write_down(connection, now, actor, "alert channel removed", before.name, {"service": before.service}, None)

    # -- messages ------------------------------------------------------------------------------------------------

    def claim(self, channel_id: int, alert_id: int | None, what: What) -> Claim:
        """Is that message for this process to send now?"""
        now = self._clock.now()
        with self._ledger.write() as connection:
            row = None
            if alert_id is not None:
                row = connection.execute(_of(channel_id, alert_id, what)).one_or_none()
            if row is None:
                told: Mapping[str, Any] = {"state": Sent.SENDING.value, "attempts": 1, "reason": "", "at": now}
                connection.execute(
                    sa.insert(alert_deliveries).values(
                        channel_id=channel_id, alert_id=alert_id, what=what.value, **told
                    )
                )
                return Claim.MINE
            if row.state == Sent.SENT:
                return Claim.SENT
            if row.state == Sent.SENDING and _is_young(row.at, now):
                return Claim.ELSEWHERE
            connection.execute(
                sa.update(alert_deliveries)
                .where(alert_deliveries.c.id == row.id)
                .values(state=Sent.SENDING.value, attempts=row.attempts + 1, at=now)
            )
            return Claim.MINE

    def told(self, channel_id: int, alert_id: int | None, what: What, reason: str | None) -> None:
        """What became of a message: `reason` why it failed, `None` if it arrived."""
        state = Sent.SENT if reason is None else Sent.FAILED
        values = {"state": state.value, "reason": reason or "", "at": self._clock.now()}
        mine = [
            alert_deliveries.c.channel_id == channel_id,
            alert_deliveries.c.what == what.value,
            alert_deliveries.c.alert_id.is_(None) if alert_id is None else alert_deliveries.c.alert_id == alert_id,
        ]
        with self._ledger.write() as connection:
            newest = connection.scalar(sa.select(sa.func.max(alert_deliveries.c.id)).where(*mine))
            if newest is None:
                told: Mapping[str, Any] = {"attempts": 1, **values}
                connection.execute(
                    sa.insert(alert_deliveries).values(
                        channel_id=channel_id, alert_id=alert_id, what=what.value, **told
                    )
                )
            else:
                connection.execute(sa.update(alert_deliveries).where(alert_deliveries.c.id == newest).values(**values))

    def prune(self, before: datetime) -> None:
        """Forget what became of messages before that, but for alerts that are open still: else they would be told
        once more. The alerts themselves are kept."""
        open_ones = sa.select(alerts.c.id).where(alerts.c.resolved_at.is_(None))
        told = alert_deliveries.c
        over = sa.or_(told.alert_id.is_(None), told.alert_id.not_in(open_ones))
        with self._ledger.write() as connection:
            connection.execute(sa.delete(alert_deliveries).where(told.at < before, over))

    def deliveries(self, limit: int = 200) -> list[Delivery]:
        """The newest `limit` messages, the newest first."""
        query = sa.select(alert_deliveries).order_by(alert_deliveries.c.id.desc()).limit(limit)
        with self._ledger.read() as connection:
            return [_delivery(row) for row in connection.execute(query)]

    def last_results(self) -> list[Delivery]:
        """The newest message that arrived and the newest that failed, of each channel, however long ago."""
        newest = sa.func.max(alert_deliveries.c.at).label("newest")  # SQLite takes the row from there
        query = (
            sa.select(alert_deliveries, newest)
            .where(alert_deliveries.c.state != Sent.SENDING.value)
            .group_by(alert_deliveries.c.channel_id, alert_deliveries.c.state)
        )
        with self._ledger.read() as connection:
            return [_delivery(row) for row in connection.execute(query)]

    def arrived(self) -> set[tuple[int, int, What]]:
        """Channel, alert and kind of every message that arrived and is remembered; tests are none."""
        told = alert_deliveries.c
        query = sa.select(told.channel_id, told.alert_id, told.what).where(
            told.state == Sent.SENT.value, told.alert_id.is_not(None)
        )
        with self._ledger.read() as connection:
            return {(row.channel_id, row.alert_id, What(row.what)) for row in connection.execute(query)}


def _of(channel_id: int, alert_id: int, what: What) -> sa.Select[Any]:  # Any: cells of several kinds
    return sa.select(alert_deliveries).where(
        alert_deliveries.c.channel_id == channel_id,
        alert_deliveries.c.alert_id == alert_id,
        alert_deliveries.c.what == what.value,
    )


def _is_young(at: datetime, now: datetime) -> bool:
    return abs(now - at) < timedelta(seconds=CLAIM_SECONDS)


def _one(connection: sa.Connection, number: int) -> Channel:
    query = sa.select(alert_channels).where(alert_channels.c.id == number, alert_channels.c.removed_at.is_(None))
    row = connection.execute(query).one_or_none()
    if row is None:
        raise InvalidRequest("this channel does not exist any more")
    return _channel(row)


def _channel(row: sa.Row[Any]) -> Channel:  # Any: cells of several kinds
    return Channel(
        id=row.id,
        name=row.name,
        service=row.service,
        least=Severity(row.least),
        tell_end=bool(row.tell_end),
        active=bool(row.active),
        created_by=row.created_by,
        created_at=row.created_at,
    )


def _delivery(row: sa.Row[Any]) -> Delivery:  # Any: cells of several kinds
    return Delivery(
        channel_id=row.channel_id,
        alert_id=row.alert_id,
        what=What(row.what),
        state=Sent(row.state),
        attempts=row.attempts,
        reason=row.reason,
        at=row.at,
    )
